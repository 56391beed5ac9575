//! `vonage-audit convert`: from files to a dataset, without the API.
//!
//! What lives here: opening the inputs, the order of checks (lines are all read before anything is written), the
//! outcome for people and for programs. What this file must not know: how events become files.

mod source;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, stdin};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use vonage_audit::encode::Settings as Files;
use vonage_audit::error::Kind;
use vonage_audit::model::{Level, Secrets};
use vonage_audit::pipeline::{Conversion, Converted, Inputs, Limits, Open, convert, replay, reshape, take};
use vonage_audit::publish::account_fingerprint;
use vonage_audit::{Error, Result};

use crate::args::ConvertArgs;
use crate::destination::{Destination, Place, Wanted};
use crate::environment::Environment;
use crate::export::{parse_grid, stop_signal_shared};
use crate::schema::table;
use crate::signing::heal;
use crate::summary::{count, grouped};
use crate::terminal::Terminal;

const STANDARD_INPUT: &str = "-";

/// Contradicting ids that are named.
const NAMED: usize = 5;

/// Runs the command; gives the exit code.
pub(crate) async fn run(args: ConvertArgs, environment: &Environment, terminal: &Terminal) -> Result<u8> {
    let wanted_grid = args.grid.as_deref().map(parse_grid).transpose()?;
    let formats = args.formats.resolve()?;
    if args.files.iter().filter(|file| file.as_os_str() == STANDARD_INPUT).count() > 1 {
        return Err(Error::usage("standard input is named twice"));
    }
    let secrets = if args.keep_secrets { Secrets::Kept } else { Secrets::Redacted };
    let scratch = args.memory.scratch(environment)?;
    let table = table(&args.table)?;
    let opened = source::open(&args, &table).await?;
    let (fingerprint, account, own_grid, selection) = match &opened {
        Some(opened) => {
            let spec = opened.dataset.spec();
            let account = args.account.clone().unwrap_or_else(|| spec.account_fingerprint.clone());
            (spec.account_fingerprint.clone(), account, Some(spec.grid), spec.selection.clone())
        }
        None => {
            let key = account(&args)?;
            (account_fingerprint(&key), key, None, BTreeMap::new())
        }
    };
    let grid = wanted_grid.or(own_grid);
    let files = args.layout.resolve(&formats)?;
    let wanted = Wanted { account: fingerprint, grid, table: &table, selection, secrets, files };
    let place = Place::open(&args.dest, &args.storage, environment).await?;
    let Destination { dataset, grid, files: written } = Destination::open(&place, wanted).await?;
    let dataset = args.signing.attach(dataset).await?;
    let job = Conversion {
        grid,
        formats,
        files: Files { threads: args.threads.threads(), ..written },
        secrets,
        keep_raw: args.keep_raw,
        scratch: place.scratch(scratch),
        recorded_at: environment.now.seconds(),
    };
    if let Some(opened) = &opened {
        opened.source().check(&job, args.from_raw)?;
    }
    let (stop, signal) = stop_signal_shared();
    let report = match &opened {
        Some(opened) => {
            let _lock = place.begin(&dataset, terminal).await?;
            heal(&dataset, environment, terminal).await?;
            if args.from_raw {
                replay(&job, &table, opened.source(), &dataset, stop).await
            } else {
                reshape(&job, &table, opened.source(), &dataset, stop).await
            }
        }
        None => {
            let mut stop = Box::pin(stop);
            let limits = Limits { line: args.line_limit << 20 };
            let inputs = Arc::new(inputs(&args.files));
            let (own, rows) = (job.clone(), table.clone());
            let standing =
                job.formats.iter().flat_map(|format| dataset.coverage(*format).into_keys()).collect();
            let reading = tokio::task::spawn_blocking(move || take(&own, &rows, limits, inputs, &standing));
            let lines = tokio::select! {
                lines = reading => lines.map_err(|error| Error::bug("reading failed").because(error))??,
                () = &mut stop => {
                    // Reading may wait for standard input for ever, and nothing has been written.
                    terminal.error(&Error::new(Kind::Interrupted, "stopped while reading; nothing was written"));
                    return Ok(signal.load(Ordering::Relaxed));
                }
            };
            let _lock = place.begin(&dataset, terminal).await?;
            heal(&dataset, environment, terminal).await?;
            convert(&job, &table, lines, &dataset, stop).await
        }
    };
    let outcome =
        Outcome { report: &report, dest: &args.dest, account: &account, of_lines: opened.is_none() };
    let code = outcome.finish(terminal);
    let interrupted = report.failure.as_ref().is_some_and(|failure| failure.kind() == Kind::Interrupted);
    Ok(if interrupted { signal.load(Ordering::Relaxed) } else { code })
}

/// The account of lines, which do not say whose they are.
fn account(args: &ConvertArgs) -> Result<String> {
    match args.account.as_deref() {
        None => Err(Error::usage("--account is missing")
            .hint("give the API key of the account whose events these are")),
        Some("") => Err(Error::usage("--account is empty").hint("give the account's API key")),
        Some(key) => Ok(key.to_owned()),
    }
}

/// The lines of these files. A file that is none in the sense of the system, a pipe for one, gives its lines once.
fn inputs(files: &[PathBuf]) -> Inputs {
    let stream = |path: &PathBuf| -> (String, Open) {
        if path.as_os_str() == STANDARD_INPUT {
            return ("standard input".to_owned(), Box::new(|| Ok(Box::new(stdin().lock()))));
        }
        let (name, path) = (path.display().to_string(), path.clone());
        let open = move || -> Result<Box<dyn BufRead>> {
            let file = File::open(&path).map_err(|cause| {
                Error::usage("cannot open the input").at("file", path.display()).because(cause)
            })?;
            Ok(Box::new(BufReader::with_capacity(256 << 10, file)))
        };
        (name, Box::new(open))
    };
    // Opening a file of /dev/fd may go on where the last reader has stopped.
    let own = |path: &PathBuf| {
        path.canonicalize().is_ok_and(|path| !path.starts_with("/dev") && !path.starts_with("/proc"))
    };
    let again = |path: &PathBuf| path.as_os_str() != STANDARD_INPUT && path.is_file() && own(path);
    Inputs { again: files.iter().all(again), streams: files.iter().map(stream).collect() }
}

/// A conversion's outcome and what it was about.
struct Outcome<'a> {
    report: &'a Converted,
    dest: &'a str,
    account: &'a str,
    /// Whether the input was lines of files.
    of_lines: bool,
}

impl Outcome<'_> {
    /// Says it and gives the exit code.
    fn finish(&self, terminal: &Terminal) -> u8 {
        let report = self.report;
        let code = report.exit_code();
        if !report.contradictions.is_empty() {
            let ids: Vec<_> = report.contradictions.iter().take(NAMED).map(|id| id.as_str()).collect();
            terminal.error(
                &Error::new(Kind::Contradiction, "an id has several contents")
                    .at("ids", report.contradictions.len())
                    .at("first ids", ids.join(" ").escape_debug())
                    .hint("one content is the row, the others are kept under _audit/quarantine"),
            );
        }
        if let Some(first) = report.missing.first() {
            terminal.error(
                &Error::new(
                    Kind::Unproven,
                    "windows were left out: the replies that prove them were not kept",
                )
                .at("windows", report.missing.len())
                .at("first window", first)
                .hint("export them with --keep-raw, or convert without --from-raw"),
            );
        }
        if report.quarantined > 0 {
            let lines = count(report.quarantined, self.noun());
            terminal.note(format!("{lines} could not become rows; they are kept under _audit/quarantine"));
        }
        if let Some(failure) = &report.failure {
            terminal.error(failure);
        }
        terminal.result(if terminal.is_json() { self.json(code) } else { self.human(code) });
        code
    }

    fn noun(&self) -> &'static str {
        if self.of_lines { "line" } else { "event" }
    }

    fn human(&self, code: u8) -> String {
        let report = self.report;
        let verdict = match code {
            0 => "converted",
            3 => "converted in part: see above",
            4 => "converted, with ids that have several contents: see above",
            10 if self.of_lines => "converted, with lines in quarantine",
            10 => "converted, with events in quarantine",
            _ => "ended early: what is committed stays, start again to go on",
        };
        let (rows, files) = (count(report.rows, "row"), count(report.files, "file"));
        let windows = count(report.windows, "window");
        let mut out = if self.of_lines {
            format!("{verdict}; not proven against the API\n")
        } else {
            format!("{verdict}\n")
        };
        let mut line = |name: &str, value: String| out.push_str(&format!("  {name:<10} {value}\n"));
        line("account", self.account.to_owned());
        let repeated = match report.repeated {
            0 if !self.of_lines => String::new(),
            repeated => format!(", {}", count(repeated, "repetition")),
        };
        line("input", format!("{}{repeated}", count(report.lines, self.noun())));
        line("proof", self.proof());
        line("written", format!("{rows} in {files}, {windows}; {} known before", grouped(report.known)));
        if report.unplaced > 0 {
            line(
                "undated",
                format!("{} without a time that can be read", count(report.unplaced, self.noun())),
            );
        }
        line("quarantine", grouped(report.quarantined));
        line("dataset", self.dest.to_owned());
        if let Some(head) = &report.head {
            line("head", format!("{} {}", head.number, head.sha256));
        }
        out.trim_end().to_owned()
    }

    fn proof(&self) -> String {
        if self.of_lines {
            return "none: not proven against the API".to_owned();
        }
        let levels = self.report.levels.iter().rev();
        let parts: Vec<_> = levels
            .map(|(level, windows)| format!("{} {}", count(*windows, "window"), level.name()))
            .collect();
        if parts.is_empty() {
            "nothing to prove".to_owned()
        } else {
            format!("the source's: {}", parts.join(", "))
        }
    }

    fn json(&self, code: u8) -> String {
        let report = self.report;
        let contradictions: Vec<_> = report.contradictions.iter().map(|id| id.as_str()).collect();
        let missing: Vec<_> = report.missing.iter().map(ToString::to_string).collect();
        let levels: serde_json::Map<String, serde_json::Value> = report
            .levels
            .iter()
            .map(|(level, windows)| (level.name().to_owned(), (*windows).into()))
            .collect();
        let level = report.levels.keys().next().copied().unwrap_or(Level::None);
        serde_json::json!({
            "output_version": 1,
            "exit_code": code,
            "dest": self.dest,
            "account": self.account,
            "level": level.name(),
            "levels": levels,
            "lines": report.lines,
            "repeated": report.repeated,
            "windows": report.windows,
            "missing": missing,
            "rows": report.rows,
            "known": report.known,
            "quarantined": report.quarantined,
            "unplaced": report.unplaced,
            "contradictions": contradictions,
            "files": report.files,
            "bytes": report.bytes,
            "types": report.types,
            "head": report.head.as_ref().map(|head| serde_json::json!({"number": head.number, "sha256": head.sha256})),
            "error": report.failure.as_ref().map(|error| serde_json::json!({
                "kind": error.kind().name(), "error": error.to_string(), "hint": error.hint_text(),
            })),
        })
        .to_string()
    }
}
