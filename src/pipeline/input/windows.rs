//! Distinct events by window.
//!
//! What lives here: [`Lines`], and its [`Windows`], one after the other in ascending time. What this file must not know:
//! lines, files, rows.

use crate::error::{Error, Result};
use crate::model::{Event, EventId, Grid, Timestamp, Window};
use crate::spool::{Cuts, Events, EventsWriter, Scratch, Sorted, SortedIter};

/// Of the memory, one such part is for the events of one window, where they are kept by themselves.
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
    /// The events that windows hold.
    pub(super) placed: Sorted,
    pub(super) scratch: Scratch,
}

impl Lines {
    /// The windows with events, ascending; each one's events sorted as rows are.
    pub(in crate::pipeline) fn windows(&self) -> Windows {
        let placed = match self.placed.as_events() {
            Some(one) => Placed::One(one.cuts()),
            None => Placed::Runs { events: self.placed.iter(), ahead: None, scratch: self.scratch.clone() },
        };
        Windows { grid: self.grid, placed }
    }
}

/// See [`Lines::windows`]. It blocks while it reads.
#[derive(Debug)]
pub(in crate::pipeline) struct Windows {
    grid: Grid,
    placed: Placed,
}

#[derive(Debug)]
enum Placed {
    /// A sequence, of which windows are parts.
    One(Cuts),
    /// Several that are merged; each window's events are kept by themselves.
    Runs {
        events: SortedIter,
        /// The first event of the next window.
        ahead: Option<Event>,
        scratch: Scratch,
    },
}

impl Windows {
    fn step(&mut self) -> Result<Option<(Window, Events)>> {
        let grid = self.grid;
        let of =
            |time| window(grid, time).ok_or_else(|| Error::bug("an event that no window holds is placed"));
        let within = |window: Window, time: Option<Timestamp>| time.is_some_and(|at| window.contains(at));
        match &mut self.placed {
            Placed::One(cuts) => {
                let Some(first) = cuts.time()? else { return Ok(None) };
                let window = of(first)?;
                Ok(Some((window, cuts.part(|time| within(window, time))?)))
            }
            Placed::Runs { events, ahead, scratch } => {
                let Some(first) = ahead.take().map(Ok).or_else(|| events.next()).transpose()? else {
                    return Ok(None);
                };
                let window = of(first.created_at)?;
                let mut own = EventsWriter::new(scratch, scratch.share(WINDOW));
                own.push(first)?;
                for event in events.by_ref() {
                    let event = event?;
                    if !within(window, event.created_at) {
                        *ahead = Some(event);
                        break;
                    }
                    own.push(event)?;
                }
                Ok(Some((window, own.finish()?)))
            }
        }
    }
}

impl Iterator for Windows {
    type Item = Result<(Window, Events)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

/// The window of a time, if the log can name it: at the ends of the calendar a window reaches beyond.
pub(in crate::pipeline) fn window(grid: Grid, created_at: Option<Timestamp>) -> Option<Window> {
    let window = grid.window(created_at?);
    let named = |at: Timestamp| (1..=9999).contains(&at.date().0);
    (named(window.from) && named(window.to)).then_some(window)
}
