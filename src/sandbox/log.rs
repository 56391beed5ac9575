//! What was asked: counters by route and the first requests in full, for tests and for a person at the sandbox.
//!
//! What lives here: numbers and request lines. What this file must not know: credentials (headers are not kept) and
//! how a request is answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How many requests are kept in full; later ones are only counted.
const KEPT: usize = 65_536;

/// One request as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its index over all requests, from 0.
    pub index: u64,
    /// Method, path and query as received, for instance `GET /beta/audit/events?page=1`.
    pub line: String,
    /// The status that was answered; 0 if a fault wrote the reply by hand, below HTTP, or none.
    pub status: u16,
}

/// A snapshot of what was asked so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// All requests.
    pub total: u64,
    /// `GET /events`.
    pub lists: u64,
    /// `GET /events/{id}`.
    pub singles: u64,
    /// `OPTIONS /events`.
    pub types: u64,
    /// Anything else.
    pub others: u64,
    /// Requests that a fault answered or spoiled.
    pub faults: u64,
    /// The first 65,536 requests, by index.
    pub seen: Vec<Seen>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    List,
    Single,
    Types,
    Other,
}

#[derive(Default)]
pub(super) struct Log {
    total: AtomicU64,
    by_route: [AtomicU64; 4],
    faults: AtomicU64,
    seen: Mutex<Vec<Seen>>,
}

impl Log {
    /// Takes the next index.
    pub(super) fn next(&self) -> u64 {
        self.total.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn note(&self, index: u64, line: String, route: Route, status: u16, fault: bool) {
        let [lists, singles, types, others] = &self.by_route;
        let counter = match route {
            Route::List => lists,
            Route::Single => singles,
            Route::Types => types,
            Route::Other => others,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        if fault {
            self.faults.fetch_add(1, Ordering::Relaxed);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < KEPT {
            seen.push(Seen { index, line, status });
        }
    }

    pub(super) fn snapshot(&self) -> Requests {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        seen.sort_by_key(|seen| seen.index);
        let [lists, singles, types, others] =
            self.by_route.each_ref().map(|counter| counter.load(Ordering::Relaxed));
        Requests {
            total: self.total.load(Ordering::Relaxed),
            lists,
            singles,
            types,
            others,
            faults: self.faults.load(Ordering::Relaxed),
            seen,
        }
    }
}
