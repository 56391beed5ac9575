//! The envelopes: a page of events, a list of event types, one bare object.
//!
//! What lives here: what makes a reply the documented one. What this file must not know: what is inside an event.

use std::cell::Cell;

use bytes::Bytes;

use super::event::{Memory, build, count_invalid, mask, within};
use crate::error::{Error, Kind, Result};
use crate::model::json::{self, Outline, Value, white_space_end};
use crate::model::{Event, Page};

/// Bytes of an event, about: room is made for so many, and more if there are more.
const USUAL_EVENT: usize = 512;

/// By what factor a page may exceed the size asked for (a server may ignore the size).
const MAX_EXCESS: usize = 10;

thread_local! {
    /// Memory to read with, and what is alike in the events of many pages.
    static WORK: Cell<(Outline, Memory)> = Cell::default();
}

/// An event type and how the API words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventType {
    /// The name, for example `USER_STATUS`.
    pub name: String,
    /// The wording; empty if the API gave none.
    pub description: String,
}

/// The page of these bytes, the answer to a question for `size` events; without the server's time.
///
/// It must be an object with a `page.totalElements` that is an unsigned integer of at most 64 bits. `_embedded` and
/// its `events` may be absent, null or empty, also where the total is not 0: whether that is an end or a contradiction is
/// for whoever counts to judge. `page.number` is
/// passed on and means nothing; `page.size` and all links are not read. The events' texts are slices of
/// `body`. Bytes that are not UTF-8 flaw the event that holds them; outside of events they are an error.
/// Error: malformed.
pub fn page(body: &Bytes, size: u32) -> Result<Page> {
    // An API that ignores the size may answer a question for one event with a page of its own size.
    let most = MAX_EXCESS.saturating_mul(usize::try_from(size.max(100)).unwrap_or(usize::MAX));
    match plain_page(body, most) {
        Some(page) => Ok(page),
        None => any_page(body, most),
    }
}

/// The page, however it is written; what is wrong with it, if it is none.
pub(super) fn any_page(body: &Bytes, most: usize) -> Result<Page> {
    let masked;
    let (text, garbled) = match std::str::from_utf8(body) {
        Ok(text) => (text, false),
        Err(_) => {
            masked = mask(body);
            (masked.as_str(), true)
        }
    };
    let Envelope { total, number, list } = envelope(text)?;
    let (mut events, mut memory) = (Vec::new(), Memory::default());
    let mut invalid = 0_usize;
    for value in list.iter().flat_map(Value::elements) {
        if events.len() == most {
            return Err(malformed(&format!("has more than {most} events, far more than was asked")));
        }
        let raw = within(text, value.text())
            .and_then(|range| body.get(range))
            .ok_or_else(|| Error::bug("an event does not lie in its page"))?;
        let damaged = if garbled { count_invalid(raw) } else { 0 };
        invalid = invalid.saturating_add(damaged);
        events.push(build(body.slice_ref(raw), value, damaged > 0, &mut memory));
    }
    if garbled && invalid != count_invalid(body) {
        return Err(malformed("holds bytes outside of its events that are not UTF-8"));
    }
    Ok(found(total, number, events))
}

/// The same page, if it is one whose list of events is the first thing in it that is called so. An event of a known
/// shape is read once, any other to its end and then by itself, and what is around them without them.
pub(super) fn plain_page(body: &Bytes, most: usize) -> Option<Page> {
    let text = std::str::from_utf8(body).ok()?;
    let bytes = text.as_bytes();
    let open = list_start(text)?;
    let mut events = Vec::with_capacity((body.len() / USUAL_EVENT).min(most));
    let (mut outline, mut memory) = WORK.take();
    let mut at = white_space_end(bytes, open + 1);
    while bytes.get(at) != Some(&b']') || !events.is_empty() {
        let event = outline.read_first(text.get(at..)?).ok()?;
        if events.len() == most {
            return None;
        }
        let value = outline.value(event)?;
        events.push(build(body.slice_ref(event.as_bytes()), value, false, &mut memory));
        at = white_space_end(bytes, at + event.len());
        match bytes.get(at)? {
            b',' => at = white_space_end(bytes, at + 1),
            b']' => break,
            _ => return None,
        }
    }
    WORK.set((outline, memory));
    let around = [text.get(..=open)?, text.get(at..)?].concat();
    let Envelope { total, number, list } = envelope(&around).ok()?;
    // The list stands where the events were, so that all of it together is JSON.
    let place = within(&around, list?.text())?;
    (place == (open..open + 2)).then(|| found(total, number, events))
}

/// Where a list begins behind the first text that looks like its key.
fn list_start(text: &str) -> Option<usize> {
    const KEY: &str = "\"events\"";
    let colon = white_space_end(text.as_bytes(), text.find(KEY)? + KEY.len());
    let open = white_space_end(text.as_bytes(), colon + 1);
    (text.as_bytes().get(colon) == Some(&b':') && text.as_bytes().get(open) == Some(&b'[')).then_some(open)
}

fn found(total: u64, number: Option<u64>, events: Vec<Event>) -> Page {
    Page { total, events, number, server_time: None, attempts: 1, exchange: None }
}

/// What stands around the events.
struct Envelope<'a> {
    total: u64,
    number: Option<u64>,
    list: Option<Value<'a>>,
}

fn envelope(text: &str) -> Result<Envelope<'_>> {
    let envelope = parse(text)?;
    let numbers = only(envelope, "page")?.ok_or_else(|| malformed("has no page"))?;
    let total = only(numbers, "totalElements")?
        .and_then(|total| total.as_u64())
        .ok_or_else(|| malformed("has no page.totalElements that is a count"))?;
    let list = match only(envelope, "_embedded")? {
        Some(embedded) if embedded.kind() != json::Kind::Null => only(embedded, "events")?,
        _ => None,
    };
    let list = list.filter(|list| list.kind() != json::Kind::Null);
    if let Some(list) = list.filter(|list| list.kind() != json::Kind::Array) {
        return Err(malformed(&format!("has events that are no list: {}", list.kind().name())));
    }
    let number = only(numbers, "number").ok().flatten().and_then(|number| number.as_u64());
    Ok(Envelope { total, number, list })
}

/// The event types of these bytes: `{"eventTypes":[{"type":…,"description":…},…]}`. Error: malformed.
pub fn types(body: &[u8]) -> Result<Vec<EventType>> {
    let text = std::str::from_utf8(body).map_err(|error| malformed("is not UTF-8").because(error))?;
    let list = only(parse(text)?, "eventTypes")?
        .filter(|list| list.kind() == json::Kind::Array)
        .ok_or_else(|| malformed("has no list of eventTypes"))?;
    let string = |value: Value<'_>| value.as_text().and_then(|text| text.decode()).map(String::from);
    list.elements()
        .map(|entry| {
            let name = entry
                .member("type")
                .and_then(string)
                .filter(|name| !name.is_empty())
                .ok_or_else(|| malformed("has an event type without a name"))?;
            let description = entry.member("description").and_then(string).unwrap_or_default();
            Ok(EventType { name, description })
        })
        .collect()
}

/// These bytes, white space around them aside, if they are one JSON object, UTF-8 or not. Error: malformed.
pub fn object(body: &Bytes) -> Result<Bytes> {
    let masked = mask(body);
    let value = parse(&masked)?;
    let raw = within(&masked, value.text())
        .and_then(|range| body.get(range))
        .ok_or_else(|| Error::bug("a value does not lie in its text"))?;
    Ok(body.slice_ref(raw))
}

fn parse(text: &str) -> Result<Value<'_>> {
    let value = Value::parse(text).map_err(|error| malformed("is not JSON").because(error))?;
    if value.kind() != json::Kind::Object {
        return Err(malformed(&format!("is not an object but: {}", value.kind().name())));
    }
    Ok(value)
}

/// The only member of this name. A key that occurs twice makes an envelope mean two things.
fn only<'a>(object: Value<'a>, key: &str) -> Result<Option<Value<'a>>> {
    if object.kind() != json::Kind::Object {
        return Err(malformed(&format!("has no object around {key} but: {}", object.kind().name())));
    }
    let mut found = object.members().filter(|(name, _)| name.is(key));
    let first = found.next().map(|(_, value)| value);
    if found.next().is_some() {
        return Err(malformed(&format!("has the key {key} twice")));
    }
    Ok(first)
}

fn malformed(what: &str) -> Error {
    Error::new(Kind::Malformed, format!("the API's reply {what}"))
}
