//! What events hold beyond the table: counts, event types, pointers and JSON types, never a value.
//!
//! What lives here: [`Drift`] and its parts as values. What this file must not know: how it is found, its text form.

use std::collections::BTreeMap;

/// Most findings that are told apart; what exceeds them is counted, not named. A map with free keys must not fill the
/// memory or the log.
pub const MAX_FINDINGS: usize = 4_096;

/// What kind of difference it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Difference {
    /// The registry does not know the event type.
    EventType,
    /// No column holds what stands at the pointer.
    Pointer,
    /// A column or an object of the table stands there, and the value has another JSON type.
    JsonType,
}

impl Difference {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::EventType, Self::Pointer, Self::JsonType];

    /// Its name in the log and in machine-readable output; stable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EventType => "event_type",
            Self::Pointer => "pointer",
            Self::JsonType => "json_type",
        }
    }

    /// The difference of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// The JSON types that findings name: those of JSON Schema.
pub const JSON_TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// One thing that the table does not say.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Finding {
    /// What kind.
    pub difference: Difference,
    /// Event type code; empty for an event without one.
    pub event_type: String,
    /// RFC 6901 pointer into the event; empty for an event type.
    pub pointer: String,
    /// JSON type, one of [`JSON_TYPES`]; empty for an event type.
    pub json: &'static str,
}

/// Findings with the number of events (for pointers: of values) in which each occurs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// At most [`MAX_FINDINGS`].
    pub findings: BTreeMap<Finding, u64>,
    /// Values beyond that: not told apart, or with a name too long or not readable.
    pub unnamed: u64,
    /// Findings that a record of the log numbers without naming them; 0 but for what is read from the log.
    pub unlisted: u64,
}

impl Drift {
    /// Whether the events hold nothing beyond the table.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.unnamed == 0 && self.unlisted == 0
    }

    /// Counts a finding.
    pub fn count(&mut self, finding: Finding, times: u64) {
        if let Some(known) = self.findings.get_mut(&finding) {
            *known = known.saturating_add(times);
        } else if self.findings.len() < MAX_FINDINGS {
            self.findings.insert(finding, times);
        } else {
            self.unnamed = self.unnamed.saturating_add(times);
        }
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: Self) {
        self.unnamed = self.unnamed.saturating_add(other.unnamed);
        self.unlisted = self.unlisted.saturating_add(other.unlisted);
        for (finding, times) in other.findings {
            self.count(finding, times);
        }
    }

    /// How many findings of this kind there are.
    pub fn number(&self, difference: Difference) -> usize {
        self.findings.keys().filter(|finding| finding.difference == difference).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(pointer: &str) -> Finding {
        Finding {
            difference: Difference::Pointer,
            event_type: "A".to_owned(),
            pointer: pointer.to_owned(),
            json: "string",
        }
    }

    #[test]
    fn counts_add_up_and_are_bounded() {
        let (mut one, mut two) = (Drift::default(), Drift::default());
        assert!(one.is_empty());
        one.count(finding("/a"), 2);
        for number in 0..MAX_FINDINGS + 5 {
            two.count(finding(&format!("/{number}")), 1);
        }
        assert_eq!((two.findings.len(), two.unnamed), (MAX_FINDINGS, 5));
        one.merge(two.clone());
        one.merge(two);
        assert_eq!(one.findings.get(&finding("/a")), Some(&2));
        assert_eq!(one.findings.get(&finding("/0")), Some(&2));
        let named: u64 = one.findings.values().sum();
        assert_eq!(named + one.unnamed, 2 + 2 * (MAX_FINDINGS as u64 + 5));
        assert_eq!(one.number(Difference::Pointer), MAX_FINDINGS);
        assert_eq!(one.number(Difference::EventType), 0);
    }

    #[test]
    fn names_read_back() {
        for known in Difference::ALL {
            assert_eq!(Difference::parse(known.name()), Some(known));
        }
        assert_eq!(Difference::parse("value"), None);
    }
}
