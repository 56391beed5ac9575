//! What a client is built from.
//!
//! What lives here: [`Settings`] and [`Limits`], and the checks that need no network. What this file must not know:
//! where the values come from.

use std::time::Duration;

use super::base::Base;
use super::proxy::Proxy;
use crate::error::{Error, Result};
use crate::secret::Credentials;

/// Base URL, credentials and limits of one account's client.
#[derive(Clone)]
pub struct Settings {
    pub(super) base: Base,
    pub(super) credentials: Credentials,
    pub(super) limits: Limits,
    pub(super) extra_ca: Option<Vec<u8>>,
    pub(super) proxy: Option<Proxy>,
    pub(super) seed: u64,
    pub(super) keep_replies: bool,
}

impl Settings {
    /// Checks base and credentials. `base` is https (or http on loopback) without user, query and fragment; see
    /// [`super::DEFAULT_BASE`]. Error: usage.
    pub fn new(base: &str, credentials: Credentials) -> Result<Self> {
        let base = Base::parse(base)?;
        let Credentials { key, secret } = &credentials;
        // HTTP Basic ends the user name at the first colon; a line break is what a secret read from a file often ends with.
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') {
            return Err(Error::usage(
                "the API key is empty or holds a colon, a space or a control character",
            ));
        }
        if secret.expose().is_empty() || secret.expose().chars().any(char::is_control) {
            return Err(Error::usage("the API secret is empty or holds a line break or control character")
                .hint("check the file or variable that it comes from for a trailing line break"));
        }
        Ok(Self {
            base,
            credentials,
            limits: Limits::default(),
            extra_ca: None,
            proxy: None,
            seed: 0,
            keep_replies: false,
        })
    }

    /// Replaces the limits; they are checked when the client is built.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Trusts the certificates of this PEM bundle besides those of the system.
    #[must_use]
    pub fn extra_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.extra_ca = Some(pem.into());
        self
    }

    /// Reaches the API through a proxy, unless it says otherwise for the base's host. Loopback is always reached
    /// directly.
    #[must_use]
    pub fn proxy(mut self, proxy: Option<Proxy>) -> Self {
        self.proxy = proxy.filter(|_| !self.base.is_loopback());
        self
    }

    /// Whether the base is on this machine, so that no proxy is used.
    pub fn is_loopback(&self) -> bool {
        self.base.is_loopback()
    }

    /// Seeds the jitter of waiting times. Several clients of one account should have different seeds.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Gives each page with its question and reply, as evidence. Otherwise nothing of a reply is held but its events.
    #[must_use]
    pub fn keep_replies(mut self, keep: bool) -> Self {
        self.keep_replies = keep;
        self
    }

    /// The base as it will be used; holds no secret.
    pub fn base(&self) -> &str {
        self.base.as_str()
    }
}

/// Bounds on everything a client does. The API publishes no limit of its own, so that the defaults are low.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Most requests a second, evenly spaced without bursts; none does not limit.
    pub rate_per_second: Option<f64>,
    /// Most requests in flight.
    pub concurrency: usize,
    /// Most attempts for one request; throttled answers do not count, [`Limits::retry_wall`] bounds them.
    pub tries: u32,
    /// Most time spent waiting for repetitions in the life of the client; waits at the same time count once.
    pub retry_wall: Duration,
    /// Upper bound of the first wait between attempts; it doubles with each.
    pub backoff_base: Duration,
    /// Upper bound of any such wait.
    pub backoff_cap: Duration,
    /// Longest time to a TCP and TLS connection.
    pub connect_timeout: Duration,
    /// Longest time from connection to the end of the reply's headers.
    pub first_byte: Duration,
    /// Longest silence within a body.
    pub idle: Duration,
    /// Longest time for one attempt, body included.
    pub request: Duration,
    /// Largest body, in bytes, before and after decompression.
    pub page_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rate_per_second: Some(5.0),
            concurrency: 4,
            tries: 8,
            retry_wall: Duration::from_secs(15 * 60),
            backoff_base: Duration::from_millis(500),
            backoff_cap: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            first_byte: Duration::from_secs(30),
            idle: Duration::from_secs(15),
            request: Duration::from_secs(120),
            page_bytes: 8 * 1024 * 1024,
        }
    }
}

impl Limits {
    pub(super) fn check(&self) -> Result<()> {
        if !(1..=64).contains(&self.concurrency) {
            return Err(Error::usage(format!("concurrency must be 1 to 64: {}", self.concurrency)));
        }
        if self.tries == 0 {
            return Err(Error::usage("the number of attempts must be at least 1"));
        }
        if self.backoff_base.is_zero() || self.backoff_cap.is_zero() {
            return Err(Error::usage("the waits between attempts must not be zero"));
        }
        if self.page_bytes == 0 {
            return Err(Error::usage("the size limit of a page must be at least 1 byte"));
        }
        self.interval().map(|_| ())
    }

    /// Time between the starts of two requests.
    pub(super) fn interval(&self) -> Result<Duration> {
        match self.rate_per_second {
            None => Ok(Duration::ZERO),
            Some(rate) if rate.is_finite() && (0.001..=1000.0).contains(&rate) => {
                Ok(Duration::from_secs_f64(rate.recip()))
            }
            Some(rate) => {
                Err(Error::usage(format!("the rate must be 0.001 to 1000 requests a second: {rate}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::DEFAULT_BASE;
    use crate::error::Kind;
    use crate::secret::Secret;

    fn settings(key: &str, secret: &str) -> Result<Settings> {
        let credentials = Credentials { key: key.to_owned(), secret: Secret::new(secret.to_owned()) };
        Settings::new(DEFAULT_BASE, credentials)
    }

    #[test]
    fn refuses_credentials_that_cannot_be_sent() {
        assert!(settings("abcd1234", "pa ss:é").is_ok());
        for (key, secret) in [
            ("", "s3cret"),
            ("a:b", "s3cret"),
            ("a b", "s3cret"),
            ("a\n", "s3cret"),
            ("a", ""),
            ("a", "s3cret\n"),
        ] {
            let error = settings(key, secret).map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage);
            assert!(!error.to_string().contains("s3cret"));
        }
    }

    #[test]
    fn refuses_limits_without_meaning() {
        assert!(Limits::default().check().is_ok());
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9, 1e-9] {
            let limits = Limits { rate_per_second: Some(rate), ..Limits::default() };
            assert_eq!(limits.check().unwrap_err().kind(), Kind::Usage, "{rate}");
        }
        assert!(Limits { concurrency: 0, ..Limits::default() }.check().is_err());
        assert!(Limits { tries: 0, ..Limits::default() }.check().is_err());
        assert!(Limits { backoff_base: Duration::ZERO, ..Limits::default() }.check().is_err());
        assert!(Limits { page_bytes: 0, ..Limits::default() }.check().is_err());
    }
}
