//! Parquet: with its own module the only file that names the library.
//!
//! What lives here: the writer's settings, each with its reason, and a reader under limits. Every setting that
//! decides bytes is set here and not left to the library's defaults, which change between its versions.
//!
//! The Arrow schema is embedded (`ARROW:schema`): it carries the columns' descriptions to readers that show them,
//! and since only types are accepted that it cannot change, every reader still sees the plain Parquet types. Our
//! own reader ignores it.
//! What this file must not know: what the columns mean, where the bytes go.

use std::io::Write;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use ::parquet::arrow::arrow_writer::ArrowWriterOptions;
use ::parquet::basic::{Compression, Encoding, GzipLevel, ZstdLevel};
use ::parquet::encryption::decrypt::FileDecryptionProperties;
use ::parquet::encryption::encrypt::FileEncryptionProperties;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{KeyValue, SortingColumn};
use ::parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use ::parquet::schema::types::ColumnPath;
use arrow_array::Array;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;

use crate::error::{Error, Kind, Result};

use super::columns::{self, Class};
use super::file::{FileMetadata, ReadLimits, Table, over_limit};
use super::key::FooterKey;
use super::recut::{Batches, recut};
use super::settings::{Codec, Settings};

mod groups;

/// Names the writer in each file; the version is part of what decides the bytes.
const CREATED_BY: &str = concat!("vonage-audit ", env!("CARGO_PKG_VERSION"));

/// Rows of a page at most, so that the page index can skip within a row group.
const PAGE_ROWS: usize = 20_000;

/// Bytes of a page or dictionary at most, before compression.
const PAGE_BYTES: usize = 1 << 20;

/// The same for JSON texts: shorter ones would hide too many repetitions, longer ones do not stay in the processor's caches.
const JSON_PAGE_BYTES: usize = 256 << 10;

/// The same for random digits. Zstandard's tables for so short a page stay in the processor's caches, and its
/// parameters for 128 to 256 KiB would look for repetitions of four letters, which random digits are full of.
const DIGIT_PAGE_BYTES: usize = 64 << 10;

/// Up to this level of Zstandard, columns of random digits are compressed at level 1, which makes them smaller than 3 does: a
/// repetition of a few digits takes more to say than the digits. Who asks for more gets it.
const ORDINARY_ZSTD: i32 = 3;

/// Bytes of text kept as a smallest or largest value.
const STATISTICS_BYTES: usize = 64;

/// Rows handed out by the reader at once; small, since limits are checked after each batch.
const READ_ROWS: usize = 1_024;

/// What a file ends with whose footer is encrypted.
const ENCRYPTED: &[u8] = b"PARE";

/// The key under which the library keeps the Arrow schema; not ours to show.
const ARROW_SCHEMA: &str = "ARROW:schema";

pub(super) fn write(
    schema: &SchemaRef,
    batches: &mut Batches<'_>,
    metadata: &FileMetadata,
    settings: &Settings,
    sink: &mut (impl Write + Send),
) -> Result<u64> {
    // Metadata of the schema itself would be a second place for key and value pairs.
    let schema = Arc::new(Schema::new(schema.fields().clone()));
    let options = ArrowWriterOptions::new().with_properties(properties(&schema, metadata, settings)?);
    let writer = ArrowWriter::try_new_with_options(sink, Arc::clone(&schema), options).map_err(unwritten)?;
    groups::write(writer, &schema, recut(&schema, batches), settings.row_group_rows, &settings.threads)
}

fn properties(schema: &Schema, metadata: &FileMetadata, settings: &Settings) -> Result<WriterProperties> {
    let pairs: Vec<KeyValue> =
        metadata.pairs().map(|(key, value)| KeyValue::new(key.to_owned(), value.to_owned())).collect();
    let mut properties = WriterProperties::builder()
        // Pages of version 1: old scanners of warehouses do not read version 2.
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(compression(settings.parquet)?)
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
    for field in schema.fields() {
        properties = column(properties, field, settings.parquet)?;
    }
    Ok(properties.build())
}

/// What one column has of its own.
fn column(
    properties: WriterPropertiesBuilder,
    field: &Field,
    codec: Codec,
) -> Result<WriterPropertiesBuilder> {
    let path = || ColumnPath::from(field.name().as_str());
    let class = columns::class(field.name());
    Ok(match (class, field.data_type()) {
        // Sorted times differ by little; read by DuckDB, pyarrow, Polars, Spark and ClickHouse.
        (Class::Time, DataType::Timestamp(..)) => properties
            .set_column_dictionary_enabled(path(), false)
            .set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED),
        (Class::Reference | Class::Unique | Class::Link, DataType::Utf8) => {
            let properties = properties
                .set_column_compression(path(), compression(of_digits(codec))?)
                .set_column_data_page_size_limit(path(), DIGIT_PAGE_BYTES)
                .set_column_dictionary_enabled(path(), class == Class::Reference);
            match of_texts(class, codec) {
                Some(encoding) => properties.set_column_encoding(path(), encoding),
                None => properties,
            }
        }
        (Class::Json, _) => properties
            .set_column_dictionary_enabled(path(), false)
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

/// The codec for columns of random digits.
fn of_digits(codec: Codec) -> Codec {
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

fn unwritten(cause: ParquetError) -> Error {
    Error::new(Kind::Storage, "cannot write a Parquet file").because(cause)
}

fn unread(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(Kind::Verification, "not a readable Parquet file").because(cause)
}

/// The library panics on some damaged files (found by damaging each byte of one); for us that is one more way of not
/// being readable.
pub(super) fn read(bytes: Bytes, key: Option<&FooterKey>, limits: ReadLimits) -> Result<Table> {
    let key = key.cloned();
    std::panic::catch_unwind(move || decode(bytes, key.as_ref(), limits))
        .unwrap_or_else(|_| Err(unread("the decoder gave up on damaged bytes")))
}

/// A file is encrypted if there is a key, and not if there is none: a plain one where all are encrypted was not written
/// by whoever holds the key.
fn decryption(bytes: &Bytes, key: Option<&FooterKey>) -> Result<Option<Arc<FileDecryptionProperties>>> {
    let refused = |why, hint| {
        Err(Error::new(Kind::Verification, "not a readable Parquet file").at("why", why).hint(hint))
    };
    match (bytes.ends_with(ENCRYPTED), key) {
        (true, Some(key)) => {
            let properties = FileDecryptionProperties::builder(key.expose().to_vec());
            properties.build().map(Some).map_err(unread)
        }
        (true, None) => refused("it is encrypted and no key is given", "name the key's file"),
        (false, Some(_)) => {
            refused("it is not encrypted, and the dataset's files are", "compare it with a copy")
        }
        (false, None) => Ok(None),
    }
}

fn decode(bytes: Bytes, key: Option<&FooterKey>, limits: ReadLimits) -> Result<Table> {
    let mut options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    if let Some(decryption) = decryption(&bytes, key)? {
        options = options.with_file_decryption_properties(decryption);
    }
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options).map_err(unread)?;
    let file = builder.metadata().file_metadata();
    let claimed = u64::try_from(file.num_rows()).map_err(unread)?;
    if claimed > limits.rows {
        return Err(over_limit("rows", limits.rows));
    }
    let metadata = file
        .key_value_metadata()
        .into_iter()
        .flatten()
        .filter(|pair| pair.key != ARROW_SCHEMA)
        .fold(FileMetadata::new(), |all, pair| all.with(&pair.key, pair.value.as_deref().unwrap_or("")));
    let schema = Arc::new(Schema::new(builder.schema().fields().clone()));
    let reader = builder.with_batch_size(READ_ROWS).build().map_err(unread)?;

    let mut batches = Vec::new();
    let (mut rows, mut memory) = (0_u64, 0_u64);
    for batch in reader {
        let batch = batch.map_err(unread)?;
        rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        memory = batch.columns().iter().fold(memory, |sum, column| {
            sum.saturating_add(u64::try_from(column.get_array_memory_size()).unwrap_or(u64::MAX))
        });
        if memory > limits.memory {
            return Err(over_limit("bytes of memory", limits.memory));
        }
        batches.push(batch);
    }
    if rows != claimed {
        return Err(Error::new(Kind::Verification, "a Parquet file holds other rows than it says")
            .at("says", claimed)
            .at("holds", rows));
    }
    Ok(Table { schema, batches, metadata })
}

#[cfg(test)]
mod tests;
