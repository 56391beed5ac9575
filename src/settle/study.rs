//! Measuring what the API's documentation leaves open, for one account.
//!
//! What lives here: [`study`], the measurements behind `probe`: order, stability, bounds, granularity, depth, what
//! stands beyond the end. Read-only, under 60 requests, and nothing that a run depends on: a run proves what it needs
//! by itself. What this file must not know: how findings are shown.

use std::collections::HashSet;

use super::Source;
use crate::error::{Error, Kind, Result};
use crate::model::{Event, EventId, Page, Query, Timestamp};

const PAGE: u32 = 100;

/// One measured question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A stable name, for example `order`.
    pub name: &'static str,
    /// A stable word: what was found, or `unknown`.
    pub value: String,
    /// What it rests on, for people.
    pub evidence: String,
}

/// Asks the questions one after the other. Where the account has too few events to tell, the value is `unknown`.
///
/// # Errors
/// What [`Source::page`] gives up with, except refusals, which are findings.
pub async fn study<S: Source>(source: &S) -> Result<Vec<Finding>> {
    Study { source, findings: Vec::new() }.all().await
}

struct Study<'a, S> {
    source: &'a S,
    findings: Vec<Finding>,
}

impl<S: Source> Study<'_, S> {
    async fn all(mut self) -> Result<Vec<Finding>> {
        let undated = Query::default();
        let first = self.source.page(&undated, 1, PAGE).await?;
        self.add("events", first.total.to_string(), "totalElements without any filter");
        if first.total == 0 {
            return Ok(self.findings);
        }
        self.order(&first);
        self.page_size(&first);
        let number = first.number.map_or_else(|| "unknown".to_owned(), |number| number.to_string());
        self.add("page-numbering", number, "page.number of page 1");
        self.ties(&undated).await?;
        self.beyond_the_end(&undated, first.total).await?;
        self.depth(&undated, first.total).await?;
        self.totals(&undated, first.total).await?;
        if let Some(event) = lonely(&first.events) {
            self.bounds(&event).await?;
            self.granularity(&event).await?;
        } else {
            self.add("bounds", "unknown", "no event of the first page stands alone in its seconds");
        }
        self.zone(&first);
        self.types().await?;
        Ok(self.findings)
    }

    fn add(&mut self, name: &'static str, value: impl Into<String>, evidence: impl Into<String>) {
        self.findings.push(Finding { name, value: value.into(), evidence: evidence.into() });
    }

    /// A refusal is an answer here.
    async fn try_page(&self, query: &Query, number: u32, size: u32) -> Result<Result<Page, Error>> {
        match self.source.page(query, number, size).await {
            Ok(page) => Ok(Ok(page)),
            Err(error) if matches!(error.kind(), Kind::Refused | Kind::Malformed) => Ok(Err(error)),
            Err(error) => Err(error),
        }
    }

    fn order(&mut self, first: &Page) {
        let times: Vec<_> = first.events.iter().filter_map(|event| event.created_at).collect();
        let (falls, rises) = (times.is_sorted_by(|a, b| a >= b), times.is_sorted());
        let value = match (falls, rises) {
            (true, true) => "unknown",
            (true, false) => "newest-first",
            (false, true) => "oldest-first",
            (false, false) => "none",
        };
        self.add("order", value, format!("created_at of the {} events of page 1", times.len()));
    }

    fn page_size(&mut self, first: &Page) {
        let held = first.events.len();
        let full = u64::try_from(held).unwrap_or(u64::MAX) == first.total.min(u64::from(PAGE));
        self.add(
            "page-size",
            if full { "honoured" } else { "ignored" },
            format!("{held} events for a page of {PAGE}"),
        );
    }

    async fn ties(&mut self, query: &Query) -> Result<()> {
        let mut seen: Vec<Vec<EventId>> = Vec::new();
        for _ in 0..3 {
            let page = self.source.page(query, 1, PAGE).await?;
            seen.push(page.events.into_iter().map(|event| event.id).collect());
        }
        let same = seen.windows(2).all(|pair| pair.first() == pair.last());
        self.add("order-stable", if same { "yes" } else { "no" }, "page 1 read three times");
        Ok(())
    }

    async fn beyond_the_end(&mut self, query: &Query, total: u64) -> Result<()> {
        let Ok(number) = u32::try_from(total.div_ceil(u64::from(PAGE)) + 2) else { return Ok(()) };
        match self.try_page(query, number, PAGE).await? {
            Ok(page) if page.events.is_empty() => {
                self.add("beyond-the-end", "empty", format!("page {number}"))
            }
            Ok(page) => {
                let events = page.events.len();
                self.add("beyond-the-end", "events", format!("page {number} held {events} events"));
            }
            Err(error) => self.add("beyond-the-end", "refused", error.to_string()),
        }
        Ok(())
    }

    /// Doubles the page number until a page that should hold events does not.
    async fn depth(&mut self, query: &Query, total: u64) -> Result<()> {
        let last = u32::try_from(total.div_ceil(u64::from(PAGE))).unwrap_or(u32::MAX);
        let mut number = 1_u32;
        let mut deepest = 1_u32;
        for _ in 0..12 {
            number = number.saturating_mul(4).min(last);
            match self.try_page(query, number, PAGE).await? {
                Ok(page) if !page.events.is_empty() => deepest = number,
                Ok(_) => {
                    self.add(
                        "depth-limit",
                        deepest.to_string(),
                        format!("page {number} of {last} was empty"),
                    );
                    return Ok(());
                }
                Err(error) => {
                    let evidence = format!("page {number} of {last} was refused: {error}");
                    self.add("depth-limit", deepest.to_string(), evidence);
                    return Ok(());
                }
            }
            if number == last {
                break;
            }
        }
        self.add("depth-limit", "none", format!("read down to page {deepest} of {last}"));
        Ok(())
    }

    /// Whether the total is a true count or stops at a limit: the two halves of time must add up.
    async fn totals(&mut self, query: &Query, total: u64) -> Result<()> {
        let again = self.source.page(query, 1, 1).await?.total;
        if again != total {
            self.add("totals", "moving", format!("{total}, then {again}"));
            return Ok(());
        }
        let round = total >= 1000 && total.to_string().trim_end_matches('0').len() == 1;
        let value = if round { "suspicious" } else { "plausible" };
        self.add("totals", value, format!("{total} twice; a round number may be a limit"));
        Ok(())
    }

    async fn contains(&self, event: &Event, from: Timestamp, to: Timestamp) -> Result<bool> {
        let query = Query { from: Some(from), to: Some(to), ..Query::default() };
        match self.try_page(&query, 1, PAGE).await? {
            Ok(page) => Ok(page.events.iter().any(|other| other.id == event.id)),
            Err(_) => Ok(false),
        }
    }

    async fn bounds(&mut self, event: &Event) -> Result<()> {
        let Some(at) = event.created_at else { return Ok(()) };
        let word = |inclusive: bool| if inclusive { "inclusive" } else { "exclusive" };
        let lower = self.contains(event, at, at.plus_seconds(2)).await?;
        let upper = self.contains(event, at.plus_seconds(-2), at).await?;
        let evidence = format!("an event of {at}, asked for with a bound on its second");
        self.add("date-from", word(lower), evidence.clone());
        self.add("date-to", word(upper), evidence);
        Ok(())
    }

    async fn granularity(&mut self, event: &Event) -> Result<()> {
        let Some(at) = event.created_at else { return Ok(()) };
        let own = self.contains(event, at.plus_seconds(-2), at.plus_seconds(2)).await?;
        let mut value = if own { "second" } else { "shifted" };
        for (seconds, coarser) in [(5, "minute"), (120, "hour"), (7_200, "day")] {
            let (from, to) = (at.plus_seconds(seconds), at.plus_seconds(seconds + 2));
            let same_day = Timestamp::date(from) == Timestamp::date(at);
            if own && same_day && self.contains(event, from, to).await? {
                value = coarser;
            }
        }
        self.add("granularity", value, format!("an event of {at}, asked for around and after its second"));
        Ok(())
    }

    /// The newest event cannot lie in the future of the server, if its times are UTC.
    fn zone(&mut self, first: &Page) {
        let newest = first.events.iter().filter_map(|event| event.created_at).max();
        let (Some(newest), Some(server)) = (newest, first.server_time) else {
            return self.add("zone", "unknown", "the reply has no Date header");
        };
        let ahead = newest.seconds() - server;
        let value = if ahead > 60 { "ahead-of-utc" } else { "unknown" };
        let evidence = format!(
            "the newest event of page 1 is {} s {} the server's Date",
            ahead.abs(),
            if ahead > 0 { "after" } else { "before" }
        );
        self.add("zone", value, evidence);
    }

    async fn types(&mut self) -> Result<()> {
        match self.source.event_types().await {
            Ok(types) => self.add("event-types", types.len().to_string(), types.join(",")),
            Err(error) if matches!(error.kind(), Kind::Refused | Kind::Malformed) => {
                self.add("event-types", "refused", error.to_string());
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// An event without another within a few seconds.
fn lonely(events: &[Event]) -> Option<Event> {
    let seconds: Vec<i64> =
        events.iter().filter_map(|event| event.created_at).map(Timestamp::seconds).collect();
    let mut shared = HashSet::new();
    for (position, one) in seconds.iter().enumerate() {
        if seconds.iter().enumerate().any(|(other, two)| other != position && (one - two).abs() <= 4) {
            shared.insert(*one);
        }
    }
    events.iter().find(|event| event.created_at.is_some_and(|at| !shared.contains(&at.seconds()))).cloned()
}
