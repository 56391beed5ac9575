//! How many threads compute at one time.
//!
//! What lives here: [`Threads`]. How many there are decides about no byte. What this file must not know: what they
//! compute.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Threads that may compute; clones share them. Whoever computes holds one, and may hold those that nobody else needs.
#[derive(Clone, Debug)]
pub struct Threads(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    all: usize,
    free: AtomicUsize,
}

impl Default for Threads {
    /// One.
    fn default() -> Self {
        Self::new(1)
    }
}

impl PartialEq for Threads {
    fn eq(&self, other: &Self) -> bool {
        self.0.all == other.0.all
    }
}

impl Eq for Threads {}

impl Threads {
    /// So many; at least one.
    pub fn new(threads: usize) -> Self {
        let all = threads.max(1);
        Self(Arc::new(Inner { all, free: AtomicUsize::new(all) }))
    }

    /// How many there are, held or not.
    pub fn all(&self) -> usize {
        self.0.all
    }

    /// Holds those that are free, at most so many: none if there is none, since nobody waits here.
    pub fn hold(&self, most: usize) -> Held {
        let take = |free: usize| Some(free.saturating_sub(most));
        let before = self.0.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).unwrap_or_default();
        Held { threads: self.clone(), count: before.min(most) }
    }
}

/// Threads that are held until this is dropped.
#[derive(Debug)]
pub struct Held {
    threads: Threads,
    count: usize,
}

impl Held {
    /// How many.
    pub fn count(&self) -> usize {
        self.count
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.threads.0.free.fetch_add(self.count, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_held_than_there_are_and_all_come_back() {
        let threads = Threads::new(3);
        for _ in 0..2 {
            let one = threads.clone().hold(1);
            let rest = threads.hold(usize::MAX);
            let none = threads.hold(1);
            assert_eq!((one.count(), rest.count(), none.count(), threads.all()), (1, 2, 0, 3));
        }
        assert_eq!(Threads::new(0), Threads::default());
    }
}
