//! A proxy between the client and the API.
//!
//! What lives here: [`Proxy`], its check, and for which bases it is used. The proxy is asked for a tunnel (`CONNECT`), so
//! that it sees the API's host and nothing else. What this file must not know: where its address comes from.

use reqwest::{NoProxy, Url};

use crate::error::{Error, Result};
use crate::secret::Secret;

/// An HTTP proxy, and the hosts that are reached without it. It has no debug output: its address may hold a password.
#[derive(Clone)]
pub struct Proxy {
    /// Scheme, user, password, host, port.
    address: Secret,
    /// `host:port`.
    shown: String,
    around: Option<String>,
}

impl Proxy {
    /// `address` is `[http[s]://][user:password@]host[:port]`, user and password percent-encoded; without a scheme it is
    /// http. `around` is a list as in `NO_PROXY`: host names with all below them, IP addresses, networks (`10.0.0.0/8`),
    /// or `*`, with commas between. Error: usage, without the address.
    pub fn new(address: &Secret, around: Option<&str>) -> Result<Self> {
        let refuse = |why: &str| {
            Error::usage(format!("the proxy's address {why}"))
                .hint("write HTTPS_PROXY as http://host:port, with user:password@ before the host if it asks for them")
        };
        let text = address.expose().trim();
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&text).map_err(|_| refuse("cannot be read"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse("must begin with http:// or https://"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("must end with its host and port"));
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(refuse("names no host"));
        };
        let shown = format!("{host}:{port}");
        Ok(Self { address: Secret::new(text), shown, around: around.map(str::to_owned) })
    }

    /// Host and port, without user and password; and that a list of exceptions is in force, which the HTTP library reads.
    pub(super) fn shown(&self) -> String {
        match self.around {
            Some(_) => format!("{}, unless NO_PROXY names the API's host", self.shown),
            None => self.shown.clone(),
        }
    }

    /// What the HTTP library takes.
    pub(super) fn route(&self) -> Result<reqwest::Proxy> {
        // The library's own error would print the address.
        let proxy = reqwest::Proxy::https(self.address.expose())
            .map_err(|_| Error::usage("the proxy's address cannot be used").at("proxy", &self.shown))?;
        Ok(proxy.no_proxy(self.around.as_deref().and_then(NoProxy::from_string)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn proxy(text: &str) -> Result<Proxy> {
        Proxy::new(&Secret::new(text.to_owned()), None)
    }

    #[test]
    fn an_address_is_taken_in_its_usual_forms_and_shown_without_password() {
        for (text, shown) in [
            ("http://proxy.example:3128", "proxy.example:3128"),
            ("http://proxy.example:3128/", "proxy.example:3128"),
            ("proxy.example:3128", "proxy.example:3128"),
            ("http://us%40er:pass%3Aword@proxy.example", "proxy.example:80"),
            ("https://proxy.example", "proxy.example:443"),
            (" 10.0.0.1:8080\n", "10.0.0.1:8080"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            let proxy = proxy(text).unwrap();
            assert_eq!(proxy.shown(), shown, "{text}");
            assert!(proxy.route().is_ok());
        }
    }

    #[test]
    fn any_other_address_is_refused_without_being_shown() {
        for text in [
            "",
            "http://",
            "socks5://user:hunter2@proxy.example:1080",
            "http://user:hunter2@proxy.example/path",
            "http://user:hunter2@proxy.example?x",
            "http://user:hunter2@proxy.example:99999",
            "http://user:hunter2@",
        ] {
            let error = proxy(text).map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage, "{text}");
            assert!(!format!("{error}{error:?}").contains("hunter2"), "{text}");
        }
    }
}
