//! Reading a window until its set of events is certain.
//!
//! What lives here: walks, certificates, splitting, the survey that chooses how much to settle at once. Written
//! against [`Source`], so that the same code runs against the API and against a simulated one.
//! What this module must not know: columns, files, the destination, the clock.

mod aside;
mod certify;
mod collect;
mod kept;
mod ledger;
mod meter;
mod order;
mod probe;
mod recount;
mod repeat;
mod seams;
mod source;
mod split;
mod study;
mod survey;
mod turns;
mod undated;
mod union;
mod walk;

pub use probe::{Filter, WIDE_PADDING};
pub use repeat::repeat;
pub use source::Source;
pub use study::{Finding, study};
pub use survey::Unit;
pub use undated::Undated;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use turns::Turns;

use crate::model::{Certificate, Event, Evidence, Level, Query, Timestamp, Window};
use crate::spool::{Events, Scratch};

/// How hard to try, and how much at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Seconds by which each question is widened on both sides, since the API's bounds are not documented.
    pub padding: u32,
    /// Events asked for on a page, 1 to 100 (documented maximum).
    pub page_size: u32,
    /// A range with more events than this is split before it is walked: short walks are disturbed less, and
    /// undocumented limits on page depth and totals are usually above it.
    pub walk_limit: u64,
    /// Requests that one range may take beyond 20 for each of its pages.
    pub allowance: u64,
    /// Counts from here on are held against the account's whole count, which may have met a limit of the API.
    pub smallest_limit: u64,
    /// Ranges of several windows with at most this many events are settled at once.
    pub coarse_limit: u64,
    /// Tries for one range before it is split.
    pub attempts: u32,
    /// Pause before the second try; it doubles with each further one.
    pub pause: Duration,
    /// The level to aim at first; a failed bracketed try is always followed by double ones.
    pub level: Level,
    /// Ranges that end after this point are proven double whatever `level` says: events still arrive there.
    pub double_from: Option<Timestamp>,
    /// Pages of one walk requested at the same time.
    pub in_flight: usize,
    /// Event types to ask for; empty asks for all.
    pub event_types: Vec<String>,
    /// Text that the events must contain.
    pub search_text: Option<String>,
    /// Most bytes of replies that are kept as evidence of one range, if the source gives them.
    pub evidence_limit: u64,
    /// How much of the events may be held in memory, and where the rest goes. A single walk, which has at most
    /// `walk_limit` events where the range can be cut, and the kept replies are held in memory whatever it says.
    pub scratch: Scratch,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            padding: 2,
            page_size: 100,
            walk_limit: 10_000,
            allowance: 2_000,
            smallest_limit: 30,
            coarse_limit: 1_000,
            attempts: 3,
            pause: Duration::from_secs(2),
            level: Level::Bracketed,
            double_from: None,
            in_flight: 4,
            event_types: Vec::new(),
            search_text: None,
            evidence_limit: 1 << 30,
            scratch: Scratch::default(),
        }
    }
}

/// A range whose set of events is certain.
#[derive(Clone, Debug)]
pub struct Settled {
    /// How it became certain, and for which range.
    pub certificate: Certificate,
    /// The range's events, each once, sorted by `created_at`, then `id`.
    pub events: Events,
    /// Events of other ranges that came with the answers, since each question is wider than its range.
    pub outside: Vec<Event>,
    /// Events that came with the answers and have no readable `created_at`, so that they belong to no window.
    pub strays: Vec<Event>,
    /// The replies that the certificate rests on; `None` if the source does not keep them.
    pub evidence: Option<Evidence>,
}

/// Settles ranges of one account over one [`Source`].
#[derive(Debug)]
pub struct Settler<'a, S> {
    source: &'a S,
    settings: Settings,
    /// The padding in force: widened for all that follows as soon as the filter is seen not to be sharp.
    padding: AtomicU32,
    /// Whose request is next.
    turns: Turns,
    /// How many events the API counts without any date; a range that has as many may have met a limit of counting.
    ceiling: AtomicU64,
}

impl<'a, S: Source> Settler<'a, S> {
    /// A settler over this source.
    pub fn new(source: &'a S, settings: Settings) -> Self {
        let padding = AtomicU32::new(settings.padding);
        let turns = Turns::new(settings.in_flight);
        Self { source, settings, padding, turns, ceiling: AtomicU64::new(u64::MAX) }
    }

    /// Asks much wider from now on: [`WIDE_PADDING`].
    pub fn widen(&self) {
        self.padding.fetch_max(WIDE_PADDING, Ordering::Relaxed);
    }

    /// The padding in force, in seconds.
    pub fn padding(&self) -> u32 {
        self.padding.load(Ordering::Relaxed)
    }

    /// The question for a window: wider than the window by the padding on each side.
    fn query(&self, window: Window) -> Query {
        let padding = i64::from(self.padding());
        Query {
            from: Some(window.from.plus_seconds(-padding)),
            to: Some(window.to.plus_seconds(padding)),
            event_types: self.settings.event_types.clone(),
            search_text: self.settings.search_text.clone(),
        }
    }
}
