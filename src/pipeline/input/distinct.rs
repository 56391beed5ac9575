//! Each event once.
//!
//! What lives here: [`Distinct`], which tells repetitions from other contents of an id: at once while everything fits
//! into memory, else when all are there, sorted by id. What this file must not know: lines, windows.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::error::{Error, Result};
use crate::flatten::same;
use crate::model::json::{Value, push_compact};
use crate::model::{Event, EventId};
use crate::spool::{Order, Scratch, Sorter};

/// Contents of one id, at most: each new one is compared with all of them.
const MAX_CONTENTS: usize = 1_000;

/// What an event takes beside its text while it is held: its entry, its id, and its place among the sorted ones.
const OVERHEAD: u64 = 384;

/// The contents of one id; one, if all is well.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) first: Event,
    pub(super) others: Vec<Event>,
}

impl IntoIterator for Contents {
    type Item = Event;
    type IntoIter = std::iter::Chain<std::iter::Once<Event>, std::vec::IntoIter<Event>>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::once(self.first).chain(self.others)
    }
}

impl Contents {
    fn of(first: Event) -> Self {
        Self { first, others: Vec::new() }
    }

    /// Takes an event of the same id; gives whether it says again what another one has said, and how many more bytes
    /// are held.
    fn add(&mut self, event: Event) -> Result<(bool, u64)> {
        let mut all = std::iter::once(&mut self.first).chain(&mut self.others);
        if let Some(other) = all.find(|other| says_the_same(other, &event)) {
            let more = length(&event.text).saturating_sub(length(&other.text));
            // Of several spellings the smallest stays, so that the order of lines decides nothing.
            let smaller = event.text < other.text;
            if smaller {
                *other = event;
            }
            return Ok((true, if smaller { more } else { 0 }));
        }
        if self.others.len() + 1 >= MAX_CONTENTS {
            return Err(Error::usage("one id has more contents than the limit")
                .at("id", event.id.as_str().escape_debug())
                .at("limit", MAX_CONTENTS)
                .hint("nothing was written; these are not audit events"));
        }
        let more = weight(&event);
        self.others.push(event);
        Ok((false, more))
    }
}

/// Takes events in any order.
#[derive(Debug)]
pub(super) struct Distinct {
    scratch: Scratch,
    share: u64,
    held: HashMap<EventId, Contents>,
    weight: u64,
    /// Where all events are once they are too many.
    beyond: Option<Sorter>,
    repeated: u64,
}

impl Distinct {
    /// Nothing yet; at most `share` bytes in memory.
    pub(super) fn new(scratch: &Scratch, share: u64) -> Self {
        Self { scratch: scratch.clone(), share, held: HashMap::new(), weight: 0, beyond: None, repeated: 0 }
    }

    /// Bytes that are held.
    pub(super) fn weight(&self) -> u64 {
        self.weight
    }

    /// Takes one more.
    ///
    /// # Errors
    /// Usage: its id has too many contents. Storage: it cannot be spilled.
    pub(super) fn push(&mut self, event: Event) -> Result<()> {
        if let Some(sorter) = &mut self.beyond {
            return sorter.push(event);
        }
        let more = match self.held.entry(event.id.clone()) {
            Entry::Vacant(place) => {
                let more = weight(&event);
                place.insert(Contents::of(event));
                more
            }
            Entry::Occupied(mut known) => {
                let (again, more) = known.get_mut().add(event)?;
                self.repeated += u64::from(again);
                more
            }
        };
        self.weight = self.weight.saturating_add(more);
        if self.weight > self.share { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<()> {
        let mut sorter = Sorter::new(&self.scratch, self.share, Order::Id);
        let held = std::mem::take(&mut self.held).into_values().flatten();
        held.into_iter().try_for_each(|event| sorter.push(event))?;
        self.beyond = Some(sorter);
        Ok(())
    }

    /// Hands out the contents of each id, the ids in no order; gives how many events said again what another one had
    /// said.
    ///
    /// # Errors
    /// As [`Distinct::push`]; what `take` gives.
    pub(super) fn each(self, mut take: impl FnMut(Contents) -> Result<()>) -> Result<u64> {
        let mut repeated = self.repeated;
        let Some(sorter) = self.beyond else {
            self.held.into_values().try_for_each(take)?;
            return Ok(repeated);
        };
        let mut current: Option<Contents> = None;
        for event in sorter.finish()?.iter() {
            let event = event?.alone();
            match &mut current {
                Some(contents) if contents.first.id == event.id => {
                    repeated += u64::from(contents.add(event)?.0);
                }
                _ => {
                    if let Some(contents) = current.replace(Contents::of(event)) {
                        take(contents)?;
                    }
                }
            }
        }
        current.map_or(Ok(()), take)?;
        Ok(repeated)
    }
}

/// Memory that an event takes, about.
fn weight(event: &Event) -> u64 {
    length(&event.text).saturating_add(OVERHEAD)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Whether two events of one id are one: as JSON, the API's own link left out. What is not JSON is compared as bytes.
pub(in crate::pipeline) fn says_the_same(one: &Event, other: &Event) -> bool {
    if one.text == other.text {
        return true;
    }
    match (without_links(one), without_links(other)) {
        (Some(one), Some(other)) => same(&one, &other),
        _ => false,
    }
}

fn without_links(event: &Event) -> Option<String> {
    if event.flaw.is_some() {
        return None;
    }
    let mut out = "{".to_owned();
    for (key, value) in Value::parse(std::str::from_utf8(&event.text).ok()?).ok()?.members() {
        if key.is("_links") {
            continue;
        }
        if out.len() > 1 {
            out.push(',');
        }
        out.push('"');
        out.push_str(key.raw());
        out.push_str("\":");
        push_compact(&mut out, &value);
    }
    out.push('}');
    Some(out)
}
