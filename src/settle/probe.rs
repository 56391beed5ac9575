//! What the date filter really does, seen on events of the account itself.
//!
//! What lives here: [`Settler::probe`], a few requests at the start of a run. The documentation leaves open whether
//! bounds are inclusive, whether the time of day counts, and the zone; a filter that is coarser or shifted would make
//! windows lose events without a sign. So known events are asked for by their own times: each must be found just
//! around its second and must not be found just after it. Where that fails, windows are asked for much wider and
//! filtered here; where even that fails, nothing can be claimed.
//! The count without any date is kept as well: counts that stop at a limit stop there first.
//! What this file must not know: windows of a grid, what is committed.

use std::sync::atomic::Ordering;

use futures::future::{join, join_all, join3};

use super::{Settler, Source};
use crate::error::{Error, Kind, Result};
use crate::model::{Event, Query, Timestamp, Window};

/// Padding for a filter that is not sharp: a day for one that sees dates alone, and a day for any zone.
pub const WIDE_PADDING: u32 = 2 * 86_400;
/// Most pages that are read to find one event.
const PAGES_PER_PROBE: u64 = 5;

/// What the probes found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Whether events are found by their own second, and by it alone.
    pub sharp: bool,
    /// The padding that suffices, in seconds.
    pub padding: u32,
    /// Events that were asked for.
    pub probes: u32,
    /// How many events the API counts without any date.
    pub total: u64,
}

impl<S: Source> Settler<'_, S> {
    /// Probes the date filter for `range` and keeps the padding that suffices for everything that follows.
    ///
    /// # Errors
    /// `Contradiction` when the filter is ignored, or when an event is not found within two days of its own time;
    /// what [`Source::page`] gives up with.
    pub async fn probe(&self, range: Window) -> Result<Filter> {
        let undated = Query { from: None, to: None, ..self.query(range) };
        let dated = self.query(range);
        // None of these needs the other's answer; they are looked at in this order.
        let (total, ancient, ends) =
            join3(self.count(&undated), self.ancient(&undated), self.ends(&dated)).await;
        let total = total?;
        let mut filter = Filter { sharp: true, padding: self.padding(), probes: 0, total };
        self.ceiling.store(total, Ordering::Relaxed);
        if total == 0 {
            return Ok(filter);
        }
        ancient?.map_or(Ok(()), |count| Err(ignored(count, total)))?;
        let events = candidates(match ends? {
            // The range may look empty because of the filter.
            ends if ends.is_empty() => self.ends(&undated).await?,
            ends => ends,
        });
        let timed = events.iter().filter_map(|event| event.created_at.map(|at| (event, at)));
        let timed: Vec<(&Event, Timestamp)> = timed.collect();
        let seen = join_all(timed.iter().map(|(event, at)| self.sharply(event, *at))).await;
        for ((event, at), found) in timed.into_iter().zip(seen) {
            let Some(found) = found? else { continue };
            filter.probes += 1;
            if found {
                continue;
            }
            filter.sharp = false;
            self.widen();
            filter.padding = self.padding();
            let around = self.around(at, i64::from(filter.padding));
            if !self.finds_by_text(event, &around).await? {
                return Err(Error::new(
                    Kind::Contradiction,
                    "the API does not find an event by its own time",
                )
                .at("id", event.id.as_str().escape_debug())
                .at("created_at", at)
                .hint(
                    "its date filter cannot be trusted, so nothing can be proven; run `vonage-audit probe`",
                ));
            }
        }
        Ok(filter)
    }

    /// A day long before the service existed must be empty; how many events it has, if it is not.
    async fn ancient(&self, undated: &Query) -> Result<Option<u64>> {
        let (Some(from), Some(to)) = (Timestamp::from_date(1990, 1, 1), Timestamp::from_date(1990, 1, 2))
        else {
            return Err(Error::bug("a day of 1990 is not in the calendar"));
        };
        match self.count(&Query { from: Some(from), to: Some(to), ..undated.clone() }).await {
            Ok(count) => Ok(Some(count).filter(|count| *count > 0)),
            // A server may refuse such a date; the other probes then speak alone.
            Err(error) if error.kind() == Kind::Refused => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The events of the first and the last page.
    async fn ends(&self, query: &Query) -> Result<Vec<Event>> {
        let first = self.first_page(query).await?;
        let pages = first.total.div_ceil(u64::from(self.settings.page_size.max(1)));
        let mut events = first.events;
        if let Some(number) = u32::try_from(pages).ok().filter(|number| *number > 1) {
            match self.source.page(query, number, self.settings.page_size).await {
                Ok(last) => events.extend(last.events),
                Err(error) if error.kind() == Kind::Refused => {}
                Err(error) => return Err(error),
            }
        }
        Ok(events)
    }

    /// Whether the filter finds the event in its own seconds and not just after them; `None` where too many events
    /// share its time to tell cheaply.
    async fn sharply(&self, event: &Event, at: Timestamp) -> Result<Option<bool>> {
        // Sharpness is asked at the configured width, also after a first probe has widened it.
        let padding = i64::from(self.settings.padding);
        let around = self.around(at, padding);
        let after = Query {
            from: Some(at.plus_seconds(2 * padding + 1)),
            to: Some(at.plus_seconds(4 * padding + 2)),
            ..self.around(at, 0)
        };
        let (around, after) = join(self.finds(event, &around), self.finds(event, &after)).await;
        match around? {
            None => Ok(None),
            Some(false) => Ok(Some(false)),
            Some(true) => Ok(after?.map(|found| !found)),
        }
    }

    fn around(&self, at: Timestamp, padding: i64) -> Query {
        let whole = Timestamp::from_seconds(at.seconds());
        let mut query = self.query(Window::new(whole, whole));
        query.from = Some(whole.plus_seconds(-padding));
        query.to = Some(whole.plus_seconds(padding));
        query
    }

    async fn finds(&self, event: &Event, query: &Query) -> Result<Option<bool>> {
        let first = self.first_page(query).await?;
        let pages = first.total.div_ceil(u64::from(self.settings.page_size.max(1)));
        if first.events.iter().any(|other| other.id == event.id) {
            return Ok(Some(true));
        }
        if pages > PAGES_PER_PROBE {
            return Ok(None);
        }
        for number in 2..=u32::try_from(pages).unwrap_or(1) {
            let page = self.source.page(query, number, self.settings.page_size).await?;
            if page.events.iter().any(|other| other.id == event.id) {
                return Ok(Some(true));
            }
        }
        Ok(Some(false))
    }

    /// Looks for an event among many by asking for its id as text as well, if no text is asked for already.
    async fn finds_by_text(&self, event: &Event, query: &Query) -> Result<bool> {
        if let Some(found) = self.finds(event, query).await? {
            return Ok(found);
        }
        if query.search_text.is_none() {
            let named = Query { search_text: Some(event.id.as_str().to_owned()), ..query.clone() };
            if self.finds(event, &named).await? == Some(true) {
                return Ok(true);
            }
        }
        let walk = self.walk(query, None, super::walk::Direction::Forward).await?;
        let found = walk.events.iter().any(|other| other.id == event.id);
        Ok(found)
    }
}

/// The earliest and the latest of them.
fn candidates(mut events: Vec<Event>) -> Vec<Event> {
    events.retain(|event| event.created_at.is_some() && event.flaw.is_none());
    events.sort_unstable_by(|one, other| one.sort_key().cmp(&other.sort_key()));
    events.dedup_by(|one, other| one.id == other.id);
    let last = (events.len() > 1).then(|| events.pop()).flatten();
    events.truncate(1);
    events.extend(last);
    events
}

fn ignored(count: u64, total: u64) -> Error {
    Error::new(Kind::Contradiction, "the API ignores the date filter")
        .at("events of 1990", count)
        .at("events in all", total)
        .hint("no window can be told from another, so nothing can be proven")
}
