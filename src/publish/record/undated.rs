//! Events without a time in a commit's text.
//!
//! What lives here: the wire format of [`UndatedRecord`] and what must hold within one. What this file must not know:
//! other commits, storage.

use serde::{Deserialize, Serialize};

use super::{WireCounts, WireFile, check_files, from_wire_file, refused, to_format, to_wire_file};
use crate::error::Result;
use crate::model::{Level, UndatedRecord};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireUndated {
    counts: WireCounts,
    dated: u64,
    files: Vec<WireFile>,
    formats: Vec<String>,
    level: String,
    total: u64,
    vanished: Vec<String>,
}

pub(super) fn to_wire(record: &UndatedRecord) -> WireUndated {
    WireUndated {
        counts: record.counts.into(),
        dated: record.dated,
        files: record.files.iter().map(to_wire_file).collect(),
        formats: record.formats.iter().map(|format| format.name().to_owned()).collect(),
        level: record.level.name().to_owned(),
        total: record.total,
        vanished: record.vanished.clone(),
    }
}

pub(super) fn from_wire(wire: WireUndated) -> Result<UndatedRecord> {
    Ok(UndatedRecord {
        level: Level::parse(&wire.level).ok_or_else(|| refused("unknown level of certainty"))?,
        total: wire.total,
        dated: wire.dated,
        counts: wire.counts.into(),
        formats: wire.formats.iter().map(|name| to_format(name)).collect::<Result<_>>()?,
        vanished: wire.vanished,
        files: wire.files.into_iter().map(from_wire_file).collect::<Result<_>>()?,
    })
}

/// What must hold within the record.
pub(in crate::publish) fn check(record: &UndatedRecord) -> Result<(), &'static str> {
    check_files(record.counts, &record.formats, &record.files)?;
    if record.files.iter().any(|file| file.created_at.is_some()) {
        return Err("a file of events without a time has times");
    }
    Ok(())
}
