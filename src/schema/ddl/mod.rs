//! SQL that makes an export a table of a query engine, with a view for each event type.
//!
//! What lives here: [`ddl`], one file per family of engines behind it, and what they share. Every statement may be run
//! again. What this module must not know: connections, credentials, whether the destination exists.

mod files;
mod load;
mod partitions;
mod sql;
mod views;

use super::table::Table;
use crate::error::{Error, Result};
use crate::model::Partitioning;

/// A query engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// DuckDB: a view over the files.
    DuckDb,
    /// Spark SQL: a table over the files.
    Spark,
    /// Amazon Athena: an external table with partition projection.
    Athena,
    /// BigQuery: an external table.
    BigQuery,
    /// Snowflake: a table and a load command.
    Snowflake,
    /// Amazon Redshift: a table and a load command.
    Redshift,
    /// ClickHouse: a view over the files.
    ClickHouse,
    /// PostgreSQL: a table and a load script for `psql`, from CSV files.
    Postgres,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::DuckDb,
        Self::Spark,
        Self::Athena,
        Self::BigQuery,
        Self::Snowflake,
        Self::Redshift,
        Self::ClickHouse,
        Self::Postgres,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DuckDb => "duckdb",
            Self::Spark => "spark",
            Self::Athena => "athena",
            Self::BigQuery => "bigquery",
            Self::Snowflake => "snowflake",
            Self::Redshift => "redshift",
            Self::ClickHouse => "clickhouse",
            Self::Postgres => "postgres",
        }
    }
}

/// The statements for a destination: `audit_events`, then `v_<event_type>` for each known event type.
///
/// `dest` is the destination as the engine reaches it: a folder, or a URL of the engine's object store;
/// `partitioning` its folders, which engines that load the rows take no notice of.
///
/// # Errors
/// Usage: the engine cannot read from such a destination.
pub fn ddl(table: &Table, engine: Engine, dest: &str, partitioning: &Partitioning) -> Result<String> {
    let dest = dest.trim_end_matches('/');
    check(engine, dest)?;
    let mut out = format!("-- vonage-audit table {} for {}\n", table.version(), engine.name());
    match engine {
        Engine::DuckDb => files::duckdb(table, dest, partitioning, &mut out),
        Engine::Spark => files::spark(table, dest, partitioning, &mut out),
        Engine::Athena => files::athena(table, dest, partitioning, &mut out),
        Engine::BigQuery => files::bigquery(table, dest, partitioning, &mut out),
        Engine::ClickHouse => files::clickhouse(table, dest, partitioning, &mut out),
        Engine::Snowflake => load::snowflake(table, dest, &mut out),
        Engine::Redshift => load::redshift(table, dest, &mut out),
        Engine::Postgres => load::postgres(table, dest, &mut out)?,
    }
    views::write(table, engine, &mut out)?;
    Ok(out)
}

/// What an engine reads from.
fn check(engine: Engine, dest: &str) -> Result<()> {
    let scheme = dest.split_once("://").map(|(scheme, _)| scheme);
    let (fits, form) = match engine {
        Engine::DuckDb | Engine::Spark | Engine::ClickHouse => (true, ""),
        Engine::Postgres => (scheme.is_none(), "a folder on the machine that runs psql"),
        Engine::Athena | Engine::Redshift => (scheme == Some("s3"), "s3://bucket/prefix"),
        Engine::BigQuery => (scheme == Some("gs"), "gs://bucket/prefix"),
        Engine::Snowflake => {
            (matches!(scheme, Some("s3" | "gs" | "gcs" | "az" | "azure")), "s3://…, gs://… or az://…")
        }
    };
    if dest.is_empty() || !fits || dest.chars().any(char::is_control) {
        return Err(Error::usage(format!("{} cannot read from such a destination", engine.name()))
            .at("dest", dest.escape_debug())
            .at("form", form));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
