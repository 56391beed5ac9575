//! Rust source as text, without what is not code.
//!
//! What lives here: taking comments, strings and items under `#[cfg(test)]` out of a source text; line numbers stay.
//! What this file must not know: which module may import what.

/// The text with comments and the insides of strings and character literals replaced by spaces.
///
/// Doc comments go too: an example in a comment imports nothing.
pub(crate) fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => block_comment_end(bytes, at),
            b'"' => string_end(bytes, at),
            b'r' if !follows_name(bytes, at) => match raw_string_end(bytes, at) {
                Some(end) => end,
                None => at,
            },
            b'\'' => char_end(bytes, at).unwrap_or(at),
            _ => at,
        };
        if end == at {
            at += 1;
            continue;
        }
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    // Only whole literals and comments were replaced, so what is left is still UTF-8.
    String::from_utf8(out).expect("blanking keeps UTF-8")
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length)
}

fn block_comment_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'/', Some(b'*')) => (depth, at) = (depth + 1, at + 2),
            (b'*', Some(b'/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(bytes.len())
}

fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while end < bytes.len() {
        match bytes[end] {
            b'\\' => end += 2,
            b'"' => return end + 1,
            _ => end += 1,
        }
    }
    bytes.len()
}

/// `r"…"`, `r#"…"#`; `br` and `cr` work too, as their first letter is left alone. `None` for `r#name` and `r`.
fn raw_string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let hashes = bytes[at + 1..].iter().take_while(|byte| **byte == b'#').count();
    let quote = at + 1 + hashes;
    if bytes.get(quote) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let length = bytes[quote + 1..].windows(close.len()).position(|window| window == close)?;
    Some(quote + 1 + length + close.len())
}

fn follows_name(bytes: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| bytes[before]) else { return false };
    let literal_prefix =
        matches!(before, b'b' | b'c') && !at.checked_sub(2).is_some_and(|two| is_name(bytes[two]));
    is_name(before) && !literal_prefix
}

/// The end of a character literal, or `None` for a lifetime.
fn char_end(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at + 1) == Some(&b'\\') {
        let close = bytes.get(at + 3..)?.iter().position(|byte| *byte == b'\'')?;
        return Some(at + 3 + close + 1);
    }
    let first = *bytes.get(at + 1)?;
    let width = match first {
        0..=0x7f => 1,
        0x80..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    (bytes.get(at + 1 + width) == Some(&b'\'')).then_some(at + 2 + width)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Code without items under `#[cfg(test)]`, and the names of the modules that were declared there in files.
///
/// Takes what [`code`] gives. An item ends at its closing brace, or at a semicolon before any brace.
pub(crate) fn without_tests(code: &str) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let mut out = code.as_bytes().to_vec();
    let mut modules = Vec::new();
    let mut from = 0;
    while let Some(found) = code[from..].find(MARK) {
        let start = from + found;
        let item = after_attributes(code, start + MARK.len());
        let end = item_end(code, item);
        let mut words = code[item..end].split([' ', '\n', ';', '{']).filter(|word| !word.is_empty());
        if words.any(|word| word == "mod")
            && code[..end].ends_with(';')
            && let Some(name) = words.next()
        {
            modules.push(name.to_owned());
        }
        for byte in &mut out[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        from = end;
    }
    (String::from_utf8(out).expect("blanking keeps UTF-8"), modules)
}

fn after_attributes(code: &str, mut at: usize) -> usize {
    loop {
        at += code[at..].len() - code[at..].trim_start().len();
        if !code[at..].starts_with("#[") {
            return at;
        }
        at = balanced_end(code, at + 1, b'[', b']');
    }
}

fn item_end(code: &str, at: usize) -> usize {
    let is_use = ["use ", "pub use ", "pub(crate) use "].iter().any(|head| code[at..].starts_with(head));
    let Some(length) = code[at..].find(|letter| letter == ';' || (letter == '{' && !is_use)) else {
        return code.len();
    };
    let end = at + length;
    if code.as_bytes()[end] == b';' { end + 1 } else { balanced_end(code, end, b'{', b'}') }
}

fn balanced_end(code: &str, at: usize, open: u8, close: u8) -> usize {
    let mut depth = 0;
    for (offset, byte) in code.as_bytes()[at..].iter().enumerate() {
        if *byte == open {
            depth += 1;
        } else if *byte == close {
            depth -= 1;
            if depth == 0 {
                return at + offset + 1;
            }
        }
    }
    code.len()
}

#[test]
fn comments_and_strings_are_no_code() {
    let text = r####"
//! use crate::api;
/* use crate::api; /* nested */ use crate::store; */
const A: &str = "use crate::api; \" use crate::api;";
const B: &str = r##"use crate::api; "# "##; const C: &[u8] = br"crate::api\";
fn f<'a>(x: &'a str) -> char { if x == "\\" { '"' } else { '\'' } }
use crate::model; // crate::api
"####;
    let code = code(text);
    assert!(!code.contains("api") && !code.contains("store"), "{code}");
    assert!(code.contains("use crate::model;") && code.contains("fn f<'a>"), "{code}");
    assert_eq!(code.lines().count(), text.lines().count());
    assert!(!self::code("const D: char = '“'; // crate::api").contains("api"));
    assert!(self::code("use r#type::x; for_r\"\"; crate::api").contains("crate::api"));
}

#[test]
fn items_under_cfg_test_are_not_production_code() {
    let text = "use crate::a;\n#[cfg(test)]\n#[allow(x)]\nmod tests;\n#[cfg(test)]\nmod inner { fn f() { crate::b } }\n\
                #[cfg(test)]\nuse crate::{b, c::{d}};\nuse crate::e;\n";
    let (code, modules) = without_tests(text);
    assert_eq!(modules, ["tests"]);
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["use", "crate::a;", "use", "crate::e;"]);
}
