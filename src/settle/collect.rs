//! Sets of events by identity.
//!
//! What lives here: [`Collection`], which keeps each id once, and [`agree`], which notices when one id comes with two
//! contents. What this file must not know: pages, counts.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::error::{Error, Kind, Result};
use crate::model::json::{Value, same};
use crate::model::{Event, EventId, Flaw};

/// Distinct events, in the order in which their ids came first.
#[derive(Clone, Debug, Default)]
pub(super) struct Collection {
    events: Vec<Event>,
    places: HashMap<EventId, usize>,
}

/// Events that room is made for, at most: a count may be a lie.
const MOST_ROOM: u64 = 10_000;

impl Collection {
    /// None yet, with room for so many.
    pub(super) fn expecting(events: u64) -> Self {
        let room = usize::try_from(events.min(MOST_ROOM)).unwrap_or(0);
        Self { events: Vec::with_capacity(room), places: HashMap::with_capacity(room) }
    }

    /// Adds an event. The same id with the same content counts once, whatever its spelling as JSON.
    ///
    /// # Errors
    /// `Contradiction` when the id is known with another content.
    pub(super) fn add(&mut self, event: Event) -> Result<()> {
        match self.places.entry(event.id.clone()) {
            Entry::Vacant(place) => {
                place.insert(self.events.len());
                self.events.push(event);
                Ok(())
            }
            Entry::Occupied(place) => match self.events.get_mut(*place.get()) {
                Some(known) => agree(known, event),
                None => Err(Error::bug("an event is not where it was noted")),
            },
        }
    }

    /// Adds every event of another collection.
    ///
    /// # Errors
    /// As [`Collection::add`].
    pub(super) fn merge(&mut self, other: Self) -> Result<()> {
        other.events.into_iter().try_for_each(|event| self.add(event))
    }

    /// Number of distinct ids.
    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.events.len()).unwrap_or(u64::MAX)
    }

    /// Number of ids that both hold.
    pub(super) fn common(&self, other: &Self) -> u64 {
        let both = self.places.keys().filter(|id| other.places.contains_key(*id)).count();
        u64::try_from(both).unwrap_or(u64::MAX)
    }

    /// The events.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Event> {
        self.events.iter()
    }

    /// The events.
    pub(super) fn into_events(self) -> Vec<Event> {
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
}
