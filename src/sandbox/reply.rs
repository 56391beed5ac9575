//! Replies as values: a status, headers and a body, and the documented bodies.
//!
//! What lives here: [`Reply`], the list envelope and both families of errors. What this file must not know: sockets,
//! and which events a query selects.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;

use super::behaviour::Behaviour;
use super::population::KINDS;
use super::query::Query;
use super::switches::{Empty, Family, Links, PageSize, Totals};

/// The content type of every JSON reply (seen).
pub(super) const JSON: &str = "application/json;charset=UTF-8";

/// What is answered, before it becomes bytes on a connection.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: vec![("content-type", JSON.to_owned())], body: body.into() }
    }

    /// Sets a header, replacing one of the same name.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    #[must_use]
    pub(super) fn without(mut self, name: &'static str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self
    }

    /// The same reply with its body compressed.
    #[must_use]
    pub(super) fn compressed(mut self) -> Self {
        self.body = gzip(&self.body).into();
        self.with("content-encoding", "gzip").with("vary", "Accept-Encoding")
    }

    /// An error of the service or of the gateway before it.
    pub(super) fn error(family: Family, status: u16, detail: &str) -> Self {
        let title = reason(status);
        let body = match family {
            Family::Service => {
                let mut body = format!("{{\"status\":{status},\"error\":").into_bytes();
                string(title, &mut body);
                body.extend_from_slice(b",\"message\":");
                string(detail, &mut body);
                body.push(b'}');
                body
            }
            Family::Gateway => problem(title, detail, ""),
        };
        Self::json(status, body)
    }

    /// A gateway error with a title of its own and further members (JSON, with a leading comma).
    pub(super) fn problem(status: u16, title: &str, detail: &str, more: &str) -> Self {
        Self::json(status, problem(title, detail, more))
    }

    /// A page for people.
    pub(super) fn html(status: u16) -> Self {
        let title = reason(status);
        let body = format!(
            "<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n<center><h1>{status} \
             {title}</h1></center>\r\n</body>\r\n</html>\r\n"
        );
        Self::json(status, body).with("content-type", "text/html")
    }

    /// A status and nothing else.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// The event types (documented).
    pub(super) fn types() -> Self {
        let mut body = b"{\"eventTypes\":[".to_vec();
        for (place, kind) in KINDS.iter().enumerate() {
            if place > 0 {
                body.push(b',');
            }
            body.extend_from_slice(b"{\"type\":");
            string(kind.name, &mut body);
            body.extend_from_slice(b",\"description\":");
            string(kind.description, &mut body);
            body.push(b'}');
        }
        body.extend_from_slice(b"]}");
        Self::json(200, body)
    }
}

/// What the envelope of a list says, apart from the events.
pub(super) struct Page<'a> {
    pub(super) query: &'a Query,
    pub(super) total: u64,
    /// Events in this reply.
    pub(super) returned: u64,
    /// The index of the request: what changing totals follow.
    pub(super) index: u64,
}

/// A list: `events` are the events' JSON, separated by commas.
pub(super) fn list(page: &Page<'_>, events: &[u8], behaviour: &Behaviour) -> Vec<u8> {
    let mut out = Vec::with_capacity(events.len() + 700);
    out.push(b'{');
    if page.returned > 0 || behaviour.empty == Empty::Array {
        out.extend_from_slice(b"\"_embedded\":{\"events\":[");
        out.extend_from_slice(events);
        out.extend_from_slice(b"]},");
    }
    let (total, known) = total(page, behaviour.totals);
    let pages = known.div_ceil(page.query.size);
    links(page.query, pages, &behaviour.links, &mut out);
    let size = match behaviour.page_size {
        PageSize::Requested => page.query.size,
        PageSize::Returned => page.returned,
    };
    let number = page.query.page - u64::from(behaviour.zero_based);
    out.extend_from_slice(
        format!("\"page\":{{\"size\":{size},{total}\"totalPages\":{pages},\"number\":{number}}}}}")
            .as_bytes(),
    );
    out
}

/// The member `totalElements` with a comma behind it, and the number that the pages are counted from.
fn total(page: &Page<'_>, totals: Totals) -> (String, u64) {
    let truth = page.total;
    let member = |number: u64| (format!("\"totalElements\":{number},"), number);
    let odd = |text: String| (format!("\"totalElements\":{text},"), truth);
    match totals {
        Totals::True => member(truth),
        Totals::Capped(cap) => member(truth.min(cap)),
        Totals::Off(by) => member(truth.saturating_add_signed(by)),
        Totals::Constant(number) => member(number),
        Totals::Changing => member(truth + page.index % 2),
        Totals::Absent => (String::new(), truth),
        Totals::Text => odd(format!("\"{truth}\"")),
        Totals::Null => odd("null".to_owned()),
        Totals::Negative => odd(format!("-{}", truth.saturating_add(1))),
        Totals::Huge => odd("340282366920938463463374607431768211456".to_owned()),
        Totals::Fraction => odd(format!("{truth}.5")),
    }
}

fn links(query: &Query, pages: u64, links: &Links, out: &mut Vec<u8>) {
    let base = match links {
        Links::None => return,
        Links::Http => "http://api.nexmo.com/beta/audit",
        Links::Https => "https://api.nexmo.com/beta/audit",
        Links::To(base) => base.as_str(),
    };
    out.extend_from_slice(b"\"_links\":{");
    let next = (query.page < pages).then_some(query.page + 1);
    let all = [("self", Some(query.page)), ("first", Some(1)), ("next", next), ("last", Some(pages.max(1)))];
    let mut first = true;
    for (name, page) in all.into_iter().filter_map(|(name, page)| page.map(|page| (name, page))) {
        let separator = if first { "" } else { "," };
        first = false;
        out.extend_from_slice(format!("{separator}\"{name}\":{{\"href\":").as_bytes());
        let joint = if query.rest.is_empty() { "" } else { "&" };
        string(&format!("{base}/events?{}{joint}page={page}&size={}", query.rest, query.size), out);
        out.push(b'}');
    }
    out.extend_from_slice(b"},");
}

fn problem(title: &str, detail: &str, more: &str) -> Vec<u8> {
    let mut out = b"{\"type\":\"https://developer.nexmo.com/api-errors#error\",\"title\":".to_vec();
    string(title, &mut out);
    out.extend_from_slice(b",\"detail\":");
    string(detail, &mut out);
    out.extend_from_slice(b",\"instance\":\"bf0ca0bf927b3b52e3cb03217e1a1ddf\"");
    out.extend_from_slice(more.as_bytes());
    out.push(b'}');
    out
}

fn string(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
}

/// Bytes as one gzip member.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    // Writing to memory does not fail; if it did, the client would see a damaged body, which it must survive.
    let written = encoder.write_all(bytes);
    let finished = encoder.finish().unwrap_or_default();
    if written.is_ok() { finished } else { Vec::new() }
}

/// The standard reason of a status.
pub(super) fn reason(status: u16) -> &'static str {
    hyper::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error")
}
