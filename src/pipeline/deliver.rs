//! One window into the destination: its rows, and what cannot be a row beside them.
//!
//! What lives here: [`deliver`], and [`deliver_undated`] for events without a time, which belong to no window. What
//! this file must not know: where the events came from.

use std::collections::{BTreeMap, HashSet};

use tokio::task::spawn_blocking;

use super::transform::{Made, Ready, Received, Recipe, as_kept, make};
use crate::error::{Error, Result};
use crate::model::{Drift, Event, EventId, Flaw, Level, Secrets, UndatedRecord, WindowRecord};
use crate::publish::{Dataset, Surplus};
use crate::spool::Events;

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
    let Ready { window, certificate, made } = ready;
    let Made { counts, prepared, events, secrets, mut quarantine, types, drift } = made;
    let mut published = dataset.publish(prepared).await?;
    if certificate.level == Level::None {
        published.vanished.clear();
    }
    let conflicts = published.conflicts.clone();
    quarantine.extend(changed(&conflicts, events, secrets).await?);
    let not_rebuilt = not_rebuilt(&quarantine);
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

/// What became of events without a time.
pub(super) struct DeliveredUndated {
    /// For the log.
    pub(super) record: UndatedRecord,
    /// Events that the dataset holds with another content; in quarantine now.
    pub(super) conflicts: Vec<EventId>,
    /// Rows that did not give their event back; in quarantine now.
    pub(super) not_rebuilt: u64,
    /// Events of each type.
    pub(super) types: BTreeMap<String, u64>,
    /// What the rows hold beyond the table.
    pub(super) drift: Drift,
}

/// The order of events without a time.
pub(super) fn by_id(mut events: Vec<Event>) -> Events {
    events.sort_unstable_by(|one, other| one.id.cmp(&other.id).then_with(|| one.text.cmp(&other.text)));
    events.into()
}

/// Makes events without a time, ordered by id, durable: as rows, or in quarantine those that cannot be rows.
pub(super) async fn deliver_undated(
    events: Events,
    surplus: Surplus,
    recipe: &Recipe,
    dataset: &Dataset,
) -> Result<DeliveredUndated> {
    let recipe = recipe.clone();
    let made = spawn_blocking(move || make(None, events, &recipe))
        .await
        .map_err(|error| Error::bug("encoding failed").because(error))??;
    let Made { counts, prepared, events, secrets, mut quarantine, types, drift } = made;
    let beside = (counts.quarantined, counts.redacted);
    let (mut record, conflicts) = dataset.publish_undated(prepared, surplus, beside).await?;
    quarantine.extend(changed(&conflicts, events, secrets).await?);
    let not_rebuilt = not_rebuilt(&quarantine);
    record.quarantine = dataset.quarantine_undated(&quarantine).await?;
    Ok(DeliveredUndated { record, conflicts, not_rebuilt, types, drift })
}

/// The new contents of events that the dataset holds with another one.
async fn changed(conflicts: &[EventId], events: Received, secrets: Secrets) -> Result<Vec<Event>> {
    if conflicts.is_empty() {
        return Ok(Vec::new());
    }
    let differing: HashSet<EventId> = conflicts.iter().cloned().collect();
    let changed = move || {
        let events = events.events()?;
        let sound = events.iter().filter(|event| event.as_ref().map_or(true, |event| event.flaw.is_none()));
        let changed =
            sound.filter(|event| event.as_ref().map_or(true, |event| differing.contains(&event.id)));
        changed
            .map(|event| Ok(Event { flaw: Some(Flaw::OtherContent), ..as_kept(event?, secrets).0.alone() }))
            .collect()
    };
    spawn_blocking(changed).await.map_err(|error| Error::bug("reading events failed").because(error))?
}

fn not_rebuilt(quarantine: &[Event]) -> u64 {
    let wrong = quarantine.iter().filter(|event| event.flaw == Some(Flaw::NotRebuilt)).count();
    u64::try_from(wrong).unwrap_or(u64::MAX)
}
