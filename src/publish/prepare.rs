//! A window's rows made ready: checked, encoded, digested. Pure computation.
//!
//! What this file must not know: storage, what earlier slots hold.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::digest::sha256;
use super::rows;
use super::texts::{RowReader, lines, without_texts};
use crate::encode::{FileMetadata, ReadLimits, Settings, encode, read_typed};
use crate::error::{Error, Result};
use crate::model::{Format, Timestamp, Window};

/// The rows of one window with the bytes of their files, as if nothing of the window were published yet.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(super) window: Window,
    pub(super) rows: u64,
    pub(super) content: Arc<Content>,
    pub(super) files: Vec<PreparedFile>,
}

/// What later files of the window are made from.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) schema: SchemaRef,
    /// With the events' texts as one more column if there is a reader of texts.
    pub(super) batches: Vec<RecordBatch>,
    pub(super) metadata: FileMetadata,
    pub(super) settings: Settings,
    pub(super) reader: Option<RowReader>,
}

impl Content {
    /// The rows of a file's bytes, whatever the format.
    pub(super) fn read(&self, format: Format, bytes: Bytes) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        let table = read_typed(format, bytes, &self.schema, &self.settings, ReadLimits::default())?;
        if self.settings.layout.holds_texts(format) {
            return Ok((Arc::clone(&self.schema), self.reader()?.rows(&table.batches)?));
        }
        Ok((table.schema, table.batches))
    }

    /// The window's rows as a file of this format gives them back: the rows of a text on one line differ from the rows
    /// of the text as received, in the white space of its context.
    pub(super) fn as_read(&self, format: Format) -> Result<Vec<RecordBatch>> {
        if self.settings.layout.holds_texts(format) {
            return self.reader()?.rows(&lines(&self.batches)?);
        }
        Ok(self.batches.clone())
    }

    fn reader(&self) -> Result<&RowReader> {
        self.reader.as_ref().ok_or_else(|| Error::bug("NDJSON needs the events' texts"))
    }
}

/// One file's bytes and what the log says of them.
#[derive(Clone, Debug)]
pub(super) struct PreparedFile {
    pub(super) format: Format,
    pub(super) bytes: Bytes,
    pub(super) sha256: String,
    pub(super) rows: u64,
    pub(super) created_at: Option<(Timestamp, Timestamp)>,
}

impl Prepared {
    /// The window.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Rows, in each format.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The rows themselves, with the events' texts as the last column where they were asked for.
    pub fn batches(&self) -> &[RecordBatch] {
        &self.content.batches
    }

    /// Bytes held, over all formats; the rows themselves come on top.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| u64::try_from(file.bytes.len()).unwrap_or(u64::MAX)).sum()
    }
}

/// Checks the rows of a window and encodes them in each format.
///
/// The rows must be all events of the window that can become one, sorted by `created_at, id`, without repeated ids
/// (source: the certificate). It computes for as long as encoding takes: call it off the async threads.
///
/// # Errors
/// [`crate::error::Kind::Bug`] when the rows are not that.
pub fn prepare(
    window: Window,
    formats: &[Format],
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    metadata: FileMetadata,
    settings: &Settings,
) -> Result<Prepared> {
    with_reader(window, formats, schema, batches, (metadata, settings), None)
}

/// The same for formats that hold the events themselves (NDJSON) beside those that hold columns. The batches have one
/// column more than `schema`, the last: [`crate::encode::EVENT_TEXT`].
///
/// # Errors
/// As [`prepare`].
pub fn prepare_with_texts(
    window: Window,
    formats: &[Format],
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    metadata: FileMetadata,
    settings: &Settings,
    reader: RowReader,
) -> Result<Prepared> {
    with_reader(window, formats, schema, batches, (metadata, settings), Some(reader))
}

fn with_reader(
    window: Window,
    formats: &[Format],
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    (metadata, settings): (FileMetadata, &Settings),
    reader: Option<RowReader>,
) -> Result<Prepared> {
    check(window, &batches).map_err(|cause| cause.at("window", window))?;
    let content = Content { schema, batches, metadata, settings: settings.clone(), reader };
    let (rows, _) = rows::extent(&content.batches)?;
    // Also without rows: the slots of the window are looked at in each format.
    let files =
        formats.iter().map(|format| file(*format, &content, &content.batches)).collect::<Result<_>>()?;
    Ok(Prepared { window, rows, content: Arc::new(content), files })
}

/// The file of some of the rows.
pub(super) fn file(format: Format, content: &Content, batches: &[RecordBatch]) -> Result<PreparedFile> {
    let mut bytes = Vec::new();
    if batches.iter().any(|batch| batch.num_rows() > 0) {
        let texts = content.settings.layout.holds_texts(format);
        let own = match texts {
            true => lines(batches)?,
            false if content.reader.is_some() => without_texts(batches)?,
            false => batches.to_vec(),
        };
        let schema = match own.first() {
            Some(batch) if texts => batch.schema(),
            _ => Arc::clone(&content.schema),
        };
        encode(format, &schema, &own, &content.metadata, &content.settings, &mut bytes)?;
    }
    described(format, bytes.into(), batches)
}

/// What the log says of a file that has these bytes and these rows.
pub(super) fn described(format: Format, bytes: Bytes, batches: &[RecordBatch]) -> Result<PreparedFile> {
    let (rows, created_at) = rows::extent(batches)?;
    let sha256 = sha256(&bytes);
    Ok(PreparedFile { format, bytes, sha256, rows, created_at })
}

fn check(window: Window, batches: &[RecordBatch]) -> Result<()> {
    let mut ids = HashSet::new();
    let mut before = None;
    for batch in batches {
        for (id, at) in rows::keys(batch)? {
            if !window.contains(at) {
                return Err(Error::bug("a row lies outside its window").at("id", id).at("created_at", at));
            }
            if !ids.insert(id.to_owned()) {
                return Err(Error::bug("an event occurs twice in a window").at("id", id));
            }
            if before.is_some_and(|before| before > (at, id)) {
                return Err(Error::bug("rows are not sorted by created_at and id").at("id", id));
            }
            before = Some((at, id));
        }
    }
    Ok(())
}
