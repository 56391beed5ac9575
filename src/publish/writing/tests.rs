use arrow_array::{ArrayRef, StringArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::encode::{FileMetadata, Settings, Threads};
use crate::error::Kind;
use crate::model::Format;
use crate::spool::Scratch;

fn making(scratch: Scratch, threads: usize) -> Making {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let fields = vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("created_at", time, true),
        Field::new("source", DataType::Utf8, true),
    ];
    Making {
        formats: vec![Format::Csv],
        schema: Arc::new(Schema::new(fields)),
        metadata: FileMetadata::new(),
        settings: Settings { threads: Threads::new(threads), ..Settings::default() },
        reader: None,
        scratch,
    }
}

fn rows(making: &Making, from: usize, to: usize) -> RecordBatch {
    let ids: StringArray = (from..to).map(|row| Some(format!("{:08}", row * 7_919 % 100_000_007))).collect();
    let times: TimestampMicrosecondArray = (from..to).map(|row| i64::try_from(row).ok()).collect();
    let texts: StringArray = (from..to).map(|row| (row % 3 > 0).then(|| "x".repeat(row % 5))).collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(ids), Arc::new(times.with_timezone("UTC")), Arc::new(texts)];
    RecordBatch::try_new(Arc::clone(&making.schema), columns).unwrap()
}

/// The bytes and rows of each group, and how many were encoded while they came. Groups have so many rows, in pieces of at most so many.
fn kept(
    making: &Arc<Making>,
    groups: &[usize],
    piece: usize,
    in_turn: bool,
) -> Result<(Vec<(String, u64)>, usize)> {
    let mut writing = Writing::new(making);
    let mut from = 0;
    for (group, count) in groups.iter().enumerate() {
        let end = from + count;
        while from < end {
            let to = end.min(from + piece);
            writing.take(group, rows(making, from, to), in_turn)?;
            from = to;
        }
    }
    assert_eq!(writing.groups(), groups.len());
    let (places, held) = writing.finish()?;
    let mut encoded = 0;
    let files = places.into_iter().map(|place| match place {
        Place::File(file) => {
            encoded += 1;
            Ok(file)
        }
        Place::Rows(place) => {
            let out = BlobWriter::new(&making.scratch, u64::MAX);
            making.file(Format::Csv, &mut held.group(place), out)
        }
        Place::Open => panic!("a group was left open"),
    });
    let files: Vec<_> = files.collect::<Result<_>>()?;
    Ok((files.into_iter().map(|file| (file.sha256, file.extent.rows)).collect(), encoded))
}

#[test]
fn how_rows_come_and_what_is_kept_of_them_decides_about_no_byte() {
    let place = tempfile::tempdir().unwrap();
    let sizes = prop_oneof![4 => 1_usize..600, 1 => FEW_ROWS - 1..FEW_ROWS + 2, 1 => 9_000_usize..20_000];
    let cases = (proptest::collection::vec(sizes, 1..6), 1_usize..3_000, 1_usize..4);
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&cases, |(groups, piece, threads)| {
        let piece = piece.max(groups.iter().sum::<usize>() / 100);
        let (expected, none) = kept(&Arc::new(making(Scratch::default(), 1)), &groups, piece, false).unwrap();
        prop_assert_eq!(none, 0);
        let many = groups.iter().filter(|rows| **rows >= FEW_ROWS).count();
        for memory in [0, 2_000_000, u64::MAX] {
            let scratch = Scratch::new(place.path().to_owned(), memory, u64::MAX);
            let found = kept(&Arc::new(making(scratch, threads)), &groups, piece, true).unwrap();
            prop_assert_eq!(&found, &(expected.clone(), many));
        }
        Ok(())
    });
    result.unwrap();
}

#[test]
fn long_rows_are_encoded_one_after_the_other() {
    let making = making(Scratch::default(), 2);
    let long = |row: usize| -> RecordBatch {
        let one = rows(&making, row, row + 1);
        let text: StringArray = [Some("y".repeat(2 << 20))].into_iter().collect();
        let columns = vec![Arc::clone(one.column(0)), Arc::clone(one.column(1)), Arc::new(text) as ArrayRef];
        RecordBatch::try_new(Arc::clone(&making.schema), columns).unwrap()
    };
    let mut writing = Writing::new(&Arc::new(making.clone()));
    (0..9).try_for_each(|row| writing.take(0, long(row), true)).unwrap();
    let (places, _) = writing.finish().unwrap();
    let all = (0..9).map(|row| Ok(long(row)));
    let out = BlobWriter::new(&making.scratch, u64::MAX);
    let expected = making.file(Format::Csv, &mut all.into_iter(), out).unwrap();
    assert!(matches!(&places[..], [Place::File(file)] if file.sha256 == expected.sha256));
}

#[test]
fn what_cannot_be_kept_ends_it_with_its_own_reason() {
    let place = tempfile::tempdir().unwrap();
    for in_turn in [false, true] {
        for groups in [vec![300, 300], vec![40_000], vec![40_000, 10]] {
            let scratch = Scratch::new(place.path().to_owned(), 0, 2_000);
            let making = Arc::new(making(scratch.clone(), 2));
            let error = kept(&making, &groups, 100, in_turn).unwrap_err();
            assert_eq!(error.kind(), Kind::Storage, "{error}");
            assert!(error.to_string().contains("more than the limit"), "{error}");
            assert!(error.hint_text().is_some_and(|hint| hint.contains("--spill-limit")));
            // Nothing of it is left on the disk.
            let mut file = scratch.file().unwrap();
            file.append(&[0; 1_999]).and_then(|_| file.flush()).unwrap();
        }
    }
}

#[test]
fn groups_in_turn_come_one_after_the_other_and_others_as_they_like() {
    let making = Arc::new(making(Scratch::default(), 1));
    for (in_turn, refused) in [(true, true), (false, false)] {
        let mut writing = Writing::new(&making);
        writing.take(0, rows(&making, 0, 1), in_turn).unwrap();
        writing.take(1, rows(&making, 1, 2), in_turn).unwrap();
        assert_eq!(writing.groups(), 2);
        let again = writing.take(0, rows(&making, 2, 3), in_turn);
        // Few rows are kept as rows, which may become more.
        assert!(again.is_ok() || refused);
    }
}
