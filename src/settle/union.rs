//! The union of parts, however many events it has.
//!
//! What lives here: [`Union`], which takes parts as they become certain, and [`Distinct`], a set of events with each id
//! once, as a walk or a union gives it. Most events of a part lie so far inside it that no other part shows them: they stay
//! as they are, by time, in the order of the parts. The others are told apart by id, and so is everything where an id
//! turns out to stand among the former twice after all.
//! What this file must not know: counts that a set is held against, the order of rows.

use super::certify::Certain;
use super::collect::{Collection, agree};
use super::split::Part;
use crate::error::Result;
use crate::model::{Event, EventId, Flaw, Level, Proof, Timestamp, Window};
use crate::spool::{Distinct as Ids, Events, EventsWriter, Numbers, Order, Pool, Scratch, Sorted, Sorter};

/// One range in the making holds at most one of so many shares of the run's memory. A run has at most four of them at a
/// time, half of its memory: two that are settled ahead, one that is settled again beside them, and the finished ones
/// (each a quarter of its share: two that are compared, one that is written).
const RANGE: u64 = 8;
/// The events inside of a range's parts are in one quarter of its share, at any depth; a union tells the others apart in another
/// one and puts them into a third. What is left is for the two parts in flight, which divide a quarter each in the same
/// way.
const QUARTER: u64 = 4;
/// Ranges within ranges down to here have shares of their own; deeper ones, which only bursts make, have as much as
/// these, lest sorted runs become too short.
const DEEPEST: u32 = 3;

/// Bytes of memory for each step of making a union at this depth of parts within parts.
pub(super) fn share(scratch: &Scratch, depth: u32) -> u64 {
    scratch.share(RANGE * QUARTER * QUARTER.pow(depth.min(DEEPEST)))
}

/// Seconds by which an event lies further inside a part than its neighbours' questions reach, before it is taken for one that
/// no other part shows: bounds may be read as the whole second or the next. No proof rests on it.
const FAR: i64 = 3;

/// The times of a part that its neighbours do not ask for, if there are any.
pub(super) fn inside(range: Window, padding: u32) -> Option<Window> {
    let reach = i64::from(padding).saturating_add(FAR);
    let inside = Window::new(range.from.plus_seconds(reach), range.to.plus_seconds(-reach));
    (inside.from < inside.to).then_some(inside)
}

/// Events with each id once.
#[derive(Debug)]
pub(super) enum Distinct {
    /// As walks gave them, in no order.
    Walked(Collection),
    /// As a union gave them.
    Joined(Joined),
}

/// What parts have inside of them, and what they share or may share; no id is in both, or twice in one.
#[derive(Debug, Default)]
pub(super) struct Joined {
    /// In the order of the parts.
    pub(super) inner: Vec<Inner>,
    /// By id.
    pub(super) border: Events,
    /// A number for each id in `inner`.
    ids: Numbers,
}

/// The events inside of one part, by time.
#[derive(Clone, Debug)]
pub(super) struct Inner {
    pub(super) events: Events,
    /// The time of the first.
    pub(super) first: Timestamp,
    /// And that of the last.
    pub(super) last: Timestamp,
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
            Self::Joined(events) => count(&events.inner).saturating_add(events.border.len()),
        }
    }

    /// Hands out one after the other.
    ///
    /// # Errors
    /// `Storage`: they cannot be read; what `take` gives.
    pub(super) fn each(self, mut take: impl FnMut(Event) -> Result<()>) -> Result<()> {
        match self {
            Self::Walked(events) => events.into_events().try_for_each(take),
            Self::Joined(events) => {
                let sequences = events.inner.iter().map(|inner| &inner.events).chain([&events.border]);
                sequences.flat_map(Events::iter).try_for_each(|event| take(event?))
            }
        }
    }
}

fn count(inner: &[Inner]) -> u64 {
    inner.iter().map(|inner| inner.events.len()).fold(0, u64::saturating_add)
}

/// Parts on the way to a whole that is as certain as the weakest of them.
#[derive(Debug)]
pub(super) struct Union {
    scratch: Scratch,
    pool: Pool,
    share: u64,
    inner: Vec<Inner>,
    /// What other parts may hold as well.
    border: Sorter,
    /// A number for each id in `inner`.
    ids: Ids,
    level: Level,
    parts: u32,
    proofs: Vec<Proof>,
}

/// Where unions of one range keep what is inside of their parts.
pub(super) fn pool(scratch: &Scratch) -> Pool {
    Pool::new(scratch, share(scratch, 0))
}

impl Union {
    /// Of nothing yet, for a range that is a part of `depth` others.
    pub(super) fn new(scratch: &Scratch, pool: &Pool, depth: u32) -> Self {
        let share = share(scratch, depth);
        Self {
            scratch: scratch.clone(),
            pool: pool.clone(),
            share,
            inner: Vec::new(),
            border: Sorter::new(scratch, share, Order::Id),
            ids: Ids::new(scratch, share),
            level: Level::Double,
            parts: 0,
            proofs: Vec::new(),
        }
    }

    /// Events taken in, an id of several parts counted as often.
    pub(super) fn rows(&self) -> u64 {
        count(&self.inner).saturating_add(self.border.len())
    }

    /// Takes one more part, behind all others in time. No other part is expected to show what it has `inside`.
    ///
    /// # Errors
    /// `Storage`: its events cannot be read or spilled.
    pub(super) fn take(&mut self, part: Part, inside: Option<Window>) -> Result<()> {
        let Part { certain, parts } = part;
        self.level = self.level.min(certain.level);
        self.parts = self.parts.saturating_add(parts);
        self.proofs.extend(certain.proofs);
        match certain.events {
            Distinct::Walked(events) => self.walked(events, inside),
            events if inside.is_none() => events.each(|event| self.border.push(event)),
            Distinct::Joined(Joined { inner, border, ids }) => {
                self.inner.extend(inner);
                ids.each(|id| self.ids.push(id))?;
                border.iter().try_for_each(|event| self.border.push(event?))
            }
        }
    }

    fn walked(&mut self, events: Collection, inside: Option<Window>) -> Result<()> {
        let far = |event: &Event| match (event.created_at, inside) {
            (Some(at), Some(inside)) => inside.contains(at),
            _ => false,
        };
        let events = events.into_numbered();
        let mut own = Vec::with_capacity(events.len());
        for (number, event) in events {
            if far(&event) {
                self.ids.push(number)?;
                own.push(event);
            } else {
                // Few of a page wait here, and are not to keep the page.
                self.border.push(if inside.is_some() { event.alone() } else { event })?;
            }
        }
        Order::Time.sort(&mut own);
        let time = |event: Option<&Event>| event.and_then(|event| event.created_at);
        if let (Some(first), Some(last)) = (time(own.first()), time(own.last())) {
            self.inner.push(Inner { events: self.pool.keep(own)?, first, last });
        }
        Ok(())
    }

    /// The whole, its count that of its distinct ids.
    ///
    /// # Errors
    /// `Contradiction` when one id came with two contents; `Storage`: what was spilled cannot be read, or more spilled.
    pub(super) fn finish(self) -> Result<Part> {
        let Self { scratch, share, mut inner, border, ids, level, parts, proofs, .. } = self;
        let (mut border, mut ids) = (border.finish()?, ids.finish()?);
        if ids.repeats_with(&numbers(&border, &scratch, share)?)? {
            let mut all = Sorter::new(&scratch, share, Order::Id);
            let sequences = inner.iter().map(|inner| &inner.events);
            sequences.flat_map(Events::iter).chain(border.iter()).try_for_each(|event| all.push(event?))?;
            (inner, border, ids) = (Vec::new(), all.finish()?, Numbers::default());
        }
        let events = Joined { border: distinct(&border, &scratch, share)?, inner, ids };
        let events = Distinct::Joined(events);
        let distinct = events.len();
        Ok(Part { certain: Certain { level, total: distinct, distinct, events, proofs }, parts })
    }
}

/// A number for each id, which events of one id have together.
fn numbers(events: &Sorted, scratch: &Scratch, share: u64) -> Result<Numbers> {
    let mut numbers = Ids::new(scratch, share);
    let mut known: Option<EventId> = None;
    for event in events.iter() {
        let id = event?.id;
        if known.as_ref() != Some(&id) {
            numbers.push(id.fingerprint())?;
            known = Some(id);
        }
    }
    numbers.finish()
}

/// Events by id, each once.
fn distinct(sorted: &Sorted, scratch: &Scratch, share: u64) -> Result<Events> {
    let mut events = EventsWriter::new(scratch, share);
    let mut same = Same::default();
    for event in sorted.iter() {
        let event = event?;
        if !same.is_of(&event) {
            same.done(&mut events)?;
        }
        same.add(event)?;
    }
    same.done(&mut events)?;
    events.finish()
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
