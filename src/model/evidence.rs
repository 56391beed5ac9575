//! The replies that a certificate rests on, in the order in which it used them.
//!
//! What lives here: [`Exchange`], [`Proof`] and [`Evidence`]. They hold what somebody needs to repeat the counting
//! without us: each question, the bytes of its reply, and what the reply was used for. Attempts that failed are not
//! in it. What this file must not know: how a certificate is made, files, digests.

use std::sync::Arc;

use bytes::Bytes;

use super::window::Window;

/// One question to the list of events and its reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Method, path and query as they were sent, without host and credentials.
    pub request: String,
    /// The reply's HTTP status.
    pub status: u16,
    /// The reply's `Date` header as received, if it had one.
    pub date: Option<String>,
    /// The reply's content: the body's bytes as received, with no more than a content coding (gzip) undone.
    pub body: Bytes,
}

/// What a reply was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Its total alone counts.
    Count,
    /// Its events belong to the first walk.
    Walk,
    /// Its events belong to the second walk.
    Again,
}

impl Step {
    /// The stable name in kept evidence.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Walk => "walk-1",
            Self::Again => "walk-2",
        }
    }

    /// The step of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Count, Self::Walk, Self::Again].into_iter().find(|step| step.name() == name)
    }
}

/// How replies prove a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// Count, walk, count.
    Bracketed,
    /// Walk, count, walk; or two counts of nothing.
    Double,
    /// The parts before it, settled one after the other in time, hold no less than one count of the whole.
    TimeSum,
    /// The parts before it, settled by event type, hold exactly one count of the whole.
    TypeSum,
}

impl Claim {
    /// The stable name in kept evidence.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bracketed => "bracketed",
            Self::Double => "double",
            Self::TimeSum => "sum-in-time",
            Self::TypeSum => "sum-by-type",
        }
    }

    /// The claim of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Bracketed, Self::Double, Self::TimeSum, Self::TypeSum]
            .into_iter()
            .find(|claim| claim.name() == name)
    }
}

/// The replies of one successful proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What they show.
    pub claim: Claim,
    /// How many of the undivided proofs before it a sum is about; 1 for a proof that is none.
    pub parts: u32,
    /// The replies, in the order in which they were used.
    pub replies: Vec<(Step, Arc<Exchange>)>,
}

impl Proof {
    /// Bytes of all bodies.
    pub fn bytes(&self) -> u64 {
        self.replies.iter().map(|(_, exchange)| size(exchange)).fold(0, u64::saturating_add)
    }
}

/// Everything that one certificate rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The half-open interval that was settled.
    pub range: Window,
    /// Seconds by which the questions were widened on each side.
    pub padding: u32,
    /// Parts before the sums that hold them: the last proof is about the whole range.
    pub proofs: Vec<Proof>,
}

/// Bytes of a body.
pub fn size(exchange: &Exchange) -> u64 {
    u64::try_from(exchange.body.len()).unwrap_or(u64::MAX)
}
