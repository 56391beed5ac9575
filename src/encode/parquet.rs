//! Parquet: with its own module the only file that names the library.
//!
//! What lives here: a writer, and a reader under limits.
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
use ::parquet::encryption::decrypt::FileDecryptionProperties;
use ::parquet::errors::ParquetError;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{Schema, SchemaRef};
use bytes::Bytes;

use crate::error::{Error, Kind, Result};

use super::file::{FileMetadata, ReadLimits, Table, over_limit};
use super::key::FooterKey;
use super::recut::{BATCH_ROWS, Batches, joined, parted};
use super::settings::{Codec, Settings};

mod chunks;
mod contents;
mod groups;
mod properties;

use properties::properties;

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
    let own = settings.key.is_none() && matches!(settings.parquet, Codec::Zstd(_) | Codec::Plain);
    write_by(own, schema, batches, metadata, settings, sink)
}

/// By encoders of our own, or by the library's writer of columns, which knows all codecs and ciphers.
fn write_by(
    own: bool,
    schema: &SchemaRef,
    batches: &mut Batches<'_>,
    metadata: &FileMetadata,
    settings: &Settings,
    sink: &mut (impl Write + Send),
) -> Result<u64> {
    // Metadata of the schema itself would be a second place for key and value pairs.
    let schema = Arc::new(Schema::new(schema.fields().clone()));
    let mut batches = parted(&schema, batches).peekable();
    let first = batches.next().transpose()?;
    // A batch that is shorter than others is the only one, but where rows are very long.
    let is_short =
        |parts: &[RecordBatch]| parts.iter().map(RecordBatch::num_rows).sum::<usize>() < BATCH_ROWS;
    let all = first.as_deref().filter(|first| is_short(first) && batches.peek().is_none());
    let properties = properties(&schema, all, metadata, settings)?;
    let options = ArrowWriterOptions::new().with_properties(properties);
    let writer = ArrowWriter::try_new_with_options(sink, Arc::clone(&schema), options).map_err(unwritten)?;
    let batches = first.map(Ok).into_iter().chain(batches);
    let (most, threads) = (settings.row_group_rows, &settings.threads);
    if own {
        return chunks::write(writer, &schema, batches, most, threads);
    }
    let joined = batches.map(|parts| joined(&schema, &parts?));
    groups::write(writer, &schema, joined, most, threads)
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
