//! Secrets out of an event's text, before anything else is made of it.
//!
//! What lives here: [`redact`]. Values of secret-bearing keys and private keys in strings are replaced in the raw
//! text; every other byte stays as it was received. Strings that hold JSON themselves are looked into. What this file
//! must not know: which keys and blocks count (`model::sensitive`), columns, files.

use std::borrow::Cow;
use std::cell::Cell;
use std::num::NonZeroU64;
use std::ops::Range;

use crate::model::json::{Outline, Value, push_string, string_end, value_end, white_space_end};
use crate::model::sensitive::{PRIVATE_KEY, REDACTED, is_secret_key, may_hold_secret, private_keys};

/// How deep JSON within strings within JSON is looked into.
const MAX_LEVELS: u32 = 4;

/// The event's text without its secrets; borrowed if it holds none.
///
/// The text is one JSON value, or such a value with bytes that are not UTF-8, and stays one. A value under a
/// secret-bearing key becomes `"[REDACTED]"`, an object or array as a whole; `null` stays, since it holds nothing.
pub fn redact(text: &[u8]) -> Cow<'_, [u8]> {
    let readable = std::str::from_utf8(text);
    let no_strings = readable.is_ok_and(|text| !text.contains('\\') && !may_hold_key(text));
    let mut edits = Vec::new();
    find(text, !no_strings, 0, &mut edits);
    if edits.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(apply(text, edits)) }
}

/// The same for a text that the outline has read last.
pub fn redact_read<'a>(text: &'a str, outline: &Outline) -> Cow<'a, [u8]> {
    // Without an escape every key is spelled as it is meant, and no string holds JSON with a string in it.
    let clean = !outline.is_escaped() && !may_hold_key(text) && has_harmless_keys(text, outline);
    if clean { Cow::Borrowed(text.as_bytes()) } else { redact(text.as_bytes()) }
}

/// Shapes of which a thread remembers that no key of theirs bears a secret.
const REMEMBERED: usize = 256;

thread_local! {
    /// By the number of a shape, which never stands for another one.
    static HARMLESS: [Cell<u64>; REMEMBERED] = const { [const { Cell::new(0) }; REMEMBERED] };
}

/// Whether no key bears a secret; false if not all are known.
fn has_harmless_keys(text: &str, outline: &Outline) -> bool {
    let look =
        || outline.keys(text).is_some_and(|mut keys| keys.all(|key| !is_secret_key(key.raw().as_bytes())));
    let Some(shape) = outline.shape().map(NonZeroU64::get) else { return look() };
    let remembered = |slots: &[Cell<u64>; REMEMBERED]| {
        let slot = slots.get(usize::try_from(shape % REMEMBERED as u64).unwrap_or(0));
        let known = slot.is_some_and(|slot| slot.get() == shape);
        let harmless = known || look();
        if let Some(slot) = slot.filter(|_| harmless) {
            slot.set(shape);
        }
        harmless
    };
    HARMLESS.try_with(remembered).unwrap_or_else(|_| look())
}

/// The same for a text that may not be JSON. Then it has no keys to go by: if anything in it sounds like a secret, all
/// of it is replaced.
pub fn redact_foreign(text: &[u8]) -> Cow<'_, [u8]> {
    if Value::parse(&String::from_utf8_lossy(text)).is_ok() || !may_hold_secret(text) {
        return redact(text);
    }
    let mut whole = String::new();
    push_string(&mut whole, REDACTED);
    Cow::Owned(whole.into_bytes())
}

/// One place of a text that is to be replaced.
struct Edit {
    range: Range<usize>,
    with: Cow<'static, str>,
}

fn apply(text: &[u8], mut edits: Vec<Edit>) -> Vec<u8> {
    edits.sort_by_key(|edit| (edit.range.start, std::cmp::Reverse(edit.range.end)));
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    for Edit { range, with } in edits {
        // One that begins within another is a part of it.
        if range.start >= at {
            out.extend_from_slice(text.get(at..range.start).unwrap_or_default());
            out.extend_from_slice(with.as_bytes());
        }
        at = at.max(range.end);
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    out
}

/// Finds what is to be replaced: one pass from string to string. `strings`: whether their contents can matter.
fn find(text: &[u8], strings: bool, level: u32, edits: &mut Vec<Edit>) {
    let mut at = 0;
    while let Some(from) = next_quote(text, at) {
        let end = string_end(text, from);
        let inner = from + 1..end.map_or(text.len(), |end| end - 1);
        at = end.unwrap_or(text.len());
        let after = white_space_end(text, at);
        let is_key = text.get(after) == Some(&b':');
        if is_key && is_secret(text.get(inner.clone()).unwrap_or_default()) {
            let start = white_space_end(text, after + 1);
            at = value_end(text, start);
            let value = text.get(start..at).unwrap_or_default();
            if !value.is_empty() && value != b"null" && !is_redacted(value) {
                edits.push(Edit { range: start..at, with: Cow::Owned(format!("\"{REDACTED}\"")) });
            }
        } else if strings {
            within(text, inner, level, edits);
        }
    }
}

/// Whether a private key may be in a text without escapes: the words are looked for where a `K` stands, which is rare.
fn may_hold_key(text: &str) -> bool {
    let label = PRIVATE_KEY.as_bytes();
    memchr::memchr_iter(b'K', text.as_bytes()).any(|at| {
        let start = at.checked_sub(label.len() - "KEY".len());
        start.and_then(|start| text.as_bytes().get(start..)).is_some_and(|rest| rest.starts_with(label))
    })
}

fn next_quote(text: &[u8], from: usize) -> Option<usize> {
    memchr::memchr(b'"', text.get(from..)?).map(|at| at + from)
}

fn is_secret(key: &[u8]) -> bool {
    is_secret_key(key) || (key.contains(&b'\\') && is_secret_key(&Plain::of(key).bytes))
}

fn is_redacted(value: &[u8]) -> bool {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")) == Some(REDACTED.as_bytes())
}

/// What is to be replaced within one string, whose text between its quotes stands at `inner`.
fn within(text: &[u8], inner: Range<usize>, level: u32, edits: &mut Vec<Edit>) {
    let raw = text.get(inner.clone()).unwrap_or_default();
    if !raw.contains(&b'\\') {
        let blocks = private_keys(raw).into_iter();
        edits.extend(blocks.map(|block| Edit {
            range: inner.start + block.start..inner.start + block.end,
            with: Cow::Borrowed(REDACTED),
        }));
        return;
    }
    let plain = Plain::of(raw);
    let mut found: Vec<Edit> = private_keys(&plain.bytes)
        .into_iter()
        .map(|range| Edit { range, with: Cow::Borrowed(REDACTED) })
        .collect();
    let first = plain.bytes.get(white_space_end(&plain.bytes, 0));
    if level < MAX_LEVELS && matches!(first, Some(b'{' | b'[' | b'"')) {
        find(&plain.bytes, true, level + 1, &mut found);
    }
    edits.extend(found.into_iter().map(|Edit { range, with }| {
        let place = |at: usize| inner.start + plain.places.get(at).copied().unwrap_or(raw.len());
        Edit { range: place(range.start)..place(range.end), with: escaped(&with) }
    }));
}

/// A replacement as it is spelled within a string.
fn escaped(with: &str) -> Cow<'static, str> {
    let mut quoted = String::new();
    push_string(&mut quoted, with);
    Cow::Owned(
        quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().to_owned(),
    )
}

/// A string with its escapes resolved, as far as ASCII goes: any other character that is spelled as an escape is a
/// `?` here, since no key and no block that counts has one. Unlike a decoder it takes what is broken too, and knows
/// where each byte came from.
struct Plain {
    bytes: Vec<u8>,
    /// For each byte the place of its first byte in the raw text.
    places: Vec<usize>,
}

impl Plain {
    fn of(raw: &[u8]) -> Self {
        let mut plain = Self { bytes: Vec::with_capacity(raw.len()), places: Vec::with_capacity(raw.len()) };
        let mut at = 0;
        while let Some(byte) = raw.get(at) {
            let (meant, length) = if *byte == b'\\' { escape(raw, at) } else { (*byte, 1) };
            plain.bytes.push(meant);
            plain.places.push(at);
            at += length;
        }
        plain
    }
}

/// What an escape means, and its length.
fn escape(raw: &[u8], at: usize) -> (u8, usize) {
    match raw.get(at + 1) {
        Some(b'b') => (8, 2),
        Some(b'f') => (12, 2),
        Some(b'n') => (b'\n', 2),
        Some(b'r') => (b'\r', 2),
        Some(b't') => (b'\t', 2),
        Some(b'u') => {
            let unit = raw
                .get(at + 2..at + 6)
                .and_then(|digits| std::str::from_utf8(digits).ok())
                .and_then(|digits| u32::from_str_radix(digits, 16).ok());
            (unit.and_then(|unit| u8::try_from(unit).ok()).filter(u8::is_ascii).unwrap_or(b'?'), 6)
        }
        Some(other) => (*other, 2),
        None => (b'\\', 1),
    }
}

#[cfg(test)]
mod tests;
