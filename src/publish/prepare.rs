//! A window's rows made ready: checked, encoded, digested. Pure computation.
//!
//! What lives here: [`Preparation`], which takes the rows of one window as they come, [`Preparations`] for those of many, and
//! [`Prepared`]. Where groups follow one another, their files are encoded as the rows come, and nothing else is kept of
//! these. Else rows beyond their share of memory are spilled, and files that would not fit beside those that are ready are
//! encoded when they are published.
//! What this file must not know: storage, what earlier slots hold.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::content::{Content, Remake};
use super::grouped::Grouped;
use super::grouping::Grouping;
use super::making::{Making, PreparedFile};
use super::texts::RowReader;
use super::writing::Writing;
use crate::encode::{FileMetadata, Settings};
use crate::error::{Error, Result};
use crate::model::{Format, Window};
use crate::spool::{Distinct, Scratch};

/// What rows' ids are told apart by stays in memory up to this part of the budget.
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

    /// Whether the files of both are the same bytes. It computes.
    ///
    /// # Errors
    /// As [`Prepared::batches`].
    pub fn same_files(&self, other: &Self) -> Result<bool> {
        let alike = self.window == other.window && self.content.same_groups(&other.content);
        Ok(alike && self.digests()? == other.digests()?)
    }

    /// For each group the digests of its files, in the order of the formats.
    pub(super) fn digests(&self) -> Result<Vec<Vec<String>>> {
        let own = |(position, group): (usize, &PreparedGroup)| {
            let files = self.formats.iter().zip(&group.files).map(|(format, file)| match file {
                Some(file) => Ok(file.sha256.clone()),
                None => {
                    let mut rows = self.content.batches(position);
                    Ok(self.content.file(*format, &mut rows)?.sha256)
                }
            });
            files.collect()
        };
        self.groups.iter().enumerate().map(own).collect()
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
    making: Making,
    /// There if files are encoded as rows come.
    remake: Option<Remake>,
    window: Option<Window>,
    /// There once rows have come.
    begun: Option<(Grouping, Writing)>,
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
        let (formats, settings, scratch) = (formats.to_vec(), settings.clone(), scratch.clone());
        let ids = Distinct::new(&scratch, scratch.share(IDS_SHARES));
        let making = Making { formats, schema, metadata, settings, reader: None, scratch };
        Self { making, remake: None, window: window.into(), begun: None, ids }
    }

    /// The same for formats that hold the events themselves (NDJSON) beside those that hold columns. The batches have one
    /// column more than the schema, the last: [`crate::encode::EVENT_TEXT`].
    #[must_use]
    pub fn with_texts(mut self, reader: RowReader) -> Self {
        self.making.reader = Some(reader);
        self
    }

    /// Encodes files as the rows come, where groups follow one another, instead of holding the rows.
    #[must_use]
    pub fn encoding_at_once(mut self, remake: Remake) -> Self {
        self.remake = Some(remake).filter(|_| self.window.is_some() && self.making.at_once());
        self
    }

    /// Takes the next rows. It computes.
    ///
    /// # Errors
    /// [`crate::error::Kind::Bug`] when they are not what they must be; [`crate::error::Kind::Unproven`] when they fall into more partitions than the
    /// settings allow or into more files than one record can name, so that nothing of the window may be written;
    /// [`crate::error::Kind::Storage`] when they cannot be spilled.
    pub fn push(&mut self, batch: RecordBatch) -> Result<()> {
        let Self { making, remake, window, begun, ids } = self;
        let (grouping, rows) = begun.get_or_insert_with(|| {
            (Grouping::new(*window, remake.is_some()), Writing::new(&Arc::new(making.clone())))
        });
        grouping.push(batch, &making.settings, making.formats.len(), rows, ids)
    }

    /// The rows of many windows instead of this one's; none may have been pushed.
    pub fn into_many(self) -> Preparations {
        let Self { making, ids, .. } = self;
        let making = Arc::new(making);
        Preparations { rows: Writing::new(&making), making, windows: Vec::new(), ids }
    }

    /// Everything that was pushed, as files. It computes for as long as encoding takes: call it off the async threads.
    ///
    /// # Errors
    /// As [`Preparation::push`].
    pub fn finish(self) -> Result<Prepared> {
        let Self { making, remake, window, begun, ids } = self;
        let making = Arc::new(making);
        let made = || {
            let (grouping, rows) =
                begun.unwrap_or_else(|| (Grouping::new(window, false), Writing::new(&making)));
            let (mut places, rows) = rows.finish()?;
            let grouped = Grouped::new(&making, grouping, &mut places, &rows);
            grouped.prepared(remake, ids.repeated(usize::MAX)?.unwrap_or_default())
        };
        made().map_err(|cause| named(cause, window))
    }
}

impl Making {
    /// Whether files can be encoded while their rows come: one at a time, as memory goes, and so that the same rows give the same
    /// bytes again, which encrypted ones do not.
    fn at_once(&self) -> bool {
        self.formats.len() == 1 && self.settings.key.is_none() && self.settings.layout.is_by_time()
    }
}

/// The rows of many windows: first the rows of all of them, then their files, window by window.
#[derive(Debug)]
pub struct Preparations {
    making: Arc<Making>,
    rows: Writing,
    windows: Vec<Grouping>,
    ids: Distinct,
}

impl Preparations {
    /// Takes the next rows of a window, which is that of the rows before or a later one. Unless they are to be held, its files
    /// are encoded at once, where that can be. It computes.
    ///
    /// # Errors
    /// As [`Preparation::push`].
    pub fn push(&mut self, window: Window, batch: RecordBatch, hold: bool) -> Result<()> {
        let Self { making, rows, windows, ids } = self;
        if windows.last().is_none_or(|last| last.window != Some(window)) {
            windows.push(Grouping::new(Some(window), !hold && making.at_once()));
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
        let (mut places, rows) = rows.finish()?;
        let grouped = |grouping| Grouped::new(&making, grouping, &mut places, &rows);
        Ok(Some(windows.into_iter().map(grouped).collect()))
    }
}

pub(super) fn named(cause: Error, window: Option<Window>) -> Error {
    match window {
        Some(window) => cause.at("window", window),
        None => cause.at("window", "none: created_at cannot be read"),
    }
}
