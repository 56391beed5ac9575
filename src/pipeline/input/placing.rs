//! Events to their windows, each once.
//!
//! What lives here: [`Placing`], which sorts events by time and tells repetitions and other contents of an id apart when all
//! are there: only those whose ids occur more than once are looked at again. It says which content of an id becomes the
//! row. What this file must not know: lines, files, rows.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::distinct::{Contents, Distinct};
use super::windows::{Lines, window};
use crate::error::Result;
use crate::model::{Event, EventId, Flaw, Grid, Timestamp, Window, fingerprint};
use crate::spool::{Distinct as Numbers, Order, Scratch, Sorter};

/// Of the memory, one such part is for the events that are being sorted by time.
const SORTING: u64 = 4;

/// And one for those that are told apart.
const ASIDE: u64 = 8;

/// And one for those that no window holds, and for what ids are told apart by.
const FEW: u64 = 16;

/// Ids that occur more than once and are looked for one by one; where they are more, every event is looked at again.
const SUSPECTS: usize = 1 << 16;

/// Takes events in any order.
#[derive(Debug)]
pub(super) struct Placing {
    scratch: Scratch,
    grid: Grid,
    placed: Sorter,
    unplaced: Sorter,
    windows: BTreeSet<Window>,
    latest: Option<Window>,
    contradictions: Vec<EventId>,
    /// A number for each event's id.
    ids: Numbers,
    /// Events that may belong to others of their id: those that no window holds, at first.
    aside: Distinct,
    /// Events that said again what another one had said.
    pub(super) repeated: u64,
}

impl Placing {
    /// None yet.
    pub(super) fn new(scratch: &Scratch, grid: Grid) -> Self {
        Self {
            scratch: scratch.clone(),
            grid,
            placed: Sorter::new(scratch, scratch.share(SORTING), Order::Time),
            unplaced: Sorter::new(scratch, scratch.share(FEW), Order::Id),
            windows: BTreeSet::new(),
            latest: None,
            contradictions: Vec::new(),
            ids: Numbers::new(scratch, scratch.share(FEW)),
            aside: Distinct::new(scratch, scratch.share(ASIDE)),
            repeated: 0,
        }
    }

    /// Takes one more.
    ///
    /// # Errors
    /// Usage: an id has more contents than are compared. Storage: it cannot be spilled.
    pub(super) fn push(&mut self, event: Event) -> Result<()> {
        self.ids.push(fingerprint(event.id.as_str()))?;
        match window(self.grid, event.created_at) {
            Some(window) => {
                self.note(window);
                // Alone: beside it in its block may stand much that is not kept.
                self.placed.push(event.alone())
            }
            None => self.aside.push(event.alone()),
        }
    }

    /// All events of these many lines.
    ///
    /// # Errors
    /// As [`Placing::push`].
    pub(super) fn finish(mut self, lines: u64) -> Result<Lines> {
        let ids = std::mem::replace(&mut self.ids, Numbers::new(&self.scratch, 0));
        let suspects = ids.repeated(SUSPECTS)?;
        let mut aside = std::mem::replace(&mut self.aside, Distinct::new(&self.scratch, 0));
        if suspects.as_ref().is_some_and(Vec::is_empty) {
            return self.finish_with(aside, lines);
        }
        // An event with an id that occurred once, and no other, stays where it is.
        let mut rest = Self::new(&self.scratch, self.grid);
        // Those that say the same have the same time, so that no window is left without events.
        (rest.repeated, rest.windows) = (self.repeated, self.windows);
        for event in self.placed.finish()?.iter() {
            let event = event?;
            let suspected = suspects
                .as_ref()
                .is_none_or(|all| all.binary_search(&fingerprint(event.id.as_str())).is_ok());
            let event = event.alone();
            if suspected { aside.push(event)? } else { rest.placed.push(event)? }
        }
        rest.finish_with(aside, lines)
    }

    /// The same, with events of which ids may occur more than once, and of which none was pushed.
    ///
    /// # Errors
    /// As [`Placing::push`].
    pub(super) fn finish_with(mut self, others: Distinct, lines: u64) -> Result<Lines> {
        self.repeated += others.each(|contents| self.contents(contents))?;
        self.contradictions.sort();
        let Self { scratch, grid, placed, unplaced, windows, contradictions, repeated, .. } = self;
        let unplaced = unplaced.finish()?.into_events(&scratch, scratch.share(FEW))?;
        let windows = u64::try_from(windows.len()).unwrap_or(u64::MAX);
        Ok(Lines {
            grid,
            windows,
            unplaced,
            contradictions,
            lines,
            repeated,
            placed: placed.finish()?,
            scratch,
        })
    }

    /// The contents of one id. One becomes the row: sound, placed, then the earliest, then the smallest text.
    fn contents(&mut self, Contents { mut first, others }: Contents) -> Result<()> {
        if !others.is_empty() {
            self.contradictions.push(first.id.clone());
        }
        for mut other in others {
            if rank(&other) < rank(&first) {
                std::mem::swap(&mut first, &mut other);
            }
            other.flaw.get_or_insert(Flaw::OtherContent);
            self.place(other)?;
        }
        self.place(first)
    }

    fn note(&mut self, window: Window) {
        // Mostly it is the one of the event before.
        if self.latest != Some(window) {
            self.latest = Some(window);
            self.windows.insert(window);
        }
    }

    fn place(&mut self, mut event: Event) -> Result<()> {
        match window(self.grid, event.created_at) {
            Some(window) => {
                self.note(window);
                self.placed.push(event)
            }
            None => {
                // A time that no window has is not a time that cannot be read: such an event is no row.
                if event.created_at.is_some() {
                    event.flaw.get_or_insert(Flaw::NoTime);
                }
                self.unplaced.push(event)
            }
        }
    }
}

fn rank(event: &Event) -> (bool, bool, Option<Timestamp>, &Bytes) {
    (event.flaw.is_some(), event.created_at.is_none(), event.created_at, &event.text)
}
