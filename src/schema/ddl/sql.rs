//! Words of SQL that differ from engine to engine: types, quotes, lists.
//!
//! What this file must not know: whole statements.

use std::fmt::Write as _;

use super::Engine;
use crate::schema::column::{Column, DataType};
use crate::schema::table::Table;

/// The engine's name of a column's type.
pub(super) const fn type_name(engine: Engine, data_type: DataType) -> &'static str {
    use Engine::{Athena, BigQuery, ClickHouse, DuckDb, Postgres, Redshift, Snowflake, Spark};
    match (data_type, engine) {
        (DataType::Utf8, DuckDb | Snowflake) => "VARCHAR",
        (DataType::Utf8, Spark | BigQuery) => "STRING",
        (DataType::Utf8, Athena) => "string",
        // In bytes; a longer text is refused by the load, not cut.
        (DataType::Utf8, Redshift) => "VARCHAR(65535)",
        (DataType::Utf8, ClickHouse) => "Nullable(String)",
        (DataType::Utf8, Postgres) => "text",
        (DataType::Timestamp, DuckDb | Redshift) => "TIMESTAMPTZ",
        (DataType::Timestamp, Spark | BigQuery) => "TIMESTAMP",
        (DataType::Timestamp, Athena) => "timestamp",
        (DataType::Timestamp, Snowflake) => "TIMESTAMP_TZ(6)",
        (DataType::Timestamp, ClickHouse) => "Nullable(DateTime64(6, 'UTC'))",
        (DataType::Timestamp, Postgres) => "timestamptz",
        (DataType::Int64, DuckDb | Spark | Redshift) => "BIGINT",
        (DataType::Int64, BigQuery) => "INT64",
        (DataType::Int64, Snowflake) => "NUMBER(19, 0)",
        (DataType::Int64, ClickHouse) => "Nullable(Int64)",
        (DataType::Int64, Athena | Postgres) => "bigint",
        (DataType::Boolean, DuckDb | Spark | Snowflake | Redshift) => "BOOLEAN",
        (DataType::Boolean, BigQuery) => "BOOL",
        (DataType::Boolean, ClickHouse) => "Nullable(Bool)",
        (DataType::Boolean, Athena | Postgres) => "boolean",
    }
}

/// A text as a literal of the engine.
pub(super) fn literal(engine: Engine, text: &str) -> String {
    let backslash =
        matches!(engine, Engine::Spark | Engine::BigQuery | Engine::ClickHouse | Engine::Snowflake);
    let mut out = String::from("'");
    for letter in text.chars() {
        match letter {
            // These read a backslash as an escape; BigQuery and Spark do not read a doubled quote as one.
            '\\' if backslash => out.push_str("\\\\"),
            '\'' if backslash => out.push_str("\\'"),
            '\'' => out.push_str("''"),
            other => out.push(other),
        }
    }
    out.push('\'');
    out
}

/// `name type` of each column, one a line, separated by commas.
pub(super) fn columns(engine: Engine, table: &Table) -> String {
    list(table.columns(), |column| format!("{} {}", column.name, type_name(engine, column.data_type)))
}

/// Something of each column, one a line, separated by commas.
pub(super) fn list(columns: &[Column], text: impl Fn(&Column) -> String) -> String {
    let mut out = String::new();
    for (position, column) in columns.iter().enumerate() {
        let end = if position + 1 < columns.len() { ",\n" } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(out, "  {}{end}", text(column));
    }
    out
}

/// The lengths that the column list has had: files of earlier versions hold only the first so many columns.
pub(super) fn widths(table: &Table) -> Vec<usize> {
    let columns = table.columns();
    let after = columns.iter().skip(1).map(Some).chain([None]);
    let changes = columns.iter().zip(after).enumerate();
    changes
        .filter(|(_, (column, next))| next.is_none_or(|next| next.since != column.since))
        .map(|(position, _)| position + 1)
        .collect()
}
