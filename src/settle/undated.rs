//! Events that no date filter matches.
//!
//! What lives here: [`Settler::undated`] and what it finds, and [`Settler::may_be_undated`], its first question. An event whose `created_at` is missing or unreadable belongs to no window; two
//! counts tell whether there are any, and only then everything is read.
//! What this file must not know: what becomes of them.

use super::certify::Outcome;
use super::meter::Metered;
use super::{Settler, Source};
use crate::error::{Error, Kind, Result};
use crate::model::{Event, Level, Query, Timestamp};

/// More events than this are not read only to find a few without a date.
const MOST_EVENTS: u64 = 250_000;

/// The events without a readable `created_at`, certain at the level `double`.
#[derive(Clone, Debug)]
pub struct Undated {
    /// Events that the account counted without a date.
    pub total: u64,
    /// Those that it counted from the year 2000 to 2100.
    pub dated: u64,
    /// The events, sorted by `id`. They may be fewer than the counts' difference, which holds readable times beyond
    /// those years too.
    pub events: Vec<Event>,
}

impl<S: Source> Settler<'_, S> {
    /// Whether [`Settler::undated`] has something to find, by its first counts.
    ///
    /// # Errors
    /// What [`Source::page`] gives up with.
    pub async fn may_be_undated(&self, known: Option<u64>) -> Result<bool> {
        Ok(self.undated_counts().await?.is_some_and(|counts| counts.differ(known)))
    }

    /// How many events there are, between two counts of those from the year 2000 to 2100; `None` where the API refuses to
    /// say.
    async fn undated_counts(&self) -> Result<Option<Counts>> {
        let any = self.any();
        let (from, to) = (Timestamp::from_date(2000, 1, 1), Timestamp::from_date(2100, 1, 1));
        let dated = Query { from, to, ..any.clone() };
        let before = match self.count(&dated).await {
            Ok(count) => count,
            Err(error) if error.kind() == Kind::Refused => return Ok(None),
            Err(error) => return Err(error),
        };
        let total = self.count(&any).await?;
        Ok(Some(Counts { before, total, after: self.count(&dated).await? }))
    }

    /// The question without a date.
    fn any(&self) -> Query {
        Query {
            event_types: self.settings.event_types.clone(),
            search_text: self.settings.search_text.clone(),
            ..Query::default()
        }
    }

    /// The events that have no readable `created_at`; `None` when there are as many as `known`: the difference of the
    /// counts when they were last read, or `None` if they never were and there are none.
    ///
    /// # Errors
    /// `Unproven` when there are some and they cannot be read with certainty; what [`Source::page`] gives up with.
    pub async fn undated(&self, known: Option<u64>) -> Result<Option<Undated>> {
        let any = self.any();
        let (mut total, mut dated_total) = (0, 0);
        // An event that is removed or arrives between the counts looks like one without a date.
        for _ in 0..3 {
            let Some(counts) = self.undated_counts().await? else { return Ok(None) };
            (total, dated_total) = (counts.total, counts.before);
            if !counts.differ(known) {
                return Ok(None);
            }
        }
        let surplus = total.saturating_sub(dated_total);
        let unproven = |why: String| {
            Error::new(Kind::Unproven, "events without a readable created_at could not be read")
                .at("events", surplus)
                .at("why", why)
                .hint("the windows are not affected: these events belong to none")
        };
        if total > MOST_EVENTS {
            return Err(unproven(format!("the account has {total} events, which would all have to be read")));
        }
        let metered = Metered::new(self.source, self.settings.allowance);
        let own = Settler::new(&metered, self.settings.clone());
        let mut reason = String::new();
        for _ in 0..self.settings.attempts.max(1) {
            let first = own.first_page(&any).await?;
            match own.certify(&any, Level::Double, first).await? {
                Outcome::Certain(certain) => {
                    let mut events: Vec<Event> = Vec::new();
                    certain.events.each(|event| {
                        events.extend(Some(event).filter(|event| event.created_at.is_none()));
                        Ok(())
                    })?;
                    events.sort_unstable_by(|one, other| one.id.cmp(&other.id));
                    return Ok(Some(Undated { total, dated: dated_total, events }));
                }
                Outcome::Uncertain { reason: why } => reason = why,
            }
        }
        Err(unproven(reason))
    }
}

/// A count of all events between two of those with a date.
#[derive(Clone, Copy, Debug)]
struct Counts {
    before: u64,
    total: u64,
    after: u64,
}

impl Counts {
    /// Whether there may be another number of events without a date than when they were last read. Events that arrive
    /// meanwhile only make the difference to the first count larger, so that they cannot hide one without a date; where
    /// some seem to be gone, nothing is believed.
    fn differ(self, known: Option<u64>) -> bool {
        let surplus = self.total.checked_sub(self.before);
        self.after < self.before || surplus != Some(known.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_arrivals_nor_removals_hide_an_event_without_a_date() {
        for (before, total, after, known, differ) in [
            (5, 5, 5, None, false),
            (5, 6, 5, Some(1), false),
            (5, 6, 5, None, true),
            // One arrives after the first count, and one after the second.
            (5, 6, 6, None, true),
            (5, 5, 6, None, false),
            // One without a date, and one that goes.
            (5, 5, 4, None, true),
            (5, 4, 4, None, true),
            (5, 6, 4, Some(1), true),
        ] {
            assert_eq!(Counts { before, total, after }.differ(known), differ, "{before} {total} {after}");
        }
    }
}
