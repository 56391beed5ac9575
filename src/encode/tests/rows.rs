//! Rows of every type that a format holds, chosen and generated.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use proptest::prelude::*;

pub(in crate::encode) type Row =
    (Option<String>, Option<i64>, Option<bool>, Option<i32>, Option<i64>, Option<String>);

pub(in crate::encode) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, true),
        Field::new("created_at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        Field::new("known", DataType::Boolean, true),
        Field::new("small", DataType::Int32, true),
        Field::new("large", DataType::Int64, true),
        Field::new("context_json", DataType::Utf8, true),
    ]))
}

pub(in crate::encode) fn batch(rows: &[Row]) -> RecordBatch {
    let times: TimestampMicrosecondArray = rows.iter().map(|row| row.1).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.0.clone()).collect::<StringArray>()),
        Arc::new(times.with_timezone("UTC")),
        Arc::new(rows.iter().map(|row| row.2).collect::<BooleanArray>()),
        Arc::new(rows.iter().map(|row| row.3).collect::<Int32Array>()),
        Arc::new(rows.iter().map(|row| row.4).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.5.clone()).collect::<StringArray>()),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

pub(in crate::encode) fn text() -> impl Strategy<Value = Option<String>> {
    let special = vec!['"', ',', '\r', '\n', '\'', '=', '\u{ff1d}', '\t', '\0', '\u{feff}', '\\', '\u{2028}'];
    let letters =
        proptest::collection::vec(prop_oneof![proptest::sample::select(special), any::<char>()], 0..6);
    proptest::option::weighted(0.9, letters.prop_map(|letters| letters.into_iter().collect()))
}

/// Up to 19 rows.
pub(in crate::encode) fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    proptest::collection::vec(
        (
            text(),
            proptest::option::of(-62_135_596_800_000_000..253_402_300_800_000_000_i64),
            any::<Option<bool>>(),
            any::<Option<i32>>(),
            any::<Option<i64>>(),
            text(),
        ),
        1..20,
    )
}
