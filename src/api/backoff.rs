//! How long to wait when nobody says how long: exponential backoff with full jitter.
//!
//! What lives here: the seeded random source and the one formula. What this file must not know: why one waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Waiting times, drawn evenly from zero to a bound that doubles with each attempt.
pub(super) struct Backoff {
    base: Duration,
    cap: Duration,
    state: AtomicU64,
}

impl Backoff {
    pub(super) fn new(base: Duration, cap: Duration, seed: u64) -> Self {
        Self { base, cap, state: AtomicU64::new(seed) }
    }

    /// A wait after `failures` failed attempts, counted from 1.
    pub(super) fn draw(&self, failures: u32) -> Duration {
        let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let bound = self.base.saturating_mul(factor).min(self.cap);
        let nanos = (bound.as_nanos() * u128::from(self.random())) >> 64;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// SplitMix64: each call is one step of a counter, mixed, so that threads need no lock.
    fn random(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut bits = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_fill_the_doubling_bound_and_stop_at_the_cap() {
        let backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30), 7);
        for (failures, bound) in
            [(1, 0.5), (2, 1.0), (3, 2.0), (6, 16.0), (7, 30.0), (40, 30.0), (u32::MAX, 30.0)]
        {
            let draws: Vec<f64> = (0..2000).map(|_| backoff.draw(failures).as_secs_f64()).collect();
            let mean = draws.iter().sum::<f64>() / 2000.0;
            assert!(draws.iter().all(|wait| (0.0..=bound).contains(wait)), "{failures}");
            assert!((mean - bound / 2.0).abs() < bound * 0.05, "{failures}: {mean}");
        }
    }

    #[test]
    fn the_seed_decides() {
        let draws = |seed| {
            let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(1), seed);
            (0..8).map(|_| backoff.draw(1)).collect::<Vec<_>>()
        };
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
        // The published first value of SplitMix64 for seed 0.
        assert_eq!(Backoff::new(Duration::ZERO, Duration::ZERO, 0).random(), 0xe220_a839_7b1d_cdaf);
    }
}
