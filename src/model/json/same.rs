//! Whether two JSON texts say the same.
//!
//! What lives here: [`same`]. The order of an object's members does not count; strings count by value, numbers by
//! their text, keys that occur twice as ordered lists. What this file must not know: events, columns.

use std::borrow::Cow;

use super::{Kind, MAX_DEPTH, Text, Value};

/// Whether both texts are JSON and say the same. Numbers are equal if their texts are: `1.0`, `1` and `1e0` differ.
/// Strings with a lone surrogate have no value and are equal if their texts are. Texts nested deeper than
/// [`MAX_DEPTH`] are never the same: no row holds one.
pub fn same(left: &str, right: &str) -> bool {
    match (Value::parse(left), Value::parse(right)) {
        (Ok(left), Ok(right)) => {
            left.depth() <= MAX_DEPTH && right.depth() <= MAX_DEPTH && values(&left, &right)
        }
        _ => false,
    }
}

/// Recursion is bounded by [`MAX_DEPTH`], which the caller has checked.
fn values(left: &Value<'_>, right: &Value<'_>) -> bool {
    if left.kind() != right.kind() {
        return false;
    }
    if left.text() == right.text() {
        return true;
    }
    match left.kind() {
        Kind::Null | Kind::Boolean | Kind::Number => false,
        Kind::String => match (left.as_text(), right.as_text()) {
            (Some(left), Some(right)) => meaning(left) == meaning(right),
            _ => false,
        },
        Kind::Array => {
            let (mut left, mut right) = (left.elements(), right.elements());
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return true,
                    (Some(left), Some(right)) if values(&left, &right) => {}
                    _ => return false,
                }
            }
        }
        Kind::Object => objects(left, right),
    }
}

fn objects<'a>(left: &Value<'a>, right: &Value<'a>) -> bool {
    let (mut left, mut right) = (left.members(), right.members());
    // Mostly both have one order, and nothing need be sorted.
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) => {
                if meaning(one.0) != meaning(other.0) {
                    return unordered(std::iter::once(one).chain(left), std::iter::once(other).chain(right));
                }
                // All keys before were alike, so these two are the same occurrence of their key.
                if !values(&one.1, &other.1) {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

fn unordered<'a>(
    left: impl Iterator<Item = (Text<'a>, Value<'a>)>,
    right: impl Iterator<Item = (Text<'a>, Value<'a>)>,
) -> bool {
    let (left, right): (Vec<_>, Vec<_>) = (left.collect(), right.collect());
    if left.len() != right.len() {
        return false;
    }
    if let Some(answer) = one_moved(&left, &right) {
        return answer;
    }
    let (left, right) = (sorted(left.into_iter()), sorted(right.into_iter()));
    left.len() == right.len()
        && left.iter().zip(&right).all(|(one, other)| one.0 == other.0 && values(&one.1, &other.1))
}

/// The answer where one object has the first member of the other at a later place and all others in one order, which is
/// how `_links` travels; `None` where it is not so.
fn one_moved(left: &[(Text<'_>, Value<'_>)], right: &[(Text<'_>, Value<'_>)]) -> Option<bool> {
    let (first, rest) = left.split_first()?;
    let moved = right.iter().position(|member| member.0 == first.0)?;
    let others = right.iter().enumerate().filter(|(at, _)| *at != moved).map(|(_, member)| member);
    let mut keys = rest.iter().zip(others.clone());
    // A key that occurs twice is a list whose order counts: that is left to the sort.
    let doubled = || rest.iter().any(|member| member.0 == first.0 || meaning(member.0) == meaning(first.0));
    if !keys.all(|(one, other)| one.0 == other.0) || doubled() {
        return None;
    }
    let moved = right.get(moved)?;
    Some(values(&first.1, &moved.1) && rest.iter().zip(others).all(|(one, other)| values(&one.1, &other.1)))
}

/// Members by key; the sort is stable, so equal keys keep their order.
fn sorted<'a>(members: impl Iterator<Item = (Text<'a>, Value<'a>)>) -> Vec<(Meaning<'a>, Value<'a>)> {
    let mut members: Vec<_> = members.map(|(key, value)| (meaning(key), value)).collect();
    members.sort_by(|one, other| one.0.cmp(&other.0));
    members
}

/// What a string means: its value, or its raw text where it has none.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Meaning<'a> {
    Value(Cow<'a, str>),
    Raw(&'a str),
}

fn meaning(text: Text<'_>) -> Meaning<'_> {
    text.decode().map_or(Meaning::Raw(text.raw()), Meaning::Value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same() {
        for (left, right) in [
            ("{}", " { } "),
            (r#"{"a":1,"b":[true,null]}"#, r#"{ "b" : [ true, null ], "\u0061":1}"#),
            (r#""a/é""#, r#""a\/\u00e9""#),
            (r#"{"a":1,"b":0,"a":2}"#, r#"{"b":0,"a":1,"a":2}"#),
            (r#"{"l":1,"a":2,"b":3}"#, r#"{"a":2,"b":3,"l":1}"#),
            (r#"{"l":1,"a":2,"\u006c":3}"#, r#"{"a":2,"l":1,"\u006c":3}"#),
            (r#"{"\ud800":"\udc00"}"#, r#"{"\ud800":"\udc00"}"#),
            (r#"{"a":"😀"}"#, r#"{"a":"\ud83d\ude00"}"#),
            (r#"[1E2,-0,1e400]"#, r#"[1E2, -0, 1e400]"#),
        ] {
            assert!(same(left, right) && same(right, left), "{left} {right}");
        }
    }

    #[test]
    fn what_is_not() {
        for (left, right) in [
            ("{}", "[]"),
            ("{}", "null"),
            ("1", "1.0"),
            ("100", "1E2"),
            ("1e2", "1E2"),
            ("0", "-0"),
            ("1", r#""1""#),
            (r#"{"a":null}"#, "{}"),
            (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
            (r#"{"a":1,"a":1}"#, r#"{"a":1}"#),
            (r#"{"a":1,"b":2,"a":3}"#, r#"{"b":2,"a":3,"a":1}"#),
            (r#"{"a":1,"b":2}"#, r#"{"b":2,"c":1}"#),
            (r#"{"l":1,"a":2,"b":3}"#, r#"{"a":2,"b":3,"l":2}"#),
            (r#"{"l":1,"a":2,"b":3}"#, r#"{"a":2,"b":4,"l":1}"#),
            (r#"{"l":1,"a":2,"l":3}"#, r#"{"a":2,"l":3,"l":1}"#),
            (r#"{"l":1,"a":2,"\u006c":3}"#, r#"{"a":2,"\u006c":3,"l":1}"#),
            (r#""\ud800""#, r#""\uD800""#),
            (r#""\\ud800""#, r#""\ud800""#),
            (r#"{"\\ud800":1,"x":2}"#, r#"{"x":2,"\ud800":1}"#),
            ("[1,2]", "[2,1]"),
            ("[1]", "[1,1]"),
            ("1 1", "1 1"),
            ("", ""),
        ] {
            assert!(!same(left, right) && !same(right, left), "{left} {right}");
        }
    }

    #[test]
    fn depth_is_bounded_and_never_costs_the_stack() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(same(&nested(64), &nested(64).replace("[]", "[ ]")));
        assert!(!same(&nested(65), &nested(65)));
        assert!(!same(&nested(1_000_000), &nested(1_000_000)));
    }
}
