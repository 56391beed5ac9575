//! `vonage-audit schema`: the table, from its documents to query engines.
//!
//! What lives here: which table a command means, and the small subcommands. What this file must not know: how a table
//! is compiled.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};
use vonage_audit::error::Kind;
use vonage_audit::model::Partitioning;
use vonage_audit::publish::Dataset;
use vonage_audit::schema::{Change, Column, Engine, Json, Layer, Table, continues, ddl, diff};
use vonage_audit::store::LocalStore;
use vonage_audit::{Error, Result};

use crate::args::{DdlArgs, DiffArgs, EngineName, SchemaCommand, TableArgs};
use crate::environment::Environment;
use crate::folders::parse_partitioning;
use crate::summary::count;
use crate::terminal::Terminal;

mod infer;

/// Runs the command.
pub(crate) async fn run(
    command: SchemaCommand,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<u8> {
    match command {
        SchemaCommand::Show(args) => {
            let table = table(&args)?;
            terminal.result(if terminal.is_json() { show_json(&table) } else { show(&table) });
            Ok(0)
        }
        SchemaCommand::Check(args) => {
            let table = table(&args)?;
            terminal.result(if terminal.is_json() { identity(&table).to_string() } else { checked(&table) });
            Ok(0)
        }
        SchemaCommand::Infer(args) => infer::run(&args, environment, terminal).await,
        SchemaCommand::Diff(args) => compare(&args, terminal),
        SchemaCommand::Ddl(args) => create(&args, terminal).await,
    }
}

/// The built-in table, with a schema directory's additions if one is given.
pub(crate) fn table(args: &TableArgs) -> Result<Table> {
    args.schema_dir.as_deref().map_or_else(Table::builtin, from_directory)
}

fn from_directory(folder: &Path) -> Result<Table> {
    let texts = read(folder)?.ok_or_else(|| {
        Error::usage("the schema directory has no table.lock.json")
            .at("path", folder.display())
            .hint("start one: vonage-audit schema infer EXPORT --schema-dir DIR --write")
    })?;
    let layer = Layer { lock: &texts.0, registry: texts.1.as_deref() };
    Table::layered(layer).map_err(|error| error.at("path", folder.display()))
}

/// The texts of a schema directory; none if it has no column list.
fn read(folder: &Path) -> Result<Option<(String, Option<String>)>> {
    let text = |name: &str| match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::usage("cannot read a schema document")
            .at("path", folder.join(name).display())
            .because(error)),
    };
    let (lock, registry) = (text("table.lock.json")?, text("registry.json")?);
    match (lock, registry) {
        (Some(lock), registry) => Ok(Some((lock, registry))),
        (None, None) => Ok(None),
        (None, Some(_)) => {
            Err(Error::usage("the schema directory has a registry.json without a table.lock.json")
                .at("path", folder.display()))
        }
    }
}

fn identity(table: &Table) -> Value {
    json!({
        "output_version": 1,
        "version": table.version(),
        "fingerprint": table.fingerprint(),
        "columns": table.columns().len(),
        "event_types": table.registry().types().len(),
    })
}

fn checked(table: &Table) -> String {
    let number = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    format!(
        "the documents are right: table {}, {}, {}\n  fingerprint {}",
        table.version(),
        count(number(table.columns().len()), "column"),
        count(number(table.registry().types().len()), "event type"),
        table.fingerprint()
    )
}

fn show(table: &Table) -> String {
    let mut out = format!("table {}  fingerprint {}\n\n", table.version(), table.fingerprint());
    let widest = |text: fn(&Column) -> &str| table.columns().iter().map(|column| text(column).len()).max();
    let (names, types) = (widest(|column| &column.name), widest(|column| column.data_type.name()));
    let (names, types) = (names.unwrap_or(0), types.unwrap_or(0));
    for column in table.columns() {
        let from = column.pointer.as_deref().unwrap_or(column.kind.name());
        let _ = writeln!(
            out,
            "  {:>5}  {:<names$}  {:<types$}  {:<10}  {from}",
            column.field_id,
            column.name,
            column.data_type.name(),
            column.since
        );
    }
    out.push('\n');
    for known in table.registry().types() {
        let _ = writeln!(
            out,
            "  {:<28}  {:<12}  {:<13}  {}",
            known.name, known.category, known.action, known.target_type
        );
    }
    out.trim_end().to_owned()
}

fn show_json(table: &Table) -> String {
    let mut out = identity(table);
    if let Some(members) = out.as_object_mut() {
        let types = table.registry().types().iter().map(|known| {
            json!({
                "type": known.name, "category": known.category, "action": known.action,
                "target_type": known.target_type, "description": known.description,
            })
        });
        members.insert("columns".to_owned(), table.columns().iter().map(column_json).collect());
        members.insert("event_types".to_owned(), types.collect());
    }
    out.to_string()
}

fn column_json(column: &Column) -> Value {
    json!({
        "field_id": column.field_id, "name": column.name, "arrow": column.data_type.name(),
        "kind": column.kind.name(), "pointer": column.pointer, "json": column.json.map(Json::name),
        "since": column.since, "description": column.description,
    })
}

/// 0 if a dataset of the first table can go on with the second, else the code for a failed verification.
fn compare(args: &DiffArgs, terminal: &Terminal) -> Result<u8> {
    let one = |name: &str| {
        if name == "builtin" { Table::builtin() } else { from_directory(Path::new(name)) }
    };
    let (from, to) = (one(&args.from)?, one(&args.to)?);
    let (changes, continues) = (diff(&from, &to), continues(&from, &to));
    if terminal.is_json() {
        let changes: Vec<_> = changes.iter().map(change_json).collect();
        let out = json!({
            "output_version": 1, "from": from.version(), "to": to.version(),
            "continues": continues, "changes": changes,
        });
        terminal.result(out);
    } else {
        let mut out = format!("{} to {}\n", from.version(), to.version());
        for change in &changes {
            let _ = writeln!(out, "  {}", change_text(change));
        }
        out.push_str(if changes.is_empty() {
            "nothing differs"
        } else if continues {
            "a dataset of the first can go on with the second: columns are only appended"
        } else {
            "a dataset of the first CANNOT go on with the second: a column is gone, changed or not at the end"
        });
        terminal.result(out);
    }
    Ok(if continues { 0 } else { Kind::Verification.exit_code() })
}

fn change_text(change: &Change) -> String {
    match change {
        Change::ColumnAdded(column) => format!("+ column {} {}", column.name, column.data_type.name()),
        Change::ColumnRemoved(column) => format!("- column {} {}", column.name, column.data_type.name()),
        Change::ColumnChanged(name, property, before, after) => {
            format!("~ column {name}: {property} {before:?} is {after:?}")
        }
        Change::TypeAdded(name) => format!("+ event type {}", name.escape_debug()),
        Change::TypeRemoved(name) => format!("- event type {}", name.escape_debug()),
        Change::TypeChanged(name) => format!("~ event type {}: its meaning", name.escape_debug()),
    }
}

fn change_json(change: &Change) -> Value {
    match change {
        Change::ColumnAdded(column) => json!({ "change": "column_added", "column": column_json(column) }),
        Change::ColumnRemoved(column) => json!({ "change": "column_removed", "column": column_json(column) }),
        Change::ColumnChanged(name, property, before, after) => json!({
            "change": "column_changed", "name": name, "property": property, "before": before, "after": after,
        }),
        Change::TypeAdded(name) => json!({ "change": "type_added", "name": name }),
        Change::TypeRemoved(name) => json!({ "change": "type_removed", "name": name }),
        Change::TypeChanged(name) => json!({ "change": "type_changed", "name": name }),
    }
}

/// The folders that are asked for, else those of the dataset, where it can be looked at.
async fn partitioning(args: &DdlArgs) -> Result<Partitioning> {
    if let Some(text) = &args.partition_by {
        return parse_partitioning(text);
    }
    let dest = Path::new(&args.dest);
    if args.dest.contains("://") || !dest.is_dir() {
        return Ok(Partitioning::default());
    }
    let store = LocalStore::open(dest, false)?;
    let stored = Dataset::stored_spec(&store).await.map_err(|error| error.at("destination", &args.dest))?;
    Ok(stored.map(|spec| spec.layout.partitioning).unwrap_or_default())
}

async fn create(args: &DdlArgs, terminal: &Terminal) -> Result<u8> {
    let engine = match args.engine {
        EngineName::Duckdb => Engine::DuckDb,
        EngineName::Spark => Engine::Spark,
        EngineName::Athena => Engine::Athena,
        EngineName::Bigquery => Engine::BigQuery,
        EngineName::Snowflake => Engine::Snowflake,
        EngineName::Redshift => Engine::Redshift,
        EngineName::Clickhouse => Engine::ClickHouse,
        EngineName::Postgres => Engine::Postgres,
    };
    let sql = ddl(&table(&args.table)?, engine, &args.dest, &partitioning(args).await?)?;
    terminal.result(if terminal.is_json() {
        json!({ "output_version": 1, "sql": sql }).to_string()
    } else {
        sql.trim_end().to_owned()
    });
    Ok(0)
}
