//! One event: identity, place in time and flaw from its bytes.
//!
//! What lives here: [`event`] and the copy in which bytes that are not UTF-8 are masked, so that boundaries can be
//! found. What this file must not know: pages, columns and contexts.

use bytes::Bytes;
use ring::digest::{SHA256, digest};

use crate::model::json::{Kind, MAX_DEPTH, Outline, Value};
use crate::model::sensitive;
use crate::model::{Event, EventId, Flaw, Timestamp};

/// Longest id that is taken as one, in bytes of its text.
const MAX_ID: usize = 256;

/// Reads events one after the other, with memory to work in.
#[derive(Debug, Default)]
pub struct Reader {
    outline: Outline,
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
        read(text, &mut self.outline)
    }
}

/// The same, with an outline of the caller's: it has the members of `text` afterwards if that is valid, UTF-8 and JSON.
pub fn read(text: Bytes, outline: &mut Outline) -> Event {
    let masked;
    let (readable, garbled) = match std::str::from_utf8(&text) {
        Ok(readable) => (readable, false),
        Err(_) => {
            masked = mask(&text);
            (masked.as_str(), true)
        }
    };
    match outline.read(readable) {
        Ok(value) => match within(readable, value.text()).and_then(|range| text.get(range)) {
            Some(trimmed) => build(text.slice_ref(trimmed), value, garbled),
            None => unreadable(text, garbled),
        },
        Err(_) => unreadable(text, garbled),
    }
}

fn unreadable(text: Bytes, garbled: bool) -> Event {
    let flaw = if garbled { Flaw::NotUtf8 } else { Flaw::NotAnObject };
    Event { id: synthetic(&text), created_at: None, text, flaw: Some(flaw) }
}

/// The event whose bytes are `text` and whose value, masked if `garbled`, is `value`.
pub(super) fn build(text: Bytes, value: Value<'_>, garbled: bool) -> Event {
    let (mut ids, mut id) = (0_u32, None);
    let (mut times, mut created_at) = (0_u32, None);
    for (key, member) in value.members() {
        if key.is("id") {
            ids = ids.saturating_add(1);
            id = Some(member);
        } else if key.is("created_at") {
            let at = time(member);
            // A doubled key that says the same twice leaves no doubt about the time.
            created_at = if times == 0 || at == created_at { at } else { None };
            times = times.saturating_add(1);
        }
    }
    let identity = match id {
        None => Err(Flaw::NoId),
        Some(_) if ids > 1 => Err(Flaw::AmbiguousKey),
        Some(id) => identity(id).and_then(|identity| {
            // A masked byte within the id would stand there as a question mark.
            let intact = !garbled || is_intact(&text, value.text(), id.text());
            if intact { Ok(identity) } else { Err(Flaw::UnusableId) }
        }),
    };
    let flaw = if garbled {
        Some(Flaw::NotUtf8)
    } else if value.kind() != Kind::Object {
        Some(Flaw::NotAnObject)
    } else if value.depth() > MAX_DEPTH {
        Some(Flaw::TooDeep)
    } else if ids > 1 || times > 1 {
        Some(Flaw::AmbiguousKey)
    } else {
        identity.as_ref().err().copied()
    };
    Event { id: identity.unwrap_or_else(|_| synthetic(&text)), created_at, text, flaw }
}

fn identity(id: Value<'_>) -> Result<EventId, Flaw> {
    if id.kind() == Kind::Null {
        return Err(Flaw::NoId);
    }
    let text = id.as_text().and_then(|text| text.decode()).ok_or(Flaw::UnusableId)?;
    if text.is_empty() {
        return Err(Flaw::NoId);
    }
    // An id stands in errors, too: one that says a secret is none.
    if text.len() > MAX_ID || text.contains('\0') || sensitive::is_secret(&text) {
        return Err(Flaw::UnusableId);
    }
    Ok(EventId::new(&text))
}

fn time(created_at: Value<'_>) -> Option<Timestamp> {
    let text = created_at.as_text()?.decode()?;
    Timestamp::parse(&text).map(|parsed| parsed.at)
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
