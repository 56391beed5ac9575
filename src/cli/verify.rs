//! `vonage-audit verify`: from flags to a verification, and its outcome for people and for programs.
//!
//! What lives here: the flags, their meaning, and the two texts. What this file must not know: how anything is checked.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use vonage_audit::encode::Settings as Files;
use vonage_audit::error::Kind;
use vonage_audit::model::{Grid, Level, Timestamp, Window};
use vonage_audit::pipeline::{Source, check_raw, law};
use vonage_audit::plan::Moment;
use vonage_audit::publish::Dataset;
use vonage_audit::publish::verify::{
    Code, Cover, Depth, Severity, Stretches, Verification, Verified, verify,
};
use vonage_audit::schema::Table;
use vonage_audit::store::Store;
use vonage_audit::{Error, Result};

use crate::args::{StorageArgs, TableArgs, formats};
use crate::destination::reading;
use crate::environment::{Environment, footer_key_from_file};
use crate::schema::table;
use crate::summary::{count, grouped};
use crate::terminal::Terminal;
use crate::trust::TrustArgs;

/// Gaps of one format that the report lists.
const GAPS: usize = 100;

/// The flags.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// The dataset: the folder that holds _audit
    #[arg(value_name = "DEST")]
    pub(crate) dest: String,
    /// Check the log, names and lengths alone, without reading data files
    #[arg(long, conflicts_with_all = ["deep", "subset"])]
    pub(crate) quick: bool,
    /// Decode every file and check every row as well
    #[arg(long, conflicts_with = "subset")]
    pub(crate) deep: bool,
    /// Read one part of the data files, like 3/7: the parts 1/7 to 7/7 are all of them
    #[arg(long, value_name = "N/T")]
    pub(crate) subset: Option<String>,
    /// A half-open range that must be covered without a gap, like 2026-01-01..2026-04-01 or 2026-01-01..yesterday
    #[arg(long, value_name = "FROM..TO")]
    pub(crate) covers: Option<String>,
    /// The level that each window of --covers must have at least: none, bracketed, double
    #[arg(long, value_name = "LEVEL", default_value = "bracketed", requires = "covers")]
    pub(crate) level: String,
    /// The formats that --covers is about, comma-separated (default: all that the log names)
    #[arg(long, value_name = "FORMATS", value_delimiter = ',', requires = "covers")]
    pub(crate) format: Vec<String>,
    /// Take warnings for failures as well: no run may be in flight, and no window missing
    #[arg(long)]
    pub(crate) strict: bool,
    /// Most findings that are shown; all are counted
    #[arg(long, value_name = "FINDINGS", default_value_t = 1_000,
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=1_000_000))]
    pub(crate) findings_limit: usize,
    /// File with the key of encrypted Parquet files, for --deep
    #[arg(long, value_name = "FILE", requires = "deep")]
    pub(crate) parquet_key_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    #[command(flatten)]
    pub(crate) table: TableArgs,
    #[command(flatten)]
    pub(crate) storage: StorageArgs,
}

/// Runs the command; gives the exit code.
pub(crate) async fn run(args: &Args, environment: &Environment, terminal: &Terminal) -> Result<u8> {
    let request = request(args, environment.now)?;
    let table = table(&args.table)?;
    let law = Arc::new(law(&table));
    let store = reading(&args.dest, &args.storage, environment).await?;
    let mut outcome = verify(store.as_ref(), &request, &law).await?;
    evidence(&store, &request, &table, &mut outcome).await?;
    let warned = args.strict && outcome.count(Severity::Warning) > 0;
    let code = match outcome.exit_code() {
        0 if warned => Kind::Verification.exit_code(),
        code => code,
    };
    if terminal.is_json() {
        terminal.result(json(&outcome, &args.dest, code));
    } else {
        terminal.result(human(&outcome, args, code));
    }
    Ok(code)
}

/// With `deep`, counts in the kept replies once more, where there are any and nothing else is wrong.
async fn evidence(
    store: &Arc<dyn Store>,
    request: &Verification,
    table: &Table,
    outcome: &mut Verified,
) -> Result<()> {
    if request.depth != Depth::Deep || outcome.counted.raw == 0 || outcome.exit_code() != 0 {
        return Ok(());
    }
    let dataset = Dataset::open_stored(Arc::clone(store)).await?;
    let mut files = Files::new(dataset.spec().layout.clone());
    files.key.clone_from(&request.key);
    let readable = files.layout.footer_key.is_none() || files.key.is_some();
    if !readable || !Source::has_table(&dataset, table) {
        outcome.not_checked.push("kept replies: rows were not held against them".to_owned());
        return Ok(());
    }
    let checked = check_raw(Source { dataset: &dataset, table, files: &files }).await?;
    for error in &checked.findings {
        outcome.add(Code::Evidence, "kept replies", &error.to_string());
    }
    Ok(())
}

fn request(args: &Args, now: Timestamp) -> Result<Verification> {
    let cover = args.covers.as_deref().map(|text| cover(text, args, now)).transpose()?;
    Ok(Verification {
        part: args.subset.as_deref().map(part).transpose()?,
        cover,
        findings: args.findings_limit,
        key: args.parquet_key_file.as_deref().map(footer_key_from_file).transpose()?,
        ..args.trust.verification(args.quick, args.deep)?
    })
}

fn part(text: &str) -> Result<(u64, u64)> {
    text.split_once('/')
        .and_then(|(part, parts)| Some((part.parse().ok()?, parts.parse().ok()?)))
        .filter(|(part, parts)| (1..=*parts).contains(part))
        .ok_or_else(|| {
            Error::usage(format!("not a part: {text:?}")).hint("write --subset 1/7, and up to 7/7")
        })
}

/// A commit as runs print it.
fn cover(text: &str, args: &Args, now: Timestamp) -> Result<Cover> {
    let wrong =
        || Error::usage(format!("not a range: {text:?}")).hint("write --covers 2026-01-01..2026-04-01");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let moment = |text: &str| match Moment::parse(text) {
        Ok(Moment::At(at)) => Ok(at),
        Ok(Moment::DaysAgo(days)) => {
            Ok(Grid::Day.floor(now).plus_seconds(-i64::from(days) * Grid::Day.seconds()))
        }
        _ => Err(wrong()),
    };
    let range = Window::new(moment(from)?, moment(to)?);
    if range.seconds() == 0 {
        return Err(wrong());
    }
    let level = Level::parse(&args.level).ok_or_else(|| {
        Error::usage(format!("not a level: {:?}", args.level)).hint("there are none, bracketed and double")
    })?;
    Ok(Cover { range, level, formats: formats(&args.format)? })
}

fn human(outcome: &Verified, args: &Args, code: u8) -> String {
    let mut out = String::new();
    for finding in &outcome.findings {
        let (name, weight) = (finding.code.name(), finding.code.severity().name());
        let _ = writeln!(
            out,
            "{name} {weight:<7} {}: {} ({})",
            finding.place,
            finding.code.meaning(),
            finding.detail
        );
    }
    let (errors, warnings) = (outcome.count(Severity::Error), outcome.count(Severity::Warning));
    let left = (errors + warnings).saturating_sub(u64::try_from(outcome.findings.len()).unwrap_or(u64::MAX));
    if left > 0 {
        let _ = writeln!(out, "… and {} more (--findings-limit)", count(left, "finding"));
    }
    let verdict = match (code, errors) {
        (0, _) => "what was checked is what the log says",
        (7, _) => "something cannot be read",
        (_, 0) => "there are warnings, which --strict takes for failures",
        _ => "NOT what the log says",
    };
    let _ = writeln!(out, "{verdict}: {}, {}", count(errors, "error"), count(warnings, "warning"));
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "  {name:<11} {value}");
    };
    line("dataset", args.dest.clone());
    line("level", outcome.depth.name().to_owned());
    let counted = &outcome.counted;
    line("log", format!("{}, {}", count(counted.commits, "commit"), count(counted.windows, "window")));
    line(
        "files",
        format!(
            "{} named, {} read, {} bytes",
            grouped(counted.files),
            grouped(counted.read),
            grouped(counted.bytes)
        ),
    );
    if outcome.depth == Depth::Deep {
        line(
            "rows",
            format!("{}, {} held against each other", grouped(counted.rows), count(counted.ids, "id")),
        );
    }
    for stretches in &outcome.coverage {
        line("covers", covers(stretches));
    }
    if let Some(head) = &outcome.head {
        line("head", format!("{}:{}", head.number, head.sha256));
    }
    for text in &outcome.not_checked {
        line("not checked", text.clone());
    }
    out.trim_end().to_owned()
}

fn covers(stretches: &Stretches) -> String {
    let format = stretches.format.name();
    let Some(range) = stretches.range else { return format!("{format}: nothing") };
    let levels: Vec<String> = stretches
        .levels
        .iter()
        .map(|(level, windows)| format!("{} {}", grouped(*windows), level.name()))
        .collect();
    let gaps = match stretches.gaps.len() {
        0 => "no gap".to_owned(),
        gaps => count(u64::try_from(gaps).unwrap_or(u64::MAX), "gap"),
    };
    format!("{format}: {} to {} (exclusive), {gaps}; {}", range.from, range.to, levels.join(", "))
}

fn json(outcome: &Verified, dest: &str, code: u8) -> serde_json::Value {
    let findings: Vec<_> = outcome
        .findings
        .iter()
        .map(|finding| {
            serde_json::json!({
                "code": finding.code.name(),
                "severity": finding.code.severity().name(),
                "place": finding.place,
                "meaning": finding.code.meaning(),
                "detail": finding.detail,
            })
        })
        .collect();
    let window =
        |window: &Window| serde_json::json!({"from": window.from.to_string(), "to": window.to.to_string()});
    let coverage: Vec<_> = outcome
        .coverage
        .iter()
        .map(|stretches| {
            let levels: serde_json::Map<_, _> = stretches
                .levels
                .iter()
                .map(|(level, windows)| (level.name().to_owned(), (*windows).into()))
                .collect();
            serde_json::json!({
                "format": stretches.format.name(),
                "from": stretches.range.map(|range| range.from.to_string()),
                "to": stretches.range.map(|range| range.to.to_string()),
                "windows": stretches.windows,
                "levels": levels,
                "gaps": stretches.gaps.len(),
                "first_gaps": stretches.gaps.iter().take(GAPS).map(window).collect::<Vec<_>>(),
            })
        })
        .collect();
    let counts: serde_json::Map<_, _> =
        outcome.counts.iter().map(|(code, count)| (code.name().to_owned(), (*count).into())).collect();
    let counted = &outcome.counted;
    serde_json::json!({
        "output_version": 1,
        "exit_code": code,
        "dest": dest,
        "level": outcome.depth.name(),
        "head": outcome.head.as_ref().map(|head| serde_json::json!({"number": head.number, "sha256": head.sha256})),
        "errors": outcome.count(Severity::Error),
        "warnings": outcome.count(Severity::Warning),
        "counts": counts,
        "findings": findings,
        "checked": {
            "commits": counted.commits,
            "windows": counted.windows,
            "files": counted.files,
            "files_read": counted.read,
            "files_decoded": counted.decoded,
            "bytes": counted.bytes,
            "rows": counted.rows,
            "ids": counted.ids,
            "quarantine_files": counted.quarantined,
            "uncommitted_slots": counted.uncommitted,
            "signed_commits": counted.signed,
            "kept_reply_files": counted.raw,
        },
        "not_checked": outcome.not_checked,
        "coverage": coverage,
    })
}
