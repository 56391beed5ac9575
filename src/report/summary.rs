//! Numbers from rows, in bounded memory.
//!
//! What lives here: [`Summary`]. What this file must not know: files, the log, how it is shown.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow_array::RecordBatch;

use super::Options;
use super::changes::{Group, Kept, List, is_change, is_release};
use super::hours::Hours;
use super::rows::{Row, each};
use super::tally::{Mark, Tally};
use crate::error::Result;
use crate::model::{Timestamp, Window};

/// Category of events that have none.
pub(super) const NO_CATEGORY: &str = "(none)";

/// Categories that are told apart; a registry has about ten.
const CATEGORIES: usize = 40;
/// Days times categories that are told apart: more than a century of ten.
const CELLS: usize = 400_000;
/// Actors times hours that are held while the files of a window are read.
const RELEASES: usize = 200_000;

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// Numbers that one actor released within one clock hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bulk {
    pub(super) hour: Timestamp,
    pub(super) actor: Option<Kept>,
    pub(super) numbers: u64,
}

/// The numbers.
#[derive(Debug)]
pub(super) struct Summary {
    hours: Hours,
    bulk: u64,
    listed: usize,
    pub(super) events: u64,
    /// Events without a time.
    pub(super) undated: u64,
    pub(super) changes: u64,
    /// Events by day since 1970 and category.
    pub(super) days: BTreeMap<i64, BTreeMap<String, u64>>,
    cells: usize,
    /// Events with a time that no day counts, since there are too many.
    pub(super) unplaced: u64,
    pub(super) categories: Tally,
    pub(super) actors: Tally,
    pub(super) addresses: Tally,
    pub(super) countries: Tally,
    pub(super) types: Tally,
    pub(super) sources: Tally,
    pub(super) groups: BTreeMap<Group, List>,
    window: Option<Window>,
    releases: HashMap<(i64, Option<String>), u64>,
    pub(super) uncounted_releases: u64,
    /// The newest, ascending.
    pub(super) bulks: BTreeSet<(Timestamp, u64, Option<String>)>,
    /// How many there are.
    pub(super) bulks_total: u64,
    pub(super) bulk_numbers: u64,
}

impl Summary {
    pub(super) fn new(options: &Options) -> Self {
        let tally = || Tally::new(options.told_apart);
        Self {
            hours: options.hours,
            bulk: options.bulk.max(1),
            listed: options.listed,
            events: 0,
            undated: 0,
            changes: 0,
            days: BTreeMap::new(),
            cells: 0,
            unplaced: 0,
            categories: Tally::new(CATEGORIES),
            actors: tally(),
            addresses: tally(),
            countries: tally(),
            types: tally(),
            sources: tally(),
            groups: Group::ALL.into_iter().map(|group| (group, List::new(options.listed))).collect(),
            window: None,
            releases: HashMap::new(),
            uncounted_releases: 0,
            bulks: BTreeSet::new(),
            bulks_total: 0,
            bulk_numbers: 0,
        }
    }

    /// Counts the rows of one file. Files come in the order of their windows.
    pub(super) fn take(&mut self, window: Option<Window>, batches: &[RecordBatch]) -> Result<()> {
        if window != self.window {
            self.finish();
            self.window = window;
        }
        each(batches, |row| self.row(&row))
    }

    fn row(&mut self, row: &Row<'_>) {
        let change = is_change(row);
        let after_hours = change && row.at.is_some_and(|at| !self.hours.expected(at));
        let mark = Mark { at: row.at, change, after_hours };
        self.events += 1;
        self.changes += u64::from(change);
        self.categories.add(row.category, mark);
        self.actors.add(row.actor, mark);
        self.addresses.add(row.address, mark);
        self.countries.add(row.country, mark);
        self.types.add(row.event_type, mark);
        self.sources.add(row.source, mark);
        for (group, list) in &mut self.groups {
            if group.takes(row, after_hours) {
                list.add(row);
            }
        }
        match row.at {
            Some(at) => self.place(at, row),
            None => self.undated += 1,
        }
    }

    fn place(&mut self, at: Timestamp, row: &Row<'_>) {
        let category = row.category.unwrap_or(NO_CATEGORY);
        let full = self.cells >= CELLS;
        let day = at.seconds().div_euclid(DAY);
        match self.days.get_mut(&day).and_then(|categories| categories.get_mut(category)) {
            Some(events) => *events += 1,
            None if full => self.unplaced += 1,
            None => {
                self.cells += 1;
                self.days.entry(day).or_default().insert(category.to_owned(), 1);
            }
        }
        if is_release(row) {
            let key = (at.seconds().div_euclid(HOUR), row.actor.map(str::to_owned));
            if self.releases.len() >= RELEASES && !self.releases.contains_key(&key) {
                self.uncounted_releases += 1;
            } else {
                *self.releases.entry(key).or_default() += 1;
            }
        }
    }

    /// Ends a window: no hour goes over its end.
    pub(super) fn finish(&mut self) {
        for ((hour, actor), numbers) in self.releases.drain() {
            if numbers < self.bulk {
                continue;
            }
            self.bulks_total += 1;
            self.bulk_numbers += numbers;
            self.bulks.insert((Timestamp::from_seconds(hour.saturating_mul(HOUR)), numbers, actor));
            if self.bulks.len() > self.listed {
                self.bulks.pop_first();
            }
        }
    }

    /// The bulk releases that are listed, the newest first.
    pub(super) fn newest_bulks(&self) -> impl Iterator<Item = Bulk> {
        self.bulks.iter().rev().map(|(hour, numbers, actor)| Bulk {
            hour: *hour,
            actor: actor.as_deref().map(Kept::new),
            numbers: *numbers,
        })
    }

    /// First and last day with events.
    pub(super) fn range(&self) -> Option<(i64, i64)> {
        Some((*self.days.first_key_value()?.0, *self.days.last_key_value()?.0))
    }
}
