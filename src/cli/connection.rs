//! From flags and environment to a client of the API.
//!
//! What lives here: [`connect`]. What this file must not know: what is asked.

use std::time::Duration;

use vonage_audit::api::{Client, Limits, Settings};
use vonage_audit::plan::parse_duration;
use vonage_audit::{Error, Result};

use crate::accounts::Account;
use crate::args::ApiArgs;
use crate::environment::Environment;

/// A client and what it speaks for.
pub(crate) struct Connection {
    pub(crate) client: Client,
    /// The account's API key.
    pub(crate) key: String,
    /// Requests a second, if they are limited.
    pub(crate) rate: Option<f64>,
    /// The API's base URL.
    pub(crate) base: String,
}

/// Builds the client; nothing is sent.
pub(crate) fn connect(args: &ApiArgs, account: &Account, environment: &Environment) -> Result<Connection> {
    connect_keeping(args, account, environment, false)
}

/// The same; `keep_replies` gives each page with its question and reply.
pub(crate) fn connect_keeping(
    args: &ApiArgs,
    account: &Account,
    environment: &Environment,
    keep_replies: bool,
) -> Result<Connection> {
    let key = account.credentials.key.clone();
    let base = &account.base;
    let rate = rate(account.rate.as_deref(), base)?;
    let limits = Limits {
        rate_per_second: rate,
        concurrency: args.concurrency,
        tries: args.tries,
        retry_wall: seconds(&args.retry_time)?,
        request: seconds(&args.request_timeout)?,
        page_bytes: args.reply_limit.saturating_mul(1024 * 1024),
        ..Limits::default()
    };
    let settings = Settings::new(base, account.credentials.clone())?.limits(limits).seed(environment.jitter);
    // Whatever the variable holds, it is none of loopback's business.
    let proxy = if settings.is_loopback() { None } else { environment.proxy()? };
    let settings = settings.keep_replies(keep_replies).proxy(proxy);
    Ok(Connection { client: Client::new(settings)?, key, rate, base: base.clone() })
}

fn seconds(text: &str) -> Result<Duration> {
    parse_duration(text).map(|seconds| Duration::from_secs(u64::from(seconds)))
}

/// `5/s`, `0.5/s`, `300/m`, `unlimited`. The API publishes no limit, so the default is low, except on loopback.
fn rate(text: Option<&str>, base: &str) -> Result<Option<f64>> {
    let Some(text) = text else {
        // Only loopback may be http; the settings check that.
        return Ok((!base.trim_start().to_ascii_lowercase().starts_with("http:")).then_some(5.0));
    };
    if text == "unlimited" {
        return Ok(None);
    }
    let parsed = text.split_once('/').and_then(|(number, unit)| {
        let number: f64 = number.parse().ok()?;
        match unit {
            "s" => Some(number),
            "m" => Some(number / 60.0),
            _ => None,
        }
    });
    parsed
        .filter(|rate| rate.is_finite() && *rate > 0.0)
        .map(Some)
        .ok_or_else(|| Error::usage(format!("not a rate: {text:?}")).hint("write 5/s, 300/m or unlimited"))
}
