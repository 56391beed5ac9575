//! Events in order, however many there are.
//!
//! What lives here: [`Sorter`]: sorted runs in a file, merged when they are read. What this file must not know: what
//! equal events mean.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::events::{Events, EventsIter, EventsWriter, weight};
use super::file::SpillFile;
use super::record::append;
use super::scratch::Scratch;
use crate::error::Result;
use crate::model::Event;

/// Bytes that all runs together read ahead.
const READ_AHEAD: usize = 8 << 20;

/// Runs that are merged at once; with more, some are first merged into one.
const FAN_IN: usize = 256;

/// Which event comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By identity, then by text.
    Id,
    /// As rows are: by time, then by identity, then by text; those without a time last.
    Time,
}

impl Order {
    fn compare(self, one: &Event, other: &Event) -> Ordering {
        let by = match self {
            Self::Id => one.id.cmp(&other.id),
            Self::Time => one.sort_key().cmp(&other.sort_key()),
        };
        by.then_with(|| one.text.cmp(&other.text)).then_with(|| one.flaw.cmp(&other.flaw))
    }

    /// Puts events into this order; fast where they are in long stretches already.
    pub fn sort(self, events: &mut [Event]) {
        events.sort_by(|one, other| self.compare(one, other));
    }
}

/// Takes events in any order.
#[derive(Debug)]
pub struct Sorter {
    scratch: Scratch,
    share: u64,
    order: Order,
    held: Vec<Event>,
    weight: u64,
    count: u64,
    file: Option<SpillFile>,
    /// From where to where in the file, and how many.
    runs: Vec<(u64, u64, u64)>,
    /// The last event of the last run.
    last: Option<Event>,
}

impl Sorter {
    /// Nothing yet; at most `share` bytes in memory.
    pub fn new(scratch: &Scratch, share: u64, order: Order) -> Self {
        let (scratch, held, runs) = (scratch.clone(), Vec::new(), Vec::new());
        Self { scratch, share, order, held, weight: 0, count: 0, file: None, runs, last: None }
    }

    /// Takes one more.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: it cannot be spilled.
    pub fn push(&mut self, event: Event) -> Result<()> {
        self.count += 1;
        self.weight = self.weight.saturating_add(weight(&event));
        self.held.push(event);
        if self.weight > self.share { self.spill() } else { Ok(()) }
    }

    /// How many were pushed.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether none was pushed.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn spill(&mut self) -> Result<()> {
        let order = self.order;
        let mut held = std::mem::take(&mut self.held);
        self.weight = 0;
        held.sort_unstable_by(|one, other| order.compare(one, other));
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(self.scratch.file()?),
        };
        let before = self.last.take();
        let follows = match (&before, held.first()) {
            (Some(before), Some(first)) => order.compare(before, first) != Ordering::Greater,
            _ => false,
        };
        self.last = held.last().cloned().map(Event::alone);
        let (from, to, count) = run(file, held.into_iter().map(Ok))?;
        match self.runs.last_mut().filter(|last| follows && last.1 == from) {
            // What comes in order makes one run, however long it is.
            Some(last) => (last.1, last.2) = (to, last.2 + count),
            None => self.runs.push((from, to, count)),
        }
        Ok(())
    }

    /// All that were pushed, in order.
    ///
    /// # Errors
    /// As [`Sorter::push`].
    pub fn finish(mut self) -> Result<Sorted> {
        let order = self.order;
        if self.file.is_none() {
            self.held.sort_unstable_by(|one, other| order.compare(one, other));
            return Ok(Sorted { order, runs: vec![self.held.into()], count: self.count });
        }
        if !self.held.is_empty() {
            self.spill()?;
        }
        let Some(mut file) = self.file.take() else {
            return Ok(Sorted { order, runs: Vec::new(), count: 0 });
        };
        file.flush()?;
        let (mut file, mut runs) = (Arc::new(file), self.runs);
        while runs.len() > FAN_IN {
            let mut next = self.scratch.file()?;
            let mut merged = Vec::new();
            for some in runs.chunks(FAN_IN) {
                let sorted = sorted(order, &file, some);
                merged.push(run(&mut next, sorted.iter())?);
            }
            next.flush()?;
            (file, runs) = (Arc::new(next), merged);
        }
        Ok(sorted(order, &file, &runs))
    }
}

fn sorted(order: Order, file: &Arc<SpillFile>, runs: &[(u64, u64, u64)]) -> Sorted {
    let count = runs.iter().map(|(_, _, count)| count).sum();
    let part = |(from, to, count): &(u64, u64, u64)| Events::within(Arc::clone(file), (*from, *to), *count);
    Sorted { order, runs: runs.iter().map(part).collect(), count }
}

/// Writes a run; gives its place.
fn run(file: &mut SpillFile, events: impl Iterator<Item = Result<Event>>) -> Result<(u64, u64, u64)> {
    let (from, mut count) = (file.len(), 0);
    for event in events {
        append(file, &event?)?;
        count += 1;
    }
    Ok((from, file.len(), count))
}

/// Events in order; given out as often as asked for.
#[derive(Clone, Debug)]
pub struct Sorted {
    order: Order,
    runs: Vec<Events>,
    count: u64,
}

impl Sorted {
    /// Sequences that are in this order already, to be merged.
    pub fn of(order: Order, runs: Vec<Events>) -> Self {
        let count = runs.iter().map(Events::len).fold(0, u64::saturating_add);
        Self { order, runs, count }
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All of them as one sequence; if they have to be merged for it, at most `share` bytes of it are in memory.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: they cannot be read or spilled.
    pub fn into_events(self, scratch: &Scratch, share: u64) -> Result<Events> {
        if let [only] = self.runs.as_slice() {
            return Ok(only.clone());
        }
        let mut writer = EventsWriter::new(scratch, share);
        self.iter().try_for_each(|event| writer.push(event?))?;
        writer.finish()
    }

    /// All of them as one sequence if they are one already.
    pub fn as_events(&self) -> Option<&Events> {
        match self.runs.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The events in order.
    ///
    /// # Errors
    /// Each item may be one of [`crate::error::Kind::Storage`], after which nothing follows.
    pub fn iter(&self) -> SortedIter {
        let block = (READ_AHEAD / self.runs.len().max(1)).clamp(16 << 10, 256 << 10);
        let runs = self.runs.iter().map(|run| run.iter_by(block)).collect();
        SortedIter { order: self.order, runs, heads: BinaryHeap::new(), started: false, failed: false }
    }
}

/// See [`Sorted::iter`].
#[derive(Debug)]
pub struct SortedIter {
    order: Order,
    runs: Vec<EventsIter>,
    heads: BinaryHeap<Reverse<Head>>,
    started: bool,
    failed: bool,
}

/// The next event of a run.
#[derive(Debug)]
struct Head {
    order: Order,
    event: Event,
    run: usize,
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order.compare(&self.event, &other.event).then(self.run.cmp(&other.run))
    }
}

impl SortedIter {
    fn advance(&mut self, run: usize) -> Result<()> {
        if let Some(event) = self.runs.get_mut(run).and_then(Iterator::next) {
            self.heads.push(Reverse(Head { order: self.order, event: event?, run }));
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Option<Event>> {
        // A single run needs no comparing.
        if let [only] = self.runs.as_mut_slice() {
            return only.next().transpose();
        }
        if !self.started {
            self.started = true;
            (0..self.runs.len()).try_for_each(|run| self.advance(run))?;
        }
        let Some(Reverse(head)) = self.heads.pop() else { return Ok(None) };
        self.advance(head.run)?;
        Ok(Some(head.event))
    }
}

impl Iterator for SortedIter {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.step().transpose();
        self.failed = matches!(next, Some(Err(_)));
        next
    }
}

#[cfg(test)]
mod tests;
