//! What a JSON value becomes in a typed column, and whether the column then says all that the value said.
//!
//! What lives here: the coercion table. Exact means that the column's own inverse gives the same JSON value again,
//! number text included; anything else stays in the remainder as well. No guess: nothing is trimmed, folded or
//! normalised. What this file must not know: where values come from.

use std::borrow::Cow;

use crate::model::Timestamp;
use crate::model::json::{Kind, Value};
use crate::schema::Json;

/// How well a column holds a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// The column gives the value back.
    Exact,
    /// JSON `null`: the column is null, which it also is for an absent value.
    Null,
    /// The column holds a converted value.
    Coerced,
    /// The value's type cannot be converted; the column is null.
    TypeMismatch,
    /// The string holds U+0000 or a lone surrogate, which databases and Unicode text cannot; the column is null.
    Unrepresentable,
}

/// A text column's value.
pub(super) fn text<'a>(value: &Value<'a>, json: Option<Json>) -> (Option<Cow<'a, str>>, Fit) {
    if json == Some(Json::Any) {
        // The text of the value itself; JSON null as well, which is not absence.
        return (Some(Cow::Borrowed(value.text())), Fit::Exact);
    }
    match value.kind() {
        Kind::Null => (None, Fit::Null),
        Kind::Object | Kind::Array => (None, Fit::TypeMismatch),
        Kind::Boolean => {
            let exact = json == Some(Json::Boolean);
            (Some(Cow::Borrowed(value.text())), if exact { Fit::Exact } else { Fit::Coerced })
        }
        Kind::Number => {
            let exact = match json {
                Some(Json::Integer) => is_canonical_integer(value.text()),
                other => other == Some(Json::Number),
            };
            (Some(Cow::Borrowed(value.text())), if exact { Fit::Exact } else { Fit::Coerced })
        }
        Kind::String => match string(value) {
            None => (None, Fit::Unrepresentable),
            Some(text) if json == Some(Json::String) => (Some(text), Fit::Exact),
            Some(text) => (Some(text), Fit::Coerced),
        },
    }
}

/// A timestamp column's value, in microseconds.
pub(super) fn timestamp(value: &Value<'_>) -> (Option<i64>, Fit) {
    match value.kind() {
        Kind::Null => (None, Fit::Null),
        Kind::String => match string(value) {
            None => (None, Fit::Unrepresentable),
            Some(text) => match Timestamp::parse(&text) {
                None => (None, Fit::TypeMismatch),
                Some(read) => {
                    (Some(read.at.micros()), if read.canonical { Fit::Exact } else { Fit::Coerced })
                }
            },
        },
        Kind::Boolean | Kind::Number | Kind::Object | Kind::Array => (None, Fit::TypeMismatch),
    }
}

/// An integer column's value: from an integer that fits, or from a string of one.
pub(super) fn integer(value: &Value<'_>) -> (Option<i64>, Fit) {
    let read = |text: &str| is_canonical_integer(text).then(|| text.parse().ok()).flatten();
    match value.kind() {
        Kind::Null => (None, Fit::Null),
        Kind::Number => fit(read(value.text()), Fit::Exact),
        Kind::String => fit(string(value).and_then(|text| read(&text)), Fit::Coerced),
        Kind::Boolean | Kind::Object | Kind::Array => (None, Fit::TypeMismatch),
    }
}

/// A boolean column's value: from `true` and `false`, or from a string of one.
pub(super) fn boolean(value: &Value<'_>) -> (Option<bool>, Fit) {
    match value.kind() {
        Kind::Null => (None, Fit::Null),
        Kind::Boolean => fit(value.text().parse().ok(), Fit::Exact),
        Kind::String => fit(string(value).and_then(|text| text.parse().ok()), Fit::Coerced),
        Kind::Number | Kind::Object | Kind::Array => (None, Fit::TypeMismatch),
    }
}

fn fit<T>(value: Option<T>, if_read: Fit) -> (Option<T>, Fit) {
    let fit = if value.is_some() { if_read } else { Fit::TypeMismatch };
    (value, fit)
}

/// Any scalar as text, for derived columns; `None` for what a text column would not hold.
pub(super) fn loose_text<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    text(value, None).0
}

/// The string, unless it holds what text columns cannot.
fn string<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    let text = value.as_text()?.decode()?;
    // A raw U+0000 is not JSON, so only a string that had escapes can hold one.
    let has_nul = matches!(&text, Cow::Owned(decoded) if decoded.contains('\0'));
    (!has_nul).then_some(text)
}

/// `-?(0|[1-9][0-9]*)` but not `-0`: the one text of an integer.
pub(super) fn is_canonical_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let leading_zero = digits.starts_with('0') && text != "0";
    !digits.is_empty() && !leading_zero && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coerced(json: &str, kind: Json) -> (Option<String>, Fit) {
        let value = Value::parse(json).unwrap();
        let (text, fit) = text(&value, Some(kind));
        (text.map(Cow::into_owned), fit)
    }

    fn micros(json: &str) -> (Option<i64>, Fit) {
        timestamp(&Value::parse(json).unwrap())
    }

    #[test]
    fn the_table_for_strings() {
        let string = |json| coerced(json, Json::String);
        assert_eq!(string(r#""""#), (Some(String::new()), Fit::Exact));
        assert_eq!(string(r#""a\/é""#), (Some("a/é".into()), Fit::Exact));
        assert_eq!(string("null"), (None, Fit::Null));
        assert_eq!(string("1E2"), (Some("1E2".into()), Fit::Coerced));
        assert_eq!(string("true"), (Some("true".into()), Fit::Coerced));
        assert_eq!(string("{}"), (None, Fit::TypeMismatch));
        assert_eq!(string("[]"), (None, Fit::TypeMismatch));
        assert_eq!(string(r#""a\u0000""#), (None, Fit::Unrepresentable));
        assert_eq!(string(r#""\udc00""#), (None, Fit::Unrepresentable));
    }

    #[test]
    fn the_table_for_integers() {
        let integer = |json| coerced(json, Json::Integer);
        for exact in ["0", "7", "-7", "1180591620717411303424"] {
            assert_eq!(integer(exact), (Some(exact.to_owned()), Fit::Exact));
        }
        for lexeme in ["-0", "1.0", "1e400", "1E2", "-0.5"] {
            assert_eq!(integer(lexeme), (Some(lexeme.to_owned()), Fit::Coerced));
        }
        assert_eq!(integer(r#""7""#), (Some("7".into()), Fit::Coerced));
        assert_eq!(integer("false"), (Some("false".into()), Fit::Coerced));
        assert_eq!(integer("null"), (None, Fit::Null));
    }

    #[test]
    fn the_table_for_what_only_a_schema_directory_has() {
        let number = |json| coerced(json, Json::Number);
        assert_eq!(number("1E2"), (Some("1E2".into()), Fit::Exact));
        assert_eq!(number(r#""1""#), (Some("1".into()), Fit::Coerced));
        let any = |json| coerced(json, Json::Any);
        for json in ["null", "[1, 2]", r#"{"a":1.0}"#, r#""\ud800""#] {
            assert_eq!(any(json), (Some(json.to_owned()), Fit::Exact));
        }
        let whole = |json| integer(&Value::parse(json).unwrap());
        assert_eq!(whole("-7"), (Some(-7), Fit::Exact));
        assert_eq!(whole(r#""7""#), (Some(7), Fit::Coerced));
        for json in ["7.0", "-0", "9223372036854775808", "true", r#""x""#, "[]"] {
            assert_eq!(whole(json), (None, Fit::TypeMismatch), "{json}");
        }
        let truth = |json| boolean(&Value::parse(json).unwrap());
        assert_eq!(truth("true"), (Some(true), Fit::Exact));
        assert_eq!(truth(r#""false""#), (Some(false), Fit::Coerced));
        assert_eq!(truth("1"), (None, Fit::TypeMismatch));
        assert_eq!(truth("null"), (None, Fit::Null));
    }

    #[test]
    fn the_table_for_timestamps() {
        assert_eq!(micros(r#""1970-01-01T00:00:01""#), (Some(1_000_000), Fit::Exact));
        assert_eq!(micros(r#""1970-01-01T00:00:0\u0031""#), (Some(1_000_000), Fit::Exact));
        assert_eq!(micros(r#""1970-01-01T00:00:01Z""#), (Some(1_000_000), Fit::Coerced));
        assert_eq!(micros(r#""1970-01-01T00:00:01.1234567""#), (Some(1_123_456), Fit::Coerced));
        assert_eq!(micros(r#""2018-02-30T00:00:00""#), (None, Fit::TypeMismatch));
        assert_eq!(micros("1"), (None, Fit::TypeMismatch));
        assert_eq!(micros("null"), (None, Fit::Null));
    }
}
