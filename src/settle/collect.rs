//! Sets of events by identity.
//!
//! What lives here: [`Collection`], which keeps each id once and notices when one id comes with two contents. What
//! this file must not know: pages, counts.

use std::collections::HashMap;

use crate::error::{Error, Kind, Result};
use crate::model::json::Value;
use crate::model::{Event, EventId, Flaw};

/// Distinct events.
#[derive(Clone, Debug, Default)]
pub(super) struct Collection {
    events: HashMap<EventId, Event>,
}

impl Collection {
    /// Adds an event. The same id with the same content counts once, whatever its spelling as JSON.
    ///
    /// # Errors
    /// `Contradiction` when the id is known with another content.
    pub(super) fn add(&mut self, event: Event) -> Result<()> {
        match self.events.get_mut(&event.id) {
            None => {
                self.events.insert(event.id.clone(), event);
            }
            Some(known) if known.text == event.text => {}
            // Bytes that are not UTF-8 in one reply and are in another were broken on the way.
            Some(known) if known.flaw == Some(Flaw::NotUtf8) && event.flaw.is_none() => *known = event,
            Some(known) if known.flaw.is_none() && event.flaw == Some(Flaw::NotUtf8) => {}
            Some(known) if same_content(known, &event) => {
                // Two spellings of one content: the smaller one stays, so that the order of replies decides nothing.
                if event.text < known.text {
                    *known = event;
                }
            }
            Some(_) => {
                return Err(Error::new(
                    Kind::Contradiction,
                    "the API gave one id with two different contents",
                )
                .at("id", event.id.as_str().escape_debug())
                .hint("run again: if it stays, an event was changed after the fact; report it to Vonage"));
            }
        }
        Ok(())
    }

    /// Adds every event of another collection.
    ///
    /// # Errors
    /// As [`Collection::add`].
    pub(super) fn merge(&mut self, other: Self) -> Result<()> {
        other.events.into_values().try_for_each(|event| self.add(event))
    }

    /// Number of distinct ids.
    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.events.len()).unwrap_or(u64::MAX)
    }

    /// Number of ids that both hold.
    pub(super) fn common(&self, other: &Self) -> u64 {
        let both = self.events.keys().filter(|id| other.events.contains_key(*id)).count();
        u64::try_from(both).unwrap_or(u64::MAX)
    }

    /// The events, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Event> {
        self.events.values()
    }

    /// The events, in no order.
    pub(super) fn into_events(self) -> impl Iterator<Item = Event> {
        self.events.into_values()
    }
}

/// Whether two texts of one id mean the same, leaving out `_links`: the documentation shows the same event with
/// `http://` and `https://` links.
fn same_content(one: &Event, other: &Event) -> bool {
    let parse = |event: &Event| {
        let text = std::str::from_utf8(&event.text).ok()?.to_owned();
        Some(text)
    };
    let (Some(one), Some(other)) = (parse(one), parse(other)) else { return false };
    let (Ok(one), Ok(other)) = (Value::parse(&one), Value::parse(&other)) else { return false };
    members(one) == members(other)
}

fn members(value: Value<'_>) -> Vec<(String, &str)> {
    let mut members: Vec<_> = value
        .members()
        .filter(|(key, _)| !key.is("_links"))
        .map(|(key, value)| (key.decode().map_or_else(|| key.raw().to_owned(), Into::into), value.text()))
        .collect();
    members.sort();
    members
}
