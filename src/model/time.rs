//! Time as the API writes it: a naive time line, read as UTC.
//!
//! What lives here: [`Timestamp`] and its two texts, and [`Day`], which reads many of them. `created_at` carries no offset and whole seconds (documented
//! by example only); its zone is not documented and UTC is assumed. An offset, a `Z`, a space for the `T` and
//! fractions are accepted (assumed to be possible). What this file must not know: the clock.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, Timelike};

mod day;

pub use day::Day;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// A point on the API's time line: microseconds since 1970-01-01T00:00:00, years 0001 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From whole seconds since 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// From microseconds since 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Midnight of a civil date; `None` outside the calendar or years 0001 to 9999.
    pub fn from_date(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(1..=9999).contains(&year) {
            return None;
        }
        let days = NaiveDate::from_ymd_opt(year, month, day)?.to_epoch_days();
        Some(Self::from_seconds(i64::from(days) * SECONDS_PER_DAY))
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// This point moved by whole seconds.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(MICROS_PER_SECOND)))
    }

    /// Year, month and day.
    pub fn date(self) -> (i32, u32, u32) {
        let days = i32::try_from(self.seconds().div_euclid(SECONDS_PER_DAY)).unwrap_or(i32::MAX);
        NaiveDate::from_epoch_days(days).map_or((0, 0, 0), |date| (date.year(), date.month(), date.day()))
    }

    /// Reads a `created_at` text. `canonical` says that [`Timestamp`]'s own text is the same text again, so that
    /// nothing but the value need be kept.
    ///
    /// Accepted: `YYYY-MM-DD`, then `T` or a space, `HH:MM:SS`, an optional fraction of 1 to 9 digits (cut to
    /// microseconds) and an optional `Z` or `±HH:MM`. Anything else, and any impossible date, is `None`.
    pub fn parse(text: &str) -> Option<Parsed> {
        let bytes = text.as_bytes();
        let (head, mut rest) = bytes.split_at_checked(19)?;
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, separator, h1, h2, b':', n1, n2, b':', s1, s2] =
            head
        else {
            return None;
        };
        if separator != b'T' && separator != b' ' {
            return None;
        }
        let year = number(&[y1, y2, y3, y4])?;
        let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let date = Self::from_date(i32::try_from(year).ok()?, number(&[m1, m2])?, number(&[d1, d2])?)?;
        let mut micros = date.0 + i64::from(hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND;
        if rest.is_empty() {
            // The documented form, spelled in the one way that there is for it.
            return Some(Parsed { at: Self(micros), canonical: separator == b'T' });
        }

        if let Some((b'.', after)) = rest.split_first() {
            let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (fraction, after) = after.split_at_checked(digits)?;
            if !(1..=9).contains(&digits) {
                return None;
            }
            let mut value = 0_i64;
            for position in 0..6 {
                value = value * 10 + fraction.get(position).map_or(0, |digit| i64::from(digit - b'0'));
            }
            micros += value;
            rest = after;
        }
        match rest {
            [] | [b'Z' | b'z'] => {}
            &[sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let (hours, minutes) = (number(&[h1, h2])?, number(&[m1, m2])?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let offset = i64::from(hours * 3600 + minutes * 60) * MICROS_PER_SECOND;
                micros = if sign == b'+' { micros - offset } else { micros + offset };
            }
            _ => return None,
        }
        let at = Self(micros);
        // An offset can push the first or last day of the calendar out of it.
        let (year, _, _) = at.date();
        if !(1..=9999).contains(&year) {
            return None;
        }
        let canonical = at.text().as_bytes() == bytes;
        Some(Parsed { at, canonical })
    }

    /// Whether this text is the one that [`fmt::Display`] gives.
    pub fn is_spelled(self, text: &str) -> bool {
        self.text().as_bytes() == text.as_bytes()
    }

    /// Appends the text that [`fmt::Display`] gives.
    pub fn spell(self, out: &mut String) {
        out.extend(self.text().as_bytes().iter().copied().map(char::from));
    }

    fn text(self) -> Text {
        let mut text = Text { bytes: [0; 26], length: 0 };
        let time = DateTime::from_timestamp_micros(self.0).map(|instant| instant.naive_utc());
        let Some(time) = time else { return text };
        let year = u32::try_from(time.year()).unwrap_or(0);
        for (value, width, after) in [
            (year, 4, b'-'),
            (time.month(), 2, b'-'),
            (time.day(), 2, b'T'),
            (time.hour(), 2, b':'),
            (time.minute(), 2, b':'),
            (time.second(), 2, b'.'),
        ] {
            text.digits(value, width);
            text.push(after);
        }
        let fraction = time.nanosecond() / 1000;
        if fraction == 0 {
            text.length = text.length.saturating_sub(1);
        } else {
            text.digits(fraction, 6);
        }
        text
    }
}

/// What [`Timestamp::parse`] read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The value.
    pub at: Timestamp,
    /// Whether the value's own text is the text that was read.
    pub canonical: bool,
}

/// At most 26 bytes on the stack: a timestamp's text is made for every event.
struct Text {
    bytes: [u8; 26],
    length: usize,
}

impl Text {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    fn digits(&mut self, value: u32, width: u32) {
        for position in (0..width).rev() {
            let digit = value / 10_u32.pow(position) % 10;
            self.push(b'0' + u8::try_from(digit).unwrap_or(0));
        }
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0_u32, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
}

impl fmt::Display for Timestamp {
    /// `YYYY-MM-DDTHH:MM:SS`, with six fraction digits only when they are not zero; never an offset.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(std::str::from_utf8(self.text().as_bytes()).unwrap_or(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn micros(text: &str) -> Option<(i64, bool)> {
        Timestamp::parse(text).map(|parsed| (parsed.at.micros(), parsed.canonical))
    }

    #[test]
    fn reads_the_documented_form_and_its_likely_variants() {
        assert_eq!(micros("1970-01-01T00:00:01"), Some((1_000_000, true)));
        assert_eq!(micros("1970-01-01T00:00:01.000001"), Some((1_000_001, true)));
        assert_eq!(micros("1970-01-01T00:00:01.5"), Some((1_500_000, false)));
        assert_eq!(micros("1970-01-01T00:00:01.000000"), Some((1_000_000, false)));
        assert_eq!(micros("1970-01-01T00:00:01.123456789"), Some((1_123_456, false)));
        assert_eq!(micros("1970-01-01 00:00:01"), Some((1_000_000, false)));
        assert_eq!(micros("1970-01-01T00:00:01Z"), Some((1_000_000, false)));
        assert_eq!(micros("1970-01-01T02:00:01+02:00"), Some((1_000_000, false)));
        assert_eq!(micros("1969-12-31T23:30:01-00:30"), Some((1_000_000, false)));
        assert_eq!(micros("0001-01-01T00:00:00").map(|found| found.1), Some(true));
        assert_eq!(micros("9999-12-31T23:59:59").map(|found| found.1), Some(true));
    }

    #[test]
    fn refuses_what_is_not_a_time() {
        for text in [
            "",
            "2018",
            "2018-08-13",
            "2018-08-13T10:15",
            "2018-02-30T00:00:00",
            "2018-13-01T00:00:00",
            "2018-08-13T24:00:00",
            "2018-08-13T10:60:00",
            "2018-08-13T10:15:60",
            "2018-08-13T10:15:31.",
            "2018-08-13T10:15:31.1234567890",
            "2018-08-13T10:15:31+2",
            "2018-08-13T10:15:31+24:00",
            "0000-01-01T00:00:00",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-00:01",
            "2018-W33-1T10:15:31",
            "２０１８-08-13T10:15:31",
            "2018-08-13T10:15:31 ",
            "-018-08-13T10:15:31",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_timestamps_text_reads_back_as_itself(at in -62_135_596_800_000_000_i64..=253_402_300_799_999_999) {
            let text = Timestamp::from_micros(at).to_string();
            prop_assert_eq!(micros(&text), Some((at, true)));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            if let Some(parsed) = Timestamp::parse(&text) {
                prop_assert_eq!(parsed.canonical, parsed.at.to_string() == text);
            }
        }
    }
}
