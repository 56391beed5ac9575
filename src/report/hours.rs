//! When work is expected.
//!
//! What lives here: [`Hours`] and [`Zone`], from their texts and against a time. What this file must not know: events.

use std::fmt;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDateTime, Timelike};

use crate::error::{Error, Result};
use crate::model::Timestamp;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A time zone: by name, with the rules that are part of the program, or a fixed offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// A zone of the IANA database.
    Named(chrono_tz::Tz),
    /// A fixed offset from UTC.
    Fixed(FixedOffset),
}

impl Zone {
    /// Reads `Europe/Berlin`, `UTC` or `+01:00`.
    ///
    /// # Errors
    /// Usage.
    pub fn parse(text: &str) -> Result<Self> {
        if let Ok(zone) = text.parse() {
            return Ok(Self::Named(zone));
        }
        let signed = text.starts_with(['+', '-']) && text.len() == 6;
        let fixed = signed.then(|| text.parse::<FixedOffset>().ok()).flatten();
        fixed.map(Self::Fixed).ok_or_else(|| {
            Error::usage(format!("not a time zone: {text:?}"))
                .hint("write a name of the IANA database, like Europe/Berlin, or an offset, like +01:00")
        })
    }

    fn local(self, at: Timestamp) -> Option<NaiveDateTime> {
        let utc = DateTime::from_timestamp(at.seconds(), 0)?;
        Some(match self {
            Self::Named(zone) => utc.with_timezone(&zone).naive_local(),
            Self::Fixed(offset) => utc.with_timezone(&offset).naive_local(),
        })
    }

    /// Which version of the rules is used, where any are.
    pub(super) fn rules(self) -> Option<&'static str> {
        match self {
            Self::Named(chrono_tz::Tz::UTC) | Self::Fixed(_) => None,
            Self::Named(_) => Some(chrono_tz::IANA_TZDB_VERSION),
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(zone) => out.write_str(zone.name()),
            Self::Fixed(offset) => write!(out, "{offset}"),
        }
    }
}

/// Working hours: from a minute of the day to another, exclusive, on some days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    zone: Zone,
    from: u32,
    to: u32,
    /// From Monday.
    days: [bool; 7],
}

impl Default for Hours {
    /// Monday to Friday, 08:00 to 18:00 UTC.
    fn default() -> Self {
        let days = [true, true, true, true, true, false, false];
        Self { zone: Zone::Named(chrono_tz::Tz::UTC), from: 8 * 60, to: 18 * 60, days }
    }
}

impl Hours {
    /// From a zone, `08:00-18:00` and `mon-fri` or `mon,wed,sat`. Hours that end before they begin go over midnight.
    ///
    /// # Errors
    /// Usage.
    pub fn parse(zone: &str, hours: &str, days: &str) -> Result<Self> {
        let wrong = || {
            Error::usage(format!("not working hours: {hours:?}"))
                .hint("write --hours 08:00-18:00, in hours and minutes")
        };
        let (from, to) = hours.split_once('-').ok_or_else(wrong)?;
        let (from, to) = (minute(from).ok_or_else(wrong)?, minute(to).ok_or_else(wrong)?);
        if from == to || from == 24 * 60 {
            return Err(wrong());
        }
        let days = week(days).ok_or_else(|| {
            Error::usage(format!("not days of the week: {days:?}"))
                .hint("write --days mon-fri, or mon,wed,sat")
        })?;
        Ok(Self { zone: Zone::parse(zone)?, from, to, days })
    }

    /// Whether work is expected at this time; hours over midnight belong to the day on which they begin.
    pub fn expected(&self, at: Timestamp) -> bool {
        let Some(local) = self.zone.local(at) else { return false };
        let minute = local.hour() * 60 + local.minute();
        let today = usize::try_from(local.weekday().num_days_from_monday()).unwrap_or(0);
        let on = |day: usize| self.days.get(day % 7).copied().unwrap_or(false);
        if self.from < self.to {
            on(today) && (self.from..self.to).contains(&minute)
        } else {
            (on(today) && minute >= self.from) || (on(today + 6) && minute < self.to)
        }
    }

    /// The zone.
    pub fn zone(&self) -> Zone {
        self.zone
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
        let days: Vec<&str> =
            DAYS.into_iter().zip(self.days).filter_map(|(name, on)| on.then_some(name)).collect();
        write!(out, "{} to {} on {} in {}", clock(self.from), clock(self.to), days.join(", "), self.zone)
    }
}

fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= 24 * 60).then_some(all)
}

fn week(text: &str) -> Option<[bool; 7]> {
    let day = |name: &str| DAYS.iter().position(|known| known.eq_ignore_ascii_case(name));
    let mut days = [false; 7];
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (day(from)?, day(to)?);
        let length = (to + 7 - from) % 7;
        for step in 0..=length {
            *days.get_mut((from + step) % 7)? = true;
        }
    }
    Some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap().at
    }

    #[test]
    fn hours_follow_the_zone_through_the_year() {
        let berlin = Hours::parse("Europe/Berlin", "08:00-18:00", "mon-fri").unwrap();
        // 2026-03-27 is a Friday before, 2026-03-30 a Monday after the clocks change.
        for (time, expected) in [
            ("2026-03-27T06:59:59", false),
            ("2026-03-27T07:00:00", true),
            ("2026-03-27T16:59:59", true),
            ("2026-03-27T17:00:00", false),
            ("2026-03-28T10:00:00", false),
            ("2026-03-30T06:00:00", true),
            ("2026-03-30T05:59:59", false),
            ("2026-03-30T16:00:00", false),
        ] {
            assert_eq!(berlin.expected(at(time)), expected, "{time}");
        }
        assert_eq!(berlin.to_string(), "08:00 to 18:00 on mon, tue, wed, thu, fri in Europe/Berlin");
    }

    #[test]
    fn a_night_shift_belongs_to_the_day_on_which_it_begins() {
        let night = Hours::parse("+00:00", "22:00-06:00", "fri").unwrap();
        for (time, expected) in [
            ("2026-03-27T22:00:00", true),
            ("2026-03-28T05:59:59", true),
            ("2026-03-28T06:00:00", false),
            ("2026-03-27T05:00:00", false),
            ("2026-03-28T22:00:00", false),
        ] {
            assert_eq!(night.expected(at(time)), expected, "{time}");
        }
    }

    #[test]
    fn what_is_not_hours_is_refused() {
        assert!(Hours::parse("UTC", "00:00-24:00", "sat-mon").is_ok());
        for (zone, hours, days) in [
            ("Mars/Base", "08:00-18:00", "mon"),
            ("+1", "08:00-18:00", "mon"),
            ("+25:00", "08:00-18:00", "mon"),
            ("UTC", "8-18", "mon"),
            ("UTC", "08:00-08:00", "mon"),
            ("UTC", "08:60-18:00", "mon"),
            ("UTC", "08:00-25:00", "mon"),
            ("UTC", "08:00-18:00", "monday"),
            ("UTC", "08:00-18:00", ""),
        ] {
            assert!(Hours::parse(zone, hours, days).is_err(), "{zone} {hours} {days}");
        }
    }
}
