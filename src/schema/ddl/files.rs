//! Engines that read the Parquet files where they lie.
//!
//! What lives here: one statement an engine. A column that older files lack is null there. What this file must not
//! know: views of event types.

use std::fmt::Write as _;

use super::Engine;
use super::partitions::{clause, computed, keys, projection, template};
use super::sql::{columns, list, literal, type_name};
use crate::model::Partitioning;
use crate::model::partition::Key;
use crate::schema::table::Table;

/// Columns that no file has yet still exist: an empty row set of all of them leads the union by name.
pub(super) fn duckdb(table: &Table, dest: &str, partitioning: &Partitioning, out: &mut String) {
    let engine = Engine::DuckDb;
    let typed = list(table.columns(), |column| {
        format!("  NULL::{} AS {}", type_name(engine, column.data_type), column.name)
    });
    let files = literal(engine, &format!("{dest}/parquet/**/*.parquet"));
    let keys = keys(engine, partitioning);
    let empty: String = keys.iter().map(|(name, kind)| format!(",\n    NULL::{kind} AS {name}")).collect();
    let types: Vec<_> = keys.iter().map(|(name, kind)| format!("'{name}': {kind}")).collect();
    let hive = match types.join(", ") {
        none if none.is_empty() => "hive_partitioning = false".to_owned(),
        types => format!("hive_partitioning = true,\n  hive_types = {{{types}}}"),
    };
    let _ = writeln!(
        out,
        "-- created_at is shown in the session's zone: SET TimeZone = 'UTC';\n\
         CREATE OR REPLACE VIEW audit_events AS\n\
         SELECT * FROM (\n  SELECT\n{typed}{empty}\n  WHERE false\n)\n\
         UNION ALL BY NAME\n\
         SELECT * FROM read_parquet({files}, union_by_name = true, {hive});"
    );
}

/// The location of a table with partitions is never read itself, so that one without them needs no repair.
pub(super) fn spark(table: &Table, dest: &str, partitioning: &Partitioning, out: &mut String) {
    let engine = Engine::Spark;
    let keys = keys(engine, partitioning);
    let typed: String = keys.iter().map(|(name, kind)| format!(",\n  {name} {kind}")).collect();
    let names: Vec<_> = keys.iter().map(|(name, _)| *name).collect();
    let (refresh, by, repair) = if names.is_empty() {
        ("REFRESH TABLE audit_events", String::new(), "")
    } else {
        let by = format!("PARTITIONED BY ({})\n", names.join(", "));
        ("MSCK REPAIR TABLE audit_events", by, "\nMSCK REPAIR TABLE audit_events;")
    };
    let _ = writeln!(
        out,
        "-- set spark.sql.session.timeZone to UTC; after each export: {refresh}\n\
         DROP TABLE IF EXISTS audit_events;\n\
         CREATE TABLE audit_events (\n{}{typed}\n)\n\
         USING PARQUET\n{by}LOCATION {};{repair}",
        columns(engine, table),
        literal(engine, &format!("{dest}/parquet")),
    );
}

/// With partitions of rows, they are loaded by a command; with those of time alone, projected.
pub(super) fn athena(table: &Table, dest: &str, partitioning: &Partitioning, out: &mut String) {
    let engine = Engine::Athena;
    let by = match clause(engine, partitioning) {
        none if none.is_empty() => String::new(),
        keys => format!("PARTITIONED BY ({keys})\n"),
    };
    let (note, properties, repair) = match projection(partitioning) {
        Some(properties) => (
            "run one statement at a time; partitions are projected, so new days need no command.\n\
             -- Rows without a readable created_at are in a partition that a projection of dates does not reach.",
            format!(
                "\nTBLPROPERTIES (\n{properties},\n  'storage.location.template' = {}\n)",
                literal(engine, &format!("{dest}/parquet/{}", template(partitioning)))
            ),
            "",
        ),
        None if by.is_empty() => ("run one statement at a time", String::new(), ""),
        None => (
            "run one statement at a time; after each export: MSCK REPAIR TABLE audit_events",
            String::new(),
            "\nMSCK REPAIR TABLE audit_events;",
        ),
    };
    let _ = writeln!(
        out,
        "-- {note}\n\
         DROP TABLE IF EXISTS audit_events;\n\
         CREATE EXTERNAL TABLE audit_events (\n{}\n)\n\
         {by}STORED AS PARQUET\n\
         LOCATION {}{properties};{repair}",
        columns(engine, table),
        literal(engine, &format!("{dest}/parquet/")),
    );
}

pub(super) fn bigquery(table: &Table, dest: &str, partitioning: &Partitioning, out: &mut String) {
    let engine = Engine::BigQuery;
    let (with, options) = match clause(engine, partitioning) {
        none if none.is_empty() => (String::new(), String::new()),
        keys => (
            format!("WITH PARTITION COLUMNS ({keys})\n"),
            format!(
                ",\n  hive_partition_uri_prefix = {},\n  require_hive_partition_filter = false",
                literal(engine, &format!("{dest}/parquet"))
            ),
        ),
    };
    let _ = writeln!(
        out,
        "-- with a default data set, or put one before each name\n\
         CREATE OR REPLACE EXTERNAL TABLE audit_events (\n{}\n)\n\
         {with}OPTIONS (\n  format = 'PARQUET',\n  uris = [{}]{options}\n);",
        columns(engine, table),
        literal(engine, &format!("{dest}/parquet/*")),
    );
}

/// What folders say is computed, not read.
pub(super) fn clickhouse(table: &Table, dest: &str, partitioning: &Partitioning, out: &mut String) {
    let engine = Engine::ClickHouse;
    let structure =
        list(table.columns(), |column| format!("{} {}", column.name, type_name(engine, column.data_type)));
    let names = list(table.columns(), |column| column.name.clone());
    let computed = |key: &Key| format!(",\n  {} AS {}", computed(*key), key.folder());
    let keys: String = partitioning.keys().iter().map(computed).collect();
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
         SELECT\n{names}{keys}\n\
         FROM {from}, {});",
        literal(engine, &format!("\n{structure}\n")),
    );
}
