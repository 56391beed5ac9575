//! Files are held against those of the library's writer, byte for byte.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, make_array,
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use proptest::prelude::*;

use crate::encode::file::FileMetadata;
use crate::encode::parquet::{write, write_by};
use crate::encode::settings::{Codec, Settings};
use crate::encode::threads::Threads;

/// A name of each class of columns.
const NAMES: [&str; 9] = [
    "created_at",
    "id",
    "link_self_href",
    "context_json",
    "unmapped_json",
    "target_id",
    "source_msisdn",
    "event_type",
    "actor",
];

/// Numbers without a pattern.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 29) ^ self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 16) as usize % end.max(1)
    }
}

/// A column: its type, what its values are like, and which are null.
#[derive(Clone, Debug)]
struct Like {
    kind: usize,
    values: usize,
    nulls: usize,
    nullable: bool,
    seed: u64,
}

fn like() -> impl Strategy<Value = Like> {
    let kind = prop_oneof![4 => Just(0_usize), 1 => 1..5_usize];
    (kind, 0..10_usize, 0..8_usize, prop::bool::weighted(0.8), any::<u64>())
        .prop_map(|(kind, values, nulls, nullable, seed)| Like { kind, values, nulls, nullable, seed })
}

impl Like {
    fn text(&self, row: usize, random: &mut Random) -> String {
        let letters = ["a", "é", "\u{ffff}", "\u{10ffff}", "\u{7f}", "z"];
        match self.values {
            0 => "DEVAPI".to_owned(),
            1 => format!("TYPE_{}", random.below(5)),
            2 => format!("somebody{}@example.com", random.below(3_000)),
            3 => format!("{:016x}", random.next()),
            4 => format!("http://api.example.com/events/{:016x}", random.next()),
            5 => String::new(),
            6 => letters[random.below(letters.len())].repeat(random.below(90)),
            7 => format!("{row:08}"),
            8 => {
                let letter = letters[random.below(2)];
                letter.repeat(if random.below(500) == 0 { 30_000 } else { random.below(4) })
            }
            _ => format!("{{\"n\":{},\"text\":\"{}\"}}", random.below(50), "x".repeat(random.below(200))),
        }
    }

    fn number(&self, row: usize, random: &mut Random) -> i64 {
        match self.values {
            0 => 7,
            1 | 2 => random.below(9) as i64 - 4,
            3 | 4 => random.next() as i64,
            5 => [i64::MIN, i64::MAX][random.below(2)],
            6 => row as i64 / 40,
            _ => 1_700_000_000_000_000 + row as i64 * 1_000_000 + random.below(900_000) as i64,
        }
    }

    fn has_value(&self, row: usize, random: &mut Random) -> bool {
        !self.nullable
            || match self.nulls {
                0 => true,
                1 => false,
                2 => random.below(2) == 0,
                3 => random.below(50) > 0,
                4 => random.below(50) == 0,
                // In long runs, so that whole batches have values in each row, or in none.
                5 => (row / 9_000).is_multiple_of(2),
                6 => !(row / 300).is_multiple_of(3),
                _ => row != 11,
            }
    }

    fn field(&self, name: &str) -> Field {
        let kind = match self.kind {
            0 => DataType::Utf8,
            1 => DataType::Boolean,
            2 => DataType::Int32,
            3 => DataType::Int64,
            _ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        };
        Field::new(name, kind, self.nullable)
    }

    fn column(&self, rows: usize) -> ArrayRef {
        let mut random = Random(self.seed);
        let numbers: Vec<Option<i64>> = match self.kind {
            0 => {
                let text = |row| self.has_value(row, &mut random).then(|| self.text(row, &mut random));
                return Arc::new((0..rows).map(text).collect::<StringArray>());
            }
            _ => (0..rows)
                .map(|row| self.has_value(row, &mut random).then(|| self.number(row, &mut random)))
                .collect(),
        };
        match self.kind {
            1 => Arc::new(
                numbers.iter().map(|number| number.map(|one| one % 2 == 0)).collect::<BooleanArray>(),
            ),
            2 => Arc::new(numbers.iter().map(|number| number.map(|one| one as i32)).collect::<Int32Array>()),
            3 => Arc::new(numbers.into_iter().collect::<Int64Array>()),
            _ => Arc::new(numbers.into_iter().collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
        }
    }
}

fn table(columns: &[(&str, Like)], rows: usize) -> RecordBatch {
    let fields: Vec<Field> = columns.iter().map(|(name, like)| like.field(name)).collect();
    let arrays = columns.iter().map(|(_, like)| like.column(rows)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn one(name: &'static str, array: ArrayRef, nullable: bool) -> RecordBatch {
    let field = Field::new(name, array.data_type().clone(), nullable);
    RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![array]).unwrap()
}

/// Holds the file of the rows, handed over in these parts, against the library's of all of them.
fn hold(all: &RecordBatch, cuts: &[usize], settings: &Settings) {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| *cut.min(&all.num_rows())).collect();
    cuts.extend([0, all.num_rows()]);
    cuts.sort_unstable();
    let parts = cuts.windows(2).map(|pair| Ok(all.slice(pair[0], pair[1] - pair[0])));
    let (schema, metadata) = (all.schema(), FileMetadata::new().with("a", "b"));
    let (mut own, mut library) = (Vec::new(), Vec::new());
    let written = write(&schema, &mut parts.into_iter(), &metadata, settings, &mut own).unwrap();
    assert_eq!(written as usize, all.num_rows());
    let whole = std::iter::once(Ok(all.clone()));
    write_by(false, &schema, &mut whole.into_iter(), &metadata, settings, &mut library).unwrap();
    assert!(own == library, "{} bytes, {} by the library", own.len(), library.len());
}

fn settings(parquet: Codec, row_group_rows: usize) -> Settings {
    Settings { parquet, row_group_rows, ..Settings::default() }
}

fn codec() -> impl Strategy<Value = Codec> {
    prop_oneof![
        4 => Just(Codec::Zstd(3)),
        1 => Just(Codec::Zstd(1)),
        1 => Just(Codec::Zstd(7)),
        2 => Just(Codec::Plain),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_table_has_the_bytes_that_the_library_writes(
        likes in proptest::collection::vec(like(), NAMES.len()),
        count in prop_oneof![0_usize..40, 200_usize..1_100, 8_100_usize..8_300, 16_000_usize..27_000],
        group in prop_oneof![Just(131_072_usize), Just(8_192), Just(10_000), Just(1_000), 300_usize..9_000],
        cuts in proptest::collection::vec(0_usize..27_000, 0..12),
        codec in codec(),
        threads in 1_usize..4,
    ) {
        let columns: Vec<(&str, Like)> = NAMES.into_iter().zip(likes).collect();
        let settings = Settings { threads: Threads::new(threads), ..settings(codec, group) };
        hold(&table(&columns, count), &cuts, &settings);
    }

    #[test]
    fn few_rows_a_group_and_a_part_are_the_same(
        likes in proptest::collection::vec(like(), NAMES.len()),
        count in 0_usize..400,
        group in 1_usize..100,
        cut in 1_usize..40,
        codec in codec(),
    ) {
        let columns: Vec<(&str, Like)> = NAMES.into_iter().zip(likes).collect();
        let cuts: Vec<usize> = (0..count).step_by(cut).collect();
        hold(&table(&columns, count), &cuts, &settings(codec, group));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_dictionary_that_becomes_too_long_ends_where_the_librarys_ends(
        seed in any::<u64>(),
        length in 30_usize..300,
        repeated in 0_usize..4,
        nulls in 0_usize..8,
        nullable in any::<bool>(),
        cuts in proptest::collection::vec(0_usize..40_000, 0..6),
        name in prop_oneof![Just("actor"), Just("target_id")],
    ) {
        let like = Like { kind: 0, values: 0, nulls, nullable, seed };
        let mut random = Random(seed);
        let count = (3 << 20) / length * (repeated + 1) / 2;
        let text = |row: usize| {
            let number = if random.below(4) < repeated { random.below(50) as u64 } else { random.next() };
            like.has_value(row, &mut random).then(|| format!("{number:0length$}"))
        };
        let texts: StringArray = (0..count).map(text).collect();
        hold(&one(name, Arc::new(texts), nullable), &cuts, &settings(Codec::Zstd(3), 131_072));
    }

    #[test]
    fn long_texts_end_pages_where_the_librarys_end(
        seed in any::<u64>(),
        common in 0_usize..120_000,
        nulls in 0_usize..8,
        nullable in any::<bool>(),
        name in prop::sample::select(&["id", "link_self_href", "context_json", "target_id", "actor"][..]),
        codec in codec(),
    ) {
        let like = Like { kind: 0, values: 0, nulls, nullable, seed };
        let mut random = Random(seed);
        let start = "s".repeat(common);
        let text = |row: usize| {
            let most = [3, 900, 60_000][random.below(3)];
            let length = random.below(most);
            like.has_value(row, &mut random).then(|| format!("{start}{row}{}", "é".repeat(length)))
        };
        let texts: StringArray = (0..200).map(text).collect();
        hold(&one(name, Arc::new(texts), nullable), &[3, 150], &settings(codec, 131_072));
    }
}

#[test]
fn a_dictionary_of_numbers_that_becomes_too_long_ends_where_the_librarys_ends() {
    // As many as fit, one less and more, and the same with some that come again.
    for count in [131_071, 131_072, 131_073, 140_000] {
        let numbers: Int64Array = (0..count).map(|row| Some(row * 3)).collect();
        let settings = settings(Codec::Plain, 200_000);
        hold(&one("actor", Arc::new(numbers), true), &[70_000], &settings);
        let numbers: Int32Array = (0..2 * count).map(|row| Some((row - row % 1_500) as i32 + 1)).collect();
        hold(&one("target_id", Arc::new(numbers), false), &[70_000], &settings);
    }
    let numbers: Int32Array =
        (0..300_000).map(|row| (row % 40_000 != 7).then_some(row / 40 * 40 + row % 7)).collect();
    hold(&one("actor", Arc::new(numbers), true), &[], &settings(Codec::Zstd(1), 400_000));
}

#[test]
fn pages_end_by_rows_and_by_bytes_where_the_librarys_end() {
    let settings = settings(Codec::Zstd(3), 131_072);
    for (place, name) in NAMES.into_iter().enumerate() {
        for (nulls, nullable) in [(0, false), (0, true), (3, true), (5, true)] {
            let like = |values| Like { kind: 0, values, nulls, nullable, seed: place as u64 };
            let rows = table(&[(name, like(4))], 60_000);
            hold(&rows, &[100, 8_000, 8_193, 50_000], &settings);
            hold(&table(&[(name, like(1))], 50_000), &[20_000], &settings);
        }
    }
}

#[test]
fn whether_an_array_has_room_for_nulls_decides_about_no_byte() {
    // Only the first of these batches has one; the others are slices of the same array.
    let like = Like { kind: 0, values: 9, nulls: 7, nullable: true, seed: 1 };
    for name in NAMES {
        hold(&table(&[(name, like.clone())], 30_000), &[8_192, 16_384], &settings(Codec::Zstd(3), 131_072));
    }
}

#[test]
fn batches_that_end_by_bytes_are_the_librarys() {
    let text = |row: usize| (!row.is_multiple_of(5)).then(|| "x".repeat(if row < 40 { 3 << 20 } else { 9 }));
    for name in ["id", "actor"] {
        let texts: StringArray = (0..9_000).map(text).collect();
        hold(&one(name, Arc::new(texts), true), &[10, 30, 31, 700], &settings(Codec::Zstd(3), 131_072));
    }
}

#[test]
fn letters_that_stand_where_a_row_is_null_are_no_text() {
    let nulls = Like { kind: 0, values: 1, nulls: 2, nullable: true, seed: 3 }.column(20_000);
    for name in NAMES {
        let texts = Like { kind: 0, values: 9, nulls: 0, nullable: true, seed: 4 }.column(20_000);
        let data = texts.to_data().into_builder().nulls(nulls.nulls().cloned()).build().unwrap();
        hold(&one(name, make_array(data), true), &[5_000], &settings(Codec::Zstd(3), 131_072));
    }
}

#[test]
fn a_null_where_none_may_be_is_refused() {
    let given = one("actor", Arc::new(StringArray::from(vec![Some("a"), None])), true);
    let schema = Arc::new(Schema::new(vec![Field::new("actor", DataType::Utf8, false)]));
    let mut batches = std::iter::once(Ok(given));
    let metadata = FileMetadata::new();
    let error = write(&schema, &mut batches, &metadata, &Settings::default(), &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), crate::error::Kind::Bug);
}
