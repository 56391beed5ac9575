//! What the documentation leaves open, as switches.
//!
//! What lives here: [`Behaviour`], one field for each unknown, each with the documented or most likely position as
//! its default, and its text form `key=value,key=value`. What this file must not know: how a switch takes effect.

use std::str::FromStr;

use super::change::Change;
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

/// The switches. `Behaviour::default()` is what is documented or most likely.
///
/// Each field is the key of its text form with `-` for `_`: `order=oldest,totals=capped:10000,date-to=end`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// The order of a list.
    pub order: Order,
    /// Whether `date_from` belongs to the range.
    pub lower: Bound,
    /// Whether `date_to` belongs to the range.
    pub upper: Bound,
    /// What bounds are cut to.
    pub granularity: Granularity,
    /// What a `date_to` means that names a day.
    pub date_to: EndOf,
    /// Seconds that the server adds to each bound: the offset of its zone with the sign turned.
    pub zone: i64,
    /// Whether times have milliseconds that are not shown.
    pub hidden: HiddenTime,
    /// Whether the date filter has an effect.
    pub filter: Honour,
    /// Whether `event_type` has an effect.
    pub types: Honour,
    /// How `search_text` matches.
    pub search: Search,
    /// `page.number` counts from 0 instead of 1.
    pub zero_based: bool,
    /// Whether `page` has an effect.
    pub page: Honour,
    /// What `page.size` says.
    pub page_size: PageSize,
    /// What `size` leads to.
    pub size: Size,
    /// What a page beyond the end leads to.
    pub beyond: Beyond,
    /// How a list without events is written.
    pub empty: Empty,
    /// How deep pages go.
    pub depth: Depth,
    /// What `page.totalElements` says.
    pub totals: Totals,
    /// The page of this number lacks its last event, if it is not the last page.
    pub short_page: Option<u64>,
    /// The links of a list.
    pub links: Links,
    /// The shape of errors.
    pub errors: Family,
    /// Every request is refused for want of quota: a 401 that is no matter of credentials (documented).
    pub no_quota: bool,
    /// How many requests are let through.
    pub throttle: Option<Throttle>,
    /// A throttled request gets 403 (other APIs of the vendor) instead of 429.
    pub throttle_403: bool,
    /// Where a throttled reply says how long to wait.
    pub retry_after: RetryAfter,
    /// Events of any age that become visible late.
    pub arrive: Vec<Change>,
    /// The newest events, which become visible late.
    pub arrive_newest: Vec<Change>,
    /// Events that vanish.
    pub vanish: Vec<Change>,
    /// Events whose content changes under the same id.
    pub rewrite: Vec<Change>,
    /// Over how many replicas requests rotate, beyond the first; each lags behind the one before.
    pub replicas: u64,
    /// By how many requests a replica lags behind the one before.
    pub lag: u64,
    /// Replies are compressed if the client accepts gzip.
    pub gzip: bool,
    /// The `Date` header.
    pub date: DateHeader,
    /// What an unreadable `page` or `size` leads to.
    pub invalid_page: Invalid,
    /// What an unreadable date leads to.
    pub invalid_date: Invalid,
    /// Milliseconds before each reply.
    pub delay_ms: u64,
}

impl Behaviour {
    /// Sets one switch from its text.
    ///
    /// # Errors
    /// If the key or the value is unknown; the text of the error says what is known.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), BadText> {
        match key {
            "order" => self.order = value.parse()?,
            "lower" => self.lower = value.parse()?,
            "upper" => self.upper = value.parse()?,
            "granularity" => self.granularity = value.parse()?,
            "date-to" => self.date_to = value.parse()?,
            "zone" => self.zone = number(key, value)?,
            "hidden" => self.hidden = value.parse()?,
            "filter" => self.filter = value.parse()?,
            "types" => self.types = value.parse()?,
            "search" => self.search = value.parse()?,
            "zero-based" => self.zero_based = on(key, value)?,
            "page" => self.page = value.parse()?,
            "page-size" => self.page_size = value.parse()?,
            "size" => self.size = value.parse()?,
            "beyond" => self.beyond = value.parse()?,
            "empty" => self.empty = value.parse()?,
            "depth" => self.depth = value.parse()?,
            "totals" => self.totals = value.parse()?,
            "short-page" => self.short_page = Some(number(key, value)?),
            "links" => self.links = links(value)?,
            "errors" => self.errors = value.parse()?,
            "no-quota" => self.no_quota = on(key, value)?,
            "throttle" => self.throttle = Some(value.parse()?),
            "throttle-403" => self.throttle_403 = on(key, value)?,
            "retry-after" => self.retry_after = value.parse()?,
            "arrive" => self.arrive.push(value.parse()?),
            "arrive-newest" => self.arrive_newest.push(value.parse()?),
            "vanish" => self.vanish.push(value.parse()?),
            "rewrite" => self.rewrite.push(value.parse()?),
            "replicas" => self.replicas = number(key, value)?,
            "lag" => self.lag = number(key, value)?,
            "gzip" => self.gzip = on(key, value)?,
            "date" => self.date = date(value)?,
            "invalid-page" => self.invalid_page = value.parse()?,
            "invalid-date" => self.invalid_date = value.parse()?,
            "delay-ms" => self.delay_ms = number(key, value)?,
            _ => return Err(BadText::unknown("behaviour", key, &KEYS)),
        }
        Ok(())
    }
}

const KEYS: [&str; 36] = [
    "order",
    "lower",
    "upper",
    "granularity",
    "date-to",
    "zone",
    "hidden",
    "filter",
    "types",
    "search",
    "zero-based",
    "page",
    "page-size",
    "size",
    "beyond",
    "empty",
    "depth",
    "totals",
    "short-page",
    "links",
    "errors",
    "no-quota",
    "throttle",
    "throttle-403",
    "retry-after",
    "arrive",
    "arrive-newest",
    "vanish",
    "rewrite",
    "replicas",
    "lag",
    "gzip",
    "date",
    "invalid-page",
    "invalid-date",
    "delay-ms",
];

impl FromStr for Behaviour {
    type Err = BadText;

    /// Reads `key=value,key=value`; an empty text is the default.
    fn from_str(text: &str) -> Result<Self, BadText> {
        let mut behaviour = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| BadText::new(format!("a behaviour is KEY=VALUE, got {part:?}")))?;
            behaviour.set(key, value)?;
        }
        Ok(behaviour)
    }
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

fn on(key: &str, text: &str) -> Result<bool, BadText> {
    match text {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err(BadText::unknown(key, text, &["on", "off"])),
    }
}

fn links(text: &str) -> Result<Links, BadText> {
    match text {
        "http" => Ok(Links::Http),
        "https" => Ok(Links::Https),
        "none" => Ok(Links::None),
        _ if text.contains(':') && !text.contains(['"', '\\']) => Ok(Links::To(text.to_owned())),
        _ => Err(BadText::unknown("links", text, &["http", "https", "none", "a URL"])),
    }
}

fn date(text: &str) -> Result<DateHeader, BadText> {
    match text {
        "now" => Ok(DateHeader::Now),
        "absent" => Ok(DateHeader::Absent),
        _ => super::clock::parse(text)
            .map(|moment| DateHeader::From(moment.millis.div_euclid(1000)))
            .ok_or_else(|| BadText::unknown("date", text, &["now", "absent", "a date and time"])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_settable_and_named() {
        for key in KEYS {
            let text = Behaviour::default().set(key, "\u{1}").unwrap_err().to_string();
            assert!(!text.contains("unknown behaviour"), "{key}: {text}");
        }
        assert!(Behaviour::default().set("odrer", "x").unwrap_err().to_string().contains("order"));
    }

    #[test]
    fn reads_a_list_of_switches() {
        let read: Behaviour =
            "order=oldest,totals=off:-1, depth=10000:400,throttle=5/1s,arrive=3@10,arrive=1@20,date-to=end"
                .parse()
                .unwrap();
        assert_eq!(read.order, Order::Oldest);
        assert_eq!(read.totals, Totals::Off(-1));
        assert_eq!(read.depth, Depth::Refused { rows: 10_000, status: 400 });
        assert_eq!(read.throttle, Some(Throttle { requests: 5, seconds: 1 }));
        assert_eq!(read.arrive, [Change { count: 3, at: 10 }, Change { count: 1, at: 20 }]);
        assert_eq!(read.date_to, EndOf::End);
        assert_eq!("".parse(), Ok(Behaviour::default()));
        for bad in ["order", "order=upwards", "depth=5", "links=nowhere", "totals=capped:x"] {
            assert!(bad.parse::<Behaviour>().is_err(), "{bad}");
        }
    }
}
