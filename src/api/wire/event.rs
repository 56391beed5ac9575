//! One event: identity, place in time and flaw from its bytes.
//!
//! What lives here: [`event`], [`Reader`], which remembers what is alike in many, and the copy in which bytes that are not UTF-8
//! are masked, so that boundaries can be found. What this file must not know: pages, columns and contexts.

use std::borrow::Cow;

use bytes::Bytes;
use ring::digest::{SHA256, digest};

use super::places::Places;
use crate::model::json::{Kind, MAX_DEPTH, Outline, Value};
use crate::model::sensitive;
use crate::model::{Day, Event, EventId, Flaw, Timestamp};

/// Longest id that is taken as one, in bytes of its text.
const MAX_ID: usize = 256;

/// Reads events one after the other, with memory to work in.
#[derive(Debug, Default)]
pub struct Reader {
    outline: Outline,
    memory: Memory,
}

/// What is remembered from one event to the next. It decides nothing.
#[derive(Debug, Default)]
pub(super) struct Memory {
    places: Places,
    day: Day,
}

/// An event without a flaw, as its text says it.
#[derive(Debug)]
pub struct Sound<'a> {
    /// Its identity.
    pub id: Cow<'a, str>,
    /// Its time, if it can be read.
    pub created_at: Option<Timestamp>,
}

/// The event of these bytes, by a [`Reader`] of its own.
pub fn event(text: Bytes) -> Event {
    Reader::default().event(text)
}

impl Reader {
    /// The event of these bytes: one JSON value, white space around it aside. Bytes that are not JSON at all are an event
    /// too, with the flaw [`Flaw::NotAnObject`], so that nothing is lost.
    ///
    /// An event without a usable id gets `sha256:` and the digest of its bytes in lower-case hex. When several flaws
    /// apply, the first of these is named: bytes, type, nesting, doubled key, missing id, unusable id.
    pub fn event(&mut self, text: Bytes) -> Event {
        let masked;
        let (readable, garbled) = match std::str::from_utf8(&text) {
            Ok(readable) => (readable, false),
            Err(_) => {
                masked = mask(&text);
                (masked.as_str(), true)
            }
        };
        match self.outline.read(readable) {
            Ok(value) => match within(readable, value.text()).and_then(|range| text.get(range)) {
                Some(trimmed) => build(text.slice_ref(trimmed), value, garbled, &mut self.memory),
                None => unreadable(text, garbled),
            },
            Err(_) => unreadable(text, garbled),
        }
    }

    /// The same without making it one, for the text of an event without a flaw; `None` for any other. The outline, which is
    /// the caller's, has its members afterwards.
    pub fn sound<'a>(&mut self, text: &'a str, outline: &mut Outline) -> Option<Sound<'a>> {
        let value = outline.read(text).ok()?;
        let Said { identity, created_at, flaw } = said(value, &mut self.memory);
        let id = match identity.ok().filter(|_| flaw.is_none())? {
            Cow::Borrowed(id) => Cow::Borrowed(text.get(within(text, id)?)?),
            Cow::Owned(id) => Cow::Owned(id),
        };
        Some(Sound { id, created_at })
    }
}

fn unreadable(text: Bytes, garbled: bool) -> Event {
    let flaw = if garbled { Flaw::NotUtf8 } else { Flaw::NotAnObject };
    Event { id: synthetic(&text), created_at: None, text, flaw: Some(flaw) }
}

/// The event whose bytes are `text` and whose value, masked if `garbled`, is `value`.
pub(super) fn build(text: Bytes, value: Value<'_>, garbled: bool, memory: &mut Memory) -> Event {
    let Said { mut identity, created_at, mut flaw } = said(value, memory);
    if garbled {
        // A masked byte within the id would stand there as a question mark.
        let intact = |id: &Value<'_>| is_intact(&text, value.text(), id.text());
        if value.member("id").is_some_and(|id| !intact(&id)) {
            identity = identity.and(Err(Flaw::UnusableId));
        }
        flaw = Some(Flaw::NotUtf8);
    }
    let id = match identity {
        Ok(id) => EventId::new(&id),
        Err(_) => synthetic(&text),
    };
    Event { id, created_at, text, flaw }
}

/// What an event says of itself.
struct Said<'a> {
    identity: Result<Cow<'a, str>, Flaw>,
    created_at: Option<Timestamp>,
    flaw: Option<Flaw>,
}

fn said<'a>(value: Value<'a>, memory: &mut Memory) -> Said<'a> {
    let Memory { places, day } = memory;
    let Keys { id, ids, created_at, times } = match shaped(value, places, day) {
        Some(keys) => keys,
        None => walked(value, day),
    };
    let identity = match id {
        None => Err(Flaw::NoId),
        Some(_) if ids > 1 => Err(Flaw::AmbiguousKey),
        Some(id) => identity(id),
    };
    let flaw = if value.kind() != Kind::Object {
        Some(Flaw::NotAnObject)
    } else if value.depth() > MAX_DEPTH {
        Some(Flaw::TooDeep)
    } else if ids > 1 || times > 1 {
        Some(Flaw::AmbiguousKey)
    } else {
        identity.as_ref().err().copied()
    };
    Said { identity, created_at, flaw }
}

/// The keys that matter here, and how often each occurs.
struct Keys<'a> {
    id: Option<Value<'a>>,
    ids: u32,
    created_at: Option<Timestamp>,
    times: u32,
}

fn walked<'a>(value: Value<'a>, day: &mut Day) -> Keys<'a> {
    let mut keys = Keys { id: None, ids: 0, created_at: None, times: 0 };
    for (key, member) in value.members() {
        if key.is("id") {
            keys.ids = keys.ids.saturating_add(1);
            keys.id = Some(member);
        } else if key.is("created_at") {
            let at = time(member, day);
            // A doubled key that says the same twice leaves no doubt about the time.
            keys.created_at = if keys.times == 0 || at == keys.created_at { at } else { None };
            keys.times = keys.times.saturating_add(1);
        }
    }
    keys
}

/// The same for an event of known shape, in which neither key occurs twice.
#[inline]
fn shaped<'a>(value: Value<'a>, places: &mut Places, day: &mut Day) -> Option<Keys<'a>> {
    let noted = value.noted()?;
    let place = places.of(&noted)?;
    let id = place.id.and_then(|at| noted.value(at));
    let times = u32::from(place.created_at.is_some());
    let created_at = place.created_at.and_then(|at| time(noted.value(at)?, day));
    Some(Keys { id, ids: u32::from(id.is_some()), created_at, times })
}

fn identity(id: Value<'_>) -> Result<Cow<'_, str>, Flaw> {
    if id.kind() == Kind::Null {
        return Err(Flaw::NoId);
    }
    let text = id.as_text().and_then(|text| text.decode()).ok_or(Flaw::UnusableId)?;
    if text.is_empty() {
        return Err(Flaw::NoId);
    }
    // Without an escape there is no U+0000 in it.
    let has_nul = matches!(&text, Cow::Owned(text) if text.contains('\0'));
    // An id stands in errors, too: one that says a secret is none.
    if text.len() > MAX_ID || has_nul || sensitive::is_secret(&text) {
        return Err(Flaw::UnusableId);
    }
    Ok(text)
}

fn time(created_at: Value<'_>, day: &mut Day) -> Option<Timestamp> {
    let text = created_at.as_text()?.decode()?;
    day.time(&text).or_else(|| Timestamp::parse(&text).map(|parsed| parsed.at))
}

fn is_intact(text: &Bytes, whole: &str, part: &str) -> bool {
    within(whole, part).and_then(|range| text.get(range)).is_some_and(|raw| raw == part.as_bytes())
}

fn synthetic(text: &[u8]) -> EventId {
    let mut id = "sha256:".to_owned();
    for byte in digest(&SHA256, text).as_ref() {
        id.push_str(&format!("{byte:02x}"));
    }
    EventId::new(&id)
}

/// Where `part`, a slice of `whole`, lies in it, in bytes.
pub(super) fn within(whole: &str, part: &str) -> Option<std::ops::Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len()).then_some(start..end)
}

/// The same bytes as text of the same length, a `?` for each byte that is not UTF-8.
pub(super) fn mask(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| '?'));
    }
    out
}

/// How many bytes are not UTF-8.
pub(super) fn count_invalid(bytes: &[u8]) -> usize {
    bytes.utf8_chunks().map(|chunk| chunk.invalid().len()).sum()
}
