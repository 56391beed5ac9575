//! What counts as a secret inside an event, and whether a dataset keeps such values.
//!
//! What lives here: the names of keys that bear secrets, the form of a private key, and [`Secrets`]. The names are a
//! decision of this program: no context that holds a secret is documented, but the sibling APIs return `private_key`
//! and take `secret` (documented there). What this file must not know: how an event's text is walked or changed.

use std::ops::Range;

/// What stands in place of a secret.
pub const REDACTED: &str = "[REDACTED]";

/// Keys whose values are secrets, without `_` and `-` and in lower case.
const KEYS: [&str; 4] = ["secret", "apisecret", "password", "privatekey"];

/// Longest key that is looked at, in bytes: a longer one is none of [`KEYS`] however it is spelled.
const MAX_KEY: usize = 256;

/// Begins and ends the first line of a block (RFC 7468, and OpenSSH's and PGP's like it).
const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END";
const DASHES: &[u8] = b"-----";

/// Words of a block's label that make it a private key.
pub const PRIVATE_KEY: &str = "PRIVATE KEY";

/// Longest label of a block, in bytes.
const MAX_LABEL: usize = 80;

/// Whether a dataset holds secrets that appear in events. Fixed when it is created: one event with and without them
/// has two contents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    /// Each is replaced by [`REDACTED`] before anything is written.
    #[default]
    Redacted,
    /// They are kept as received.
    Kept,
}

impl Secrets {
    /// The word for it in control files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redacted => "redacted",
            Self::Kept => "kept",
        }
    }

    /// The choice of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Redacted, Self::Kept].into_iter().find(|choice| choice.name() == name)
    }
}

/// Whether a key, given as the string that is meant, bears a secret: one of the names in any of the spellings
/// `api_secret`, `apiSecret`, `api-secret`, `API_SECRET`.
#[inline]
pub fn is_secret_key(key: &[u8]) -> bool {
    // Nearly every key fails here.
    match key.first() {
        Some(b's' | b'S' | b'a' | b'A' | b'p' | b'P' | b'_' | b'-') if key.len() <= MAX_KEY => {}
        _ => return false,
    }
    let letters =
        || key.iter().filter(|byte| !matches!(byte, b'_' | b'-')).map(|byte| byte.to_ascii_lowercase());
    KEYS.iter().any(|name| letters().eq(name.bytes()))
}

/// Where private keys stand in a text: from the line that begins one to the line that ends it, or to the text's end
/// if none does.
pub fn private_keys(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = find(text, BEGIN, at) {
        let label = start + BEGIN.len();
        at = label;
        let line = text.get(label..text.len().min(label + MAX_LABEL)).unwrap_or_default();
        let line = line.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
        let line = find(line, DASHES, 0).and_then(|end| line.get(..end)).unwrap_or(line);
        if find(line, PRIVATE_KEY.as_bytes(), 0).is_none() {
            continue;
        }
        let end = find(text, END, label)
            .and_then(|end| find(text, DASHES, end + END.len()))
            .map_or(text.len(), |end| end + DASHES.len());
        found.push(start..end);
        at = end;
    }
    found
}

/// Where a text of unknown form begins to say a secret, so that an excerpt must end there: the value after a key of
/// the names above and `:` or `=`, or a private key. The position is a character boundary.
pub fn first_secret(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let after_key = bytes.iter().enumerate().find_map(|(at, byte)| {
        let is_value = matches!(byte, b':' | b'=') && names_secret(text.get(..at)?);
        is_value.then_some(at + 1)
    });
    let key = text.find(PRIVATE_KEY).or_else(|| find(bytes, BEGIN, 0).filter(|_| text.contains("\\u")));
    [after_key, key].into_iter().flatten().min()
}

/// Whether the last word before a colon or an equals sign bears a secret.
fn names_secret(before: &str) -> bool {
    let word =
        before.trim_end_matches(|letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | '\\'));
    let letters = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '\\');
    let reversed: String = word.chars().rev().take_while(letters).take(MAX_KEY).collect();
    let word: String = reversed.chars().rev().collect();
    // A letter spelled as `\u0073` is too rare to be worth a second decoder here: such a key counts as secret.
    word.contains("\\u") || is_secret_key(word.trim_start_matches('\\').as_bytes())
}

/// Whether a string is a private key, or JSON with a secret in it.
pub fn is_secret(text: &str) -> bool {
    let is_json = text.trim_start().starts_with(['{', '[', '"']);
    !private_keys(text.as_bytes()).is_empty() || (is_json && first_secret(text).is_some())
}

/// Whether a text of unknown form may say a secret; true too often rather than too seldom.
pub fn may_hold_secret(text: &[u8]) -> bool {
    let letters: Vec<u8> = text
        .iter()
        .filter(|byte| !matches!(byte, b'_' | b'-' | b' '))
        .map(|byte| byte.to_ascii_lowercase())
        .collect();
    let words: [&[u8]; 4] = [b"secret", b"password", b"privatekey", b"\\u"];
    words.into_iter().any(|word| find(&letters, word, 0).is_some())
}

/// Where `wanted` stands first, looked for by its last letter.
fn find(text: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let (last, before) = wanted.split_last()?;
    let rest = text.get(from..)?;
    let ends = memchr::memchr_iter(*last, rest.get(before.len()..)?);
    ends.map(|at| at + from).find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_count_in_every_spelling_and_no_other_key_does() {
        for key in [
            "secret",
            "Secret",
            "SECRET",
            "api_secret",
            "apiSecret",
            "api-secret",
            "API_SECRET",
            "ApiSecret",
            "password",
            "PassWord",
            "pass-word",
            "private_key",
            "privateKey",
            "private-key",
            "PRIVATE_KEY",
            "_secret",
            "__private__key__",
            "-secret-",
        ] {
            assert!(is_secret_key(key.as_bytes()), "{key}");
        }
        for key in [
            "",
            "_",
            "secretId",
            "secret_id",
            "secrets",
            "asecret",
            "apisecretx",
            "passwords",
            "public_key",
            "privatekeys",
            "pass word",
            "s",
            "ſecret",
            "password ",
        ] {
            assert!(!is_secret_key(key.as_bytes()), "{key}");
        }
        assert!(!is_secret_key("_".repeat(300).as_bytes()));
    }

    #[test]
    fn private_keys_are_found_whole_and_cut_ones_to_the_end() {
        fn found(text: &str) -> Vec<&str> {
            private_keys(text.as_bytes()).into_iter().map(|range| text.get(range).unwrap()).collect()
        }
        let block = "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----";
        assert_eq!(found("a -----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY----- b"), [block]);
        for label in ["RSA ", "EC ", "ENCRYPTED ", "OPENSSH ", "DSA "] {
            let text = format!("-----BEGIN {label}PRIVATE KEY-----MII-----END {label}PRIVATE KEY-----");
            assert_eq!(found(&text), [text.as_str()], "{label}");
        }
        assert_eq!(
            found("-----BEGIN PGP PRIVATE KEY BLOCK-----x-----END PGP PRIVATE KEY BLOCK-----").len(),
            1
        );
        assert_eq!(found("x-----BEGIN EC PRIVATE KEY-----\nMII"), ["-----BEGIN EC PRIVATE KEY-----\nMII"]);
        assert_eq!(found("-----BEGIN PRIVATE KEY"), ["-----BEGIN PRIVATE KEY"]);
        assert_eq!(
            found("-----BEGIN PRIVATE KEY-----a-----END X-----b-----BEGIN PRIVATE KEY-----c").len(),
            2
        );
        for text in [
            "-----BEGIN PUBLIC KEY-----\nMII\n-----END PUBLIC KEY-----",
            "-----BEGIN CERTIFICATE-----\nPRIVATE KEY",
            "PRIVATE KEY",
            "-----BEGIN CERTIFICATE-----PRIVATE KEY",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_text_is_cut_before_its_first_secret() {
        for (text, kept) in [
            (r#"{"a":1,"api_secret":"hunter2"}"#, r#"{"a":1,"api_secret":"#),
            (r#"{"a":1,"apiSecret" : {"x":"hunter2"#, r#"{"a":1,"apiSecret" :"#),
            (r#"{"\u0073ecret":"hunter2"}"#, r#"{"\u0073ecret":"#),
            (r#""{\"password\":\"hunter2\"}""#, r#""{\"password\":"#),
            ("GET /x?a=b&api_secret=hunter2", "GET /x?a=b&api_secret="),
            ("é password: hunter2", "é password:"),
            ("x -----BEGIN PRIVATE KEY-----\nhunter2", "x -----BEGIN "),
        ] {
            let at = first_secret(text).unwrap();
            assert_eq!(text.get(..at), Some(kept));
            assert!(may_hold_secret(text.as_bytes()), "{text}");
        }
        for text in ["", ":", "you did not provide correct credentials", r#"{"secret_id":"a","a":"secret"}"#]
        {
            assert_eq!(first_secret(text), None, "{text}");
        }
        assert!(is_secret(r#" {"secret":1}"#) && is_secret("-----BEGIN PRIVATE KEY-----"));
        assert!(
            !is_secret("secret:1") && !is_secret("aaaaaaaa-bbbb-cccc-dddd-0123456789ab") && !is_secret("{}")
        );
        assert!(!may_hold_secret(br#"{"a":[1,"b"]}"#));
    }

    #[test]
    fn the_choice_has_a_word() {
        for choice in [Secrets::Redacted, Secrets::Kept] {
            assert_eq!(Secrets::parse(choice.name()), Some(choice));
        }
        assert_eq!(Secrets::parse("Kept"), None);
        assert_eq!(Secrets::default(), Secrets::Redacted);
    }
}
