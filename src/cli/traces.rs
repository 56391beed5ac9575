//! A run as spans, for OpenTelemetry.
//!
//! What lives here: [`Watched`], the API as a run asks it, with a span around each question; and whether there are spans at
//! all, which the feature `otlp` decides. What this file must not know: what a span says and where it goes.

use std::time::Duration;

use vonage_audit::Result;
use vonage_audit::api::Client;
use vonage_audit::model::{Page, Query};
use vonage_audit::settle::Source;

#[cfg(feature = "otlp")]
mod collector;
#[cfg(not(feature = "otlp"))]
mod none;
#[cfg(feature = "otlp")]
mod spans;

#[cfg(feature = "otlp")]
pub(crate) use collector::Traces;
#[cfg(not(feature = "otlp"))]
pub(crate) use none::{Spans, Traces};
#[cfg(feature = "otlp")]
pub(crate) use spans::Spans;

/// What a run's outermost span says from its beginning; nothing of it is a secret.
#[cfg_attr(not(feature = "otlp"), expect(dead_code, reason = "without the feature nobody looks"))]
pub(crate) struct About<'a> {
    pub(crate) account: &'a str,
    pub(crate) dest: &'a str,
    /// The API's base URL.
    pub(crate) base: &'a str,
}

/// What is asked of the API. Neither types nor text that somebody searches for are told.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "otlp"), expect(dead_code, reason = "without the feature nobody looks"))]
pub(crate) enum Asked<'a> {
    Types,
    Page { query: &'a Query, number: u32, size: u32 },
}

/// The API, with spans around the questions.
pub(crate) struct Watched<'a> {
    pub(crate) client: &'a Client,
    pub(crate) spans: &'a Spans,
}

impl Source for Watched<'_> {
    async fn page(&self, query: &Query, number: u32, size: u32) -> Result<Page> {
        let question = self.spans.ask(Asked::Page { query, number, size });
        let page = self.client.page(query, number, size).await;
        question.answered(page.as_ref().map(|page| (page.events.len(), page.attempts)));
        page
    }

    async fn event_types(&self) -> Result<Vec<String>> {
        let question = self.spans.ask(Asked::Types);
        let types = Source::event_types(self.client).await;
        question.answered(types.as_ref().map(|types| (types.len(), 1)));
        types
    }

    async fn pause(&self, time: Duration) {
        Source::pause(self.client, time).await;
    }
}
