//! A block of lines as rows, window by window.
//!
//! What lives here: [`Worker`] and [`Piece`]. Events of one time may stand in any order of their ids. What this file must not
//! know: other blocks, threads.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use bytes::Bytes;

use crate::api::wire::read;
use crate::error::Result;
use crate::model::json::Outline;
use crate::model::{Event, Timestamp, Window};
use crate::pipeline::input::window;
use crate::pipeline::rows::Rows;
use crate::pipeline::transform::{Recipe, count_types, push_as_kept};
use crate::schema::Survey;

/// Rows of one window that come one after the other.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) window: Window,
    /// Sorted by `created_at, id`; an id may occur at several times.
    pub(super) batches: Vec<RecordBatch>,
    pub(super) redacted: u64,
    pub(super) types: BTreeMap<String, u64>,
    pub(super) survey: Survey,
}

/// Makes blocks of lines rows, with memory to work in.
pub(super) struct Worker<'a> {
    recipe: &'a Recipe,
    rows: Rows<'a, Vec<RecordBatch>>,
    /// Events of one time that are read and not yet rows.
    tie: Vec<(Event, Outline)>,
    /// The window of the rows that are being made.
    window: Option<Window>,
    redacted: u64,
}

impl<'a> Worker<'a> {
    pub(super) fn new(recipe: &'a Recipe) -> Self {
        let rows = Rows::new(&recipe.table, recipe.takes_texts(), Vec::new());
        Self { recipe, rows, tie: Vec::new(), window: None, redacted: 0 }
    }

    /// The rows of some lines; `None` if a line is behind its time or cannot be a row.
    pub(super) fn make(&mut self, lines: Vec<Bytes>) -> Result<Option<Vec<Piece>>> {
        let mut pieces = Vec::new();
        let mut latest: Option<Timestamp> = None;
        for line in lines {
            let mut outline = self.rows.outline();
            let event = read(line, &mut outline);
            let (None, Some(at)) = (event.flaw, event.created_at) else { return Ok(None) };
            if latest != Some(at) {
                if latest.is_some_and(|latest| at < latest) || !self.untie(&mut pieces)? {
                    return Ok(None);
                }
                latest = Some(at);
            }
            self.tie.push((event, outline));
        }
        let whole = self.untie(&mut pieces)? && self.turn(&mut pieces)?;
        Ok(whole.then_some(pieces))
    }

    /// Makes the events of one time rows. False if they have no window, or an id occurs twice.
    fn untie(&mut self, pieces: &mut Vec<Piece>) -> Result<bool> {
        let Some((first, _)) = self.tie.first() else { return Ok(true) };
        let window = window(self.recipe.grid, first.created_at);
        if window.is_none() {
            return Ok(false);
        }
        if self.window != window {
            if !self.turn(pieces)? {
                return Ok(false);
            }
            self.window = window;
        }
        if self.tie.len() > 1 {
            self.tie.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
            if self.tie.array_windows().any(|[(one, _), (other, _)]| one.id == other.id) {
                return Ok(false);
            }
        }
        for (event, outline) in self.tie.drain(..) {
            let keeps = |text: &str, outline: &Outline| self.recipe.keeps(text, outline);
            let held = self.rows.push_read(event, outline, keeps)?;
            self.redacted += push_as_kept(&mut self.rows, held, self.recipe.secrets)?;
        }
        Ok(true)
    }

    /// Ends a piece. False if some of its events are no rows.
    fn turn(&mut self, pieces: &mut Vec<Piece>) -> Result<bool> {
        let Some(window) = self.window.take() else { return Ok(true) };
        let (done, survey) = self.rows.turn()?;
        let redacted = std::mem::take(&mut self.redacted);
        let (batches, mut types) = (std::mem::take(&mut self.rows.sink), BTreeMap::new());
        for batch in &batches {
            count_types(batch, &mut types);
        }
        pieces.push(Piece { window, batches, redacted, types, survey });
        Ok(done.quarantine.is_empty())
    }
}
