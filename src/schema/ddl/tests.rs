//! What the statements say: golden files for every engine, and the rules behind them.

use super::sql::widths;
use super::*;
use crate::schema::{Layer, Table};

fn dest(engine: Engine) -> &'static str {
    match engine {
        Engine::BigQuery => "gs://bucket/audit",
        Engine::Athena | Engine::Redshift | Engine::Snowflake => "s3://bucket/audit",
        _ => "exports/audit",
    }
}

/// Folders of time alone, of rows, and none.
const PARTITIONINGS: [(&str, &str); 4] = [
    ("event_date", ""),
    ("event_type,account,event_date", "-by-type-account-date"),
    ("event_year,event_month", "-by-year-month"),
    ("none", "-by-none"),
];

/// Engines that read where the files lie, so that folders matter.
const IN_PLACE: [Engine; 5] =
    [Engine::DuckDb, Engine::Spark, Engine::Athena, Engine::BigQuery, Engine::ClickHouse];

#[test]
fn every_engine_gets_its_golden_statements() {
    let table = Table::builtin().unwrap();
    for engine in Engine::ALL {
        for (name, suffix) in PARTITIONINGS {
            let partitioning = Partitioning::parse(name).unwrap();
            let sql = ddl(&table, engine, dest(engine), &partitioning).unwrap();
            if !suffix.is_empty() && !IN_PLACE.contains(&engine) {
                let default = ddl(&table, engine, dest(engine), &Partitioning::default()).unwrap();
                assert_eq!(sql, default, "{}", engine.name());
                continue;
            }
            let path = format!("{}/tests/ddl/{}{suffix}.sql", env!("CARGO_MANIFEST_DIR"), engine.name());
            let golden = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                sql == golden,
                "{path} is another text; if the change is meant: vonage-audit schema ddl --engine {} --dest {} \
                 --partition-by {name}",
                engine.name(),
                dest(engine)
            );
            let views = golden.matches("\nWHERE event_type = ").count();
            assert_eq!(views, table.registry().types().len(), "{}", engine.name());
        }
    }
}

#[test]
fn a_destination_that_the_engine_cannot_reach_is_refused() {
    let table = Table::builtin().unwrap();
    for (engine, dest) in [
        (Engine::Athena, "exports"),
        (Engine::Redshift, "gs://bucket/a"),
        (Engine::BigQuery, "s3://bucket/a"),
        (Engine::Snowflake, "/exports"),
        (Engine::Postgres, "s3://bucket/a"),
        (Engine::Postgres, "it's"),
        (Engine::Postgres, "$(reboot)"),
        (Engine::DuckDb, ""),
        (Engine::DuckDb, "a\nb"),
    ] {
        assert!(ddl(&table, engine, dest, &Partitioning::default()).is_err(), "{} {dest:?}", engine.name());
    }
}

#[test]
fn quotes_cannot_end_a_literal() {
    let table = Table::builtin().unwrap();
    assert!(
        ddl(&table, Engine::DuckDb, "it's", &Partitioning::default())
            .unwrap()
            .contains("'it''s/parquet/**/*.parquet'")
    );
    assert!(
        ddl(&table, Engine::Spark, r"it's\", &Partitioning::default())
            .unwrap()
            .contains(r"'it\'s\\/parquet'")
    );
}

/// The built-in documents with two columns of a schema directory, the second a revision later.
fn layered() -> Table {
    let own = |id: i32, name: &str, arrow: &str, json: &str, pointer: &str, revision: u32| {
        format!(
            r#",{{"field_id":{id},"name":"{name}","arrow":"{arrow}","kind":"source","pointer":"{pointer}","json":"{json}","since":"1.0.0+{revision}","description":""}}"#
        )
    };
    let columns = own(10_000, "context__order", "int64", "integer", "/context/order", 1)
        + &own(10_001, "context__id", "utf8", "string", "/context/id", 2);
    let builtin = crate::schema::Documents::BUILTIN.lock.trim_end();
    let open = builtin.strip_suffix("]\n}").unwrap().trim_end();
    let registry = r#"{"types":[{"type":"It's ñew","category":"c","action":"a","target_type":"","description":""}],
        "columns":{"It's ñew":["context__id","context__order"]}}"#;
    let mut lock = format!("{open}{columns}]}}").replace(r#""version": "1.0.0""#, r#""version": "1.0.0+2""#);
    for _ in 0..2 {
        match Table::layered(Layer { lock: &lock, registry: Some(registry) }) {
            Ok(table) => return table,
            Err(error) => {
                let expected = error.context().iter().find(|(name, _)| *name == "expected");
                let (_, expected) = expected.unwrap_or_else(|| panic!("{error}"));
                let wrong: serde_json::Value = serde_json::from_str(&lock).unwrap();
                lock = lock.replace(wrong["fingerprint"].as_str().unwrap(), expected);
            }
        }
    }
    panic!("no table")
}

#[test]
fn a_schema_directorys_columns_come_into_the_views() {
    let table = layered();
    assert_eq!(widths(&table), [41, 42, 43]);
    let sql = ddl(&table, Engine::ClickHouse, "exports", &Partitioning::default()).unwrap();
    // A reserved word and the envelope's own name keep the prefix; the type's code stays one literal.
    let (_, view) = sql.split_once("CREATE OR REPLACE VIEW v_it_s_ew AS").unwrap();
    assert!(view.contains("  context__order,\n  context__id,\n  unmapped_json\n"), "{view}");
    assert!(view.contains(r"WHERE event_type = 'It\'s ñew';"), "{view}");
    let sql = ddl(&table, Engine::Postgres, "exports", &Partitioning::default()).unwrap();
    assert_eq!(sql.matches("\\copy ").count(), 3);
    assert_eq!(table.lineage().len(), 42);
    assert!(table.version().starts_with("1.0.0+2."));
}
