//! Settling one range: tries, then parts.
//!
//! What lives here: [`Settler::settle`]. A range that is too large to walk, or that stays uncertain, is settled in
//! parts: by time down to single seconds, then by event type. Parts must add up to a fresh count of the whole.
//! What this file must not know: the dataset's grid, pages.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use futures::future::BoxFuture;
use futures::future::TryFutureExt;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::aside::aside;
use super::certify::{Certain, Outcome};
use super::kept;
use super::meter::Metered;
use super::order::settled;
use super::probe::WIDE_PADDING;
use super::turns::InTurn;
use super::union::{Union, inside, pool};
use super::{Settled, Settler, Source};
use crate::error::{Error, Kind, Result};
use crate::model::json::Value;
use crate::model::{Claim, Event, Level, Query, Timestamp, Window};
use crate::spool::Pool;

/// Most parts that one split makes; what is still too large splits again.
const MOST_PARTS: u64 = 64;
/// Rounds of settling all parts before their sum must agree with the whole.
const ROUNDS: u32 = 3;
/// Parts of one split that are settled at the same time.
const PARTS_IN_FLIGHT: usize = 2;

/// Seconds by which an event may lie beyond what was asked for before the filter is taken for one that is not sharp: a bound
/// that is read as the whole second or the next.
const SHARP: i64 = 2;
/// Seconds by which it may lie beyond at most: a bound that is read as a day, in any zone. The wide padding is longer, so that
/// what lies in a window is among the answers of its own question.
const MOST_BEYOND: i64 = (24 + 14) * 3_600;

/// A certain set of the widened question, and in how many parts it became so.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) certain: Certain,
    pub(super) parts: u32,
}

impl<S: Source> Settler<'_, S> {
    /// Settles `range`.
    ///
    /// # Errors
    /// `Unproven` when its set of events cannot be proven complete; `Contradiction` when one id has two contents;
    /// what [`Source::page`] gives up with.
    pub async fn settle(&self, range: Window) -> Result<Settled> {
        loop {
            let settled = self.asked(range).await?;
            let padding = settled.certificate.padding;
            let Some((event, beyond)) = farthest(&settled, padding) else { return Ok(settled) };
            if beyond > MOST_BEYOND {
                return Err(Error::new(Kind::Contradiction, "the API gives an event for dates far from its own time")
                    .at("window", range)
                    .at("id", event.id.as_str().escape_debug())
                    .at("seconds beyond what was asked", beyond)
                    .hint("its date filter cannot be trusted, so nothing of this window was committed; run `vonage-audit probe`"));
            }
            if is_believed(beyond, padding) {
                return Ok(settled);
            }
            // The probes saw a filter that is sharp, and this event says that it is not.
            self.widen();
        }
    }

    async fn asked(&self, range: Window) -> Result<Settled> {
        let padding = self.padding();
        let in_turn = InTurn { source: self.source, turns: &self.turns, range: range.from };
        let metered = Metered::new(&in_turn, self.settings.allowance);
        let own = Settler::new(&metered, self.settings.clone());
        own.padding.store(padding, Ordering::Relaxed);
        own.ceiling.store(self.ceiling.load(Ordering::Relaxed), Ordering::Relaxed);
        let part = own
            .part(range, 0, pool(&self.settings.scratch))
            .await
            .map_err(|error| error.at("window", range))?;
        let scratch = self.settings.scratch.clone();
        aside(part.certain.events.len(), move || settled(range, padding, part, &scratch)).await
    }

    /// `depth` is how many ranges it is a part of; what it has is kept in their `pool`.
    fn part(&self, range: Window, depth: u32, pool: Pool) -> BoxFuture<'_, Result<Part>> {
        Box::pin(async move {
            let query = self.query(range);
            let arriving = self.settings.double_from.is_some_and(|from| range.to > from);
            let mut level = if arriving { Level::Double } else { self.settings.level };
            let mut reasons = Vec::new();
            let mut total = 0;
            for attempt in 0..self.settings.attempts.max(1) {
                if attempt > 0 {
                    self.source.pause(self.settings.pause.saturating_mul(1 << (attempt - 1).min(5))).await;
                }
                let first = self.first_page(&query).await?;
                total = first.total;
                if total > self.settings.walk_limit && self.can_be_cut(range) {
                    reasons.push(format!("{total} events are more than one walk may read"));
                    break;
                }
                if self.may_be_a_limit(total) {
                    reasons.push(format!(
                        "{total} events are all that the API counts, which may be a limit of counting"
                    ));
                    break;
                }
                match self.certify(&query, level, first).await? {
                    Outcome::Certain(certain) => return Ok(Part { certain, parts: 1 }),
                    Outcome::Uncertain { reason } => reasons.push(reason),
                }
                level = Level::Double;
            }
            let whole = if self.can_be_cut(range) {
                let parts = total.div_ceil(self.settings.walk_limit.max(2) * 3 / 5).clamp(2, MOST_PARTS);
                self.parts_by_time(&query, cuts(range, parts), depth, pool).await?
            } else {
                self.parts_by_type(&query, depth, &pool).await?
            };
            whole.map_err(|reason| {
                reasons.push(reason);
                Error::new(Kind::Unproven, "the set of events could not be proven complete")
                    .at("tries", reasons.join("; "))
                    .hint("nothing of this window was committed; run the same command again, with --evidence if it stays")
            })
        })
    }

    /// Whether a count is as high as the one without any date, so that both may have met a limit at which the API
    /// stops to count and to list. The parts tell: they add up to more, or to the same. A limit below the documented
    /// default page is not thought of.
    pub(super) fn may_be_a_limit(&self, total: u64) -> bool {
        total >= self.settings.smallest_limit && total >= self.ceiling.load(Ordering::Relaxed)
    }

    /// Whether parts in time would be smaller questions: not below a second, and not where the padding is most of it.
    fn can_be_cut(&self, range: Window) -> bool {
        range.seconds() > 1 && range.seconds() > i64::from(self.padding()) / 2
    }

    /// Settles the parts of a range and holds their sum against the whole. The inner error says what disagreed.
    async fn parts_by_time(
        &self,
        whole: &Query,
        cuts: Vec<Window>,
        depth: u32,
        outer: Pool,
    ) -> Result<Result<Part, String>> {
        let scratch = &self.settings.scratch;
        let mut reason = String::new();
        for _ in 0..ROUNDS {
            // What a round of the whole range has kept is of no use to the next one.
            let pool = if depth == 0 { pool(scratch) } else { outer.clone() };
            let union = Union::new(scratch, &pool, depth);
            let pool = &pool;
            let Part { certain, parts } = stream::iter(cuts.clone())
                .map(|cut| async move {
                    let part = self.part(cut, depth + 1, pool.clone()).await;
                    part.map(|part| (cut, part)).map_err(|error| error.at("part", cut))
                })
                .buffered(PARTS_IN_FLIGHT)
                .try_fold(union, |union, (cut, part)| joined(union, part, inside(cut, self.padding())))
                .and_then(whole_of)
                .await?;
            let (total, reply) = self.counted_with_reply(whole).await?;
            // Fewer than the parts hold: the count is cut off at some limit, or events vanished since. Either way
            // each part is certain by itself. More: something is visible that no part has.
            if total <= certain.distinct {
                let certain = self.summed(certain, total, parts, Claim::TimeSum, reply)?;
                return Ok(Ok(Part { certain, parts }));
            }
            reason = format!("its {parts} parts hold {} events, the whole counts {total}", certain.distinct);
        }
        Ok(Err(reason))
    }

    /// Settles a range that cannot be cut further in time by event type. Types that nobody has named would be
    /// missing, so the sum must agree exactly.
    async fn parts_by_type(&self, whole: &Query, depth: u32, pool: &Pool) -> Result<Result<Part, String>> {
        if whole.event_types.len() == 1 {
            return Ok(Err("it cannot be split further, by time or by event type".to_owned()));
        }
        let seen = self.walk(whole, None, super::walk::Direction::Forward).await?;
        let mut types: BTreeSet<String> = seen.events.iter().filter_map(event_type).collect();
        if whole.event_types.is_empty() {
            types.extend(self.source.event_types().await?);
        } else {
            types.extend(whole.event_types.iter().cloned());
        }
        let mut union = Union::new(&self.settings.scratch, pool, depth);
        for name in types {
            let query = Query { event_types: vec![name.clone()], ..whole.clone() };
            let first = self.first_page(&query).await?;
            if self.may_be_a_limit(first.total) {
                return Ok(Err(format!(
                    "of type {name:?}: {} events may be a limit of counting",
                    first.total
                )));
            }
            match self.certify(&query, Level::Double, first).await? {
                Outcome::Certain(certain) => union = joined(union, Part { certain, parts: 1 }, None).await?,
                Outcome::Uncertain { reason } => return Ok(Err(format!("of type {name:?}: {reason}"))),
            }
        }
        let Part { certain, parts } = whole_of(union).await?;
        let (total, reply) = self.counted_with_reply(whole).await?;
        if total == certain.distinct {
            let certain = self.summed(certain, total, parts, Claim::TypeSum, reply)?;
            return Ok(Ok(Part { certain, parts }));
        }
        let distinct = certain.distinct;
        Ok(Err(format!("its {parts} event types hold {distinct} events, the whole counts {total}")))
    }

    /// The joined parts after a count of the whole has agreed.
    fn summed(
        &self,
        certain: Certain,
        total: u64,
        parts: u32,
        claim: Claim,
        reply: kept::Reply,
    ) -> Result<Certain> {
        let mut proofs = certain.proofs;
        proofs.extend(kept::proof(claim, parts, kept::count(reply)));
        kept::check(&proofs, self.settings.evidence_limit)?;
        Ok(Certain { total, proofs, ..certain })
    }
}

/// The union with one more part.
async fn joined(mut union: Union, part: Part, inside: Option<Window>) -> Result<Union> {
    aside(part.certain.events.len(), move || union.take(part, inside).map(|()| union)).await
}

/// The whole that all parts are.
async fn whole_of(union: Union) -> Result<Part> {
    aside(union.rows(), move || union.finish()).await
}

/// Whether an answer may be what it is said to be, with an event so many seconds beyond the question.
pub(super) fn is_believed(beyond: i64, padding: u32) -> bool {
    beyond <= SHARP || (padding >= WIDE_PADDING && beyond <= MOST_BEYOND)
}

/// The event that lies farthest beyond the question, and by how many seconds.
pub(super) fn farthest(settled: &Settled, padding: u32) -> Option<(&Event, i64)> {
    let (range, padding) = (settled.certificate.range, i64::from(padding));
    let beyond = |at: Timestamp| {
        let (early, late) = (range.from.seconds() - at.seconds(), at.seconds() - range.to.seconds());
        early.max(late) - padding
    };
    let all = settled.outside.iter().filter_map(|event| Some((event, beyond(event.created_at?))));
    all.max_by_key(|(_, beyond)| *beyond)
}

/// Cuts a range into about `parts` pieces, on whole minutes where they are long enough, else on whole seconds. One
/// piece means that it cannot be cut.
fn cuts(range: Window, parts: u64) -> Vec<Window> {
    let seconds = range.seconds();
    let parts = i64::try_from(parts).unwrap_or(2);
    let step = (seconds / parts).max(1);
    let step = if step >= 120 { step / 60 * 60 } else { step };
    let mut cuts = Vec::new();
    let mut from = range.from;
    while from < range.to {
        let to = from.plus_seconds(step).min(range.to);
        cuts.push(Window::new(from, to));
        from = to;
    }
    cuts
}

fn event_type(event: &Event) -> Option<String> {
    let text = std::str::from_utf8(&event.text).ok()?;
    let name = Value::parse(text).ok()?.member("event_type")?.as_text()?.decode()?;
    Some(name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn cuts_tile_the_range_and_end_at_single_seconds() {
        for (seconds, parts) in
            [(86_400, 2), (86_400, 7), (3_600, 64), (61, 2), (7, 3), (2, 2), (1, 2), (1, 64)]
        {
            let from = Timestamp::from_seconds(1_000);
            let range = Window::new(from, from.plus_seconds(seconds));
            let cuts = cuts(range, parts);
            assert_eq!(cuts.first().unwrap().from, range.from);
            assert_eq!(cuts.last().unwrap().to, range.to);
            assert!(cuts.windows(2).all(|pair| pair[0].to == pair[1].from));
            assert!(cuts.iter().all(|cut| cut.seconds() >= 1));
            assert_eq!(cuts.len() > 1, seconds > 1);
        }
    }
}
