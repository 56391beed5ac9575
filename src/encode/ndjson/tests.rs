use super::*;
use crate::encode::{BATCH_ROWS, Settings, encode, read as read_file};
use crate::model::Format;
use arrow_array::{ArrayRef, StringArray};
use proptest::prelude::*;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new(EVENT_TEXT, DataType::Utf8, false)]))
}

fn batch(lines: &[String]) -> RecordBatch {
    let column: ArrayRef = Arc::new(StringArray::from(lines.to_vec()));
    RecordBatch::try_new(schema(), vec![column]).unwrap()
}

fn file(batches: &[RecordBatch]) -> Result<bytes::Bytes> {
    let mut out = Vec::new();
    let encoded =
        encode(Format::Ndjson, &schema(), batches, &FileMetadata::new(), &Settings::default(), &mut out)?;
    assert_eq!(encoded.bytes, out.len() as u64);
    Ok(out.into())
}

fn lines(table: &Table) -> Vec<String> {
    let texts = table.batches.iter().flat_map(|batch| batch.column(0).as_string::<i32>().iter());
    texts.map(|text| text.unwrap().to_owned()).collect()
}

#[test]
fn every_line_comes_back_and_batches_do_not_matter() {
    let all: Vec<String> = (0..BATCH_ROWS + 1_500).map(|row| format!(r#"{{"n":{row},"n":1E2}}"#)).collect();
    let whole = file(&[batch(&all)]).unwrap();
    let parts: Vec<_> = all.chunks(97).map(batch).collect();
    assert_eq!(file(&parts).unwrap(), whole);
    assert!(whole.starts_with(b"{\"n\":0,\"n\":1E2}\n{"));
    assert_eq!(
        lines(&read_file(Format::Ndjson, whole, &Settings::default(), ReadLimits::default()).unwrap()),
        all
    );
}

#[test]
fn what_is_no_line_is_never_written() {
    for line in ["", "{", "1", "[]", " {}", "{} ", "{\"a\":\n1}", "{}{}", "{}\r"] {
        assert_eq!(file(&[batch(&[line.to_owned()])]).unwrap_err().kind(), Kind::Bug, "{line:?}");
    }
    let other = Arc::new(Schema::new(vec![Field::new("id", DataType::Utf8, false)]));
    assert!(
        encode(Format::Ndjson, &other, &[], &FileMetadata::new(), &Settings::default(), &mut Vec::new())
            .is_err()
    );
}

#[test]
fn what_is_not_whole_is_refused() {
    for bytes in [&b"{}"[..], b"\n", b"{}\n\n", b"{}\r\n", b"\xef\xbb\xbf{}\n", b"{\"a\":\"\xff\"}\n", b"1\n"]
    {
        let error =
            read_file(Format::Ndjson, bytes.to_vec().into(), &Settings::default(), ReadLimits::default())
                .unwrap_err();
        assert_eq!(error.kind(), Kind::Verification, "{bytes:?}");
    }
    let few = ReadLimits { rows: 1, ..ReadLimits::default() };
    assert!(read_file(Format::Ndjson, b"{}\n{}\n".to_vec().into(), &Settings::default(), few).is_err());
    let small = ReadLimits { memory: 10, ..ReadLimits::default() };
    assert!(read_file(Format::Ndjson, b"{}\n{}\n".to_vec().into(), &Settings::default(), small).is_err());
}

proptest! {
    /// No event is refused, and what would make other lines of it is never taken.
    #[test]
    fn the_check_of_a_line_that_is_written_refuses_no_event_and_takes_no_two(
        text in any::<String>(),
        other in "[\\[\\]{}\",:a0 \\\\\n]{0,12}",
    ) {
        let mut string = String::new();
        crate::model::json::push_string(&mut string, &text);
        let line = format!("{{\"a\":[{string},{{\"b{{{{}}\\\\\":{{}}}}],{string}:{string}}}");
        prop_assert_eq!((check(&line), whole(&line)), (Ok(()), Ok(())));
        for bad in [format!("{line}{other}"), format!("{other}{line}"), other] {
            prop_assert!(check(&bad).is_ok() <= whole(&bad).is_ok(), "{}", bad);
        }
        for bad in [
            format!("{line}{line}"), format!("{line} {line}"), format!("{line}\n{line}"), format!("{line}\r"),
            format!("{line} "), format!("[{line}]"), line.replacen("{", "", 1), "{".to_owned(),
        ] {
            prop_assert!(whole(&bad).is_err(), "{}", bad);
        }
    }

    #[test]
    fn any_text_comes_back(texts in proptest::collection::vec(any::<String>(), 0..20)) {
        let all: Vec<String> = texts
            .iter()
            .map(|text| {
                let mut line = "{\"a\":".to_owned();
                crate::model::json::push_string(&mut line, text);
                line + "}"
            })
            .collect();
        let table = read_file(Format::Ndjson, file(&[batch(&all)]).unwrap(), &Settings::default(), ReadLimits::default()).unwrap();
        prop_assert_eq!(lines(&table), all);
    }
}
