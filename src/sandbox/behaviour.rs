//! What the documentation leaves open, as switches.
//!
//! What lives here: [`Behaviour`], one field for each unknown, each with the documented or most likely position as
//! its default, and its text form `key=value,key=value`. What this file must not know: how a switch takes effect.

use std::str::FromStr;

use super::change::Change;
use super::switches::{
    Beyond, Bound, DateHeader, Depth, Empty, EndOf, Family, Granularity, HiddenTime, Honour, Invalid, Links,
    Order, PageSize, RetryAfter, Search, Size, Throttle, Totals,
};
use super::words::{BadText, number};

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
            "links" => self.links = value.parse()?,
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
            "date" => self.date = value.parse()?,
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

fn on(key: &str, text: &str) -> Result<bool, BadText> {
    match text {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err(BadText::unknown(key, text, &["on", "off"])),
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
