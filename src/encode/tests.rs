//! What holds for every format, codec and shape alike: rows come back, their cut does not matter, and nothing that is
//! damaged, prolonged or too large is taken.

pub(super) mod rows;

use std::io::Write;

use self::rows::{Row, any_rows, batch, schema, text};
use super::*;
use crate::error::{Kind, Result};
use crate::model::{Format, Formulas, Layout, Lines, Packing};
use arrow_array::RecordBatch;
use arrow_schema::DataType;
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use proptest::prelude::*;

fn many(count: usize) -> Vec<Row> {
    (0..count)
        .map(|row| {
            let number = i64::try_from(row).unwrap();
            let text = format!("{{\"n\":{row},\"t\":\"=\u{e9}\"}}");
            (
                Some(format!("{row:08x}")),
                (row % 9 > 0).then_some(number * 1_000_003),
                (row % 3 > 0).then_some(row % 2 == 0),
                Some(-7),
                (row % 5 > 0).then_some(i64::MAX - number),
                (row % 4 > 0).then_some(text),
            )
        })
        .collect()
}

fn key(byte: u8, length: usize) -> FooterKey {
    FooterKey::parse(&vec![byte | 0x80; length]).unwrap()
}

/// Every way to write columns, with whether its bytes are a function of the rows.
fn ways() -> Vec<(Format, Settings, bool)> {
    let mut ways = Vec::new();
    for parquet in
        [Codec::Plain, Codec::Snappy, Codec::Gzip(0), Codec::Gzip(9), Codec::Zstd(1), Codec::Zstd(22)]
    {
        for (group, encryption) in [(131_072, None), (1_000, None), (131_072, Some(key(1, 16)))] {
            if parquet == Codec::Zstd(22) && group == 1_000 {
                continue; // a second for each row group
            }
            let deterministic = encryption.is_none();
            let settings =
                Settings { parquet, row_group_rows: group, key: encryption, ..Settings::default() };
            ways.push((Format::Parquet, settings, deterministic));
        }
    }
    ways.push((Format::Parquet, Settings { key: Some(key(2, 32)), ..Settings::default() }, false));
    for (packing, levels) in [
        (Packing::Plain, vec![None]),
        (Packing::Gzip, vec![None, Some(0), Some(9)]),
        (Packing::Zstd, vec![None, Some(1), Some(22)]),
    ] {
        for level in levels {
            for formulas in [Formulas::Guarded, Formulas::Plain] {
                let layout = Layout { csv: packing, formulas, ..Layout::default() };
                ways.push((Format::Csv, Settings { csv_level: level, ..Settings::new(layout) }, true));
            }
            let layout = Layout { ndjson: packing, lines: Lines::Flat, ..Layout::default() };
            ways.push((Format::Ndjson, Settings { ndjson_level: level, ..Settings::new(layout) }, true));
        }
    }
    ways
}

fn file(format: Format, settings: &Settings, batches: &[RecordBatch]) -> Bytes {
    let mut out = Vec::new();
    let encoded = encode(format, &schema(), batches, &FileMetadata::new(), settings, &mut out).unwrap();
    assert_eq!(encoded.bytes, out.len() as u64);
    out.into()
}

fn back(format: Format, settings: &Settings, bytes: Bytes) -> Result<RecordBatch> {
    let table = read_typed(format, bytes, &schema(), settings, ReadLimits::default())?;
    Ok(concat_batches(&table.schema, &table.batches).unwrap())
}

#[test]
fn in_every_way_rows_come_back_and_their_cut_does_not_matter() {
    let rows = many(BATCH_ROWS + 300);
    let whole = batch(&rows);
    let parts: Vec<_> = rows.chunks(977).map(batch).collect();
    let ways = ways();
    for (format, settings, deterministic) in &ways {
        let bytes = file(*format, settings, std::slice::from_ref(&whole));
        let again = file(*format, settings, &parts);
        assert_eq!(bytes == again, *deterministic, "{format:?} {settings:?}");
        assert_eq!(back(*format, settings, bytes).unwrap(), whole, "{format:?} {settings:?}");
        assert_eq!(back(*format, settings, again).unwrap(), whole, "{format:?} {settings:?}");
    }
    println!("{} combinations of format, codec, level, guard, row groups and encryption", ways.len());
}

#[test]
fn whoever_has_another_key_or_none_reads_nothing_and_a_plain_file_is_not_taken_for_an_encrypted_one() {
    let with = |key: Option<FooterKey>| Settings { key, parquet: Codec::Plain, ..Settings::default() };
    let rows = batch(&many(30));
    let secret = file(Format::Parquet, &with(Some(key(1, 16))), std::slice::from_ref(&rows));
    let plain = file(Format::Parquet, &with(None), std::slice::from_ref(&rows));
    for text in ["00000007", "context_json", "vonage-audit"] {
        assert!(plain.windows(text.len()).any(|part| part == text.as_bytes()), "{text}");
        assert!(!secret.windows(text.len()).any(|part| part == text.as_bytes()), "{text}");
    }
    for (bytes, key) in [
        (&secret, None),
        (&secret, Some(key(2, 16))),
        (&secret, Some(key(1, 32))),
        (&plain, Some(key(1, 16))),
    ] {
        let error = back(Format::Parquet, &with(key), bytes.clone()).unwrap_err();
        assert_eq!(error.kind(), Kind::Verification);
        assert!(!error.to_string().contains("\u{81}"), "{error}");
    }
}

#[test]
fn a_damaged_file_is_refused_or_holds_the_same_rows() {
    let rows = batch(&many(12));
    let (mut tried, mut refused) = (0, 0);
    // The level changes nothing about how a file is read.
    let chosen = |(format, settings, _): &(Format, Settings, bool)| match format {
        Format::Parquet => {
            matches!(settings.parquet, Codec::Snappy | Codec::Zstd(1)) && settings.row_group_rows > 1_000
        }
        Format::Csv => settings.csv_level.is_none() && settings.layout.formulas == Formulas::Guarded,
        Format::Ndjson => settings.ndjson_level.is_none(),
    };
    for (format, settings, _) in ways().into_iter().filter(chosen) {
        let whole = file(format, &settings, std::slice::from_ref(&rows));
        let guarded = match format {
            // Tags and checksums guard every value, so that what is read is what was written.
            Format::Parquet => settings.key.is_some(),
            Format::Csv => settings.layout.csv != Packing::Plain,
            Format::Ndjson => settings.layout.ndjson != Packing::Plain,
        };
        for position in 0..whole.len() {
            for change in [0x01, 0x80] {
                let mut damaged = whole.to_vec();
                damaged[position] ^= change;
                tried += 1;
                match back(format, &settings, damaged.into()) {
                    Ok(read) if guarded => assert_eq!(read, rows, "{format:?} {settings:?} {position}"),
                    Ok(_) => {}
                    Err(error) => {
                        assert_eq!(error.kind(), Kind::Verification);
                        refused += 1;
                    }
                }
            }
        }
        if guarded {
            for cut in 0..whole.len() {
                assert!(
                    back(format, &settings, whole.slice(..cut)).is_err(),
                    "{format:?} {settings:?} {cut}"
                );
            }
        }
    }
    println!("{tried} damaged files, {refused} refused");
    assert!(refused > tried / 2);
}

#[test]
fn what_is_compressed_otherwise_is_refused() {
    let gzip = |text: &[u8], builder: flate2::GzBuilder| {
        let mut out = builder.write(Vec::new(), flate2::Compression::default());
        out.write_all(text).unwrap();
        out.finish().unwrap()
    };
    let zstd = |text: &[u8], checksum: bool| {
        let mut out = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        out.include_checksum(checksum).unwrap();
        out.write_all(text).unwrap();
        out.finish().unwrap()
    };
    let text = b"id\r\na\r\n".as_slice();
    let builder = flate2::GzBuilder::new;
    let layout = |csv| Settings::new(Layout { csv, ..Layout::default() });
    let read_as = |packing, bytes: Vec<u8>| {
        read(Format::Csv, bytes.into(), &layout(packing), ReadLimits::default())
            .map(|table| table.batches.len())
    };
    assert_eq!(read_as(Packing::Gzip, gzip(text, builder())).unwrap(), 1);
    assert_eq!(read_as(Packing::Zstd, zstd(text, true)).unwrap(), 1);
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0][..], &zstd(text, true)].concat();
    for (packing, bytes) in [
        (Packing::Gzip, text.to_vec()),
        (Packing::Gzip, Vec::new()),
        (Packing::Gzip, zstd(text, true)),
        (Packing::Gzip, gzip(text, builder().mtime(1))),
        (Packing::Gzip, gzip(text, builder().filename("events.csv"))),
        (Packing::Gzip, gzip(text, builder().comment("x"))),
        (Packing::Gzip, gzip(text, builder().operating_system(3))),
        (Packing::Gzip, [gzip(text, builder()), gzip(b"b\r\n", builder())].concat()),
        (Packing::Gzip, [gzip(text, builder()), vec![0]].concat()),
        (Packing::Zstd, text.to_vec()),
        (Packing::Zstd, Vec::new()),
        (Packing::Zstd, gzip(text, builder())),
        (Packing::Zstd, zstd(text, false)),
        (Packing::Zstd, [zstd(text, true), zstd(b"b\r\n", true)].concat()),
        (Packing::Zstd, [zstd(text, true), vec![0]].concat()),
        (Packing::Zstd, skippable),
        (Packing::Plain, gzip(text, builder())),
    ] {
        let error = read_as(packing, bytes.clone()).unwrap_err();
        assert_eq!(error.kind(), Kind::Verification, "{packing:?} {bytes:?}");
    }
}

#[test]
fn a_bomb_is_refused_without_being_unpacked() {
    let limits = ReadLimits { memory: 8 << 20, ..ReadLimits::default() };
    let zeros = vec![0_u8; 64 << 20];
    for packing in [Packing::Gzip, Packing::Zstd] {
        let mut bomb = Vec::new();
        let filled = |out: &mut dyn Write| {
            out.write_all(&zeros).unwrap();
            Ok(())
        };
        packing::write(packing, 9, &mut bomb, filled).unwrap();
        assert!(bomb.len() < 1 << 20, "{}", bomb.len());
        let layout = Layout { csv: packing, ndjson: packing, lines: Lines::Flat, ..Layout::default() };
        let settings = Settings::new(layout);
        for format in [Format::Csv, Format::Ndjson] {
            let bomb = Bytes::from(bomb.clone());
            let error = read_typed(format, bomb, &schema(), &settings, limits).unwrap_err();
            assert!(error.to_string().contains("bytes of text"), "{error}");
        }
    }
}

fn flat() -> Settings {
    Settings::new(Layout { lines: Lines::Flat, ..Layout::default() })
}

#[test]
fn the_bytes_of_flat_lines_are_these() {
    let rows: Vec<Row> = vec![
        (Some(String::new()), Some(1_774_664_040_000_000), Some(true), Some(-5), Some(i64::MIN), None),
        (Some("=\"\\\u{1}\u{2028}".into()), Some(1_774_664_040_000_001), None, None, None, Some("{}".into())),
    ];
    let expected = concat!(
        r#"{"id":"","created_at":"2026-03-28T02:14:00Z","known":true,"small":-5,"large":-9223372036854775808,"context_json":null}"#,
        "\n",
        r#"{"id":"=\"\\\u0001"#,
        "\u{2028}",
        r#"","created_at":"2026-03-28T02:14:00.000001Z","known":null,"small":null,"large":null,"context_json":"{}"}"#,
        "\n",
    );
    assert_eq!(file(Format::Ndjson, &flat(), &[batch(&rows)]), expected.as_bytes());
    assert_eq!(back(Format::Ndjson, &flat(), expected.into()).unwrap(), batch(&rows));
}

#[test]
fn flat_lines_that_would_not_have_been_written_are_refused() {
    let line = |id: &str, at: &str, known: &str, large: &str| {
        format!(
            r#"{{"id":{id},"created_at":{at},"known":{known},"small":null,"large":{large},"context_json":null}}"#
        )
    };
    let good = line("\"a\"", "null", "null", "1");
    assert!(back(Format::Ndjson, &flat(), format!("{good}\n").into()).is_ok());
    let at = |text: &str| line("\"a\"", text, "null", "1");
    for wrong in [
        String::new(),
        "{}".into(),
        "[]".into(),
        format!(" {good}"),
        format!("{good} "),
        format!("{good}\r"),
        good.replace(':', ": "),
        good.replace("\"id\"", "\"\\u0069d\""),
        good.replace("\"small\":null,", ""),
        good.replace("\"small\":null,", "\"small\":null,\"small\":null,"),
        good.replace("\"small\":null,\"large\":1", "\"large\":1,\"small\":null"),
        good.replace("}", ",\"more\":null}"),
        line("1", "null", "null", "1"),
        line("\"\\u0061\"", "null", "null", "1"),
        line("\"\\ud800\"", "null", "null", "1"),
        line("\"a\"", "null", "\"true\"", "1"),
        line("\"a\"", "null", "0", "1"),
        line("\"a\"", "null", "null", "1.0"),
        line("\"a\"", "null", "null", "1e0"),
        line("\"a\"", "null", "null", "-0"),
        line("\"a\"", "null", "null", "\"1\""),
        line("\"a\"", "null", "null", "9223372036854775808"),
        at("\"2026-03-28T02:14:00\""),
        at("\"2026-03-28T02:14:00.5Z\""),
        at("\"2026-03-28T02:14:00.000000Z\""),
        at("\"2026-03-28T02:14:00+00:00\""),
        at("1774664040"),
    ] {
        let text = format!("{good}\n{wrong}\n");
        let error = back(Format::Ndjson, &flat(), text.into()).unwrap_err();
        assert_eq!(error.kind(), Kind::Verification, "{wrong}");
    }
    for bytes in [good.clone().into_bytes(), [b"\xef\xbb\xbf", good.as_bytes(), b"\n"].concat()] {
        assert!(back(Format::Ndjson, &flat(), bytes.into()).is_err());
    }
}

#[test]
fn an_older_files_columns_are_its_own() {
    let text = "{\"id\":\"a\",\"known\":true}\n";
    let table = back(Format::Ndjson, &flat(), text.into()).unwrap();
    assert_eq!(table.num_columns(), 2);
    assert_eq!(table.schema().field(1).data_type(), &DataType::Boolean);
}

#[test]
fn a_stream_is_the_same_in_any_cut_and_has_its_header_once() {
    let rows = many(3_000);
    let kinds = [
        StreamFormat::Ndjson(Lines::Flat),
        StreamFormat::Csv(Formulas::Guarded),
        StreamFormat::Csv(Formulas::Plain),
        StreamFormat::Arrow,
    ];
    for kind in kinds {
        let stream = |cuts: &[usize]| {
            let mut stream = RowStream::new(kind, &schema()).unwrap();
            let mut out = Vec::new();
            // Two windows, each handed over in its own cut.
            for (window, cut) in rows.chunks(1_500).zip(cuts) {
                let mut take = |bytes| {
                    out.extend::<Vec<u8>>(bytes);
                    Ok(())
                };
                stream.rows(&mut window.chunks(*cut).map(|rows| Ok(batch(rows))), &mut take).unwrap();
            }
            out.extend(stream.end().unwrap());
            out
        };
        assert_eq!(stream(&[1_500, 1_500]), stream(&[7, 911]), "{kind:?}");
        let empty = RowStream::new(kind, &schema()).unwrap().end().unwrap();
        match kind {
            StreamFormat::Csv(_) => assert!(empty.ends_with(b"context_json\r\n")),
            StreamFormat::Ndjson(_) => assert!(empty.is_empty()),
            StreamFormat::Arrow => assert!(empty.ends_with(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])),
        }
        if let StreamFormat::Csv(formulas) = kind {
            let settings = Settings::new(Layout { formulas, ..Layout::default() });
            assert_eq!(stream(&[9, 9]), file(Format::Csv, &settings, &[batch(&rows)]));
        }
    }
}

#[test]
fn csvw_documents_are_a_function_of_table_and_layout() {
    let table = |layout: &Layout| csvw_table(&schema(), layout, "../../csv/**/*.csv");
    let guarded = table(&Layout::default());
    assert_eq!(guarded, table(&Layout::default()));
    assert!(guarded.contains("apostrophe") && guarded.ends_with("}\n"));
    let plain = table(&Layout { formulas: Formulas::Plain, csv: Packing::Gzip, ..Layout::default() });
    assert!(!plain.contains("apostrophe") && plain.contains(".gz"));
    let document: serde_json::Value = serde_json::from_str(&guarded).unwrap();
    assert_eq!(document["tableSchema"]["columns"][1]["datatype"], "dateTimeStamp");
}

proptest! {
    #[test]
    fn any_rows_come_back_from_flat_lines_and_another_reader_agrees(
        rows in any_rows(),
        packing in proptest::sample::select(vec![Packing::Plain, Packing::Gzip, Packing::Zstd]),
    ) {
        let settings = Settings::new(Layout { ndjson: packing, lines: Lines::Flat, ..Layout::default() });
        let batch = batch(&rows);
        let bytes = file(Format::Ndjson, &settings, std::slice::from_ref(&batch));
        prop_assert_eq!(back(Format::Ndjson, &settings, bytes.clone()).unwrap(), batch);
        if packing == Packing::Plain {
            let lines = std::str::from_utf8(&bytes).unwrap().lines();
            for (line, row) in lines.zip(&rows) {
                let value: serde_json::Value = serde_json::from_str(line).unwrap();
                prop_assert_eq!(value["id"].as_str(), row.0.as_deref());
                prop_assert_eq!(value["known"].as_bool(), row.2);
                prop_assert_eq!(value["large"].as_i64(), row.4);
                prop_assert_eq!(value["context_json"].as_str(), row.5.as_deref());
            }
        }
    }

    #[test]
    fn unguarded_csv_gives_every_text_back_as_it_is(texts in proptest::collection::vec(text(), 1..20)) {
        let settings = Settings::new(Layout { formulas: Formulas::Plain, ..Layout::default() });
        let rows: Vec<Row> = texts.into_iter().map(|text| (text, None, None, None, None, None)).collect();
        let bytes = file(Format::Csv, &settings, &[batch(&rows)]);
        prop_assert_eq!(back(Format::Csv, &settings, bytes.clone()).unwrap(), batch(&rows));
        let mut reader = ::csv::Reader::from_reader(bytes.as_ref());
        for (record, row) in reader.records().zip(&rows) {
            prop_assert_eq!(&record.unwrap()[0], row.0.as_deref().unwrap_or_default());
        }
    }
}
