//! The parameters of `GET /events`.
//!
//! What lives here: decoding a query string into [`Query`] under the switches that concern reading. What this file
//! must not know: events.

use super::behaviour::Behaviour;
use super::clock;
use super::switches::{Bound, EndOf, Honour, Invalid, Size};

/// The largest page (documented) and the size without `size` (documented).
const LARGEST: u64 = 100;
const USUAL: u64 = 30;

/// A request for a list, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) from: Option<Edge>,
    pub(super) to: Option<Edge>,
    /// Any of these types; all if absent.
    pub(super) types: Option<Vec<String>>,
    pub(super) search: Option<String>,
    /// From 1.
    pub(super) page: u64,
    pub(super) size: u64,
    /// The parameters other than `page` and `size`, as received: what links repeat.
    pub(super) rest: String,
}

/// A bound of the date filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    /// Milliseconds since 1970.
    pub(super) millis: i64,
    pub(super) inclusive: bool,
}

impl Query {
    /// Reads a query string; an error is the sentence of a 400.
    pub(super) fn read(text: &str, behaviour: &Behaviour) -> Result<Self, String> {
        let mut query = Self {
            from: None,
            to: None,
            types: None,
            search: None,
            page: 1,
            size: USUAL,
            rest: String::new(),
        };
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = decode(value);
            match decode(key).as_str() {
                "page" => query.page = whole("page", &value, 1, behaviour)?,
                "size" => query.size = whole("size", &value, USUAL, behaviour)?,
                name => {
                    match name {
                        "date_from" => query.from = edge(name, &value, behaviour)?,
                        "date_to" => query.to = edge(name, &value, behaviour)?,
                        "event_type" if behaviour.types == Honour::Honoured && !value.is_empty() => {
                            query.types = Some(value.split(',').map(|name| name.trim().to_owned()).collect());
                        }
                        "search_text" if !value.is_empty() => query.search = Some(value),
                        _ => {}
                    }
                    if !query.rest.is_empty() {
                        query.rest.push('&');
                    }
                    query.rest.push_str(part);
                }
            }
        }
        if query.size > LARGEST {
            if behaviour.invalid_page == Invalid::Refused {
                return Err(format!("size must be at most {LARGEST}"));
            }
            query.size = LARGEST;
        }
        match behaviour.size {
            Size::Honoured => {}
            Size::Fixed(size) => query.size = size,
            Size::Capped(size) => query.size = query.size.min(size),
        }
        if behaviour.page == Honour::Ignored {
            query.page = 1;
        }
        if behaviour.filter == Honour::Ignored {
            (query.from, query.to) = (None, None);
        }
        Ok(query)
    }
}

fn whole(name: &str, value: &str, usual: u64, behaviour: &Behaviour) -> Result<u64, String> {
    match value.parse::<u64>() {
        Ok(number) if number > 0 => Ok(number),
        _ if behaviour.invalid_page == Invalid::Clamped => Ok(usual),
        _ => Err(format!("{name} must be a positive whole number")),
    }
}

/// A bound: cut to the granularity, moved into the server's zone, and at the end of its day if that is meant.
fn edge(name: &str, value: &str, behaviour: &Behaviour) -> Result<Option<Edge>, String> {
    let Some(moment) = clock::parse(value) else {
        return match behaviour.invalid_date {
            Invalid::Clamped => Ok(None),
            Invalid::Refused => Err(format!("{name} is not an ISO-8601 date-time")),
        };
    };
    let upper = name == "date_to";
    let step = if moment.date_only { clock::DAY } else { behaviour.granularity.seconds() } * 1000;
    let start = moment.millis.div_euclid(step) * step + behaviour.zone.saturating_mul(1000);
    if upper && step > 1000 && behaviour.date_to == EndOf::End {
        return Ok(Some(Edge { millis: start + step - 1, inclusive: true }));
    }
    let bound = if upper { behaviour.upper } else { behaviour.lower };
    Ok(Some(Edge { millis: start, inclusive: bound == Bound::Inclusive }))
}

/// Decodes percent escapes and `+`; what is not an escape stays as it is.
pub(super) fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => out.push(b' '),
            b'%' => {
                let escape = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
                match escape.and_then(|two| u8::from_str_radix(two, 16).ok()) {
                    Some(byte) => {
                        out.push(byte);
                        rest = after.get(2..).unwrap_or_default();
                    }
                    None => out.push(b'%'),
                }
            }
            other => out.push(*other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, switches: &str) -> Result<Query, String> {
        Query::read(text, &switches.parse().unwrap())
    }

    #[test]
    fn has_the_documented_defaults_and_limits() {
        let query = read("", "").unwrap();
        assert_eq!((query.page, query.size, query.from, query.types), (1, 30, None, None));
        assert_eq!(read("size=101&page=3", "").unwrap().size, 100);
        assert!(read("size=101", "invalid-page=400").is_err());
        assert_eq!(read("page=x&size=-1", "").unwrap(), read("", "").unwrap());
        assert_eq!(read("size=50", "size=fixed:5000").unwrap().size, 5000);
        assert_eq!(read("size=50&page=7", "size=capped:20,page=ignored").unwrap().size, 20);
    }

    #[test]
    fn reads_types_text_and_what_links_repeat() {
        let query = read("page=2&event_type=A,B&search_text=a%20%22b%22&x=%zz&size=5", "").unwrap();
        assert_eq!(query.types.unwrap(), ["A", "B"]);
        assert_eq!(query.search.unwrap(), "a \"b\"");
        assert_eq!(query.rest, "event_type=A,B&search_text=a%20%22b%22&x=%zz");
    }

    #[test]
    fn bounds_follow_their_switches() {
        let to = |text: &str, switches: &str| read(&format!("date_to={text}"), switches).unwrap().to.unwrap();
        let midnight = 1_533_081_600_000;
        assert_eq!(to("2018-08-01", ""), Edge { millis: midnight, inclusive: true });
        assert!(!to("2018-08-01", "upper=exclusive").inclusive);
        let end = Edge { millis: midnight + 86_399_999, inclusive: true };
        assert_eq!(to("2018-08-01", "date-to=end,upper=exclusive"), end);
        assert_eq!(to("2018-08-01T10:11:12", "date-to=end,granularity=day"), end);
        assert_eq!(to("2018-08-01T10:11:12", "granularity=day").millis, midnight);
        assert_eq!(to("2018-08-01T00:00:00", "zone=-3600").millis, midnight - 3_600_000);
        assert_eq!(to("2018-08-01T02:00:00+02:00", "").millis, midnight);
        assert_eq!(read("date_from=2018-08-01", "filter=ignored").unwrap().from, None);
        assert!(read("date_from=soon", "invalid-date=400").is_err());
        assert_eq!(read("date_from=soon", "").unwrap().from, None);
    }
}
