//! `vonage-audit probe`, `types` and `event`: single questions to the API.
//!
//! What lives here: the three commands. What this file must not know: how the API is asked.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::json;
use vonage_audit::error::Kind;
use vonage_audit::flatten::redact_foreign;
use vonage_audit::settle::study;
use vonage_audit::{Error, Result};

use crate::accounts::single;
use crate::args::{ApiArgs, EventArgs, QuestionArgs};
use crate::connection::{Connection, connect};
use crate::environment::Environment;
use crate::terminal::Terminal;

/// `probe`: measures what the documentation leaves open, for this account.
pub(crate) async fn probe(args: &QuestionArgs, environment: &Environment, terminal: &Terminal) -> Result<u8> {
    let connection = ask(&args.api, environment)?;
    let started = std::time::Instant::now();
    let findings = study(&connection.client).await?;
    let usage = connection.client.usage();
    let seconds = started.elapsed().as_secs_f64();
    if terminal.is_json() {
        let found: Vec<_> = findings
            .iter()
            .map(
                |finding| json!({"name": finding.name, "value": finding.value, "evidence": finding.evidence}),
            )
            .collect();
        terminal.result(json!({
            "output_version": 1, "findings": found, "requests": usage.requests,
            "throttled": usage.throttled, "seconds": seconds,
        }));
        return Ok(0);
    }
    let mut out = String::new();
    for finding in &findings {
        let _ = writeln!(out, "{:<15} {:<14} {}", finding.name, finding.value, finding.evidence);
    }
    let throttled =
        if usage.throttled == 0 { String::new() } else { format!(", {} throttled", usage.throttled) };
    let _ = write!(out, "{:<15} {:<14} in {seconds:.1} s{throttled}", "requests", usage.requests);
    terminal.result(out);
    Ok(0)
}

/// `types`: the event types that the API names.
pub(crate) async fn types(args: &QuestionArgs, environment: &Environment, terminal: &Terminal) -> Result<u8> {
    let connection = ask(&args.api, environment)?;
    let types = connection.client.types().await?;
    if terminal.is_json() {
        let found: Vec<_> =
            types.iter().map(|kind| json!({"type": kind.name, "description": kind.description})).collect();
        terminal.result(json!({"output_version": 1, "types": found}));
        return Ok(0);
    }
    let lines: Vec<_> = types
        .iter()
        .map(|kind| format!("{:<28} {}", kind.name, kind.description).trim_end().to_owned())
        .collect();
    terminal.result(lines.join("\n"));
    Ok(0)
}

/// `event`: one event's JSON, as received but for secrets.
pub(crate) async fn event(args: &EventArgs, environment: &Environment, terminal: &Terminal) -> Result<u8> {
    let connection = ask(&args.question.api, environment)?;
    match connection.client.event(&args.id).await? {
        Some(text) => {
            let shown = if args.keep_secrets { Cow::Borrowed(text.as_ref()) } else { redact_foreign(&text) };
            terminal.result(String::from_utf8_lossy(&shown));
            Ok(0)
        }
        None => Err(Error::new(Kind::Refused, "the API knows no event of this id")
            .at("id", args.id.escape_debug())
            .hint("ids are case-sensitive; an event of another account is not found either")),
    }
}

fn ask(api: &ApiArgs, environment: &Environment) -> Result<Connection> {
    connect(api, &single(api, None, environment)?, environment)
}
