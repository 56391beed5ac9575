//! What a run did and what it may claim.
//!
//! What lives here: [`Report`] and its exit code. What this file must not know: how it is shown.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;

use super::transform::add_types;
use crate::error::{Error, Kind};
use crate::model::{Counts, Drift, EventId, FileRecord, Flaw, Grid, Head, Level, Window};

/// The outcome of a run. Also made when the run failed: what was committed before stays.
#[derive(Debug)]
pub struct Report {
    /// What was asked for, on the grid.
    pub range: Window,
    /// The grid.
    pub grid: Grid,
    /// Windows of the grid in the range.
    pub windows: u64,
    /// Windows that were committed before and whose counts have not changed.
    pub unchanged: u64,
    /// Windows proven by this run, by level.
    pub levels: BTreeMap<Level, u64>,
    /// Ranges that could not be proven, and why; nothing of them was committed.
    pub unproven: Vec<(Window, Error)>,
    /// Distinct events in the windows that this run settled.
    pub events: u64,
    /// Events of the range that were committed before and were not read again.
    pub covered: u64,
    /// Rows written.
    pub rows: u64,
    /// Of these, rows of events whose time cannot be read: they belong to no window.
    pub undated: u64,
    /// Events that cannot become a row; a dataset keeps them as they are.
    pub quarantined: u64,
    /// Those of a stream, which has no place for them: which, and why.
    pub unkept: Vec<(EventId, Flaw)>,
    /// Of the quarantined, events whose row did not give them back: our own mistake.
    pub not_rebuilt: u64,
    /// Events in which secrets were replaced.
    pub redacted: u64,
    /// Ids in earlier files that the API no longer lists.
    pub vanished: u64,
    /// Data files written, and their length in bytes.
    pub files: u64,
    /// Length of the data files written, in bytes.
    pub bytes: u64,
    /// Events of each type among those that this run settled.
    pub types: BTreeMap<String, u64>,
    /// What the events that became rows hold beyond the table.
    pub drift: Drift,
    /// The newest commit.
    pub head: Option<Head>,
    /// Why the run ended early, if it did.
    pub failure: Option<Error>,
    /// Events without a readable time that came with the answers of windows, as they were delivered.
    pub(super) strays: HashSet<(EventId, Bytes)>,
}

impl Report {
    pub(super) fn new(range: Window, grid: Grid) -> Self {
        Self {
            range,
            grid,
            windows: 0,
            unchanged: 0,
            levels: BTreeMap::new(),
            unproven: Vec::new(),
            events: 0,
            covered: 0,
            rows: 0,
            undated: 0,
            quarantined: 0,
            unkept: Vec::new(),
            not_rebuilt: 0,
            redacted: 0,
            vanished: 0,
            files: 0,
            bytes: 0,
            types: BTreeMap::new(),
            drift: Drift::default(),
            head: None,
            failure: None,
            strays: HashSet::new(),
        }
    }

    /// Takes what became of some events into account.
    pub(super) fn count(
        &mut self,
        counts: Counts,
        vanished: &[String],
        files: &[FileRecord],
        types: BTreeMap<String, u64>,
    ) {
        self.rows += counts.rows;
        self.quarantined += counts.quarantined;
        self.redacted += counts.redacted;
        self.vanished += u64::try_from(vanished.len()).unwrap_or(u64::MAX);
        self.files += u64::try_from(files.len()).unwrap_or(u64::MAX);
        self.bytes += files.iter().map(|file| file.bytes).sum::<u64>();
        add_types(&mut self.types, types);
    }

    /// 0 only if everything that was asked for is committed and proven.
    pub fn exit_code(&self) -> u8 {
        if let Some(failure) = &self.failure {
            return failure.kind().exit_code();
        }
        // A contradiction says more about the API than a window that could not be proven.
        let worst = self
            .unproven
            .iter()
            .map(|(_, error)| error.kind())
            .max_by_key(|kind| *kind == Kind::Contradiction);
        match worst {
            Some(kind) => kind.exit_code(),
            None if self.quarantined > 0 => 10,
            None => 0,
        }
    }
}
