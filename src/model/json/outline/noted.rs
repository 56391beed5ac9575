//! The members of a text of known shape, by their numbers.
//!
//! What lives here: [`Noted`]. What this file must not know: how members were found.

use std::num::NonZeroU64;
use std::ops::Range;

use super::{Inside, Member, part};
use crate::model::json::{Kind, Text, Value};

/// Every member of a text, by its number in the order of the text: what is inside a member follows it. Each has the
/// place that its number has in every other text of this shape.
#[derive(Clone, Copy, Debug)]
pub struct Noted<'a> {
    whole: &'a str,
    members: &'a [Member],
    shape: NonZeroU64,
}

impl<'a> Noted<'a> {
    pub(in crate::model::json) fn new(inside: Inside<'a>) -> Option<Self> {
        let Inside { whole, members, shape } = inside;
        Some(Self { whole, members, shape: NonZeroU64::new(shape)? })
    }

    /// The number of the shape, as [`super::Outline::shape`] has it.
    pub fn shape(&self) -> NonZeroU64 {
        self.shape
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// So many members that follow this one are inside its value.
    pub fn inside(&self, number: usize) -> usize {
        self.members.get(number).map_or(0, |member| member.inside as usize)
    }

    /// The key of a member.
    pub fn key(&self, number: usize) -> Option<Text<'a>> {
        let member = self.members.get(number)?;
        Some(Text { inner: part(self.whole, member.key), plain: member.plain_key })
    }

    /// The value of a member.
    #[inline]
    pub fn value(&self, number: usize) -> Option<Value<'a>> {
        let member = self.members.get(number)?;
        let inside = self.members.get(number + 1..number + 1 + member.inside as usize)?;
        Some(Value {
            text: part(self.whole, member.value),
            kind: member.kind,
            depth: member.depth,
            plain: member.plain_value,
            compact: false,
            inside: Some(Inside { whole: self.whole, members: inside, shape: 0 }),
        })
    }

    /// The text of a member's value.
    #[inline]
    pub fn text(&self, number: usize) -> &'a str {
        self.members.get(number).map_or("", |member| part(self.whole, member.value))
    }

    /// What a member means that is a string without escapes.
    #[inline]
    pub fn plain_string(&self, number: usize) -> Option<&'a str> {
        self.whole.get(self.members.get(number)?.plain_string()?)
    }

    /// The same as bytes: to be compared.
    #[inline]
    pub fn plain_bytes(&self, number: usize) -> Option<&'a [u8]> {
        self.whole.as_bytes().get(self.members.get(number)?.plain_string()?)
    }
}

impl Member {
    /// Where it stands, if it is a string without escapes. The quotes are left out.
    #[inline]
    fn plain_string(&self) -> Option<Range<usize>> {
        let (from, to) = self.value;
        let plain = self.kind == Kind::String && self.plain_value;
        plain.then(|| from as usize + 1..(to as usize).saturating_sub(1))
    }
}
