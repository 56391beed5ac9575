//! Date expressions as people write them.
//!
//! What lives here: the grammar of `--from`, `--to` and durations, always UTC. What this file must not know: the
//! grid, and what is done with a point in time.

use crate::error::{Error, Result};
use crate::model::{Grid, Timestamp};

/// A point in time as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A date, a month (its first day) or an RFC 3339 time.
    At(Timestamp),
    /// Midnight this many days before the day of the run: `today` is 0, `yesterday` 1, `7d` 7.
    DaysAgo(u32),
    /// The end of what the destination already holds: `last`.
    Last,
}

impl Moment {
    /// Reads an expression: `2026-03-01`, `2026-03`, `2026-03-01T00:00:00Z`, `today`, `yesterday`, `7d`, `last`.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let lower = text.trim().to_ascii_lowercase();
        match lower.as_str() {
            "today" => return Ok(Self::DaysAgo(0)),
            "yesterday" => return Ok(Self::DaysAgo(1)),
            "last" => return Ok(Self::Last),
            _ => {}
        }
        if let Some(days) = lower.strip_suffix('d').and_then(|digits| digits.parse().ok()) {
            return Ok(Self::DaysAgo(days));
        }
        calendar(&lower).map(Self::At).ok_or_else(|| {
            Error::usage(format!("not a date: {text:?}"))
                .hint("write 2026-03-01, 2026-03, 2026-03-01T00:00:00Z, today, yesterday, 7d (ago) or last")
        })
    }

    /// The point that is meant, or `None` for [`Moment::Last`].
    pub fn resolve(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::DaysAgo(days) => {
                Some(Grid::Day.floor(now).plus_seconds(-i64::from(days) * Grid::Day.seconds()))
            }
            Self::Last => None,
        }
    }
}

fn calendar(text: &str) -> Option<Timestamp> {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((date, _)) = text.split_once(['t', ' ']) {
        let zoned = text.ends_with('z') || text.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
        let upper = text.to_ascii_uppercase();
        return Timestamp::parse(&upper).filter(|_| zoned && date.len() == 10).map(|parsed| parsed.at);
    }
    let parts: Vec<&str> = text.split('-').collect();
    let (year, month, day) = match parts.as_slice() {
        [year, month] => (*year, *month, "01"),
        [year, month, day] => (*year, *month, *day),
        _ => return None,
    };
    if year.len() != 4 || month.len() != 2 || day.len() != 2 || ![year, month, day].into_iter().all(plain) {
        return None;
    }
    Timestamp::from_date(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// Reads a duration in whole seconds: `90s`, `15m`, `1h`, `3d`; a bare number is refused, since its unit is a guess.
///
/// # Errors
/// [`crate::error::Kind::Usage`] for anything else.
pub fn parse_duration(text: &str) -> Result<u32> {
    let read = || {
        let unit = text.chars().last()?;
        let seconds: u32 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return None,
        };
        let number = text.strip_suffix(unit)?;
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        number.parse::<u32>().ok()?.checked_mul(seconds)
    };
    read().ok_or_else(|| Error::usage(format!("not a duration: {text:?}")).hint("write 90s, 15m, 1h or 3d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<String> {
        let now = Timestamp::from_date(2026, 3, 15).unwrap().plus_seconds(12 * 3600 + 5);
        Moment::parse(text)
            .ok()
            .map(|moment| moment.resolve(now).map_or("last".to_owned(), |at| at.to_string()))
    }

    #[test]
    fn reads_every_form_that_is_promised() {
        for (text, expected) in [
            ("2026-03-01", "2026-03-01T00:00:00"),
            ("2026-03", "2026-03-01T00:00:00"),
            ("2026-03-01T05:00:00Z", "2026-03-01T05:00:00"),
            ("2026-03-01t05:00:00+02:00", "2026-03-01T03:00:00"),
            ("today", "2026-03-15T00:00:00"),
            ("Yesterday", "2026-03-14T00:00:00"),
            ("7d", "2026-03-08T00:00:00"),
            ("0d", "2026-03-15T00:00:00"),
            ("last", "last"),
        ] {
            assert_eq!(at(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_could_be_misread() {
        for text in [
            "",
            "2026",
            "2026-3-1",
            "26-03-01",
            "2026-02-30",
            "2026-13",
            "2026-03-01T05:00:00",
            "03/01/2026",
            "-7d",
            "7",
            "7w",
            "tomorrow",
            "2026-03-01Z",
            "+2026-03-01",
            "2026-03-01T24:00:00Z",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(parse_duration("90s").unwrap(), 90);
        assert_eq!(parse_duration("15m").unwrap(), 900);
        assert_eq!(parse_duration("1h").unwrap(), 3600);
        assert_eq!(parse_duration("3d").unwrap(), 259_200);
        for text in ["", "3", "d", "-1d", "1.5h", "1w", "99999999d", "+1d", "1d "] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
