//! The law: an event can be rebuilt from its source columns, its context's text and the remainder.

use std::cell::Cell;
use std::collections::HashSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use vonage_audit::flatten::{Flattener, Rebuilder, same};
use vonage_audit::model::Timestamp;
use vonage_audit::model::json::{Kind, Value};
use vonage_audit::schema::{Json, Kind as Source, Table};

use crate::events::event;
use crate::row::{Row, cell};

const PUBLISHED: &str = include_str!("../data/events-published.ndjson");
const PLAUSIBLE: &str = include_str!("../data/events-plausible.ndjson");

#[test]
fn holds_for_published_and_plausible_events_in_one_batch() {
    let table = Table::builtin().unwrap();
    let events: Vec<_> = PUBLISHED.lines().chain(PLAUSIBLE.lines()).collect();
    assert!(events.len() > 35);
    let mut flattener = Flattener::new(&table);
    for event in &events {
        let notes = flattener.push(event).unwrap();
        assert_eq!((notes.coerced, notes.mismatched, notes.remainder), (0, 0, false), "{event}");
        assert!(notes.known_type);
    }
    assert_eq!(flattener.len(), events.len());
    assert_eq!(flattener.issues().count(), 0);
    let batch = flattener.finish().unwrap();
    let rebuilder = Rebuilder::new(&batch, &table).unwrap();
    for (row, event) in events.iter().enumerate() {
        let rebuilt = rebuilder.row(row).unwrap();
        assert!(same(event, &rebuilt), "{event}\n{rebuilt}");
    }
    assert!(rebuilder.row(events.len()).is_err());
    let types: HashSet<_> = (0..events.len()).map(|row| cell(&batch, 1, row).unwrap()).collect();
    assert_eq!(types.len(), 29);
}

#[test]
fn holds_where_it_is_easily_broken() {
    for event in [
        "{}",
        " { } ",
        r#"{"id":null}"#,
        r#"{"\u0069d":"x"}"#,
        r#"{"id":"x","\u0069d":"y"}"#,
        r#"{"id":"x","id":"x"}"#,
        r#"{"user_id":-0}"#,
        r#"{"user_id":"7"}"#,
        r#"{"user_id":7,"user_id":1E2}"#,
        r#"{"_links":null}"#,
        r#"{"_links":{}}"#,
        r#"{"_links":{"self":{}}}"#,
        r#"{"_links":{"self":null,"self":{"href":"x"}}}"#,
        r#"{"_links":{"self":{"href":"x","href":"y"}}}"#,
        r#"{"_links":{"self":{"href":"x"}},"_links":7}"#,
        r#"{"_links":7,"_links":{"self":{"href":"x"}}}"#,
        r#"{"_links":{"self":{"href":5,"a":{}},"next":{"href":"n"}}}"#,
        r#"{"context":null}"#,
        r#"{"context":{"a":1},"context":{"country":"GB"}}"#,
        r#"{"context":"x","cont\u0065xt":[]}"#,
        r#"{"created_at":"0987-01-01T00:00:00"}"#,
        r#"{"created_at":"2018-08-13T10:15:31.5"}"#,
        r#"{"id":"\ud800","\ud800":1,"\ud800":2}"#,
        r#"{"id":{"a":[1E2,{"b":-0}]},"source":[]}"#,
    ] {
        let rebuilt = Row::of(event).rebuilt();
        assert!(same(event, &rebuilt), "{event}\n{rebuilt}");
    }
}

/// What an independent parser makes of a text; none where it cannot read it.
fn independent(text: &str) -> Option<serde_json::Value> {
    serde_json::from_str(text).ok()
}

/// A column's value by the coercion table, found by walking the event afresh.
fn expected(event: &str, pointer: &str, json: Json, timestamp: bool) -> Option<String> {
    let mut value = Value::parse(event).unwrap();
    for segment in pointer.split('/').skip(1) {
        value = value.member(segment)?;
    }
    let string = value.as_text().and_then(|text| text.decode()).filter(|text| !text.contains('\0'));
    match value.kind() {
        Kind::String if timestamp => Some(Timestamp::parse(&string?)?.at.to_string()),
        Kind::String => string.map(|text| text.into_owned()),
        Kind::Number | Kind::Boolean if !timestamp && json != Json::Any => Some(value.text().to_owned()),
        _ => None,
    }
}

#[test]
fn holds_for_generated_events_and_every_column_is_what_the_event_says() {
    let remainders = Cell::new(0_u32);
    let table = Table::builtin().unwrap();
    let mut runner = TestRunner::new(Config { cases: 4_000, failure_persistence: None, ..Config::default() });
    let result = runner.run(&event(), |event| {
        let row = Row::under(table.clone(), &event);
        let rebuilt = row.rebuilt();
        prop_assert!(same(&event, &rebuilt), "{}", rebuilt);
        if let (Some(event), Some(rebuilt)) = (independent(&event), independent(&rebuilt)) {
            prop_assert_eq!(event, rebuilt);
        }
        for (position, column) in table.columns().iter().enumerate() {
            if column.kind != Source::Source {
                continue;
            }
            let pointer = column.pointer.as_deref().unwrap();
            let timestamp = column.name == "created_at";
            let value = expected(&event, pointer, column.json.unwrap(), timestamp);
            prop_assert_eq!(cell(&row.batch, position, 0), value, "{}", column.name);
        }
        let context = Value::parse(&event).unwrap().member("context").map(|value| value.text().to_owned());
        prop_assert_eq!(row.get("context_json"), context);
        let remainder = row.get("unmapped_json");
        prop_assert_eq!(remainder.is_some(), row.notes.remainder);
        remainders.set(remainders.get() + u32::from(row.notes.remainder));
        Ok(())
    });
    result.unwrap();
    // The generator must reach both sides.
    assert!((400..3_950).contains(&remainders.get()), "{}", remainders.get());
}

/// The mutant treats a coerced value as exact: what a column holds converted is missing from the remainder.
fn mutant(row: &Row, event: &str) -> String {
    let coerced: Vec<_> = row
        .table
        .columns()
        .iter()
        .filter(|column| column.kind == Source::Source && row.get(&column.name).is_some())
        .filter_map(|column| column.pointer.as_deref()?.strip_prefix('/'))
        .collect();
    let event = Value::parse(event).unwrap();
    let times = |name: &str| event.members().filter(|(key, _)| key.is(name)).count();
    let remainder = row.get("unmapped_json").unwrap_or_else(|| "{}".to_owned());
    let kept: Vec<_> = Value::parse(&remainder)
        .unwrap()
        .members()
        .filter(|(key, _)| !coerced.iter().any(|name| key.is(name) && times(name) == 1))
        .map(|(key, value)| format!("\"{}\":{}", key.raw(), value.text()))
        .collect();
    format!("{{{}}}", kept.join(","))
}

#[test]
fn a_lossy_mutant_is_caught() {
    use arrow_array::{ArrayRef, RecordBatch, StringArray};
    use std::sync::Arc;

    let table = Table::builtin().unwrap();
    let (caught, harmless) = (Cell::new(0_u32), Cell::new(0_u32));
    let mut runner = TestRunner::new(Config { cases: 1_500, failure_persistence: None, ..Config::default() });
    let result = runner.run(&event(), |event| {
        let row = Row::under(table.clone(), &event);
        let mut columns: Vec<ArrayRef> = row.batch.columns().to_vec();
        columns[table.remainder_column()] = Arc::new(StringArray::from(vec![mutant(&row, &event)]));
        let batch = RecordBatch::try_new(table.arrow_schema(), columns).unwrap();
        let lossless = match Rebuilder::new(&batch, &table).unwrap().row(0) {
            Ok(rebuilt) => same(&event, &rebuilt),
            Err(_) => false,
        };
        let counter = if lossless { &harmless } else { &caught };
        counter.set(counter.get() + 1);
        Ok(())
    });
    result.unwrap();
    assert!(caught.get() > 300, "the law does not see lost values: {} of 1500", caught.get());
    assert!(harmless.get() > 100, "the mutant should be harmless without coerced values: {}", harmless.get());
}

#[test]
fn holds_for_the_columns_of_a_schema_directory() {
    use vonage_audit::schema::{Documents, Layer, Proposal, Survey, grow};
    let builtin = Table::builtin().unwrap();
    let mut survey = Survey::default();
    let model = r#"{"n":1,"d":1.5,"b":true,"a":[],"s":"x","in":{"n":2,"a":[1]},"context":{"n":1,"b":false,"o":[{}]}}"#;
    survey.add(&builtin, Value::parse(model).unwrap());
    let proposal = Proposal::new(&builtin, &survey.into_drift());
    let texts = grow(Documents::BUILTIN, None, &proposal).unwrap().unwrap();
    let table = Table::layered(Layer { lock: &texts.lock, registry: Some(&texts.registry) }).unwrap();
    assert_eq!(table.columns().len(), 41 + 10);

    let row = Row::under(table.clone(), model);
    assert!(same(model, &row.rebuilt()), "{}", row.rebuilt());
    assert_eq!(row.get("unmapped_json"), None);
    assert_eq!(row.get("x_a_json").as_deref(), Some("[]"));
    assert_eq!(row.get("x_d").as_deref(), Some("1.5"));
    assert_eq!(row.get("context__o_json").as_deref(), Some("[{}]"));

    // Every value at every place, fitting or not, comes back.
    let values = [
        "null",
        "0",
        "-0",
        "-7",
        "1.0",
        "1E2",
        "9223372036854775807",
        "9223372036854775808",
        "true",
        "\"true\"",
        "\"7\"",
        "\"\"",
        "\"\\u0000\"",
        "{}",
        "[]",
        "[null, 1.50]",
        "{\"n\":{\"n\":1}}",
    ];
    for value in values {
        for key in ["n", "d", "b", "a", "s", "in"] {
            for event in [
                format!(r#"{{"{key}":{value}}}"#),
                format!(r#"{{"in":{{"{key}":{value},"x":1}},"{key}":1,"{key}":{value}}}"#),
                format!(r#"{{"context":{{"{key}":{value}}},"id":"i"}}"#),
            ] {
                let row = Row::under(table.clone(), &event);
                assert!(same(&event, &row.rebuilt()), "{event}\n{}", row.rebuilt());
            }
        }
    }
}

#[test]
fn drift_is_what_a_walk_over_the_whole_event_finds() {
    use vonage_audit::schema::Survey;
    let table = Table::builtin().unwrap();
    let (mut flattener, mut survey) = (Flattener::new(&table), Survey::default());
    let mut both = |event: &str| {
        flattener.push(event).unwrap();
        survey.add(&table, Value::parse(event).unwrap());
    };
    PUBLISHED.lines().chain(PLAUSIBLE.lines()).for_each(&mut both);
    let mut runner = TestRunner::new(Config { cases: 2_000, failure_persistence: None, ..Config::default() });
    let random = std::cell::RefCell::new(both);
    runner
        .run(&event(), |event| {
            (random.borrow_mut())(&event);
            Ok(())
        })
        .unwrap();
    let (found, whole) = (flattener.take_drift(), survey.into_drift());
    assert!(found.findings.len() > 50, "{}", found.findings.len());
    assert_eq!(found, whole);
}
