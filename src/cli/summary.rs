//! The outcome of a run, for people and for programs.
//!
//! What lives here: the two texts of a report. What this file must not know: how they are printed.

use std::fmt::Write;
use std::time::Duration;

use crate::drift;
use vonage_audit::api::Usage;
use vonage_audit::model::{Grid, Level, Timestamp};
use vonage_audit::pipeline::Report;

/// What a summary is about besides the report itself.
pub(crate) struct Run<'a> {
    pub(crate) dest: &'a str,
    pub(crate) account: &'a str,
    pub(crate) report: &'a Report,
    pub(crate) usage: Usage,
    pub(crate) took: Duration,
    /// Whether drift alone changes the exit code.
    pub(crate) fail_on_drift: bool,
    /// Whether the rows went to standard output, so that there are no files and no head.
    pub(crate) stream: bool,
    /// The exit code of what stopped it, if something did.
    pub(crate) stopped: Option<u8>,
}

/// Bytes of the line of types, at most.
const TYPES: usize = 66;

/// Exit code of a run that is complete and proven but met what the table does not say, if that was asked for.
const DRIFT: u8 = 11;

impl Run<'_> {
    /// The report's exit code; drift counts only where nothing else does.
    pub(crate) fn exit_code(&self) -> u8 {
        match self.stopped.unwrap_or(self.report.exit_code()) {
            0 if self.fail_on_drift && !self.report.drift.is_empty() => DRIFT,
            code => code,
        }
    }
}

/// A screen that says what was asked, what is proven and what was written: no line but a long destination is wider than 80
/// columns.
pub(crate) fn human(run: &Run<'_>) -> String {
    let Run { dest, account, report, usage, took, stream, .. } = run;
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "  {name:<8} {value}");
    };
    let range = report.range;
    let unit = match report.grid {
        Grid::Day => "day",
        Grid::Hour => "hour",
    };
    let (from, to) = (short(range.from), short(range.to));
    line("range", format!("{from} to {to} (UTC, exclusive), {}", count(report.windows, unit)));
    line("account", account.to_string());
    let before = if report.covered == 0 {
        String::new()
    } else {
        format!(", {} held before", grouped(report.covered))
    };
    line("events", format!("{}{before}", grouped(report.events)));
    if let Some(types) = types(report) {
        line("types", types);
    }
    line("proof", proof(report));
    if report.vanished > 0 {
        let vanished = count(report.vanished, "event");
        line(
            "vanished",
            format!("{vanished} in earlier files are no longer listed by the API; their rows stay"),
        );
    }
    let (rows, files) = (count(report.rows, "row"), count(report.files, "file"));
    let place = if *stream { "one stream".to_owned() } else { files };
    line("written", format!("{rows} in {place}, {}", size(report.bytes)));
    if report.undated > 0 {
        line("undated", format!("{} of them without a readable created_at", count(report.undated, "row")));
    }
    if report.redacted > 0 {
        line("redacted", format!("secrets in {}", count(report.redacted, "event")));
    }
    let seconds = took.as_secs_f64();
    let waited = if usage.waited.is_zero() {
        String::new()
    } else {
        format!(", {:.0} s of it waiting", usage.waited.as_secs_f64())
    };
    line(
        "requests",
        format!("{} ({} repeated) in {seconds:.1} s{waited}", grouped(usage.requests), usage.retries),
    );
    if !*stream {
        line("dataset", dest.to_string());
    }
    if let Some(head) = &report.head {
        line("head", format!("{} {}", head.number, head.sha256));
    }
    out
}

/// Without what is zero in it.
fn short(at: Timestamp) -> String {
    let text = at.to_string();
    let shorter = text.strip_suffix("T00:00:00").or(text.strip_suffix(":00"));
    shorter.unwrap_or(&text).to_owned()
}

fn proof(report: &Report) -> String {
    let mut parts = Vec::new();
    for level in [Level::Double, Level::Bracketed] {
        if let Some(windows) = report.levels.get(&level) {
            parts.push(format!("{} {}", count(*windows, "window"), level.name()));
        }
    }
    if report.unchanged > 0 {
        parts.push(format!("{} counted again, unchanged", count(report.unchanged, "window")));
    }
    if !report.unproven.is_empty() {
        parts.push(format!(
            "{} NOT PROVEN",
            count(u64::try_from(report.unproven.len()).unwrap_or(u64::MAX), "range")
        ));
    }
    if parts.is_empty() { "nothing to prove".to_owned() } else { parts.join(", ") }
}

fn types(report: &Report) -> Option<String> {
    let mut types: Vec<_> = report.types.iter().collect();
    types.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), name.as_str()));
    let mut text = format!("{}:", types.len());
    let mut shown = 0;
    for (name, events) in types.iter().take(3) {
        let part = format!(" {name} {},", grouped(**events));
        // The first in any case; the API's own names are short.
        if shown > 0 && text.len() + part.len() > TYPES {
            break;
        }
        text += &part;
        shown += 1;
    }
    let end = if types.len() > shown { " …" } else { "" };
    (shown > 0).then(|| format!("{}{end}", if end.is_empty() { text.trim_end_matches(',') } else { &text }))
}

/// One JSON object; its form is documented in `docs/output.md`.
pub(crate) fn json(run: &Run<'_>) -> String {
    let Run { dest, account, report, usage, took, .. } = run;
    let levels: serde_json::Map<String, serde_json::Value> =
        report.levels.iter().map(|(level, windows)| (level.name().to_owned(), (*windows).into())).collect();
    let unproven: Vec<_> = report
        .unproven
        .iter()
        .map(|(window, error)| {
            serde_json::json!({
                "from": window.from.to_string(), "to": window.to.to_string(),
                "kind": error.kind().name(), "error": error.to_string(),
            })
        })
        .collect();
    serde_json::json!({
        "output_version": 1,
        "exit_code": run.exit_code(),
        "dest": dest,
        "account": account,
        "from": report.range.from.to_string(),
        "to": report.range.to.to_string(),
        "grid": report.grid.name(),
        "windows": report.windows,
        "unchanged": report.unchanged,
        "levels": levels,
        "unproven": unproven,
        "events": report.events,
        "events_held_before": report.covered,
        "rows": report.rows,
        "undated": report.undated,
        "quarantined": report.quarantined,
        "vanished": report.vanished,
        "redacted": report.redacted,
        "not_rebuilt": report.not_rebuilt,
        "files": report.files,
        "bytes": report.bytes,
        "types": report.types,
        "drift": drift::json(&report.drift),
        "head": report.head.as_ref().map(|head| serde_json::json!({"number": head.number, "sha256": head.sha256})),
        "error": report.failure.as_ref().map(|error| serde_json::json!({
            "kind": error.kind().name(), "error": error.to_string(), "hint": error.hint_text(),
        })),
        "requests": usage.requests,
        "requests_repeated": usage.retries,
        "requests_throttled": usage.throttled,
        "bytes_received": usage.bytes,
        "seconds_waited": usage.waited.as_secs_f64(),
        "seconds": took.as_secs_f64(),
    })
    .to_string()
}

/// `1 file`, `2 files`, `1,234 files`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// Digits in groups of three.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn size(bytes: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"];
    let mut divisor: u64 = 1;
    let mut chosen = "bytes";
    for unit in units {
        chosen = unit;
        if bytes / divisor < 1000 {
            break;
        }
        divisor = divisor.saturating_mul(1000);
    }
    if divisor == 1 {
        return format!("{bytes} bytes");
    }
    let tenths = u128::from(bytes) * 10 / u128::from(divisor);
    format!("{}.{} {chosen}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(1000, "file"), "1,000 files");
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(1_250_000), "1.2 MB");
    }
}
