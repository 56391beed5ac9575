//! One attempt: a request and its reply.
//!
//! What lives here: the HTTP library's client, its one construction, sending, limits of time, and what counts as a
//! usable reply. What this file must not know: repetitions, pauses, pages.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER,
};
use reqwest::{Certificate, Method, Response, StatusCode, Url};

use super::base;
use super::body;
use super::excerpt::{self, Redactor};
use super::failure::{Answer, Cause, Failure};
use super::problem::Problem;
use super::retry_after;
use super::settings::{Limits, Settings};
use super::usage::Counters;
use super::within::within;
use crate::error::{Error, Kind, Result};
use crate::model::json;
use crate::secret::Secret;

/// How much of an error's body is read.
const ERROR_BYTES: usize = 64 * 1024;

/// A usable reply: 200 with a JSON body, or 404 where that is an answer.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    /// The `Date` header, seconds since 1970.
    pub(super) server_time: Option<i64>,
    /// The same as received.
    pub(super) date: Option<String>,
    /// Which exchange it was, as the API calls it.
    pub(super) trace: Option<HeaderValue>,
    /// How often the question was sent until this reply came.
    pub(super) attempts: u32,
}

pub(super) struct Exchange {
    http: reqwest::Client,
    authorization: HeaderValue,
    limits: Limits,
    redactor: Redactor,
}

impl Exchange {
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        // Building panics in the HTTP library when no provider is installed; somebody may have installed one before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            (ACCEPT_ENCODING, HeaderValue::from_static("gzip")),
        ]);
        let limits = settings.limits.clone();
        #[expect(clippy::disallowed_methods, reason = "the one HTTP client of the program")]
        let mut builder = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("vonage-audit/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .no_gzip()
            .http1_only()
            .connect_timeout(limits.connect_timeout)
            .pool_max_idle_per_host(limits.concurrency);
        if settings.base.is_secure() {
            builder = builder.https_only(true);
            if let Some(proxy) = &settings.proxy {
                builder = builder.proxy(proxy.route()?);
            }
            if let Some(pem) = &settings.extra_ca {
                let certificates = Certificate::from_pem_bundle(pem)
                    .map_err(|error| Error::usage("the extra CA bundle cannot be read").because(error))?;
                builder = builder.tls_certs_merge(certificates);
            }
        } else {
            // Whatever a resolver says, clear text stays on this machine; and without TLS no CA store is needed.
            let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
            builder = builder
                .tls_certs_only([])
                .resolve_to_addrs("localhost", &loopback.map(|address| SocketAddr::new(address, 0)));
        }
        let http = builder.build().map_err(|error| {
            Error::usage("the HTTP client cannot be set up")
                .because(error)
                .hint("check that the system has a store of CA certificates, or name one with SSL_CERT_FILE")
        })?;
        let authorization = authorization(&http, settings)?;
        let token =
            authorization.to_str().ok().and_then(|text| text.strip_prefix("Basic ")).unwrap_or_default();
        let redactor = redactor(settings.credentials.secret.expose(), token);
        Ok(Self { http, authorization, limits, redactor })
    }

    /// What of a foreign text may be printed.
    pub(super) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Sends once and reads the reply, all within the limits of time and size. `may_be_absent`: a 404 is an answer.
    pub(super) async fn send(
        &self,
        method: Method,
        url: Url,
        may_be_absent: bool,
        counters: &Counters,
    ) -> Result<Reply, Failure> {
        counters.requests.add(1);
        let limit = self.limits.request;
        match within(limit, self.attempt(method, url, may_be_absent, counters)).await {
            Some(outcome) => outcome,
            None => Err(Cause::Timeout { waited_for: "whole reply", limit }.into()),
        }
    }

    async fn attempt(
        &self,
        method: Method,
        url: Url,
        may_be_absent: bool,
        counters: &Counters,
    ) -> Result<Reply, Failure> {
        let limit = self.limits.connect_timeout.saturating_add(self.limits.first_byte);
        let base = url.clone();
        let request = self.http.request(method, url).header(AUTHORIZATION, self.authorization.clone());
        let mut response = match within(limit, request.send()).await {
            None => return Err(Cause::Timeout { waited_for: "reply", limit }.into()),
            Some(Err(error)) => return Err(Cause::from(error).into()),
            Some(Ok(response)) => response,
        };
        let trace = response.headers().get("x-nexmo-trace-id").cloned();
        let date = text_of(response.headers(), &DATE).map(str::to_owned);
        let server_time = date.as_deref().and_then(retry_after::http_date);
        let status = response.status();
        if status == StatusCode::NOT_FOUND && may_be_absent {
            // Read to the end so that the connection can serve the next request; what it says does not matter.
            let _ = body::read(&mut response, ERROR_BYTES, self.limits.idle, &counters.bytes).await;
            return Ok(Reply { status, body: Bytes::new(), server_time, date, trace, attempts: 1 });
        }
        let outcome = if status == StatusCode::OK {
            self.json(&mut response, counters).await
        } else {
            Err(Cause::Answer(self.answer(&mut response, &base, server_time, counters).await))
        };
        match outcome {
            Ok(body) => Ok(Reply { status, body, server_time, date, trace, attempts: 1 }),
            Err(cause) => Err(Failure { cause, trace: self.shown(trace.as_ref()) }),
        }
    }

    /// What an error says of an exchange's name.
    pub(super) fn shown(&self, trace: Option<&HeaderValue>) -> Option<String> {
        trace.map(|value| self.redactor.excerpt(value.as_bytes(), 64)).filter(|trace| !trace.is_empty())
    }

    async fn json(&self, response: &mut Response, counters: &Counters) -> Result<Bytes, Cause> {
        let kind = self.foreign_type(response.headers());
        let body = body::read(response, self.limits.page_bytes, self.limits.idle, &counters.bytes).await?;
        let Some(kind) = kind else { return Ok(body) };
        let start = body.get(..64).unwrap_or(&body);
        Err(Cause::Malformed(
            Error::new(Kind::Malformed, "the API's reply is not JSON by its content type")
                .at("type", kind)
                .at("body", self.redactor.excerpt(start, 64))
                .hint("check the API's URL; a proxy or login page may stand in between"),
        ))
    }

    /// The content type, sanitised, unless it is `application/json` or `application/*+json`.
    fn foreign_type(&self, headers: &HeaderMap) -> Option<String> {
        let values: Vec<&[u8]> = headers.get_all(CONTENT_TYPE).iter().map(HeaderValue::as_bytes).collect();
        let [value] = values.as_slice() else {
            return Some(if values.is_empty() { "none" } else { "several" }.to_owned());
        };
        if is_json(value) { None } else { Some(self.redactor.excerpt(value, 64)) }
    }

    async fn answer(
        &self,
        response: &mut Response,
        base: &Url,
        server_time: Option<i64>,
        counters: &Counters,
    ) -> Answer {
        let status = response.status();
        let target = status.is_redirection().then(|| self.target(response.headers(), base));
        let asked =
            text_of(response.headers(), &RETRY_AFTER).and_then(|text| retry_after::read(text, server_time));
        // The status decides; a body that cannot be read only says less.
        let body =
            body::read(response, ERROR_BYTES, self.limits.idle, &counters.bytes).await.unwrap_or_default();
        let problem = Problem::read(&body);
        Answer {
            status,
            retry_after: asked.max(problem.retry_after),
            problem,
            excerpt: self.redactor.excerpt(&body, excerpt::BODY),
            target,
        }
    }

    /// Scheme and host of a redirect: its path and query may hold tokens.
    fn target(&self, headers: &HeaderMap, base: &Url) -> String {
        let Some(location) = headers.get(LOCATION) else { return "nowhere".to_owned() };
        match location.to_str().ok().and_then(|text| base.join(text).ok()) {
            Some(url) => {
                let text = format!("{}://{}", url.scheme(), url.host_str().unwrap_or(""));
                self.redactor.excerpt(text.as_bytes(), 100)
            }
            None => "an unreadable place".to_owned(),
        }
    }
}

/// The value of HTTP Basic as the HTTP library encodes it, marked so that no debug output shows it.
fn authorization(http: &reqwest::Client, settings: &Settings) -> Result<HeaderValue> {
    let credentials = &settings.credentials;
    let mut request = http
        .get(settings.base.types()?)
        .basic_auth(&credentials.key, Some(credentials.secret.expose()))
        .build()
        .map_err(|error| Error::bug("the credentials cannot be encoded").because(error.without_url()))?;
    let mut value = request
        .headers_mut()
        .remove(AUTHORIZATION)
        .ok_or_else(|| Error::bug("the credentials were not encoded"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Hides the secret in the spellings in which a server may send it back.
fn redactor(secret: &str, token: &str) -> Redactor {
    let mut percent = String::new();
    base::encode(&mut percent, secret);
    let mut quoted = String::new();
    json::push_string(&mut quoted, secret);
    let escaped = quoted.trim_matches('"').to_owned();
    let slashed = escaped.replace('/', "\\/");
    Redactor::new([token.to_owned(), slashed, escaped, percent, secret.to_owned()].map(Secret::new))
}

fn text_of<'a>(headers: &'a HeaderMap, name: &reqwest::header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `application/json` or `application/*+json`, parameters aside.
fn is_json(value: &[u8]) -> bool {
    let name = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
    let Some(subtype) = name.strip_prefix(b"application/") else { return false };
    let is_token = subtype.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(byte));
    subtype == b"json" || (is_token && subtype.len() > 5 && subtype.ends_with(b"+json"))
}
