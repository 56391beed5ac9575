//! Neighbours must agree where their questions overlap.
//!
//! What lives here: [`Settled::misses`]. Each question is wider than its range, so that its answer also holds events
//! of the neighbouring ranges. An event that one answer shows and that the range it belongs to does not hold either
//! arrived meanwhile, or the filter loses events at borders. It costs no request.
//! What this file must not know: how a range is settled again.

use std::collections::HashSet;

use super::Settled;
use crate::model::{Event, EventId};

impl Settled {
    /// Events of this range that `other` has seen and this one has not.
    pub fn misses<'a>(&self, other: &'a Settled) -> Vec<&'a Event> {
        let here = |event: &&Event| event.created_at.is_some_and(|at| self.certificate.range.contains(at));
        let mut seen = other.outside.iter().filter(here).peekable();
        if seen.peek().is_none() {
            return Vec::new();
        }
        let known: HashSet<&EventId> = self.events.iter().map(|event| &event.id).collect();
        seen.filter(|event| !known.contains(&event.id)).collect()
    }
}
