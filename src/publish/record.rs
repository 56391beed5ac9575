//! The text of a commit.
//!
//! What lives here: the wire format of [`Commit`], read strictly: what a record says about itself must agree (sums
//! with counts), or it is refused. What this file must not know: other commits, storage.

use serde::{Deserialize, Serialize};

use super::canonical;
use super::descriptor::WireSchema;
use super::digest::is_sha256;
use super::drift::{self, WireDrift};
use super::raw;
use crate::error::{Error, Kind, Result};
use crate::model::{
    Certificate, Commit, Counts, FileRecord, Format, Head, Level, RawRecord, Timestamp, Window, WindowRecord,
};

const FORMAT_VERSION: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCommit {
    format_version: u64,
    number: u64,
    previous: String,
    recorded_at: String,
    schema: WireSchema,
    tool: String,
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
struct WireCounts {
    filtered: u64,
    known: u64,
    quarantined: u64,
    redacted: u64,
    rows: u64,
    settled: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireFile {
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

/// The canonical text of a commit; times as the API writes them, the writer's clock with a `Z`.
///
/// # Errors
/// [`Kind::Bug`] when the record does not agree with itself.
pub(super) fn write(commit: &Commit) -> Result<Vec<u8>> {
    check(commit).map_err(|why| Error::bug("a commit does not agree with itself").at("why", why))?;
    let bytes = canonical::write(&WireCommit {
        format_version: FORMAT_VERSION,
        number: commit.number,
        previous: commit.previous.clone(),
        recorded_at: format!("{}Z", Timestamp::from_seconds(commit.recorded_at)),
        schema: WireSchema::from(&commit.schema),
        tool: commit.tool.clone(),
        windows: commit.windows.iter().map(to_wire).collect(),
    })?;
    if bytes.len() > canonical::MAX_BYTES {
        return Err(Error::bug("a commit is too long").at("bytes", bytes.len()));
    }
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
        counts: WireCounts {
            filtered: record.counts.filtered,
            known: record.counts.known,
            quarantined: record.counts.quarantined,
            redacted: record.counts.redacted,
            rows: record.counts.rows,
            settled: record.counts.settled,
        },
        drift: drift::to_wire(&record.drift),
        files: record.files.iter().map(to_wire_file).collect(),
        formats: record.formats.iter().map(|format| format.name().to_owned()).collect(),
        from: record.window.from.to_string(),
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

fn to_wire_file(file: &FileRecord) -> WireFile {
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
        tool: wire.tool,
        windows: wire.windows.into_iter().map(from_wire).collect::<Result<_>>()?,
        recorded_at: time(recorded_at)?.seconds(),
    };
    check(&commit).map_err(refused)?;
    Ok(commit)
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
        counts: Counts {
            filtered: wire.counts.filtered,
            settled: wire.counts.settled,
            rows: wire.counts.rows,
            known: wire.counts.known,
            quarantined: wire.counts.quarantined,
            redacted: wire.counts.redacted,
        },
        formats: wire.formats.iter().map(|name| to_format(name)).collect::<Result<_>>()?,
        vanished: wire.vanished,
        drift: wire.drift.map(drift::from_wire).transpose()?.unwrap_or_default(),
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

fn from_wire_file(wire: WireFile) -> Result<FileRecord> {
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

fn to_format(name: &str) -> Result<Format> {
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

/// What must hold within one commit.
fn check(commit: &Commit) -> Result<(), &'static str> {
    if !is_sha256(&commit.previous) {
        return Err("previous is not a digest");
    }
    if commit.windows.is_empty() {
        return Err("no window");
    }
    let pairs = commit.windows.iter().zip(commit.windows.iter().skip(1));
    if !pairs.into_iter().all(|(one, next)| one.window.to <= next.window.from) {
        return Err("windows are not ascending");
    }
    commit.windows.iter().try_for_each(check_window)
}

/// What must hold within one window's record.
pub(super) fn check_window(record: &WindowRecord) -> Result<(), &'static str> {
    let Counts { settled, rows, known, quarantined, filtered, redacted } = record.counts;
    let sum = [known, quarantined, filtered].into_iter().try_fold(rows, u64::checked_add);
    if sum != Some(settled) {
        return Err("counts do not add up");
    }
    if redacted > settled - filtered {
        return Err("more events are redacted than there are");
    }
    if record.source.as_ref().is_some_and(|head| !is_sha256(&head.sha256)) {
        return Err("the source is not a digest");
    }
    if let Some(raw) = &record.raw
        && !(is_sha256(&raw.sha256) && raw.requests > 0 && raw::is_place(&raw.path, &record.certificate))
    {
        return Err("the kept replies are not where they belong, or have no digest");
    }
    if record.window.seconds() == 0 {
        return Err("a window is empty or reversed");
    }
    let formats = &record.formats;
    if formats.is_empty() || !formats.iter().zip(formats.iter().skip(1)).all(|(one, next)| one < next) {
        return Err("formats are not ascending, or there is none");
    }
    if record.files.iter().any(|file| !formats.contains(&file.format)) {
        return Err("a file has a format that the record is not about");
    }
    let mut most = 0;
    for format in Format::ALL {
        let files = record.files.iter().filter(|file| file.format == format);
        most = most.max(files.map(|file| file.rows).fold(0, u64::saturating_add));
    }
    if most != rows {
        return Err("files hold other rows than were counted");
    }
    for file in &record.files {
        if !is_sha256(&file.sha256) || file.rows == 0 {
            return Err("a file has no digest or no rows");
        }
        let within = |at| record.window.contains(at);
        if !file.created_at.is_some_and(|(min, max)| min <= max && within(min) && within(max)) {
            return Err("a file holds rows of another window");
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests;
