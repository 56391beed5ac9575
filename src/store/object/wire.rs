//! The exchange with an object store's server, watched.
//!
//! What lives here: the HTTP client that the object-store library is given (no redirects, no proxies, HTTP/1.1, our
//! limits), and what it saw last: [`Seen`]. The library's errors hold URLs, headers and whole bodies; what the program
//! says about a failure is made from [`Seen`] alone. What this file must not know: what is stored.

use std::cell::RefCell;
use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{ClientConfigKey, ClientOptions};

/// Longest answer of an error that is read.
const MAX_ERROR_BODY: usize = 64 << 10;

/// Longest answer that is not an object, such as a page of a listing.
const MAX_DOCUMENT: usize = 64 << 20;

/// Longest text of a server that is repeated.
const MAX_SAID: usize = 240;

/// Longest time for a connection to be made.
const CONNECT: Duration = Duration::from_secs(10);

tokio::task_local! {
    static LAST: RefCell<Seen>;
}

/// The last exchange of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing was sent, or the answer began well.
    #[default]
    Nothing,
    /// The server refused.
    Answer {
        /// HTTP status.
        status: u16,
        /// The `Code` of the error's document: letters and digits alone.
        code: Option<String>,
        /// Its `Message`, on one line, cut.
        message: Option<String>,
        /// The region that the server names.
        region: Option<String>,
    },
    /// There was no answer.
    Broken {
        what: &'static str,
        /// The innermost cause, if it is one that names nothing but itself.
        detail: Option<String>,
    },
}

/// Runs an operation and says what its last exchange was.
pub(super) async fn watched<T>(operation: impl Future<Output = T>) -> (T, Seen) {
    LAST.scope(RefCell::default(), async {
        let outcome = operation.await;
        (outcome, LAST.with(|last| last.take()))
    })
    .await
}

fn note(seen: Seen) {
    // Outside of an operation nobody asks.
    let _ = LAST.try_with(|last| *last.borrow_mut() = seen);
}

/// Makes the clients of the object-store library.
#[derive(Debug)]
pub(super) struct Connector {
    /// Longest time for one request, its body included.
    pub(super) timeout: Duration,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        // Building panics in the HTTP library when no provider is installed; somebody may have installed one before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let allowed = |key| options.get_config_value(&key).is_some_and(|value| value == "true");
        #[expect(clippy::disallowed_methods, reason = "the one HTTP client of object stores")]
        let builder = reqwest::Client::builder()
            .user_agent(concat!("vonage-audit/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .no_gzip()
            .http1_only()
            .connect_timeout(CONNECT)
            .timeout(self.timeout)
            .https_only(!allowed(ClientConfigKey::AllowHttp));
        let client = builder.build().map_err(|cause| object_store::Error::Generic {
            store: "HTTP client",
            source: Box::new(cause),
        })?;
        Ok(HttpClient::new(Watched(HttpClient::new(client))))
    }
}

struct Watched(HttpClient);

impl fmt::Debug for Watched {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Watched")
    }
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

impl HttpService for Watched {
    fn call<'life, 'run>(&'life self, request: HttpRequest) -> Answer<'run>
    where
        'life: 'run,
        Self: 'run,
    {
        Box::pin(async move {
            note(Seen::Nothing);
            match self.0.execute(request).await {
                Ok(response) if response.status().is_success() => success(response).await,
                Ok(response) => refusal(response).await,
                Err(cause) => {
                    note(broken(&cause));
                    Err(cause)
                }
            }
        })
    }
}

/// An object's content and a write's receipt carry an entity tag. Anything else is short, and may be the document of an
/// error in spite of its status: that is a failure of the server, to be repeated.
async fn success(response: HttpResponse) -> Result<HttpResponse, HttpError> {
    if response.headers().contains_key("etag") {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let text = read(body.bytes_stream(), MAX_DOCUMENT).await?;
    let start = String::from_utf8_lossy(text.get(..MAX_ERROR_BODY).unwrap_or(&text));
    let root = start.trim_start_matches('\u{feff}').trim_start();
    let root = root.strip_prefix("<?").and_then(|rest| rest.split_once("?>")).map_or(root, |(_, rest)| rest);
    if root.trim_start().starts_with("<Error>") || root.trim_start().starts_with("<Error ") {
        parts.status = reqwest::StatusCode::INTERNAL_SERVER_ERROR;
        return refusal(HttpResponse::from_parts(parts, text.into())).await;
    }
    Ok(HttpResponse::from_parts(parts, text.into()))
}

/// A whole body under a limit.
async fn read(
    mut chunks: BoxStream<'static, Result<Bytes, HttpError>>,
    limit: usize,
) -> Result<Bytes, HttpError> {
    let mut text = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        text.extend_from_slice(&chunk.inspect_err(|cause| note(broken(cause)))?);
        if text.len() > limit {
            return Err(HttpError::new(HttpErrorKind::Decode, io::Error::other("the answer is too long")));
        }
    }
    Ok(text.freeze())
}

/// Reads what a refusal says, under a limit, and hands it on.
async fn refusal(response: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (parts, body) = response.into_parts();
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let region = header("x-amz-bucket-region").and_then(|text| plain(text, 32));
    let named = header("x-ms-error-code").and_then(|text| plain(text, 64));
    let mut text = BytesMut::new();
    let mut chunks = body.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let Ok(chunk) = chunk else { break };
        let room = MAX_ERROR_BODY.saturating_sub(text.len());
        text.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if room == 0 {
            break;
        }
    }
    let said = String::from_utf8_lossy(&text);
    note(Seen::Answer {
        status: parts.status.as_u16(),
        code: named.or_else(|| element(&said, "Code").and_then(|text| plain(text, 64))),
        message: element(&said, "Message").map(one_line),
        region: region.or_else(|| element(&said, "Region").and_then(|text| plain(text, 32))),
    });
    Ok(HttpResponse::from_parts(parts, text.freeze().into()))
}

fn broken(cause: &HttpError) -> Seen {
    let what = match cause.kind() {
        HttpErrorKind::Connect => "no connection could be made",
        HttpErrorKind::Timeout => "no answer in time",
        HttpErrorKind::Interrupted | HttpErrorKind::Request => "the connection broke before the answer",
        HttpErrorKind::Decode => "the answer could not be read",
        _ => "the exchange failed",
    };
    let mut innermost: &(dyn StdError + 'static) = cause;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    // Messages of other libraries may hold URLs; an operating system's do not.
    let detail = innermost.downcast_ref::<io::Error>().map(|cause| one_line(&cause.to_string()));
    Seen::Broken { what, detail: detail.filter(|text| !text.contains("://")) }
}

/// The text of an element of a small XML document.
fn element<'a>(document: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = document.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

fn plain(text: &str, longest: usize) -> Option<String> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (!text.is_empty() && text.len() <= longest && text.bytes().all(letter)).then(|| text.to_owned())
}

fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let cut: String = line.trim().chars().take(MAX_SAID).collect();
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_and_kept_small() {
        let document = "<Error><Code>NoSuchKey</Code><Message>a\nb</Message></Error>";
        assert_eq!(element(document, "Code"), Some("NoSuchKey"));
        assert_eq!(element(document, "Region"), None);
        assert_eq!(element("<Code>cut", "Code"), None);
        assert_eq!(one_line("a\nb\u{1b}[31m"), "a b [31m");
        assert_eq!(one_line(&"x".repeat(1000)).len(), MAX_SAID);
        assert_eq!(plain("Acc<ess", 64), None);
    }
}
