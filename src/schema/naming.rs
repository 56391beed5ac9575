//! Names of context columns.
//!
//! What lives here: the pinned rule that turns a JSON Pointer into a column name. It must never change within a
//! major version, which is why no crate does it. What this file must not know: which columns exist.

use std::fmt::Write as _;

use ring::digest;

use super::column::Json;

/// How the names of columns begin that a schema directory names itself.
pub(super) const OWN: &str = "x_";
/// How the names of columns end that hold JSON text.
const TEXT: &str = "_json";
const PREFIX: &str = "context";
/// Longest name: PostgreSQL cuts identifiers beyond it.
const MAX_NAME: usize = 63;
/// Length of a name before `__h` and eight digits are added.
const MAX_STEM: usize = 52;

/// The column name for a pointer below `/context`; `None` for another pointer.
///
/// Within a segment snake case, between segments `__`. A name that lost information (non-ASCII, empty), is too long,
/// or that `taken` says belongs to another pointer, ends with `__h` and eight hexadecimal digits of the pointer's
/// SHA-256.
pub fn column_name(pointer: &str, taken: impl Fn(&str) -> bool) -> Option<String> {
    let segments = pointer.strip_prefix("/context/")?;
    let mut name = PREFIX.to_owned();
    let mut lost = false;
    for segment in segments.split('/') {
        let segment = super::tree::decode_segment(segment)?;
        name.push_str("__");
        lost |= push_segment(&mut name, &segment);
    }
    if !lost && name.len() <= MAX_NAME && !taken(&name) {
        return Some(name);
    }
    name.truncate(MAX_STEM);
    name.push_str("__h");
    let digest = digest::digest(&digest::SHA256, pointer.as_bytes());
    for byte in digest.as_ref().iter().take(4) {
        write!(name, "{byte:02x}").ok()?;
    }
    Some(name)
}

/// The same for a column that holds values of this JSON type: JSON text is marked by the name's end.
pub(super) fn column_name_for(
    pointer: &str,
    json: Option<Json>,
    taken: impl Fn(&str) -> bool,
) -> Option<String> {
    if json != Some(Json::Any) {
        return column_name(pointer, taken);
    }
    let name = column_name(pointer, |name| taken(&format!("{name}{TEXT}")))? + TEXT;
    if name.len() <= MAX_NAME {
        return Some(name);
    }
    // Every name counts as taken: the one with the digest leaves room for the ending only if it is cut further.
    let digested = column_name(pointer, |_| true)?;
    let (stem, end) = digested.split_at_checked(digested.len().checked_sub("__h".len() + 8)?)?;
    let stem = stem.get(..MAX_STEM.checked_sub(TEXT.len())?.min(stem.len()))?;
    Some(format!("{stem}{end}{TEXT}"))
}

/// A free text as a name: snake case, for names that nothing pins.
pub(super) fn snake(text: &str) -> String {
    let mut name = String::new();
    push_segment(&mut name, text);
    name
}

/// Appends the segment in snake case; says whether it lost something that matters.
fn push_segment(name: &mut String, segment: &str) -> bool {
    let start = name.len();
    let letters: Vec<char> = segment.chars().collect();
    // An underscore is written only when a letter or digit follows one, so runs collapse and ends are trimmed.
    let mut gap = false;
    for (position, letter) in letters.iter().copied().enumerate() {
        if !letter.is_ascii_alphanumeric() {
            gap = true;
            continue;
        }
        let before = position.checked_sub(1).and_then(|at| letters.get(at)).copied().unwrap_or('_');
        let after = letters.get(position + 1).copied().unwrap_or('_');
        let new_word = letter.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && after.is_ascii_lowercase()));
        if (gap || new_word) && name.len() > start {
            name.push('_');
        }
        if name.len() == start && letter.is_ascii_digit() {
            name.push('n');
        }
        gap = false;
        name.push(letter.to_ascii_lowercase());
    }
    if name.len() == start {
        name.push('x');
        return true;
    }
    !segment.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(pointer: &str) -> String {
        column_name(pointer, |_| false).unwrap()
    }

    #[test]
    fn the_rule_gives_the_pinned_names() {
        for (pointer, name) in [
            ("/context/created/answer_url/url", "context__created__answer_url__url"),
            ("/context/answer/url", "context__answer__url"),
            ("/context/answer_url", "context__answer_url"),
            ("/context/voice-type", "context__voice_type"),
            ("/context/voiceType", "context__voice_type"),
            ("/context/été", "context__t__h9b5cde93"),
            (
                "/context/created/capabilities/voice/webhooks/fallback_answer_url/connection_timeout",
                "context__created__capabilities__voice__webhooks__fal__h19c638b7",
            ),
            ("/context/appID", "context__app_id"),
            ("/context/HTTPServer", "context__http_server"),
            ("/context/2fa", "context__n2fa"),
            ("/context/_links", "context__links"),
            ("/context/a--b__c", "context__a_b_c"),
            ("/context/a~1b~0c", "context__a_b_c"),
            ("/context/v2Key", "context__v2_key"),
        ] {
            assert_eq!(named(pointer), name, "{pointer}");
        }
        assert!(named("/context/用户").starts_with("context__x__h"));
        assert!(named("/context/").starts_with("context__x__h"));
        assert_eq!(column_name("/id", |_| false), None);
        assert_eq!(column_name("/context/a~2", |_| false), None);
    }

    #[test]
    fn a_taken_name_gets_the_pointers_digest() {
        let name = column_name("/context/voiceType", |name| name == "context__voice_type").unwrap();
        assert!(
            name.starts_with("context__voice_type__h") && name.len() == "context__voice_type__h".len() + 8
        );
    }

    proptest! {
        #[test]
        fn every_name_is_legal(segments in proptest::collection::vec("[^~/]{0,30}", 1..6)) {
            let name = named(&format!("/context/{}", segments.join("/")));
            prop_assert!(name.len() <= MAX_NAME);
            prop_assert!(name.starts_with("context__"));
            prop_assert!(name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'));
        }
    }
}
