//! What is known of each day.
//!
//! What lives here: [`Calendar`], from the windows that are committed to days and to stretches of days. Days without any
//! window are never enumerated: a log may name any years. What this file must not know: rows, how it is shown.

use std::collections::BTreeMap;

use crate::model::{Level, Timestamp};
use crate::publish::Coverage;

pub(super) const DAY: i64 = 86_400;

/// What is known of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// Proven by the stronger way, with events.
    Double,
    /// Proven, with events.
    Bracketed,
    /// Proven to have no events.
    Empty,
    /// Committed in part: some of its windows are missing.
    Partial,
    /// Committed without a proof.
    Unproven,
    /// No commit is about it.
    Absent,
}

impl State {
    pub(super) const ALL: [Self; 6] =
        [Self::Double, Self::Bracketed, Self::Empty, Self::Partial, Self::Unproven, Self::Absent];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::Bracketed => "bracketed",
            Self::Empty => "empty",
            Self::Partial => "partial",
            Self::Unproven => "not proven",
            Self::Absent => "absent",
        }
    }

    /// One character that says it without colour.
    pub(super) const fn mark(self) -> &'static str {
        match self {
            Self::Double => "D",
            Self::Bracketed => "B",
            Self::Empty => "E",
            Self::Partial => "P",
            Self::Unproven => "N",
            Self::Absent => "–",
        }
    }

    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::Double => "proven by walk, count, walk: sound whatever arrived or vanished meanwhile",
            Self::Bracketed => {
                "proven by count, walk, count: sound while events only arrived or only vanished"
            }
            Self::Empty => "proven to have no events, by either way",
            Self::Partial => "only some of the day’s windows are committed",
            Self::Unproven => "brought in from files (level none): nobody proved that it is complete",
            Self::Absent => "no commit is about this day: nothing is known",
        }
    }

    pub(super) const fn is_proven(self) -> bool {
        matches!(self, Self::Double | Self::Bracketed | Self::Empty)
    }
}

/// A day of which the log says something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day {
    pub(super) state: State,
    /// Events in files that the log names.
    pub(super) events: u64,
    pub(super) quarantined: u64,
    /// The weakest level among its windows.
    pub(super) level: Level,
    seconds: i64,
}

/// Days in a row of which the same is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) state: State,
    /// First and last day since 1970.
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) events: u64,
}

impl Stretch {
    pub(super) fn days(&self) -> u64 {
        u64::try_from(self.to - self.from + 1).unwrap_or(0)
    }
}

/// The days of which the log says something, since 1970.
#[derive(Debug, Default)]
pub(super) struct Calendar {
    pub(super) days: BTreeMap<i64, Day>,
    pub(super) windows: u64,
}

impl Calendar {
    pub(super) fn new(coverage: &Coverage) -> Self {
        let mut calendar = Self::default();
        for (window, covered) in coverage {
            calendar.windows += 1;
            let level = covered.certificate.level;
            let day = calendar.days.entry(window.from.seconds().div_euclid(DAY)).or_insert(Day {
                state: State::Absent,
                events: 0,
                quarantined: 0,
                level,
                seconds: 0,
            });
            day.events = day.events.saturating_add(covered.rows);
            day.quarantined = day.quarantined.saturating_add(covered.quarantined);
            day.level = day.level.min(level);
            day.seconds = day.seconds.saturating_add(window.seconds());
        }
        for day in calendar.days.values_mut() {
            day.state = match day.level {
                Level::None => State::Unproven,
                _ if day.seconds < DAY => State::Partial,
                _ if day.events == 0 && day.quarantined == 0 => State::Empty,
                Level::Bracketed => State::Bracketed,
                Level::Double => State::Double,
            };
        }
        calendar
    }

    /// First and last day of which the log says something.
    pub(super) fn range(&self) -> Option<(i64, i64)> {
        Some((*self.days.first_key_value()?.0, *self.days.last_key_value()?.0))
    }

    /// From the first to the last day, the absent ones too.
    pub(super) fn stretches(&self) -> Vec<Stretch> {
        let mut list: Vec<Stretch> = Vec::new();
        for (number, day) in &self.days {
            if let Some(last) = list.last().map(|stretch| stretch.to)
                && last + 1 < *number
            {
                list.push(Stretch { state: State::Absent, from: last + 1, to: number - 1, events: 0 });
            }
            match list.last_mut() {
                Some(last) if last.state == day.state && last.to + 1 == *number => {
                    last.to = *number;
                    last.events = last.events.saturating_add(day.events);
                }
                _ => list.push(Stretch { state: day.state, from: *number, to: *number, events: day.events }),
            }
        }
        list
    }

    /// How many days, from the first to the last, are in each state.
    pub(super) fn counts(&self) -> BTreeMap<State, u64> {
        let mut counts = BTreeMap::new();
        for stretch in self.stretches() {
            *counts.entry(stretch.state).or_default() += stretch.days();
        }
        counts
    }
}

/// `2026-03-01`.
pub(super) fn date(day: i64) -> String {
    let (year, month, day) = Timestamp::from_seconds(day.saturating_mul(DAY)).date();
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Certificate, Window};
    use crate::publish::Covered;

    fn covered(level: Level, rows: u64, quarantined: u64) -> Covered {
        let range = Window::new(Timestamp::from_seconds(0), Timestamp::from_seconds(1));
        let certificate = Certificate {
            level,
            range,
            padding: 2,
            total: rows,
            distinct: rows,
            events: rows,
            quiet_from: true,
            quiet_to: true,
            parts: 1,
        };
        Covered { certificate, rows, quarantined, files: Vec::new() }
    }

    #[test]
    fn a_day_is_as_well_known_as_its_weakest_window() {
        let window = |day: i64, from: i64, to: i64| {
            let at = |hour: i64| Timestamp::from_seconds(day * DAY + hour * 3_600);
            Window::new(at(from), at(to))
        };
        let coverage = Coverage::from([
            (window(0, 0, 24), covered(Level::Double, 5, 0)),
            (window(1, 0, 24), covered(Level::Bracketed, 0, 0)),
            (window(2, 0, 24), covered(Level::Bracketed, 0, 1)),
            (window(3, 0, 12), covered(Level::Double, 1, 0)),
            (window(3, 12, 24), covered(Level::Bracketed, 2, 0)),
            (window(4, 0, 12), covered(Level::Double, 1, 0)),
            (window(7, 0, 12), covered(Level::Double, 1, 0)),
            (window(7, 12, 24), covered(Level::None, 1, 0)),
            (window(3_000_000, 0, 24), covered(Level::Double, 1, 0)),
        ]);
        let calendar = Calendar::new(&coverage);
        let states: Vec<_> =
            calendar.stretches().iter().map(|stretch| (stretch.state, stretch.from, stretch.to)).collect();
        assert_eq!(
            states,
            [
                (State::Double, 0, 0),
                (State::Empty, 1, 1),
                (State::Bracketed, 2, 3),
                (State::Partial, 4, 4),
                (State::Absent, 5, 6),
                (State::Unproven, 7, 7),
                (State::Absent, 8, 2_999_999),
                (State::Double, 3_000_000, 3_000_000),
            ]
        );
        assert_eq!(calendar.counts()[&State::Absent], 2 + 2_999_992);
        assert_eq!(calendar.windows, 9);
    }
}
