//! Counts by a key from outside, within bounds.
//!
//! What lives here: [`Tally`]. The counts of the keys that are told apart are exact; keys that come after the limit are
//! counted together, and the page says so. What this file must not know: what the keys are.

use std::collections::HashMap;

use crate::model::Timestamp;

/// Bytes that the keys of one tally may take.
const KEY_BYTES: usize = 64 << 20;

/// What is counted for one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) events: u64,
    pub(super) changes: u64,
    pub(super) after_hours: u64,
    /// First and last time, of the events that have one.
    pub(super) seen: Option<(Timestamp, Timestamp)>,
}

/// One event, for any tally.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) at: Option<Timestamp>,
    pub(super) change: bool,
    pub(super) after_hours: bool,
}

impl Counts {
    fn add(&mut self, mark: Mark) {
        self.events += 1;
        self.changes += u64::from(mark.change);
        self.after_hours += u64::from(mark.after_hours);
        if let Some(at) = mark.at {
            self.seen = Some(self.seen.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        }
    }
}

/// The counts.
#[derive(Debug)]
pub(super) struct Tally {
    keys: HashMap<String, Counts>,
    limit: usize,
    bytes: usize,
    /// Events without a key.
    pub(super) unnamed: Counts,
    /// Events of keys that came after the limit.
    pub(super) rest: Counts,
}

impl Tally {
    pub(super) fn new(limit: usize) -> Self {
        let (unnamed, rest) = (Counts::default(), Counts::default());
        Self { keys: HashMap::new(), limit, bytes: 0, unnamed, rest }
    }

    pub(super) fn add(&mut self, key: Option<&str>, mark: Mark) {
        let Some(key) = key else { return self.unnamed.add(mark) };
        if let Some(counts) = self.keys.get_mut(key) {
            return counts.add(mark);
        }
        if self.keys.len() >= self.limit || self.bytes.saturating_add(key.len()) > KEY_BYTES {
            return self.rest.add(mark);
        }
        self.bytes += key.len();
        self.keys.entry(key.to_owned()).or_default().add(mark);
    }

    /// How many keys are told apart.
    pub(super) fn distinct(&self) -> usize {
        self.keys.len()
    }

    /// The keys of the most events, and of equals the first by name.
    pub(super) fn top(&self, number: usize) -> Vec<(&str, &Counts)> {
        let mut all: Vec<(&str, &Counts)> =
            self.keys.iter().map(|(key, counts)| (key.as_str(), counts)).collect();
        all.sort_by(|(one, counts), (other, others)| {
            others.events.cmp(&counts.events).then_with(|| one.cmp(other))
        });
        all.truncate(number);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_up_to_the_limit_and_nothing_is_lost_beyond_it() {
        let mut tally = Tally::new(2);
        let mark = |second| Mark {
            at: Some(Timestamp::from_seconds(second)),
            change: second % 2 == 0,
            after_hours: false,
        };
        for (second, key) in
            (0..).zip([Some("b"), Some("a"), None, Some("c"), Some("b"), Some("d"), Some("a")])
        {
            tally.add(key, mark(second));
        }
        let top = tally.top(5);
        assert_eq!(
            top.iter().map(|(key, counts)| (*key, counts.events)).collect::<Vec<_>>(),
            [("a", 2), ("b", 2)]
        );
        assert_eq!((tally.unnamed.events, tally.rest.events, tally.rest.changes), (1, 2, 0));
        let seen = top[1].1.seen.unwrap();
        assert_eq!((seen.0.seconds(), seen.1.seconds()), (0, 4));
        assert_eq!(tally.top(1).len(), 1);
    }
}
