//! A window's rows made ready: checked, encoded, digested. Pure computation.
//!
//! What this file must not know: storage, what earlier slots hold.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::digest::sha256;
use super::groups::{Group, split};
use super::rows;
use super::texts::{RowReader, lines, without_texts};
use crate::encode::{FileMetadata, ReadLimits, Settings, encode, read_typed};
use crate::error::{Error, Kind, Result};
use crate::model::{Format, Timestamp, Window};

/// Files that the record of a window names at most: a commit has room for somewhat more.
const MAX_FILES: usize = 4_096;

/// The rows of one window, or those without a time, with the bytes of their files, as if nothing of the window were published yet.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// None for rows without a time.
    pub(super) window: Option<Window>,
    pub(super) rows: u64,
    pub(super) formats: Vec<Format>,
    pub(super) content: Arc<Content>,
    /// One for each group of the content.
    pub(super) groups: Vec<PreparedGroup>,
}

/// The first file of a group in each format, as if none of its rows were published yet.
#[derive(Clone, Debug)]
pub(super) struct PreparedGroup {
    pub(super) rows: u64,
    /// In the order of the formats.
    pub(super) files: Vec<PreparedFile>,
}

/// What later files of the window are made from.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) schema: SchemaRef,
    /// Ascending; with the events' texts as one more column if there is a reader of texts.
    pub(super) groups: Vec<(Group, Vec<RecordBatch>)>,
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

    /// Rows as a file of this format gives them back: the rows of a text on one line differ from the rows of the text
    /// as received, in the white space of its context.
    pub(super) fn as_read(&self, format: Format, batches: &[RecordBatch]) -> Result<Vec<RecordBatch>> {
        if self.settings.layout.holds_texts(format) {
            return self.reader()?.rows(&lines(batches)?);
        }
        Ok(batches.to_vec())
    }

    fn reader(&self) -> Result<&RowReader> {
        self.reader.as_ref().ok_or_else(|| Error::bug("NDJSON needs the events' texts"))
    }
}

/// One file's bytes and what the log says of them.
#[derive(Clone, Debug)]
pub(super) struct PreparedFile {
    pub(super) bytes: Bytes,
    pub(super) sha256: String,
    pub(super) rows: u64,
    pub(super) created_at: Option<(Timestamp, Timestamp)>,
}

impl Prepared {
    /// The window; `None` for rows without a time.
    pub fn window(&self) -> Option<Window> {
        self.window
    }

    /// Rows, in each format.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The rows themselves, group after group, with the events' texts as the last column where they were asked for.
    pub fn batches(&self) -> Vec<RecordBatch> {
        self.content.groups.iter().flat_map(|(_, batches)| batches).cloned().collect()
    }

    /// Bytes held, over all formats; the rows themselves come on top.
    pub fn bytes(&self) -> u64 {
        let files = self.groups.iter().flat_map(|group| &group.files);
        files.map(|file| u64::try_from(file.bytes.len()).unwrap_or(u64::MAX)).sum()
    }
}

/// Checks the rows of a window and encodes them in each format.
///
/// The rows must be all events of the window that can become one, sorted by `created_at, id`, without repeated ids
/// (source: the certificate). Without a window they are the rows without `created_at`, sorted by `id`. It computes for
/// as long as encoding takes: call it off the async threads.
///
/// # Errors
/// [`Kind::Bug`] when the rows are not that; [`Kind::Unproven`] when they fall into more partitions than the settings
/// allow or into more files than one record can name, so that nothing of the window may be written.
pub fn prepare(
    window: impl Into<Option<Window>>,
    formats: &[Format],
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    metadata: FileMetadata,
    settings: &Settings,
) -> Result<Prepared> {
    with_reader(window.into(), formats, schema, batches, (metadata, settings), None)
}

/// The same for formats that hold the events themselves (NDJSON) beside those that hold columns. The batches have one
/// column more than `schema`, the last: [`crate::encode::EVENT_TEXT`].
///
/// # Errors
/// As [`prepare`].
pub fn prepare_with_texts(
    window: impl Into<Option<Window>>,
    formats: &[Format],
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    metadata: FileMetadata,
    settings: &Settings,
    reader: RowReader,
) -> Result<Prepared> {
    with_reader(window.into(), formats, schema, batches, (metadata, settings), Some(reader))
}

fn with_reader(
    window: Option<Window>,
    formats: &[Format],
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    (metadata, settings): (FileMetadata, &Settings),
    reader: Option<RowReader>,
) -> Result<Prepared> {
    check(window, &batches).map_err(|cause| named(cause, window))?;
    let (rows, _) = rows::extent(&batches)?;
    let groups = split(batches, window, &settings.layout)?;
    limit(&groups, formats.len(), settings.partition_limit).map_err(|cause| named(cause, window))?;
    let content = Content { schema, groups, metadata, settings: settings.clone(), reader };
    let mut groups = Vec::with_capacity(content.groups.len());
    for (_, batches) in &content.groups {
        let (rows, _) = rows::extent(batches)?;
        // Also without rows: the slots of the window are looked at in each format.
        let files = formats.iter().map(|format| file(*format, &content, batches)).collect::<Result<_>>()?;
        groups.push(PreparedGroup { rows, files });
    }
    Ok(Prepared { window, rows, formats: formats.to_vec(), content: Arc::new(content), groups })
}

/// Refuses what would become more folders or files than anybody meant.
fn limit(groups: &[(Group, Vec<RecordBatch>)], formats: usize, partitions: usize) -> Result<()> {
    let found: HashSet<_> = groups.iter().map(|(group, _)| &group.partition).collect();
    if found.len() > partitions {
        return Err(Error::new(Kind::Unproven, "a window's events fall into more partitions than the limit")
            .at("partitions", found.len())
            .at("limit", partitions)
            .hint("nothing of it was written; raise --partition-limit, or use a destination with fewer keys in --partition-by"));
    }
    let files = groups.len().saturating_mul(formats);
    if files > MAX_FILES {
        return Err(Error::new(Kind::Unproven, "a window would have more files than one record can name")
            .at("files", files)
            .at("limit", MAX_FILES)
            .hint("nothing of it was written; use a destination with longer parts, fewer keys in --partition-by, or --grid PT1H"));
    }
    Ok(())
}

pub(super) fn named(cause: Error, window: Option<Window>) -> Error {
    match window {
        Some(window) => cause.at("window", window),
        None => cause.at("window", "none: created_at cannot be read"),
    }
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
    described(bytes.into(), batches)
}

/// What the log says of a file that has these bytes and these rows.
pub(super) fn described(bytes: Bytes, batches: &[RecordBatch]) -> Result<PreparedFile> {
    let (rows, created_at) = rows::extent(batches)?;
    let sha256 = sha256(&bytes);
    Ok(PreparedFile { bytes, sha256, rows, created_at })
}

fn check(window: Option<Window>, batches: &[RecordBatch]) -> Result<()> {
    let mut ids = HashSet::new();
    let mut before = None;
    for batch in batches {
        for (id, at) in rows::keys(batch)? {
            let within = match (window, at) {
                (Some(window), Some(at)) => window.contains(at),
                (None, None) => true,
                _ => false,
            };
            if !within {
                return Err(Error::bug("a row lies outside its window").at("id", id));
            }
            if !ids.insert(id) {
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
