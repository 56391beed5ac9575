//! What settling needs of the API, and the API client as the one that gives it.
//!
//! What lives here: [`Source`]. What this file must not know: HTTP.

use std::future::Future;
use std::time::Duration;

use crate::api::Client;
use crate::error::Result;
use crate::model::{Page, Query};

/// A list of events that can be asked page by page, and time that can pass.
///
/// Implementations retry what is worth repeating; an error means that they gave up. Calls may run concurrently, and
/// a dropped future must leave nothing behind.
pub trait Source: Sync {
    /// One page of the list: `number` counts from 1, `size` is 1 to 100.
    ///
    /// # Errors
    /// `Credentials`, `Unavailable`, `Refused` or `Malformed`, when repeating it is pointless.
    fn page(&self, query: &Query, number: u32, size: u32) -> impl Future<Output = Result<Page>> + Send;

    /// The names of the event types that the API says it has.
    ///
    /// # Errors
    /// As [`Source::page`].
    fn event_types(&self) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// Lets time pass before another try.
    fn pause(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

impl Source for Client {
    async fn page(&self, query: &Query, number: u32, size: u32) -> Result<Page> {
        Self::page(self, query, number, size).await
    }

    async fn event_types(&self) -> Result<Vec<String>> {
        Ok(self.types().await?.into_iter().map(|kind| kind.name).collect())
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
