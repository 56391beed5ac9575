//! What the log says beside the coverage: drift, quarantine, what vanished.
//!
//! What lives here: [`Told`]. A window that was read again says again what it holds: of its records the largest count
//! is taken, never the sum. What this file must not know: rows, how it is shown.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Finding, Window, WindowRecord};
use crate::publish::Overview;

/// What is shown of it.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What events hold beyond the table, with how many events or values.
    pub(super) drift: BTreeMap<Finding, u64>,
    /// Findings that the log numbers without naming them, and values that it does not tell apart.
    pub(super) drift_unlisted: u64,
    pub(super) drift_unnamed: u64,
    /// Windows with events in quarantine, and how many.
    pub(super) quarantine: Vec<(Window, u64)>,
    /// Events in quarantine that have no time.
    pub(super) quarantine_undated: u64,
    /// Events that the API no longer lists and whose rows stay.
    pub(super) vanished: u64,
    /// Events among the committed ones in which secrets were replaced, by the record of each window that has most.
    pub(super) redacted: u64,
}

impl Told {
    pub(super) fn new(overview: &Overview) -> Self {
        let mut told = Self::default();
        for (window, records) in &overview.windows {
            told.window(*window, records);
        }
        let undated = &overview.undated;
        told.quarantine_undated = undated.iter().map(|record| record.counts.quarantined).max().unwrap_or(0);
        told.redacted += undated.iter().map(|record| record.counts.redacted).max().unwrap_or(0);
        let vanished: BTreeSet<&String> = undated.iter().flat_map(|record| &record.vanished).collect();
        told.vanished += u64::try_from(vanished.len()).unwrap_or(u64::MAX);
        told
    }

    pub(super) fn quarantined(&self) -> u64 {
        self.quarantine.iter().map(|(_, events)| events).sum::<u64>().saturating_add(self.quarantine_undated)
    }

    fn window(&mut self, window: Window, records: &[WindowRecord]) {
        let mut drift: BTreeMap<&Finding, u64> = BTreeMap::new();
        let (mut unlisted, mut unnamed, mut quarantined, mut redacted) = (0, 0, 0, 0);
        for record in records {
            for (finding, times) in &record.drift.findings {
                let most = drift.entry(finding).or_default();
                *most = (*most).max(*times);
            }
            unlisted = unlisted.max(record.drift.unlisted);
            unnamed = unnamed.max(record.drift.unnamed);
            quarantined = quarantined.max(record.counts.quarantined);
            redacted = redacted.max(record.counts.redacted);
        }
        for (finding, times) in drift {
            let sum = self.drift.entry(finding.clone()).or_default();
            *sum = sum.saturating_add(times);
        }
        self.drift_unlisted = self.drift_unlisted.saturating_add(unlisted);
        self.drift_unnamed = self.drift_unnamed.saturating_add(unnamed);
        self.redacted = self.redacted.saturating_add(redacted);
        if quarantined > 0 {
            self.quarantine.push((window, quarantined));
        }
        let vanished: BTreeSet<&String> = records.iter().flat_map(|record| &record.vanished).collect();
        self.vanished += u64::try_from(vanished.len()).unwrap_or(u64::MAX);
    }
}
