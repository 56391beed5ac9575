//! The law through files: generated events that aim at the traps go through `convert`, onto the disk in every format,
//! and come back value for value and number text for number text. Four lossy mutants must be caught.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, new_null_array};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use vonage_audit::encode::{ReadLimits, read_typed};
use vonage_audit::flatten::{Rebuilder, same};
use vonage_audit::model::json::{Value, push_compact};
use vonage_audit::model::{Format, Grid, Secrets};
use vonage_audit::pipeline::{Conversion, Input, Limits, convert};
use vonage_audit::publish::{Dataset, Spec, account_fingerprint};
use vonage_audit::schema::Table;
use vonage_audit::store::LocalStore;

use crate::events::event;
use crate::tree::tree;

/// Events on one line, each with an identity and a time of its own, and everything else as generated.
fn identified(events: &[String]) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (number, text) in events.iter().enumerate() {
        let id = format!("{number:04}");
        let mut line =
            format!(r#"{{"id":"{id}","created_at":"2018-08-{:02}T10:15:{:02}""#, number % 3 + 1, number % 60);
        for (key, value) in Value::parse(text).unwrap().members() {
            if !key.is("id") && !key.is("created_at") {
                line.push_str(&format!(",\"{}\": {}", key.raw(), value.text().replace('\n', " ")));
            }
        }
        line.push('}');
        all.insert(id, line);
    }
    all
}

fn converted(events: &BTreeMap<String, String>, dest: &Path, table: &Table) {
    let mut input = Input::new(Limits::default(), Default::default(), Grid::Day);
    let text: Vec<_> = events.values().map(String::as_str).collect();
    input.take("generated", text.join("\n").as_bytes()).unwrap();
    let job = Conversion {
        grid: Grid::Day,
        formats: Format::ALL.to_vec(),
        files: Default::default(),
        secrets: Secrets::Kept,
        keep_raw: false,
        scratch: Default::default(),
        recorded_at: 0,
    };
    let spec = Spec {
        account_fingerprint: account_fingerprint("abcd1234"),
        grid: Grid::Day,
        schema: table.identity(),
        lineage: table.lineage().to_vec(),
        selection: BTreeMap::new(),
        secrets: Secrets::Kept,
        layout: Default::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let report = runtime.block_on(async {
        let store = LocalStore::open(dest, true).unwrap();
        let dataset = Dataset::open(Arc::new(store), spec).await.unwrap();
        convert(&job, table, input.finish().unwrap(), &dataset, std::future::pending()).await
    });
    assert_eq!(report.exit_code(), 0, "{:?}", report.failure);
    assert_eq!(report.rows, events.len() as u64);
}

/// All rows of a format, as batches.
fn batches(dest: &Path, format: Format, table: &Table) -> Vec<RecordBatch> {
    let files = tree(&dest.join(format.name()));
    assert!(!files.is_empty(), "{}", format.name());
    files
        .into_values()
        .flat_map(|bytes| {
            let limits = ReadLimits::default();
            read_typed(format, bytes.into(), &table.arrow_schema(), &Default::default(), limits)
                .unwrap()
                .batches
        })
        .collect()
}

/// Rows or lines as events, by position; an error is an event that is lost.
fn rebuilt(format: Format, batches: &[RecordBatch], table: &Table) -> Vec<String> {
    let mut all = Vec::new();
    for batch in batches {
        if format == Format::Ndjson {
            all.extend(batch.column(0).as_string::<i32>().iter().map(|text| text.unwrap().to_owned()));
            continue;
        }
        let rebuilder = Rebuilder::new(batch, table).unwrap();
        all.extend((0..batch.num_rows()).map(|row| rebuilder.row(row).unwrap_or_default()));
    }
    all
}

/// How many of the events are not among what came back.
fn lost(events: &BTreeMap<String, String>, back: &[String]) -> u32 {
    let by_id: BTreeMap<String, &String> = back
        .iter()
        .filter_map(|text| {
            let id = Value::parse(text).ok()?.member("id")?.as_text()?.decode()?.into_owned();
            Some((id, text))
        })
        .collect();
    let missing =
        events.iter().filter(|(id, text)| by_id.get(*id).is_none_or(|back| !same(text, back))).count();
    u32::try_from(missing).unwrap() + u32::try_from(back.len().abs_diff(events.len())).unwrap()
}

/// The batches with the texts of one column changed.
fn changed(batches: &[RecordBatch], position: usize, change: fn(&ArrayRef) -> ArrayRef) -> Vec<RecordBatch> {
    let one = |batch: &RecordBatch| {
        let mut columns = batch.columns().to_vec();
        columns[position] = change(&columns[position]);
        RecordBatch::try_new(batch.schema(), columns).unwrap()
    };
    batches.iter().map(one).collect()
}

fn emptied(column: &ArrayRef) -> ArrayRef {
    new_null_array(column.data_type(), column.len())
}

/// What a CSV reader makes of a column that does not tell the empty text from nothing.
fn empty_as_null(column: &ArrayRef) -> ArrayRef {
    let texts = column.as_string::<i32>().iter().map(|text| text.filter(|text| !text.is_empty()));
    Arc::new(texts.collect::<StringArray>())
}

/// What a parser with floats and last keys makes of a line.
fn careless(column: &ArrayRef) -> ArrayRef {
    let texts = column.as_string::<i32>().iter().map(|text| {
        let value: Option<serde_json::Value> = serde_json::from_str(text.unwrap()).ok();
        value.map_or_else(|| "{}".to_owned(), |value| value.to_string())
    });
    Arc::new(texts.map(Some).collect::<StringArray>())
}

const EMPTY_TEXTS: &str = r#"{"event_type":"","user_email":"","context":{"msisdn":"","http":""}}"#;

#[test]
fn every_format_gives_every_event_back_and_lossy_mutants_are_caught() {
    let table = Table::builtin().unwrap();
    let position = |name: &str| table.position(name).unwrap();
    let texts: Vec<usize> = (0..table.columns().len())
        .filter(|at| *table.arrow_schema().field(*at).data_type() == arrow_schema::DataType::Utf8)
        .collect();
    let caught: [Cell<u32>; 4] = Default::default();
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let result = runner.run(&vec(event(), 60), |generated| {
        // Empty texts in columns are rare among the traps, and one mutant is about nothing else.
        let generated = [generated, vec![EMPTY_TEXTS.to_owned()]].concat();
        let events = identified(&generated);
        let folder = tempfile::tempdir().unwrap();
        converted(&events, folder.path(), &table);
        for format in Format::ALL {
            let batches = batches(folder.path(), format, &table);
            let back = rebuilt(format, &batches, &table);
            prop_assert_eq!(lost(&events, &back), 0, "{}", format.name());
            let mutants = match format {
                Format::Parquet => vec![(0, changed(&batches, position("unmapped_json"), emptied))],
                Format::Csv => vec![
                    (1, changed(&batches, position("context_json"), emptied)),
                    (2, texts.iter().fold(batches.clone(), |all, at| changed(&all, *at, empty_as_null))),
                ],
                Format::Ndjson => vec![(3, changed(&batches, 0, careless))],
            };
            for (number, mutant) in mutants {
                let lost = lost(&events, &rebuilt(format, &mutant, &table));
                caught[number].set(caught[number].get() + lost);
            }
            if format == Format::Ndjson {
                // Not only the same: letter for letter, white space aside.
                for line in &back {
                    let id = Value::parse(line).unwrap().member("id").unwrap();
                    let id = id.as_text().unwrap().decode().unwrap();
                    let mut own = String::new();
                    push_compact(&mut own, &Value::parse(&events[id.as_ref()]).unwrap());
                    prop_assert_eq!(line, &own);
                }
            }
        }
        Ok(())
    });
    result.unwrap();
    let caught = caught.map(Cell::into_inner);
    assert!(
        caught.iter().all(|lost| *lost > 10),
        "the law does not see lost values: {caught:?} of 1464 each"
    );
}
