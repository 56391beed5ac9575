//! The client: questions in, values or errors out.
//!
//! What lives here: the three calls and the loop that repeats a failed attempt. What this file must not know: how
//! one attempt is made, what a failure means, when a request may start; those are `exchange`, `retry` and `pace`.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, StatusCode, Url};
use tokio::sync::{RwLock, RwLockWriteGuard, Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::backoff::Backoff;
use super::exchange::{Exchange, Reply};
use super::failure::{Cause, Failure};
use super::pace::{Pace, Spent};
use super::retry::{Verdict, decide};
use super::settings::Settings;
use super::usage::{Counters, Usage};
use super::wire::{self, EventType};
use crate::error::{Error, Kind, Result};
use crate::model::{self, Page, Query};

/// Most events the API gives a page (documented).
const LARGEST_PAGE: u32 = 100;

/// Replies from this many bytes on are decoded beside the connections' thread. A page of 100 events has about 60 kB and takes less
/// than a tenth of a millisecond, about as much as to wake another thread for it and to be woken.
const LARGE_REPLY: usize = 256 * 1024;

/// The Audit API of one account.
///
/// All calls may run at once; they share one limit of requests in flight, one rate, one pause after "too many
/// requests" and one budget of waiting. Every request may be repeated, and is. Dropping a call's future ends it.
///
/// Errors of all calls, by kind: `Credentials` (refused twice, or no quota; from then on the client sends nothing),
/// `Refused` (the API does not serve this request), `Malformed` (not the documented reply, again and again),
/// `Unavailable` (attempts or budget of waiting are spent), `Usage` (the question cannot be asked).
pub struct Client {
    settings: Settings,
    exchange: Exchange,
    flights: Semaphore,
    pace: Pace,
    backoff: Backoff,
    /// Held for writing while one request finds out whether a refusal of the credentials is final; all others wait
    /// before they start, so that a revoked secret is not tried by everybody.
    confirmation: RwLock<()>,
    /// What was said when the credentials were refused for good.
    refused: OnceLock<String>,
    counters: Counters,
}

/// One question.
struct Call<'a> {
    method: Method,
    url: Url,
    may_be_absent: bool,
    /// Where an error happened; free of secrets and of search text.
    context: &'a [(&'static str, String)],
}

impl Client {
    /// Sets the client up; sends nothing. Error: usage.
    pub fn new(settings: Settings) -> Result<Self> {
        settings.limits.check()?;
        let limits = &settings.limits;
        Ok(Self {
            exchange: Exchange::new(&settings)?,
            flights: Semaphore::new(limits.concurrency),
            pace: Pace::new(limits.interval()?, limits.retry_wall),
            backoff: Backoff::new(limits.backoff_base, limits.backoff_cap, settings.seed),
            confirmation: RwLock::new(()),
            refused: OnceLock::new(),
            counters: Counters::default(),
            settings,
        })
    }

    /// Page `number` (from 1) of the query's events, `size` (1 to 100) a page. The API may send more or fewer, in
    /// any order; a page beyond the end is empty, or refused.
    pub async fn page(&self, query: &Query, number: u32, size: u32) -> Result<Page> {
        if number == 0 || !(1..=LARGEST_PAGE).contains(&size) {
            return Err(Error::bug(format!("page {number} of size {size} was asked for")));
        }
        let call = Call {
            method: Method::GET,
            url: self.settings.base.page(query, number, size)?,
            may_be_absent: false,
            context: &[("request", "GET /events".to_owned()), ("page", number.to_string())],
        };
        let request = self.settings.keep_replies.then(|| request(&call));
        self.ask(&call, move |reply| {
            let mut page = wire::page(&reply.body, size)?;
            page.server_time = reply.server_time;
            page.attempts = reply.attempts;
            page.exchange = request.as_ref().map(|request| Arc::new(kept(request.clone(), reply)));
            Ok(page)
        })
        .await
    }

    /// The JSON text of one event as received; none if the API does not know the id (404).
    pub async fn event(&self, id: &str) -> Result<Option<Bytes>> {
        let shown = self.exchange.redactor().excerpt(id.as_bytes(), 64);
        let call = Call {
            method: Method::GET,
            url: self.settings.base.event(id)?,
            may_be_absent: true,
            context: &[("request", "GET /events/{id}".to_owned()), ("event", shown)],
        };
        self.ask(&call, |reply| match reply.status {
            StatusCode::NOT_FOUND => Ok(None),
            _ => wire::object(&reply.body).map(Some),
        })
        .await
    }

    /// The event types the API names. The set is open: events of other types occur.
    pub async fn types(&self) -> Result<Vec<EventType>> {
        let call = Call {
            method: Method::OPTIONS,
            url: self.settings.base.types()?,
            may_be_absent: false,
            context: &[("request", "OPTIONS /events".to_owned())],
        };
        self.ask(&call, |reply| wire::types(&reply.body)).await
    }

    /// What was done so far.
    pub fn usage(&self) -> Usage {
        Usage {
            requests: self.counters.requests.get(),
            retries: self.counters.retries.get(),
            throttled: self.counters.throttled.get(),
            waited: self.pace.spent(),
            bytes: self.counters.bytes.get(),
        }
    }

    /// For how long from now a pause that the API asked for, or a wait before a repetition, still lasts; zero if there is
    /// none. The even spacing of requests does not count.
    pub fn waiting(&self) -> Duration {
        self.pace.remaining()
    }

    async fn ask<T: Send + 'static>(&self, call: &Call<'_>, read: impl Read<T>) -> Result<T> {
        self.repeat(call, read).await.map_err(|error| {
            let error = match &self.settings.proxy {
                // Only then may it have been the proxy.
                Some(proxy) if error.kind() == Kind::Unavailable => error.at("proxy", proxy.shown()),
                _ => error,
            };
            call.context.iter().fold(error, |error, (name, value)| error.at(name, value))
        })
    }

    /// Sends until there is a value or a reason to stop.
    async fn repeat<T: Send + 'static>(&self, call: &Call<'_>, read: impl Read<T>) -> Result<T> {
        let (mut failures, mut throttlings) = (0_u32, 0_u32);
        // Who confirms a refusal keeps its place in flight, so that those who wait for the outcome may keep theirs.
        let mut confirming: Option<(RwLockWriteGuard<'_, ()>, SemaphorePermit<'_>)> = None;
        for attempt in 0_u32.. {
            let mut permit = match &confirming {
                Some(_) => None,
                None => Some(self.place().await?),
            };
            self.start(confirming.is_some()).await?;
            if attempt > 0 {
                self.counters.retries.add(1);
            }
            let failure = match self.send(call).await {
                Ok(mut reply) => {
                    reply.attempts = attempt.saturating_add(1);
                    // The next request need not wait until this reply is decoded.
                    permit = None;
                    match self.decode(reply, read.clone()).await {
                        Ok(value) => return Ok(value),
                        Err(failure) => failure,
                    }
                }
                Err(failure) => failure,
            };
            match decide(&failure.cause) {
                Verdict::Stop(kind) => return Err(failure.into_error(kind)),
                Verdict::Confirm if confirming.is_some() => {
                    let error = failure.into_error(Kind::Credentials);
                    self.refused.get_or_init(|| error.message().to_owned());
                    return Err(error);
                }
                Verdict::Confirm => {
                    if let Some(permit) = permit {
                        confirming = Some((self.confirmation.write().await, permit));
                    }
                }
                Verdict::Throttled { asked } => {
                    throttlings = throttlings.saturating_add(1);
                    self.counters.throttled.add(1);
                    // Jitter comes on top, and grows, so that an answer of "0 seconds" for ever is no hot loop.
                    let delay = asked.unwrap_or(Duration::ZERO) + self.backoff.draw(throttlings);
                    self.pace.pause(delay).map_err(|Spent| self.exhausted(failure, Kind::Unavailable))?;
                }
                Verdict::Repeat { last, asked } => {
                    failures = failures.saturating_add(1);
                    if failures >= self.settings.limits.tries {
                        return Err(resumable(failure.into_error(last)).at("attempts", failures));
                    }
                    let delay = self.backoff.draw(failures).max(asked.unwrap_or(Duration::ZERO));
                    self.pace.pay(delay).map_err(|Spent| self.exhausted(failure, last))?;
                    drop(permit);
                    sleep(delay).await;
                }
            }
        }
        Err(Error::bug("a request was repeated without end"))
    }

    /// A place among the requests in flight.
    async fn place(&self) -> Result<SemaphorePermit<'_>> {
        let permit = self.flights.acquire().await;
        permit.map_err(|error| Error::bug("no request can be in flight").because(error))
    }

    /// Returns when the next request may start: at its turn, and not while a refusal of the credentials is being
    /// confirmed, unless it is the one that confirms.
    async fn start(&self, confirms: bool) -> Result<()> {
        loop {
            if !confirms {
                drop(self.confirmation.read().await);
            }
            if let Some(message) = self.refused.get() {
                return Err(Error::new(Kind::Credentials, format!("{message}, earlier in this run")));
            }
            self.pace.turn().await;
            // A refusal may have come meanwhile.
            if confirms || self.confirmation.try_read().is_ok() {
                return Ok(());
            }
        }
    }

    async fn send(&self, call: &Call<'_>) -> Result<Reply, Failure> {
        let Call { method, url, may_be_absent, .. } = call;
        self.exchange.send(method.clone(), url.clone(), *may_be_absent, &self.counters).await
    }

    /// The value of a reply.
    async fn decode<T: Send + 'static>(&self, reply: Reply, read: impl Read<T>) -> Result<T, Failure> {
        let trace = reply.trace.clone();
        let small = reply.body.len() < LARGE_REPLY;
        let work = move || read(&reply);
        let value = if small {
            work()
        } else {
            spawn_blocking(work)
                .await
                .unwrap_or_else(|error| Err(Error::bug("a reply could not be decoded").because(error)))
        };
        value.map_err(|error| Failure {
            cause: Cause::Malformed(error),
            trace: self.exchange.shown(trace.as_ref()),
        })
    }

    fn exhausted(&self, failure: Failure, kind: Kind) -> Error {
        let budget = self.settings.limits.retry_wall.as_secs_f32();
        resumable(failure.into_error(kind)).at("waiting-budget", format!("{budget} s"))
    }
}

/// What makes a value of a reply.
trait Read<T>: Fn(&Reply) -> Result<T> + Clone + Send + 'static {}

impl<T, F: Fn(&Reply) -> Result<T> + Clone + Send + 'static> Read<T> for F {}

/// The question as evidence. The base holds no user and no query, so that neither can the request.
fn request(call: &Call<'_>) -> String {
    let query = call.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{} {}{query}", call.method, call.url.path())
}

/// The question and its reply as evidence.
fn kept(request: String, reply: &Reply) -> model::Exchange {
    model::Exchange {
        request,
        status: reply.status.as_u16(),
        date: reply.date.clone(),
        body: reply.body.clone(),
    }
}

/// Says what helps when the API is to blame.
fn resumable(error: Error) -> Error {
    error.hint("run the same command again later: it resumes after the last commit")
}
