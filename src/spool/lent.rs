//! Events where they are held, a block at a time.
//!
//! What lives here: [`Lent`], an event that lasts as long as its block, and the reading of a file in blocks. Whoever needs events
//! one after the other and none for long is spared making each of them. What this file must not know: an order, what is made of
//! them.

use super::file::{SpillFile, length_of};
use super::record::lent;
use crate::error::{Error, Result};
use crate::model::{Event, EventId, Flaw, Timestamp};

/// Events of a block, at most, where they are in memory.
const EVENTS: usize = 1_024;

/// Bytes that are read at once, at least; of a record that is longer, all.
const BLOCK: usize = 256 << 10;

/// Bytes in front of a record: the length of the rest of it.
const PREFIX: usize = 8;

/// What is done with each block.
pub(super) type Take<'t> = dyn FnMut(&[Lent<'_>]) -> Result<()> + 't;

/// An [`Event`] that somebody else holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lent<'a> {
    /// Identity.
    pub id: &'a str,
    /// See [`Event::created_at`].
    pub created_at: Option<Timestamp>,
    /// The event's bytes.
    pub text: &'a [u8],
    /// See [`Event::flaw`].
    pub flaw: Option<Flaw>,
}

impl<'a> From<&'a Event> for Lent<'a> {
    fn from(event: &'a Event) -> Self {
        Self { id: event.id.as_str(), created_at: event.created_at, text: &event.text, flaw: event.flaw }
    }
}

impl Lent<'_> {
    /// The event, for whoever keeps it: a copy.
    pub fn event(&self) -> Event {
        let Self { id, created_at, text, flaw } = *self;
        Event { id: EventId::new(id), created_at, text: text.to_vec().into(), flaw }
    }
}

/// Lends some events.
pub(super) fn lend(events: &[Event], take: &mut Take<'_>) -> Result<()> {
    events.chunks(EVENTS).try_for_each(|some| take(&some.iter().map(Lent::from).collect::<Vec<_>>()))
}

/// Lends the records of a part of a file: `count` of them, after `skip` others.
pub(super) fn lend_records(
    file: &SpillFile,
    (mut at, to): (u64, u64),
    (mut skip, mut count): (u64, u64),
    take: &mut Take<'_>,
) -> Result<()> {
    // Records that were not taken yet are at the front, so many bytes.
    let (mut buffer, mut held) = (Vec::new(), 0_usize);
    let mut wanted = BLOCK;
    while count > 0 && at < to {
        let left = usize::try_from(to - at).unwrap_or(usize::MAX);
        let more = wanted.saturating_sub(held).max(BLOCK).min(left);
        let whole = held.saturating_add(more);
        if buffer.len() < whole {
            buffer.resize(whole, 0);
        }
        let place = buffer.get_mut(held..whole).unwrap_or_default();
        match file.read_at(place, at) {
            Ok(read) if read == more => {}
            Ok(_) => return Err(file.unread(std::io::ErrorKind::UnexpectedEof.into())),
            Err(cause) => return Err(file.unread(cause)),
        }
        at = at.saturating_add(length_of(more));
        let mut rest = buffer.get(..whole).unwrap_or_default();
        let mut events = Vec::new();
        while let Some((record, behind)) = split(rest) {
            rest = behind;
            if skip > 0 {
                skip -= 1;
            } else if count > 0 {
                count -= 1;
                events.push(lent(record).ok_or_else(|| Error::bug("a spilled event is not one"))?);
            }
        }
        if !events.is_empty() {
            take(&events)?;
        }
        drop(events);
        held = rest.len();
        wanted = record_length(rest).unwrap_or(0);
        buffer.copy_within(whole.saturating_sub(held)..whole, 0);
    }
    if count > 0 { Err(Error::bug("a spilled event is cut off")) } else { Ok(()) }
}

/// Bytes of the record with which these bytes begin, its prefix with it.
fn record_length(bytes: &[u8]) -> Option<usize> {
    let prefix = u64::from_le_bytes(*bytes.first_chunk::<PREFIX>()?);
    Some(usize::try_from(prefix).unwrap_or(usize::MAX).saturating_add(PREFIX))
}

/// The first record without its prefix, and what stands behind it; `None` if it does not end here.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (record, behind) = bytes.split_at_checked(record_length(bytes)?)?;
    Some((record.get(PREFIX..)?, behind))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use crate::model::{Event, EventId, Flaw, Timestamp};
    use crate::spool::{Events, EventsWriter, Scratch};

    fn event((id, at, length, flaw): (u8, Option<i64>, usize, bool)) -> Event {
        Event {
            id: EventId::new(&"x".repeat(usize::from(id))),
            created_at: at.map(Timestamp::from_micros),
            text: Bytes::from(vec![id; length]),
            flaw: flaw.then_some(Flaw::TooDeep),
        }
    }

    fn lent(events: &Events) -> Vec<Event> {
        let mut all = Vec::new();
        events
            .each_block(|block| {
                assert!(!block.is_empty());
                all.extend(block.iter().map(super::Lent::event));
                Ok(())
            })
            .unwrap();
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_lent_is_what_is_held(
            parts in prop::collection::vec((prop::collection::vec(
                (any::<u8>(), any::<Option<i64>>(), prop_oneof![20 => 0..900_usize, 1 => 300_000..1_500_000_usize], any::<bool>()),
                0..60), any::<bool>()), 0..5),
            cut in 0..150_u32,
        ) {
            let place = tempfile::tempdir().unwrap();
            let scratch = Scratch::new(place.path().to_owned(), 0, u64::MAX);
            let mut all = Vec::new();
            let mut sequences = Vec::new();
            for (events, spilled) in parts {
                let mut writer = EventsWriter::new(&scratch, if spilled { 0 } else { u64::MAX });
                for event in events.into_iter().map(event) {
                    all.push(event.clone());
                    writer.push(event).unwrap();
                }
                sequences.push(writer.finish().unwrap());
            }
            for sequence in &sequences {
                prop_assert_eq!(lent(sequence), sequence.to_vec().unwrap());
            }
            let joined = Events::joined(sequences);
            prop_assert_eq!(lent(&joined), all.clone());
            // Parts that were cut out of it.
            let mut cuts = joined.cuts();
            let mut seen = Vec::new();
            while cuts.time().unwrap().is_some() {
                let left = std::cell::Cell::new(cut);
                let part = cuts.part(|_| left.replace(left.get().saturating_sub(1)) > 0).unwrap();
                prop_assert_eq!(lent(&part), part.to_vec().unwrap());
                seen.extend(lent(&part));
            }
            prop_assert_eq!(seen, all);
        }
    }

    #[test]
    fn many_short_events_come_in_several_blocks() {
        let place = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(place.path().to_owned(), 0, u64::MAX);
        for share in [0, u64::MAX] {
            let mut writer = EventsWriter::new(&scratch, share);
            let all: Vec<_> = (0..5_000_i64).map(|at| event((3, Some(at), 300, false))).collect();
            all.iter().try_for_each(|event| writer.push(event.clone())).unwrap();
            let events = writer.finish().unwrap();
            assert_eq!(lent(&events), all);
            let mut blocks = 0;
            events
                .each_block(|_| {
                    blocks += 1;
                    Ok(())
                })
                .unwrap();
            assert!(blocks > 2, "{blocks}");
        }
    }
}
