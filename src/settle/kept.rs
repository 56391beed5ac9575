//! Replies that are kept as evidence, within a limit.
//!
//! What lives here: [`Kept`] and the making of proofs. Where the source does not keep replies all of it is empty. What
//! this file must not know: what the replies say.

use std::sync::Arc;

use crate::error::{Error, Kind, Result};
use crate::model::evidence::size;
use crate::model::{Claim, Exchange, Proof, Step};

/// A reply where it is kept.
pub(super) type Reply = Option<Arc<Exchange>>;

/// The replies of one walk.
#[derive(Debug, Default)]
pub(super) struct Kept {
    replies: Vec<Arc<Exchange>>,
    bytes: u64,
    limit: u64,
}

impl Kept {
    /// None yet, and at most `limit` bytes.
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, ..Self::default() }
    }

    pub(super) fn add(&mut self, reply: Reply) -> Result<()> {
        if let Some(exchange) = reply {
            self.bytes = self.bytes.saturating_add(size(&exchange));
            within(self.bytes, self.limit)?;
            self.replies.push(exchange);
        }
        Ok(())
    }

    /// The replies as this step of a proof.
    pub(super) fn replies(self, step: Step) -> impl Iterator<Item = (Step, Arc<Exchange>)> {
        self.replies.into_iter().map(move |exchange| (step, exchange))
    }
}

/// A count as a step of a proof.
pub(super) fn count(reply: Reply) -> impl Iterator<Item = (Step, Arc<Exchange>)> {
    reply.into_iter().map(|exchange| (Step::Count, exchange))
}

/// A proof of these replies; none where nothing is kept.
pub(super) fn proof(
    claim: Claim,
    parts: u32,
    replies: impl Iterator<Item = (Step, Arc<Exchange>)>,
) -> Vec<Proof> {
    let replies: Vec<_> = replies.collect();
    if replies.is_empty() { Vec::new() } else { vec![Proof { claim, parts, replies }] }
}

/// Holds the proofs of a range against the limit.
pub(super) fn check(proofs: &[Proof], limit: u64) -> Result<()> {
    within(proofs.iter().map(Proof::bytes).fold(0, u64::saturating_add), limit)
}

fn within(bytes: u64, limit: u64) -> Result<()> {
    if bytes <= limit {
        return Ok(());
    }
    Err(Error::new(Kind::Storage, "the replies to keep of one range are more than the limit")
        .at("bytes", bytes)
        .at("limit", limit)
        .hint("raise --raw-limit, or export without --keep-raw; what was committed stays"))
}
