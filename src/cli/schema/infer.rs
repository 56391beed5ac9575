//! `vonage-audit schema infer`: what events hold beyond the table, and the columns that would hold it.
//!
//! What lives here: the ways in (an export's Parquet files, files with one event a line, the live account), the report, and the one place
//! that writes a schema directory. Values are looked at for their JSON type and never kept. What this file must not
//! know: how columns are proposed.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use vonage_audit::encode::{ReadLimits, read as read_file};
use vonage_audit::error::Kind;
use vonage_audit::model::json::{MAX_DEPTH, Value};
use vonage_audit::model::{Format, Query};
use vonage_audit::schema::{Documents, Layer, LayerTexts, Proposal, Survey, Table, grow};
use vonage_audit::{Error, Result};

use crate::accounts::single;
use crate::args::InferArgs;
use crate::connection::connect;
use crate::drift;
use crate::environment::Environment;
use crate::summary::{count, grouped};
use crate::terminal::Terminal;

/// Longest line that is read as an event.
const MAX_LINE: u64 = 64 << 20;

/// Events read, and lines or rows that are none.
#[derive(Default)]
struct Taken {
    events: u64,
    refused: u64,
}

/// Runs the command. Writes nothing without `--write`.
pub(super) async fn run(args: &InferArgs, environment: &Environment, terminal: &Terminal) -> Result<u8> {
    let texts = args.table.schema_dir.as_deref().map(super::read).transpose()?.flatten();
    let layer = texts.as_ref().map(|(lock, registry)| Layer { lock, registry: registry.as_deref() });
    // A directory may lack the newest built-in columns; only writing can mend that.
    let table = match layer {
        Some(layer) if args.write => {
            let mended = grow(Documents::BUILTIN, Some(layer), &Proposal::default())?;
            let layer = mended.as_ref().map_or(layer, as_layer);
            Table::layered(layer)?
        }
        _ => super::table(&crate::args::TableArgs {
            schema_dir: texts.is_some().then(|| args.table.schema_dir.clone()).flatten(),
        })?,
    };
    let (mut survey, mut seen) = (Survey::default(), Taken::default());
    for path in &args.paths {
        take(path, &table, &mut survey, &mut seen)?;
    }
    if args.live {
        take_live(args, environment, &table, &mut survey, &mut seen).await?;
    }
    let drift = survey.into_drift();
    let proposal = Proposal::new(&table, &drift);
    let written = match (&args.table.schema_dir, args.write) {
        (Some(folder), true) => {
            let grown = grow(Documents::BUILTIN, layer, &proposal)?;
            if let Some(texts) = &grown {
                write(folder, texts)?;
            }
            grown.is_some()
        }
        _ => false,
    };
    if terminal.is_json() {
        let columns: Vec<_> = proposal
            .columns
            .iter()
            .map(|proposed| {
                json!({
                    "column": super::column_json(&proposed.column), "json": proposed.json,
                    "event_types": proposed.event_types,
                })
            })
            .collect();
        terminal.result(json!({
            "output_version": 1, "events": seen.events, "refused": seen.refused, "drift": drift::json(&drift),
            "columns": columns, "event_types": proposal.types, "left_out": proposal.left_out, "written": written,
        }));
    } else {
        terminal.result(human(&proposal, &seen, args, written));
    }
    Ok(0)
}

fn as_layer(texts: &LayerTexts) -> Layer<'_> {
    Layer { lock: &texts.lock, registry: Some(&texts.registry) }
}

fn human(proposal: &Proposal, seen: &Taken, args: &InferArgs, written: bool) -> String {
    let mut out = format!("{} read", count(seen.events, "event"));
    if seen.refused > 0 {
        let _ = write!(out, ", {} that cannot be a row", count(seen.refused, "line"));
    }
    out.push('\n');
    for (name, times) in &proposal.types {
        let _ = writeln!(out, "  new event type  {} × {}", name.escape_debug(), grouped(*times));
    }
    for proposed in &proposal.columns {
        let column = &proposed.column;
        let json: Vec<_> =
            proposed.json.iter().map(|(json, times)| format!("{json} × {}", grouped(*times))).collect();
        let types: Vec<_> = proposed.event_types.iter().map(|name| name.escape_debug().to_string()).collect();
        let _ = writeln!(
            out,
            "  new column      {} {}\n                  {} in {}: {}",
            column.name,
            column.data_type.name(),
            column.pointer.as_deref().unwrap_or_default().escape_debug(),
            types.join(", "),
            json.join(", ")
        );
    }
    for (pointer, why) in &proposal.left_out {
        let _ = writeln!(out, "  no column       {}: {why}", pointer.escape_debug());
    }
    let folder = args.table.schema_dir.as_deref().unwrap_or(Path::new("DIR")).display().to_string();
    out.push_str(&match (proposal.is_empty(), written) {
        (_, true) => format!("appended to {folder}; look at it, then export with --schema-dir {folder}"),
        (true, false) => "nothing to add".to_owned(),
        (false, false) => format!("nothing was written; to append: --schema-dir {folder} --write"),
    });
    out
}

fn take(path: &Path, table: &Table, survey: &mut Survey, seen: &mut Taken) -> Result<()> {
    let unreadable = |error: std::io::Error| {
        Error::usage("cannot read the events").at("path", path.display()).because(error)
    };
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        let parquet = path.extension().is_some_and(|extension| extension == "parquet");
        let file = || fs::File::open(path).map_err(unreadable);
        return if parquet {
            take_parquet(path, table, survey, seen)
        } else {
            take_lines(path, file()?, table, survey, seen)
        };
    }
    let mut files = Vec::new();
    list(&path.join("parquet"), &mut files).map_err(|error| {
        Error::usage("the folder is not an export with Parquet files")
            .at("path", path.display())
            .because(error)
    })?;
    files.sort();
    files.iter().try_for_each(|file| take_parquet(file, table, survey, seen))
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            list(&entry.path(), files)?;
        } else if entry.path().extension().is_some_and(|extension| extension == "parquet") {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// What rows hold beyond the table is in their context and in the remainder.
fn take_parquet(path: &Path, table: &Table, survey: &mut Survey, seen: &mut Taken) -> Result<()> {
    let bytes = fs::read(path)
        .map_err(|error| Error::usage("cannot read the events").at("path", path.display()).because(error))?;
    let content = read_file(Format::Parquet, bytes.into(), &Default::default(), ReadLimits::default())
        .map_err(|error| error.at("path", path.display()))?;
    for batch in &content.batches {
        seen.events += survey.add_rows(table, batch).map_err(|error| error.at("path", path.display()))?;
    }
    Ok(())
}

fn take_lines(
    path: &Path,
    file: fs::File,
    table: &Table,
    survey: &mut Survey,
    seen: &mut Taken,
) -> Result<()> {
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(|error| {
            Error::usage("cannot read the events").at("path", path.display()).because(error)
        })?;
        if read == 0 {
            return Ok(());
        }
        let Ok(text) = std::str::from_utf8(&line) else {
            return Err(Error::usage("the file is not text with one event a line")
                .at("path", path.display())
                .hint("decompress it first"));
        };
        if text.trim().is_empty() {
            continue;
        }
        match Value::parse(text.trim()) {
            Ok(event)
                if event.kind() == vonage_audit::model::json::Kind::Object && event.depth() <= MAX_DEPTH =>
            {
                survey.add(table, event);
                seen.events += 1;
            }
            _ => seen.refused += 1,
        }
    }
}

/// Some events of the account, in whatever order the API lists them: enough to see shapes, no claim to be complete.
async fn take_live(
    args: &InferArgs,
    environment: &Environment,
    table: &Table,
    survey: &mut Survey,
    seen: &mut Taken,
) -> Result<()> {
    let client = connect(&args.api, &single(&args.api, None, environment)?, environment)?.client;
    let mut number = 1;
    loop {
        let page = client.page(&Query::default(), number, 100).await?;
        for event in &page.events {
            let text = std::str::from_utf8(&event.text).ok().filter(|_| event.flaw.is_none());
            match text.and_then(|text| Value::parse(text).ok()) {
                Some(event) => {
                    survey.add(table, event);
                    seen.events += 1;
                }
                None => seen.refused += 1,
            }
        }
        if page.events.is_empty() || u64::from(number) >= page.total.div_ceil(100).min(u64::from(args.pages))
        {
            return Ok(());
        }
        number += 1;
    }
}

/// Each document is complete under its name: written beside it, then renamed. The column list comes first: with an older
/// registry it is a whole schema directory all the same.
fn write(folder: &Path, texts: &LayerTexts) -> Result<()> {
    let unwritten = |error: std::io::Error| {
        Error::new(Kind::Storage, "cannot write the schema directory")
            .at("path", folder.display())
            .because(error)
    };
    fs::create_dir_all(folder).map_err(unwritten)?;
    for (name, text) in [("table.lock.json", &texts.lock), ("registry.json", &texts.registry)] {
        let beside = folder.join(format!("{name}.new"));
        let mut file = fs::File::create(&beside).map_err(unwritten)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(unwritten)?;
        fs::rename(&beside, folder.join(name)).map_err(unwritten)?;
    }
    Ok(())
}
