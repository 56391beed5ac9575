//! An event as bytes in a temporary file.
//!
//! What lives here: the form of a record, how it is written, and [`Records`], which reads one after the other. What this file
//! must not know: an order, who holds the file.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes};

use super::file::{SpillFile, length, length_of};
use super::lent::Lent;
use crate::error::{Error, Result};
use crate::model::{Event, EventId, Flaw, Timestamp};

/// Bytes in front of a record: the length of the rest of it.
const PREFIX: usize = 8;

/// Bytes with which the rest begins: whether there is a time, and the time.
const TIME: usize = 9;

/// Bytes of the id's length and of the flaw's.
const LENGTHS: usize = 5;

/// Appends an event.
pub(super) fn append(file: &mut SpillFile, event: &Event) -> Result<()> {
    let head = Head::of(event)?;
    file.append_with(|out| head.write(out))?;
    file.append(&event.text).map(|_| ())
}

/// Bytes of an event's record.
pub(super) fn size(event: &Event) -> Result<u64> {
    let head = Head::of(event)?;
    Ok(head.rest.saturating_add(length_of(PREFIX)))
}

/// Writes an event's record.
pub(super) fn write(out: &mut Vec<u8>, event: &Event) -> Result<()> {
    Head::of(event)?.write(out);
    out.put_slice(&event.text);
    Ok(())
}

/// What stands in front of an event's text.
struct Head<'a> {
    /// Bytes behind the prefix.
    rest: u64,
    created_at: Option<Timestamp>,
    flaw: &'static str,
    id: &'a str,
    id_length: u32,
}

impl<'a> Head<'a> {
    fn of(event: &'a Event) -> Result<Self> {
        let (id, flaw) = (event.id.as_str(), event.flaw.map_or("", Flaw::name));
        let id_length = u32::try_from(id.len()).map_err(|_| Error::bug("an id is too long to spill"))?;
        let rest = [TIME, LENGTHS, flaw.len(), id.len()].into_iter().map(length_of);
        let rest = rest.fold(length(&event.text), u64::saturating_add);
        Ok(Self { rest, created_at: event.created_at, flaw, id, id_length })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.put_u64_le(self.rest);
        out.put_u8(u8::from(self.created_at.is_some()));
        out.put_i64_le(self.created_at.map_or(0, Timestamp::micros));
        out.put_u8(u8::try_from(self.flaw.len()).unwrap_or(0));
        out.put_u32_le(self.id_length);
        out.put_slice(self.flaw.as_bytes());
        out.put_slice(self.id.as_bytes());
    }
}

/// A part of a file, record by record.
#[derive(Debug)]
pub(super) struct Records {
    file: Arc<SpillFile>,
    /// The place behind what was read.
    at: u64,
    to: u64,
    /// Bytes read at once.
    block: usize,
    read: Bytes,
}

impl Records {
    /// From one place to another, at most `block` bytes at once.
    pub(super) fn new(file: Arc<SpillFile>, at: u64, to: u64, block: usize) -> Self {
        Self { file, at, to, block, read: Bytes::new() }
    }

    /// Where the next record begins.
    pub(super) fn place(&self) -> u64 {
        self.at.saturating_sub(length(&self.read))
    }

    /// The next event.
    pub(super) fn next(&mut self) -> Result<Option<Event>> {
        let Some(bytes) = self.prefix()? else { return Ok(None) };
        self.fill(bytes)?;
        decoded(&self.read.split_to(bytes)).map(Some).ok_or_else(|| Error::bug("a spilled event is not one"))
    }

    /// The time of the next event, which is passed over; the outer `None` at the end.
    pub(super) fn skip(&mut self) -> Result<Option<Option<Timestamp>>> {
        let Some(bytes) = self.prefix()? else { return Ok(None) };
        self.fill(TIME.min(bytes))?;
        let time = time(&mut self.read).ok_or_else(|| Error::bug("a spilled event is not one"))?;
        let rest = bytes.saturating_sub(TIME);
        let beyond = length_of(rest).saturating_sub(length(&self.read));
        if self.at.saturating_add(beyond) > self.to {
            return Err(Error::bug("a spilled event is cut off"));
        }
        self.read.advance(rest.min(self.read.len()));
        self.at = self.at.saturating_add(beyond);
        Ok(Some(time))
    }

    /// The length of the next record, behind its prefix.
    fn prefix(&mut self) -> Result<Option<usize>> {
        if self.read.is_empty() && self.at >= self.to {
            return Ok(None);
        }
        self.fill(PREFIX)?;
        Ok(Some(usize::try_from(self.read.get_u64_le()).unwrap_or(usize::MAX)))
    }

    /// Has at least `wanted` bytes in `read`.
    fn fill(&mut self, wanted: usize) -> Result<()> {
        let held = self.read.len();
        if held >= wanted {
            return Ok(());
        }
        let left = self.to.saturating_sub(self.at);
        let more = length_of(self.block.max(wanted - held)).min(left);
        if length_of(held).saturating_add(more) < length_of(wanted) {
            return Err(Error::bug("a spilled event is cut off"));
        }
        self.read = self.file.read_behind(&self.read, self.at, more)?.into();
        self.at = self.at.saturating_add(more);
        Ok(())
    }
}

fn time(record: &mut impl Buf) -> Option<Option<Timestamp>> {
    let has_time = record.try_get_u8().ok()? == 1;
    let at = Timestamp::from_micros(record.try_get_i64_le().ok()?);
    Some(has_time.then_some(at))
}

/// The event of a record without its prefix; `None` for bytes that are none.
pub(super) fn lent(mut rest: &[u8]) -> Option<Lent<'_>> {
    let created_at = time(&mut rest)?;
    let flaw = usize::from(rest.try_get_u8().ok()?);
    let id = usize::try_from(rest.try_get_u32_le().ok()?).ok()?;
    let (names, text) = rest.split_at_checked(flaw.checked_add(id)?)?;
    let (flaw, id) = std::str::from_utf8(names).ok()?.split_at_checked(flaw)?;
    let flaw = if flaw.is_empty() { None } else { Some(Flaw::parse(flaw)?) };
    Some(Lent { id, created_at, text, flaw })
}

/// The same as an event of its own, whose text is a slice of the record.
fn decoded(rest: &Bytes) -> Option<Event> {
    let Lent { id, created_at, text, flaw } = lent(rest)?;
    Some(Event { id: EventId::new(id), created_at, text: rest.slice_ref(text), flaw })
}
