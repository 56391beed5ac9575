//! A block of lines as rows, window by window.
//!
//! What lives here: [`Worker`] and [`Piece`]. Events of one time may stand in any order of their ids. What this file must not
//! know: other blocks, threads, how a line becomes a row.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use bytes::Bytes;

use self::building::{Building, Built, Line};
use crate::error::Result;
use crate::model::{Timestamp, Window};
use crate::pipeline::input::window;
use crate::pipeline::names::Names;
use crate::pipeline::transform::Recipe;
use crate::schema::Survey;

mod building;

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
    building: Building<'a>,
    names: Names,
}

/// Where a block is.
#[derive(Default)]
struct Block<'l> {
    /// Events of one time that are read and not yet rows.
    tie: Vec<Line<'l>>,
    /// Lines whose rows are being built.
    pending: Vec<Line<'l>>,
    /// The window of the rows that are being made.
    window: Option<Window>,
    pieces: Vec<Piece>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(recipe: &'a Recipe) -> Self {
        Self { recipe, building: Building::new(recipe), names: Names::default() }
    }

    /// The rows of some lines; `None` if a line is behind its time or cannot be a row.
    pub(super) fn make(&mut self, lines: Vec<Bytes>) -> Result<Option<Vec<Piece>>> {
        self.building.clear()?;
        let mut block = Block::default();
        let mut latest: Option<Timestamp> = None;
        for line in &lines {
            let Some((at, line)) = self.building.read(line) else { return Ok(None) };
            if latest != Some(at) {
                let behind = latest.is_some_and(|latest| at < latest);
                if behind || !self.untie(&mut block)? || !self.enter(at, &mut block)? {
                    return Ok(None);
                }
                latest = Some(at);
            }
            block.tie.push(line);
        }
        let whole = self.untie(&mut block)? && self.turn(&mut block)?;
        Ok(whole.then_some(block.pieces))
    }

    /// Begins a piece if the time is of another window. False if it has none.
    fn enter(&mut self, at: Timestamp, block: &mut Block<'_>) -> Result<bool> {
        if block.window.is_some_and(|window| window.contains(at)) {
            return Ok(true);
        }
        if !self.turn(block)? {
            return Ok(false);
        }
        block.window = window(self.recipe.grid, Some(at));
        Ok(block.window.is_some())
    }

    /// Makes the events of one time rows. False if one cannot be, or an id occurs twice.
    fn untie(&mut self, block: &mut Block<'_>) -> Result<bool> {
        if block.tie.len() > 1 {
            // The last is taken first.
            block.tie.sort_by(|one, other| other.id.cmp(&one.id));
            if block.tie.array_windows().any(|[one, other]| one.id == other.id) {
                return Ok(false);
            }
        }
        while let Some(line) = block.tie.pop() {
            if !self.building.push(line, &mut block.pending)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Ends a piece. False if some of its events are no rows.
    fn turn(&mut self, block: &mut Block<'_>) -> Result<bool> {
        let Some(window) = block.window.take() else { return Ok(true) };
        let Some(Built { batches, redacted, survey }) = self.building.take(&mut block.pending)? else {
            return Ok(false);
        };
        batches.iter().for_each(|batch| self.names.add(batch));
        let types = self.names.take();
        block.pieces.push(Piece { window, batches, redacted, types, survey });
        Ok(true)
    }
}
