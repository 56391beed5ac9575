//! Drift in a commit's text: a bounded list and what it leaves out.
//!
//! What lives here: the wire format of [`Drift`] in a window's record. What this file must not know: how drift is
//! found.

use serde::{Deserialize, Serialize};

use super::record::refused;
use crate::error::Result;
use crate::model::{Difference, Drift, Finding, JSON_TYPES};

/// Most findings that a window's record names, the ones with the smallest names; the others are numbered alone.
const MAX_LISTED: usize = 50;

/// Bytes of a finding in the text, at most: pointer and event type are bounded where they are found, and each of
/// their characters may need an escape of six.
pub(super) const FINDING_BYTES: usize = 3_400;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireDrift {
    findings: Vec<WireFinding>,
    /// How many findings there are, listed or not.
    total: u64,
    unnamed: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireFinding {
    count: u64,
    difference: String,
    event_type: String,
    json: String,
    pointer: String,
}

/// The findings that a record names.
pub(super) fn listed(drift: &Drift) -> usize {
    drift.findings.len().min(MAX_LISTED)
}

/// None for no drift.
pub(super) fn to_wire(drift: &Drift) -> Option<WireDrift> {
    let findings = drift.findings.iter().take(MAX_LISTED).map(|(finding, count)| WireFinding {
        count: *count,
        difference: finding.difference.name().to_owned(),
        event_type: finding.event_type.clone(),
        json: finding.json.to_owned(),
        pointer: finding.pointer.clone(),
    });
    (!drift.is_empty()).then(|| WireDrift {
        findings: findings.collect(),
        total: u64::try_from(drift.findings.len()).unwrap_or(u64::MAX).saturating_add(drift.unlisted),
        unnamed: drift.unnamed,
    })
}

/// What a record names, and how much more there was.
pub(super) fn from_wire(wire: WireDrift) -> Result<Drift> {
    let mut drift = Drift { unnamed: wire.unnamed, ..Drift::default() };
    let listed = u64::try_from(wire.findings.len()).unwrap_or(u64::MAX);
    drift.unlisted =
        wire.total.checked_sub(listed).ok_or_else(|| refused("drift lists more than there is"))?;
    for finding in wire.findings {
        let difference =
            Difference::parse(&finding.difference).ok_or_else(|| refused("unknown difference"))?;
        let json = match finding.json.as_str() {
            "" => "",
            name => JSON_TYPES
                .into_iter()
                .find(|known| *known == name)
                .ok_or_else(|| refused("unknown JSON type"))?,
        };
        let count = finding.count;
        let finding = Finding { difference, event_type: finding.event_type, pointer: finding.pointer, json };
        if count == 0 || drift.findings.contains_key(&finding) {
            return Err(refused("a finding occurs twice or never"));
        }
        drift.count(finding, count);
    }
    if drift.is_empty() {
        return Err(refused("drift without a finding"));
    }
    Ok(drift)
}
