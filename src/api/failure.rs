//! Why one attempt brought nothing.
//!
//! What lives here: [`Failure`] and its sentence. What this file must not know: what is done about it; `retry`
//! decides.

use std::time::Duration;

use reqwest::StatusCode;

use super::problem::Problem;
use super::trust::Distrust;
use crate::error::{Error, Kind};

/// One failed attempt.
pub(super) struct Failure {
    pub(super) cause: Cause,
    /// The reply's `X-Nexmo-Trace-Id`, sanitised: the vendor's support asks for it.
    pub(super) trace: Option<String>,
}

pub(super) enum Cause {
    /// Connection, TLS, protocol, or a body that ended early.
    Transport(reqwest::Error),
    /// The certificate; no request was sent.
    Untrusted(reqwest::Error, Distrust),
    /// Nothing came in time.
    Timeout { waited_for: &'static str, limit: Duration },
    /// An answer other than 200.
    Answer(Answer),
    /// 200, and not the documented reply.
    Malformed(Error),
    /// 200, and a body beyond the limits.
    TooLarge(Error),
}

/// An answer other than 200.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) problem: Problem,
    /// The longer of the waits that headers and body ask for.
    pub(super) retry_after: Option<Duration>,
    /// Start of the body, sanitised.
    pub(super) excerpt: String,
    /// Scheme and host that a redirect points to.
    pub(super) target: Option<String>,
}

impl From<reqwest::Error> for Cause {
    fn from(error: reqwest::Error) -> Self {
        match Distrust::of(&error) {
            Some(distrust) => Self::Untrusted(error, distrust),
            None => Self::Transport(error),
        }
    }
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Self { cause, trace: None }
    }
}

impl Failure {
    /// The error of this kind. The URL is taken out of the HTTP library's text: the query may hold search text.
    pub(super) fn into_error(self, kind: Kind) -> Error {
        let error = match self.cause {
            Cause::Transport(source) => {
                let what = if source.is_connect() {
                    "cannot connect to the API"
                } else {
                    "the API's reply broke off"
                };
                Error::new(kind, what).because(source.without_url())
            }
            Cause::Untrusted(source, distrust) => {
                Error::new(kind, "the API's certificate is not trusted, so that nothing was sent")
                    .because(source.without_url())
                    .hint(distrust.hint())
            }
            Cause::Timeout { waited_for, limit } => {
                Error::new(kind, format!("the API sent no {waited_for} within {} s", limit.as_secs_f32()))
            }
            Cause::Answer(answer) => answer.into_error(kind),
            Cause::Malformed(error) | Cause::TooLarge(error) => error,
        };
        match self.trace {
            Some(trace) => error.at("trace", trace),
            None => error,
        }
    }
}

impl Answer {
    fn into_error(self, kind: Kind) -> Error {
        let code = self.status.as_u16();
        let (message, hint) = match kind {
            Kind::Credentials if self.problem.is_quota() => (
                "the API refused because the account has no quota left".to_owned(),
                Some("top up the account's balance; the credentials themselves were not questioned"),
            ),
            Kind::Credentials => (
                "the API refused the credentials".to_owned(),
                Some(
                    "check that the API key and one of its live secrets belong together, and that this account may use the Audit API",
                ),
            ),
            Kind::Refused if self.status.is_redirection() => (
                format!(
                    "the API redirects, which is never followed: to {}",
                    self.target.as_deref().unwrap_or("nowhere")
                ),
                Some("check the API's URL; a proxy or login page may stand in between"),
            ),
            Kind::Refused if code == 404 || code == 405 => (
                format!("the API does not serve this request: {code}"),
                Some("check the API's URL: it may have moved"),
            ),
            Kind::Refused => (format!("the API refuses this request: {code}"), None),
            _ => (format!("the API answered {code}"), None),
        };
        let mut error = Error::new(kind, message).at("status", code);
        if !self.excerpt.is_empty() {
            error = error.at("body", self.excerpt);
        }
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}
