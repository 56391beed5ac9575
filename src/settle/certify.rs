//! The two certificates.
//!
//! What lives here: *bracketed* (count, walk, count) and *double* (walk, count, walk), and why they are sound.
//!
//! Bracketed: if events only arrive, or only vanish, from the first count to the second, equal counts mean that the
//! visible set was constant; the walk's ids are a subset of it with the same number, hence the set itself.
//! Double: an id in both walks was visible before and after the count, hence at it (an id does not hide and come
//! back); if those ids number the count, they are exactly what was visible at that instant.
//! Requests of successive steps never overlap; nothing is assumed about order, ties, page size, or that a count and
//! a page are read at the same instant.
//!
//! Both rest on counts that are true. Against counts that are not, each walk also looks beyond its last page, and a
//! set is refused when ids came twice where a true count would have left no room for it.
//!
//! What this file must not know: windows, splitting.

use super::collect::Collection;
use super::kept::{self, Reply};
use super::union::Distinct;
use super::walk::Direction;
use super::{Settler, Source};
use crate::error::Result;
use crate::model::{Claim, Level, Page, Proof, Query, Step};

/// What one try gave.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The set is certain.
    Certain(Certain),
    /// It is not; `reason` says which numbers disagreed.
    Uncertain { reason: String },
}

/// A certain set, of the question as asked.
#[derive(Debug)]
pub(super) struct Certain {
    pub(super) level: Level,
    /// The count that the set was held against.
    pub(super) total: u64,
    /// Ids that the certificate is about.
    pub(super) distinct: u64,
    /// Everything seen: at least the certain set; events that came or went meanwhile are not thrown away.
    pub(super) events: Distinct,
    /// The replies that show it, where they are kept.
    pub(super) proofs: Vec<Proof>,
}

impl<S: Source> Settler<'_, S> {
    /// One try at a certificate of `level`. `first` is page 1, just read.
    pub(super) async fn certify(&self, query: &Query, level: Level, first: Page) -> Result<Outcome> {
        if first.total == 0 && first.events.is_empty() {
            return self.certify_empty(query, first.exchange).await;
        }
        // A list of one page costs the same requests by either proof, so it gets the stronger one.
        let one_page = first.total <= u64::from(self.settings.page_size);
        if one_page || level == Level::Double {
            self.certify_double(query, first).await
        } else {
            self.certify_bracketed(query, first.total, first.exchange).await
        }
    }

    /// Two counts of zero: nothing was visible at either instant.
    async fn certify_empty(&self, query: &Query, first: Reply) -> Result<Outcome> {
        let (total, second) = self.counted_with_reply(query).await?;
        if total != 0 {
            return Ok(Outcome::Uncertain { reason: format!("the API counted 0 events, then {total}") });
        }
        Ok(Outcome::Certain(Certain {
            level: Level::Double,
            total: 0,
            distinct: 0,
            events: Collection::default().into(),
            proofs: kept::proof(Claim::Double, 1, kept::count(first).chain(kept::count(second))),
        }))
    }

    async fn certify_bracketed(&self, query: &Query, before: u64, first: Reply) -> Result<Outcome> {
        let walk = self.walk(query, None, Direction::Forward).await?;
        if let Some(reason) = walk.broken {
            return Ok(Outcome::Uncertain { reason });
        }
        let (after, last) = self.counted_with_reply(query).await?;
        if self.may_be_a_limit(after) {
            return Ok(at_the_limit(after));
        }
        let distinct = walk.events.len();
        if before == after && after == distinct && !walk.repeated() {
            let flawed = walk.events.iter().filter(|event| event.flaw.is_some()).count();
            if flawed > 0 {
                // What looks broken may have been broken on the way, so it is looked at twice before it is believed.
                return Ok(Outcome::Uncertain { reason: format!("{flawed} events cannot become rows") });
            }
            let level = Level::Bracketed;
            let replies = kept::count(first).chain(walk.kept.replies(Step::Walk)).chain(kept::count(last));
            let proofs = kept::proof(Claim::Bracketed, 1, replies);
            kept::check(&proofs, self.settings.evidence_limit)?;
            return Ok(Outcome::Certain(Certain {
                level,
                total: after,
                distinct,
                events: walk.events.into(),
                proofs,
            }));
        }
        let reason =
            format!("the API counted {before} events before and {after} after a walk that gave {distinct}");
        Ok(Outcome::Uncertain { reason })
    }

    async fn certify_double(&self, query: &Query, first: Page) -> Result<Outcome> {
        let one = self.walk(query, Some(first), Direction::Forward).await?;
        if let Some(reason) = one.broken {
            return Ok(Outcome::Uncertain { reason });
        }
        let (total, between) = self.counted_with_reply(query).await?;
        if self.may_be_a_limit(total) {
            return Ok(at_the_limit(total));
        }
        let other = self.walk(query, None, Direction::Backward).await?;
        if let Some(reason) = other.broken {
            return Ok(Outcome::Uncertain { reason });
        }
        let distinct = one.events.common(&other.events);
        let unstable = one.repeated() && other.repeated();
        if distinct == total && !unstable {
            let mut events = one.events;
            events.merge(other.events)?;
            let replies = one.kept.replies(Step::Walk);
            let replies = replies.chain(kept::count(between)).chain(other.kept.replies(Step::Again));
            let proofs = kept::proof(Claim::Double, 1, replies);
            kept::check(&proofs, self.settings.evidence_limit)?;
            let events = events.into();
            return Ok(Outcome::Certain(Certain { level: Level::Double, total, distinct, events, proofs }));
        }
        let (one, other) = (one.events.len(), other.events.len());
        let moved = if unstable { ", and both met ids twice" } else { "" };
        let reason = format!(
            "the API counted {total} events between two walks that gave {one} and {other}, {distinct} of them in both{moved}"
        );
        Ok(Outcome::Uncertain { reason })
    }
}

/// The count grew to one that may be a limit of counting while it was being proven.
fn at_the_limit(total: u64) -> Outcome {
    Outcome::Uncertain { reason: format!("the count grew to {total}, which may be a limit of counting") }
}
