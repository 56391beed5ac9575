//! What an event says, as a digest that does not depend on how it is spelled.
//!
//! What lives here: [`event`] and [`text`]. Two texts have one digest if and only if [`crate::model::json::same`] takes
//! them for the same. What this file must not know: columns, formats.

use std::borrow::Cow;

use ring::digest::{Context, SHA256};

use crate::model::json::{Kind, MAX_DEPTH, Text, Value};

/// Built from the API's own address, not from the event.
const LINKS: &str = "_links";

/// Bytes of a digest that are kept: enough that nobody finds two texts of one.
pub(super) type Digest = [u8; 16];

/// An event, its links left out; `None` for a text that is no JSON object or too deep for a row.
pub(super) fn event(text: &str) -> Option<Digest> {
    let value = Value::parse(text).ok()?;
    if value.kind() != Kind::Object || value.depth() > MAX_DEPTH {
        return None;
    }
    let mut digest = Context::new(&SHA256);
    members(value.members().filter(|(key, _)| !key.is(LINKS)).collect(), &mut digest);
    Some(cut(digest))
}

/// Any text: by its meaning if it is JSON of a row's depth, else by its bytes.
pub(super) fn text(text: &str) -> Digest {
    let mut digest = Context::new(&SHA256);
    match Value::parse(text) {
        Ok(json) if json.depth() <= MAX_DEPTH => value(json, &mut digest),
        _ => tagged(b'?', text.as_bytes(), &mut digest),
    }
    cut(digest)
}

pub(super) fn cut(digest: Context) -> Digest {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest.finish().as_ref()).for_each(|(to, from)| *to = *from);
    bytes
}

/// The kind, the length and the bytes, so that no two sequences of values are alike.
fn tagged(tag: u8, bytes: &[u8], digest: &mut Context) {
    digest.update(&[tag]);
    digest.update(&bytes.len().to_le_bytes());
    digest.update(bytes);
}

/// Recursion is bounded by [`MAX_DEPTH`], which the callers have checked.
fn value(json: Value<'_>, digest: &mut Context) {
    match json.kind() {
        Kind::Null | Kind::Boolean | Kind::Number => tagged(b'=', json.text().as_bytes(), digest),
        Kind::String => {
            if let Some(text) = json.as_text() {
                string(text, digest);
            }
        }
        Kind::Array => {
            let elements: Vec<_> = json.elements().collect();
            tagged(b'[', &elements.len().to_le_bytes(), digest);
            elements.into_iter().for_each(|element| value(element, digest));
        }
        Kind::Object => members(json.members().collect(), digest),
    }
}

fn string(text: Text<'_>, digest: &mut Context) {
    match text.decode() {
        Some(meant) => tagged(b'"', meant.as_bytes(), digest),
        None => tagged(b'\\', text.raw().as_bytes(), digest),
    }
}

/// Members by key; the sort is stable, so that a key that occurs twice stays a list whose order counts.
fn members(mut members: Vec<(Text<'_>, Value<'_>)>, digest: &mut Context) {
    members.sort_by_cached_key(|(key, _)| {
        let meant: Option<Cow<'_, str>> = key.decode();
        (meant.is_none(), meant.map_or_else(|| key.raw().to_owned(), Cow::into_owned))
    });
    tagged(b'{', &members.len().to_le_bytes(), digest);
    for (key, member) in members {
        string(key, digest);
        value(member, digest);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::json::same;

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("1".to_owned()),
            Just("1.0".to_owned()),
            Just(r#""\ud800""#.to_owned()),
            Just(r#""a/""#.to_owned()),
            Just(r#""a\/""#.to_owned()),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            let key = prop_oneof![Just("a"), Just("b"), Just("\\u0061"), Just("\\ud800")];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(|all| format!("[{}]", all.join(" , "))),
                prop::collection::vec((key, inner), 0..4).prop_map(|all| {
                    let members: Vec<_> =
                        all.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn one_digest_is_one_meaning(one in json(), other in json()) {
            prop_assert_eq!(text(&one) == text(&other), same(&one, &other), "{} {}", one, other);
            prop_assert!(same(&one, &one) && text(&one) == text(&one));
        }
    }

    #[test]
    fn links_are_not_the_event() {
        assert_eq!(event(r#"{"id":"a","_links":{"x":1}}"#), event(r#"{"id":"\u0061"}"#));
        assert_ne!(event(r#"{"id":"a"}"#), event(r#"{"id":"a","x":null}"#));
        assert_eq!(event("[]"), None);
        assert_eq!(event(&format!(r#"{{"a":{}{}}}"#, "[".repeat(100), "]".repeat(100))), None);
    }
}
