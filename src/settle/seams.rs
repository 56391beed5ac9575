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
use crate::model::{Event, EventId, Timestamp};
use crate::spool::Events;

impl Settled {
    /// How many events of this range `other` has seen and this one has not. Only those few are held in memory: the
    /// own events go past them, first those of the same times alone, which are easily told.
    ///
    /// # Errors
    /// `Storage`: the own events cannot be read.
    pub async fn misses(&self, other: &Settled) -> Result<u64> {
        let here = |event: &&Event| event.created_at.is_some_and(|at| self.certificate.range.contains(at));
        let seen = other.outside.iter().filter(here);
        let mut missed: HashSet<EventId> = seen.clone().map(|event| event.id.clone()).collect();
        let times = seen.filter_map(|event| event.created_at);
        let (Some(first), Some(last)) = (times.clone().min(), times.max()) else { return Ok(0) };
        let own = self.events.clone();
        aside(own.len(), move || {
            let mut cuts = own.cuts();
            let before = |at: Option<Timestamp>| at.is_some_and(|at| at < first);
            if cuts.time()?.is_some_and(before) {
                cuts.part(before)?;
            }
            let near = cuts.part(|at| at.is_some_and(|at| at <= last))?;
            for events in [near, own] {
                strike_out(&mut missed, &events)?;
            }
            Ok(u64::try_from(missed.len()).unwrap_or(u64::MAX))
        })
        .await
    }
}

fn strike_out(missed: &mut HashSet<EventId>, events: &Events) -> Result<()> {
    let mut events = events.iter();
    while !missed.is_empty()
        && let Some(event) = events.next()
    {
        missed.remove(&event?.id);
    }
    Ok(())
}
