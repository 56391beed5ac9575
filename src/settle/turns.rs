//! Whose request is next when several ranges are settled at the same time.
//!
//! What lives here: [`Turns`], a number of places that go to the earliest range that waits, and [`InTurn`], a source that
//! takes one for each request. Served in order of arrival, ranges settled side by side would all ask for their pages,
//! then all wait for their last counts, and all be done at once; earliest first, each is done as soon as it can be, and
//! those behind it fill the places that it leaves.
//! What this file must not know: how a range is settled, and how many requests the API takes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::Source;
use crate::error::Result;
use crate::model::{Page, Query, Timestamp};

/// Places of requests.
#[derive(Debug)]
pub(super) struct Turns(Mutex<State>);

/// The start of the range, then the order of arrival.
type Rank = (Timestamp, u64);

#[derive(Debug)]
struct State {
    free: usize,
    arrivals: u64,
    /// Whoever is taken out of here has a place, also if it never looks.
    waiting: BTreeMap<Rank, oneshot::Sender<()>>,
}

impl Turns {
    /// A few more places than requests in flight, so that a reply that is decoded, or one that is waited for again, keeps
    /// nobody from asking.
    pub(super) fn new(in_flight: usize) -> Self {
        let free = in_flight.saturating_add(in_flight / 4).saturating_add(1);
        Self(Mutex::new(State { free, arrivals: 0, waiting: BTreeMap::new() }))
    }

    /// A place, once none that comes before waits for one.
    async fn place(&self, range: Timestamp) -> Place<'_> {
        let (place, granted) = {
            let mut state = self.state();
            if let Some(rest) = state.free.checked_sub(1) {
                state.free = rest;
                return Place { turns: self, rank: None };
            }
            state.arrivals += 1;
            let rank = (range, state.arrivals);
            let (grant, granted) = oneshot::channel();
            state.waiting.insert(rank, grant);
            (Place { turns: self, rank: Some(rank) }, granted)
        };
        // The sender is dropped only after it has sent.
        let _granted = granted.await;
        place
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held, and the values are valid at every point.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place, or the wait for one.
struct Place<'a> {
    turns: &'a Turns,
    /// What it waited as, if it had to.
    rank: Option<Rank>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.turns.state();
        // One that still waits has nothing to give back.
        if self.rank.is_some_and(|rank| state.waiting.remove(&rank).is_some()) {
            return;
        }
        match state.waiting.pop_first() {
            Some((_, grant)) => drop(grant.send(())),
            None => state.free += 1,
        }
    }
}

/// A source whose requests wait for their range's turn.
#[derive(Debug)]
pub(super) struct InTurn<'a, S> {
    pub(super) source: &'a S,
    pub(super) turns: &'a Turns,
    /// Where the range starts.
    pub(super) range: Timestamp,
}

impl<S: Source> Source for InTurn<'_, S> {
    async fn page(&self, query: &Query, number: u32, size: u32) -> Result<Page> {
        let _place = self.turns.place(self.range).await;
        self.source.page(query, number, size).await
    }

    async fn event_types(&self) -> Result<Vec<String>> {
        let _place = self.turns.place(self.range).await;
        self.source.event_types().await
    }

    async fn pause(&self, time: Duration) {
        self.source.pause(time).await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
        match std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn the_earliest_range_is_next_and_one_range_in_order_of_arrival() {
        let turns = Turns(Mutex::new(State { free: 1, arrivals: 0, waiting: BTreeMap::new() }));
        let place = poll(&mut pin!(turns.place(at(9)))).unwrap();
        let mut late = pin!(turns.place(at(5)));
        let mut first = pin!(turns.place(at(3)));
        let mut second = pin!(turns.place(at(3)));
        assert!(poll(&mut late).is_none() && poll(&mut second).is_none() && poll(&mut first).is_none());
        drop(place);
        // The second was polled, and so arrived, before the first.
        assert!(poll(&mut late).is_none() && poll(&mut first).is_none());
        drop(poll(&mut second).unwrap());
        drop(poll(&mut first).unwrap());
        drop(poll(&mut late).unwrap());
        assert_eq!(turns.state().free, 1);
    }

    #[test]
    fn who_leaves_keeps_no_place() {
        let turns = Turns(Mutex::new(State { free: 1, arrivals: 0, waiting: BTreeMap::new() }));
        let place = poll(&mut pin!(turns.place(at(1)))).unwrap();
        {
            let mut waits = pin!(turns.place(at(1)));
            assert!(poll(&mut waits).is_none());
        }
        assert!(turns.state().waiting.is_empty());
        let mut other = pin!(turns.place(at(3)));
        {
            let mut granted = pin!(turns.place(at(2)));
            assert!(poll(&mut granted).is_none() && poll(&mut other).is_none());
            // Given to one that is dropped before it looks.
            drop(place);
        }
        drop(poll(&mut other).unwrap());
        assert_eq!(turns.state().free, 1);
    }
}
