//! What a person types.
//!
//! What lives here: the flags of every command, as clap reads them. What this file must not know: what they resolve
//! to.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use vonage_audit::model::Format;
use vonage_audit::{Error, Result};

use crate::layout::LayoutFlags;
use crate::manual::{CompletionsArgs, ManArgs};
use crate::operations::OperationArgs;
use crate::signing::SigningArgs;
use crate::{config, files, report, sandbox, sign, verify};

mod connections;
mod memory;
mod schema;
mod threads;

pub(crate) use connections::{ApiArgs, StorageArgs};
pub(crate) use memory::MemoryArgs;
pub(crate) use schema::{DdlArgs, DiffArgs, EngineName, InferArgs, SchemaCommand};
pub(crate) use threads::ThreadArgs;

/// Extracts the Vonage Audit API completely, provably and losslessly.
#[derive(Debug, Parser)]
#[command(name = "vonage-audit", version, about, max_term_width = 110, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 done and proven, 2 usage, 3 not proven, 4 the API contradicts itself, \
                        5 credentials, 6 API unavailable, 7 storage, 8 busy, 9 verification, 10 quarantine, \
                        11 drift, with --fail-on-drift, 12 --max-duration is over."
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Global {
    /// Form of the result on standard output
    #[arg(long, global = true, value_enum, default_value_t = Output::Human, value_name = "FORM")]
    pub(crate) output: Output,
    /// Say nothing but errors
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say each window that is committed as well
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    /// Form of everything on standard error
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Human, value_name = "FORM")]
    pub(crate) log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Human,
    /// One JSON object a line
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Human,
    /// One JSON object
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Export a date range of audit events, completely or with an exit code that says so
    Export(Box<ExportArgs>),
    /// What an export with the same flags would do: windows, counts, requests, time; writes nothing
    Plan(Box<PlanArgs>),
    /// Measure what the API's documentation leaves open, for this account
    Probe(Box<QuestionArgs>),
    /// The event types that the API names
    Types(Box<QuestionArgs>),
    /// One event, as the API gives it
    Event(Box<EventArgs>),
    /// Put events into a dataset without the API: from NDJSON files (proves nothing), or from another dataset
    Convert(Box<ConvertArgs>),
    /// Sign the commits of a dataset that have no signature, or hand over to a new key
    Sign(Box<sign::Args>),
    /// Whether a dataset is what its log says, offline: every digest, the chain, names, gaps; with --deep every row
    Verify(Box<verify::Args>),
    /// The data files that the log names, one path a line, after checking its chain
    Files(files::Args),
    /// One self-contained HTML page for people: coverage, activity, security-relevant changes, verification
    Report(Box<report::Args>),
    /// The table: its columns, its use in query engines, and how it follows what live events hold
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Sandbox, export and first queries in one command; no network, no credentials
    Demo(DemoArgs),
    /// Serve the Audit API on loopback: seeded events, every undocumented behaviour a switch
    Sandbox(Box<sandbox::Args>),
    /// The configuration: whether it can be used, what it comes to, and an example with every key
    #[command(subcommand)]
    Config(config::Command),
    /// A script for a shell that completes commands, flags and values
    Completions(CompletionsArgs),
    /// The manual: the main page on standard output, or one page for each command in a folder
    Man(ManArgs),
}

/// Which events.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct RangeArgs {
    /// First day or time: 2026-03-01, 2026-03, 2026-03-01T00:00:00Z, today, yesterday, 7d (ago), last
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<String>,
    /// Everything since the destination's first window: new windows, young ones again, a few counts for the old ones;
    /// the nightly job (--from is needed the first time only)
    #[arg(long, conflicts_with = "to")]
    pub(crate) incremental: bool,
    /// End, exclusive, in the same forms; without it, up to the latest settled window
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<String>,
    /// How long after its end a window is taken as settled
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    pub(crate) settle: String,
    /// Grid of windows: P1D, or PT1H for large accounts; fixed when the dataset is created (default: the dataset's,
    /// else P1D)
    #[arg(long, value_name = "GRID")]
    pub(crate) grid: Option<String>,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) range: RangeArgs,
    /// Where to: a folder on this machine, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix; or - for
    /// standard output: settled windows in ascending time, as one of the formats ndjson, csv or arrow; the exit code is
    /// the proof
    #[arg(long, value_name = "DEST", allow_hyphen_values = true)]
    pub(crate) dest: Option<String>,
    #[command(flatten)]
    pub(crate) storage: StorageArgs,
    #[command(flatten)]
    pub(crate) formats: FormatArgs,
    #[command(flatten)]
    pub(crate) layout: LayoutFlags,
    #[command(flatten)]
    pub(crate) accounts: AccountArgs,
    #[command(flatten)]
    pub(crate) table: TableArgs,
    #[command(flatten)]
    pub(crate) signing: SigningArgs,
    /// Exit with 11 when everything is committed and proven, but events hold what the table does not say
    #[arg(long)]
    pub(crate) fail_on_drift: bool,
    /// Prove every window by walking it twice
    #[arg(long)]
    pub(crate) evidence: bool,
    /// Keep secrets that appear in events (values under secret, api_secret, password and private_key, and private keys)
    /// instead of writing [REDACTED]; fixed when the dataset is created
    #[arg(long)]
    pub(crate) keep_secrets: bool,
    /// Keep the API's replies that prove each window, as received, under _audit/raw; only with --keep-secrets because
    /// replies hold the secrets that appear in events
    #[arg(long)]
    pub(crate) keep_raw: bool,
    /// Most bytes of replies that are kept of one range while it is read, in MiB; more ends the run with 7
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    pub(crate) raw_limit: u64,
    /// Only these event types, comma-separated, as `types` names them
    #[arg(long, value_name = "TYPES", value_delimiter = ',', help_heading = "Selection")]
    pub(crate) event_type: Vec<String>,
    /// Only events whose JSON contains this text, as the API understands it
    #[arg(long, value_name = "TEXT", help_heading = "Selection")]
    pub(crate) search_text: Option<String>,
    /// Only events of these user ids; told apart here, since the API has no such parameter
    #[arg(long, value_name = "IDS", value_delimiter = ',', help_heading = "Selection")]
    pub(crate) user_id: Vec<String>,
    /// Only events of these user e-mail addresses, letter for letter; told apart here
    #[arg(long, value_name = "ADDRESSES", value_delimiter = ',', help_heading = "Selection")]
    pub(crate) user_email: Vec<String>,
    /// Read committed windows younger than this again, to find late events
    #[arg(long, value_name = "DURATION", default_value = "3d")]
    pub(crate) lookback: String,
    /// Seconds by which each question is wider than its window
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(2..=864_000))]
    pub(crate) padding: u32,
    /// Requests one window may take, beyond 20 for each of its pages, before it is given up as not proven
    #[arg(long, value_name = "REQUESTS", default_value_t = 2_000)]
    pub(crate) window_requests: u64,
    /// Events above which a range is split before it is walked
    #[arg(long, value_name = "EVENTS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    pub(crate) walk_limit: u64,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
    #[command(flatten)]
    pub(crate) operations: OperationArgs,
}

impl ExportArgs {
    /// The defaults of every flag, for a range.
    pub(crate) fn demo(from: &str, to: &str) -> Result<Self> {
        let words = ["vonage-audit", "export", "--from", from, "--to", to];
        match Args::try_parse_from(words).map(|args| args.command) {
            Ok(Command::Export(args)) => Ok(*args),
            _ => Err(Error::bug("the demo's flags are not understood")),
        }
    }
}

/// In which formats.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct FormatArgs {
    /// Formats, comma-separated: parquet, csv, ndjson; one that a dataset lacks is filled in. With --dest -, one of ndjson, csv
    /// and arrow (an Arrow IPC stream)
    #[arg(long, value_name = "FORMATS", value_delimiter = ',', default_value = "parquet")]
    pub(crate) format: Vec<String>,
}

impl FormatArgs {
    /// The formats, each once.
    pub(crate) fn resolve(&self) -> Result<Vec<Format>> {
        formats(&self.format)
    }
}

/// The formats of these names, each once, in order.
pub(crate) fn formats(names: &[String]) -> Result<Vec<Format>> {
    let mut formats = Vec::new();
    for name in names {
        let format = Format::parse(name).ok_or_else(|| {
            let known: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
            Error::usage(format!("not a format: {name:?}")).hint(format!("there are {}", known.join(", ")))
        })?;
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    formats.sort_unstable();
    Ok(formats)
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ConvertArgs {
    /// Files with one event a line, as JSON, also packed with gzip or zstd; - for standard input. Or the folder of one
    /// dataset: its rows into other formats, folders or columns, with what is proven of them
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Where to: a folder on this machine, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix
    #[arg(long, value_name = "PATH")]
    pub(crate) dest: String,
    #[command(flatten)]
    pub(crate) storage: StorageArgs,
    /// API key of the account whose events these are; a dataset knows its own
    #[arg(long, value_name = "KEY")]
    pub(crate) account: Option<String>,
    /// Rebuild from the API's replies that the dataset keeps, and prove each window by counting in them again
    #[arg(long)]
    pub(crate) from_raw: bool,
    /// Keep the replies in the new dataset as well
    #[arg(long, requires = "from_raw", requires = "keep_secrets")]
    pub(crate) keep_raw: bool,
    /// Schema directory that the dataset was written with, if it is not this run's
    #[arg(long, value_name = "DIR")]
    pub(crate) source_schema_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) table: TableArgs,
    #[command(flatten)]
    pub(crate) formats: FormatArgs,
    #[command(flatten)]
    pub(crate) layout: LayoutFlags,
    /// Grid of windows: P1D, or PT1H for large accounts; fixed when the dataset is created (default: the dataset's,
    /// else P1D)
    #[arg(long, value_name = "GRID")]
    pub(crate) grid: Option<String>,
    /// Longest line, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub(crate) line_limit: u64,
    /// Keep secrets in events, such as passwords and private keys, instead of [REDACTED]; fixed when the dataset is created
    #[arg(long)]
    pub(crate) keep_secrets: bool,
    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
    #[command(flatten)]
    pub(crate) signing: SigningArgs,
}

/// For which accounts.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct AccountArgs {
    /// Configuration file with several accounts, each with a dataset of its own
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Of the configuration's accounts, only these
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) account: Vec<String>,
}

/// Which table.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct TableArgs {
    /// Schema directory: columns and event types that are added to the built-in ones
    #[arg(long, value_name = "DIR")]
    pub(crate) schema_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct DemoArgs {
    /// Where to; must not exist or hold an earlier demo
    #[arg(long, value_name = "PATH", default_value = "demo-export")]
    pub(crate) dest: String,
    /// How many events, over 90 days
    #[arg(long, value_name = "COUNT", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) events: u32,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) export: ExportArgs,
    /// Count each window by itself: one request a window
    #[arg(long)]
    pub(crate) each_window: bool,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct QuestionArgs {
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct EventArgs {
    /// The event's id
    pub(crate) id: String,
    /// Show secrets that appear in the event instead of [REDACTED]
    #[arg(long)]
    pub(crate) keep_secrets: bool,
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
}
