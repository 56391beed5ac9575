//! What is typed after `vonage-audit schema`.
//!
//! What lives here: its commands and their flags. What this file must not know: what they resolve to.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::{ApiArgs, TableArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// Columns and event types of the table
    Show(TableArgs),
    /// Whether the documents of the table, or of a schema directory, are right
    Check(TableArgs),
    /// What exported or given events hold beyond the table, and the columns that would hold it; reads no value
    Infer(Box<InferArgs>),
    /// What changed from one table to another, and whether a dataset can go on with the second
    Diff(DiffArgs),
    /// SQL for an engine: the exported files as a table, and a view for each event type
    Ddl(DdlArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct InferArgs {
    /// Folders of exports (Parquet), or files with one event a line
    #[arg(value_name = "PATH", required_unless_present_any = ["write", "live"])]
    pub(crate) paths: Vec<PathBuf>,
    /// Read events of the live account as well, page by page, without writing them anywhere
    #[arg(long)]
    pub(crate) live: bool,
    /// Most pages of 100 events that --live reads
    #[arg(long, value_name = "PAGES", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) pages: u32,
    #[command(flatten)]
    pub(crate) table: TableArgs,
    /// Append the proposed columns and event types to the schema directory; made if it is not there
    #[arg(long, requires = "schema_dir")]
    pub(crate) write: bool,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DiffArgs {
    /// Schema directory, or `builtin`
    pub(crate) from: String,
    /// Schema directory, or `builtin`
    pub(crate) to: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DdlArgs {
    /// The engine
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub(crate) engine: EngineName,
    /// The export's destination, as the engine reaches it: a folder, or s3://…, gs://…
    #[arg(long, value_name = "PATH")]
    pub(crate) dest: String,
    /// Its folders, as `export --partition-by` has them (default: what a dataset at a local --dest says, else event_date)
    #[arg(long, value_name = "KEYS")]
    pub(crate) partition_by: Option<String>,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineName {
    Duckdb,
    Spark,
    Athena,
    Bigquery,
    Snowflake,
    Redshift,
    Clickhouse,
    Postgres,
}
