//! `vonage-audit report`: from flags to one page, and where it goes.
//!
//! What lives here: the flags, the file that is written, and what is said of it. What this file must not know: what is
//! on the page.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vonage_audit::error::Kind;
use vonage_audit::pipeline::law;
use vonage_audit::publish::verify::Severity;
use vonage_audit::report::{Hours, Options, Page, report};
use vonage_audit::{Error, Result};

use crate::args::{StorageArgs, TableArgs, formats};
use crate::destination::reading;
use crate::environment::{Environment, footer_key_from_file};
use crate::schema::table;
use crate::summary::{count, grouped};
use crate::terminal::Terminal;
use crate::trust::TrustArgs;

const STANDARD_OUTPUT: &str = "-";

/// The flags.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// The dataset: the folder that holds _audit, or s3://…, gs://…, az://…
    #[arg(value_name = "DEST")]
    pub(crate) dest: String,
    /// Where the page goes, which is replaced if it is there; - for standard output
    #[arg(long, value_name = "FILE", default_value = "audit-report.html")]
    pub(crate) out: PathBuf,
    /// Title of the page
    #[arg(long, value_name = "TEXT", default_value = "Vonage audit log")]
    pub(crate) title: String,
    /// Time zone of the working hours: a name of the IANA database, or an offset like +01:00
    #[arg(long, value_name = "ZONE", default_value = "UTC", allow_hyphen_values = true)]
    pub(crate) zone: String,
    /// When work is expected; changes at other times are listed
    #[arg(long, value_name = "FROM-TO", default_value = "08:00-18:00")]
    pub(crate) hours: String,
    /// On which days, like mon-fri or mon,wed,sat
    #[arg(long, value_name = "DAYS", default_value = "mon-fri")]
    pub(crate) days: String,
    /// Numbers that one actor releases within one clock hour, from which on it is a bulk release
    #[arg(long, value_name = "NUMBERS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) bulk: u64,
    /// Events in each list of changes, the newest; all are counted
    #[arg(long, value_name = "EVENTS", default_value_t = 25,
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=10_000))]
    pub(crate) listed: usize,
    /// Actors and addresses that are shown, those of the most events
    #[arg(long, value_name = "COUNT", default_value_t = 20,
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    pub(crate) top: usize,
    /// Actors, addresses, countries and event types that are told apart, each; later ones are counted together
    #[arg(long, value_name = "COUNT", default_value_t = 100_000,
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000_000))]
    pub(crate) tally_limit: usize,
    /// The format whose files are read (default: that of the most events)
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    /// Verify the log, names and lengths alone; files that are counted are held against their digests in any case
    #[arg(long, conflicts_with = "deep")]
    pub(crate) quick: bool,
    /// Verify every row as well
    #[arg(long)]
    pub(crate) deep: bool,
    /// File with the key of encrypted Parquet files
    #[arg(long, value_name = "FILE")]
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
    let mut options = options(args)?;
    let format = match &args.format {
        Some(name) => formats(std::slice::from_ref(name))?.first().copied(),
        None => None,
    };
    let law = Arc::new(law(&table(&args.table)?));
    let store = reading(&args.dest, &args.storage, environment).await?;
    outside(&args.out, &args.dest)?;
    options.verification.key = args.parquet_key_file.as_deref().map(footer_key_from_file).transpose()?;
    let page = report(store.as_ref(), &options, format, &law).await?;
    if args.out.as_os_str() == STANDARD_OUTPUT {
        // Whoever closed the pipe has what they wanted.
        let mut out = terminal.data();
        let _ = out.write_all(page.html.as_bytes()).and_then(|()| out.flush());
        return Ok(page.exit_code());
    }
    save(&args.out, page.html.as_bytes())?;
    if terminal.is_json() {
        terminal.result(json(args, &page));
    } else {
        terminal.result(human(args, &page));
    }
    Ok(page.exit_code())
}

fn options(args: &Args) -> Result<Options> {
    Ok(Options {
        title: args.title.clone(),
        hours: Hours::parse(&args.zone, &args.hours, &args.days)?,
        bulk: args.bulk,
        listed: args.listed,
        top: args.top,
        told_apart: args.tally_limit,
        verification: args.trust.verification(args.quick, args.deep)?,
    })
}

/// A page within the dataset would be a foreign file there.
fn outside(out: &Path, dest: &str) -> Result<()> {
    let folder = folder(out);
    let (Ok(folder), Ok(dest)) = (folder.canonicalize(), Path::new(dest).canonicalize()) else {
        return Ok(());
    };
    if folder.starts_with(&dest) {
        return Err(Error::usage("the page must not lie within the dataset")
            .at("out", out.display())
            .hint("give --out a path outside of it"));
    }
    Ok(())
}

fn folder(out: &Path) -> &Path {
    match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The whole page or none; for its owner alone, since it holds names and addresses.
fn save(out: &Path, bytes: &[u8]) -> Result<()> {
    let cannot = |cause: std::io::Error| {
        Error::new(Kind::Storage, "the page cannot be written").at("path", out.display()).because(cause)
    };
    let mut file =
        tempfile::Builder::new().prefix(".audit-report-").tempfile_in(folder(out)).map_err(cannot)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(cannot)?;
    file.persist(out).map_err(|cause| cannot(cause.error))?;
    Ok(())
}

fn human(args: &Args, page: &Page) -> String {
    let verdict =
        if page.exit_code() == 0 { "what was checked is what the log says" } else { "NOT what the log says" };
    let head = page
        .head
        .as_ref()
        .map_or_else(|| "none".to_owned(), |head| format!("{}:{}", head.number, head.sha256));
    let mut out = format!(
        "{}: {}; {verdict}: {}, {}\n  head        {head}",
        args.out.display(),
        count(page.events, "event"),
        count(page.verified.count(Severity::Error), "error"),
        count(page.verified.count(Severity::Warning), "warning"),
    );
    if page.uncounted > 0 {
        out.push_str(&format!("\n  not counted {} files", grouped(page.uncounted)));
    }
    out
}

fn json(args: &Args, page: &Page) -> serde_json::Value {
    serde_json::json!({
        "output_version": 1,
        "exit_code": page.exit_code(),
        "dest": args.dest,
        "out": args.out.display().to_string(),
        "bytes": page.html.len(),
        "events": page.events,
        "files_not_counted": page.uncounted,
        "head": page.head.as_ref().map(|head| serde_json::json!({"number": head.number, "sha256": head.sha256})),
        "level": page.verified.depth.name(),
        "errors": page.verified.count(Severity::Error),
        "warnings": page.verified.count(Severity::Warning),
    })
}
