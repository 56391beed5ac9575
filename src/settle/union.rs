//! The union of parts, however many events it has.
//!
//! What lives here: [`Union`], which takes parts as they become certain, and [`Distinct`], a set of events with each id
//! once, as a walk or a union gives it. What this file must not know: counts that a set is held against, ranges.

use super::certify::Certain;
use super::collect::{Collection, agree};
use super::split::Part;
use crate::error::Result;
use crate::model::{Event, Flaw, Level, Proof};
use crate::spool::{Events, EventsWriter, Order, Scratch, Sorter};

/// One range in the making holds at most one of so many shares of the run's memory. A run has at most four of them at a
/// time, half of its memory: two that are settled ahead, one that is settled again beside them, and the finished ones
/// (each a quarter of its share: two that are compared, one that is written).
const RANGE: u64 = 8;
/// A union sorts in one quarter of its range's share and puts the result into another one; what is left is for the two
/// parts in flight, which divide a quarter each in the same way. When the whole is done, its union is in a quarter while
/// the range's events are sorted by time in another one and become a sequence in a third.
const QUARTER: u64 = 4;
/// Ranges within ranges down to here have shares of their own; deeper ones, which only bursts make, have as much as
/// these, lest sorted runs become too short.
const DEEPEST: u32 = 3;

/// Bytes of memory for each step of making a union at this depth of parts within parts.
pub(super) fn share(scratch: &Scratch, depth: u32) -> u64 {
    scratch.share(RANGE * QUARTER * QUARTER.pow(depth.min(DEEPEST)))
}

/// Events with each id once.
#[derive(Debug)]
pub(super) enum Distinct {
    /// As walks gave them, in no order.
    Walked(Collection),
    /// As a union gave them, by id.
    Joined(Events),
}

impl From<Collection> for Distinct {
    fn from(events: Collection) -> Self {
        Self::Walked(events)
    }
}

impl Distinct {
    /// How many.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Walked(events) => events.len(),
            Self::Joined(events) => events.len(),
        }
    }

    /// Hands out one after the other.
    ///
    /// # Errors
    /// `Storage`: they cannot be read; what `take` gives.
    pub(super) fn each(self, mut take: impl FnMut(Event) -> Result<()>) -> Result<()> {
        match self {
            Self::Walked(events) => events.into_events().try_for_each(take),
            Self::Joined(events) => events.iter().try_for_each(|event| take(event?)),
        }
    }
}

/// Parts on the way to a whole that is as certain as the weakest of them.
#[derive(Debug)]
pub(super) struct Union {
    scratch: Scratch,
    share: u64,
    sorter: Sorter,
    level: Level,
    parts: u32,
    proofs: Vec<Proof>,
}

impl Union {
    /// Of nothing yet, for a range that is a part of `depth` others.
    pub(super) fn new(scratch: &Scratch, depth: u32) -> Self {
        let share = share(scratch, depth);
        let sorter = Sorter::new(scratch, share, Order::Id);
        Self { scratch: scratch.clone(), share, sorter, level: Level::Double, parts: 0, proofs: Vec::new() }
    }

    /// Events taken in, an id of several parts counted as often.
    pub(super) fn rows(&self) -> u64 {
        self.sorter.len()
    }

    /// Takes one more part.
    ///
    /// # Errors
    /// `Storage`: its events cannot be read or spilled.
    pub(super) fn take(&mut self, part: Part) -> Result<()> {
        let Part { certain, parts } = part;
        self.level = self.level.min(certain.level);
        self.parts = self.parts.saturating_add(parts);
        self.proofs.extend(certain.proofs);
        certain.events.each(|event| self.sorter.push(event))
    }

    /// The whole, its count that of its distinct ids.
    ///
    /// # Errors
    /// `Contradiction` when one id came with two contents; `Storage`: what was spilled cannot be read, or more spilled.
    pub(super) fn finish(self) -> Result<Part> {
        let mut events = EventsWriter::new(&self.scratch, self.share);
        let mut same = Same::default();
        for event in self.sorter.finish()?.iter() {
            let event = event?;
            if !same.is_of(&event) {
                same.done(&mut events)?;
            }
            same.add(event)?;
        }
        same.done(&mut events)?;
        let events = events.finish()?;
        let distinct = events.len();
        let events = Distinct::Joined(events);
        let certain = Certain { level: self.level, total: distinct, distinct, events, proofs: self.proofs };
        Ok(Part { certain, parts: self.parts })
    }
}

/// The events of one id, which agree as those of a [`Collection`] do.
#[derive(Debug, Default)]
struct Same {
    known: Option<Event>,
    /// Other texts that are not UTF-8. They wait for one that is, beside which they mean nothing.
    broken: Vec<Event>,
}

impl Same {
    fn is_of(&self, event: &Event) -> bool {
        self.known.iter().chain(self.broken.last()).all(|known| known.id == event.id)
    }

    fn add(&mut self, event: Event) -> Result<()> {
        match &mut self.known {
            _ if event.flaw == Some(Flaw::NotUtf8) => {
                if self.broken.last().is_none_or(|last| last.text != event.text) {
                    self.broken.push(event);
                }
                Ok(())
            }
            None => {
                self.known = Some(event);
                Ok(())
            }
            Some(known) => agree(known, event),
        }
    }

    /// Writes out the one that stays, and is empty again.
    fn done(&mut self, events: &mut EventsWriter) -> Result<()> {
        for event in self.broken.drain(..) {
            match &mut self.known {
                Some(known) => agree(known, event)?,
                None => self.known = Some(event),
            }
        }
        self.known.take().map_or(Ok(()), |event| events.push(event))
    }
}

#[cfg(test)]
mod tests;
