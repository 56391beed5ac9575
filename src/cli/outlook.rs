//! `vonage-audit plan`: what an export would do.
//!
//! What lives here: the command and its two texts. What this file must not know: how the estimate is made.

use std::fmt::Write;

use serde_json::json;
use vonage_audit::Result;
use vonage_audit::pipeline::{Outlook, known, outlook};

use crate::args::PlanArgs;
use crate::environment::Environment;
use crate::export::{Prepared, accounts};
use crate::summary::{count, grouped};
use crate::terminal::Terminal;

/// Runs the command: a few requests, no writes.
pub(crate) async fn run(args: Box<PlanArgs>, environment: &Environment, terminal: &Terminal) -> Result<u8> {
    for account in accounts(&args.export, environment)? {
        let prepared = Prepared::new(&args.export, &account, environment).await?;
        let job = &prepared.job;
        let known = known(&prepared.dataset, &job.formats);
        let client = &prepared.connection.client;
        let found =
            outlook(client, &job.settle, job.range, job.grid, &known, job.read_again, args.each_window)
                .await?;
        let rate = prepared.connection.rate;
        let name = account.name.as_deref();
        terminal.result(if terminal.is_json() {
            machine(&found, rate, name)
        } else {
            human(&found, rate, name)
        });
    }
    Ok(0)
}

fn seconds(requests: u64, rate: Option<f64>) -> Option<f64> {
    // Far fewer requests than a float holds exactly.
    #[expect(clippy::cast_precision_loss, reason = "an estimate of seconds")]
    rate.map(|rate| requests as f64 / rate)
}

fn human(found: &Outlook, rate: Option<f64>, account: Option<&str>) -> String {
    let mut out = String::new();
    if let Some(account) = account {
        let _ = write!(out, "{account}: ");
    }
    let range = found.range;
    let _ =
        writeln!(out, "{} to {} (UTC, exclusive), {}", range.from, range.to, count(found.windows, "window"));
    if found.committed > 0 {
        let _ =
            writeln!(out, "  {} committed already, to be counted again", count(found.committed, "window"));
    }
    for stretch in &found.stretches {
        let windows = if stretch.windows == 1 {
            String::new()
        } else {
            format!(", {}", count(stretch.windows, "window"))
        };
        let (events, requests) = (count(stretch.events, "event"), count(stretch.requests, "request"));
        let _ = writeln!(out, "  {}: {events}{windows}, about {requests}", stretch.range);
    }
    let time = match seconds(found.requests, rate) {
        Some(seconds) if seconds >= 120.0 => {
            format!(", about {:.0} minutes at {} requests a second", seconds / 60.0, rate.unwrap_or_default())
        }
        Some(seconds) => {
            format!(", about {seconds:.0} seconds at {} requests a second", rate.unwrap_or_default())
        }
        None => ", without a rate limit".to_owned(),
    };
    let _ = write!(out, "about {} requests{time}; nothing was written", grouped(found.requests));
    out
}

fn machine(found: &Outlook, rate: Option<f64>, account: Option<&str>) -> String {
    let stretches: Vec<_> = found
        .stretches
        .iter()
        .map(|stretch| {
            json!({
                "from": stretch.range.from.to_string(), "to": stretch.range.to.to_string(),
                "windows": stretch.windows, "events": stretch.events, "requests": stretch.requests,
            })
        })
        .collect();
    json!({
        "output_version": 1,
        "account": account,
        "from": found.range.from.to_string(),
        "to": found.range.to.to_string(),
        "windows": found.windows,
        "committed": found.committed,
        "stretches": stretches,
        "requests": found.requests,
        "seconds": seconds(found.requests, rate),
    })
    .to_string()
}
