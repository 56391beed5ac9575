//! The slot rule: read what is there, append only what is new, once.
//!
//! What lives here: [`Dataset::publish`] and what it found. What this file must not know: a file format, a kind of
//! store, how the log is stored.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;

use super::dataset::Dataset;
use super::digest::sha256;
use super::prepare::{Content, Prepared, PreparedFile, described, file};
use super::{register, rows};
use crate::error::{Error, Kind, Result};
use crate::model::{
    Certificate, Counts, Drift, EventId, FileRecord, Format, Partition, Slot, Window, WindowRecord,
};
use crate::store::ObjectPath;

/// A data file of more bytes is refused.
const MAX_FILE: u64 = 4 << 30;

/// Slots of one window and format; names sort as text up to here.
const MAX_SLOTS: u32 = 1_000;

/// Work on more bytes than this leaves the async threads: it takes over half a millisecond.
const INLINE_BYTES: usize = 64 << 10;

/// Ids named in an error.
const NAMED: usize = 5;

/// What became of a window's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The window.
    pub window: Window,
    /// Files that are durable and not yet in the log: written now, or adopted.
    pub files: Vec<FileRecord>,
    /// The formats whose slots were read and filled up, ascending.
    pub formats: Vec<Format>,
    /// Rows of those files, in the format that got most.
    pub rows: u64,
    /// Rows that files in the log hold already.
    pub known: u64,
    /// Events that a file in the log holds with another content. The row there stays; nothing is written for them.
    pub conflicts: Vec<EventId>,
    /// Ids that files in the log hold and the window's rows do not: the API no longer lists them.
    pub vanished: Vec<String>,
    /// How many of `files` an earlier or concurrent run has written.
    pub adopted: usize,
}

impl Published {
    /// The log's record of this window. Events whose committed content differs count as quarantined: that is where
    /// the caller keeps the new content. How many were redacted is for the caller to add.
    pub fn record(self, certificate: Certificate, quarantined: u64, filtered: u64) -> WindowRecord {
        let conflicts = u64::try_from(self.conflicts.len()).unwrap_or(u64::MAX);
        let known = self.known.saturating_sub(conflicts);
        let quarantined = quarantined.saturating_add(conflicts);
        let settled = [known, quarantined, filtered].into_iter().fold(self.rows, u64::saturating_add);
        WindowRecord {
            window: self.window,
            certificate,
            counts: Counts { settled, rows: self.rows, known, quarantined, filtered, redacted: 0 },
            formats: self.formats,
            vanished: self.vanished,
            drift: Drift::default(),
            files: self.files,
            raw: None,
            source: None,
        }
    }
}

/// What one format's slots say.
#[derive(Default)]
struct Walk {
    files: Vec<FileRecord>,
    adopted: usize,
    conflicts: BTreeSet<String>,
    vanished: BTreeSet<String>,
    /// Ids of the window's rows that slots hold.
    held: HashSet<String>,
    /// Whether every row is held; then `held` may be incomplete.
    complete: bool,
}

/// A slot and what the log says of it.
struct Place {
    slot: Slot,
    path: ObjectPath,
    recorded: Option<FileRecord>,
}

impl Place {
    /// The log's record of this file in this slot.
    fn file(&self, file: &PreparedFile) -> FileRecord {
        FileRecord {
            path: self.path.as_str().to_owned(),
            format: self.slot.format,
            sequence: self.slot.sequence,
            bytes: u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
            sha256: file.sha256.clone(),
            rows: file.rows,
            created_at: file.created_at,
        }
    }
}

/// A slot's file compared with the window's rows.
#[derive(Debug)]
struct Examined {
    file: PreparedFile,
    other_columns: bool,
    held: Vec<String>,
    differing: Vec<String>,
    unconfirmed: Vec<String>,
}

impl Dataset {
    /// Makes a window's rows durable in write-once slots: reads the slots that are there, appends those rows that
    /// none of them holds, and says which files the log still lacks. Repeating it, here or in another process,
    /// changes nothing.
    ///
    /// Windows must be published in ascending order; then what a reader sees is always a prefix of the run.
    ///
    /// # Errors
    /// [`Kind::Verification`] when a file that the log names is missing or altered, or a slot is damaged;
    /// [`Kind::Contradiction`] when a file that the log does not name holds events which the API does not confirm;
    /// [`Kind::Storage`].
    pub async fn publish(&self, prepared: Prepared) -> Result<Published> {
        let window = prepared.window;
        let published = self.publish_formats(&prepared).await;
        published.map_err(|cause| cause.at("window", window))
    }

    async fn publish_formats(&self, prepared: &Prepared) -> Result<Published> {
        let (mut files, mut adopted, mut rows) = (Vec::new(), 0, 0_u64);
        let (mut conflicts, mut vanished) = (BTreeSet::new(), BTreeSet::new());
        for first in &prepared.files {
            let walk = self.walk(prepared, first).await?;
            rows = rows.max(walk.files.iter().map(|file| file.rows).sum());
            files.extend(walk.files);
            adopted += walk.adopted;
            conflicts.extend(walk.conflicts);
            vanished.extend(walk.vanished);
        }
        let known =
            prepared.rows.checked_sub(rows).ok_or_else(|| Error::bug("more rows published than settled"))?;
        let formats: BTreeSet<Format> = prepared.files.iter().map(|file| file.format).collect();
        Ok(Published {
            window: prepared.window,
            formats: formats.into_iter().collect(),
            files,
            rows,
            known,
            conflicts: conflicts.iter().map(|id| EventId::new(id)).collect(),
            vanished: vanished.into_iter().collect(),
            adopted,
        })
    }

    async fn walk(&self, prepared: &Prepared, first: &PreparedFile) -> Result<Walk> {
        let mut walk = Walk::default();
        for sequence in 0..MAX_SLOTS {
            let span = Some(prepared.window);
            let slot = Slot { span, partition: Partition::default(), format: first.format, sequence };
            let path = ObjectPath::new(slot.path(&self.spec().layout))?;
            let recorded = self.recorded(path.as_str());
            let place = Place { slot, path, recorded };
            let standing = match self.find(&place).await? {
                Some(standing) => standing,
                None => {
                    if self.has_file_from(prepared.window, first.format, sequence) {
                        return Err(missing(&place.path));
                    }
                    if walk.complete || walk.held.len() == held_all(prepared) {
                        return Ok(walk);
                    }
                    let ours = remaining(first, &prepared.content, &walk.held).await?;
                    self.create_descriptor().await?;
                    let standing =
                        register::decide(self.store(), &place.path, ours.bytes.clone(), MAX_FILE).await?;
                    if standing == ours.bytes {
                        walk.files.push(place.file(&ours));
                        walk.complete = true;
                        continue;
                    }
                    standing
                }
            };
            self.take(place, standing, prepared, first, &mut walk).await?;
        }
        Err(Error::new(Kind::Storage, "a window has too many late files").at("limit", MAX_SLOTS))
    }

    /// The slot's file, if there is one; a file that the log names must be there and unaltered.
    async fn find(&self, place: &Place) -> Result<Option<Bytes>> {
        let path = &place.path;
        let Some(recorded) = &place.recorded else {
            return register::read(self.store(), path, MAX_FILE).await;
        };
        let Some(standing) = register::read_known(self.store(), path, MAX_FILE).await? else {
            return Err(missing(path));
        };
        let bytes = standing.clone();
        let digest = compute(standing.len(), move || Ok(sha256(&bytes))).await?;
        if digest != recorded.sha256 {
            return Err(Error::new(Kind::Verification, "a file is not the one that the log names")
                .at("path", path)
                .hint("the file was altered after it was committed; restore it from a copy"));
        }
        Ok(Some(standing))
    }

    /// Takes account of a file that stands in a slot and was not just written.
    async fn take(
        &self,
        mut place: Place,
        standing: Bytes,
        prepared: &Prepared,
        first: &PreparedFile,
        walk: &mut Walk,
    ) -> Result<()> {
        if walk.held.is_empty() && !walk.complete && first.rows > 0 && standing == first.bytes {
            // The very bytes that we would write: no need to decode them.
            walk.complete = true;
            if place.recorded.is_none() {
                self.adopt(&place.path, &standing).await?;
                walk.files.push(place.file(first));
                walk.adopted += 1;
            }
            return Ok(());
        }
        let (content, bytes) = (Arc::clone(&prepared.content), standing.clone());
        let (format, window) = (place.slot.format, prepared.window);
        // Decoding makes about eight times the bytes.
        let examined =
            compute(standing.len().saturating_mul(8), move || examine(format, bytes, window, &content))
                .await
                .map_err(|cause| cause.at("path", &place.path))?;
        let again = |id: &&String| walk.complete || walk.held.contains(*id);
        if let Some(id) = examined.held.iter().chain(&examined.differing).find(again) {
            return Err(Error::new(Kind::Verification, "an event is in two files")
                .at("path", &place.path)
                .at("id", id));
        }
        let agrees = examined.unconfirmed.is_empty() && examined.differing.is_empty();
        if place.recorded.is_none() && !agrees {
            // Perhaps another run has recorded it meanwhile.
            self.read_forward().await?;
            place.recorded = self.recorded(place.path.as_str());
        }
        match &place.recorded {
            Some(_) => {
                walk.conflicts.extend(examined.differing.iter().cloned());
                walk.vanished.extend(examined.unconfirmed.iter().cloned());
            }
            None if !agrees => return Err(unconfirmed(&place.path, &examined)),
            None if examined.other_columns => {
                return Err(Error::new(
                    Kind::Verification,
                    "an unfinished file has the columns of another version",
                )
                .at("path", &place.path)
                .hint("run the version of vonage-audit that wrote it once more, so that it is committed"));
            }
            None => {
                self.adopt(&place.path, &standing).await?;
                walk.files.push(place.file(&examined.file));
                walk.adopted += 1;
            }
        }
        walk.held.extend(examined.held);
        walk.held.extend(examined.differing);
        Ok(())
    }

    /// Whoever wrote the file may have died before it was durable; a create that finds it there makes it so.
    async fn adopt(&self, path: &ObjectPath, standing: &Bytes) -> Result<()> {
        self.create_descriptor().await?;
        let again = register::decide(self.store(), path, standing.clone(), MAX_FILE).await?;
        if again == *standing {
            return Ok(());
        }
        Err(Error::new(Kind::Verification, "a slot changed while it was read").at("path", path))
    }
}

fn held_all(prepared: &Prepared) -> usize {
    usize::try_from(prepared.rows).unwrap_or(usize::MAX)
}

/// The file of the rows that no slot holds.
async fn remaining(
    first: &PreparedFile,
    content: &Arc<Content>,
    held: &HashSet<String>,
) -> Result<PreparedFile> {
    if held.is_empty() {
        return Ok(first.clone());
    }
    let (format, content, held) = (first.format, Arc::clone(content), held.clone());
    compute(first.bytes.len(), move || file(format, &content, &rows::without(&content.batches, &held)?)).await
}

/// Computes here if it is little, else on a blocking thread.
pub(super) async fn compute<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if bytes <= INLINE_BYTES {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(cause) => Err(Error::bug("a computation did not end").because(cause)),
    }
}

fn examine(format: Format, bytes: Bytes, window: Window, content: &Content) -> Result<Examined> {
    let (schema, batches) = content.read(format, bytes.clone())?;
    let names = rows::comparable(&schema, &content.schema);
    let fresh: HashMap<String, [u8; 32]> =
        rows::rows(&content.as_read(format)?, &names)?.into_iter().map(|row| (row.id, row.content)).collect();
    let standing = rows::rows(&batches, &names).map_err(|cause| {
        Error::new(Kind::Verification, "a file in a slot has not the rows of a dataset").because(cause)
    })?;

    let mut seen = HashSet::new();
    let (mut held, mut differing, mut unconfirmed) = (Vec::new(), Vec::new(), Vec::new());
    for row in standing {
        if !window.contains(row.created_at) || !seen.insert(row.id.clone()) {
            return Err(Error::new(Kind::Verification, "a file holds a row twice or of another window")
                .at("id", row.id));
        }
        match fresh.get(&row.id) {
            Some(content) if *content == row.content => held.push(row.id),
            Some(_) => differing.push(row.id),
            None => unconfirmed.push(row.id),
        }
    }
    if !differing.is_empty() {
        let ids = differing.iter().map(String::as_str).collect();
        let same = rows::same_as_json(&ids, &batches, &content.as_read(format)?, &names)?;
        let (alike, other) = differing.into_iter().partition(|id| same.contains(id));
        held.extend::<Vec<String>>(alike);
        differing = other;
    }
    Ok(Examined {
        file: described(format, bytes, &batches)?,
        other_columns: !rows::same_columns(&schema, &content.schema),
        held,
        differing,
        unconfirmed,
    })
}

fn missing(path: &ObjectPath) -> Error {
    Error::new(Kind::Verification, "a file that the log names is missing")
        .at("path", path)
        .hint("it is never made anew; restore it from a copy")
}

fn unconfirmed(path: &ObjectPath, examined: &Examined) -> Error {
    let name = |ids: &[String]| ids.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(" ");
    let mut error =
        Error::new(Kind::Contradiction, "a file that is not committed holds what the API does not confirm")
            .at("path", path);
    if !examined.unconfirmed.is_empty() {
        error = error.at("unconfirmed", examined.unconfirmed.len()).at("ids", name(&examined.unconfirmed));
    }
    if !examined.differing.is_empty() {
        error = error.at("different", examined.differing.len()).at("ids", name(&examined.differing));
    }
    error.hint("an interrupted or concurrent run wrote it; if no other run is active, look at these events")
}
