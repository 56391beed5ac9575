//! The scanner behind [`super::Value`]: finds where a value ends while it checks the grammar.
//!
//! What lives here: one forward pass over bytes, nesting in a bit stack, and what it tells whoever takes notes on the way.
//! What this file must not know: what the values mean, what becomes of the notes.

use super::{Kind, SyntaxError, Value, lexical};

/// Takes note of what the scanner finds. Positions are those of bytes in the text.
pub(super) trait Notes {
    /// A key stands between these quotes; `plain` if it holds no escape. Its value follows.
    fn key(&mut self, from: usize, to: usize, plain: bool);
    /// A value that is neither object nor array; `plain` if it is no string with escapes.
    fn scalar(&mut self, from: usize, to: usize, kind: Kind, plain: bool);
    /// An object or array begins.
    fn open(&mut self, from: usize, kind: Kind);
    /// The one that began last ends.
    fn close(&mut self, to: usize);
}

/// Nobody takes notes.
impl Notes for () {
    #[inline]
    fn key(&mut self, _: usize, _: usize, _: bool) {}
    #[inline]
    fn scalar(&mut self, _: usize, _: usize, _: Kind, _: bool) {}
    #[inline]
    fn open(&mut self, _: usize, _: Kind) {}
    #[inline]
    fn close(&mut self, _: usize) {}
}

/// A position in a text.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    spaced: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, spaced: false }
    }

    /// In the middle of a text.
    #[inline]
    pub(super) fn from(text: &'a str, at: usize) -> Self {
        Self { text, at, spaced: false }
    }

    #[inline]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn expected<T>(&self, expected: &'static str) -> Result<T, SyntaxError> {
        Err(SyntaxError { offset: self.at, expected })
    }

    pub(super) fn white_space(&mut self) {
        let end = lexical::white_space_end(self.text.as_bytes(), self.at);
        self.spaced |= end != self.at;
        self.at = end;
    }

    /// Whether there was any white space between what belongs to the grammar.
    pub(super) fn is_spaced(&self) -> bool {
        self.spaced
    }

    pub(super) fn end(&self) -> Result<(), SyntaxError> {
        if self.at == self.text.len() { Ok(()) } else { self.expected("the end") }
    }

    fn slice(&self, from: usize, to: usize) -> &'a str {
        // Both ends lie beside ASCII bytes of the grammar, so they are character boundaries.
        self.text.get(from..to).unwrap_or("")
    }

    /// A key with its colon.
    #[inline]
    fn key(&mut self, notes: &mut impl Notes) -> Result<(), SyntaxError> {
        if self.peek() != Some(b'"') {
            return self.expected("a key");
        }
        let from = self.at + 1;
        let plain = self.string()?;
        notes.key(from, self.at - 1, plain);
        self.white_space();
        if self.peek() != Some(b':') {
            return self.expected("a colon");
        }
        self.at += 1;
        Ok(())
    }

    /// One whole value at this position.
    pub(super) fn value(&mut self, notes: &mut impl Notes) -> Result<Value<'a>, SyntaxError> {
        let from = self.at;
        let (kind, depth, plain) = match self.peek() {
            Some(b'{') => (Kind::Object, self.nested(notes)?, false),
            Some(b'[') => (Kind::Array, self.nested(notes)?, false),
            _ => {
                let (kind, plain) = self.scalar()?;
                (kind, 0, plain)
            }
        };
        Ok(Value { text: self.slice(from, self.at), kind, depth, plain, compact: false, inside: None })
    }

    /// An object or array with all that is in it; says how deep it is.
    fn nested(&mut self, notes: &mut impl Notes) -> Result<u32, SyntaxError> {
        let mut open = Nesting::default();
        let mut deepest = 0;
        loop {
            // Here a value is due.
            match self.peek() {
                Some(b'{') => {
                    notes.open(self.at, Kind::Object);
                    self.at += 1;
                    open.push(true);
                    self.white_space();
                    if self.peek() != Some(b'}') {
                        self.key(notes)?;
                        self.white_space();
                        continue;
                    }
                }
                Some(b'[') => {
                    notes.open(self.at, Kind::Array);
                    self.at += 1;
                    open.push(false);
                    self.white_space();
                    if self.peek() != Some(b']') {
                        continue;
                    }
                }
                _ => {
                    let from = self.at;
                    let (kind, plain) = self.scalar()?;
                    notes.scalar(from, self.at, kind, plain);
                }
            }
            deepest = deepest.max(open.depth);
            // Here a value has ended: close what ends with it, or step to the next one.
            loop {
                self.white_space();
                let Some(in_object) = open.top() else { return Ok(deepest) };
                match (self.peek(), in_object) {
                    (Some(b'}'), true) | (Some(b']'), false) => {
                        self.at += 1;
                        open.pop();
                        notes.close(self.at);
                        if open.depth == 0 {
                            return Ok(deepest);
                        }
                    }
                    (Some(b','), _) => {
                        self.at += 1;
                        self.white_space();
                        if in_object {
                            self.key(notes)?;
                            self.white_space();
                        }
                        break;
                    }
                    (_, true) => return self.expected("a comma or the object's end"),
                    (_, false) => return self.expected("a comma or the array's end"),
                }
            }
        }
    }

    /// The type, and whether it is no string with escapes.
    #[inline]
    pub(super) fn scalar(&mut self) -> Result<(Kind, bool), SyntaxError> {
        match self.peek() {
            Some(b'"') => self.string().map(|plain| (Kind::String, plain)),
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| (Kind::Number, true)),
            Some(b't') => self.word("true").map(|()| (Kind::Boolean, true)),
            Some(b'f') => self.word("false").map(|()| (Kind::Boolean, true)),
            Some(b'n') => self.word("null").map(|()| (Kind::Null, true)),
            _ => self.expected("a value"),
        }
    }

    fn word(&mut self, word: &'static str) -> Result<(), SyntaxError> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or(&[]);
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        self.expected(word)
    }

    /// Whether it holds no escape.
    #[inline]
    pub(super) fn string(&mut self) -> Result<bool, SyntaxError> {
        self.at += 1;
        let mut plain = true;
        loop {
            self.at = lexical::plain_end(self.text.as_bytes(), self.at);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(plain);
                }
                Some(b'\\') => {
                    plain = false;
                    self.escape()?;
                }
                Some(_) => return self.expected("no control character"),
                None => return self.expected("the string's end"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), SyntaxError> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return self.expected("a hexadecimal digit");
                    }
                    self.at += 1;
                }
            }
            _ => return self.expected("an escape"),
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return self.expected("a digit");
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), SyntaxError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }
}

/// Open brackets as bits, so that ten million of them cost about a megabyte.
#[derive(Default)]
struct Nesting {
    bits: Vec<u64>,
    depth: u32,
}

impl Nesting {
    fn push(&mut self, is_object: bool) {
        let (word, bit) = (self.depth / 64, self.depth % 64);
        if usize::try_from(word).is_ok_and(|word| word == self.bits.len()) {
            self.bits.push(0);
        }
        if let Some(last) = self.bits.last_mut() {
            *last = (*last & !(1 << bit)) | (u64::from(is_object) << bit);
        }
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth.is_multiple_of(64) {
            self.bits.pop();
        }
    }

    fn top(&self) -> Option<bool> {
        let bit = self.depth.checked_sub(1)? % 64;
        self.bits.last().map(|word| word >> bit & 1 == 1)
    }
}

/// Resolves the escapes of a validated string; `None` for a lone surrogate.
pub(super) fn unescape(inner: &str) -> Option<String> {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, tail)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut letters = tail.chars();
        let letter = match letters.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let (unit, after) = code_unit(letters.as_str())?;
                letters = after.chars();
                match unit {
                    0xd800..=0xdbff => {
                        let (low, after) = code_unit(after.strip_prefix("\\u")?)?;
                        letters = after.chars();
                        let low = low.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                        char::from_u32(0x10000 + ((unit - 0xd800) << 10) + low)?
                    }
                    _ => char::from_u32(unit)?,
                }
            }
            other => other,
        };
        out.push(letter);
        rest = letters.as_str();
    }
    out.push_str(rest);
    Some(out)
}

fn code_unit(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}
