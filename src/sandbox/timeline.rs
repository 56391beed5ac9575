//! The world over time, where time is the index of a request.
//!
//! What lives here: [`Timeline`], the few events that are not visible all the time or change their content. An event
//! that is not named here is visible from the first request on for ever, and costs nothing. What this file must not
//! know: populations and queries.

use std::collections::BTreeMap;
use std::ops::Range;

/// When events appear, vanish and change.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    lives: BTreeMap<u32, Life>,
}

/// An event is visible for requests `appears <= index < vanishes`.
#[derive(Clone, Debug)]
struct Life {
    appears: u64,
    vanishes: u64,
    rewritten: Option<(u64, Option<Vec<u8>>)>,
}

impl Timeline {
    /// Event `k` becomes visible at the request of this index.
    #[must_use]
    pub fn appear(mut self, k: u32, at: u64) -> Self {
        self.life(k).appears = at;
        self
    }

    /// Event `k` is no longer visible from the request of this index on.
    #[must_use]
    pub fn vanish(mut self, k: u32, at: u64) -> Self {
        self.life(k).vanishes = at;
        self
    }

    /// Event `k` has another content from the request of this index on: this JSON, or its own with a member
    /// `"revised":true` if none is given. Its place in time and its type, as filters see them, stay.
    #[must_use]
    pub fn rewrite(mut self, k: u32, at: u64, json: Option<Vec<u8>>) -> Self {
        self.life(k).rewritten = Some((at, json));
        self
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.lives.extend(other.lives);
    }

    fn life(&mut self, k: u32) -> &mut Life {
        self.lives.entry(k).or_insert(Life { appears: 0, vanishes: u64::MAX, rewritten: None })
    }

    /// True if the event is named here already.
    pub(super) fn names(&self, k: u32) -> bool {
        self.lives.contains_key(&k)
    }

    /// The events of these positions that the request of this index does not see, ascending.
    pub(super) fn hidden(&self, positions: Range<u32>, at: u64) -> Vec<u32> {
        if self.lives.is_empty() || positions.is_empty() {
            return Vec::new();
        }
        self.lives.range(positions).filter(|(_, life)| !life.visible(at)).map(|(k, _)| *k).collect()
    }

    pub(super) fn visible(&self, k: u32, at: u64) -> bool {
        self.lives.get(&k).is_none_or(|life| life.visible(at))
    }

    /// What event `k` is at the request of this index, given its first content; `None` if it is unchanged.
    pub(super) fn rewritten(&self, k: u32, at: u64, first: impl FnOnce() -> Vec<u8>) -> Option<Vec<u8>> {
        let (since, json) = self.lives.get(&k)?.rewritten.as_ref()?;
        if at < *since {
            return None;
        }
        Some(json.clone().unwrap_or_else(|| {
            let mut json = first();
            if json.last() == Some(&b'}') {
                json.pop();
                json.extend_from_slice(b",\"revised\":true}");
            }
            json
        }))
    }
}

impl Life {
    const fn visible(&self, at: u64) -> bool {
        self.appears <= at && at < self.vanishes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_visible_from_its_appearance_until_it_vanishes() {
        let timeline = Timeline::default().appear(3, 5).vanish(3, 7).vanish(9, 0);
        let seen: Vec<bool> = (4..8).map(|at| timeline.visible(3, at)).collect();
        assert_eq!(seen, [false, true, true, false]);
        assert_eq!(timeline.hidden(0..10, 4), [3, 9]);
        assert_eq!(timeline.hidden(4..9, 4), [] as [u32; 0]);
        assert!(timeline.visible(1, 0));
    }

    #[test]
    fn content_changes_at_its_request_and_not_before() {
        let timeline = Timeline::default().rewrite(1, 2, None).rewrite(2, 0, Some(b"[]".to_vec()));
        let first = || b"{\"a\":1}".to_vec();
        assert_eq!(timeline.rewritten(1, 1, first), None);
        assert_eq!(timeline.rewritten(1, 2, first).unwrap(), b"{\"a\":1,\"revised\":true}");
        assert_eq!(timeline.rewritten(2, 0, first).unwrap(), b"[]");
        assert_eq!(timeline.rewritten(0, 9, first), None);
    }
}
