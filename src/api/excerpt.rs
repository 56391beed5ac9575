//! What of a foreign text may be printed.
//!
//! What lives here: cutting, escaping and redaction. What this file must not know: what the text says.

use crate::model::sensitive;
use crate::secret::Secret;

/// Longest excerpt of a body in an error, in characters.
pub(super) const BODY: usize = 200;

/// Texts that must not be printed even when the other side repeats them.
#[derive(Default)]
pub(super) struct Redactor(Vec<Secret>);

impl Redactor {
    pub(super) fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self(secrets.into_iter().filter(|secret| !secret.expose().is_empty()).collect())
    }

    /// At most `limit` characters of a foreign text: secrets and e-mail addresses masked, bytes that are not UTF-8
    /// replaced, control and invisible formatting characters escaped.
    pub(super) fn excerpt(&self, bytes: &[u8], limit: usize) -> String {
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        for secret in &self.0 {
            text = text.replace(secret.expose(), "[redacted]");
        }
        if let Some(kept) = sensitive::first_secret(&text).and_then(|at| text.get(..at)) {
            text = format!("{kept}{}", sensitive::REDACTED);
        }
        let mut out = String::new();
        let mut length = 0;
        for letter in mask_addresses(&text).chars() {
            let piece =
                if is_hidden(letter) { letter.escape_unicode().to_string() } else { letter.to_string() };
            length += piece.chars().count();
            if length > limit {
                out.push('…');
                break;
            }
            out.push_str(&piece);
        }
        out
    }
}

/// Replaces each word that holds an `@`.
fn mask_addresses(text: &str) -> String {
    let is_word = |letter: char| letter.is_alphanumeric() || "@.!#$%&*+-/=?^_`|~".contains(letter);
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for letter in text.chars().map(Some).chain([None]) {
        match letter {
            Some(letter) if is_word(letter) => word.push(letter),
            other => {
                out.push_str(if word.contains('@') { "[masked]" } else { &word });
                word.clear();
                out.extend(other);
            }
        }
    }
    out
}

/// Control characters, and those that hide or reorder text.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hides_secrets_addresses_and_control_characters() {
        let redactor = Redactor::new([Secret::new("hunter2".to_owned()), Secret::new(String::new())]);
        let out = redactor.excerpt(b"a \"joe@example.com\" hunter2xhunter2\x1b[31m\r\n\xff", BODY);
        assert_eq!(out, "a \"[masked]\" [redacted]x[redacted]\\u{1b}[31m\\u{d}\\u{a}\u{fffd}");
        assert_eq!(redactor.excerpt("a\u{202e}b".as_bytes(), BODY), "a\\u{202e}b");
    }

    #[test]
    fn a_secret_across_the_cut_is_hidden_too() {
        let redactor = Redactor::new([Secret::new("hunter2".to_owned())]);
        let text = "x".repeat(197) + "hunter2";
        assert_eq!(redactor.excerpt(text.as_bytes(), BODY), "x".repeat(197) + "[re…");
    }

    #[test]
    fn an_excerpt_ends_before_a_secret_of_an_event() {
        let body = br#"{"_embedded":{"events":[{"context":{"apiSecret":"hunter2","a":1}}]}}"#;
        let out = Redactor::default().excerpt(body, BODY);
        assert_eq!(out, r#"{"_embedded":{"events":[{"context":{"apiSecret":[REDACTED]"#);
    }

    proptest! {
        #[test]
        fn an_excerpt_is_short_and_printable(bytes in any::<Vec<u8>>(), limit in 0_usize..100) {
            let out = Redactor::default().excerpt(&bytes, limit);
            prop_assert!(out.chars().count() <= limit + 1);
            prop_assert!(!out.chars().any(is_hidden));
        }
    }
}
