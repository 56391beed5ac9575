//! Pieces of rows, one after the other, to the rows of windows.
//!
//! What lives here: [`Taking`], which refuses what is not in order. What this file must not know: lines, threads, how rows are made.

use std::collections::{BTreeMap, HashSet};

use arrow_array::RecordBatch;

use super::Facts;
use super::seam::Seam;
use super::worker::Piece;
use crate::error::{Error, Result};
use crate::model::{Counts, Drift, Window};
use crate::pipeline::transform::{Recipe, add_types};
use crate::publish::{Grouped, Preparations};
use crate::schema::Survey;

/// Windows, their event types, findings and groups of rows, at most: what is known of each is in memory.
const KNOWN: usize = 1 << 16;

/// All rows.
pub(super) struct Whole {
    pub(super) lines: u64,
    /// Ascending.
    pub(super) windows: Vec<(Facts, Grouped)>,
}

/// Takes pieces in the order of their lines.
pub(super) struct Taking<'a> {
    rows: Preparations,
    /// Windows that have files: they may be held against the rows.
    standing: &'a HashSet<Window>,
    windows: Vec<Facts>,
    /// What the events of the last window hold beyond the table.
    survey: Survey,
    /// What is known of all windows but the last.
    known: usize,
    /// The rows that came last: the next ones may have their time.
    last: Option<(Window, RecordBatch)>,
    lines: u64,
}

impl<'a> Taking<'a> {
    /// No rows yet.
    pub(super) fn new(recipe: &Recipe, standing: &'a HashSet<Window>) -> Self {
        let rows = recipe.preparation(None).into_many();
        let (windows, survey) = (Vec::new(), Survey::default());
        Self { rows, standing, windows, survey, known: 0, last: None, lines: 0 }
    }

    /// Takes the next rows. False if they are not in order, or more than is held together.
    pub(super) fn take(&mut self, pieces: Vec<Piece>) -> Result<bool> {
        for piece in pieces {
            let mut events = 0;
            for batch in piece.batches {
                events += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
                if !self.batch(piece.window, batch)? {
                    return Ok(false);
                }
            }
            self.lines += events;
            if self.windows.last().is_none_or(|last| last.window != piece.window) {
                self.end();
                let (window, counts) = (piece.window, Counts::default());
                self.windows.push(Facts { window, counts, types: BTreeMap::new(), drift: Drift::default() });
            }
            let Some(facts) = self.windows.last_mut() else { return Err(Error::bug("rows have no window")) };
            facts.counts.settled += events;
            facts.counts.redacted += piece.redacted;
            add_types(&mut facts.types, piece.types);
            // Which findings are told where they are too many follows from how events come.
            let told = self.survey.merge(&piece.survey);
            let own = facts.types.len() + self.survey.len() + self.rows.groups();
            if !told || self.known.saturating_add(own) > KNOWN {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Ends the last window.
    fn end(&mut self) {
        let drift = std::mem::take(&mut self.survey).into_drift();
        if let Some(facts) = self.windows.last_mut() {
            self.known += facts.types.len() + drift.findings.len() + 1;
            facts.drift = drift;
        }
    }

    fn batch(&mut self, window: Window, next: RecordBatch) -> Result<bool> {
        if next.num_rows() == 0 {
            return Ok(true);
        }
        let Some((own, last)) = self.last.take() else {
            self.last = Some((window, next));
            return Ok(true);
        };
        let (done, next) = match Seam::between(&last, &next)? {
            Seam::Follows => (vec![last], next),
            Seam::Tied(before, tied, after) if after.num_rows() == 0 => (vec![before], tied),
            Seam::Tied(before, tied, after) => (vec![before, tied], after),
            Seam::Broken => return Ok(false),
        };
        for rows in done {
            if rows.num_rows() > 0 {
                self.push(own, rows)?;
            }
        }
        self.last = Some((window, next));
        Ok(true)
    }

    fn push(&mut self, window: Window, rows: RecordBatch) -> Result<()> {
        self.rows.push(window, rows, self.standing.contains(&window))
    }

    /// The lines and the windows, ascending; `None` if an id may occur twice.
    pub(super) fn finish(mut self) -> Result<Option<Whole>> {
        if let Some((window, rows)) = self.last.take() {
            self.push(window, rows)?;
        }
        self.end();
        let Some(grouped) = self.rows.finish()? else { return Ok(None) };
        if grouped.len() != self.windows.len() {
            return Err(Error::bug("the rows of lines that came in order have other windows"));
        }
        Ok(Some(Whole { lines: self.lines, windows: self.windows.into_iter().zip(grouped).collect() }))
    }
}
