//! Events whose time cannot be read: rows of no window.
//!
//! What lives here: [`Dataset::publish_undated`], which makes them durable by the rules of every window and says what
//! the log is to hold. What this file must not know: how they were found.

use super::dataset::Dataset;
use super::prepare::Prepared;
use super::slots::Appended;
use crate::error::{Error, Result};
use crate::model::{Counts, EventId, Level, UndatedRecord};

/// What the account was asked about these events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surplus {
    /// How the set became certain.
    pub level: Level,
    /// Events that the account counts without a date.
    pub total: u64,
    /// Those that it counts from the year 2000 to 2100.
    pub dated: u64,
}

impl Dataset {
    /// Makes rows without a time durable in slots of their own; gives the record for [`Dataset::commit_undated`] and the
    /// events that a file in the log holds with another content, which count as quarantined. `quarantined` are those
    /// that cannot be rows, `redacted` those that are not as received.
    ///
    /// # Errors
    /// As [`Dataset::publish`].
    pub async fn publish_undated(
        &self,
        prepared: Prepared,
        surplus: Surplus,
        (quarantined, redacted): (u64, u64),
    ) -> Result<(UndatedRecord, Vec<EventId>)> {
        if prepared.window.is_some() {
            return Err(Error::bug("a window's rows are published as rows without a time"));
        }
        let Appended { files, formats, rows, known, conflicts, differing, mut vanished, .. } =
            self.append_rows(&prepared).await?;
        let known = known.saturating_sub(differing);
        let quarantined = quarantined.saturating_add(differing);
        let settled = [known, quarantined].into_iter().fold(rows, u64::saturating_add);
        let Surplus { level, total, dated } = surplus;
        if level == Level::None {
            // Who asked nobody knows of no event that is gone.
            vanished.clear();
        }
        let counts = Counts { settled, rows, known, quarantined, filtered: 0, redacted };
        let quarantine = Vec::new();
        let record = UndatedRecord { level, total, dated, counts, formats, vanished, quarantine, files };
        Ok((record, conflicts))
    }
}
