//! What time the log covers, and where it has gaps.
//!
//! What lives here: [`Stretches`]. Intervals are compared, never enumerated: a log may name any years. What this file
//! must not know: files, the chain.

use std::collections::BTreeMap;

use super::finding::{Code, Findings};
use crate::model::{Format, Level, Timestamp, Window, WindowRecord};
use crate::publish::log::covered;

/// The time that a format covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretches {
    /// The format.
    pub format: Format,
    /// Committed windows.
    pub windows: u64,
    /// Of those, windows by level of certainty.
    pub levels: BTreeMap<Level, u64>,
    /// From the first window to the end of the last; `None` without any.
    pub range: Option<Window>,
    /// Intervals between them that no commit is about.
    pub gaps: Vec<Window>,
}

/// What a dataset must cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// The range, half-open.
    pub range: Window,
    /// The level that each window must have at least.
    pub level: Level,
    /// In which formats; empty for all that the log names.
    pub formats: Vec<Format>,
}

type Windows = BTreeMap<Window, Vec<WindowRecord>>;

/// The formats that any record is about.
fn formats(windows: &Windows) -> Vec<Format> {
    let named = |format: &Format| windows.values().flatten().any(|record| record.formats.contains(format));
    Format::ALL.into_iter().filter(named).collect()
}

/// The coverage of each format; gaps are findings.
pub(super) fn stretches(windows: &Windows, findings: &mut Findings) -> Vec<Stretches> {
    let one = |format| {
        let mut found =
            Stretches { format, windows: 0, levels: BTreeMap::new(), range: None, gaps: Vec::new() };
        for (window, records) in windows {
            let Some(covered) = covered(records, format) else { continue };
            found.windows += 1;
            *found.levels.entry(covered.certificate.level).or_default() += 1;
            match &mut found.range {
                None => found.range = Some(*window),
                Some(range) => {
                    if range.to < window.from {
                        found.gaps.push(Window::new(range.to, window.from));
                    }
                    range.to = range.to.max(window.to);
                }
            }
        }
        found
    };
    let all: Vec<Stretches> = formats(windows).into_iter().map(one).collect();
    for stretches in &all {
        for gap in &stretches.gaps {
            findings.add(Code::Gap, gap.to_string(), stretches.format.name());
        }
    }
    all
}

/// Holds the coverage against what is asked for.
pub(super) fn check(windows: &Windows, cover: &Cover, findings: &mut Findings) {
    let wanted = if cover.formats.is_empty() { formats(windows) } else { cover.formats.clone() };
    if wanted.is_empty() {
        findings.add(Code::NotCovered, cover.range.to_string(), "no window is committed");
    }
    for format in wanted {
        let mut reached: Timestamp = cover.range.from;
        let mut missing = |from: Timestamp, to: Timestamp, why: &str| {
            let gap = Window::new(from, to).to_string();
            findings.add(Code::NotCovered, gap, format!("{}: {why}", format.name()));
        };
        let inside =
            windows.iter().filter(|(window, _)| window.to > cover.range.from && window.from < cover.range.to);
        for (window, records) in inside {
            let Some(covered) = covered(records, format) else { continue };
            let level = covered.certificate.level;
            if level < cover.level {
                missing(window.from, window.to, level.name());
            }
            if window.from > reached {
                missing(reached, window.from, "not committed");
            }
            reached = reached.max(window.to);
        }
        if reached < cover.range.to {
            missing(reached, cover.range.to, "not committed");
        }
    }
}
