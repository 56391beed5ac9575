//! A window's rows made ready: checked, encoded, digested. Pure computation.
//!
//! What lives here: [`Preparation`], which takes the rows of one window as they come, [`Preparations`] for those of many, and
//! [`Prepared`]. Rows and files beyond their share of
//! memory are spilled; files that would not fit beside those that are ready are encoded when they are published.
//! What this file must not know: storage, what earlier slots hold.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::digest::{Digesting, sha256_of};
use super::grouping::{Grouping, twice};
use super::groups::{Group, only};
use super::rows::{self, Extent};
use super::texts::{RowReader, lines, lines_schema, without_texts};
use crate::encode::{
    Batches, FileMetadata, HeldRows, ReadLimits, RowsWriter, Settings, encode_from, read_typed,
};
use crate::error::{Error, Result};
use crate::model::{Format, Window, fingerprint};
use crate::spool::{Blob, BlobWriter, Distinct, Scratch};

/// Rows of a window stay in memory up to this part of the budget.
const ROWS_SHARES: u64 = 10;

/// And its files up to this one.
const FILES_SHARES: u64 = 16;

/// And what its rows' ids are told apart by.
const IDS_SHARES: u64 = 32;

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
    /// In the order of the formats; `None` for those that are encoded when they are needed.
    pub(super) files: Vec<Option<PreparedFile>>,
}

/// What later files of the window are made from.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) schema: SchemaRef,
    /// Ascending, and where their rows are.
    pub(super) groups: Vec<(Group, usize)>,
    /// With the events' texts as one more column if there is a reader of texts.
    rows: Arc<HeldRows>,
    pub(super) metadata: FileMetadata,
    pub(super) settings: Settings,
    pub(super) reader: Option<RowReader>,
    pub(super) scratch: Scratch,
}

impl Content {
    /// The rows of a group, by its position.
    pub(super) fn batches(&self, position: usize) -> impl Iterator<Item = Result<RecordBatch>> + '_ {
        let place = self.groups.get(position).map(|(_, place)| self.rows.group(*place));
        place.into_iter().flatten()
    }

    /// The rows of all groups, one after the other.
    pub(super) fn all(&self) -> impl Iterator<Item = Result<RecordBatch>> + '_ {
        (0..self.groups.len()).flat_map(|position| self.batches(position))
    }

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
            return self.reader()?.rows(&batches.iter().map(lines).collect::<Result<Vec<_>>>()?);
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
    pub(super) content: Blob,
    pub(super) sha256: String,
    pub(super) extent: Extent,
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
    ///
    /// # Errors
    /// Each item may be one of [`crate::error::Kind::Storage`].
    pub fn batches(&self) -> impl Iterator<Item = Result<RecordBatch>> + '_ {
        self.content.all()
    }
}

/// Checks the rows of a window and encodes them in each format: [`Preparation`] for rows that are there.
///
/// # Errors
/// As [`Preparation::push`] and [`Preparation::finish`].
pub fn prepare(
    window: impl Into<Option<Window>>,
    formats: &[Format],
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    metadata: FileMetadata,
    settings: &Settings,
) -> Result<Prepared> {
    let mut preparation = Preparation::new(window, formats, schema, metadata, settings, &Scratch::default());
    batches.into_iter().try_for_each(|batch| preparation.push(batch))?;
    preparation.finish()
}

/// How files are made from rows, whatever the window.
#[derive(Clone, Debug)]
struct Making {
    formats: Vec<Format>,
    schema: SchemaRef,
    metadata: FileMetadata,
    settings: Settings,
    reader: Option<RowReader>,
    scratch: Scratch,
}

/// The rows of one window on their way to its files.
///
/// They must be all events of the window that can become one, sorted by `created_at, id`, without repeated ids (source:
/// the certificate). Without a window they are the rows without `created_at`, sorted by `id`.
#[derive(Debug)]
pub struct Preparation {
    making: Making,
    rows: RowsWriter,
    grouping: Grouping,
    ids: Distinct,
}

impl Preparation {
    /// No rows yet.
    pub fn new(
        window: impl Into<Option<Window>>,
        formats: &[Format],
        schema: SchemaRef,
        metadata: FileMetadata,
        settings: &Settings,
        scratch: &Scratch,
    ) -> Self {
        let making = Making {
            formats: formats.to_vec(),
            schema,
            metadata,
            settings: settings.clone(),
            reader: None,
            scratch: scratch.clone(),
        };
        Self {
            making,
            rows: RowsWriter::new(scratch, scratch.share(ROWS_SHARES)),
            grouping: Grouping::new(window.into()),
            ids: Distinct::new(scratch, scratch.share(IDS_SHARES)),
        }
    }

    /// The same for formats that hold the events themselves (NDJSON) beside those that hold columns. The batches have one
    /// column more than the schema, the last: [`crate::encode::EVENT_TEXT`].
    #[must_use]
    pub fn with_texts(mut self, reader: RowReader) -> Self {
        self.making.reader = Some(reader);
        self
    }

    /// Takes the next rows. It computes.
    ///
    /// # Errors
    /// [`crate::error::Kind::Bug`] when they are not what they must be; [`crate::error::Kind::Unproven`] when they fall into more partitions than the
    /// settings allow or into more files than one record can name, so that nothing of the window may be written;
    /// [`crate::error::Kind::Storage`] when they cannot be spilled.
    pub fn push(&mut self, batch: RecordBatch) -> Result<()> {
        let Self { making, rows, grouping, ids } = self;
        grouping.push(batch, &making.settings, making.formats.len(), rows, ids)
    }

    /// The rows of many windows instead of this one's; none may have been pushed.
    pub fn into_many(self) -> Preparations {
        Preparations { making: self.making, rows: self.rows, windows: Vec::new(), ids: self.ids }
    }

    /// Everything that was pushed, as files. It computes for as long as encoding takes: call it off the async threads.
    ///
    /// # Errors
    /// As [`Preparation::push`].
    pub fn finish(self) -> Result<Prepared> {
        let window = self.grouping.window;
        let made = || {
            let grouped = Grouped {
                making: Arc::new(self.making),
                rows: Arc::new(self.rows.finish()?),
                grouping: self.grouping,
            };
            grouped.encoded(self.ids.repeated(usize::MAX)?.unwrap_or_default())
        };
        made().map_err(|cause| named(cause, window))
    }
}

/// The rows of many windows, held together: first the rows of all of them, then their files, window by window.
#[derive(Debug)]
pub struct Preparations {
    making: Making,
    rows: RowsWriter,
    windows: Vec<Grouping>,
    ids: Distinct,
}

impl Preparations {
    /// Takes the next rows of a window, which is that of the rows before or a later one. It computes.
    ///
    /// # Errors
    /// As [`Preparation::push`].
    pub fn push(&mut self, window: Window, batch: RecordBatch) -> Result<()> {
        let Self { making, rows, windows, ids } = self;
        if windows.last().is_none_or(|last| last.window != Some(window)) {
            windows.push(Grouping::new(Some(window)));
        }
        match windows.last_mut() {
            Some(last) => last.push(batch, &making.settings, making.formats.len(), rows, ids),
            None => Err(Error::bug("rows have no window")),
        }
    }

    /// Groups of rows, over all windows.
    pub fn groups(&self) -> usize {
        self.rows.groups()
    }

    /// The windows, ascending; `None` if an id may occur twice.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`] when something cannot be spilled.
    pub fn finish(self) -> Result<Option<Vec<Grouped>>> {
        let Self { making, rows, windows, ids } = self;
        if ids.repeated(0)?.is_none() {
            return Ok(None);
        }
        let (making, rows) = (Arc::new(making), Arc::new(rows.finish()?));
        let grouped = |grouping| Grouped { making: Arc::clone(&making), rows: Arc::clone(&rows), grouping };
        Ok(Some(windows.into_iter().map(grouped).collect()))
    }
}

/// The rows of one window, of which the files are made next. All windows together hold their rows.
#[derive(Debug)]
pub struct Grouped {
    making: Arc<Making>,
    rows: Arc<HeldRows>,
    grouping: Grouping,
}

impl Grouped {
    /// The files. It computes, as [`Preparation::finish`] does.
    ///
    /// # Errors
    /// As [`Preparation::push`].
    pub fn finish(self) -> Result<Prepared> {
        let window = self.grouping.window;
        self.encoded(Vec::new()).map_err(|cause| named(cause, window))
    }

    /// `suspects` are fingerprints of ids that occurred more than once.
    fn encoded(self, suspects: Vec<u64>) -> Result<Prepared> {
        let Self { making, rows, grouping } = self;
        let Grouping { window, mut groups, total, .. } = grouping;
        if let Some(only) = only(window, &making.settings.layout) {
            // Also without rows: the slots of the window are looked at in each format.
            groups.entry(only).or_insert((usize::MAX, 0));
        }
        let (places, counts) =
            groups.into_iter().map(|(group, (place, rows))| ((group, place), rows)).unzip();
        let counts: Vec<u64> = counts;
        let Making { formats, schema, metadata, settings, reader, scratch } = Arc::unwrap_or_clone(making);
        let content = Content { schema, groups: places, rows, metadata, settings, reader, scratch };
        apart(suspects, &content)?;
        let mut left = content.scratch.share(FILES_SHARES);
        let mut groups = Vec::with_capacity(counts.len());
        for (position, rows) in counts.into_iter().enumerate() {
            let mut files = Vec::new();
            for format in &formats {
                // One file may be longer than what is left; those after it wait until they are needed.
                let file = match left {
                    0 => None,
                    _ => Some(file(*format, &content, &mut content.batches(position), left)?),
                };
                left = file.as_ref().map_or(0, |file| left.saturating_sub(file.content.len()));
                files.push(file);
            }
            groups.push(PreparedGroup { rows, files });
        }
        Ok(Prepared { window, rows: total, formats, content: Arc::new(content), groups })
    }
}

/// Refuses an id that occurs twice: `suspects` are fingerprints that did, which two ids may share.
fn apart(suspects: Vec<u64>, content: &Content) -> Result<()> {
    if suspects.is_empty() {
        return Ok(());
    }
    let mut seen: HashMap<u64, HashSet<String>> =
        suspects.into_iter().map(|one| (one, HashSet::new())).collect();
    for batch in content.all() {
        for (id, _) in rows::keys(&batch?)? {
            if seen.get_mut(&fingerprint(id)).is_some_and(|ids| !ids.insert(id.to_owned())) {
                return Err(twice(id));
            }
        }
    }
    Ok(())
}

pub(super) fn named(cause: Error, window: Option<Window>) -> Error {
    match window {
        Some(window) => cause.at("window", window),
        None => cause.at("window", "none: created_at cannot be read"),
    }
}

/// The file of some of the rows, of which at most `share` bytes stay in memory.
pub(super) fn file(
    format: Format,
    content: &Content,
    batches: &mut Batches<'_>,
    share: u64,
) -> Result<PreparedFile> {
    let texts = content.settings.layout.holds_texts(format);
    let mut extent = Extent::default();
    let mut out = Digesting::new(BlobWriter::new(&content.scratch, share));
    let mut own = batches
        .filter(|batch| batch.as_ref().is_ok_and(|batch| batch.num_rows() > 0) || batch.is_err())
        .map(|batch| {
            let batch = batch?;
            extent.add(&batch)?;
            match texts {
                true => lines(&batch),
                false if content.reader.is_some() => without_texts(&batch),
                false => Ok(batch),
            }
        })
        .peekable();
    if own.peek().is_some() {
        let schema = if texts { lines_schema() } else { Arc::clone(&content.schema) };
        encode_from(format, &schema, &mut own, &content.metadata, &content.settings, &mut out)?;
    }
    drop(own);
    let (out, sha256) = out.finish();
    Ok(PreparedFile { content: out.finish()?, sha256, extent })
}

/// What the log says of a file that has these bytes and these rows.
pub(super) fn described(content: Blob, batches: &[RecordBatch]) -> Result<PreparedFile> {
    let mut extent = Extent::default();
    batches.iter().try_for_each(|batch| extent.add(batch))?;
    Ok(PreparedFile { sha256: sha256_of(&content)?, content, extent })
}
