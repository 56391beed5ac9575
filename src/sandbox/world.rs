//! Everything a sandbox is: its events, its switches, its faults, its credentials, and what it was asked.
//!
//! What lives here: [`World`] and its builders. What this file must not know: HTTP and sockets.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::behaviour::Behaviour;
use super::change::Change;
use super::clock;
use super::fault::FaultScript;
use super::log::{Log, Requests};
use super::population::Population;
use super::random::mix;
use super::switches::DateHeader;
use super::timeline::Timeline;

/// A world that any number of connections look at. Its state is a counter of requests and a log.
pub struct World {
    pub(super) population: Population,
    pub(super) behaviour: Behaviour,
    pub(super) faults: FaultScript,
    pub(super) timeline: Timeline,
    pub(super) base: String,
    pub(super) key: String,
    pub(super) secrets: Vec<String>,
    pub(super) log: Log,
    window: Mutex<Option<Window>>,
    start: Mutex<Option<Instant>>,
}

/// The window a throttle counts in.
struct Window {
    since: Instant,
    requests: u64,
}

impl World {
    /// These events behind documented behaviour, at `/beta/audit`, for the key `abcd1234` and the secret
    /// `sandbox-secret`.
    pub fn new(population: Population) -> Self {
        Self {
            population,
            behaviour: Behaviour::default(),
            faults: FaultScript::default(),
            timeline: Timeline::default(),
            base: "/beta/audit".to_owned(),
            key: "abcd1234".to_owned(),
            secrets: vec!["sandbox-secret".to_owned()],
            log: Log::default(),
            window: Mutex::new(None),
            start: Mutex::new(None),
        }
    }

    /// Other credentials. An account has up to two live secrets (documented): any of these is accepted.
    #[must_use]
    pub fn credentials(mut self, key: &str, secrets: &[&str]) -> Self {
        key.clone_into(&mut self.key);
        self.secrets = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        self
    }

    /// Another path in front of `/events`, without a slash at its end.
    #[must_use]
    pub fn base(mut self, path: &str) -> Self {
        path.trim_end_matches('/').clone_into(&mut self.base);
        self
    }

    /// Other switches. The events that change over time by count are picked now, from the population alone.
    #[must_use]
    pub fn behaviour(mut self, behaviour: Behaviour) -> Self {
        let mut timeline = std::mem::take(&mut self.timeline);
        for change in &behaviour.arrive {
            timeline = pick(&self.population, timeline, *change, 1, Timeline::appear);
        }
        for change in &behaviour.arrive_newest {
            let newest = (0..self.population.dated()).rev();
            let count = usize::try_from(change.count).unwrap_or(usize::MAX);
            for k in newest.take(count) {
                timeline = timeline.appear(k, change.at);
            }
        }
        for change in &behaviour.vanish {
            timeline = pick(&self.population, timeline, *change, 2, Timeline::vanish);
        }
        for change in &behaviour.rewrite {
            let rewrite = |timeline: Timeline, k, at| timeline.rewrite(k, at, None);
            timeline = pick(&self.population, timeline, *change, 3, rewrite);
        }
        self.timeline = timeline;
        self.behaviour = behaviour;
        self
    }

    /// What breaks.
    #[must_use]
    pub fn faults(mut self, faults: FaultScript) -> Self {
        self.faults = faults;
        self
    }

    /// What changes over time, event by event, beside what [`World::behaviour`] picks.
    #[must_use]
    pub fn timeline(mut self, timeline: Timeline) -> Self {
        self.timeline.extend(timeline);
        self
    }

    /// The events: the truth that a client's result is compared with.
    pub fn population(&self) -> &Population {
        &self.population
    }

    /// True if event `k` exists at the request of this index. A lagging replica may answer with an older truth.
    pub fn is_visible(&self, k: u32, index: u64) -> bool {
        self.timeline.visible(k, index)
    }

    /// The path in front of `/events`.
    pub fn base_path(&self) -> &str {
        &self.base
    }

    /// What was asked so far.
    pub fn requests(&self) -> Requests {
        self.log.snapshot()
    }

    /// The request whose world the request of this index sees: an older one if a lagging replica answers it.
    pub(super) fn seen_by(&self, index: u64) -> u64 {
        let replica = index % self.behaviour.replicas.saturating_add(1);
        index.saturating_sub(replica.saturating_mul(self.behaviour.lag))
    }

    /// Counts a request against the throttle; the seconds to wait if it is one too many.
    pub(super) fn throttled(&self) -> Option<u64> {
        let throttle = self.behaviour.throttle?;
        let now = Instant::now();
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let current = window.get_or_insert(Window { since: now, requests: 0 });
        let age = now.duration_since(current.since).as_secs();
        if age >= throttle.seconds {
            *current = Window { since: now, requests: 0 };
        }
        current.requests += 1;
        let left = throttle.seconds - now.duration_since(current.since).as_secs().min(throttle.seconds);
        (current.requests > throttle.requests).then_some(left.max(1))
    }

    /// The second that the `Date` header says, if the sandbox says it and not the machine.
    pub(super) fn date(&self) -> Option<i64> {
        let DateHeader::From(first) = self.behaviour.date else {
            return None;
        };
        let now = Instant::now();
        let start = *self.start.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(now);
        let passed = i64::try_from(now.duration_since(start).as_secs()).unwrap_or(0);
        Some(first.saturating_add(passed))
    }

    /// `Date` and `Retry-After` as dates this many seconds apart. Without a date of its own the sandbox takes a
    /// fixed one for both: a client measures the distance between the two.
    pub(super) fn dates_apart(&self, seconds: u64) -> (String, String) {
        const ANY: i64 = 1_767_225_600;
        let now = self.date().unwrap_or(ANY);
        let later = now.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX));
        (clock::http_date(now), clock::http_date(later))
    }
}

/// Changes events spread over the whole population that nothing else changes yet.
fn pick(
    population: &Population,
    mut timeline: Timeline,
    change: Change,
    purpose: u64,
    apply: impl Fn(Timeline, u32, u64) -> Timeline,
) -> Timeline {
    let events = population.len();
    let mut left = change.count.min(events);
    let mut tries = 0_u64;
    // Random places first; should they run out, every place in turn, so that the count is met if it can be.
    while left > 0 && tries < u64::from(events) * 3 {
        let random = mix(mix(purpose ^ change.at << 8).wrapping_add(tries)) % u64::from(events);
        let place = if tries < u64::from(events) * 2 { random } else { tries - u64::from(events) * 2 };
        tries += 1;
        let Ok(k) = u32::try_from(place) else {
            continue;
        };
        if !timeline.names(k) {
            timeline = apply(timeline, k, change.at);
            left -= 1;
        }
    }
    timeline
}
