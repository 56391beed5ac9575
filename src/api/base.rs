//! The configured base of all URLs, and the URLs built from it.
//!
//! What lives here: the check of the base and percent-encoding. What this file must not know: requests and replies.
//! A base is accepted only in the form in which it is used: if parsing would change it (a decimal IP address, a
//! backslash, a tab, a host outside ASCII, dot segments), the text and the place connected to could differ, so it is
//! refused with the form to write instead.

use std::net::IpAddr;

use reqwest::Url;

use crate::error::{Error, Result};
use crate::model::Query;

/// The documented base of the Audit API (still Beta).
pub const DEFAULT_BASE: &str = "https://api.nexmo.com/beta/audit";

/// Longest URL that is sent, in bytes; servers and proxies commonly refuse more than 8 KiB.
const MAX_URL: usize = 8_000;

/// A checked base without trailing slash.
#[derive(Clone, Debug)]
pub(super) struct Base {
    text: String,
    secure: bool,
    loopback: bool,
}

impl Base {
    pub(super) fn parse(text: &str) -> Result<Self> {
        // The text itself is printed only when it cannot hold a password.
        let refuse = |why: &str| {
            Err(Error::usage(format!("the API's URL {why}"))
                .hint(format!("write it as https://host[:port][/path], for example {DEFAULT_BASE}")))
        };
        if text.contains('@') {
            return refuse("must not hold a user name or password, or any @");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return refuse("must be printable ASCII without spaces");
        }
        if text.contains(['?', '#', '\\', '%']) {
            return refuse("must not hold a query, a fragment, a backslash or percent-encoding");
        }
        let Ok(url) = Url::parse(text) else {
            return refuse("cannot be read");
        };
        let secure = url.scheme() == "https";
        if !secure && url.scheme() != "http" {
            return refuse("must begin with https://");
        }
        let canonical = url.as_str().trim_end_matches('/');
        if !canonical.eq_ignore_ascii_case(text.trim_end_matches('/')) {
            return Err(Error::usage("the API's URL is not written in its plain form")
                .at("url", text)
                .hint(format!("if this is the place that is meant, write {canonical}")));
        }
        let loopback = is_loopback(url.host_str().unwrap_or(""));
        if !secure && !loopback {
            return Err(Error::usage("the API's URL would send the secret in clear text")
                .at("url", canonical)
                .hint("use https; http is accepted for 127.0.0.0/8, [::1] and localhost only"));
        }
        Ok(Self { text: canonical.to_owned(), secure, loopback })
    }

    /// The base as text; holds no secret.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is https; the rest is http on loopback.
    pub(super) fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether it is on this machine by its name.
    pub(super) fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// The list itself, for `OPTIONS`.
    pub(super) fn types(&self) -> Result<Url> {
        self.url("/events")
    }

    /// Page `number` (from 1) of a query, `size` events a page.
    pub(super) fn page(&self, query: &Query, number: u32, size: u32) -> Result<Url> {
        let mut tail = format!("/events?page={number}&size={size}");
        if let Some(from) = query.from {
            tail.push_str(&format!("&date_from={from}"));
        }
        if let Some(to) = query.to {
            tail.push_str(&format!("&date_to={to}"));
        }
        for (position, name) in query.event_types.iter().enumerate() {
            // A comma-separated list is documented by the tutorial only.
            tail.push_str(if position == 0 { "&event_type=" } else { "," });
            encode(&mut tail, name);
        }
        if let Some(text) = &query.search_text {
            tail.push_str("&search_text=");
            encode(&mut tail, text);
        }
        self.url(&tail)
    }

    /// One event.
    pub(super) fn event(&self, id: &str) -> Result<Url> {
        // URL parsers take these as path segments that mean another place, even when percent-encoded.
        if matches!(id, "" | "." | "..") {
            return Err(Error::usage("not the id of an event").at("event", id));
        }
        let mut tail = "/events/".to_owned();
        encode(&mut tail, id);
        self.url(&tail)
    }

    fn url(&self, tail: &str) -> Result<Url> {
        let text = format!("{}{tail}", self.text);
        if text.len() > MAX_URL {
            return Err(Error::usage(format!(
                "the question to the API is longer than {MAX_URL} bytes: {}",
                text.len()
            ))
            .hint("ask for fewer event types or a shorter search text"));
        }
        let url = Url::parse(&text).map_err(|error| Error::bug("a URL was built wrongly").because(error))?;
        if url.as_str() != text {
            return Err(Error::bug("a URL was changed by its parser"));
        }
        Ok(url)
    }
}

/// Whether this host, as the URL parser prints it, is this machine whatever a resolver says; `localhost` is pinned to
/// the loopback addresses by the client.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub(super) fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::model::Timestamp;
    use proptest::prelude::*;

    #[test]
    fn accepts_plain_https_and_plain_loopback() {
        for (text, kept) in [
            (DEFAULT_BASE, DEFAULT_BASE),
            ("https://api.nexmo.com/beta/audit///", DEFAULT_BASE),
            ("HTTPS://API.nexmo.com/beta/audit", DEFAULT_BASE),
            ("https://proxy.example:8443", "https://proxy.example:8443"),
            ("https://xn--e1afmkfd.example/a", "https://xn--e1afmkfd.example/a"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://127.255.0.9/x", "http://127.255.0.9/x"),
            ("http://[::1]:9/x", "http://[::1]:9/x"),
            ("http://localhost:1/", "http://localhost:1"),
        ] {
            assert_eq!(Base::parse(text).unwrap().as_str(), kept, "{text}");
        }
    }

    #[test]
    fn refuses_every_trick_as_usage() {
        for text in [
            "",
            " ",
            "api.nexmo.com",
            "//api.nexmo.com",
            "ftp://api.nexmo.com",
            "file:///etc/passwd",
            "data:text/plain,x",
            "javascript:1",
            "https://",
            "https:///",
            "https:api.nexmo.com",
            "https:/api.nexmo.com",
            "https:///api.nexmo.com",
            "http://api.nexmo.com/beta/audit",
            "http://10.0.0.1",
            "http://169.254.169.254",
            "http://0.0.0.0",
            "http://0",
            "http://[::]",
            "http://128.0.0.1",
            "http://126.255.255.255",
            "http://2130706433",
            "http://0x7f000001",
            "http://0x7f.1",
            "http://0177.0.0.1",
            "http://127.1",
            "http://127.0.0.1.",
            "http://127.0.0.1.nip.io",
            "http://localhost.",
            "http://localhost.example",
            "http://xlocalhost",
            "http://[::ffff:127.0.0.1]",
            "http://[::ffff:7f00:1]",
            "http://[0:0:0:0:0:0:0:1]",
            "http://[::127.0.0.1]",
            "http://[fe80::1]",
            "http://[::1",
            "http://[::1%25lo]",
            "https://2130706433",
            "https://0x7f000001",
            "https://api.nexmo.com@evil.example",
            "https://user:pass@api.nexmo.com",
            "https://@api.nexmo.com",
            "https://api.nexmo.com?x=1",
            "https://api.nexmo.com/beta/audit?",
            "https://api.nexmo.com#x",
            "https://api.nexmo.com\\@evil.example",
            "https:\\\\evil.example",
            "https://api.nexmo.com/\t",
            "https://api.nex\tmo.com",
            "https://api.nex\nmo.com",
            "https://api.nexmo.com\r\nHost: evil",
            " https://api.nexmo.com",
            "https://api.nexmо.com",
            "https://ａｐｉ.nexmo.com",
            "https://api。nexmo.com",
            "https://api.nexmo.com%2eevil.example",
            "https://%61pi.nexmo.com",
            "https://api.nexmo.com/a/../b",
            "https://api.nexmo.com/./b",
            "https://api.nexmo.com/%2e%2e/b",
            "https://api.nexmo.com:443/beta",
            "https://api.nexmo.com:99999",
            "https://api.nexmo.com:x",
            "https://api.nexmo.com\0",
            "https://api nexmo.com",
        ] {
            let error = Base::parse(text).map(|base| base.text).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage, "{text:?}");
        }
        let error = Base::parse("https://user:hunter2@api.nexmo.com").unwrap_err();
        assert!(!format!("{error} {:?}", error.hint_text()).contains("hunter2"));
    }

    #[test]
    fn builds_the_documented_questions() {
        let base = Base::parse(DEFAULT_BASE).unwrap();
        let query = Query {
            from: Timestamp::from_date(2018, 8, 1),
            to: Some(Timestamp::from_seconds(1_535_760_000)),
            event_types: vec!["USER_STATUS".to_owned(), "a,b&c".to_owned()],
            search_text: Some("say \"{é}\" & +#%".to_owned()),
        };
        assert_eq!(
            base.page(&query, 3, 100).unwrap().as_str(),
            "https://api.nexmo.com/beta/audit/events?page=3&size=100&date_from=2018-08-01T00:00:00\
             &date_to=2018-09-01T00:00:00&event_type=USER_STATUS,a%2Cb%26c\
             &search_text=say%20%22%7B%C3%A9%7D%22%20%26%20%2B%23%25"
        );
        assert_eq!(
            base.page(&Query::default(), 1, 1).unwrap().as_str(),
            "https://api.nexmo.com/beta/audit/events?page=1&size=1"
        );
        let long = Query { search_text: Some("é".repeat(2000)), ..Query::default() };
        assert_eq!(base.page(&long, 1, 1).unwrap_err().kind(), Kind::Usage);
        for id in ["", ".", ".."] {
            assert_eq!(base.event(id).unwrap_err().kind(), Kind::Usage);
        }
    }

    proptest! {
        #[test]
        fn no_id_or_text_leaves_its_place_in_the_url(text in any::<String>()) {
            prop_assume!(!matches!(text.as_str(), "" | "." | "..") && text.len() < 500);
            let base = Base::parse(DEFAULT_BASE).unwrap();
            let url = base.event(&text).unwrap();
            prop_assert_eq!(url.path_segments().unwrap().count(), 4);
            prop_assert_eq!((url.host_str(), url.query(), url.fragment()), (Some("api.nexmo.com"), None, None));
            let query = Query { search_text: Some(text.clone()), ..Query::default() };
            let url = base.page(&query, 1, 1).unwrap();
            let found = url.query_pairs().find(|(name, _)| name == "search_text").unwrap().1.into_owned();
            prop_assert_eq!(found, text);
        }

        #[test]
        fn any_base_is_accepted_as_it_is_written_or_refused(text in "(https?://)?[a-z0-9.:/@\\[\\]\\\\%?#\t é-]{0,30}") {
            if let Ok(base) = Base::parse(&text) {
                prop_assert_eq!(base.as_str(), text.trim_end_matches('/'));
            }
        }
    }
}
