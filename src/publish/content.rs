//! A window's rows behind its files: what later files of the window are made from, and what standing files are held against.
//!
//! What lives here: [`Content`], and [`Remake`] for rows that nobody holds. What this file must not know: slots, storage.

use std::fmt;
use std::sync::{Arc, OnceLock};

use arrow_array::RecordBatch;

use super::groups::Group;
use super::making::{FILES_SHARES, Making, PreparedFile};
use super::prepare::Prepared;
use crate::encode::{Batches, HeldRows};
use crate::error::{Error, Result};
use crate::model::Format;
use crate::spool::{BlobWriter, SharedFile};

/// Makes rows again that were encoded as they came: only where a slot holds something else are they asked for.
pub struct Remake {
    make: Box<dyn Fn() -> Result<Prepared> + Send + Sync>,
    /// What it means if the rows are others.
    otherwise: fn() -> Error,
}

impl Remake {
    /// `make` gives the rows with whatever it takes, holding them; it computes and may be called more than once.
    /// `otherwise` says what has happened if they are not those of which the files were made.
    pub fn new(
        make: impl Fn() -> Result<Prepared> + Send + Sync + 'static,
        otherwise: fn() -> Error,
    ) -> Self {
        Self { make: Box::new(make), otherwise }
    }
}

impl fmt::Debug for Remake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Remake").finish_non_exhaustive()
    }
}

/// What later files of the window are made from.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) making: Arc<Making>,
    /// Ascending, and where their rows are.
    pub(super) groups: Vec<(Group, usize)>,
    rows: Rows,
}

/// Rows by group, with the events' texts as one more column if there is a reader of texts.
#[derive(Debug)]
enum Rows {
    Held(Arc<HeldRows>),
    Again { remake: Remake, files: Vec<Vec<String>>, made: OnceLock<Prepared> },
}

impl Content {
    /// Rows that are held.
    pub(super) fn held(making: Arc<Making>, groups: Vec<(Group, usize)>, rows: Arc<HeldRows>) -> Self {
        Self { making, groups, rows: Rows::Held(rows) }
    }

    /// Rows that were encoded: for each group the digests of its files, in the order of the formats.
    pub(super) fn encoded(
        making: Arc<Making>,
        groups: Vec<(Group, usize)>,
        files: Vec<Vec<String>>,
        remake: Remake,
    ) -> Self {
        Self { making, groups, rows: Rows::Again { remake, files, made: OnceLock::new() } }
    }

    /// The rows of a group, by its position.
    pub(super) fn batches(&self, position: usize) -> Box<dyn Iterator<Item = Result<RecordBatch>> + '_> {
        match (&self.rows, self.groups.get(position)) {
            (_, None) => Box::new(std::iter::empty()),
            (Rows::Held(rows), Some((_, place))) => Box::new(rows.group(*place)),
            (Rows::Again { .. }, Some(_)) => match self.again() {
                Ok(again) => again.batches(position),
                Err(cause) => Box::new(std::iter::once(Err(cause))),
            },
        }
    }

    /// The rows of all groups, one after the other.
    pub(super) fn all(&self) -> impl Iterator<Item = Result<RecordBatch>> + '_ {
        (0..self.groups.len()).flat_map(|position| self.batches(position))
    }

    /// Whether both have the same groups in the same order.
    pub(super) fn same_groups(&self, other: &Self) -> bool {
        self.groups.iter().map(|(group, _)| group).eq(other.groups.iter().map(|(group, _)| group))
    }

    /// How much work on so many bytes of rows is: rows that are made again are as much as their whole input.
    pub(super) fn work(&self, bytes: u64) -> u64 {
        if matches!(self.rows, Rows::Held(_)) { bytes } else { u64::MAX }
    }

    /// A file of some rows, made when it is needed.
    pub(super) fn file(&self, format: Format, batches: &mut Batches<'_>) -> Result<PreparedFile> {
        let scratch = &self.making.scratch;
        self.making.file(
            format,
            batches,
            BlobWriter::to_stay(scratch, scratch.share(FILES_SHARES), &SharedFile::default()),
        )
    }

    /// The same rows, held.
    fn again(&self) -> Result<&Self> {
        let Rows::Again { remake, files, made } = &self.rows else { return Ok(self) };
        if let Some(made) = made.get() {
            return Ok(&made.content);
        }
        let again = (remake.make)()?;
        if !self.same_groups(&again.content) || *files != again.digests()? {
            return Err((remake.otherwise)());
        }
        Ok(&made.get_or_init(|| again).content)
    }
}
