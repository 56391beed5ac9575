//! Neighbours must agree where their questions overlap.
//!
//! What lives here: [`Settled::misses`]. Each question is wider than its range, so that its answer also holds events
//! of the neighbouring ranges. An event that one answer shows and that the range it belongs to does not hold either
//! arrived meanwhile, or the filter loses events at borders. It costs no request.
//! What this file must not know: how a range is settled again.

use std::collections::HashSet;

use super::Settled;
use super::aside::aside;
use crate::error::Result;
use crate::model::{Event, EventId};

impl Settled {
    /// How many events of this range `other` has seen and this one has not. Only those few are held in memory: the
    /// own events go past them.
    ///
    /// # Errors
    /// `Storage`: the own events cannot be read.
    pub async fn misses(&self, other: &Settled) -> Result<u64> {
        let here = |event: &&Event| event.created_at.is_some_and(|at| self.certificate.range.contains(at));
        let seen = other.outside.iter().filter(here);
        let mut missed: HashSet<EventId> = seen.map(|event| event.id.clone()).collect();
        if missed.is_empty() {
            return Ok(0);
        }
        let own = self.events.clone();
        aside(own.len(), move || {
            for event in own.iter() {
                missed.remove(&event?.id);
                if missed.is_empty() {
                    break;
                }
            }
            Ok(u64::try_from(missed.len()).unwrap_or(u64::MAX))
        })
        .await
    }
}
