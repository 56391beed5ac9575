//! One window into the destination: its rows, and what cannot be a row beside them.
//!
//! What lives here: [`deliver`]. What this file must not know: where the events came from.

use std::collections::{BTreeMap, HashSet};

use super::transform::Ready;
use crate::error::{Error, Result};
use crate::model::{Event, EventId, Flaw, Level, WindowRecord};
use crate::publish::Dataset;

/// What became of a window.
pub(super) struct Delivered {
    /// For the log.
    pub(super) record: WindowRecord,
    /// Events that the dataset holds with another content; in quarantine now.
    pub(super) conflicts: Vec<EventId>,
    /// Rows that did not give their event back; in quarantine now.
    pub(super) not_rebuilt: u64,
    /// Events of each type.
    pub(super) types: BTreeMap<String, u64>,
}

/// Makes a window durable. What is not said by a certificate is not recorded: a window that nobody settled says nothing
/// of ids that it lacks.
pub(super) async fn deliver(ready: Ready, dataset: &Dataset) -> Result<Delivered> {
    let Ready { window, certificate, counts, prepared, events, mut quarantine, types, drift } = ready;
    let mut published = dataset.publish(prepared).await?;
    if certificate.level == Level::None {
        published.vanished.clear();
    }
    let conflicts = published.conflicts.clone();
    if !conflicts.is_empty() {
        let differing: HashSet<_> = conflicts.iter().collect();
        let changed = events.into_iter().filter(|event| differing.contains(&event.id));
        quarantine.extend(changed.map(|event| Event { flaw: Some(Flaw::OtherContent), ..event }));
    }
    let not_rebuilt = quarantine.iter().filter(|event| event.flaw == Some(Flaw::NotRebuilt)).count();
    let not_rebuilt = u64::try_from(not_rebuilt).unwrap_or(u64::MAX);
    let kept = dataset.quarantine(window, &quarantine).await?;
    let mut record = published.record(certificate, counts.quarantined, counts.filtered);
    record.counts.redacted = counts.redacted;
    record.drift = drift;
    record.quarantine = kept;
    if record.counts.settled != counts.settled {
        return Err(Error::bug("the events of a window do not add up")
            .at("window", window)
            .at("settled", counts.settled)
            .at("accounted for", record.counts.settled));
    }
    Ok(Delivered { record, conflicts, not_rebuilt, types })
}
