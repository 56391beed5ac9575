//! A simulated Audit API: events that appear and vanish while they are read, in every order the documentation allows.
//!
//! Time is counted in instants. Each request takes a few of them: its count and its page may be read at different
//! ones, as on a server that runs two queries.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use vonage_audit::error::{Error, Kind, Result};
use vonage_audit::model::{Event, EventId, Page, Query, Timestamp};
use vonage_audit::settle::Source;

use crate::random::Random;
use crate::semantics::Semantics;

/// An event of the world: what is shown, and from when to when.
#[derive(Clone, Debug)]
pub struct Fact {
    pub id: u64,
    /// Seconds, as the API shows them.
    pub shown: i64,
    /// Milliseconds, as the API filters by them.
    pub hidden: i64,
    pub kind: usize,
    pub appears: u64,
    pub vanishes: u64,
}

impl Fact {
    pub fn visible(&self, instant: u64) -> bool {
        self.appears <= instant && instant < self.vanishes
    }

    pub fn event_id(&self) -> EventId {
        EventId::new(&format!("{:08x}-0000-4000-8000-000000000000", self.id))
    }

    fn event(&self) -> Event {
        let at = Timestamp::from_seconds(self.shown);
        let id = self.event_id();
        let text = format!(
            r#"{{"id":"{}","event_type":"{}","created_at":"{at}"}}"#,
            id.as_str(),
            TYPES[self.kind % TYPES.len()]
        );
        Event { id, created_at: Some(at), text: Bytes::from(text), flaw: None }
    }
}

pub const TYPES: [&str; 3] = ["USER_LOGIN", "APP_CREATE", "NUMBER_ASSIGN"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Newest,
    Oldest,
    /// Newest first, events of one second in another order at each request.
    UnstableTies,
    /// No order at all.
    Shuffled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Churn {
    None,
    Arrivals,
    LateArrivals,
    Removals,
    ArrivalsAndRemovals,
}

impl Churn {
    /// Whether events only come or only go, which the bracketed certificate assumes.
    pub fn monotone(self) -> bool {
        self != Self::ArrivalsAndRemovals
    }
}

/// How the simulated server behaves.
#[derive(Clone, Debug)]
pub struct Behaviour {
    pub order: Order,
    /// Whether count and page of one reply are one snapshot.
    pub atomic: bool,
    pub semantics: Semantics,
    /// One request in this many fails; 0 for never.
    pub fault_in: u64,
    /// Rows that the server is willing to list.
    pub depth: Option<u64>,
    /// Rows that the server lists, ever, without a word.
    pub listed: Option<u64>,
    /// Where totals stop counting.
    pub total_cap: Option<u64>,
    /// What is added to each total.
    pub total_error: i64,
    /// Replies in turn come from replicas that are this many instants behind.
    pub lag: u64,
}

impl Behaviour {
    pub fn still() -> Self {
        Self {
            order: Order::Newest,
            atomic: true,
            semantics: Semantics::documented(),
            fault_in: 0,
            depth: None,
            listed: None,
            total_cap: None,
            total_error: 0,
            lag: 0,
        }
    }
}

struct State {
    instant: u64,
    requests: u64,
    random: Random,
}

pub struct World {
    pub facts: Vec<Fact>,
    pub behaviour: Behaviour,
    state: Mutex<State>,
}

impl World {
    pub fn new(facts: Vec<Fact>, behaviour: Behaviour, seed: u64) -> Self {
        Self {
            facts,
            behaviour,
            state: Mutex::new(State { instant: 1_000, requests: 0, random: Random::new(seed) }),
        }
    }

    pub fn instant(&self) -> u64 {
        self.state.lock().unwrap().instant
    }

    pub fn requests(&self) -> u64 {
        self.state.lock().unwrap().requests
    }

    /// Lets time pass until an instant.
    pub fn advance_to(&self, instant: u64) {
        let mut state = self.state.lock().unwrap();
        state.instant = state.instant.max(instant);
    }

    fn matching(&self, query: &Query, instant: u64) -> Vec<&Fact> {
        self.facts
            .iter()
            .filter(|fact| fact.visible(instant) && self.behaviour.semantics.matches(query, fact))
            .filter(|fact| {
                query.event_types.is_empty()
                    || query.event_types.iter().any(|name| *name == TYPES[fact.kind % 3])
            })
            .collect()
    }

    fn answer(&self, query: &Query, number: u32, size: u32) -> Result<Page> {
        let mut state = self.state.lock().unwrap();
        state.requests += 1;
        let behaviour = &self.behaviour;
        if behaviour.fault_in > 0 && state.random.once_in(behaviour.fault_in) {
            state.instant += 1;
            return Err(Error::new(Kind::Unavailable, "the simulated API failed"));
        }
        let lag = if behaviour.lag == 0 { 0 } else { state.random.below(3) * behaviour.lag };
        let mut read = || {
            state.instant += if behaviour.atomic { 0 } else { state.random.below(3) };
            state.instant.saturating_sub(lag)
        };
        let (one, other) = (read(), read());
        let (count_at, page_at) = if state.random.once_in(2) { (one, other) } else { (other, one) };
        let count = self.matching(query, count_at).len() as u64;
        let mut rows = self.matching(query, page_at);
        match behaviour.order {
            Order::Newest => rows.sort_by_key(|fact| (std::cmp::Reverse(fact.hidden), fact.id)),
            Order::Oldest => rows.sort_by_key(|fact| (fact.hidden, fact.id)),
            Order::UnstableTies => {
                state.random.shuffle(&mut rows);
                rows.sort_by_key(|fact| std::cmp::Reverse(fact.shown));
            }
            Order::Shuffled => state.random.shuffle(&mut rows),
        }
        state.instant += 1 + state.random.below(2);
        let skip = (u64::from(number) - 1) * u64::from(size);
        if behaviour.depth.is_some_and(|depth| skip >= depth) {
            return Err(Error::new(Kind::Refused, "the simulated API does not page that deep"));
        }
        let total =
            count.min(behaviour.total_cap.unwrap_or(u64::MAX)).saturating_add_signed(behaviour.total_error);
        rows.truncate(behaviour.listed.unwrap_or(u64::MAX) as usize);
        let events = rows.iter().skip(skip as usize).take(size as usize).map(|fact| fact.event()).collect();
        Ok(Page { total, events, number: None, server_time: None, attempts: 1, exchange: None })
    }
}

impl Source for World {
    async fn page(&self, query: &Query, number: u32, size: u32) -> Result<Page> {
        // Others run in between, as on a network.
        tokio::task::yield_now().await;
        self.answer(query, number, size)
    }

    async fn event_types(&self) -> Result<Vec<String>> {
        Ok(TYPES.map(str::to_owned).to_vec())
    }

    async fn pause(&self, time: Duration) {
        self.state.lock().unwrap().instant += time.as_secs();
    }
}

/// Events clustered around window borders and in bursts, with a life that the churn decides. `from` and `seconds`
/// say where; `busy` how many instants the churn lasts.
pub fn facts(random: &mut Random, count: u64, from: i64, seconds: i64, churn: Churn, busy: u64) -> Vec<Fact> {
    let mut facts = Vec::new();
    let burst = from + random.below(seconds as u64) as i64;
    for id in 0..count {
        let shown = match random.below(4) {
            0 => burst,
            1 => {
                let border = *random.pick(&[from, from + seconds / 2, from + seconds]);
                (border + random.below(7) as i64 - 3).clamp(from, from + seconds - 1)
            }
            _ => from + random.below(seconds as u64) as i64,
        };
        let start = 1_000 + random.below(busy);
        let changes = random.once_in(4);
        let removal = churn == Churn::Removals || (churn == Churn::ArrivalsAndRemovals && random.once_in(2));
        let (appears, vanishes) = match churn {
            _ if !changes || churn == Churn::None => (0, u64::MAX),
            Churn::Arrivals => (start, u64::MAX),
            Churn::LateArrivals => (start, u64::MAX),
            _ if removal => (0, start),
            _ if random.once_in(3) => (start, start + 1 + random.below(busy)),
            _ => (start, u64::MAX),
        };
        // Plain arrivals are the newest events; late ones may lie anywhere.
        let newest = churn == Churn::Arrivals && appears > 0;
        let shown = if newest { from + seconds - 1 - random.below(3) as i64 } else { shown };
        let kind = random.below(3) as usize;
        facts.push(Fact { id, shown, hidden: shown * 1000, kind, appears, vanishes });
    }
    facts
}
