//! Walking through an object or array that the scanner has validated.
//!
//! What lives here: [`Walk`], which steps from item to item by skipping, so that the grammar is checked once and not
//! again at every level. What this file must not know: what the values mean.

use super::lexical::{skip, string_end, white_space_end};
use super::{Text, Value};

/// A place between two items. The text is a whole valid object or array; if it were not, the walk would end early.
#[derive(Clone, Debug)]
pub(super) struct Walk<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Walk<'a> {
    /// Behind the bracket that opens the value.
    pub(super) fn into(text: &'a str) -> Self {
        Self { text, at: 1 }
    }

    /// The next member; `None` at the object's end.
    #[inline]
    pub(super) fn member(&mut self) -> Option<(Text<'a>, Value<'a>)> {
        let bytes = self.text.as_bytes();
        let from = self.item(b'}')?;
        let end = string_end(bytes, from)?;
        let key = Text { inner: self.text.get(from + 1..end - 1)?, plain: false };
        // Between key and value stand one colon and white space.
        let colon = white_space_end(bytes, end);
        let value = self.value(white_space_end(bytes, colon + 1))?;
        Some((key, value))
    }

    /// The next element; `None` at the array's end.
    #[inline]
    pub(super) fn element(&mut self) -> Option<Value<'a>> {
        let from = self.item(b']')?;
        self.value(from)
    }

    /// Where the next item begins; at the end it stays there.
    fn item(&mut self, close: u8) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let at = white_space_end(bytes, self.at);
        match bytes.get(at)? {
            b',' => Some(white_space_end(bytes, at + 1)),
            other if *other == close => None,
            _ => Some(at),
        }
    }

    fn value(&mut self, from: usize) -> Option<Value<'a>> {
        let (end, kind, depth) = skip(self.text.as_bytes(), from)?;
        self.at = end;
        Some(Value {
            text: self.text.get(from..end)?,
            kind,
            depth,
            plain: false,
            compact: false,
            inside: None,
        })
    }
}
