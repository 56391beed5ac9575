//! When the next request may start, for all callers of a client together.
//!
//! What lives here: even spacing (a token bucket that holds one token), the shared pause after "too many requests",
//! and the budget of waiting. What this file must not know: requests, replies, why a pause was asked for.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

pub(super) struct Pace {
    interval: Duration,
    budget: Duration,
    /// When the next request may start. Callers queue on this lock in order of arrival, also while one sleeps.
    next: tokio::sync::Mutex<Option<Instant>>,
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    /// End of the pause for everybody.
    paused: Option<Instant>,
    /// Up to here, waiting is paid for.
    paid: Option<Instant>,
    spent: Duration,
}

/// The budget of waiting does not allow this wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spent;

impl Pace {
    pub(super) fn new(interval: Duration, budget: Duration) -> Self {
        Self { interval, budget, next: tokio::sync::Mutex::default(), waits: Mutex::default() }
    }

    /// Returns when the caller may start its request. Starts are at least the interval apart: a late start moves
    /// the following ones, it does not make room for a burst.
    pub(super) async fn turn(&self) {
        let mut next = self.next.lock().await;
        loop {
            let now = Instant::now();
            // Read anew after each sleep: another caller may have been told to wait meanwhile.
            let paused = self.waits().paused;
            let Some(start) = (*next).max(paused).filter(|start| *start > now) else { break };
            sleep_until(start).await;
        }
        *next = Instant::now().checked_add(self.interval);
    }

    /// Holds back every caller for `delay` from now.
    pub(super) fn pause(&self, delay: Duration) -> Result<(), Spent> {
        self.pay(delay)?;
        let mut waits = self.waits();
        waits.paused = waits.paused.max(Instant::now().checked_add(delay));
        Ok(())
    }

    /// Takes a wait of `delay` from now out of the budget. Waits at the same time are paid once. A wait that the
    /// budget does not cover is refused before it begins.
    pub(super) fn pay(&self, delay: Duration) -> Result<(), Spent> {
        let now = Instant::now();
        let end = now.checked_add(delay).ok_or(Spent)?;
        let mut waits = self.waits();
        let from = waits.paid.map_or(now, |paid| paid.max(now));
        let spent = waits.spent.saturating_add(end.saturating_duration_since(from));
        if spent > self.budget {
            return Err(Spent);
        }
        waits.spent = spent;
        waits.paid = waits.paid.max(Some(end));
        Ok(())
    }

    /// For how long from now waiting is agreed: the rest of a pause for everybody, or of a wait before a repetition.
    pub(super) fn remaining(&self) -> Duration {
        let waits = self.waits();
        let end = waits.paid.max(waits.paused);
        end.map_or(Duration::ZERO, |end| end.saturating_duration_since(Instant::now()))
    }

    pub(super) fn spent(&self) -> Duration {
        self.waits().spent
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        // Nothing panics while the lock is held, and the values are valid at every point.
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;

    const SECOND: Duration = Duration::from_secs(1);

    async fn starts(pace: &Pace, count: usize) -> Vec<u128> {
        let begin = Instant::now();
        let turns = (0..count).map(|_| async {
            pace.turn().await;
            begin.elapsed().as_millis()
        });
        join_all(turns).await
    }

    #[tokio::test(start_paused = true)]
    async fn starts_are_evenly_spaced_from_the_first_on() {
        let pace = Pace::new(SECOND / 5, SECOND);
        let times = starts(&pace, 6).await;
        assert!(times.windows(2).all(|pair| (200..=202).contains(&(pair[1] - pair[0]))), "{times:?}");
        assert_eq!(times[0], 0);
        // An idle time is not saved up.
        tokio::time::sleep(SECOND * 60).await;
        let times = starts(&pace, 3).await;
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 200), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_nobody_waits() {
        assert_eq!(starts(&Pace::new(Duration::ZERO, SECOND), 100).await, vec![0; 100]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_all_callers_and_keeps_the_spacing_after_it() {
        let pace = Pace::new(SECOND, SECOND * 100);
        pace.turn().await;
        let (times, ()) = futures::join!(starts(&pace, 3), async {
            // Arrives while the first caller already sleeps.
            tokio::time::sleep(SECOND / 2).await;
            pace.pause(SECOND * 30).unwrap();
            pace.pause(SECOND).unwrap();
        });
        assert!((30_500..30_510).contains(&times[0]), "{times:?}");
        assert!(times.windows(2).all(|pair| (1000..1005).contains(&(pair[1] - pair[0]))), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_gives_up_does_not_block_the_queue() {
        let pace = Pace::new(SECOND, SECOND);
        pace.turn().await;
        assert!(tokio::time::timeout(SECOND / 10, pace.turn()).await.is_err());
        let begin = Instant::now();
        pace.turn().await;
        assert!((899..=905).contains(&begin.elapsed().as_millis()));
    }

    #[tokio::test(start_paused = true)]
    async fn waits_at_the_same_time_are_paid_once_and_the_budget_is_the_end() {
        let pace = Pace::new(Duration::ZERO, SECOND * 10);
        pace.pay(SECOND * 4).unwrap();
        pace.pay(SECOND * 4).unwrap();
        pace.pay(SECOND * 3).unwrap();
        assert_eq!((pace.spent(), pace.remaining()), (SECOND * 4, SECOND * 4));
        tokio::time::sleep(SECOND * 2).await;
        pace.pause(SECOND * 4).unwrap();
        assert_eq!(pace.spent(), SECOND * 6);
        assert_eq!(pace.pay(SECOND * 9), Err(Spent));
        assert_eq!(pace.pause(Duration::MAX), Err(Spent));
        // A refused wait costs nothing.
        pace.pay(SECOND * 8).unwrap();
        assert_eq!(pace.spent(), SECOND * 10);
        assert_eq!(pace.pay(SECOND * 9), Err(Spent));
    }
}
