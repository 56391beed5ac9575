//! Where the members of an event stand, noted while its grammar is checked, so that nobody has to look for them again.
//!
//! What lives here: [`Outline`] and the way through it. It is kept small: a text with more members than anybody
//! meant is walked instead. What this file must not know: the grammar, what the values mean.

use super::scan::{Notes, Scanner};
use super::{Kind, MAX_DEPTH, SyntaxError, Text, Value};

/// Members that are noted of one text.
const MAX_MEMBERS: usize = 128;

/// The members of all objects of one text, in order. It is memory to work in, too: used again for the next text.
#[derive(Debug, Default)]
pub struct Outline {
    members: Vec<Member>,
    /// The objects and arrays that have not ended.
    open: Vec<Open>,
    /// The member whose value is due.
    due: Option<usize>,
    /// Whether the text has more than is noted.
    beyond: bool,
    /// What was read last.
    root: Option<Root>,
}

#[derive(Clone, Copy, Debug)]
struct Root {
    /// Bytes of the whole text.
    length: usize,
    from: usize,
    to: usize,
    kind: Kind,
    depth: u32,
    plain: bool,
    compact: bool,
}

/// One member. Positions are those of bytes in the whole text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    key: (u32, u32),
    value: (u32, u32),
    /// So many members that follow this one are inside its value.
    inside: u32,
    depth: u32,
    kind: Kind,
    plain_key: bool,
    plain_value: bool,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    member: Option<usize>,
    from: usize,
    kind: Kind,
    /// Depth of the deepest value that has ended inside.
    inside: u32,
}

/// Members of a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inside<'a> {
    whole: &'a str,
    members: &'a [Member],
}

impl Outline {
    /// Validates a whole text as one JSON value, as [`Value::parse`] does, and notes its members.
    ///
    /// # Errors
    /// As [`Value::parse`].
    pub fn read<'a>(&'a mut self, text: &'a str) -> Result<Value<'a>, SyntaxError> {
        self.members.clear();
        self.open.clear();
        self.due = None;
        self.beyond = u32::try_from(text.len()).is_err();
        self.root = None;
        let mut scanner = Scanner::new(text);
        scanner.white_space();
        let from = scanner.at();
        let Value { kind, depth, plain, text: own, .. } = scanner.value(self)?;
        scanner.white_space();
        scanner.end()?;
        let compact = !scanner.is_spaced();
        self.root =
            Some(Root { length: text.len(), from, to: from + own.len(), kind, depth, plain, compact });
        Ok(Value { text: own, kind, depth, plain, compact, inside: self.inside(text) })
    }

    /// The value of the text that was read last without error, which this must be; `None` if none was.
    pub fn value<'a>(&'a self, text: &'a str) -> Option<Value<'a>> {
        let Root { from, to, kind, depth, plain, compact, .. } =
            self.root.filter(|root| root.length == text.len())?;
        Some(Value { text: text.get(from..to)?, kind, depth, plain, compact, inside: self.inside(text) })
    }

    fn inside<'a>(&'a self, whole: &'a str) -> Option<Inside<'a>> {
        (!self.beyond).then_some(Inside { whole, members: &self.members })
    }

    /// Every key of the text that was read last without error, which this must be, at any depth and within arrays, too;
    /// `None` if not all were noted.
    pub fn keys<'a>(&'a self, text: &'a str) -> Option<impl Iterator<Item = Text<'a>>> {
        let key = |member: &Member| Text { inner: part(text, member.key), plain: member.plain_key };
        let read = self.root.is_some_and(|root| root.length == text.len());
        (read && !self.beyond).then(|| self.members.iter().map(key))
    }
}

impl Notes for Outline {
    #[inline]
    fn key(&mut self, from: usize, to: usize, plain: bool) {
        if self.members.len() >= MAX_MEMBERS {
            self.beyond = true;
        }
        if self.beyond {
            return;
        }
        self.due = Some(self.members.len());
        self.members.push(Member {
            key: (position(from), position(to)),
            value: (0, 0),
            inside: 0,
            depth: 0,
            kind: Kind::Null,
            plain_key: plain,
            plain_value: false,
        });
    }

    #[inline]
    fn scalar(&mut self, from: usize, to: usize, kind: Kind, plain: bool) {
        if let Some(member) = self.due.take().and_then(|due| self.members.get_mut(due)) {
            member.value = (position(from), position(to));
            member.kind = kind;
            member.plain_value = plain;
        }
    }

    #[inline]
    fn open(&mut self, from: usize, kind: Kind) {
        if self.open.len() > MAX_DEPTH as usize {
            self.beyond = true;
        }
        if !self.beyond {
            self.open.push(Open { member: self.due.take(), from, kind, inside: 0 });
        }
    }

    #[inline]
    fn close(&mut self, to: usize) {
        if self.beyond {
            return;
        }
        let Some(open) = self.open.pop() else { return };
        let depth = open.inside + 1;
        if let Some(outer) = self.open.last_mut() {
            outer.inside = outer.inside.max(depth);
        }
        let behind = self.members.len();
        if let Some((place, member)) =
            open.member.and_then(|place| self.members.get_mut(place).map(|member| (place, member)))
        {
            member.value = (position(open.from), position(to));
            member.kind = open.kind;
            member.depth = depth;
            member.inside = position(behind - place - 1);
        }
    }
}

impl<'a> Inside<'a> {
    /// The next member; what is inside of it is passed over.
    #[inline]
    pub(super) fn step(&mut self) -> Option<(Text<'a>, Value<'a>)> {
        let (first, rest) = self.members.split_first()?;
        let (inside, rest) = rest.split_at_checked(first.inside as usize)?;
        self.members = rest;
        let key = Text { inner: part(self.whole, first.key), plain: first.plain_key };
        let value = Value {
            text: part(self.whole, first.value),
            kind: first.kind,
            depth: first.depth,
            plain: first.plain_value,
            compact: false,
            inside: Some(Inside { whole: self.whole, members: inside }),
        };
        Some((key, value))
    }
}

/// Texts beyond 32 bits are not outlined.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[inline]
fn part(text: &str, (from, to): (u32, u32)) -> &str {
    text.get(from as usize..to as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::json::push_compact;
    use proptest::prelude::*;

    /// Everything that can be seen of a value, by way of its members and elements.
    fn seen(value: Value<'_>) -> String {
        let mut out = format!("{:?} {} {} ", value.kind(), value.depth(), value.text());
        push_compact(&mut out, &value);
        if let Some(text) = value.as_text() {
            out += &format!(" {:?} {}", text.decode(), text.is_plain());
        }
        for (key, member) in value.members() {
            out += &format!("({} {:?} {} {})", key.raw(), key.decode(), key.is_plain(), seen(member));
        }
        for element in value.elements() {
            out += &format!("[{}]", seen(element));
        }
        out
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec![
            "null",
            "true",
            "-1.5e3",
            "0",
            "\"\"",
            "\"a\\\"b\"",
            "\"é\"",
            " \"x\"",
            "{ }",
            "[ ]",
        ])
        .prop_map(str::to_owned);
        leaf.prop_recursive(5, 60, 6, |inner| {
            let key = prop::sample::select(vec!["\"a\"", "\"b\" ", "\"\\u0061\"", "\"\"", " \"c\""]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6)
                    .prop_map(|items| format!("[{}]", items.join(" ,"))),
                prop::collection::vec((key, inner), 0..6).prop_map(|members| {
                    let members: Vec<_> =
                        members.iter().map(|(key, value)| format!("{key}:{value}")).collect();
                    format!(" {{{}}} ", members.join(", "))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_noted_value_is_the_walked_one(texts in prop::collection::vec(json(), 1..4)) {
            let mut outline = Outline::default();
            for text in &texts {
                let noted = seen(outline.read(text).unwrap());
                prop_assert_eq!(noted, seen(Value::parse(text).unwrap()));
                prop_assert_eq!(seen(outline.value(text).unwrap()), seen(Value::parse(text).unwrap()));
                let keys = outline.keys(text).unwrap().count();
                prop_assert_eq!(keys, text.matches(':').count());
            }
        }

        #[test]
        fn what_is_refused_is_refused_alike(text in "[\\[\\]{}\",:a1 \\\\]{0,12}") {
            let mut outline = Outline::default();
            prop_assert_eq!(outline.read(&text).err(), Value::parse(&text).err());
        }
    }

    #[test]
    fn what_is_too_much_to_note_is_walked() {
        let mut outline = Outline::default();
        let wide = format!("{{{}}}", vec![r#""a":{"b":1}"#; MAX_MEMBERS].join(","));
        let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(1_000_000), "]".repeat(1_000_000));
        for text in [wide, deep, r#"{"a":{"b":[{"c":1}]}}"#.to_owned()] {
            let walked = Value::parse(&text).unwrap();
            let noted = outline.read(&text).unwrap();
            assert_eq!((noted.depth(), noted.members().count()), (walked.depth(), walked.members().count()));
            assert!(noted.members().eq(walked.members()));
        }
        let text = r#"{"a":{"b":[{"c":1}]}}"#;
        assert_eq!(outline.keys(text).unwrap().count(), 3);
        assert!(outline.keys("").is_none() && outline.read("{").is_err() && outline.keys("{").is_none());
        assert!(outline.members.capacity() <= MAX_MEMBERS && outline.open.capacity() <= 128);
    }
}
