//! Sets of events by identity.
//!
//! What lives here: [`Collection`], which keeps each id once, and [`agree`], which notices when one id comes with two
//! contents. What this file must not know: pages, counts.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use crate::error::{Error, Kind, Result};
use crate::model::json::{Value, same};
use crate::model::{Event, EventId, Flaw};

/// Distinct events, in the order in which their ids came first.
#[derive(Clone, Debug, Default)]
pub(super) struct Collection {
    /// Each with its id's number.
    events: Vec<(u64, Event)>,
    /// By number, the first event that has it.
    places: HashMap<u64, usize, BuildHasherDefault<Straight>>,
    /// Events whose number another id has, which hardly ever happens.
    others: HashMap<EventId, usize>,
}

/// Numbers that are as good as random are looked up by themselves.
#[derive(Clone, Copy, Debug, Default)]
struct Straight(u64);

impl Hasher for Straight {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |number, byte| number.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Events that room is made for, at most: a count may be a lie.
const MOST_ROOM: u64 = 10_000;

impl Collection {
    /// None yet, with room for so many.
    pub(super) fn expecting(events: u64) -> Self {
        let room = usize::try_from(events.min(MOST_ROOM)).unwrap_or(0);
        let places = HashMap::with_capacity_and_hasher(room, BuildHasherDefault::default());
        Self { events: Vec::with_capacity(room), places, others: HashMap::new() }
    }

    /// Adds an event. The same id with the same content counts once, whatever its spelling as JSON.
    ///
    /// # Errors
    /// `Contradiction` when the id is known with another content.
    pub(super) fn add(&mut self, event: Event) -> Result<()> {
        self.add_numbered(event.id.fingerprint(), event)
    }

    /// The same where the id's number is known. Events of one id have one number.
    fn add_numbered(&mut self, number: u64, event: Event) -> Result<()> {
        let next = self.events.len();
        let place = match self.places.entry(number) {
            Entry::Vacant(place) => *place.insert(next),
            Entry::Occupied(place) => {
                let place = *place.get();
                let same = self.events.get(place).is_some_and(|(_, known)| known.id == event.id);
                if same { place } else { *self.others.entry(event.id.clone()).or_insert(next) }
            }
        };
        match self.events.get_mut(place) {
            Some((_, known)) => agree(known, event),
            None => {
                self.events.push((number, event));
                Ok(())
            }
        }
    }

    /// Adds every event of another collection.
    ///
    /// # Errors
    /// As [`Collection::add`].
    pub(super) fn merge(&mut self, other: Self) -> Result<()> {
        other.events.into_iter().try_for_each(|(number, event)| self.add_numbered(number, event))
    }

    /// Number of distinct ids.
    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.events.len()).unwrap_or(u64::MAX)
    }

    /// Number of ids that both hold.
    pub(super) fn common(&self, other: &Self) -> u64 {
        let both = self.events.iter().filter(|(number, event)| other.has(*number, &event.id)).count();
        u64::try_from(both).unwrap_or(u64::MAX)
    }

    fn has(&self, number: u64, id: &EventId) -> bool {
        let first = self.places.get(&number).and_then(|place| self.events.get(*place));
        first.is_some_and(|(_, known)| known.id == *id) || self.others.contains_key(id)
    }

    /// The events.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().map(|(_, event)| event)
    }

    /// The events.
    pub(super) fn into_events(self) -> impl ExactSizeIterator<Item = Event> {
        self.events.into_iter().map(|(_, event)| event)
    }

    /// The events, each with its id's [`EventId::fingerprint`].
    pub(super) fn into_numbered(self) -> Vec<(u64, Event)> {
        self.events
    }
}

/// Leaves the one of two events of one id that stays.
///
/// # Errors
/// `Contradiction` when they have two contents.
pub(super) fn agree(known: &mut Event, event: Event) -> Result<()> {
    if known.text == event.text {
        return Ok(());
    }
    match (known.flaw, event.flaw) {
        // Bytes that are not UTF-8 in one reply and are in another were broken on the way.
        (Some(Flaw::NotUtf8), None) => *known = event,
        (None, Some(Flaw::NotUtf8)) => {}
        // Two spellings of one content: the smaller one stays, so that the order of replies decides nothing.
        _ if same_content(known, &event) => {
            if event.text < known.text {
                *known = event;
            }
        }
        _ => {
            return Err(Error::new(Kind::Contradiction, "the API gave one id with two different contents")
                .at("id", event.id.as_str().escape_debug())
                .hint("run again: if it stays, an event was changed after the fact; report it to Vonage"));
        }
    }
    Ok(())
}

/// Whether two texts of one id mean the same, leaving out `_links`: the documentation shows the same event with
/// `http://` and `https://` links. The order of members does not count; a server may keep them in a hash map.
fn same_content(one: &Event, other: &Event) -> bool {
    match (without_links(one), without_links(other)) {
        (Some(one), Some(other)) => same(&one, &other),
        _ => false,
    }
}

fn without_links(event: &Event) -> Option<String> {
    let value = Value::parse(std::str::from_utf8(&event.text).ok()?).ok()?;
    let mut text = String::from("{");
    for (key, value) in value.members().filter(|(key, _)| !key.is("_links")) {
        if text.len() > 1 {
            text.push(',');
        }
        text.push('"');
        text.push_str(key.raw());
        text.push_str("\":");
        text.push_str(value.text());
    }
    text.push('}');
    Some(text)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn event(text: &'static str) -> Event {
        Event {
            id: EventId::new("a"),
            created_at: None,
            text: Bytes::from_static(text.as_bytes()),
            flaw: None,
        }
    }

    #[test]
    fn one_id_has_one_content_whatever_its_spelling() {
        let first = r#"{"id":"a","context":{"x":1,"y":[2]},"_links":{"self":{"href":"http://h/a"}}}"#;
        for same in [
            r#"{"context":{"y":[2],"x":1},"id":"a"}"#,
            r#"{"id":"\u0061","context":{ "x":1, "y":[2]},"_links":{"self":{"href":"https://h/a"}}}"#,
        ] {
            for order in [[first, same], [same, first]] {
                let mut collection = Collection::default();
                order.into_iter().try_for_each(|text| collection.add(event(text))).unwrap();
                assert_eq!(collection.len(), 1);
                // The order of replies decides nothing.
                assert_eq!(collection.iter().next().unwrap().text, first.min(same).as_bytes());
            }
        }
        for other in
            [r#"{"id":"a","context":{"x":1.0,"y":[2]}}"#, r#"{"id":"a","context":{"x":1,"y":[2]},"z":null}"#]
        {
            let mut collection = Collection::default();
            collection.add(event(first)).unwrap();
            assert_eq!(collection.add(event(other)).unwrap_err().kind(), Kind::Contradiction);
        }
    }

    proptest! {
        #[test]
        fn ids_are_told_apart_whatever_their_numbers(
            one in prop::collection::vec(0..30_u8, 0..40),
            other in prop::collection::vec(0..30_u8, 0..40),
            numbers in 1..7_u64,
        ) {
            // Many ids have one number.
            let collected = |ids: &[u8]| {
                let mut collection = Collection::expecting(5);
                for id in ids {
                    let event = Event { id: EventId::new(&id.to_string()), ..event("{}") };
                    collection.add_numbered(u64::from(*id) % numbers, event).unwrap();
                }
                collection
            };
            let distinct = |ids: &[u8]| {
                let mut seen = std::collections::HashSet::new();
                ids.iter().filter(|id| seen.insert(**id)).map(u8::to_string).collect::<Vec<_>>()
            };
            let (mut left, right) = (collected(&one), collected(&other));
            let ids = |collection: &Collection| {
                collection.iter().map(|event| event.id.as_str().to_owned()).collect::<Vec<_>>()
            };
            prop_assert_eq!(ids(&left), distinct(&one));
            let common = distinct(&one).into_iter().filter(|id| distinct(&other).contains(id)).count();
            prop_assert_eq!((left.common(&right), right.common(&left)), (common as u64, common as u64));
            left.merge(right).unwrap();
            prop_assert_eq!(ids(&left), distinct(&[one, other].concat()));
        }
    }
}
