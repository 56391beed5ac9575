use std::collections::HashMap;

use super::properties::{CREATED_BY, quick};
use super::*;
use crate::encode::settings::Codec;
use crate::encode::{BATCH_ROWS, Threads, encode, read as read_file};
use crate::model::Format;
use ::parquet::basic::{Compression, Encoding, LogicalType, PageType, TimeUnit, Type};
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use arrow_array::{ArrayRef, BooleanArray, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, TimeUnit as ArrowUnit};
use proptest::prelude::*;

fn schema() -> SchemaRef {
    let description = |text: &str| HashMap::from([("description".to_owned(), text.to_owned())]);
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, true).with_metadata(description("Identity")),
        Field::new("created_at", DataType::Timestamp(ArrowUnit::Microsecond, Some("UTC".into())), true),
        Field::new("event_type", DataType::Utf8, true),
        Field::new("known", DataType::Boolean, false),
        Field::new("weight", DataType::Int64, true),
        Field::new("context_json", DataType::Utf8, true),
    ]))
}

fn rows(count: usize) -> RecordBatch {
    let text = |make: &dyn Fn(usize) -> Option<String>| -> ArrayRef {
        Arc::new(StringArray::from((0..count).map(make).collect::<Vec<_>>()))
    };
    let time: Vec<_> = (0..count).map(|row| (row % 97 != 5).then_some(1_000_000 * row as i64)).collect();
    RecordBatch::try_new(
        schema(),
        vec![
            text(&|row| Some(format!("{:08x}-id", row * 7919))),
            Arc::new(TimestampMicrosecondArray::from(time).with_timezone("UTC")),
            text(&|row| (row % 5 != 0).then(|| format!("TYPE_{}", row % 3))),
            Arc::new(BooleanArray::from((0..count).map(|row| row % 2 == 0).collect::<Vec<_>>())),
            Arc::new(Int64Array::from(
                (0..count).map(|row| (row % 4 > 0).then_some(row as i64)).collect::<Vec<_>>(),
            )),
            text(&|row| (row % 7 != 0).then(|| format!("{{\"n\":{row}}}"))),
        ],
    )
    .unwrap()
}

fn metadata() -> FileMetadata {
    FileMetadata::new().with("vonage_audit.schema_version", "1.0.0").with("a", "first")
}

fn file(batches: &[RecordBatch]) -> Bytes {
    let mut out = Vec::new();
    let encoded =
        encode(Format::Parquet, &schema(), batches, &metadata(), &Settings::default(), &mut out).unwrap();
    assert_eq!(encoded.bytes, out.len() as u64);
    assert_eq!(encoded.rows, batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>());
    out.into()
}

#[test]
fn rows_read_back_as_they_were_written() {
    let batch = rows(3 * BATCH_ROWS + 11);
    let table = read_file(
        Format::Parquet,
        file(std::slice::from_ref(&batch)),
        &Settings::default(),
        ReadLimits::default(),
    )
    .unwrap();
    let plain = Arc::new(Schema::new(
        schema()
            .fields()
            .iter()
            .map(|field| field.as_ref().clone().with_metadata(HashMap::<String, String>::new()))
            .collect::<Vec<_>>(),
    ));
    let read = arrow_select::concat::concat_batches(&table.schema, &table.batches).unwrap();
    let read = RecordBatch::try_new(Arc::clone(&plain), read.columns().to_vec()).unwrap();
    assert_eq!(read, RecordBatch::try_new(plain, batch.columns().to_vec()).unwrap());
    assert_eq!(table.metadata, metadata());
}

#[test]
fn a_file_without_rows_is_a_file() {
    let table = read_file(Format::Parquet, file(&[]), &Settings::default(), ReadLimits::default()).unwrap();
    assert_eq!(table.schema.fields().len(), 6);
    assert_eq!(table.batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
}

#[test]
fn the_layout_is_the_promised_one() {
    let bytes = file(&[rows(150_000)]);
    let reader = SerializedFileReader::new(bytes.clone()).unwrap();
    let metadata = reader.metadata();
    assert_eq!(metadata.file_metadata().created_by(), Some(CREATED_BY));
    assert_eq!(metadata.num_row_groups(), 2);
    assert_eq!(metadata.row_group(0).num_rows(), 131_072);
    let sorting = metadata.row_group(0).sorting_columns().unwrap();
    assert_eq!(sorting.iter().map(|column| column.column_idx).collect::<Vec<_>>(), [1, 0]);

    let keys: Vec<_> =
        metadata.file_metadata().key_value_metadata().unwrap().iter().map(|pair| pair.key.as_str()).collect();
    assert_eq!(keys, ["a", "vonage_audit.schema_version", ARROW_SCHEMA]);

    for (position, (dictionary, statistics)) in
        [(false, true), (false, true), (true, true), (false, true), (true, true), (false, false)]
            .into_iter()
            .enumerate()
    {
        let column = metadata.row_group(0).column(position);
        let name = column.column_path().string();
        assert!(matches!(column.compression(), Compression::ZSTD(_)), "{name}");
        assert_eq!(column.dictionary_page_offset().is_some(), dictionary, "{name}");
        assert_eq!(column.statistics().is_some(), statistics, "{name}");
        assert_eq!(column.column_index_offset().is_some(), statistics, "{name}");
        assert!(column.offset_index_offset().is_some(), "{name}");
        assert!(column.bloom_filter_offset().is_none(), "{name}");
    }
    assert!(
        metadata.row_group(0).column(1).encodings().any(|encoding| encoding == Encoding::DELTA_BINARY_PACKED)
    );

    let time = metadata.file_metadata().schema_descr().column(1);
    assert_eq!(time.physical_type(), Type::INT64);
    let Some(LogicalType::Timestamp(kind)) = time.logical_type_ref() else { panic!("not a timestamp") };
    assert!(kind.is_adjusted_to_u_t_c);
    assert_eq!(kind.unit, TimeUnit::MICROS);

    let group = reader.get_row_group(0).unwrap();
    for column in 0..group.num_columns() {
        for page in group.get_column_page_reader(column).unwrap() {
            assert_ne!(page.unwrap().page_type(), PageType::DATA_PAGE_V2);
        }
    }
}

#[test]
fn descriptions_reach_readers_of_the_arrow_schema() {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file(&[rows(3)])).unwrap();
    assert_eq!(builder.schema().field(0).metadata().get("description").map(String::as_str), Some("Identity"));
    assert_eq!(builder.schema().field(0).data_type(), &DataType::Utf8);
}

#[test]
fn damaged_files_and_limits_are_errors() {
    let whole = file(&[rows(100)]);
    for cut in [0, 3, 4, 8, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
        let error =
            read_file(Format::Parquet, whole.slice(..cut), &Settings::default(), ReadLimits::default())
                .unwrap_err();
        assert_eq!(error.kind(), Kind::Verification, "{cut}");
    }
    let few = ReadLimits { rows: 99, ..ReadLimits::default() };
    assert!(read_file(Format::Parquet, whole.clone(), &Settings::default(), few).is_err());
    let small = ReadLimits { memory: 100, ..ReadLimits::default() };
    assert!(read_file(Format::Parquet, whole, &Settings::default(), small).is_err());
}

#[test]
fn no_damaged_byte_makes_the_reader_panic() {
    let whole = file(&[rows(40)]);
    for position in 0..whole.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut damaged = whole.to_vec();
            damaged[position] ^= change;
            // What matters is that it returns: a damaged value may well be a value.
            let _ = read_file(Format::Parquet, damaged.into(), &Settings::default(), ReadLimits::default());
        }
    }
}

#[test]
fn a_batch_with_other_columns_is_refused() {
    let other = rows(5).project(&[0, 1]).unwrap();
    let error = encode(
        Format::Parquet,
        &schema(),
        &[rows(5), other],
        &metadata(),
        &Settings::default(),
        &mut Vec::new(),
    )
    .unwrap_err();
    assert_eq!(error.kind(), Kind::Bug);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_bytes_do_not_depend_on_how_rows_are_handed_over(
        cuts in proptest::collection::vec(0_usize..20_000, 0..12),
        count in prop_oneof![0_usize..300, 8_150_usize..8_250, 16_000_usize..20_000],
    ) {
        let all = rows(count);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(count)).collect();
        cuts.extend([0, count]);
        cuts.sort_unstable();
        let parts: Vec<_> = cuts.windows(2).map(|pair| all.slice(pair[0], pair[1] - pair[0])).collect();
        prop_assert_eq!(file(&parts), file(&[all]));
    }
}

#[test]
fn the_number_of_threads_decides_about_no_byte() {
    let own_writer = |batch: &RecordBatch, settings: &Settings| {
        let schema = Arc::new(Schema::new(schema().fields().clone()));
        let all = Some(std::slice::from_ref(batch)).filter(|_| batch.num_rows() < BATCH_ROWS);
        let properties = properties(&schema, all, &metadata(), settings).unwrap();
        let options = ArrowWriterOptions::new().with_properties(properties);
        let mut out = Vec::new();
        let mut writer = ArrowWriter::try_new_with_options(&mut out, Arc::clone(&schema), options).unwrap();
        for from in (0..batch.num_rows()).step_by(BATCH_ROWS) {
            writer.write(&batch.slice(from, BATCH_ROWS.min(batch.num_rows() - from))).unwrap();
        }
        writer.close().unwrap();
        out
    };
    // Around the ends of batches and of row groups, and groups that begin within a batch.
    for (count, group) in
        [(0, 10_000), (1, 10_000), (9_000, 1_000), (20_001, 10_000), (16_384, 8_192), (30_000, 7)]
    {
        let batch = rows(count.min(group * 3_000));
        let plain = Settings { row_group_rows: group, ..Settings::default() };
        let expected = own_writer(&batch, &plain);
        for threads in [1, 2, 7] {
            let settings = Settings { threads: Threads::new(threads), ..plain.clone() };
            let mut out = Vec::new();
            let batches = std::slice::from_ref(&batch);
            encode(Format::Parquet, &schema(), batches, &metadata(), &settings, &mut out).unwrap();
            assert!(out == expected, "{count} rows, groups of {group}, {threads} threads");
            assert_eq!(settings.threads.hold(usize::MAX).count(), threads);
        }
    }
}

/// What a file's first row group says of each column: whether it is compressed, and whether it has a dictionary.
fn kinds(bytes: &Bytes) -> Vec<(bool, bool)> {
    let reader = SerializedFileReader::new(bytes.clone()).unwrap();
    let group = reader.metadata().row_group(0).clone();
    let of = |column: &::parquet::file::metadata::ColumnChunkMetaData| {
        (column.compression() != Compression::UNCOMPRESSED, column.dictionary_page_offset().is_some())
    };
    group.columns().iter().map(of).collect()
}

#[test]
fn a_short_file_compresses_what_is_worth_it_and_a_long_one_everything() {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let names = [
        "source",
        "event_type",
        "actor",
        "target_ip",
        "app_id",
        "target_id",
        "unmapped_json",
        "context_json",
    ];
    let schema = Arc::new(Schema::new(names.map(text).to_vec()));
    let rows = |count: usize| {
        let column = |make: &dyn Fn(usize) -> Option<String>| -> ArrayRef {
            Arc::new((0..count).map(make).collect::<StringArray>())
        };
        let id = |row: usize| format!("{:016x}", (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let columns = vec![
            column(&|_| Some("DEVAPI".to_owned())),
            column(&|row| Some(format!("TYPE_{}", row % 5))),
            column(&|row| Some(format!("somebody{}@example.com", row % 50))),
            column(&|_| None),
            column(&|row| Some(id(row))),
            column(&|row| (row % 3 > 0).then(|| id(row % 40))),
            column(&|_| None),
            column(&|row| Some(format!("{{\"n\":{row},\"country\":\"DE\"}}"))),
        ];
        RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()
    };
    let plain = [(false, true), (false, true), (true, true), (false, false), (true, false), (true, true)];
    let json = [(false, false), (true, false)];
    let short = written(&rows(300), Codec::Zstd(3));
    assert_eq!(kinds(&short), [&plain[..], &json].concat());
    for count in [1, 300, BATCH_ROWS - 1, BATCH_ROWS, BATCH_ROWS + 1] {
        for codec in [Codec::Zstd(3), Codec::Snappy, Codec::Gzip(6), Codec::Plain] {
            let bytes = written(&rows(count), codec);
            assert_eq!(read_back(bytes, &rows(count)), rows(count), "{count} {codec:?}");
        }
    }
    // As many rows as a batch has may be followed by others, about which the first ones say nothing.
    let long = written(&rows(BATCH_ROWS), Codec::Zstd(3));
    assert_eq!(kinds(&long), [vec![(true, true); 6], vec![(true, false); 2]].concat());
}

#[test]
fn long_rows_make_no_short_file_of_its_first_batch() {
    let schema = Arc::new(Schema::new(vec![
        Field::new("context_json", DataType::Utf8, true),
        Field::new("target_ip", DataType::Utf8, true),
    ]));
    let texts: StringArray = (0..80).map(|_| Some("x".repeat(1 << 20))).collect();
    let late: StringArray = (0..80).map(|row| (row > 70).then_some("192.0.2.1")).collect();
    let batch = RecordBatch::try_new(schema, vec![Arc::new(texts), Arc::new(late)]).unwrap();
    let bytes = written(&batch, Codec::Zstd(3));
    assert_eq!(kinds(&bytes), [(true, false), (true, true)]);
    assert_eq!(read_back(bytes, &batch), batch);
}

/// Columns of random digits: an id, its link, and what the row is about.
fn digits(rows: &[(String, Option<String>, Option<String>)]) -> RecordBatch {
    let schema = Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("link_self_href", DataType::Utf8, true),
        Field::new("target_id", DataType::Utf8, true),
    ]);
    let ids: StringArray = rows.iter().map(|row| Some(row.0.as_str())).collect();
    let links: StringArray = rows.iter().map(|row| row.1.as_deref()).collect();
    let targets: StringArray = rows.iter().map(|row| row.2.as_deref()).collect();
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(ids), Arc::new(links), Arc::new(targets)]).unwrap()
}

fn written(batch: &RecordBatch, codec: Codec) -> Bytes {
    let settings = Settings { parquet: codec, ..Settings::default() };
    let (schema, batches) = (batch.schema(), std::slice::from_ref(batch));
    let mut out = Vec::new();
    encode(Format::Parquet, &schema, batches, &metadata(), &settings, &mut out).unwrap();
    out.into()
}

fn read_back(bytes: Bytes, like: &RecordBatch) -> RecordBatch {
    let table = read_file(Format::Parquet, bytes, &Settings::default(), ReadLimits::default()).unwrap();
    let read = arrow_select::concat::concat_batches(&table.schema, &table.batches).unwrap();
    RecordBatch::try_new(like.schema(), read.columns().to_vec()).unwrap()
}

#[test]
fn random_digits_have_encodings_of_their_own_beside_the_codec_that_as_few_old_readers_know() {
    let row = |row: u64| {
        let id = format!("{:016x}{:016x}", row.wrapping_mul(0x9e37_79b9_7f4a_7c15), row);
        (id.clone(), Some(format!("https://api.example.com/v2/events/{id}")), Some(format!("{}", row % 7)))
    };
    let batch = digits(&(0..9_000).map(row).collect::<Vec<_>>());
    let link = |codec| {
        let bytes = written(&batch, codec);
        assert_eq!(read_back(bytes.clone(), &batch), batch);
        let reader = SerializedFileReader::new(bytes).unwrap();
        let has = |column: usize, encoding: Encoding| {
            reader.metadata().row_group(0).column(column).encodings().any(|one| one == encoding)
        };
        let new = [has(0, Encoding::DELTA_LENGTH_BYTE_ARRAY), has(1, Encoding::DELTA_BYTE_ARRAY)];
        (new, reader.metadata().row_group(0).column(1).uncompressed_size())
    };
    let (new, short) = link(Codec::Zstd(3));
    assert_eq!(new, [true; 2]);
    for codec in [Codec::Plain, Codec::Snappy, Codec::Gzip(6)] {
        let (new, long) = link(codec);
        assert_eq!(new, [false; 2]);
        assert!(long > short * 3 / 2, "{long} {short}");
    }
    assert_eq!([1, 3, 4, 22].map(|level| quick(Codec::Zstd(level))), [1, 1, 4, 22].map(Codec::Zstd));
}

proptest! {
    #[test]
    fn whatever_stands_in_columns_of_digits_comes_back(
        rows in proptest::collection::vec(
            (any::<String>(), any::<Option<String>>(), proptest::option::of("[ab]{0,3}|.{0,9}")), 0..60),
        again in 1_usize..40,
        codec in prop_oneof![Just(Codec::Zstd(3)), Just(Codec::Zstd(9)), Just(Codec::Plain)],
    ) {
        let batch = digits(&rows.iter().cycle().take(rows.len() * again).cloned().collect::<Vec<_>>());
        prop_assert_eq!(read_back(written(&batch, codec), &batch), batch);
    }
}
