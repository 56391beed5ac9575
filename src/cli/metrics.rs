//! A run's figures for a monitor.
//!
//! What lives here: their names and the file in Prometheus' text format. What this file must not know: when a run ends.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use vonage_audit::error::{Error, Kind, Result};
use vonage_audit::model::Level;

use crate::environment::clock_seconds;
use crate::summary::Run;

/// What every name begins with.
const PREFIX: &str = "vonage_audit_";

/// The file, and what is known for it.
pub(crate) struct Metrics {
    path: PathBuf,
    runs: Mutex<Vec<Sample>>,
}

/// One account's figures.
struct Sample {
    account: String,
    dest: String,
    figures: Vec<Figure>,
}

struct Figure {
    name: &'static str,
    help: &'static str,
    label: Option<(&'static str, &'static str)>,
    value: String,
}

fn figure(name: &'static str, help: &'static str, value: impl ToString) -> Figure {
    Figure { name, help, label: None, value: value.to_string() }
}

impl Metrics {
    /// Whether a file can be there.
    pub(crate) fn check(path: &Path) -> Result<()> {
        if path.is_dir() || !folder(path).is_dir() {
            return Err(Error::usage("the metrics file cannot be written there")
                .at("path", path.display())
                .hint("its folder must exist, and the path must not be a folder"));
        }
        Ok(())
    }

    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, runs: Mutex::default() }
    }

    /// Takes a run and writes the file anew, with all accounts so far.
    pub(crate) fn run(&self, run: &Run<'_>) -> Result<()> {
        self.add(run.account, run.dest, figures(run))
    }

    /// The same for an account whose run could not begin.
    pub(crate) fn failure(&self, account: &str, dest: &str, code: u8) -> Result<()> {
        self.add(account, dest, ended(code))
    }

    fn add(&self, account: &str, dest: &str, figures: Vec<Figure>) -> Result<()> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.push(Sample { account: account.to_owned(), dest: dest.to_owned(), figures });
        write(&self.path, &text(&runs)).map_err(|error| {
            Error::new(Kind::Storage, "cannot write the metrics file")
                .at("path", self.path.display())
                .because(error)
        })
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A collector sees the old file or the new one, never a part.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".vonage-audit-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.tempfile_in(folder(path))?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn ended(code: u8) -> Vec<Figure> {
    vec![
        figure("exit_code", "What the program ended with for this account.", code),
        figure("run_timestamp_seconds", "When the run ended, since 1970.", clock_seconds()),
    ]
}

fn figures(run: &Run<'_>) -> Vec<Figure> {
    let Run { report, usage, took, .. } = run;
    let code = run.exit_code();
    let mut all = ended(code);
    if matches!(code, 0 | 10 | 11) {
        let until = report.range.to.seconds();
        all.push(figure("proven_until_timestamp_seconds", "End of the range that the run proved.", until));
    }
    all.extend([
        figure("run_seconds", "How long the run took.", took.as_secs_f64()),
        figure("windows", "Windows of the range.", report.windows),
        figure("windows_unchanged", "Committed windows whose counts are as they were.", report.unchanged),
    ]);
    for level in [Level::Bracketed, Level::Double] {
        let windows = report.levels.get(&level).copied().unwrap_or_default();
        let label = Some(("level", level.name()));
        let help = "Windows that the run proved.";
        all.push(Figure { label, ..figure("windows_proven", help, windows) });
    }
    all.extend([
        figure("ranges_unproven", "Ranges that could not be proven.", report.unproven.len()),
        figure("events", "Events of the windows that the run settled.", report.events),
        figure("events_held_before", "Events of the windows that it left alone.", report.covered),
        figure("events_quarantined", "Events that cannot be rows.", report.quarantined),
        figure("events_redacted", "Events in which secrets were replaced.", report.redacted),
        figure("events_vanished", "Committed events that the API no longer lists.", report.vanished),
        figure("rows", "Rows written.", report.rows),
        figure("files", "Data files written.", report.files),
        figure("bytes", "Bytes of the data files written.", report.bytes),
        figure("requests", "Requests to the API.", usage.requests),
        figure("requests_repeated", "Of these, repetitions.", usage.retries),
        figure("requests_throttled", "Answers that said too many requests.", usage.throttled),
        figure("bytes_received", "Bytes of the API's replies.", usage.bytes),
        figure("seconds_waited", "Time set aside for repetitions.", usage.waited.as_secs_f64()),
    ]);
    if let Some(head) = &report.head {
        all.push(figure("head", "Number of the newest commit.", head.number));
    }
    all
}

/// Figures of one name stand together, as the format wants it.
fn text(runs: &[Sample]) -> String {
    let mut out = String::new();
    let mut said: Vec<&str> = Vec::new();
    for Figure { name, help, .. } in runs.iter().flat_map(|run| &run.figures) {
        if said.contains(name) {
            continue;
        }
        said.push(name);
        out += &format!("# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} gauge\n");
        for run in runs {
            for figure in run.figures.iter().filter(|figure| figure.name == *name) {
                let (account, dest) = (quoted(&run.account), quoted(&run.dest));
                let more = figure.label.map_or(String::new(), |(key, value)| format!(",{key}=\"{value}\""));
                out += &format!("{PREFIX}{name}{{account={account},dest={dest}{more}}} {}\n", figure.value);
            }
        }
    }
    out
}

/// A label's value.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_together_and_labels_are_escaped() {
        let sample = |account: &str, code: u8| Sample {
            account: account.to_owned(),
            dest: "a\\b\n".to_owned(),
            figures: vec![figure("exit_code", "Code.", code)],
        };
        assert_eq!(
            text(&[sample("one", 0), sample("tw\"o", 3)]),
            "# HELP vonage_audit_exit_code Code.\n# TYPE vonage_audit_exit_code gauge\n\
             vonage_audit_exit_code{account=\"one\",dest=\"a\\\\b\\n\"} 0\n\
             vonage_audit_exit_code{account=\"tw\\\"o\",dest=\"a\\\\b\\n\"} 3\n"
        );
    }
}
