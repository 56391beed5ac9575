//! The settings of a Parquet file, each with its reason.
//!
//! What lives here: [`properties()`]. Every setting that decides bytes is set here and not left to the library's defaults, which
//! change between its versions. What this file must not know: how rows come, where bytes go.

use std::sync::Arc;

use ::parquet::basic::{Compression, Encoding, GzipLevel, ZstdLevel};
use ::parquet::encryption::encrypt::FileEncryptionProperties;
use ::parquet::file::metadata::{KeyValue, SortingColumn};
use ::parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use ::parquet::schema::types::ColumnPath;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};

use super::contents::Content;
use super::unwritten;
use crate::encode::columns::{self, Class};
use crate::encode::file::FileMetadata;
use crate::encode::settings::{Codec, Settings};
use crate::error::{Error, Result};

/// Names the writer in each file; the version is part of what decides the bytes.
pub(super) const CREATED_BY: &str = concat!("vonage-audit ", env!("CARGO_PKG_VERSION"));

/// Rows of a page at most, so that the page index can skip within a row group.
const PAGE_ROWS: usize = 20_000;

/// Bytes of a page or dictionary at most, before compression.
const PAGE_BYTES: usize = 1 << 20;

/// The same for JSON texts: shorter ones would hide too many repetitions, longer ones do not stay in the processor's caches.
const JSON_PAGE_BYTES: usize = 512 << 10;

/// The same for random digits. Zstandard's tables for so short a page stay in the processor's caches, and its
/// parameters for 128 to 256 KiB would look for repetitions of four letters, which random digits are full of.
const DIGIT_PAGE_BYTES: usize = 80 << 10;

/// Up to this level of Zstandard, columns other than JSON are compressed at level 1. It makes random digits smaller than 3 does,
/// since a repetition of a few digits takes more to say than the digits; indices of a dictionary are as long after both. Who asks
/// for more gets it.
const ORDINARY_ZSTD: i32 = 3;

/// Bytes of text kept as a smallest or largest value.
const STATISTICS_BYTES: usize = 64;

/// The settings of a file; `all` are its rows, where all of them are known before it begins.
pub(super) fn properties(
    schema: &Schema,
    all: Option<&[RecordBatch]>,
    metadata: &FileMetadata,
    settings: &Settings,
) -> Result<WriterProperties> {
    let pairs: Vec<KeyValue> =
        metadata.pairs().map(|(key, value)| KeyValue::new(key.to_owned(), value.to_owned())).collect();
    let mut properties = WriterProperties::builder()
        // Pages of version 1: old scanners of warehouses do not read version 2.
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(compression(quick(settings.parquet))?)
        .set_max_row_group_row_count(Some(settings.row_group_rows))
        .set_max_row_group_bytes(None)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_dictionary_page_size_limit(PAGE_BYTES)
        .set_dictionary_enabled(true)
        .set_write_batch_size(1_024)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(Some(STATISTICS_BYTES))
        .set_column_index_truncate_length(Some(STATISTICS_BYTES))
        .set_offset_index_disabled(false)
        .set_bloom_filter_enabled(false)
        .set_sorting_columns(sorting(schema)?)
        .set_key_value_metadata((!pairs.is_empty()).then_some(pairs));
    if let Some(key) = &settings.key {
        // No key of a column's own: the footer's key is for all of them.
        let encryption =
            FileEncryptionProperties::builder(key.expose().to_vec()).build().map_err(unwritten)?;
        properties = properties.with_file_encryption_properties(encryption);
    }
    for (position, field) in schema.fields().iter().enumerate() {
        let part = |part: &RecordBatch| part.columns().get(position).map(Arc::clone);
        let values = all.map(|all| all.iter().filter_map(part).collect::<Vec<_>>());
        properties = column(properties, field, values.as_deref(), settings.parquet)?;
    }
    Ok(properties.build())
}

/// What one column has of its own: by its name, and by its values where they are known.
fn column(
    properties: WriterPropertiesBuilder,
    field: &Field,
    values: Option<&[ArrayRef]>,
    codec: Codec,
) -> Result<WriterPropertiesBuilder> {
    let path = || ColumnPath::from(field.name().as_str());
    let class = columns::class(field.name());
    let content = values.map_or(Content::Any, |values| Content::of(values, class == Class::Reference));
    let properties = match content {
        Content::Nothing | Content::Little => {
            properties.set_column_compression(path(), Compression::UNCOMPRESSED)
        }
        _ if class == Class::Json => properties.set_column_compression(path(), compression(codec)?),
        _ => properties,
    };
    let dictionary = match class {
        Class::Repeating => content != Content::Nothing,
        Class::Reference => matches!(content, Content::Little | Content::Any),
        Class::Time | Class::Unique | Class::Link | Class::Json => false,
    };
    let properties = properties.set_column_dictionary_enabled(path(), dictionary);
    Ok(match (class, field.data_type()) {
        // Sorted times differ by little; read by DuckDB, pyarrow, Polars, Spark and ClickHouse.
        (Class::Time, DataType::Timestamp(..)) => {
            properties.set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED)
        }
        (Class::Reference | Class::Unique | Class::Link, DataType::Utf8) => {
            let properties = properties.set_column_data_page_size_limit(path(), DIGIT_PAGE_BYTES);
            match of_texts(class, codec) {
                Some(encoding) => properties.set_column_encoding(path(), encoding),
                None => properties,
            }
        }
        (Class::Json, _) => properties
            .set_column_data_page_size_limit(path(), JSON_PAGE_BYTES)
            .set_column_statistics_enabled(path(), EnabledStatistics::None),
        _ => properties,
    })
}

/// How texts without a dictionary are laid out: lengths apart from the texts, or what each has in common with the one
/// before said by its length. Read by DuckDB, pyarrow, Polars, Spark and ClickHouse; what is too old for it does not read
/// Zstandard either, and gets the plain encoding beside another codec.
fn of_texts(class: Class, codec: Codec) -> Option<Encoding> {
    match (codec, class) {
        (Codec::Zstd(_), Class::Link) => Some(Encoding::DELTA_BYTE_ARRAY),
        (Codec::Zstd(_), _) => Some(Encoding::DELTA_LENGTH_BYTE_ARRAY),
        _ => None,
    }
}

/// The codec for columns other than JSON.
pub(super) fn quick(codec: Codec) -> Codec {
    match codec {
        Codec::Zstd(level) if level <= ORDINARY_ZSTD => Codec::Zstd(level.min(1)),
        other => other,
    }
}

fn compression(codec: Codec) -> Result<Compression> {
    Ok(match codec {
        Codec::Plain => Compression::UNCOMPRESSED,
        Codec::Snappy => Compression::SNAPPY,
        Codec::Gzip(level) => Compression::GZIP(GzipLevel::try_new(level).map_err(unwritten)?),
        Codec::Zstd(level) => Compression::ZSTD(ZstdLevel::try_new(level).map_err(unwritten)?),
    })
}

/// What the rows are sorted by, for readers that use it: the leading columns of the order that the file has.
fn sorting(schema: &Schema) -> Result<Option<Vec<SortingColumn>>> {
    let mut sorting = Vec::new();
    for name in columns::SORT_ORDER {
        let Some((position, _)) = schema.column_with_name(name) else { break };
        let column_idx = i32::try_from(position)
            .map_err(|cause| Error::bug("a file has too many columns").because(cause))?;
        sorting.push(SortingColumn { column_idx, descending: false, nulls_first: false });
    }
    Ok((!sorting.is_empty()).then_some(sorting))
}
