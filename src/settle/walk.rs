//! One reading of all pages of a question.
//!
//! What lives here: [`Walk`]. Pages are counted by ourselves; links, `page.number` and short pages mean nothing.
//! What this file must not know: whether the set is certain.

use futures::stream::{self, StreamExt};

use super::collect::Collection;
use super::kept::{Kept, Reply};
use super::{Settler, Source};
use crate::error::{Error, Kind, Result};
use crate::model::{Page, Query};

/// What one walk saw.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// The events of all pages.
    pub(super) events: Collection,
    /// Rows of all pages, an id that came twice counted twice.
    rows: u64,
    /// Why the walk cannot be whole, if a page after the first could not be read.
    pub(super) broken: Option<String>,
    /// The replies, where they are kept.
    pub(super) kept: Kept,
}

impl Walk {
    fn add(&mut self, page: Page) -> Result<()> {
        self.kept.add(page.exchange)?;
        self.rows += u64::try_from(page.events.len()).unwrap_or(u64::MAX);
        page.events.into_iter().try_for_each(|event| self.events.add(event))
    }

    /// Whether an id came twice: pages moved, or have no stable order.
    pub(super) fn repeated(&self) -> bool {
        self.rows > self.events.len()
    }
}

/// In which order the pages after the first are asked for. A shift that hides an event from a forward walk shows it
/// twice to a backward one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

impl<S: Source> Settler<'_, S> {
    /// How many events the API says the question has.
    pub(super) async fn count(&self, query: &Query) -> Result<u64> {
        Ok(self.source.page(query, 1, 1).await?.total)
    }

    /// The same, with the reply where it is kept.
    pub(super) async fn counted_with_reply(&self, query: &Query) -> Result<(u64, Reply)> {
        let page = self.source.page(query, 1, 1).await?;
        Ok((page.total, page.exchange))
    }

    pub(super) async fn first_page(&self, query: &Query) -> Result<Page> {
        self.source.page(query, 1, self.settings.page_size).await
    }

    /// Reads all pages. `first` is page 1 where it has been read already as part of this walk.
    pub(super) async fn walk(
        &self,
        query: &Query,
        first: Option<Page>,
        direction: Direction,
    ) -> Result<Walk> {
        let first = match first {
            Some(first) => first,
            None => self.first_page(query).await?,
        };
        if first.events.is_empty() && first.total > 0 {
            let broken = Some(format!("page 1 holds none of the {} events that the API counts", first.total));
            return Ok(Walk { broken, ..Walk::default() });
        }
        let (pages, size) = self.pages(&first);
        let mut last_page_full = first.events.len() >= size;
        let kept = Kept::new(self.settings.evidence_limit);
        let mut walk = Walk { events: Collection::expecting(first.total), kept, ..Walk::default() };
        walk.add(first)?;

        let numbers: Vec<u32> = match direction {
            Direction::Forward => (2..=pages).collect(),
            Direction::Backward => (2..=pages).rev().collect(),
        };
        let mut replies =
            stream::iter(numbers)
                .map(|number| async move {
                    (number, self.source.page(query, number, self.settings.page_size).await)
                })
                .buffer_unordered(self.settings.in_flight.max(1));
        while let Some((number, reply)) = replies.next().await {
            match reply {
                Ok(page) => {
                    if number == pages {
                        last_page_full = page.events.len() >= size;
                    }
                    walk.add(page)?;
                }
                Err(error) if ends_walk_only(&error) => {
                    walk.broken = Some(format!("page {number} of {pages} could not be read: {error}"));
                    break;
                }
                Err(error) => return Err(error.at("page", number)),
            }
        }
        drop(replies);
        if last_page_full && walk.broken.is_none() && pages > 0 {
            self.look_beyond(query, pages + 1, &mut walk).await?;
        }
        Ok(walk)
    }

    /// Reads the page after a full last one. A total that is too small would hide what stands there; a page that the
    /// API does not serve is what one expects.
    async fn look_beyond(&self, query: &Query, number: u32, walk: &mut Walk) -> Result<()> {
        match self.source.page(query, number, self.settings.page_size).await {
            Ok(page) => walk.add(page),
            Err(error) if error.kind() == Kind::Refused => Ok(()),
            Err(error) if ends_walk_only(&error) => {
                walk.broken = Some(format!("page {number}, beyond the last, could not be read: {error}"));
                Ok(())
            }
            Err(error) => Err(error.at("page", number)),
        }
    }

    /// Pages to read, and events on a full one, by the total and by how many events a page really holds: an API may
    /// ignore the size.
    fn pages(&self, first: &Page) -> (u32, usize) {
        let asked = u64::from(self.settings.page_size.max(1));
        let held = u64::try_from(first.events.len()).unwrap_or(u64::MAX);
        let size = if held >= first.total.min(asked) { held.max(asked) } else { held.max(1) };
        // A total that lies upwards must not make an endless walk; more than this fails the certificate anyway.
        let pages = first.total.div_ceil(size).min(self.settings.walk_limit.max(1));
        (u32::try_from(pages).unwrap_or(u32::MAX - 1), usize::try_from(size).unwrap_or(usize::MAX))
    }
}

/// Whether an error on a later page ends the walk alone: a page that the API does not serve may lie beyond the end
/// of a list that shrank, or beyond an undocumented limit of depth. Whether the API is still there at all is seen by
/// the next request.
fn ends_walk_only(error: &Error) -> bool {
    match error.kind() {
        Kind::Refused | Kind::Malformed | Kind::Unavailable => true,
        Kind::Bug
        | Kind::Usage
        | Kind::Unproven
        | Kind::Contradiction
        | Kind::Credentials
        | Kind::Storage
        | Kind::Busy
        | Kind::Verification
        | Kind::Interrupted => false,
    }
}
