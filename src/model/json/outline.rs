//! Where the members of an event stand, noted while its grammar is checked, so that nobody has to look for them again.
//!
//! What lives here: [`Outline`] and the way through it. It is kept small: a text with more members than anybody
//! meant is walked instead. What this file must not know: the grammar, what the values mean.

use std::num::NonZeroU64;

use super::lexical::value_end;
use super::scan::{Notes, Scanner};
use super::shapes::{self, Tape, Taped};
use super::{Kind, MAX_DEPTH, SyntaxError, Text, Value};

mod noted;

pub use noted::Noted;

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
    /// Whether a key or a string has an escape.
    escaped: bool,
    /// What was read last.
    root: Option<Root>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Root {
    /// Bytes of the whole text.
    pub(super) length: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kind: Kind,
    pub(super) depth: u32,
    pub(super) plain: bool,
    pub(super) compact: bool,
    /// The number of its shape; 0 for none.
    pub(super) shape: u64,
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
    /// The number of the whole text's shape, if these are all of its members; 0 otherwise.
    shape: u64,
}

impl Outline {
    /// Validates a whole text as one JSON value, as [`Value::parse`] does, and notes its members.
    ///
    /// # Errors
    /// As [`Value::parse`].
    pub fn read<'a>(&'a mut self, text: &'a str) -> Result<Value<'a>, SyntaxError> {
        self.clear(text);
        let root = match shapes::follow(text, self) {
            Some(root) => root,
            None => {
                self.clear(text);
                self.scan(text)?
            }
        };
        self.root = Some(root);
        Ok(self.whole(text, root, root.part(text)))
    }

    /// The same for the value with which a text begins, at its first byte, whatever stands behind it; gives the text of that
    /// value.
    ///
    /// # Errors
    /// As [`Value::parse`] for the text up to where the value ends, or the whole text if it does not.
    pub fn read_first<'a>(&mut self, text: &'a str) -> Result<&'a str, SyntaxError> {
        self.clear(text);
        if let Some(root) = shapes::follow_first(text, self)
            && let Some(own) = text.get(..root.length)
        {
            self.root = Some(root);
            return Ok(own);
        }
        // Past the end of a value stands a byte of ASCII or nothing.
        let own = text.get(..value_end(text.as_bytes(), 0)).unwrap_or(text);
        self.clear(own);
        self.root = Some(self.scan(own)?);
        Ok(own)
    }

    fn clear(&mut self, text: &str) {
        self.members.clear();
        self.open.clear();
        self.due = None;
        self.beyond = u32::try_from(text.len()).is_err();
        self.escaped = false;
        self.root = None;
    }

    fn scan(&mut self, text: &str) -> Result<Root, SyntaxError> {
        let mut notes = Taped { outline: self, tape: Tape::default() };
        let mut scanner = Scanner::new(text);
        scanner.white_space();
        let from = scanner.at();
        let Value { kind, depth, plain, text: own, .. } = scanner.value(&mut notes)?;
        scanner.white_space();
        scanner.end()?;
        let tape = notes.tape;
        let compact = !scanner.is_spaced();
        let to = from + own.len();
        self.escaped |= kind == Kind::String && !plain;
        let mut root = Root { length: text.len(), from, to, kind, depth, plain, compact, shape: 0 };
        if !self.beyond {
            root.shape = shapes::learn(text, &root, &tape);
        }
        Ok(root)
    }

    /// The value of the text that was read last without error, which this must be; `None` if none was.
    pub fn value<'a>(&'a self, text: &'a str) -> Option<Value<'a>> {
        let root = self.root.filter(|root| root.length == text.len())?;
        Some(self.whole(text, root, text.get(root.from..root.to)?))
    }

    fn whole<'a>(&'a self, whole: &'a str, root: Root, text: &'a str) -> Value<'a> {
        let Root { kind, depth, plain, compact, shape, .. } = root;
        let inside = (!self.beyond).then_some(Inside { whole, members: &self.members, shape });
        Value { text, kind, depth, plain, compact, inside }
    }

    /// Whether a key or a string of the text that was read last is spelled with an escape.
    pub fn is_escaped(&self) -> bool {
        self.escaped
    }

    /// The number of the shape of the text that was read last without error: whatever has the same number has the same
    /// keys at the same places, with values of the same types, integers told from other numbers. Few texts of a kind have
    /// none.
    pub fn shape(&self) -> Option<NonZeroU64> {
        self.root.and_then(|root| NonZeroU64::new(root.shape))
    }

    /// Notes a key with its value, which is neither object nor array.
    #[inline]
    pub(super) fn pair(
        &mut self,
        key: (usize, usize),
        plain_key: bool,
        value: (usize, usize),
        kind: Kind,
        plain: bool,
    ) {
        self.escaped |= !(plain_key && plain);
        self.members.push(Member {
            key: (position(key.0), position(key.1)),
            value: (position(value.0), position(value.1)),
            inside: 0,
            depth: 0,
            kind,
            plain_key,
            plain_value: plain,
        });
    }

    /// Notes a value that is an element.
    #[inline]
    pub(super) fn element(&mut self, plain: bool) {
        self.escaped |= !plain;
    }

    /// Notes a key and where its value begins, an object or array.
    #[inline]
    pub(super) fn begin(&mut self, key: (usize, usize), plain_key: bool, from: usize, kind: Kind) {
        self.pair(key, plain_key, (from, from), kind, true);
        if let Some(member) = self.members.last_mut() {
            member.plain_value = false;
        }
    }

    /// Notes where the value of a member ends, how deep it is and how many members are in it.
    #[inline]
    pub(super) fn end(&mut self, member: usize, to: usize, depth: u32, inside: u32) {
        if let Some(member) = self.members.get_mut(member) {
            member.value.1 = position(to);
            member.depth = depth;
            member.inside = inside;
        }
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
        self.escaped |= !plain;
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
        self.escaped |= !plain;
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
            inside: Some(Inside { whole: self.whole, members: inside, shape: 0 }),
        };
        Some((key, value))
    }
}

impl Root {
    fn part<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.from..self.to).unwrap_or_default()
    }
}

/// Nothing is cut off: texts beyond 32 bits are not outlined.
#[inline]
fn position(at: usize) -> u32 {
    at as u32
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

    /// Longer than one piece of what is known of shapes.
    const LONG: &str = "\"éééééééééé éééééééééé éééééééééé éééééééééé\"";

    fn leaf() -> impl Strategy<Value = String> {
        prop::sample::select(vec![
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
        .prop_map(str::to_owned)
    }

    fn json() -> impl Strategy<Value = String> {
        leaf().prop_recursive(5, 60, 6, |inner| {
            let key = prop::sample::select(vec![LONG, "\"a\"", "\"b\" ", "\"\\u0061\"", "\"\"", " \"c\""]);
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
        fn a_text_of_known_shape_is_read_as_any_other(
            text in json(),
            values in prop::collection::vec(leaf(), 1..8),
            cut in any::<prop::sample::Index>(),
            byte in prop::sample::select(b"{}[]\",:a1 \\.-e0n\x01\x7f".to_vec()),
        ) {
            let mut outline = Outline::default();
            let mut texts = vec![text.clone(), text.clone()];
            // Other scalars in the same places, and any other byte anywhere.
            let mut others = values.iter().cycle();
            let parts: Vec<_> = text.split("null").collect();
            let mixed = parts.iter().enumerate().map(|(at, part)| {
                if at == 0 { (*part).to_owned() } else { format!("{}{part}", others.next().unwrap()) }
            });
            let mixed: String = mixed.collect();
            texts.extend([mixed.clone(), mixed]);
            let at = cut.index(text.len());
            let (mut changed, mut longer) = (text.clone().into_bytes(), text.clone().into_bytes());
            changed[at] = byte;
            longer.insert(at, byte);
            let shorter = text.as_bytes()[..at].to_vec();
            texts.extend([changed, longer, shorter].into_iter().filter_map(|bytes| String::from_utf8(bytes).ok()));
            texts.push(text);
            for text in &texts {
                let right = Value::parse(text).map(seen);
                prop_assert_eq!(outline.read(text).map(seen), right.clone());
                let escapes = text.contains('\\');
                prop_assert!(right.is_err() || outline.is_escaped() == escapes);
                let (shape, again) = (outline.shape(), outline.read(text).map(seen));
                prop_assert_eq!(again, right);
                prop_assert_eq!(outline.shape(), shape);
            }
        }

        #[test]
        fn the_first_value_is_read_as_if_nothing_stood_behind_it(
            texts in prop::collection::vec((json(), "[\\]{},:\" a1é]{0,3}"), 1..6),
        ) {
            let (mut outline, mut alone) = (Outline::default(), Outline::default());
            for (text, behind) in texts.iter().chain(&texts) {
                let text = text.trim();
                let both = format!("{text}{behind}");
                // What stands behind a number may be more of it.
                let own = both.get(..value_end(both.as_bytes(), 0)).unwrap();
                let first = outline.read_first(&both);
                prop_assert_eq!(first, Value::parse(own).map(|_| own));
                if first.is_ok() {
                    prop_assert_eq!(seen(outline.value(own).unwrap()), seen(alone.read(own).unwrap()));
                    prop_assert_eq!(outline.is_escaped(), alone.is_escaped());
                    // Keys and types decide it, and white space around.
                    prop_assert_eq!(outline.shape().is_some(), alone.shape().is_some());
                }
            }
        }

        #[test]
        fn what_is_refused_is_refused_alike(text in "[\\[\\]{}\",:a1 \\\\]{0,12}") {
            let mut outline = Outline::default();
            prop_assert_eq!(outline.read(&text).err(), Value::parse(&text).err());
        }
    }

    #[test]
    fn one_shape_is_one_set_of_keys_and_types() {
        let mut outline = Outline::default();
        let mut shape = |text: &str| {
            outline.read(text).unwrap();
            outline.shape()
        };
        let known = shape(r#"{"a":{"b":1,"c":"x"},"d":[true,null]}"#);
        assert!(known.is_some());
        for text in
            [r#"{"a":{"b":-20,"c":"\"é"},"d":[false,null]}"#, r#"{"a":{"b":0,"c":""},"d":[true,null]}"#]
        {
            assert_eq!(shape(text), known, "{text}");
        }
        for text in [
            r#"{"a":{"b":1.0,"c":"x"},"d":[true,null]}"#,
            r#"{"a":{"b":-0,"c":"x"},"d":[true,null]}"#,
            r#"{"a":{"b":1,"c":null},"d":[true,null]}"#,
            r#"{"a":{"b":1,"c":"x"},"d":[true,null,1]}"#,
            r#"{"a":{"b":1,"c":"x"},"d":[true,null]} "#,
            r#"{"a":{"b":1,"e":"x"},"d":[true,null]}"#,
            r#"{"a":{"b":1},"c":"x","d":[true,null]}"#,
        ] {
            assert_ne!(shape(text), known, "{text}");
            assert!(shape(text).is_some(), "{text}");
        }
        assert_eq!(shape("1"), None);
        // Two pieces between two scalars, and more than what is kept.
        let long = |length: usize| format!(r#"{{"{}":[[{{"z":1,"y":{{}}}}]]}}"#, "é".repeat(length));
        assert!(shape(&long(30)).is_some_and(|known| shape(&long(30)) == Some(known)));
        assert_ne!(shape(&long(30)), shape(&long(31)));
        assert_eq!(shape(&long(300)), None);
    }

    #[test]
    fn members_by_number_are_those_by_name() {
        let text = r#"{"a":{"b":1,"c":"x\\"},"d":[{"e":"y"}],"f":{}}"#;
        let mut outline = Outline::default();
        outline.read(text).unwrap();
        let value = outline.read(text).unwrap();
        let noted = value.noted().unwrap();
        let keys: Vec<_> = (0..noted.len()).map(|at| noted.key(at).unwrap().raw()).collect();
        assert_eq!(keys, ["a", "b", "c", "d", "e", "f"]);
        assert_eq!([0, 3, 4].map(|at| noted.inside(at)), [2, 1, 0]);
        assert_eq!((noted.text(1), noted.plain_string(2), noted.plain_string(4)), ("1", None, Some("y")));
        let value = value.member("a").unwrap();
        assert_eq!(seen(noted.value(0).unwrap()), seen(value));
        assert!(
            value.noted().is_none()
                && noted.value(9).is_none()
                && Value::parse(text).unwrap().noted().is_none()
        );
    }

    #[test]
    fn what_never_comes_again_does_not_fill_the_memory() {
        let mut outline = Outline::default();
        for number in 0..20_000 {
            let text = format!(r#"{{"a":1,"b{}":{{"k{number}":"x","z":2}}}}"#, number % 100);
            let seen_now = seen(outline.read(&text).unwrap());
            assert_eq!(seen_now, seen(Value::parse(&text).unwrap()));
        }
        let frozen = outline.read(r#"{"a":1,"new":2}"#).map(|_| ());
        assert_eq!((frozen, outline.shape()), (Ok(()), None));
        // What is of use is forgotten in time, so that something else can be learned.
        for _ in 0..5_000 {
            outline.read(r#"{"a":1,"b0":{"k0":"y","z":3}}"#).unwrap();
        }
        outline.read(r#"{"a":1,"new":2}"#).unwrap();
        assert!(outline.shape().is_some());
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
