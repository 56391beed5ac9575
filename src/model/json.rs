//! JSON as raw text: validated slices and a way to walk them.
//!
//! What lives here: [`Value`], a slice of one JSON value exactly as received, and iteration over its members and
//! elements. Nothing is converted: number lexemes, escapes, duplicate keys and key order stay, since evidence must
//! come back value for value. No recursion, so that nesting costs memory in bits and never the stack.
//! What this module must not know: events, columns, pages.
//!
//! Grammar: RFC 8259, strictly; lone surrogates in escapes are accepted as text (and refused by [`Text::decode`]).

use std::borrow::Cow;
use std::fmt;

mod lexical;
mod outline;
mod same;
mod scan;
mod shapes;
mod walk;

pub use lexical::{string_end, value_end, white_space_end};

use outline::Inside;
pub use outline::{Noted, Outline};
pub use same::same;
use scan::Scanner;
use walk::Walk;

/// Deepest nesting of an event that still becomes a row; the event itself is depth 1.
pub const MAX_DEPTH: u32 = 64;

/// The JSON types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// a number
    Number,
    /// a string
    String,
    /// an array
    Array,
    /// an object
    Object,
}

impl Kind {
    /// The type's name in JSON Schema.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// The text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Byte offset of the first byte that does not belong.
    pub offset: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "not JSON: expected {} at byte {}", self.expected, self.offset)
    }
}

impl std::error::Error for SyntaxError {}

/// One valid JSON value: its text without surrounding white space. Equal are values of one text.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    text: &'a str,
    kind: Kind,
    depth: u32,
    /// Whether it is known to be no string with escapes.
    plain: bool,
    /// Whether it is known to hold no white space but in strings.
    compact: bool,
    /// Its members, where they were noted.
    inside: Option<Inside<'a>>,
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Value<'_> {}

impl<'a> Value<'a> {
    /// Validates a whole text as one JSON value.
    pub fn parse(text: &'a str) -> Result<Self, SyntaxError> {
        let mut scanner = Scanner::new(text);
        scanner.white_space();
        let value = scanner.value(&mut ())?;
        scanner.white_space();
        scanner.end()?;
        Ok(value)
    }

    /// The value's text, exactly as received.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Its type.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its nesting: 0 for a scalar, 1 for `{}` and `[]`, one more for each level inside.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// The members of an object in order, duplicates included; none for another type.
    #[inline]
    pub fn members(&self) -> Members<'a> {
        Members(match self.inside {
            Some(noted) if self.kind == Kind::Object => Way::Noted(noted),
            _ => Way::Walk(self.walk(Kind::Object)),
        })
    }

    /// All its members at any depth, if it is the whole of a text of known shape.
    #[inline]
    pub fn noted(&self) -> Option<Noted<'a>> {
        Noted::new(self.inside?)
    }

    /// The elements of an array in order; none for another type.
    pub fn elements(&self) -> Elements<'a> {
        Elements { walk: self.walk(Kind::Array) }
    }

    /// The last member of this name: what most readers of JSON take when a key occurs twice.
    pub fn member(&self, name: &str) -> Option<Value<'a>> {
        self.members().filter(|(key, _)| key.is(name)).last().map(|(_, value)| value)
    }

    /// The value as a string, if it is one.
    pub fn as_text(&self) -> Option<Text<'a>> {
        if self.kind != Kind::String {
            return None;
        }
        let inner = self.text.get(1..self.text.len().checked_sub(1)?)?;
        Some(Text { inner, plain: self.plain })
    }

    /// The value as an unsigned integer, if its lexeme is digits that fit.
    pub fn as_u64(&self) -> Option<u64> {
        if self.kind != Kind::Number || self.text.starts_with(['-', '+']) {
            return None;
        }
        self.text.parse().ok()
    }

    /// Whether it is a number without fraction and exponent; `-0` is none.
    pub fn is_integer(&self) -> bool {
        self.kind == Kind::Number && shapes::is_whole(self.text)
    }

    fn walk(&self, kind: Kind) -> Option<Walk<'a>> {
        (self.kind == kind).then(|| Walk::into(self.text))
    }
}

/// A string's or key's text between its quotes, escapes not yet resolved. Equal are those that are spelled alike.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    inner: &'a str,
    /// Whether it is known to hold no escape.
    plain: bool,
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Text<'_> {}

impl<'a> Text<'a> {
    /// The text as it stands between the quotes.
    pub fn raw(&self) -> &'a str {
        self.inner
    }

    /// Whether what it means is spelled without escapes.
    #[inline]
    pub fn is_plain(&self) -> bool {
        // Of what ends a plain part, a string of valid JSON holds none before its first escape.
        self.plain || lexical::plain_end(self.inner.as_bytes(), 0) == self.inner.len()
    }

    /// The string that is meant. `None` if it holds a lone surrogate, which no Unicode text can.
    #[inline]
    pub fn decode(&self) -> Option<Cow<'a, str>> {
        if self.is_plain() {
            return Some(Cow::Borrowed(self.inner));
        }
        scan::unescape(self.inner).map(Cow::Owned)
    }

    /// Whether the string that is meant is `name`.
    #[inline]
    pub fn is(&self, name: &str) -> bool {
        self.inner == name || (!self.is_plain() && self.decode().is_some_and(|text| text == name))
    }
}

/// Members of an object.
#[derive(Clone, Debug)]
pub struct Members<'a>(Way<'a>);

#[derive(Clone, Debug)]
enum Way<'a> {
    Noted(Inside<'a>),
    Walk(Option<Walk<'a>>),
}

impl<'a> Iterator for Members<'a> {
    type Item = (Text<'a>, Value<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Way::Noted(inside) => inside.step(),
            Way::Walk(walk) => walk.as_mut()?.member(),
        }
    }
}

/// Elements of an array.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    walk: Option<Walk<'a>>,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.walk.as_mut()?.element()
    }
}

/// Appends a value's text without its insignificant white space: on one line, and otherwise letter for letter. Number
/// texts, escapes, repeated keys and the order of members stay.
pub fn push_compact(out: &mut String, value: &Value<'_>) {
    if value.compact {
        return out.push_str(value.text());
    }
    let (text, bytes) = (value.text(), value.text().as_bytes());
    // What was not copied yet begins at `from`; both ends of it stand beside ASCII bytes.
    let (mut from, mut at) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at).unwrap_or(bytes.len()),
            b' ' | b'\t' | b'\n' | b'\r' => {
                out.push_str(text.get(from..at).unwrap_or_default());
                at = white_space_end(bytes, at);
                from = at;
            }
            _ => at += 1,
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

/// Appends `text` to `out` as a JSON string with quotes, escaping only what must be escaped.
pub fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    // What must be escaped is ASCII, so that both parts are text.
    while let Some((plain, tail)) =
        rest.split_at_checked(lexical::plain_end(rest.as_bytes(), 0)).filter(|(_, tail)| !tail.is_empty())
    {
        out.push_str(plain);
        let mut letters = tail.chars();
        match letters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(other) => out.push_str(&format!("\\u{:04x}", u32::from(other))),
            None => {}
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests;
