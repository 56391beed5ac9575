//! What breaks, and when: faults by request index.
//!
//! What lives here: [`Fault`], [`FaultScript`] and their text form `INDEX:FAULT`. What this file must not know: how a
//! fault is carried out.

use std::ops::RangeInclusive;
use std::str::FromStr;

use super::switches::Family;
use super::words::{BadText, number};

/// The body of an error reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorBody {
    /// JSON of the service.
    #[default]
    Service,
    /// JSON of the gateway.
    Gateway,
    /// A page for people.
    Html,
    /// Nothing.
    Empty,
}

/// One thing that goes wrong with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An error reply. `status=503`, `status=503/html`, `status=429/gateway/retry-after=7`.
    Status {
        /// The status.
        status: u16,
        /// The body.
        body: ErrorBody,
        /// The text of `Retry-After`, whatever it is.
        retry_after: Option<String>,
    },
    /// A 401 for want of quota. `quota`.
    Quota,
    /// The connection is reset before anything was sent. `reset`.
    Reset,
    /// This many bytes of the body are sent, then the connection is reset. `reset=100`.
    ResetAfter(u64),
    /// This many bytes of the body are sent, then the connection is closed. `cut=100`.
    Cut(u64),
    /// This many bytes of the whole reply, head included, are sent, then the connection is closed. `cut-raw=17`.
    CutRaw(u64),
    /// `Content-Length` is off by this much; the connection is closed after the body. `length=+10`.
    Length(i64),
    /// The head comes at this many bytes a second. `slow-head=10`.
    SlowHead(u64),
    /// The body comes at this many bytes a second. `slow-body=100`.
    SlowBody(u64),
    /// The body never ends. `endless-body`.
    EndlessBody,
    /// The head never ends. `endless-head`.
    EndlessHead,
    /// Nothing is ever sent. `hang`.
    Hang,
    /// A redirect. `redirect=http://example.com/`, `redirect=307/http://example.com/`; without URL, no `Location`.
    Redirect {
        /// The status.
        status: u16,
        /// The text of `Location`; none if empty.
        location: String,
    },
    /// A compressed body of this many MiB of white space. `bomb=1024`.
    Bomb(u64),
    /// 200 with a page for people. `html`.
    Html,
    /// 200 with this body as JSON. `body=null`, `body=[]`, `body={}`; `empty` for none.
    Body(String),
    /// 200 with the body of an error. `error-body`.
    ErrorBody,
    /// The JSON ends after this many bytes, with a matching length. `truncate=100`.
    Truncate(u64),
    /// The true reply with another content type; none if empty. `content-type=text/plain`.
    ContentType(String),
    /// The true reply claims this encoding without having it. `content-encoding=br`.
    ContentEncoding(String),
    /// The first text of the first event is not UTF-8. `invalid-utf8`.
    InvalidUtf8,
    /// This bit of the body, modulo its length, is flipped. `flip=1234`.
    Flip(u64),
    /// The true reply, this many milliseconds later. `delay=500`.
    Delay(u64),
}

/// Which faults meet which requests. Where several entries name a request, the last one counts.
#[derive(Clone, Debug, Default)]
pub struct FaultScript {
    entries: Vec<(RangeInclusive<u64>, Fault)>,
}

impl FaultScript {
    /// The request of this index, counted from 0 over all requests, meets this fault.
    #[must_use]
    pub fn at(self, index: u64, fault: Fault) -> Self {
        self.during(index..=index, fault)
    }

    /// Every request from this index on meets this fault.
    #[must_use]
    pub fn from(self, index: u64, fault: Fault) -> Self {
        self.during(index..=u64::MAX, fault)
    }

    /// The requests of these indexes meet this fault.
    #[must_use]
    pub fn during(mut self, indexes: RangeInclusive<u64>, fault: Fault) -> Self {
        self.entries.push((indexes, fault));
        self
    }

    /// Adds an entry from its text: `3:status=503`, `5..:reset` (from 5 on), `5..9:hang` (5 to 8).
    ///
    /// # Errors
    /// If the text is not an index or range, a colon and a fault.
    pub fn with(self, text: &str) -> Result<Self, BadText> {
        let (place, fault) = text
            .split_once(':')
            .ok_or_else(|| BadText::new(format!("a fault is INDEX:FAULT, got {text:?}")))?;
        let what = "the request of a fault";
        let indexes = match place.split_once("..") {
            None => {
                let index = number(what, place)?;
                index..=index
            }
            Some((from, "")) => number(what, from)?..=u64::MAX,
            Some((from, to)) => {
                let to: u64 = number(what, to)?;
                let from = number(what, from)?;
                if to <= from {
                    return Err(BadText::new(format!("the range of a fault is empty: {place:?}")));
                }
                from..=to - 1
            }
        };
        Ok(self.during(indexes, fault.parse()?))
    }

    pub(super) fn get(&self, index: u64) -> Option<&Fault> {
        self.entries.iter().rev().find(|(indexes, _)| indexes.contains(&index)).map(|(_, fault)| fault)
    }
}

const KNOWN: [&str; 25] = [
    "status=CODE[/service|/gateway|/html|/empty][/retry-after=TEXT]",
    "quota",
    "reset",
    "reset=BYTES",
    "cut=BYTES",
    "cut-raw=BYTES",
    "length=+N|-N",
    "slow-head=BYTES_PER_SECOND",
    "slow-body=BYTES_PER_SECOND",
    "endless-body",
    "endless-head",
    "hang",
    "redirect=[CODE/]URL",
    "bomb=MIB",
    "html",
    "empty",
    "body=TEXT",
    "error-body",
    "truncate=BYTES",
    "content-type=TEXT",
    "content-encoding=TEXT",
    "invalid-utf8",
    "flip=BIT",
    "delay=MILLISECONDS",
    "none",
];

impl FromStr for Fault {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        if text.contains(|letter: char| letter.is_control()) {
            return Err(BadText::new("a fault has no control characters"));
        }
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        Ok(match (name, value) {
            ("status", Some(value)) => status(value)?,
            ("quota", None) => Self::Quota,
            ("reset", None) => Self::Reset,
            ("reset", Some(bytes)) => Self::ResetAfter(number(name, bytes)?),
            ("cut", Some(bytes)) => Self::Cut(number(name, bytes)?),
            ("cut-raw", Some(bytes)) => Self::CutRaw(number(name, bytes)?),
            ("length", Some(by)) => Self::Length(number(name, by)?),
            ("slow-head", Some(pace)) => Self::SlowHead(number(name, pace)?),
            ("slow-body", Some(pace)) => Self::SlowBody(number(name, pace)?),
            ("endless-body", None) => Self::EndlessBody,
            ("endless-head", None) => Self::EndlessHead,
            ("hang", None) => Self::Hang,
            ("redirect", Some(target)) => redirect(target),
            ("bomb", Some(size)) => Self::Bomb(number(name, size)?),
            ("html", None) => Self::Html,
            ("empty", None) => Self::Body(String::new()),
            ("body", Some(body)) => Self::Body(body.to_owned()),
            ("error-body", None) => Self::ErrorBody,
            ("truncate", Some(bytes)) => Self::Truncate(number(name, bytes)?),
            ("content-type", Some(value)) => Self::ContentType(value.to_owned()),
            ("content-encoding", Some(value)) => Self::ContentEncoding(value.to_owned()),
            ("invalid-utf8", None) => Self::InvalidUtf8,
            ("flip", Some(bit)) => Self::Flip(number(name, bit)?),
            ("delay", Some(millis)) => Self::Delay(number(name, millis)?),
            // An exception inside a wider range: the true reply, at once.
            ("none", None) => Self::Delay(0),
            _ => return Err(BadText::unknown("fault", text, &KNOWN)),
        })
    }
}

fn status(text: &str) -> Result<Fault, BadText> {
    let (code, mut rest) = text.split_once('/').unwrap_or((text, ""));
    let status: u16 = number("status", code)?;
    if !(200..=599).contains(&status) {
        return Err(BadText::new(format!("a status is 200 to 599, got {status}")));
    }
    let (mut body, mut retry_after) = (ErrorBody::Service, None);
    // The text of Retry-After goes to the end: a date may hold anything.
    while !rest.is_empty() {
        if let Some(value) = rest.strip_prefix("retry-after=") {
            retry_after = Some(value.to_owned());
            break;
        }
        let (word, after) = rest.split_once('/').unwrap_or((rest, ""));
        body = match word {
            "service" => ErrorBody::Service,
            "gateway" => ErrorBody::Gateway,
            "html" => ErrorBody::Html,
            "empty" => ErrorBody::Empty,
            _ => return Err(BadText::unknown("fault", text, &KNOWN)),
        };
        rest = after;
    }
    Ok(Fault::Status { status, body, retry_after })
}

fn redirect(text: &str) -> Fault {
    let code = text.split_once('/').and_then(|(code, url)| Some((code.parse::<u16>().ok()?, url)));
    match code {
        Some((status @ 300..=399, url)) => Fault::Redirect { status, location: url.to_owned() },
        _ => Fault::Redirect { status: 302, location: text.to_owned() },
    }
}

impl ErrorBody {
    pub(super) const fn family(self) -> Option<Family> {
        match self {
            Self::Service => Some(Family::Service),
            Self::Gateway => Some(Family::Gateway),
            Self::Html | Self::Empty => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_places_and_faults() {
        let script = [
            "3:status=503",
            "5..:reset",
            "7..9:status=429/gateway/retry-after=Sun, 06 Nov 1994 08:49:37 GMT",
        ]
        .into_iter()
        .try_fold(FaultScript::default(), FaultScript::with)
        .unwrap();
        let late = Fault::Status {
            status: 429,
            body: ErrorBody::Gateway,
            retry_after: Some("Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
        };
        assert_eq!(script.get(2), None);
        assert_eq!(
            script.get(3),
            Some(&Fault::Status { status: 503, body: ErrorBody::Service, retry_after: None })
        );
        assert_eq!(script.get(4), None);
        assert_eq!(script.get(6), Some(&Fault::Reset));
        assert_eq!((script.get(7), script.get(8)), (Some(&late), Some(&late)));
        assert_eq!(script.get(u64::MAX), Some(&Fault::Reset));
    }

    #[test]
    fn reads_redirects_with_and_without_status() {
        let read = |text: &str| match text.parse() {
            Ok(Fault::Redirect { status, location }) => (status, location),
            other => panic!("{other:?}"),
        };
        assert_eq!(read("redirect=http://a/b"), (302, "http://a/b".to_owned()));
        assert_eq!(read("redirect=307/http://a/b"), (307, "http://a/b".to_owned()));
        assert_eq!(read("redirect=301/"), (301, String::new()));
    }

    #[test]
    fn refuses_what_is_no_fault_and_says_what_is() {
        for bad in ["", "3", "x:reset", "9..9:reset", "1:explode", "1:cut", "1:status=99", "1:body=\r\n"] {
            assert!(FaultScript::default().with(bad).is_err(), "{bad}");
        }
        assert!("explode".parse::<Fault>().unwrap_err().to_string().contains("slow-body"));
    }
}
