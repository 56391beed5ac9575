//! The positions of the switches, one type for each unknown that has more than two.
//!
//! What lives here: the types and their words. What this file must not know: which of them a sandbox has, and how a
//! switch takes effect.

use std::str::FromStr;

use super::words::{BadText, number, words};

words! {
    /// The order of a list. Undocumented; newest first is what the examples show.
    Order {
        /// Descending by `created_at`, the same among equal times in every reply.
        Newest = "newest",
        /// Ascending by `created_at`.
        Oldest = "oldest",
        /// Newest first, but events of one second come in another order in every reply.
        UnstableTies = "unstable-ties",
        /// Another order in every reply.
        Shuffled = "shuffled",
    }
}

words! {
    /// Whether a bound of the date filter belongs to the range. Undocumented; the examples contradict each other.
    Bound {
        /// It does.
        Inclusive = "inclusive",
        /// It does not.
        Exclusive = "exclusive",
    }
}

words! {
    /// To what a bound of the date filter is cut before it is used. Undocumented.
    Granularity {
        /// Whole seconds.
        Second = "second",
        /// Whole minutes.
        Minute = "minute",
        /// Whole hours.
        Hour = "hour",
        /// Days: the time part is not honoured.
        Day = "day",
    }
}

impl Granularity {
    /// The step in seconds.
    pub(super) const fn seconds(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Day => 86_400,
        }
    }
}

words! {
    /// What a `date_to` means that names a day (or a minute or hour, when bounds are cut to them).
    EndOf {
        /// Its first instant.
        Start = "start",
        /// Its last instant, included whatever `upper` says.
        End = "end",
    }
}

words! {
    /// Whether times have milliseconds that the filter sees and `created_at` does not show.
    HiddenTime {
        /// They have none.
        None = "none",
        /// `created_at` is the true time rounded down.
        Floor = "floor",
        /// `created_at` is the true time rounded to the nearest second.
        Round = "round",
        /// `created_at` is the true time rounded up.
        Ceil = "ceil",
    }
}

words! {
    /// Whether a parameter has its effect.
    Honour {
        /// It has.
        Honoured = "honoured",
        /// The server does as if it were absent.
        Ignored = "ignored",
    }
}

words! {
    /// How `search_text` matches. Undocumented.
    Search {
        /// Any part of the event's JSON.
        Substring = "substring",
        /// Any part, letter case aside (ASCII).
        Insensitive = "insensitive",
        /// Whole words.
        Word = "word",
    }
}

words! {
    /// What `page.size` says. Undocumented.
    PageSize {
        /// The size in effect.
        Requested = "requested",
        /// The number of events in this reply.
        Returned = "returned",
    }
}

words! {
    /// What a page beyond the last one is answered with. Undocumented.
    Beyond {
        /// 200 without events.
        Ok = "200",
        /// 404.
        NotFound = "404",
    }
}

words! {
    /// How a list without events is written. Seen: without `_embedded`.
    Empty {
        /// No `_embedded`.
        Absent = "absent",
        /// An empty array.
        Array = "array",
    }
}

words! {
    /// The shape of errors.
    Family {
        /// `status`, `error`, `message`.
        Service = "service",
        /// `type`, `title`, `detail`, `instance`.
        Gateway = "gateway",
    }
}

words! {
    /// What an unreadable parameter leads to. Undocumented.
    Invalid {
        /// The nearest valid value, or none.
        Clamped = "clamped",
        /// 400.
        Refused = "400",
    }
}

words! {
    /// Where a throttled reply says how long to wait. All four occur among the vendor's APIs.
    RetryAfter {
        /// `Retry-After` in seconds.
        Seconds = "seconds",
        /// `Retry-After` as a date.
        Date = "date",
        /// `retry_after` in the body.
        Body = "body",
        /// Nowhere.
        None = "none",
    }
}

/// What `page.totalElements` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Totals {
    /// The number of matching events.
    #[default]
    True,
    /// That number, but at most this one.
    Capped(u64),
    /// That number plus this one, at least 0.
    Off(i64),
    /// This number.
    Constant(u64),
    /// The true number in even requests, one more in odd ones.
    Changing,
    /// The member is absent.
    Absent,
    /// The true number as a text.
    Text,
    /// `null`.
    Null,
    /// The true number, negated and less one.
    Negative,
    /// A number beyond 64 bits.
    Huge,
    /// The true number with a fraction.
    Fraction,
}

/// What a request gets of the size it asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    /// What it asked for, up to 100 (documented).
    #[default]
    Honoured,
    /// This size always.
    Fixed(u64),
    /// At most this size.
    Capped(u64),
}

/// How deep pages go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// To the end.
    #[default]
    Unlimited,
    /// A page that would reach beyond this many rows is refused with this status.
    Refused {
        /// The last row that can be had.
        rows: u64,
        /// The status of the refusal.
        status: u16,
    },
    /// Rows beyond this many are left out without a word.
    Silent(u64),
}

/// The links of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Links {
    /// `http://api.nexmo.com/beta/audit` (documented).
    #[default]
    Http,
    /// The same with `https`.
    Https,
    /// No `_links`.
    None,
    /// Links that start with this text: to see who follows them.
    To(String),
}

/// The `Date` header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateHeader {
    /// The time of the machine.
    #[default]
    Now,
    /// None.
    Absent,
    /// Runs from this second since 1970, given to the first request.
    From(i64),
}

/// How many requests are let through, in windows that start with the first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// Requests in each window.
    pub requests: u64,
    /// Seconds of each window.
    pub seconds: u64,
}

impl FromStr for Totals {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        Ok(match text.split_once(':').unwrap_or((text, "")) {
            ("true", "") => Self::True,
            ("capped", cap) => Self::Capped(number("totals=capped", cap)?),
            ("off", by) => Self::Off(number("totals=off", by)?),
            ("constant", value) => Self::Constant(number("totals=constant", value)?),
            ("changing", "") => Self::Changing,
            ("absent", "") => Self::Absent,
            ("string", "") => Self::Text,
            ("null", "") => Self::Null,
            ("negative", "") => Self::Negative,
            ("huge", "") => Self::Huge,
            ("fraction", "") => Self::Fraction,
            _ => {
                let known = [
                    "true",
                    "capped:N",
                    "off:N",
                    "constant:N",
                    "changing",
                    "absent",
                    "string",
                    "null",
                    "negative",
                    "huge",
                    "fraction",
                ];
                return Err(BadText::unknown("totals", text, &known));
            }
        })
    }
}

impl FromStr for Size {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        match text.split_once(':').unwrap_or((text, "")) {
            ("honoured", "") => Ok(Self::Honoured),
            ("fixed", size) => Ok(Self::Fixed(number::<u64>("size=fixed", size)?.clamp(1, 100_000))),
            ("capped", size) => Ok(Self::Capped(number::<u64>("size=capped", size)?.clamp(1, 100_000))),
            _ => Err(BadText::unknown("size", text, &["honoured", "fixed:N", "capped:N"])),
        }
    }
}

impl FromStr for Depth {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        match text.split_once(':') {
            None if text == "unlimited" => Ok(Self::Unlimited),
            Some((rows, "empty")) => Ok(Self::Silent(number("depth", rows)?)),
            Some((rows, status @ ("400" | "500"))) => {
                Ok(Self::Refused { rows: number("depth", rows)?, status: number("depth", status)? })
            }
            _ => Err(BadText::unknown("depth", text, &["unlimited", "N:400", "N:500", "N:empty"])),
        }
    }
}

impl FromStr for Throttle {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let (requests, seconds) = text
            .split_once('/')
            .ok_or_else(|| BadText::new(format!("a throttle is REQUESTS/SECONDS, got {text:?}")))?;
        let seconds = number("the seconds of a throttle", seconds.strip_suffix('s').unwrap_or(seconds))?;
        Ok(Self { requests: number("the requests of a throttle", requests)?, seconds })
    }
}

impl FromStr for Links {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        match text {
            "http" => Ok(Self::Http),
            "https" => Ok(Self::Https),
            "none" => Ok(Self::None),
            _ if text.contains(':') && !text.contains(['"', '\\']) => Ok(Self::To(text.to_owned())),
            _ => Err(BadText::unknown("links", text, &["http", "https", "none", "a URL"])),
        }
    }
}

impl FromStr for DateHeader {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        match text {
            "now" => Ok(Self::Now),
            "absent" => Ok(Self::Absent),
            _ => super::clock::parse(text)
                .map(|moment| Self::From(moment.millis.div_euclid(1000)))
                .ok_or_else(|| BadText::unknown("date", text, &["now", "absent", "a date and time"])),
        }
    }
}
