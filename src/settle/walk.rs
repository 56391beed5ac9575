//! One reading of all pages of a question.
//!
//! What lives here: [`Walk`]. Pages are counted by ourselves; links, `page.number` and short pages mean nothing.
//! What this file must not know: whether the set is certain.

use futures::stream::{self, StreamExt};

use super::collect::Collection;
use super::{Settler, Source};
use crate::error::{Error, Kind, Result};
use crate::model::{Page, Query};

/// What one walk saw.
#[derive(Debug)]
pub(super) struct Walk {
    /// The events of all pages.
    pub(super) events: Collection,
    /// Why the walk cannot be whole, if a page after the first could not be read.
    pub(super) broken: Option<String>,
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
        let pages = self.pages(&first);
        let mut walk = Walk { events: Collection::default(), broken: None };
        first.events.into_iter().try_for_each(|event| walk.events.add(event))?;

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
                Ok(page) => page.events.into_iter().try_for_each(|event| walk.events.add(event))?,
                Err(error) if ends_walk_only(&error) => {
                    walk.broken = Some(format!("page {number} of {pages} could not be read: {error}"));
                    break;
                }
                Err(error) => return Err(error.at("page", number)),
            }
        }
        Ok(walk)
    }

    /// Pages to read, by the total and by how many events a page really holds: an API may ignore the size.
    fn pages(&self, first: &Page) -> u32 {
        let asked = u64::from(self.settings.page_size.max(1));
        let held = u64::try_from(first.events.len()).unwrap_or(u64::MAX);
        let size = if held >= first.total.min(asked) { held.max(asked) } else { held.max(1) };
        // A total that lies upwards must not make an endless walk; more than this fails the certificate anyway.
        let pages = first.total.div_ceil(size).min(self.settings.walk_limit.max(1));
        u32::try_from(pages).unwrap_or(u32::MAX)
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
