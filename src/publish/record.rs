//! The text of a commit.
//!
//! What lives here: the wire format of [`Commit`], read strictly: what a record says about itself must agree (sums
//! with counts), or it is refused. What this file must not know: other commits, storage.

mod check;
mod undated;

use serde::{Deserialize, Serialize};

use self::check::check;
pub(super) use self::check::{check_files, check_window};
use self::undated::WireUndated;
pub(super) use self::undated::check as check_undated;
use super::canonical;
use super::descriptor::WireSchema;
use super::drift::{self, WireDrift};
use super::signatures::{self, WireKey};
use crate::error::{Error, Kind, Result};
use crate::model::{
    Certificate, Commit, Counts, FileRecord, Format, Head, KeptRecord, Level, RawRecord, Timestamp, Window,
    WindowRecord,
};

const FORMAT_VERSION: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCommit {
    format_version: u64,
    /// Absent but in the commits with which a key comes into force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<WireKey>,
    number: u64,
    previous: String,
    recorded_at: String,
    schema: WireSchema,
    /// Absent unless it is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    single_writer: Option<bool>,
    tool: String,
    /// Absent from commits that say nothing of events without a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undated: Option<WireUndated>,
    windows: Vec<WireWindow>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireWindow {
    certificate: WireCertificate,
    counts: WireCounts,
    /// Absent where the events hold nothing beyond the table, as in every record before there was such a report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drift: Option<WireDrift>,
    files: Vec<WireFile>,
    formats: Vec<String>,
    from: String,
    /// Absent where nothing is in quarantine that an earlier record does not name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    quarantine: Vec<WireKept>,
    /// The kept replies; absent where none are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw: Option<WireRaw>,
    /// Absent where this dataset asked the API itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<WireHead>,
    to: String,
    vanished: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireKept {
    bytes: u64,
    path: String,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRaw {
    bytes: u64,
    path: String,
    requests: u64,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireHead {
    number: u64,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCertificate {
    distinct: u64,
    events: u64,
    from: String,
    level: String,
    padding: u32,
    parts: u32,
    quiet_from: bool,
    quiet_to: bool,
    to: String,
    total: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireCounts {
    filtered: u64,
    known: u64,
    quarantined: u64,
    redacted: u64,
    rows: u64,
    settled: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireFile {
    bytes: u64,
    created_at: Option<WireRange>,
    format: String,
    path: String,
    rows: u64,
    sequence: u32,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRange {
    max: String,
    min: String,
}

impl From<Counts> for WireCounts {
    fn from(counts: Counts) -> Self {
        let Counts { settled, rows, known, quarantined, filtered, redacted } = counts;
        Self { filtered, known, quarantined, redacted, rows, settled }
    }
}

impl From<WireCounts> for Counts {
    fn from(wire: WireCounts) -> Self {
        let WireCounts { filtered, known, quarantined, redacted, rows, settled } = wire;
        Self { settled, rows, known, quarantined, filtered, redacted }
    }
}

/// The canonical text of a commit; times as the API writes them, the writer's clock with a `Z`.
///
/// # Errors
/// [`Kind::Bug`] when the record does not agree with itself.
pub(super) fn write(commit: &Commit) -> Result<Vec<u8>> {
    check(commit).map_err(|why| Error::bug("a commit does not agree with itself").at("why", why))?;
    let bytes = canonical::write(&WireCommit {
        format_version: FORMAT_VERSION,
        key: commit.key.as_ref().map(signatures::to_wire),
        number: commit.number,
        previous: commit.previous.clone(),
        recorded_at: format!("{}Z", Timestamp::from_seconds(commit.recorded_at)),
        schema: WireSchema::from(&commit.schema),
        single_writer: commit.single_writer.then_some(true),
        tool: commit.tool.clone(),
        undated: commit.undated.as_ref().map(undated::to_wire),
        windows: commit.windows.iter().map(to_wire).collect(),
    })?;
    if bytes.len() > canonical::MAX_BYTES {
        return Err(Error::bug("a commit is too long").at("bytes", bytes.len()));
    }
    // What cannot be read again would cost the whole dataset, and not a run.
    read(&bytes).map_err(|cause| Error::bug("a commit could not be read again").because(cause))?;
    Ok(bytes)
}

fn to_wire(record: &WindowRecord) -> WireWindow {
    let certificate = &record.certificate;
    WireWindow {
        certificate: WireCertificate {
            distinct: certificate.distinct,
            events: certificate.events,
            from: certificate.range.from.to_string(),
            level: certificate.level.name().to_owned(),
            padding: certificate.padding,
            parts: certificate.parts,
            quiet_from: certificate.quiet_from,
            quiet_to: certificate.quiet_to,
            to: certificate.range.to.to_string(),
            total: certificate.total,
        },
        counts: record.counts.into(),
        drift: drift::to_wire(&record.drift),
        files: record.files.iter().map(to_wire_file).collect(),
        formats: record.formats.iter().map(|format| format.name().to_owned()).collect(),
        from: record.window.from.to_string(),
        quarantine: record.quarantine.iter().map(to_wire_kept).collect(),
        raw: record.raw.as_ref().map(|raw| WireRaw {
            bytes: raw.bytes,
            path: raw.path.clone(),
            requests: raw.requests,
            sha256: raw.sha256.clone(),
        }),
        source: record
            .source
            .as_ref()
            .map(|head| WireHead { number: head.number, sha256: head.sha256.clone() }),
        to: record.window.to.to_string(),
        vanished: record.vanished.clone(),
    }
}

fn from_wire_kept(kept: WireKept) -> KeptRecord {
    KeptRecord { path: kept.path, bytes: kept.bytes, sha256: kept.sha256 }
}

fn to_wire_kept(kept: &KeptRecord) -> WireKept {
    WireKept { bytes: kept.bytes, path: kept.path.clone(), sha256: kept.sha256.clone() }
}

pub(super) fn to_wire_file(file: &FileRecord) -> WireFile {
    let range = |(min, max): (Timestamp, Timestamp)| WireRange { max: max.to_string(), min: min.to_string() };
    WireFile {
        bytes: file.bytes,
        created_at: file.created_at.map(range),
        format: file.format.name().to_owned(),
        path: file.path.clone(),
        rows: file.rows,
        sequence: file.sequence,
        sha256: file.sha256.clone(),
    }
}

/// The commit of a text.
///
/// # Errors
/// [`Kind::Verification`] for anything that [`write()`] would not have written.
pub(super) fn read(bytes: &[u8]) -> Result<Commit> {
    let wire: WireCommit = canonical::read(bytes)?;
    if wire.format_version != FORMAT_VERSION {
        return Err(refused("unknown format version"));
    }
    let recorded_at = wire.recorded_at.strip_suffix('Z').ok_or_else(|| refused("recorded_at"))?;
    let commit = Commit {
        number: wire.number,
        previous: wire.previous,
        schema: wire.schema.into(),
        single_writer: single_writer(wire.single_writer)?,
        tool: wire.tool,
        key: wire.key.map(signatures::from_wire).transpose()?,
        undated: wire.undated.map(undated::from_wire).transpose()?,
        windows: wire.windows.into_iter().map(from_wire).collect::<Result<_>>()?,
        recorded_at: time(recorded_at)?.seconds(),
    };
    check(&commit).map_err(refused)?;
    Ok(commit)
}

fn single_writer(wire: Option<bool>) -> Result<bool> {
    match wire {
        Some(false) => Err(refused("single_writer is absent or true")),
        Some(true) => Ok(true),
        None => Ok(false),
    }
}

fn from_wire(wire: WireWindow) -> Result<WindowRecord> {
    let certificate = wire.certificate;
    let level = Level::parse(&certificate.level).ok_or_else(|| refused("unknown level of certainty"))?;
    Ok(WindowRecord {
        window: Window::new(time(&wire.from)?, time(&wire.to)?),
        certificate: Certificate {
            level,
            range: Window::new(time(&certificate.from)?, time(&certificate.to)?),
            padding: certificate.padding,
            total: certificate.total,
            distinct: certificate.distinct,
            events: certificate.events,
            quiet_from: certificate.quiet_from,
            quiet_to: certificate.quiet_to,
            parts: certificate.parts,
        },
        counts: wire.counts.into(),
        formats: wire.formats.iter().map(|name| to_format(name)).collect::<Result<_>>()?,
        vanished: wire.vanished,
        drift: wire.drift.map(drift::from_wire).transpose()?.unwrap_or_default(),
        quarantine: wire.quarantine.into_iter().map(from_wire_kept).collect(),
        files: wire.files.into_iter().map(from_wire_file).collect::<Result<_>>()?,
        raw: wire.raw.map(|raw| RawRecord {
            path: raw.path,
            bytes: raw.bytes,
            sha256: raw.sha256,
            requests: raw.requests,
        }),
        source: wire.source.map(|head| Head { number: head.number, sha256: head.sha256 }),
    })
}

pub(super) fn from_wire_file(wire: WireFile) -> Result<FileRecord> {
    let range = |range: WireRange| Ok((time(&range.min)?, time(&range.max)?));
    Ok(FileRecord {
        path: wire.path,
        format: to_format(&wire.format)?,
        sequence: wire.sequence,
        bytes: wire.bytes,
        sha256: wire.sha256,
        rows: wire.rows,
        created_at: wire.created_at.map(range).transpose()?,
    })
}

pub(super) fn to_format(name: &str) -> Result<Format> {
    Format::parse(name).ok_or_else(|| refused("unknown file format"))
}

pub(super) fn refused(why: &'static str) -> Error {
    Error::new(Kind::Verification, "a commit is not readable").at("why", why)
}

fn time(text: &str) -> Result<Timestamp> {
    match Timestamp::parse(text) {
        Some(parsed) if parsed.canonical => Ok(parsed.at),
        _ => Err(refused("a time is not in canonical form")),
    }
}

#[cfg(test)]
pub(super) mod tests;
