//! The one door to every format: encode rows, read them back.
//!
//! What lives here: [`encode()`], [`read`] and their values. What this file must not know: any format's library.

use std::collections::BTreeMap;
use std::io::{self, Write};

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use bytes::Bytes;

use crate::error::{Error, Kind, Result};
use crate::model::{Format, Lines};

use super::recut::Batches;
use super::settings::Settings;
use super::{columns, csv, flat, ndjson, packing, parquet};

/// Key and value pairs for the file's own metadata, in order of key. Nothing in it may depend on the run: no clock,
/// host, path or random value, since the same rows must give the same bytes.
///
/// A format that has no place for metadata (CSV, NDJSON) leaves it out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileMetadata(BTreeMap<String, String>);

impl FileMetadata {
    /// No metadata.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pair; a later value of the same key replaces the earlier one.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.0.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The value of this key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The pairs, in order of key.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// What was written to the sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Length in bytes.
    pub bytes: u64,
    /// Rows.
    pub rows: u64,
}

/// Writes all rows as one complete file.
///
/// The bytes are a function of the format, the columns, the rows in their order, the metadata, the settings and the
/// version of the program: how the rows are cut into batches does not matter. Every batch must have the columns of `schema`.
/// NDJSON of events has one column, [`super::EVENT_TEXT`]. Encrypted Parquet is the exception: its bytes hold random
/// values, without which the cipher would be none.
///
/// # Errors
/// [`Kind::Bug`] for a column type that readers do not share, or a batch with other columns; [`Kind::Storage`] when
/// the sink fails, after which its content is worthless.
pub fn encode(
    format: Format,
    schema: &SchemaRef,
    batches: &[RecordBatch],
    metadata: &FileMetadata,
    settings: &Settings,
    sink: &mut (dyn Write + Send),
) -> Result<Encoded> {
    encode_from(format, schema, &mut batches.iter().cloned().map(Ok), metadata, settings, sink)
}

/// The same for rows that come one batch after the other: at most a row group of them is held.
///
/// # Errors
/// As [`encode`]; what `batches` gives.
pub fn encode_from(
    format: Format,
    schema: &SchemaRef,
    batches: &mut Batches<'_>,
    metadata: &FileMetadata,
    settings: &Settings,
    sink: &mut (dyn Write + Send),
) -> Result<Encoded> {
    columns::check(schema)?;
    let mut sink = Counter { sink, bytes: 0 };
    let layout = &settings.layout;
    let rows = match format {
        Format::Parquet => parquet::write(schema, batches, metadata, settings, &mut sink)?,
        Format::Csv => packing::write(layout.csv, settings.level(format), &mut sink, |out| {
            csv::write(schema, batches, layout.formulas, out)
        })?,
        Format::Ndjson => {
            packing::write(layout.ndjson, settings.level(format), &mut sink, |out| match layout.lines {
                Lines::Events => ndjson::write(schema, batches, out),
                Lines::Flat => flat::write(schema, batches, out),
            })?
        }
    };
    Ok(Encoded { bytes: sink.bytes, rows })
}

/// How much a file may hold before it is refused: a damaged or hostile file must not exhaust the memory.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimits {
    /// Rows.
    pub rows: u64,
    /// Bytes of the decoded columns in memory, and of a compressed file's text.
    pub memory: u64,
}

impl Default for ReadLimits {
    /// 50 million rows, 8 GiB.
    fn default() -> Self {
        Self { rows: 50_000_000, memory: 8 << 30 }
    }
}

/// A file's content.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its columns. Types are the file's own; descriptions of columns are not restored.
    pub schema: SchemaRef,
    /// Its rows, in the file's order and in batches of any length.
    pub batches: Vec<RecordBatch>,
    /// Its metadata.
    pub metadata: FileMetadata,
}

/// Reads a whole file.
///
/// # Errors
/// [`Kind::Verification`] when the bytes are not a complete file of this format or hold more than `limits` allow.
pub fn read(format: Format, bytes: Bytes, settings: &Settings, limits: ReadLimits) -> Result<Table> {
    read_typed(format, bytes, &Schema::empty(), settings, limits)
}

/// Reads a whole file of a format that may not carry its columns' types: a column of CSV or of flat NDJSON has the type of
/// the column of this name in `types`, and is text if there is none. The other formats do not look at `types`.
///
/// # Errors
/// As [`read`].
pub fn read_typed(
    format: Format,
    bytes: Bytes,
    types: &Schema,
    settings: &Settings,
    limits: ReadLimits,
) -> Result<Table> {
    let layout = &settings.layout;
    match format {
        Format::Parquet => parquet::read(bytes, settings.key.as_ref(), limits),
        Format::Csv => {
            let text = packing::read(layout.csv, &bytes, limits.memory)?;
            csv::read(&text, types, layout.formulas, limits)
        }
        Format::Ndjson => {
            let text = packing::read(layout.ndjson, &bytes, limits.memory)?;
            match layout.lines {
                Lines::Events => ndjson::read(&text, limits),
                Lines::Flat => flat::read(&text, types, limits),
            }
        }
    }
}

pub(super) fn over_limit(what: &'static str, limit: u64) -> Error {
    Error::new(Kind::Verification, "a data file holds more than the limit")
        .at("what", what)
        .at("limit", limit)
}

/// Counts the bytes that reach the sink.
struct Counter<'a> {
    sink: &'a mut (dyn Write + Send),
    bytes: u64,
}

impl Write for Counter<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.sink.write(buffer)?;
        self.bytes += u64::try_from(written).unwrap_or(u64::MAX);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
