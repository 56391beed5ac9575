//! Engines that take the rows in.
//!
//! What lives here: a table and its load command an engine. Loading again adds nothing twice. What this file must not
//! know: views of event types.

use std::fmt::Write as _;

use super::Engine;
use super::sql::{columns, literal, widths};
use crate::error::{Error, Result};
use crate::schema::column::DataType;
use crate::schema::table::Table;

/// Snowflake remembers for 64 days which files of a stage it has loaded; a load after that needs an empty table.
pub(super) fn snowflake(table: &Table, dest: &str, out: &mut String) {
    let engine = Engine::Snowflake;
    let url = dest.replacen("gs://", "gcs://", 1).replacen("az://", "azure://", 1);
    let _ = writeln!(
        out,
        "-- add STORAGE_INTEGRATION = … to the stage; COPY INTO again after each export, files are loaded once\n\
         CREATE TABLE IF NOT EXISTS audit_events (\n{}\n);",
        columns(engine, table),
    );
    for column in table.columns() {
        let kind = super::sql::type_name(engine, column.data_type);
        let _ = writeln!(out, "ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS {} {kind};", column.name);
    }
    let _ = writeln!(
        out,
        "CREATE STAGE IF NOT EXISTS audit_events_stage URL = {}\n  \
         FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE);\n\
         COPY INTO audit_events FROM @audit_events_stage PATTERN = '.*[.]parquet'\n  \
         FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE;",
        literal(engine, &format!("{url}/parquet/")),
    );
}

/// COPY takes columns by position and wants their number, so that a file of an earlier, shorter list is refused.
pub(super) fn redshift(table: &Table, dest: &str, out: &mut String) {
    let engine = Engine::Redshift;
    let all = table.columns().len();
    let _ = writeln!(
        out,
        "-- name the role; COPY counts columns, so load the {all}-column files of this table alone: where the\n\
         -- destination also holds files of an earlier table, list them with `vonage-audit files` and use a MANIFEST\n\
         CREATE TABLE IF NOT EXISTS audit_events (\n{}\n) SORTKEY (created_at);\n\
         CREATE TEMP TABLE audit_events_load (LIKE audit_events);\n\
         COPY audit_events_load FROM {} IAM_ROLE default FORMAT AS PARQUET;\n\
         INSERT INTO audit_events SELECT * FROM audit_events_load AS new\n  \
         WHERE NOT EXISTS (SELECT 1 FROM audit_events AS old WHERE old.id = new.id);\n\
         DROP TABLE audit_events_load;",
        columns(engine, table),
        literal(engine, &format!("{dest}/parquet/")),
    );
}

/// From CSV files, through `psql`: one pass for each length that the column list has had, over the files whose header
/// has that length. An id that is there already stays.
pub(super) fn postgres(table: &Table, dest: &str, out: &mut String) -> Result<()> {
    let engine = Engine::Postgres;
    // psql takes the rest of the line as it is, and a shell reads the quotes.
    if dest.contains(['\'', '"', '\\', '`', '$']) {
        return Err(Error::usage(
            "a folder with quotes, backslashes or dollar signs cannot stand in a psql script",
        )
        .at("dest", dest.escape_debug()));
    }
    let _ = writeln!(
        out,
        "-- for psql, from the CSV files of `--format csv`; run again after each export\n\
         -- the guard before formulas is taken away; for files that were written without it: psql -v guard=off\n\
         \\set ON_ERROR_STOP on\n\
         \\if :{{?guard}}\n\\else\n\\set guard on\n\\endif\n\
         CREATE TABLE IF NOT EXISTS audit_events (\n{},\n  PRIMARY KEY (id)\n);",
        columns(engine, table),
    );
    for column in table.columns() {
        let kind = super::sql::type_name(engine, column.data_type);
        let _ = writeln!(out, "ALTER TABLE audit_events ADD COLUMN IF NOT EXISTS {} {kind};", column.name);
    }
    out.push_str(
        "BEGIN;\n\
         CREATE FUNCTION pg_temp.unguarded(text) RETURNS text LANGUAGE sql IMMUTABLE AS\n\
         $$SELECT CASE WHEN starts_with($1, '''') THEN substr($1, 2) ELSE $1 END$$;\n\
         CREATE TEMP TABLE audit_events_load (LIKE audit_events) ON COMMIT DROP;\n",
    );
    for width in widths(table) {
        let names: Vec<&str> =
            table.columns().iter().take(width).map(|column| column.name.as_str()).collect();
        // The header is the first line of a file, and no name in it has a comma or a quote.
        let program = format!(
            "find \"{dest}/csv\" -name \"*.csv\" -type f -print0 | sort -z | \
             xargs -0 -r awk -F, \"FNR == 1 {{ take = NF == {width}; next }} take\""
        );
        let _ = writeln!(
            out,
            "\\copy audit_events_load ({}) FROM PROGRAM {} (FORMAT csv)",
            names.join(", "),
            literal(engine, &program)
        );
    }
    let names: Vec<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
    let names = names.join(", ");
    // The guard stands before texts alone, and wherever a text begins with it, so that taking one away is exact.
    let values: Vec<String> = table
        .columns()
        .iter()
        .map(|column| match column.data_type {
            DataType::Utf8 => format!("pg_temp.unguarded({})", column.name),
            _ => column.name.clone(),
        })
        .collect();
    let insert = |values: &str| {
        format!(
            "INSERT INTO audit_events ({names})\nSELECT {values} FROM audit_events_load\nON CONFLICT (id) DO NOTHING;"
        )
    };
    let _ = writeln!(
        out,
        "\\if :guard\n{}\n\\else\n{}\n\\endif\nDROP FUNCTION pg_temp.unguarded(text);\nCOMMIT;",
        insert(&values.join(", ")),
        insert(&names)
    );
    Ok(())
}
