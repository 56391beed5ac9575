//! The slot rule: read what is there, append only what is new, once.
//!
//! What lives here: [`Dataset::publish`] and what it found. What this file must not know: a file format, a kind of
//! store, how the log is stored.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::chains::Walk;
use super::dataset::Dataset;
use super::digest::sha256_of;
use super::examine::examine;
use super::making::PreparedFile;
use super::prepare::{Prepared, named};
use super::{register, rows};
use crate::error::{Error, Kind, Result};
use crate::model::{Certificate, Counts, Drift, EventId, FileRecord, Format, Slot, Window, WindowRecord};
use crate::spool::{Blob, Scratch};
use crate::store::ObjectPath;

/// A data file of more bytes is refused.
const MAX_FILE: u64 = 64 << 30;

/// Slots of one group and format; names sort as text up to here.
const MAX_SLOTS: u32 = 1_000;

/// Work on more bytes than this leaves the async threads: it takes over half a millisecond.
const INLINE_BYTES: u64 = 64 << 10;

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
    /// Events that a file in the log holds with another content, in whichever format. The row there stays; nothing is written
    /// for them in that format.
    pub conflicts: Vec<EventId>,
    /// How many of them are no rows: those of the format that got most. A format that is filled in later may get a content
    /// that another one holds otherwise.
    pub differing: u64,
    /// Ids that files in the log hold and the window's rows do not: the API no longer lists them.
    pub vanished: Vec<String>,
    /// How many of `files` an earlier or concurrent run has written.
    pub adopted: usize,
}

impl Published {
    /// The log's record of this window. Events whose committed content differs count as quarantined: that is where
    /// the caller keeps the new content. How many were redacted is for the caller to add.
    pub fn record(self, certificate: Certificate, quarantined: u64, filtered: u64) -> WindowRecord {
        let known = self.known.saturating_sub(self.differing);
        let quarantined = quarantined.saturating_add(self.differing);
        let settled = [known, quarantined, filtered].into_iter().fold(self.rows, u64::saturating_add);
        WindowRecord {
            window: self.window,
            certificate,
            counts: Counts { settled, rows: self.rows, known, quarantined, filtered, redacted: 0 },
            formats: self.formats,
            vanished: self.vanished,
            drift: Drift::default(),
            quarantine: Vec::new(),
            files: self.files,
            raw: None,
            source: None,
        }
    }
}

/// What became of a window's rows, or of those without a time.
#[derive(Default)]
pub(super) struct Appended {
    pub(super) files: Vec<FileRecord>,
    pub(super) formats: Vec<Format>,
    pub(super) rows: u64,
    pub(super) known: u64,
    pub(super) conflicts: Vec<EventId>,
    pub(super) differing: u64,
    pub(super) vanished: Vec<String>,
    pub(super) adopted: usize,
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
            bytes: file.content.len(),
            sha256: file.sha256.clone(),
            rows: file.extent.rows,
            created_at: file.extent.created_at,
        }
    }
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
        let Some(window) = prepared.window else {
            return Err(Error::bug("rows without a time are published as a window's"));
        };
        let Appended { files, formats, rows, known, conflicts, differing, vanished, adopted } =
            self.append_rows(&prepared).await?;
        Ok(Published { window, files, formats, rows, known, conflicts, differing, vanished, adopted })
    }

    /// The same for any rows: every slot of the window is read before the first is written, so that an event whose
    /// partition has changed is found in the old one and does not become a second row.
    pub(super) async fn append_rows(&self, prepared: &Prepared) -> Result<Appended> {
        let appended = self.append_formats(prepared).await;
        appended.map_err(|cause| named(cause, prepared.window))
    }

    async fn append_formats(&self, prepared: &Prepared) -> Result<Appended> {
        let mut all = Appended::default();
        let (mut conflicts, mut vanished) = (BTreeSet::new(), BTreeSet::new());
        for (place, format) in prepared.formats.iter().enumerate() {
            let standing = self.standing(prepared.window, *format).await?;
            let mut walk = Walk::new(prepared, (place, *format), standing);
            for chain in 0..walk.chains.len() {
                self.advance(&mut walk, chain, false).await?;
            }
            for chain in 0..walk.chains.len() {
                if walk.chains.get(chain).is_some_and(|chain| !chain.is_full()) {
                    self.advance(&mut walk, chain, true).await?;
                }
            }
            // Of the format that got most; the others hold more, with whatever contents.
            let differing = u64::try_from(walk.conflicts.len()).unwrap_or(u64::MAX);
            let got = (walk.files.iter().map(|file| file.rows).sum(), differing);
            (all.rows, all.differing) = got.max((all.rows, all.differing));
            walk.files.sort_by(|one, other| one.path.cmp(&other.path));
            all.files.extend(walk.files);
            all.adopted += walk.adopted;
            conflicts.extend(walk.conflicts);
            vanished.extend(walk.vanished);
        }
        self.describe(&all.files, &prepared.content.making.schema).await?;
        all.known = prepared
            .rows
            .checked_sub(all.rows)
            .ok_or_else(|| Error::bug("more rows published than settled"))?;
        let formats: BTreeSet<Format> = prepared.formats.iter().copied().collect();
        all.formats = formats.into_iter().collect();
        all.conflicts = conflicts.iter().map(|id| EventId::new(id)).collect();
        all.vanished = vanished.into_iter().collect();
        Ok(all)
    }

    /// Reads the slots of a chain that were not read, up to the first that is empty; if `write`, fills that one with
    /// the rows that no slot of the window holds.
    async fn advance(&self, walk: &mut Walk<'_>, position: usize, write: bool) -> Result<()> {
        // The walk has just found the next slot empty; whoever fills it meanwhile is met by the create.
        let mut found_empty = write;
        loop {
            let Some(chain) = walk.chains.get(position) else { return Ok(()) };
            let sequence = chain.next;
            if sequence >= MAX_SLOTS {
                return Err(
                    Error::new(Kind::Storage, "a window has too many late files").at("limit", MAX_SLOTS)
                );
            }
            let slot = chain.group.slot(walk.format, sequence);
            let path = ObjectPath::new(slot.path(&self.spec().layout))?;
            let recorded = self.recorded(path.as_str());
            let place = Place { slot, path, recorded };
            let standing = if found_empty {
                None
            } else {
                self.find(&place, &walk.prepared.content.making.scratch).await?
            };
            found_empty = false;
            let standing = match standing {
                Some(standing) => standing,
                None if chain.last_recorded.is_some_and(|last| last >= sequence) => {
                    return Err(missing(&place.path));
                }
                None if !write || chain.is_full() => return Ok(()),
                None => {
                    let ours = self.remaining(walk, position).await?;
                    self.create_descriptor().await?;
                    let limits = (MAX_FILE, &walk.prepared.content.making.scratch);
                    let standing =
                        register::decide_file(self.store(), &place.path, ours.content.clone(), limits)
                            .await?;
                    if standing.same(&ours.content)? {
                        walk.files.push(place.file(&ours));
                        if let Some(chain) = walk.chains.get_mut(position) {
                            (chain.complete, chain.next) = (true, sequence + 1);
                        }
                        // Whoever has added to it meanwhile knew more than we do, and says so in the log.
                        return Ok(());
                    }
                    standing
                }
            };
            self.take(place, standing, walk, position).await?;
            if let Some(chain) = walk.chains.get_mut(position) {
                chain.next = sequence + 1;
            }
        }
    }

    /// The file of a chain's rows that no slot holds.
    async fn remaining(&self, walk: &Walk<'_>, position: usize) -> Result<PreparedFile> {
        let chain = walk.chains.get(position);
        let (Some(chain), Some((own, ready))) = (chain, walk.first(position)) else {
            return Err(Error::bug("a chain without rows is written"));
        };
        if chain.held == 0 {
            return self.whole(walk, own, ready).await;
        }
        let (format, content, held) =
            (walk.format, Arc::clone(&walk.prepared.content), Arc::new(walk.held.clone()));
        compute(content.work(encoding(ready)), move || {
            let left = |batch: Result<_>| rows::chosen(&batch?, |id| !held.contains(id));
            content.file(format, &mut content.batches(own).map(left))
        })
        .await
    }

    /// The file of all rows of a group, encoded now if it is not yet.
    async fn whole(&self, walk: &Walk<'_>, own: usize, ready: Option<&PreparedFile>) -> Result<PreparedFile> {
        if let Some(ready) = ready {
            return Ok(ready.clone());
        }
        let (format, content) = (walk.format, Arc::clone(&walk.prepared.content));
        compute(encoding(None), move || content.file(format, &mut content.batches(own))).await
    }

    /// The slot's file, if there is one; a file that the log names must be there and unaltered.
    async fn find(&self, place: &Place, scratch: &Scratch) -> Result<Option<Blob>> {
        let path = &place.path;
        let Some(recorded) = &place.recorded else {
            return register::read_file(self.store(), path, (MAX_FILE, scratch)).await;
        };
        let Some(standing) = register::read_known_file(self.store(), path, (MAX_FILE, scratch)).await? else {
            return Err(missing(path));
        };
        let content = standing.clone();
        let digest = compute(standing.len(), move || sha256_of(&content)).await?;
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
        standing: Blob,
        walk: &mut Walk<'_>,
        position: usize,
    ) -> Result<()> {
        let Some(chain) = walk.chains.get(position) else { return Ok(()) };
        let untouched = chain.held == 0 && !chain.complete && chain.rows > 0;
        let first = match walk.first(position).filter(|_| untouched) {
            Some((own, ready)) => Some(self.whole(walk, own, ready).await?),
            None => None,
        };
        let same = match &first {
            Some(first) => standing.same(&first.content)?,
            None => false,
        };
        let scratch = walk.prepared.content.making.scratch.clone();
        let Some(chain) = walk.chains.get_mut(position) else { return Ok(()) };
        if let Some(first) = first.filter(|_| same) {
            // The very bytes that we would write: no need to decode them.
            chain.complete = true;
            if place.recorded.is_none() {
                self.adopt(&place.path, &standing, &scratch).await?;
                walk.files.push(place.file(&first));
                walk.adopted += 1;
            }
            return Ok(());
        }
        let (content, file, fresh) =
            (Arc::clone(&walk.prepared.content), standing.clone(), walk.fresh.take());
        let (format, window, group) = (walk.format, walk.prepared.window, chain.group.clone());
        // Decoding makes about eight times the bytes.
        let (examined, fresh) = compute(content.work(standing.len().saturating_mul(8)), move || {
            examine(format, &file, (window, &group), &content, fresh)
        })
        .await
        .map_err(|cause| cause.at("path", &place.path))?;
        walk.fresh = Some(fresh);
        let mut all = examined.held.iter().chain(&examined.differing).chain(&examined.unconfirmed);
        if let Some(id) = all.find(|id| walk.has(id)) {
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
            None if !agrees => return Err(examined.refused(&place.path)),
            None if examined.other_columns => {
                return Err(Error::new(
                    Kind::Verification,
                    "an unfinished file has the columns of another version",
                )
                .at("path", &place.path)
                .hint("run the version of vonage-audit that wrote it once more, so that it is committed"));
            }
            None => {
                self.adopt(&place.path, &standing, &scratch).await?;
                walk.files.push(place.file(&examined.file));
                walk.adopted += 1;
            }
        }
        examined.held.into_iter().chain(examined.differing).for_each(|id| walk.hold(id));
        Ok(())
    }

    /// Whoever wrote the file may have died before it was durable; a create that finds it there makes it so.
    async fn adopt(&self, path: &ObjectPath, standing: &Blob, scratch: &Scratch) -> Result<()> {
        self.create_descriptor().await?;
        let again = register::decide_file(self.store(), path, standing.clone(), (MAX_FILE, scratch)).await?;
        if again.same(standing)? {
            return Ok(());
        }
        Err(Error::new(Kind::Verification, "a slot changed while it was read").at("path", path))
    }
}

/// Computes here if it is little, by the bytes that it is about, else on a blocking thread.
pub(super) async fn compute<T: Send + 'static>(
    bytes: impl TryInto<u64>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if bytes.try_into().is_ok_and(|bytes| bytes <= INLINE_BYTES) {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(cause) => Err(Error::bug("a computation did not end").because(cause)),
    }
}

/// How much there is to encode, by what is ready of it.
fn encoding(ready: Option<&PreparedFile>) -> u64 {
    ready.map_or(u64::MAX, |ready| ready.content.len())
}

fn missing(path: &ObjectPath) -> Error {
    Error::new(Kind::Verification, "a file that the log names is missing")
        .at("path", path)
        .hint("it is never made anew; restore it from a copy")
}
