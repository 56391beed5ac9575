//! Counters of what a client did, for reports.
//!
//! What lives here: [`Usage`] and the atomic counters behind it. What this file must not know: how it is printed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a client did since it was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Requests sent, repetitions included.
    pub requests: u64,
    /// Requests that repeated an earlier one.
    pub retries: u64,
    /// Answers that said "too many requests".
    pub throttled: u64,
    /// Time set aside for waiting before repetitions; waits at the same time count once.
    pub waited: Duration,
    /// Bytes of bodies received, before decompression.
    pub bytes: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) requests: Counter,
    pub(super) retries: Counter,
    pub(super) throttled: Counter,
    pub(super) bytes: Counter,
}

#[derive(Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
