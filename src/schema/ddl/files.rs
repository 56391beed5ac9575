//! Engines that read the Parquet files where they lie.
//!
//! What lives here: one statement an engine. A column that older files lack is null there. What this file must not
//! know: views of event types.

use std::fmt::Write as _;

use super::Engine;
use super::sql::{columns, list, literal, type_name};
use crate::schema::table::Table;

/// Columns that no file has yet still exist: an empty row set of all of them leads the union by name.
pub(super) fn duckdb(table: &Table, dest: &str, out: &mut String) {
    let engine = Engine::DuckDb;
    let typed = list(table.columns(), |column| {
        format!("  NULL::{} AS {}", type_name(engine, column.data_type), column.name)
    });
    let files = literal(engine, &format!("{dest}/parquet/**/*.parquet"));
    let _ = writeln!(
        out,
        "-- created_at is shown in the session's zone: SET TimeZone = 'UTC';\n\
         CREATE OR REPLACE VIEW audit_events AS\n\
         SELECT * FROM (\n  SELECT\n{typed},\n    NULL::DATE AS event_date\n  WHERE false\n)\n\
         UNION ALL BY NAME\n\
         SELECT * FROM read_parquet({files}, union_by_name = true, hive_partitioning = true,\n  \
         hive_types = {{'event_date': DATE}});"
    );
}

pub(super) fn spark(table: &Table, dest: &str, out: &mut String) {
    let engine = Engine::Spark;
    let _ = writeln!(
        out,
        "-- set spark.sql.session.timeZone to UTC; after each export: MSCK REPAIR TABLE audit_events\n\
         DROP TABLE IF EXISTS audit_events;\n\
         CREATE TABLE audit_events (\n{},\n  event_date DATE\n)\n\
         USING PARQUET\nPARTITIONED BY (event_date)\nLOCATION {};\n\
         MSCK REPAIR TABLE audit_events;",
        columns(engine, table),
        literal(engine, &format!("{dest}/parquet")),
    );
}

pub(super) fn athena(table: &Table, dest: &str, out: &mut String) {
    let engine = Engine::Athena;
    let _ = writeln!(
        out,
        "-- run one statement at a time; partitions are projected, so new days need no command.\n\
         -- Rows without a readable created_at are in a partition that a projection of dates does not reach.\n\
         DROP TABLE IF EXISTS audit_events;\n\
         CREATE EXTERNAL TABLE audit_events (\n{}\n)\n\
         PARTITIONED BY (event_date date)\n\
         STORED AS PARQUET\n\
         LOCATION {}\n\
         TBLPROPERTIES (\n  'projection.enabled' = 'true',\n  'projection.event_date.type' = 'date',\n  \
         'projection.event_date.format' = 'yyyy-MM-dd',\n  \
         'projection.event_date.range' = '2015-01-01,NOW',\n  \
         'projection.event_date.interval' = '1',\n  'projection.event_date.interval.unit' = 'DAYS',\n  \
         'storage.location.template' = {}\n);",
        columns(engine, table),
        literal(engine, &format!("{dest}/parquet/")),
        literal(engine, &format!("{dest}/parquet/event_date=${{event_date}}/")),
    );
}

pub(super) fn bigquery(table: &Table, dest: &str, out: &mut String) {
    let engine = Engine::BigQuery;
    let _ = writeln!(
        out,
        "-- with a default data set, or put one before each name\n\
         CREATE OR REPLACE EXTERNAL TABLE audit_events (\n{}\n)\n\
         WITH PARTITION COLUMNS (event_date DATE)\n\
         OPTIONS (\n  format = 'PARQUET',\n  uris = [{}],\n  hive_partition_uri_prefix = {},\n  \
         require_hive_partition_filter = false\n);",
        columns(engine, table),
        literal(engine, &format!("{dest}/parquet/*")),
        literal(engine, &format!("{dest}/parquet")),
    );
}

/// The path's date is computed, not read: ClickHouse takes Hive's name for "no value" as text.
pub(super) fn clickhouse(table: &Table, dest: &str, out: &mut String) {
    let engine = Engine::ClickHouse;
    let structure =
        list(table.columns(), |column| format!("{} {}", column.name, type_name(engine, column.data_type)));
    let names = list(table.columns(), |column| column.name.clone());
    let files = literal(engine, &format!("{dest}/parquet/**/*.parquet"));
    let from = if dest.starts_with("s3://") || dest.starts_with("gs://") {
        let url = dest.replacen("s3://", "", 1).replacen("gs://", "", 1);
        let (bucket, prefix) = url.split_once('/').unwrap_or((&url, ""));
        let host = if dest.starts_with("gs://") { "storage.googleapis.com" } else { "s3.amazonaws.com" };
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let url = format!("https://{bucket}.{host}/{prefix}parquet/**/*.parquet");
        format!("s3({}, 'Parquet'", literal(engine, &url))
    } else {
        format!("file({files}, 'Parquet'")
    };
    let _ = writeln!(
        out,
        "-- on a server, files must lie below its user_files_path\n\
         CREATE OR REPLACE VIEW audit_events AS\n\
         SELECT\n{names},\n  toDate(created_at, 'UTC') AS event_date\n\
         FROM {from}, {});",
        literal(engine, &format!("\n{structure}\n")),
    );
}
