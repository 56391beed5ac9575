//! A window's rows made ready: checked, encoded, digested. Pure computation.
//!
//! What lives here: [`Preparation`], which takes rows as they come, and [`Prepared`]. Rows and files beyond their share of
//! memory are spilled; files that would not fit beside those that are ready are encoded when they are published.
//! What this file must not know: storage, what earlier slots hold.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::digest::{Digesting, sha256_of};
use super::groups::{Group, only, split};
use super::rows::{self, Extent};
use super::texts::{RowReader, lines, lines_schema, without_texts};
use crate::encode::{
    Batches, FileMetadata, HeldRows, ReadLimits, RowsWriter, Settings, encode_from, read_typed,
};
use crate::error::{Error, Kind, Result};
use crate::model::{Format, Partition, Timestamp, Window, fingerprint};
use crate::spool::{Blob, BlobWriter, Distinct, Scratch};

/// Rows of a window stay in memory up to this part of the budget.
const ROWS_SHARES: u64 = 10;

/// And its files up to this one.
const FILES_SHARES: u64 = 16;

/// And what its rows' ids are told apart by.
const IDS_SHARES: u64 = 32;

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
    rows: HeldRows,
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
    /// Each item may be one of [`Kind::Storage`].
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

/// The rows of one window on their way to its files.
///
/// They must be all events of the window that can become one, sorted by `created_at, id`, without repeated ids (source:
/// the certificate). Without a window they are the rows without `created_at`, sorted by `id`.
#[derive(Debug)]
pub struct Preparation {
    window: Option<Window>,
    formats: Vec<Format>,
    schema: SchemaRef,
    metadata: FileMetadata,
    settings: Settings,
    reader: Option<RowReader>,
    scratch: Scratch,
    rows: RowsWriter,
    /// Where the rows of each group are, and how many they are.
    groups: BTreeMap<Group, (usize, u64)>,
    partitions: HashSet<Partition>,
    ids: Distinct,
    before: Option<(Option<Timestamp>, String)>,
    total: u64,
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
        Self {
            window: window.into(),
            formats: formats.to_vec(),
            schema,
            metadata,
            settings: settings.clone(),
            reader: None,
            scratch: scratch.clone(),
            rows: RowsWriter::new(scratch, scratch.share(ROWS_SHARES)),
            groups: BTreeMap::new(),
            partitions: HashSet::new(),
            ids: Distinct::new(scratch, scratch.share(IDS_SHARES)),
            before: None,
            total: 0,
        }
    }

    /// The same for formats that hold the events themselves (NDJSON) beside those that hold columns. The batches have one
    /// column more than the schema, the last: [`crate::encode::EVENT_TEXT`].
    #[must_use]
    pub fn with_texts(self, reader: RowReader) -> Self {
        Self { reader: Some(reader), ..self }
    }

    /// Takes the next rows. It computes.
    ///
    /// # Errors
    /// [`Kind::Bug`] when they are not what they must be; [`Kind::Unproven`] when they fall into more partitions than the
    /// settings allow or into more files than one record can name, so that nothing of the window may be written;
    /// [`Kind::Storage`] when they cannot be spilled.
    pub fn push(&mut self, batch: RecordBatch) -> Result<()> {
        self.take(batch).map_err(|cause| named(cause, self.window))
    }

    fn take(&mut self, batch: RecordBatch) -> Result<()> {
        self.check(&batch)?;
        let known = self.groups.len();
        for (group, batch) in split(batch, self.window, &self.settings.layout)? {
            let next = self.groups.len();
            if !self.groups.contains_key(&group) {
                self.partitions.insert(group.partition.clone());
            }
            let (place, rows) = self.groups.entry(group).or_insert((next, 0));
            *rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
            self.rows.push(*place, batch)?;
        }
        if self.groups.len() > known { self.limit() } else { Ok(()) }
    }

    /// Refuses what would become more folders or files than anybody meant.
    fn limit(&self) -> Result<()> {
        let (found, partitions) = (self.partitions.len(), self.settings.partition_limit);
        if found > partitions {
            return Err(Error::new(Kind::Unproven, "a window's events fall into more partitions than the limit")
                .at("partitions so far", found)
                .at("limit", partitions)
                .hint("nothing of it was written; raise --partition-limit, or use a destination with fewer keys in --partition-by"));
        }
        let files = self.groups.len().saturating_mul(self.formats.len());
        if files > MAX_FILES {
            return Err(Error::new(Kind::Unproven, "a window would have more files than one record can name")
                .at("files so far", files)
                .at("limit", MAX_FILES)
                .hint("nothing of it was written; use a destination with longer parts, fewer keys in --partition-by, or --grid PT1H"));
        }
        Ok(())
    }

    /// Holds rows against the window and those before them; the ids are told apart when all are there.
    fn check(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut before = self.before.as_ref().map(|(at, id)| (*at, id.as_str()));
        for (id, at) in rows::keys(batch)? {
            let within = match (self.window, at) {
                (Some(window), Some(at)) => window.contains(at),
                (None, None) => true,
                _ => false,
            };
            if !within {
                return Err(Error::bug("a row lies outside its window").at("id", id));
            }
            match before.cmp(&Some((at, id))) {
                Ordering::Less => {}
                Ordering::Equal => return Err(twice(id)),
                Ordering::Greater => {
                    return Err(Error::bug("rows are not sorted by created_at and id").at("id", id));
                }
            }
            self.ids.push(fingerprint(id))?;
            self.total += 1;
            before = Some((at, id));
        }
        self.before = before.map(|(at, id)| (at, id.to_owned()));
        Ok(())
    }

    /// Everything that was pushed, as files. It computes for as long as encoding takes: call it off the async threads.
    ///
    /// # Errors
    /// As [`Preparation::push`].
    pub fn finish(self) -> Result<Prepared> {
        let window = self.window;
        self.encoded().map_err(|cause| named(cause, window))
    }

    fn encoded(mut self) -> Result<Prepared> {
        if let Some(only) = only(self.window, &self.settings.layout) {
            // Also without rows: the slots of the window are looked at in each format.
            self.groups.entry(only).or_insert((0, 0));
        }
        let (places, counts) =
            self.groups.into_iter().map(|(group, (place, rows))| ((group, place), rows)).unzip();
        let counts: Vec<u64> = counts;
        let content = Content {
            schema: self.schema,
            groups: places,
            rows: self.rows.finish()?,
            metadata: self.metadata,
            settings: self.settings,
            reader: self.reader,
            scratch: self.scratch,
        };
        apart(self.ids.repeated(usize::MAX)?.unwrap_or_default(), &content)?;
        let mut left = content.scratch.share(FILES_SHARES);
        let mut groups = Vec::with_capacity(counts.len());
        for (position, rows) in counts.into_iter().enumerate() {
            let mut files = Vec::new();
            for format in &self.formats {
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
        Ok(Prepared {
            window: self.window,
            rows: self.total,
            formats: self.formats,
            content: Arc::new(content),
            groups,
        })
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

fn twice(id: &str) -> Error {
    Error::bug("an event occurs twice in a window").at("id", id)
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
