//! Partition columns: what an engine reads from the names of folders.
//!
//! What lives here: their names and types per engine, and Athena's projection. What this file must not know: whole
//! statements, columns of the table.

use std::fmt::Write as _;

use super::Engine;
use crate::model::Partitioning;
use crate::model::partition::Key;

/// Name and type of each partition column, in the order of the folders.
pub(super) fn keys(engine: Engine, partitioning: &Partitioning) -> Vec<(&'static str, &'static str)> {
    partitioning.keys().iter().map(|key| (key.folder(), type_name(engine, *key))).collect()
}

/// A month and the values of rows are text: a type that is guessed from them loses leading zeros.
const fn type_name(engine: Engine, key: Key) -> &'static str {
    use Engine::{Athena, BigQuery, ClickHouse, DuckDb, Postgres, Redshift, Snowflake, Spark};
    match (key, engine) {
        (Key::EventDate, Athena | Postgres) => "date",
        (Key::EventDate, ClickHouse) => "Date",
        (Key::EventDate, DuckDb | Spark | BigQuery | Snowflake | Redshift) => "DATE",
        (Key::EventYear, DuckDb | Snowflake | Redshift) => "INTEGER",
        (Key::EventYear, Spark) => "INT",
        (Key::EventYear, BigQuery) => "INT64",
        (Key::EventYear, ClickHouse) => "UInt16",
        (Key::EventYear, Athena) => "int",
        (Key::EventYear, Postgres) => "integer",
        (_, DuckDb | Snowflake | Redshift) => "VARCHAR",
        (_, Spark | BigQuery) => "STRING",
        (_, Athena) => "string",
        (_, ClickHouse) => "String",
        (_, Postgres) => "text",
    }
}

/// `name TYPE, …` for a clause, or nothing without keys.
pub(super) fn clause(engine: Engine, partitioning: &Partitioning) -> String {
    let keys = keys(engine, partitioning);
    keys.iter().map(|(name, kind)| format!("{name} {kind}")).collect::<Vec<_>>().join(", ")
}

/// What ClickHouse computes of the row instead of reading it from the path: it takes Hive's name for "no value" as text
/// and does not decode `%XX`.
pub(super) const fn computed(key: Key) -> &'static str {
    match key {
        Key::EventDate => "toDate(created_at, 'UTC')",
        Key::EventMonth => "formatDateTime(created_at, '%Y-%m', 'UTC')",
        Key::EventYear => "toYear(created_at, 'UTC')",
        Key::EventType => "nullIf(event_type, '')",
        Key::Account => "nullIf(account_id, '')",
    }
}

/// Athena's projection, where every folder follows from the time; `None` where one follows from the rows, so that its
/// values cannot be known beforehand.
pub(super) fn projection(partitioning: &Partitioning) -> Option<String> {
    if !partitioning.columns().is_empty() || partitioning.keys().is_empty() {
        return None;
    }
    let mut out = String::from("  'projection.enabled' = 'true'");
    for key in partitioning.keys() {
        let name = key.folder();
        let mut property = |property: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = write!(out, ",\n  'projection.{name}.{property}' = '{value}'");
        };
        match key {
            Key::EventDate => {
                property("type", "date");
                property("format", "yyyy-MM-dd");
                property("range", "2015-01-01,NOW");
                property("interval", "1");
                property("interval.unit", "DAYS");
            }
            Key::EventMonth => {
                property("type", "date");
                property("format", "yyyy-MM");
                property("range", "2015-01,NOW");
                property("interval", "1");
                property("interval.unit", "MONTHS");
            }
            Key::EventYear | Key::EventType | Key::Account => {
                property("type", "integer");
                property("range", "2015,2100");
            }
        }
    }
    Some(out)
}

/// The folders with a placeholder for each value, each with a `/` behind it.
pub(super) fn template(partitioning: &Partitioning) -> String {
    partitioning.keys().iter().map(|key| format!("{0}=${{{0}}}/", key.folder())).collect()
}
