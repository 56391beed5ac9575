//! Drift, for people and for programs.
//!
//! What lives here: the two texts of a [`Drift`]. Counts, event types, pointers and JSON types; values are not in it.
//! What this file must not know: where it was met.

use std::fmt::Write;

use serde_json::{Value, json};
use vonage_audit::model::{Difference, Drift};

use crate::summary::{count, grouped};

/// Findings shown to people of each kind, so that the summary below them has room on the same screen; all of them are in the
/// JSON output.
const SHOWN: usize = 2;

/// A few lines; none without drift.
pub(crate) fn human(drift: &Drift) -> Option<String> {
    if drift.is_empty() {
        return None;
    }
    let mut out =
        "events hold more than the table says; it stands in context_json and unmapped_json".to_owned();
    for (difference, title) in [
        (Difference::EventType, "new event type"),
        (Difference::Pointer, "new pointer"),
        (Difference::JsonType, "other JSON type"),
    ] {
        let of_kind: Vec<_> =
            drift.findings.iter().filter(|(finding, _)| finding.difference == difference).collect();
        for (finding, times) in of_kind.iter().copied().take(SHOWN) {
            let event_type = if finding.event_type.is_empty() { "(none)" } else { &finding.event_type };
            let mut place = event_type.escape_debug().to_string();
            if !finding.pointer.is_empty() {
                let _ = write!(place, " {}: {}", finding.pointer.escape_debug(), finding.json);
            }
            let _ = write!(out, "\n  {title:<15} {place} × {}", grouped(*times));
        }
        if let Some(more) = of_kind.len().checked_sub(SHOWN + 1) {
            let more = u64::try_from(more + 1).unwrap_or(u64::MAX);
            let _ = write!(out, "\n  {title:<15} and {} more", grouped(more));
        }
    }
    if drift.unnamed > 0 {
        let _ = write!(out, "\n  {} beyond what is told apart", count(drift.unnamed, "value"));
    }
    out.push_str("\n  to give it columns: vonage-audit schema infer");
    Some(out)
}

/// All of it.
pub(crate) fn json(drift: &Drift) -> Value {
    let findings: Vec<_> = drift
        .findings
        .iter()
        .map(|(finding, times)| {
            json!({
                "difference": finding.difference.name(), "event_type": finding.event_type,
                "pointer": finding.pointer, "json": finding.json, "count": times,
            })
        })
        .collect();
    json!({ "findings": findings, "unnamed": drift.unnamed })
}
