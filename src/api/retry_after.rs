//! How long a throttling answer asks to wait, and HTTP dates.
//!
//! What lives here: reading of `Retry-After` (seconds or an HTTP date) and of `Date`. What this file must not know:
//! the local clock: a date is compared with the reply's own `Date`, so that clock skew does not matter.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime};

/// Longest wait that an answer can ask for.
pub(super) const LONGEST: Duration = Duration::from_secs(300);

/// The wait that this text asks for, at most [`LONGEST`]; none if it cannot be read, so that the caller backs off on
/// its own. `sent` is the reply's `Date`, seconds since 1970: without it a date says nothing.
///
/// A fraction (not allowed by RFC 9110, but sent by some servers) is rounded up. A date in the past is no wait.
pub(super) fn read(text: &str, sent: Option<i64>) -> Option<Duration> {
    let text = text.trim_matches([' ', '\t']);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if are_digits(whole) && are_digits(fraction) {
        // Only a number too large to hold fails here.
        let seconds = whole.parse().unwrap_or(u64::MAX);
        let begun = u64::from(fraction.bytes().any(|digit| digit != b'0'));
        return Some(Duration::from_secs(seconds.saturating_add(begun)).min(LONGEST));
    }
    let seconds = http_date(text)?.saturating_sub(sent?);
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).min(LONGEST))
}

/// An HTTP date in any of its three forms (RFC 9110 §5.6.7), as seconds since 1970. Numeric zones are understood.
pub(super) fn http_date(text: &str) -> Option<i64> {
    let text = text.trim_matches([' ', '\t']);
    if !text.is_ascii() || text.len() > 64 {
        return None;
    }
    if let Ok(date) = DateTime::parse_from_rfc2822(text) {
        return Some(date.timestamp());
    }
    ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|date| date.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
    const SENT: i64 = 784_111_777;

    #[test]
    fn reads_seconds_and_dates_and_nothing_else() {
        let table: [(&str, Option<u64>); 44] = [
            ("0", Some(0)),
            ("1", Some(1)),
            ("7", Some(7)),
            ("007", Some(7)),
            ("30", Some(30)),
            ("299", Some(299)),
            ("300", Some(300)),
            ("301", Some(300)),
            ("86400", Some(300)),
            ("18446744073709551615", Some(300)),
            ("18446744073709551616", Some(300)),
            ("1000000000000000000000000000000", Some(300)),
            (" 5 ", Some(5)),
            ("\t5", Some(5)),
            ("1.5", Some(2)),
            ("1.0", Some(1)),
            ("0.001", Some(1)),
            ("", None),
            (" ", None),
            ("-1", None),
            ("+1", None),
            ("1.", None),
            (".5", None),
            ("1.5.5", None),
            ("1e3", None),
            ("NaN", None),
            ("inf", None),
            ("null", None),
            ("5s", None),
            ("5, 6", None),
            ("٣", None),
            ("0x10", None),
            ("soon", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:49:36 GMT", Some(0)),
            ("Sun, 06 Nov 1994 10:50:07 +0200", Some(30)),
            ("Mon, 07 Nov 1994 08:49:37 GMT", Some(300)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(300)),
            ("Sunday, 06-Nov-94 08:50:07 GMT", Some(30)),
            ("Sun Nov  6 08:50:07 1994", Some(30)),
            ("Mon, 06 Nov 1994 08:50:07 GMT", None),
            ("Sun, 31 Feb 1994 08:49:37 GMT", None),
            ("1994-11-06T08:50:07Z", None),
        ];
        for (text, seconds) in table {
            assert_eq!(read(text, Some(SENT)), seconds.map(Duration::from_secs), "{text:?}");
        }
    }

    #[test]
    fn a_date_without_the_replys_own_date_says_nothing() {
        assert_eq!(read("Sun, 06 Nov 1994 08:50:07 GMT", None), None);
        assert_eq!(read("5", None), Some(Duration::from_secs(5)));
    }

    #[test]
    fn the_three_forms_are_one_time() {
        for text in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(http_date(text), Some(SENT), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_bounded_wait_or_none(text in any::<String>(), sent in any::<Option<i64>>()) {
            prop_assert!(read(&text, sent).is_none_or(|wait| wait <= LONGEST));
        }
    }
}
