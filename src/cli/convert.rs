//! `vonage-audit convert`: from files to a dataset, without the API.
//!
//! What lives here: opening the inputs, the order of checks (everything is read before anything is written), the
//! outcome for people and for programs. What this file must not know: how events become files.

use std::fs::File;
use std::io::{BufReader, stdin};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use vonage_audit::error::Kind;
use vonage_audit::model::Secrets;
use vonage_audit::pipeline::{Conversion, Converted, Input, Limits, convert};
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
    if args.account.is_empty() {
        return Err(Error::usage("--account is empty").hint("give the account's API key"));
    }
    if args.files.iter().filter(|file| file.as_os_str() == STANDARD_INPUT).count() > 1 {
        return Err(Error::usage("standard input is named twice"));
    }
    let secrets = if args.keep_secrets { Secrets::Kept } else { Secrets::Redacted };
    let dest = args.dest;
    let table = table(&args.table)?;
    let wanted = Wanted {
        key: &args.account,
        grid: wanted_grid,
        table: &table,
        selection: std::collections::BTreeMap::new(),
        secrets,
        files: args.layout.resolve(&formats)?,
    };
    let place = Place::open(&dest, &args.storage, environment).await?;
    let Destination { dataset, grid, files: written } = Destination::open(&place, wanted).await?;
    let dataset = args.signing.attach(dataset).await?;
    let limits = Limits { line: args.line_limit << 20, total: args.input_limit << 20 };
    let files = args.files;
    let (stop, signal) = stop_signal_shared();
    let mut stop = Box::pin(stop);
    let reading = tokio::task::spawn_blocking(move || read(&files, limits));
    let input = tokio::select! {
        input = reading => input.map_err(|error| Error::bug("reading failed").because(error))??,
        () = &mut stop => {
            // Reading may wait for standard input for ever, and nothing has been written.
            terminal.error(&Error::new(Kind::Interrupted, "stopped while reading; nothing was written"));
            return Ok(signal.load(Ordering::Relaxed));
        }
    };
    let _lock = place.begin(&dataset, terminal).await?;
    heal(&dataset, environment, terminal).await?;
    let job = Conversion { grid, formats, files: written, secrets, recorded_at: environment.now.seconds() };
    let report = convert(&job, &table, input, &dataset, stop).await;
    let code = finish(&report, &dest, &args.account, terminal);
    let interrupted = report.failure.as_ref().is_some_and(|failure| failure.kind() == Kind::Interrupted);
    Ok(if interrupted { signal.load(Ordering::Relaxed) } else { code })
}

fn read(files: &[PathBuf], limits: Limits) -> Result<Input> {
    let mut input = Input::new(limits);
    for path in files {
        if path.as_os_str() == STANDARD_INPUT {
            input.take("standard input", stdin().lock())?;
            continue;
        }
        let name = path.display().to_string();
        let file = File::open(path)
            .map_err(|cause| Error::usage("cannot open the input").at("file", &name).because(cause))?;
        input.take(&name, BufReader::new(file))?;
    }
    Ok(input)
}

fn finish(report: &Converted, dest: &str, account: &str, terminal: &Terminal) -> u8 {
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
    if report.quarantined > 0 {
        let lines = count(report.quarantined, "line");
        terminal.note(format!("{lines} could not become rows; they are kept under _audit/quarantine"));
    }
    if let Some(failure) = &report.failure {
        terminal.error(failure);
    }
    if terminal.is_json() {
        terminal.result(json(report, dest, account, code));
    } else {
        terminal.result(human(report, dest, account, code));
    }
    code
}

fn human(report: &Converted, dest: &str, account: &str, code: u8) -> String {
    let verdict = match code {
        0 => "converted",
        4 => "converted, with ids that have several contents: see above",
        10 => "converted, with lines in quarantine",
        _ => "ended early: what is committed stays, start again to go on",
    };
    let repeated = count(report.repeated, "repetition");
    let (rows, files) = (count(report.rows, "row"), count(report.files, "file"));
    let windows = count(report.windows, "window");
    let mut out = format!("{verdict}; not proven against the API\n");
    let mut line = |name: &str, value: String| out.push_str(&format!("  {name:<10} {value}\n"));
    line("account", account.to_owned());
    line("input", format!("{}, {repeated}", count(report.lines, "line")));
    line("proof", "none: not proven against the API".to_owned());
    line("written", format!("{rows} in {files}, {windows}; {} known before", grouped(report.known)));
    if report.unplaced > 0 {
        line("undated", format!("{} without a time that can be read", count(report.unplaced, "line")));
    }
    line("quarantine", grouped(report.quarantined));
    line("dataset", dest.to_owned());
    if let Some(head) = &report.head {
        line("head", format!("{} {}", head.number, head.sha256));
    }
    out.trim_end().to_owned()
}

fn json(report: &Converted, dest: &str, account: &str, code: u8) -> String {
    let contradictions: Vec<_> = report.contradictions.iter().map(|id| id.as_str()).collect();
    serde_json::json!({
        "output_version": 1,
        "exit_code": code,
        "dest": dest,
        "account": account,
        "level": "none",
        "lines": report.lines,
        "repeated": report.repeated,
        "windows": report.windows,
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
