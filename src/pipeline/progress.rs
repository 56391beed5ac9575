//! What a run tells while it works.
//!
//! What lives here: [`Progress`]. Whoever shows, counts or traces a run takes it from here. What this file must not know:
//! who listens.

use crate::error::Kind;
use crate::model::{Level, Window};

/// What a run tells while it works.
///
/// A range is told once [`Progress::Settling`] and then [`Progress::Settled`] or [`Progress::Unsettled`], again if it is
/// settled again; several are between the two at once and never overlap. One range at a time is between
/// [`Progress::Publishing`] and [`Progress::Published`]. Where a run fails, the second of each pair does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Committed windows are counted again.
    Recounting {
        /// How many.
        windows: u64,
    },
    /// The windows to settle are known.
    Planned {
        /// How many.
        windows: u64,
    },
    /// Reading a range of one or more windows begins.
    Settling {
        /// Which.
        range: Window,
    },
    /// The range's set of events is certain.
    Settled {
        /// Which.
        range: Window,
        /// Its distinct events.
        events: u64,
        /// How they became certain.
        level: Level,
    },
    /// The range's set of events is not certain, or could not be read.
    Unsettled {
        /// Which.
        range: Window,
        /// Why.
        kind: Kind,
    },
    /// Encoding and writing a range begins.
    Publishing {
        /// Which.
        range: Window,
    },
    /// The files are there; a commit begins.
    Committing {
        /// How many windows; none for events without a time.
        windows: usize,
    },
    /// The commit is in the log.
    Logged {
        /// The newest commit's number.
        head: Option<u64>,
    },
    /// A window is committed.
    Committed {
        /// Which.
        window: Window,
        /// Its distinct events.
        events: u64,
    },
    /// The range is written and committed, but for windows that were told as [`Progress::Unproven`].
    Published {
        /// Which.
        range: Window,
    },
    /// A range could not be proven.
    Unproven {
        /// Which.
        window: Window,
    },
}
