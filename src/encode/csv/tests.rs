use arrow_schema::DataType;

use super::*;
use crate::encode::tests::rows::{Row, any_rows, batch, schema};
use crate::encode::{
    BATCH_ROWS, FileMetadata, ReadLimits, Settings, encode, read as read_untyped, read_typed,
};
use crate::model::Format;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use proptest::prelude::*;

fn file(batches: &[RecordBatch]) -> Bytes {
    let mut out = Vec::new();
    let encoded =
        encode(Format::Csv, &schema(), batches, &FileMetadata::new(), &Settings::default(), &mut out)
            .unwrap();
    assert_eq!(encoded.bytes, out.len() as u64);
    out.into()
}

fn back(bytes: Bytes) -> RecordBatch {
    let table =
        read_typed(Format::Csv, bytes, &schema(), &Settings::default(), ReadLimits::default()).unwrap();
    assert_eq!(table.schema, schema());
    concat_batches(&schema(), &table.batches).unwrap()
}

fn texts(values: &[&str]) -> RecordBatch {
    let rows: Vec<Row> =
        values.iter().map(|text| (Some((*text).to_owned()), None, None, None, None, None)).collect();
    batch(&rows)
}

#[test]
fn the_bytes_are_these() {
    let rows: Vec<Row> = vec![
        (Some(String::new()), Some(1_774_664_040_000_000), Some(true), Some(-5), Some(i64::MIN), None),
        (
            Some("=1+1".into()),
            Some(1_774_664_040_000_001),
            Some(false),
            None,
            None,
            Some("a,\"b\"\r\n".into()),
        ),
        (None, None, None, None, None, Some("'".into())),
    ];
    let expected = concat!(
        "id,created_at,known,small,large,context_json\r\n",
        "\"\",2026-03-28T02:14:00Z,true,-5,-9223372036854775808,\r\n",
        "'=1+1,2026-03-28T02:14:00.000001Z,false,,,\"a,\"\"b\"\"\r\n\"\r\n",
        ",,,,,''\r\n",
    );
    assert_eq!(file(&[batch(&rows)]), expected.as_bytes());
    assert_eq!(back(expected.into()), batch(&rows));
}

#[test]
fn no_text_begins_like_a_formula() {
    let dangerous = [
        "=1",
        "+1",
        "-1",
        "@a",
        "\tx",
        "\rx",
        "\nx",
        "\u{ff1d}1",
        "\u{ff0b}1",
        "\u{ff0d}1",
        "\u{ff20}1",
        "'x",
    ];
    let bytes = file(&[texts(&dangerous)]);
    // A reader that is not ours.
    let mut reader = csv::Reader::from_reader(bytes.as_ref());
    for (record, value) in reader.records().zip(dangerous) {
        assert_eq!(&record.unwrap()[0], format!("'{value}"));
    }
    assert_eq!(back(bytes), texts(&dangerous));
    let harmless = texts(&["a=1", " =1", "\u{2212}1", "\"=1\""]);
    assert!(!String::from_utf8_lossy(&file(std::slice::from_ref(&harmless))).contains('\''));
    assert_eq!(back(file(std::slice::from_ref(&harmless))), harmless);
}

#[test]
fn types_come_from_the_caller_and_unknown_columns_are_text() {
    let bytes = Bytes::from("id,context_json\r\n1,'=x\r\n");
    let table = read_untyped(Format::Csv, bytes, &Settings::default(), ReadLimits::default()).unwrap();
    assert!(table.schema.fields().iter().all(|field| *field.data_type() == DataType::Utf8));
    assert_eq!(table.batches[0].column(1).as_string::<i32>().value(0), "=x");
}

#[test]
fn what_the_writer_would_not_write_is_refused() {
    let head = "id,created_at,known,small,large,context_json\r\n";
    for line in [
        "a,,,,\r\n",
        "a,,,,,,\r\n",
        "a,,,,,\n",
        "a,,,,,",
        "=a,,,,,\r\n",
        "'a,,,,,\r\n",
        "a,2026-03-28T02:14:00,,,,\r\n",
        "a,2026-03-28T02:14:00.5Z,,,,\r\n",
        "a,2026-03-28,,,,\r\n",
        "a,\"\",,,,\r\n",
        "a,,TRUE,,,\r\n",
        "a,,,9999999999,,\r\n",
        "a,,,,1.0,\r\n",
        "\r\n",
    ] {
        let bytes = Bytes::from(format!("{head}{line}"));
        let error = read_typed(Format::Csv, bytes, &schema(), &Settings::default(), ReadLimits::default())
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Verification, "{line:?}");
    }
    for bytes in [&b""[..], b"id\r\n\xff\r\n", b"\r\n", b"id,ID\r\n", b"id,\"\"\r\n"] {
        let error =
            read_untyped(Format::Csv, bytes.to_vec().into(), &Settings::default(), ReadLimits::default())
                .unwrap_err();
        assert_eq!(error.kind(), Kind::Verification, "{bytes:?}");
    }
}

#[test]
fn limits_hold() {
    let bytes = file(&[texts(&["a", "b", "c"])]);
    for limits in
        [ReadLimits { rows: 2, ..ReadLimits::default() }, ReadLimits { memory: 60, ..ReadLimits::default() }]
    {
        let error =
            read_typed(Format::Csv, bytes.clone(), &schema(), &Settings::default(), limits).unwrap_err();
        assert_eq!(error.kind(), Kind::Verification);
    }
}

#[test]
fn batches_do_not_matter() {
    let rows: Vec<Row> = (0..BATCH_ROWS + 1_500)
        .map(|row| (Some(format!("{row}")), Some(row as i64), None, None, None, None))
        .collect();
    let whole = file(&[batch(&rows)]);
    let parts: Vec<_> = rows.chunks(97).map(batch).collect();
    assert_eq!(file(&parts), whole);
    assert_eq!(back(whole), batch(&rows));
}

/// A record as the rules say it, one letter after the other.
fn record(row: &Row, formulas: Formulas) -> String {
    let text = |value: &Option<String>| {
        let Some(value) = value else { return String::new() };
        let guard = formulas == Formulas::Guarded && value.starts_with(GUARDED);
        let value = if guard { format!("'{value}") } else { value.clone() };
        if value.is_empty() || value.contains([',', '"', '\r', '\n']) {
            return format!("\"{}\"", value.replace('"', "\"\""));
        }
        value
    };
    let (id, at, known, small, large, context) = row;
    let time = |at: &i64| format!("{}Z", crate::model::Timestamp::from_micros(*at));
    let shown = [
        at.as_ref().map(time),
        known.map(|known| known.to_string()),
        small.map(|small| small.to_string()),
        large.map(|large| large.to_string()),
    ];
    let shown: Vec<String> = shown.into_iter().map(Option::unwrap_or_default).collect();
    format!("{},{},{}\r\n", text(id), shown.join(","), text(context))
}

proptest! {
    #[test]
    fn what_is_written_by_columns_is_what_the_rules_say_of_each_field(
        mut rows in any_rows(),
        texts in proptest::collection::vec(proptest::option::of("[ab'=@\",\r\n\u{ff1d}\u{e9}]{0,6}"), 60),
        plain in any::<bool>(),
    ) {
        if plain {
            rows.iter_mut().zip(&texts).for_each(|(row, text)| row.0 = text.clone());
            rows.iter_mut().zip(texts.iter().rev()).for_each(|(row, text)| row.5 = text.clone());
        }
        for formulas in [Formulas::Guarded, Formulas::Plain] {
            let layout = crate::model::Layout { formulas, ..Default::default() };
            let batches = [batch(&rows)];
            let (mut out, none) = (Vec::new(), FileMetadata::new());
            encode(Format::Csv, &schema(), &batches, &none, &Settings::new(layout), &mut out).unwrap();
            let head = "id,created_at,known,small,large,context_json\r\n".to_owned();
            let expected = rows.iter().fold(head, |all, row| all + &record(row, formulas));
            prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn any_rows_come_back_and_another_reader_agrees(
        rows in any_rows()
    ) {
        let batch = batch(&rows);
        let bytes = file(std::slice::from_ref(&batch));
        prop_assert_eq!(back(bytes.clone()), batch);
        let mut reader = csv::Reader::from_reader(bytes.as_ref());
        let records: Vec<_> = reader.records().map(|record| record.unwrap()).collect();
        prop_assert_eq!(records.len(), rows.len());
        for (record, row) in records.iter().zip(&rows) {
            let value = row.0.clone().unwrap_or_default();
            prop_assert_eq!(record[0].strip_prefix('\'').unwrap_or(&record[0]), value);
        }
    }
}
