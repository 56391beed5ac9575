//! The record of how a set of events became certain.
//!
//! What lives here: [`Certificate`] and its [`Level`]. What this file must not know: how walks are made.

use super::window::Window;

/// How certain a set of events is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Not proven; never a success.
    None,
    /// Count, walk, count: both counts equal the number of distinct ids. Sound while events only arrive or only
    /// vanish during the walk.
    Bracketed,
    /// Walk, count, walk: the ids in both walks number the count. Sound whatever arrives and vanishes.
    Double,
}

impl Level {
    /// The stable name in commit records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bracketed => "bracketed",
            Self::Double => "double",
        }
    }

    /// The level of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::None, Self::Bracketed, Self::Double].into_iter().find(|level| level.name() == name)
    }
}

/// How the set of events of `range` became certain.
///
/// `range` may be coarser than the dataset's grid (a quiet year settled at once); each window of the grid in it then
/// carries this same certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The weakest level among the parts.
    pub level: Level,
    /// The half-open interval that was settled.
    pub range: Window,
    /// Seconds by which the question was widened on each side.
    pub padding: u32,
    /// `totalElements` of the widened question, equal in all decisive replies.
    pub total: u64,
    /// Distinct ids that the widened question returned; equals `total` when certain.
    pub distinct: u64,
    /// Events of `range` itself.
    pub events: u64,
    /// Whether no event lies within a second of the range's start, seen from both sides, so that counts from there
    /// are exact whatever the API's bounds mean.
    pub quiet_from: bool,
    /// The same for the range's end.
    pub quiet_to: bool,
    /// Into how many parts `range` was split to be settled; 1 when it was not.
    pub parts: u32,
}
