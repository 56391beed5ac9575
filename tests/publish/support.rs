//! Rows, specs and certificates for the tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use vonage_audit::encode::{FileMetadata, Settings};
use vonage_audit::error::Result;
use vonage_audit::model::{
    Certificate, Format, Grid, Layout, Level, Partitioning, SchemaRef as TableRef, Timestamp, Window,
};
use vonage_audit::publish::{Dataset, Prepared, Published, Spec, account_fingerprint, prepare};
use vonage_audit::store::{ObjectPath, Store};

/// One event of a test.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) second: i64,
    pub(crate) id: String,
    pub(crate) content: String,
    pub(crate) link: String,
    pub(crate) kind: Option<String>,
}

pub(crate) fn row(second: i64, id: &str) -> Row {
    Row {
        second,
        id: id.to_owned(),
        content: format!("content of {id}"),
        link: "http://x".to_owned(),
        kind: None,
    }
}

/// The same of this event type.
pub(crate) fn typed(kind: &str, second: i64, id: &str) -> Row {
    Row { kind: Some(kind.to_owned()), ..row(second, id) }
}

pub(crate) fn day(number: u32) -> Window {
    Grid::Day.window(Timestamp::from_date(2026, 3, number).unwrap())
}

pub(crate) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, true),
        Field::new("created_at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        Field::new("link_self_href", DataType::Utf8, true),
        Field::new("context_json", DataType::Utf8, true),
        Field::new("event_type", DataType::Utf8, true),
    ]))
}

pub(crate) fn batch(window: Window, rows: &[Row]) -> RecordBatch {
    batch_at(Some(window), rows)
}

/// Without a window: rows without a time.
pub(crate) fn batch_at(window: Option<Window>, rows: &[Row]) -> RecordBatch {
    let mut rows = rows.to_vec();
    match window {
        Some(_) => rows.sort(),
        None => rows.sort_by(|one, other| one.id.cmp(&other.id)),
    }
    let text = |of: fn(&Row) -> &str| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(of(row))).collect::<StringArray>())
    };
    let time = |row: &Row| window.map(|window| window.from.plus_seconds(row.second).micros());
    let times: Vec<Option<i64>> = rows.iter().map(time).collect();
    let kinds: StringArray = rows.iter().map(|row| row.kind.as_deref()).collect();
    RecordBatch::try_new(
        schema(),
        vec![
            text(|row| &row.id),
            Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC")),
            text(|row| &row.link),
            text(|row| &row.content),
            Arc::new(kinds),
        ],
    )
    .unwrap()
}

pub(crate) fn ready(window: Window, rows: &[Row]) -> Prepared {
    ready_as(&Layout::default(), Some(window), rows).unwrap()
}

/// The same for another layout, or without a window.
pub(crate) fn ready_as(layout: &Layout, window: Option<Window>, rows: &[Row]) -> Result<Prepared> {
    let metadata = FileMetadata::new().with("vonage_audit.schema_version", "1.0.0");
    let settings = Settings::new(layout.clone());
    prepare(window, &[Format::Parquet], schema(), vec![batch_at(window, rows)], metadata, &settings)
}

/// A layout by what the command line says.
pub(crate) fn layout(partition_by: &str, part: Option<u32>) -> Layout {
    Layout { partitioning: Partitioning::parse(partition_by).unwrap(), part, ..Layout::default() }
}

pub(crate) fn spec() -> Spec {
    spec_of(Layout::default())
}

pub(crate) fn spec_of(layout: Layout) -> Spec {
    Spec {
        account_fingerprint: account_fingerprint("abcd1234"),
        grid: Grid::Day,
        schema: TableRef { version: "1.0.0".to_owned(), fingerprint: "aa".repeat(32) },
        lineage: Vec::new(),
        selection: BTreeMap::new(),
        secrets: vonage_audit::model::Secrets::Redacted,
        layout,
    }
}

pub(crate) fn certificate(window: Window, events: u64) -> Certificate {
    Certificate {
        level: Level::Bracketed,
        range: window,
        padding: 2,
        total: events,
        distinct: events,
        events,
        quiet_from: false,
        quiet_to: false,
        parts: 1,
    }
}

/// When tests commit.
pub(crate) const NOW: i64 = 1_772_500_000;

pub(crate) async fn open(store: impl Store + 'static) -> Dataset {
    Dataset::open(Arc::new(store), spec()).await.unwrap()
}

/// Publishes a window's rows and commits them.
pub(crate) async fn put(dataset: &Dataset, window: Window, rows: &[Row]) -> Published {
    let published = dataset.publish(ready(window, rows)).await.unwrap();
    let record = published.clone().record(certificate(window, published.rows + published.known), 0, 0);
    dataset.commit(vec![record], NOW).await.unwrap();
    published
}

pub(crate) fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).unwrap()
}
