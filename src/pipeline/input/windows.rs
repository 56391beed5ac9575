//! Distinct events by window.
//!
//! What lives here: [`Lines`], which says which content of an id becomes the row and what no window holds, and
//! [`Windows`], one after the other in ascending time. What this file must not know: lines, files, rows.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::SORTING;
use super::distinct::{Contents, Distinct};
use crate::error::{Error, Result};
use crate::model::{Event, EventId, Flaw, Grid, Timestamp, Window};
use crate::spool::{Events, EventsWriter, Order, Scratch, Sorted, SortedIter, Sorter};

/// Of the memory, one such part is for the events of one window, and for those that no window holds.
const WINDOW: u64 = 16;

/// What lines were.
#[derive(Debug)]
pub struct Lines {
    /// The grid of the windows.
    pub(in crate::pipeline) grid: Grid,
    /// Windows with events.
    pub(in crate::pipeline) windows: u64,
    /// Events that no window holds, each with a flaw or without a time; by id, then by text.
    pub(in crate::pipeline) unplaced: Events,
    /// Ids that came with several contents, ascending.
    pub(in crate::pipeline) contradictions: Vec<EventId>,
    /// Lines that were not blank.
    pub(in crate::pipeline) lines: u64,
    /// Lines that said again what another line had said.
    pub(in crate::pipeline) repeated: u64,
    placed: Sorted,
    scratch: Scratch,
}

impl Lines {
    pub(super) fn of(distinct: Distinct, lines: u64, grid: Grid, scratch: &Scratch) -> Result<Self> {
        let mut placed = Sorter::new(scratch, scratch.share(SORTING), Order::Time);
        let mut unplaced = Sorter::new(scratch, scratch.share(WINDOW), Order::Id);
        let (mut windows, mut contradictions) = (BTreeSet::new(), Vec::new());
        let mut place = |mut event: Event| match window(grid, event.created_at) {
            Some(window) => {
                windows.insert(window);
                placed.push(event)
            }
            None => {
                // A time that no window has is not a time that cannot be read: such an event is no row.
                if event.created_at.is_some() {
                    event.flaw.get_or_insert(Flaw::NoTime);
                }
                unplaced.push(event)
            }
        };
        let repeated = distinct.each(|Contents { mut first, others }| {
            if !others.is_empty() {
                contradictions.push(first.id.clone());
            }
            // The one that becomes the row: sound, placed, then the earliest, then the smallest text.
            for mut other in others {
                if rank(&other) < rank(&first) {
                    std::mem::swap(&mut first, &mut other);
                }
                other.flaw.get_or_insert(Flaw::OtherContent);
                place(other)?;
            }
            place(first)
        })?;
        contradictions.sort();
        let unplaced = unplaced.finish()?.into_events(scratch, scratch.share(WINDOW))?;
        let (placed, scratch) = (placed.finish()?, scratch.clone());
        let windows = u64::try_from(windows.len()).unwrap_or(u64::MAX);
        Ok(Self { grid, windows, unplaced, contradictions, lines, repeated, placed, scratch })
    }

    /// The windows with events, ascending; each one's events sorted as rows are.
    pub(in crate::pipeline) fn windows(&self) -> Windows {
        // What is in memory as a whole stays there: a window's events are the same ones.
        let share = if self.placed.is_spilled() { self.scratch.share(WINDOW) } else { u64::MAX };
        Windows {
            grid: self.grid,
            placed: self.placed.iter(),
            ahead: None,
            scratch: self.scratch.clone(),
            share,
        }
    }
}

/// See [`Lines::windows`]. It blocks while it reads.
#[derive(Debug)]
pub(in crate::pipeline) struct Windows {
    grid: Grid,
    placed: SortedIter,
    /// The first event of the next window.
    ahead: Option<Event>,
    scratch: Scratch,
    share: u64,
}

impl Windows {
    fn step(&mut self) -> Result<Option<(Window, Events)>> {
        let first = match self.ahead.take() {
            Some(event) => Some(event),
            None => self.placed.next().transpose()?,
        };
        let Some(first) = first else { return Ok(None) };
        let Some(window) = window(self.grid, first.created_at) else {
            return Err(Error::bug("an event that no window holds is placed"));
        };
        let mut own = EventsWriter::new(&self.scratch, self.share);
        own.push(first)?;
        for event in self.placed.by_ref() {
            let event = event?;
            if !event.created_at.is_some_and(|at| window.contains(at)) {
                self.ahead = Some(event);
                break;
            }
            own.push(event)?;
        }
        Ok(Some((window, own.finish()?)))
    }
}

impl Iterator for Windows {
    type Item = Result<(Window, Events)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

fn rank(event: &Event) -> (bool, bool, Option<Timestamp>, &Bytes) {
    (event.flaw.is_some(), event.created_at.is_none(), event.created_at, &event.text)
}

/// The window of a time, if the log can name it: at the ends of the calendar a window reaches beyond.
fn window(grid: Grid, created_at: Option<Timestamp>) -> Option<Window> {
    let window = grid.window(created_at?);
    let named = |at: Timestamp| (1..=9999).contains(&at.date().0);
    (named(window.from) && named(window.to)).then_some(window)
}
