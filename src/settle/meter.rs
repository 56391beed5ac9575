//! How many requests one range may take.
//!
//! What lives here: [`Metered`], a source that counts and gives up. An API that lies about its counts would otherwise
//! be split down to single seconds, a hundred thousand requests for a day that cannot be proven in the end.
//! What this file must not know: what the requests are for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Source;
use crate::error::{Error, Kind, Result};
use crate::model::{Page, Query};

/// Requests a range may take for each page that it has by the API's counts: two walks, tries, parts.
const REQUESTS_A_PAGE: u64 = 20;
/// A count above this does not raise the limit further: it may be a lie.
const LARGEST_COUNT: u64 = 50_000_000;

/// A source for one range.
#[derive(Debug)]
pub(super) struct Metered<'a, S> {
    source: &'a S,
    /// Requests beyond those that the pages justify.
    allowance: u64,
    spent: AtomicU64,
    /// The largest total seen.
    total: AtomicU64,
}

impl<'a, S> Metered<'a, S> {
    pub(super) fn new(source: &'a S, allowance: u64) -> Self {
        Self { source, allowance, spent: AtomicU64::new(0), total: AtomicU64::new(0) }
    }
}

impl<S: Source> Source for Metered<'_, S> {
    async fn page(&self, query: &Query, number: u32, size: u32) -> Result<Page> {
        let spent = self.spent.fetch_add(1, Ordering::Relaxed);
        let pages = self.total.load(Ordering::Relaxed).div_ceil(100);
        if spent >= self.allowance.saturating_add(pages.saturating_mul(REQUESTS_A_PAGE)) {
            return Err(Error::new(Kind::Unproven, "the range was given up after too many requests")
                .at("requests", spent)
                .hint("the API's counts do not hold; `vonage-audit probe` shows what it does, --window-requests raises the limit"));
        }
        let page = self.source.page(query, number, size).await?;
        self.total.fetch_max(page.total.min(LARGEST_COUNT), Ordering::Relaxed);
        Ok(page)
    }

    async fn event_types(&self) -> Result<Vec<String>> {
        self.source.event_types().await
    }

    async fn pause(&self, time: Duration) {
        self.source.pause(time).await;
    }
}
