//! A sequence of events, in memory or in a file.
//!
//! What lives here: [`Events`], [`EventsWriter`], and an event as bytes. What this file must not know: an order.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::file::{SpillFile, length, length_of};
use super::scratch::Scratch;
use crate::error::{Error, Result};
use crate::model::{Event, EventId, Flaw, Timestamp};

/// What an event takes beside its text.
const OVERHEAD: u64 = 192;

/// Bytes read at once.
const BLOCK: usize = 256 << 10;

/// Bytes in front of a record: its length.
const PREFIX: usize = 8;

/// Memory that an event takes, about.
pub(super) fn weight(event: &Event) -> u64 {
    length(&event.text).saturating_add(OVERHEAD)
}

/// Events in an order of their own; given out as often as asked for.
#[derive(Clone, Debug)]
pub struct Events(Held);

#[derive(Clone, Debug)]
enum Held {
    Memory(Arc<[Event]>),
    File { file: Arc<SpillFile>, from: u64, to: u64, count: u64 },
}

impl Default for Events {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl From<Vec<Event>> for Events {
    fn from(events: Vec<Event>) -> Self {
        Self(Held::Memory(events.into()))
    }
}

impl Events {
    /// The part of a file that holds `count` records.
    pub(super) fn within(file: Arc<SpillFile>, (from, to): (u64, u64), count: u64) -> Self {
        Self(Held::File { file, from, to, count })
    }

    /// How many.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Held::Memory(events) => length_of(events.len()),
            Held::File { count, .. } => *count,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether they are in a file.
    pub fn is_spilled(&self) -> bool {
        matches!(self.0, Held::File { .. })
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
            Held::Memory(events) => Place::Memory(Arc::clone(events), 0),
            Held::File { file, from, to, .. } => {
                Place::File { file: Arc::clone(file), at: *from, to: *to, block, read: Bytes::new() }
            }
        })
    }

    /// All of them at once.
    ///
    /// # Errors
    /// As [`Events::iter`].
    pub fn to_vec(&self) -> Result<Vec<Event>> {
        match &self.0 {
            Held::Memory(events) => Ok(events.to_vec()),
            Held::File { .. } => self.iter().collect(),
        }
    }
}

/// See [`Events::iter`].
#[derive(Debug)]
pub struct EventsIter(Place);

#[derive(Debug)]
enum Place {
    Memory(Arc<[Event]>, usize),
    File { file: Arc<SpillFile>, at: u64, to: u64, block: usize, read: Bytes },
    End,
}

impl Iterator for EventsIter {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match &mut self.0 {
            Place::End => None,
            Place::Memory(events, position) => {
                let event = events.get(*position).cloned();
                *position += 1;
                event.map(Ok)
            }
            Place::File { file, at, to, block, read } => record(file, at, *to, *block, read).transpose(),
        };
        if !matches!(next, Some(Ok(_))) {
            self.0 = Place::End;
        }
        next
    }
}

/// The next record; `at` is the place behind what was read.
fn record(file: &SpillFile, at: &mut u64, to: u64, block: usize, read: &mut Bytes) -> Result<Option<Event>> {
    if read.is_empty() && *at >= to {
        return Ok(None);
    }
    fill(file, at, to, block, read, PREFIX)?;
    let bytes = usize::try_from(read.get_u64_le()).unwrap_or(usize::MAX);
    fill(file, at, to, block, read, bytes)?;
    decoded(&read.split_to(bytes)).map(Some).ok_or_else(|| Error::bug("a spilled event is not one"))
}

/// Has at least `wanted` bytes in `read`.
fn fill(
    file: &SpillFile,
    at: &mut u64,
    to: u64,
    block: usize,
    read: &mut Bytes,
    wanted: usize,
) -> Result<()> {
    if read.len() >= wanted {
        return Ok(());
    }
    let left = to.saturating_sub(*at);
    let more = length_of(block.max(wanted - read.len())).min(left);
    if length(read).saturating_add(more) < length_of(wanted) {
        return Err(Error::bug("a spilled event is cut off"));
    }
    let mut all = BytesMut::with_capacity(read.len() + usize::try_from(more).unwrap_or(0));
    all.extend_from_slice(read);
    all.extend_from_slice(&file.read(*at, more)?);
    *at = at.saturating_add(more);
    *read = all.freeze();
    Ok(())
}

/// Appends an event to a file.
pub(super) fn append(file: &mut SpillFile, event: &Event, scratch: &mut Vec<u8>) -> Result<()> {
    scratch.clear();
    scratch.put_u64_le(0);
    let id = event.id.as_str();
    scratch.put_u32_le(u32::try_from(id.len()).map_err(|_| Error::bug("an id is too long to spill"))?);
    scratch.put_slice(id.as_bytes());
    scratch.put_u8(u8::from(event.created_at.is_some()));
    scratch.put_i64_le(event.created_at.map_or(0, Timestamp::micros));
    let flaw = event.flaw.map_or("", Flaw::name);
    scratch.put_u8(u8::try_from(flaw.len()).unwrap_or(0));
    scratch.put_slice(flaw.as_bytes());
    let head = length(scratch).saturating_sub(length_of(PREFIX));
    let whole = head.saturating_add(length(&event.text));
    for (to, from) in scratch.iter_mut().zip(whole.to_le_bytes()) {
        *to = from;
    }
    file.append(scratch)?;
    file.append(&event.text)?;
    Ok(())
}

/// The event of a record; `None` for bytes that are none.
fn decoded(record: &Bytes) -> Option<Event> {
    let mut rest = record.clone();
    let id = usize::try_from(rest.try_get_u32_le().ok()?).ok()?;
    let id = (id <= rest.len()).then(|| rest.split_to(id))?;
    let id = EventId::new(std::str::from_utf8(&id).ok()?);
    let has_time = rest.try_get_u8().ok()? == 1;
    let created_at = Timestamp::from_micros(rest.try_get_i64_le().ok()?);
    let flaw = usize::from(rest.try_get_u8().ok()?);
    let flaw = (flaw <= rest.len()).then(|| rest.split_to(flaw))?;
    let flaw = match flaw.is_empty() {
        true => None,
        false => Some(Flaw::parse(std::str::from_utf8(&flaw).ok()?)?),
    };
    Some(Event { id, created_at: has_time.then_some(created_at), text: rest, flaw })
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
    buffer: Vec<u8>,
}

impl EventsWriter {
    /// Nothing yet; at most `share` bytes in memory.
    pub fn new(scratch: &Scratch, share: u64) -> Self {
        let scratch = scratch.clone();
        Self { scratch, share, held: Vec::new(), weight: 0, file: None, count: 0, buffer: Vec::new() }
    }

    /// Takes one more.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: it cannot be spilled.
    pub fn push(&mut self, event: Event) -> Result<()> {
        self.count += 1;
        if let Some(file) = &mut self.file {
            return append(file, &event, &mut self.buffer);
        }
        self.weight = self.weight.saturating_add(weight(&event));
        self.held.push(event);
        if self.weight > self.share {
            let mut file = self.scratch.file()?;
            for event in std::mem::take(&mut self.held) {
                append(&mut file, &event, &mut self.buffer)?;
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
