//! Quarantine: events that cannot become a row, kept as they were received.
//!
//! What lives here: [`Dataset::quarantine`] and the lines it writes. One JSON object a line with keys `flaw`, `id` and
//! `text`, or `base64` when the bytes are not UTF-8; sorted, write-once, numbered like the window's slots. Events that
//! belong to no window are in `events-undated`.
//! The log counts these events and names the files of windows with their digests; those of `events-undated` it does not.
//! What this file must not know: what the flaws mean.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::base64::{decoded, encoded};
use super::canonical;
use super::dataset::Dataset;
use super::digest::sha256;
use super::register;
use crate::error::{Error, Kind, Result};
use crate::model::{Event, EventId, Flaw, KeptRecord, Window, slot};
use crate::store::ObjectPath;

pub(super) const FOLDER: &str = "_audit/quarantine";

/// The name of events that belong to no window.
pub(super) const UNDATED: &str = "events-undated";

/// A file of more bytes is refused.
pub(super) const MAX_FILE: u64 = 1 << 30;

const MAX_FILES: u32 = 1_000;

impl Dataset {
    /// Keeps the raw bytes of a window's flawed events; those that earlier files hold are not written again. Returns
    /// the files that hold them now, in order, as the window's record names them.
    ///
    /// # Errors
    /// [`Kind::Bug`] for an event without a flaw; [`Kind::Storage`].
    pub async fn quarantine(&self, window: Window, events: &[Event]) -> Result<Vec<KeptRecord>> {
        self.keep(&name(window), events).await.map_err(|error| error.at("window", window))
    }

    /// The same for events that belong to no window.
    ///
    /// # Errors
    /// As [`Dataset::quarantine`].
    pub async fn quarantine_undated(&self, events: &[Event]) -> Result<Vec<KeptRecord>> {
        self.keep(UNDATED, events).await
    }

    /// The events that are kept of a window, in the order of their files, each line once.
    ///
    /// # Errors
    /// [`Kind::Verification`] for a line that is none of ours; [`Kind::Storage`].
    pub async fn quarantined(&self, window: Window) -> Result<Vec<Event>> {
        self.kept(&name(window)).await.map_err(|error| error.at("window", window))
    }

    /// The same for events that belong to no window.
    ///
    /// # Errors
    /// As [`Dataset::quarantined`].
    pub async fn quarantined_undated(&self) -> Result<Vec<Event>> {
        self.kept(UNDATED).await
    }

    async fn kept(&self, name: &str) -> Result<Vec<Event>> {
        let mut lines = BTreeSet::new();
        for sequence in 0..MAX_FILES {
            let path = path(name, sequence)?;
            let Some(bytes) = register::read(self.store(), &path, MAX_FILE).await? else { break };
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                lines.insert(line.to_vec());
            }
        }
        lines.iter().map(|line| event(line)).collect()
    }

    async fn keep(&self, name: &str, events: &[Event]) -> Result<Vec<KeptRecord>> {
        let mut missing: BTreeSet<String> = events.iter().map(line).collect::<Result<_>>()?;
        let mut kept = Vec::new();
        for sequence in 0..MAX_FILES {
            if missing.is_empty() {
                return Ok(kept);
            }
            let path = path(name, sequence)?;
            self.create_descriptor().await?;
            // Also when the file is there: a create that finds it makes it durable, whoever wrote it.
            let wanted = register::read(self.store(), &path, MAX_FILE).await?;
            let wanted =
                wanted.unwrap_or_else(|| missing.iter().map(String::as_str).collect::<String>().into());
            let standing = register::decide(self.store(), &path, wanted, MAX_FILE).await?;
            for line in standing.split_inclusive(|byte| *byte == b'\n') {
                if let Ok(line) = std::str::from_utf8(line) {
                    missing.remove(line);
                }
            }
            kept.push(KeptRecord {
                path: path.as_str().to_owned(),
                bytes: u64::try_from(standing.len()).unwrap_or(u64::MAX),
                sha256: sha256(&standing),
            });
        }
        Err(Error::new(Kind::Storage, "there are too many files in quarantine").at("name", name))
    }
}

/// The name of a window's slot without its sequence number.
fn name(window: Window) -> String {
    slot::name(Some(window))
}

/// The name of a window's files and the sequence number, of a name that is one of quarantine's.
pub(super) fn parse(name: &str) -> Option<(&str, u32)> {
    let (stem, digits) = name.strip_suffix(".ndjson")?.rsplit_once("-s")?;
    let sequence: u32 = digits.parse().ok()?;
    (stem.starts_with("events-") && format!("{sequence:03}") == digits).then_some((stem, sequence))
}

/// Whether a path is one of the window's files.
pub(super) fn is_of(path: &str, window: Window) -> bool {
    let below = path.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix('/'));
    below.and_then(parse).is_some_and(|(stem, _)| stem == name(window))
}

fn path(name: &str, sequence: u32) -> Result<ObjectPath> {
    ObjectPath::new(format!("{FOLDER}/{name}-s{sequence:03}.ndjson"))
}

/// The event of a line; its time is not in it.
fn event(line: &[u8]) -> Result<Event> {
    let refused = |why| Error::new(Kind::Verification, "a file in quarantine is not readable").at("why", why);
    let line = line.strip_suffix(b"\n").ok_or_else(|| refused("a line has no end"))?;
    let wire: BTreeMap<String, String> = serde_json::from_slice(line)
        .map_err(|cause| refused("a line is not such a record").because(cause))?;
    let member = |name: &str| wire.get(name).map(String::as_str);
    let text = match (member("text"), member("base64")) {
        (Some(text), None) => Bytes::copy_from_slice(text.as_bytes()),
        (None, Some(text)) => decoded(text).ok_or_else(|| refused("a text is not base64"))?.into(),
        _ => return Err(refused("a line has no text, or two")),
    };
    let flaw = member("flaw").and_then(Flaw::parse).ok_or_else(|| refused("unknown flaw"))?;
    let id = EventId::new(member("id").ok_or_else(|| refused("a line has no id"))?);
    Ok(Event { id, created_at: None, text, flaw: Some(flaw) })
}

fn line(event: &Event) -> Result<String> {
    let flaw =
        event.flaw.map(Flaw::name).ok_or_else(|| Error::bug("an event without a flaw in quarantine"))?;
    let (key, text) = match std::str::from_utf8(&event.text) {
        Ok(text) => ("text", text.to_owned()),
        Err(_) => ("base64", encoded(&event.text)),
    };
    let members = BTreeMap::from([("flaw", flaw), ("id", event.id.as_str()), (key, &text)]);
    let mut line = canonical::write(&members)?;
    line.push(b'\n');
    String::from_utf8(line).map_err(|cause| Error::bug("a line of quarantine is not UTF-8").because(cause))
}
