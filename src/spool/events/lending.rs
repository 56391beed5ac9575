//! A sequence of events by the block, without making each.
//!
//! What lives here: [`Events::each_block`]. What this file must not know: the form of a record, what is made of the events.

use super::{Events, Held};
use crate::error::Result;
use crate::spool::lent::{Lent, Take, lend, lend_records};

impl Events {
    /// Lends the events to `take`, one block after the other.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: they cannot be read; what `take` gives.
    pub fn each_block(&self, mut take: impl FnMut(&[Lent<'_>]) -> Result<()>) -> Result<()> {
        self.lend(0, self.len(), &mut take)
    }

    /// Lends `count` events after `skip` others.
    fn lend(&self, skip: u64, count: u64, take: &mut Take<'_>) -> Result<()> {
        match &self.0 {
            Held::Memory { events, from, to } => {
                let position = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
                let begin = from.saturating_add(position(skip));
                let end = begin.saturating_add(position(count)).min(*to);
                lend(events.get(begin..end).unwrap_or_default(), take)
            }
            Held::File { file, from, to, .. } => lend_records(file, (*from, *to), (skip, count), take),
            Held::Parts { parts, from, to } => {
                let begin = from.saturating_add(skip);
                let end = begin.saturating_add(count).min(*to);
                let mut first = 0_u64;
                for part in parts.iter() {
                    let behind = first.saturating_add(part.len());
                    let (own, last) = (begin.max(first), end.min(behind));
                    if own < last {
                        part.lend(own - first, last - own, take)?;
                    }
                    first = behind;
                }
                Ok(())
            }
        }
    }
}
