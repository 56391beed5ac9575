//! A sequence of events, in memory or in a file.
//!
//! What lives here: [`Events`], its cutting into parts, and [`EventsWriter`]. What this file must not know: an order, the
//! form of a record.

use std::sync::Arc;

use super::file::{SpillFile, length, length_of};
use super::record::{Records, append};
use super::scratch::Scratch;
use crate::error::Result;
use crate::model::{Event, Timestamp};

mod lending;

/// What an event takes beside its text.
const OVERHEAD: u64 = 192;

/// Bytes read at once.
const BLOCK: usize = 64 << 10;

/// Memory that an event takes, about.
pub(super) fn weight(event: &Event) -> u64 {
    length(&event.text).saturating_add(OVERHEAD)
}

/// Events in an order of their own; given out as often as asked for.
#[derive(Clone, Debug)]
pub struct Events(Held);

/// Places are positions in the list, bytes of the file, or positions in all parts together.
#[derive(Clone, Debug)]
enum Held {
    Memory { events: Arc<[Event]>, from: usize, to: usize },
    File { file: Arc<SpillFile>, from: u64, to: u64, count: u64 },
    Parts { parts: Arc<[Events]>, from: u64, to: u64 },
}

impl Default for Events {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl From<Vec<Event>> for Events {
    fn from(events: Vec<Event>) -> Self {
        Self(Held::Memory { from: 0, to: events.len(), events: events.into() })
    }
}

impl Events {
    /// The part of a file that holds `count` records.
    pub(super) fn within(file: Arc<SpillFile>, (from, to): (u64, u64), count: u64) -> Self {
        Self(Held::File { file, from, to, count })
    }

    /// These sequences, one after the other; they are not copied for it.
    pub fn joined(mut parts: Vec<Self>) -> Self {
        parts.retain(|part| !part.is_empty());
        if parts.len() <= 1 {
            return parts.pop().unwrap_or_default();
        }
        let to = parts.iter().map(Self::len).fold(0, u64::saturating_add);
        Self(Held::Parts { parts: parts.into(), from: 0, to })
    }

    /// How many.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Held::Memory { from, to, .. } => length_of(to.saturating_sub(*from)),
            Held::File { count, .. } => *count,
            Held::Parts { from, to, .. } => to.saturating_sub(*from),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The events, one after the other.
    ///
    /// # Errors
    /// Each item may be one of [`crate::error::Kind::Storage`], after which nothing follows.
    pub fn iter(&self) -> EventsIter {
        self.iter_by(BLOCK)
    }

    /// The same, reading at most so many bytes at once.
    pub(super) fn iter_by(&self, block: usize) -> EventsIter {
        EventsIter(match &self.0 {
            Held::Memory { events, from, to } => {
                Place::Memory { events: Arc::clone(events), at: *from, to: *to }
            }
            Held::File { file, from, to, .. } => {
                Place::File(Records::new(Arc::clone(file), *from, *to, block))
            }
            Held::Parts { parts, from, to } => {
                let parts = Arc::clone(parts);
                Place::Parts(Box::new(Parts {
                    parts,
                    next: 0,
                    own: None,
                    start: *from,
                    at: 0,
                    to: *to,
                    block,
                }))
            }
        })
    }

    /// All of them at once.
    ///
    /// # Errors
    /// As [`Events::iter`].
    pub fn to_vec(&self) -> Result<Vec<Event>> {
        match &self.0 {
            Held::Memory { events, from, to } => Ok(events.get(*from..*to).unwrap_or_default().to_vec()),
            Held::File { .. } | Held::Parts { .. } => self.iter().collect(),
        }
    }

    /// For cutting the sequence into parts, which are not copied for it.
    pub fn cuts(&self) -> Cuts {
        Cuts { all: self.clone(), places: self.iter(), ahead: None }
    }
}

/// Parts of a sequence, one after the other; see [`Events::cuts`].
#[derive(Debug)]
pub struct Cuts {
    all: Events,
    places: EventsIter,
    /// The time of the next part's first event, and its place.
    ahead: Option<(Option<Timestamp>, u64)>,
}

impl Cuts {
    /// The time of the next event, which begins the next part; the outer `None` at the end.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: it cannot be read.
    pub fn time(&mut self) -> Result<Option<Option<Timestamp>>> {
        if self.ahead.is_none() {
            self.ahead = self.places.pass_over()?;
        }
        Ok(self.ahead.map(|(time, _)| time))
    }

    /// The next event and all after it up to the first whose time does not belong to them.
    ///
    /// # Errors
    /// As [`Cuts::time`].
    pub fn part(&mut self, belongs: impl Fn(Option<Timestamp>) -> bool) -> Result<Events> {
        self.time()?;
        let Some((_, from)) = self.ahead.take() else { return Ok(Events::default()) };
        let mut count = 1_u64;
        let to = loop {
            match self.places.pass_over()? {
                Some((time, place)) if !belongs(time) => {
                    self.ahead = Some((time, place));
                    break place;
                }
                Some(_) => count += 1,
                None => break self.all.end(),
            }
        };
        Ok(self.all.between(from, to, count))
    }
}

impl Events {
    fn end(&self) -> u64 {
        match &self.0 {
            Held::Memory { to, .. } => length_of(*to),
            Held::File { to, .. } | Held::Parts { to, .. } => *to,
        }
    }

    fn between(&self, from: u64, to: u64, count: u64) -> Self {
        let position = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        Self(match &self.0 {
            Held::Memory { events, .. } => {
                Held::Memory { events: Arc::clone(events), from: position(from), to: position(to) }
            }
            Held::File { file, .. } => Held::File { file: Arc::clone(file), from, to, count },
            Held::Parts { parts, .. } => Held::Parts { parts: Arc::clone(parts), from, to },
        })
    }
}

/// See [`Events::iter`].
#[derive(Debug)]
pub struct EventsIter(Place);

#[derive(Debug)]
enum Place {
    Memory { events: Arc<[Event]>, at: usize, to: usize },
    File(Records),
    Parts(Box<Parts>),
    End,
}

/// The way through several sequences.
#[derive(Debug)]
struct Parts {
    parts: Arc<[Events]>,
    /// The part that comes next.
    next: usize,
    /// The way through the part before it.
    own: Option<EventsIter>,
    /// The first position that is asked for; those before it are passed over.
    start: u64,
    /// The position of the next event.
    at: u64,
    to: u64,
    block: usize,
}

impl Parts {
    /// What `step` gives of the next event, or of the first of the next part; `None` behind the last.
    fn step<T>(&mut self, mut step: impl FnMut(&mut EventsIter) -> Result<Option<T>>) -> Result<Option<T>> {
        while self.at < self.to {
            let Some(own) = &mut self.own else {
                let Some(part) = self.parts.get(self.next) else { break };
                self.next += 1;
                if self.at.saturating_add(part.len()) <= self.start {
                    self.at = self.at.saturating_add(part.len());
                } else {
                    self.own = Some(part.iter_by(self.block));
                }
                continue;
            };
            let given =
                if self.at < self.start { own.pass_over()?.map(|_| None) } else { step(own)?.map(Some) };
            match given {
                Some(given) => {
                    self.at = self.at.saturating_add(1);
                    if given.is_some() {
                        return Ok(given);
                    }
                }
                None => self.own = None,
            }
        }
        Ok(None)
    }
}

impl EventsIter {
    /// The time of the next event, which is passed over, and where it stands.
    fn pass_over(&mut self) -> Result<Option<(Option<Timestamp>, u64)>> {
        match &mut self.0 {
            Place::End => Ok(None),
            Place::Memory { events, at, to } => {
                let place = *at;
                let event = events.get(place).filter(|_| place < *to);
                *at += 1;
                Ok(event.map(|event| (event.created_at, length_of(place))))
            }
            Place::File(records) => {
                let place = records.place();
                Ok(records.skip()?.map(|time| (time, place)))
            }
            Place::Parts(parts) => {
                let passed = parts.step(Self::pass_over)?;
                Ok(passed.map(|(time, _)| (time, parts.at.saturating_sub(1))))
            }
        }
    }
}

impl Iterator for EventsIter {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match &mut self.0 {
            Place::End => None,
            Place::Memory { events, at, to } => {
                let event = events.get(*at).filter(|_| *at < *to).cloned();
                *at += 1;
                event.map(Ok)
            }
            Place::File(records) => records.next().transpose(),
            Place::Parts(parts) => parts.step(|own| own.next().transpose()).transpose(),
        };
        if !matches!(next, Some(Ok(_))) {
            self.0 = Place::End;
        }
        next
    }
}

/// Takes events in, and spills all of them once they are more than its share.
#[derive(Debug)]
pub struct EventsWriter {
    scratch: Scratch,
    share: u64,
    held: Vec<Event>,
    weight: u64,
    file: Option<SpillFile>,
    count: u64,
}

impl EventsWriter {
    /// Nothing yet; at most `share` bytes in memory.
    pub fn new(scratch: &Scratch, share: u64) -> Self {
        let scratch = scratch.clone();
        Self { scratch, share, held: Vec::new(), weight: 0, file: None, count: 0 }
    }

    /// Takes one more.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: it cannot be spilled.
    pub fn push(&mut self, event: Event) -> Result<()> {
        self.count += 1;
        if let Some(file) = &mut self.file {
            return append(file, &event);
        }
        self.weight = self.weight.saturating_add(weight(&event));
        self.held.push(event);
        if self.weight > self.share {
            let mut file = self.scratch.file()?;
            for event in std::mem::take(&mut self.held) {
                append(&mut file, &event)?;
            }
            self.file = Some(file);
        }
        Ok(())
    }

    /// All that were pushed, in that order.
    ///
    /// # Errors
    /// As [`EventsWriter::push`].
    pub fn finish(self) -> Result<Events> {
        let Some(mut file) = self.file else { return Ok(self.held.into()) };
        file.flush()?;
        let to = file.len();
        Ok(Events::within(Arc::new(file), (0, to), self.count))
    }
}
