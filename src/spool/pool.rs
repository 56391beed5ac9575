//! Sequences of events that several make at the same time, in one file.
//!
//! What lives here: [`Pool`]. Each sequence can be read as soon as it is kept, while others are still written behind it. What
//! this file must not know: an order, what the sequences are parts of.

use std::sync::{Arc, Mutex, PoisonError};

use super::events::{Events, weight};
use super::file::{SpillFile, length, length_of};
use super::record::{size, write};
use super::scratch::Scratch;
use crate::error::Result;
use crate::model::Event;

/// Bytes that are written at once. Less than what the allocator takes from the system for each time.
const BUFFER: usize = 64 << 10;

/// Keeps sequences, in memory up to its share and beyond in a file. Clones share both.
#[derive(Clone, Debug)]
pub struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    scratch: Scratch,
    share: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes in memory.
    held: u64,
    file: Option<Arc<SpillFile>>,
}

impl Pool {
    /// None yet; at most `share` bytes in memory.
    pub fn new(scratch: &Scratch, share: u64) -> Self {
        Self(Arc::new(Inner { scratch: scratch.clone(), share, state: Mutex::default() }))
    }

    /// Keeps a sequence, whole: in memory or in the file.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: it cannot be spilled.
    pub fn keep(&self, events: Vec<Event>) -> Result<Events> {
        let Some(file) = self.file_for(events.iter().map(weight).fold(0, u64::saturating_add))? else {
            return Ok(events.into());
        };
        let count = length_of(events.len());
        let whole = events.iter().try_fold(0_u64, |whole, event| Ok(whole.saturating_add(size(event)?)))?;
        let from = file.reserve(whole)?;
        let (mut at, mut waiting) = (from, Vec::with_capacity(BUFFER + BUFFER / 4));
        for event in events {
            write(&mut waiting, &event)?;
            if waiting.len() >= BUFFER {
                file.fill(&waiting, at)?;
                at = at.saturating_add(length(&waiting));
                waiting.clear();
            }
        }
        file.fill(&waiting, at)?;
        Ok(Events::within(file, (from, from.saturating_add(whole)), count))
    }

    /// The file, if so much more is not to be held.
    fn file_for(&self, weight: u64) -> Result<Option<Arc<SpillFile>>> {
        // Nothing panics while the lock is held, and the values are valid at every point.
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let held = state.held.saturating_add(weight);
        if held <= self.0.share {
            state.held = held;
            return Ok(None);
        }
        if let Some(file) = &state.file {
            return Ok(Some(Arc::clone(file)));
        }
        let file = Arc::new(self.0.scratch.file()?);
        state.file = Some(Arc::clone(&file));
        Ok(Some(file))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::{EventId, Flaw, Timestamp};

    fn sequence(seed: u64) -> Vec<Event> {
        let event = |number: u64| Event {
            id: EventId::new(&format!("{seed}-{number}")),
            created_at: (!number.is_multiple_of(5)).then(|| Timestamp::from_micros(number as i64)),
            text: Bytes::from(vec![number as u8; (number * seed % 3_000) as usize]),
            flaw: number.is_multiple_of(7).then_some(Flaw::NotUtf8),
        };
        (0..seed % 500).map(event).collect()
    }

    #[test]
    fn sequences_that_are_kept_at_the_same_time_are_what_they_were() {
        let place = tempfile::tempdir().unwrap();
        for share in [0, 100_000, u64::MAX] {
            let scratch = Scratch::new(place.path().to_owned(), 0, u64::MAX);
            let pool = Pool::new(&scratch, share);
            let kept: Vec<(u64, Events)> = std::thread::scope(|scope| {
                let each = |thread: u64| {
                    let pool = pool.clone();
                    scope.spawn(move || {
                        let seeds = (0..20).map(|turn| thread * 1_009 + turn * 77);
                        seeds.map(|seed| (seed, pool.keep(sequence(seed)).unwrap())).collect::<Vec<_>>()
                    })
                };
                let threads: Vec<_> = (0..4).map(each).collect();
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
            });
            for (seed, events) in &kept {
                assert_eq!(events.to_vec().unwrap(), sequence(*seed));
                assert_eq!(events.len(), seed % 500);
            }
            let all = kept.iter().flat_map(|(seed, _)| sequence(*seed)).collect::<Vec<_>>();
            let joined = Events::joined(kept.into_iter().map(|(_, events)| events).collect());
            assert_eq!(joined.to_vec().unwrap(), all);
            assert_eq!(scratch.most_spilled() > 0, share < u64::MAX);
        }
    }

    #[test]
    fn the_limit_holds_and_is_given_back() {
        let place = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(place.path().to_owned(), 0, 1_000_000);
        for _ in 0..3 {
            let pool = Pool::new(&scratch, 0);
            let one = pool.keep(sequence(499)).unwrap();
            assert!(pool.keep(sequence(498)).is_err());
            assert_eq!(one.to_vec().unwrap(), sequence(499));
        }
    }
}
