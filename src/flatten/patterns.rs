//! The one string of a form in a context: an address or a UUID whose key nobody has documented.
//!
//! What lives here: iteration over the strings of a JSON text and the two forms. One forward pass, no recursion.
//! What this file must not know: columns.

use std::borrow::Cow;
use std::net::IpAddr;

use memchr::memchr;

use crate::model::json::{Value, string_end, white_space_end};
use crate::schema::Pattern;

/// Longest text of an IPv6 address with its prefix length.
const MAX_IP: usize = 49;
const UUID: usize = 36;

/// The one distinct string of this form among the strings of a valid JSON text; keys do not count.
pub(super) fn only(pattern: Pattern, text: &str) -> Option<Cow<'_, str>> {
    let mut one = One::of(pattern);
    strings(text).all(|quoted| one.offer_quoted(quoted)).then_some(())?;
    one.found()
}

/// The strings of a valid JSON text that are values, with their quotes.
pub(super) fn strings(text: &str) -> impl Iterator<Item = &str> {
    Strings::new(text)
}

/// Looks for the one distinct string of a form.
#[derive(Debug)]
pub(super) struct One<'a> {
    pattern: Pattern,
    first: Option<Cow<'a, str>>,
}

impl<'a> One<'a> {
    pub(super) fn of(pattern: Pattern) -> Self {
        Self { pattern, first: None }
    }

    /// Looks at a string; false if it is a second one, and there is none to find.
    pub(super) fn offer(&mut self, string: Cow<'a, str>) -> bool {
        if !matches(self.pattern, &string) {
            return true;
        }
        match &self.first {
            Some(first) => *first == string,
            None => {
                self.first = Some(string);
                true
            }
        }
    }

    /// The same for a string with its quotes.
    pub(super) fn offer_quoted(&mut self, quoted: &'a str) -> bool {
        if !may_match(self.pattern, quoted) {
            return true;
        }
        decode(quoted).is_none_or(|string| self.offer(string))
    }

    pub(super) fn found(self) -> Option<Cow<'a, str>> {
        self.first
    }
}

/// A quick look at a string with its quotes, whose escapes are longer than what they mean.
fn may_match(pattern: Pattern, quoted: &str) -> bool {
    let inside = quoted.len().saturating_sub(2);
    match pattern {
        Pattern::Ip => true,
        Pattern::Uuid => inside == UUID || (inside > UUID && memchr(b'\\', quoted.as_bytes()).is_some()),
    }
}

fn matches(pattern: Pattern, text: &str) -> bool {
    match pattern {
        Pattern::Ip => is_ip(text),
        Pattern::Uuid => is_uuid(text),
    }
}

fn is_ip(text: &str) -> bool {
    // Nearly every string fails here: behind three digits or less, or four of IPv6, stands a mark.
    let marked = match text.as_bytes().first_chunk::<5>() {
        Some(begin) => begin.iter().fold(false, |marked, byte| marked | matches!(byte, b'.' | b':')),
        None => text.bytes().any(|byte| matches!(byte, b'.' | b':')),
    };
    let plausible = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':' | b'/');
    if !marked || text.len() > MAX_IP || !text.bytes().all(plausible) {
        return false;
    }
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    prefix.is_none_or(|prefix| {
        let digits = (1..=3).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_digit());
        digits && prefix.parse::<u8>().is_ok_and(|length| length <= longest)
    })
}

fn is_uuid(text: &str) -> bool {
    text.len() == UUID
        && text.bytes().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn decode(quoted: &str) -> Option<Cow<'_, str>> {
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    if memchr(b'\\', inner.as_bytes()).is_some() {
        return Value::parse(quoted).ok()?.as_text()?.decode();
    }
    Some(Cow::Borrowed(inner))
}

/// The strings of a valid JSON text that are values, with their quotes.
struct Strings<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Strings<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }
}

impl<'a> Iterator for Strings<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let bytes = self.text.as_bytes();
            let from = self.at + memchr(b'"', bytes.get(self.at..)?)?;
            self.at = string_end(bytes, from)?;
            if bytes.get(white_space_end(bytes, self.at)) != Some(&b':') {
                return self.text.get(from..self.at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn strings_are_values_and_not_keys() {
        let text = r#" {"a" : "b","c\"":["d",{"e":"f\\"},"g:"], "": "\"}" } "#;
        let strings: Vec<_> = Strings::new(text).collect();
        assert_eq!(strings, [r#""b""#, r#""d""#, r#""f\\""#, r#""g:""#, r#""\"}""#]);
        assert_eq!(Strings::new(r#""x""#).collect::<Vec<_>>(), [r#""x""#]);
        assert_eq!(Strings::new("null").count(), 0);
    }

    #[test]
    fn addresses_and_blocks() {
        for ip in
            ["1.2.3.4", "198.51.100.0/24", "::1", "2001:db8::/32", "::ffff:1.2.3.4", "0.0.0.0/0", "::/128"]
        {
            assert!(is_ip(ip), "{ip}");
        }
        for text in [
            "",
            "1.2.3",
            "1.2.3.4/33",
            "1.2.3.4/",
            "1.2.3.4/+8",
            "::/129",
            "1.2.3.4:80",
            "447700900000",
            "a.b",
            "1.2.3.04",
        ] {
            assert!(!is_ip(text), "{text}");
        }
    }

    #[test]
    fn only_one_distinct_string_counts() {
        let ip = |text: &'static str| only(Pattern::Ip, text).map(Cow::into_owned);
        assert_eq!(ip(r#"{"x":["a",{"ip":"10.0.0.1"}],"10.0.0.2":1}"#).as_deref(), Some("10.0.0.1"));
        assert_eq!(ip(r#"["10.0.0.1","10.0.0.1"]"#).as_deref(), Some("10.0.0.1"));
        assert_eq!(ip(r#"["10.0.0.1","10.0.0.2"]"#), None);
        assert_eq!(ip(r#"["10.0.0.\u0031"]"#).as_deref(), Some("10.0.0.1"));
        assert_eq!(ip("{}"), None);
        let uuid = only(Pattern::Uuid, r#"{"secretId":"ad6dc56f-07b5-46e1-a527-85530e625800","v":1}"#);
        assert_eq!(uuid.as_deref(), Some("ad6dc56f-07b5-46e1-a527-85530e625800"));
    }

    proptest! {
        #[test]
        fn the_quick_look_refuses_no_address(address in any::<IpAddr>(), prefix in 0_u8..130, word in "[0-9a-f.:/]{0,12}") {
            prop_assert!(is_ip(&address.to_string()));
            let longest = if address.is_ipv4() { 32 } else { 128 };
            prop_assert_eq!(is_ip(&format!("{address}/{prefix}")), prefix <= longest);
            prop_assert!(is_ip(&word) || word.parse::<IpAddr>().is_err());
            if let IpAddr::V6(address) = address {
                let groups: Vec<_> = address.segments().iter().map(|group| format!("{group:04x}")).collect();
                prop_assert!(is_ip(&groups.join(":")));
            }
        }

        #[test]
        fn finds_the_strings_that_an_independent_parser_finds(strings in proptest::collection::vec(any::<String>(), 0..6)) {
            let text = serde_json::json!({ "k:\"": strings, "n": [1, { "m": strings }] }).to_string();
            let found: Vec<_> = Strings::new(&text).map(|quoted| decode(quoted).unwrap().into_owned()).collect();
            let expected: Vec<_> = strings.iter().chain(&strings).cloned().collect();
            prop_assert_eq!(found, expected);
        }
    }
}
