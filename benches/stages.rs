//! What each stage costs, by itself: reading an event, looking for secrets, flattening, the check of each row, encoding in
//! each format, the digest, publishing.
//!
//! `cargo bench --bench stages`, with a part of a name to run some of them; `STAGES_EVENTS` says of how many events a day
//! (10,000). Rates of one run are compared with each other; absolute ones drift.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a measurement with a setting, and the function that criterion's macro makes"
)]

use std::borrow::Cow;
use std::hint::black_box;
use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use vonage_audit::api::wire::Reader;
use vonage_audit::encode::{EVENT_TEXT, FileMetadata, Settings, encode};
use vonage_audit::flatten::{Flattener, not_rebuilt, redact, redact_read};
use vonage_audit::model::json::{Outline, Value};
use vonage_audit::model::{Format, Grid, Layout, SchemaRef, Secrets, Timestamp};
use vonage_audit::publish::{Dataset, Spec, account_fingerprint, prepare};
use vonage_audit::sandbox::{Population, Spec as Events};
use vonage_audit::schema::Table;
use vonage_audit::store::MemoryStore;

const BATCH: usize = 1_024;

struct Input {
    table: Table,
    texts: Vec<String>,
    batches: Vec<RecordBatch>,
}

fn input() -> Input {
    let events = std::env::var("STAGES_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let day = |day| chrono::NaiveDate::from_ymd_opt(2026, 3, day).unwrap();
    let spec = Events { seed: 1, events, from: day(1), to: day(2), account: "abcd1234".to_owned() };
    let population = Population::seeded(spec).unwrap();
    let mut texts: Vec<String> =
        population.events().map(|text| String::from_utf8(text.into_owned()).unwrap()).collect();
    texts.sort_by_cached_key(|text| {
        let event = Reader::default().event(Bytes::from(text.clone()));
        (event.created_at, event.id)
    });
    let table = Table::builtin().unwrap();
    let mut flattener = Flattener::new(&table);
    let batches = texts.chunks(BATCH).map(|texts| rows(&mut flattener, texts)).collect();
    Input { table, texts, batches }
}

fn rows(flattener: &mut Flattener, texts: &[String]) -> RecordBatch {
    texts.iter().for_each(|text| {
        flattener.push(text).unwrap();
    });
    flattener.finish().unwrap()
}

fn events(criterion: &mut Criterion, input: &Input) {
    let mut group = criterion.benchmark_group("event");
    group.throughput(Throughput::Elements(input.texts.len() as u64));
    group.bench_function("validate", |bench| {
        bench.iter(|| assert!(input.texts.iter().all(|text| Value::parse(black_box(text)).is_ok())));
    });
    group.bench_function("outline", |bench| {
        let mut outline = Outline::default();
        bench.iter(|| assert!(input.texts.iter().all(|text| outline.read(black_box(text)).is_ok())));
    });
    let bytes: Vec<Bytes> = input.texts.iter().map(|text| Bytes::from(text.clone())).collect();
    group.bench_function("decode", |bench| {
        let mut reader = Reader::default();
        bench.iter(|| bytes.iter().for_each(|text| drop(black_box(reader.event(text.clone())))));
    });
    group.bench_function("redact, outlined", |bench| {
        let mut outlines = Vec::new();
        for text in &input.texts {
            let mut outline = Outline::default();
            outline.read(text).unwrap();
            outlines.push(outline);
        }
        let clean =
            |(text, outline): (&String, &Outline)| matches!(redact_read(text, outline), Cow::Borrowed(_));
        bench.iter(|| assert!(input.texts.iter().zip(&outlines).all(clean)));
    });
    group.bench_function("redact, scanned", |bench| {
        bench.iter(|| {
            assert!(input.texts.iter().all(|text| matches!(redact(text.as_bytes()), Cow::Borrowed(_))))
        });
    });
    group.bench_function("flatten, with its outline", |bench| {
        let mut flattener = Flattener::new(&input.table);
        bench.iter(|| {
            input.texts.chunks(BATCH).for_each(|texts| drop(black_box(rows(&mut flattener, texts))))
        });
    });
    group.bench_function("check", |bench| {
        let values: Vec<Value<'_>> = input.texts.iter().map(|text| Value::parse(text).unwrap()).collect();
        bench.iter(|| {
            for (batch, values) in input.batches.iter().zip(values.chunks(BATCH)) {
                assert!(not_rebuilt(batch, &input.table, values.iter().copied()).unwrap().is_empty());
            }
        });
    });
    group.finish();
}

/// The rows that a format's files hold, and their schema.
fn of_format(input: &Input, format: Format) -> (arrow_schema::SchemaRef, Vec<RecordBatch>) {
    if format != Format::Ndjson {
        return (input.table.arrow_schema(), input.batches.clone());
    }
    let field = arrow_schema::Field::new(EVENT_TEXT, arrow_schema::DataType::Utf8, false);
    let schema = Arc::new(arrow_schema::Schema::new(vec![field]));
    let texts = arrow_array::StringArray::from_iter_values(&input.texts);
    (Arc::clone(&schema), vec![RecordBatch::try_new(schema, vec![Arc::new(texts)]).unwrap()])
}

fn files(criterion: &mut Criterion, input: &Input) {
    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Elements(input.texts.len() as u64));
    for format in [Format::Parquet, Format::Csv, Format::Ndjson] {
        let (schema, batches) = of_format(input, format);
        group.bench_function(format.name(), |bench| {
            bench.iter(|| {
                let mut out = Vec::new();
                encode(format, &schema, &batches, &FileMetadata::new(), &Settings::default(), &mut out)
                    .unwrap();
                out
            });
        });
    }
    group.finish();

    let (schema, batches) = of_format(input, Format::Parquet);
    let mut file = Vec::new();
    let (metadata, settings) = (FileMetadata::new(), Settings::default());
    encode(Format::Parquet, &schema, &batches, &metadata, &settings, &mut file).unwrap();
    let mut group = criterion.benchmark_group("file");
    group.throughput(Throughput::Elements(input.texts.len() as u64));
    group.bench_function("digest", |bench| {
        bench.iter(|| ring::digest::digest(&ring::digest::SHA256, black_box(&file)));
    });
    let window = Grid::Day.window(Timestamp::from_date(2026, 3, 1).unwrap());
    let made = || {
        let batches = batches.clone();
        prepare(window, &[Format::Parquet], Arc::clone(&schema), batches, metadata.clone(), &settings)
            .unwrap()
    };
    group.bench_function("prepare: order, ids, Parquet, digest", |bench| bench.iter(made));
    let prepared = made();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    group.bench_function("publish, into memory", |bench| {
        bench.iter_batched(
            || prepared.clone(),
            |prepared| runtime.block_on(publish(prepared)),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

async fn publish(prepared: vonage_audit::publish::Prepared) -> vonage_audit::publish::Published {
    let dataset = Dataset::open(Arc::new(MemoryStore::new()), spec()).await.unwrap();
    dataset.publish(prepared).await.unwrap()
}

fn spec() -> Spec {
    Spec {
        account_fingerprint: account_fingerprint("abcd1234"),
        grid: Grid::Day,
        schema: SchemaRef { version: "1.0.0".to_owned(), fingerprint: "aa".repeat(32) },
        lineage: Vec::new(),
        selection: std::collections::BTreeMap::new(),
        secrets: Secrets::Redacted,
        layout: Layout::default(),
    }
}

fn stages(criterion: &mut Criterion) {
    let input = input();
    events(criterion, &input);
    files(criterion, &input);
}

criterion_group!(all, stages);
criterion_main!(all);
