//! A destination as a dataset: opened, described, committed to.
//!
//! What lives here: [`Dataset`], its log in memory and the order of a commit. What this file must not know: slots'
//! content, a kind of store.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

use super::descriptor::Spec;
use super::digest::sha256;
use super::drift;
use super::log::{self, Coverage, Log};
use super::{record, register};
use crate::error::{Error, Kind, Result};
use crate::model::{Commit, FileRecord, Format, Head, Window, WindowRecord};
use crate::store::{Entry, EntryKind, ObjectPath, Store};

const FOLDER: &str = "_audit";
const DESCRIPTOR: &str = "_audit/dataset.json";

/// What may stand in a folder that is not a dataset yet: what locks and staging leave there.
const OURS_BEFORE: [&str; 2] = ["lock", "staging"];

/// A control file's limit, for the store.
const MAX_CONTROL: u64 = 4 << 20;

/// Commits read at once while a dataset is opened.
const READ_AHEAD: usize = 8;

/// A run's records are cut into commits of about this many bytes.
const COMMIT_BYTES: usize = 1 << 20;

/// Bytes of a record without files, and of a file, at most: a little more than the longest text of each.
const RECORD_BYTES: usize = 768;

/// Bytes of what a record says of kept replies and of its source, at most.
const ORIGIN_BYTES: usize = 512;

/// How often a commit gives way to others before it gives up; each time somebody else has committed.
const MAX_RACES: u32 = 10_000;

/// The version that commits name as their tool.
const TOOL: &str = env!("CARGO_PKG_VERSION");

/// A dataset: data files in write-once slots and the log that says what is proven.
///
/// Methods may be called from several tasks at once; each is safe to drop at any point and to repeat.
pub struct Dataset {
    store: Arc<dyn Store>,
    spec: Spec,
    state: Mutex<State>,
}

struct State {
    /// The descriptor's text: the stored one if there is one, else what will be stored.
    descriptor: Bytes,
    /// Whether this process knows the descriptor to be durable.
    durable: bool,
    log: Log,
}

impl fmt::Debug for Dataset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Dataset")
            .field("store", &self.store)
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

impl Dataset {
    /// What the dataset at a destination is; `None` if there is none yet.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a layout that this version does not know; [`Kind::Verification`]; [`Kind::Storage`].
    pub async fn stored_spec(store: &dyn Store) -> Result<Option<Spec>> {
        let stored = register::read(store, &ObjectPath::new(DESCRIPTOR)?, MAX_CONTROL).await?;
        stored.map(|bytes| Spec::parse(&bytes)).transpose()
    }

    /// Opens a dataset, or an empty or absent destination as a dataset to be. Reads the whole log and checks its
    /// chain. Writes nothing: a dataset comes into being with the first window that is published or committed.
    ///
    /// # Errors
    /// [`Kind::Usage`] when the destination holds something else or was created with other settings;
    /// [`Kind::Contradiction`] when it belongs to another account; [`Kind::Verification`] when its log is broken;
    /// [`Kind::Storage`].
    pub async fn open(store: Arc<dyn Store>, spec: Spec) -> Result<Self> {
        let stored = register::read(store.as_ref(), &ObjectPath::new(DESCRIPTOR)?, MAX_CONTROL).await?;
        let descriptor = match stored {
            Some(stored) => {
                spec.fits(&Spec::parse(&stored)?)
                    .map_err(|cause| cause.at("destination", store.describe()))?;
                stored
            }
            None => {
                refuse_foreign(store.as_ref()).await?;
                spec.text()?.into()
            }
        };
        let log =
            read_log(store.as_ref(), Log::new(spec.grid, spec.layout.clone(), sha256(&descriptor))).await?;
        if let Some(schema) = log.schema() {
            spec.continues(schema)?;
        }
        let state = Mutex::new(State { descriptor, durable: false, log });
        let dataset = Self { store, spec, state };
        // Another run may have committed while the log was read.
        dataset.read_forward().await?;
        dataset.state(|state| state.log.begin());
        Ok(dataset)
    }

    /// A dataset as it is stored, to be read; `None` if there is none. The log is read and its chain checked.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a layout that this version does not know; [`Kind::Verification`]; [`Kind::Storage`].
    pub async fn stored(store: Arc<dyn Store>) -> Result<Option<Self>> {
        let found = register::read(store.as_ref(), &ObjectPath::new(DESCRIPTOR)?, MAX_CONTROL).await?;
        let Some(descriptor) = found else { return Ok(None) };
        let mut spec = Spec::parse(&descriptor)?;
        let log = Log::new(spec.grid, spec.layout.clone(), sha256(&descriptor));
        let log = read_log(store.as_ref(), log).await?;
        // Its newest table; the descriptor names the one at its creation.
        spec.schema = log.schema().unwrap_or(&spec.schema).clone();
        Ok(Some(Self { store, spec, state: Mutex::new(State { descriptor, durable: false, log }) }))
    }

    /// What this run wants the dataset to be.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The newest commit; `None` before the first.
    pub fn head(&self) -> Option<Head> {
        self.state(|state| state.log.head())
    }

    /// The windows that are committed in this format, with their certificates and files.
    pub fn coverage(&self, format: Format) -> Coverage {
        self.state(|state| state.log.coverage(format))
    }

    /// Every window's record of every commit, in the order of the log.
    pub fn records(&self) -> Vec<WindowRecord> {
        self.state(|state| state.log.records().cloned().collect())
    }

    /// Whether the log would take this record in.
    pub(super) fn adds(&self, record: WindowRecord) -> Result<bool> {
        Ok(self.state(|state| state.log.rebase(record))?.is_some())
    }

    /// Appends what these records add to the log, as one commit or, when they are many, several; returns the newest
    /// commit then. Records that add nothing (no file that the log lacks, a window that is known) are left out, so
    /// that a rerun with nothing new writes nothing; the answer is `None` only if the log is still empty.
    ///
    /// The files of the records must be durable: they come from [`Dataset::publish`]. Windows ascend, and each is
    /// named once. `recorded_at` is the writer's clock, seconds since 1970.
    ///
    /// # Errors
    /// [`Kind::Bug`] when a record does not agree with itself; [`Kind::Verification`]; [`Kind::Storage`], after which
    /// the commit may or may not have been made: repeating is right in both cases.
    pub async fn commit(&self, records: Vec<WindowRecord>, recorded_at: i64) -> Result<Option<Head>> {
        for record in &records {
            let refused = |why| Error::bug("a window's record cannot be committed").at("why", why);
            record::check_window(record).map_err(|why| refused(why).at("window", record.window))?;
            if self.spec.grid.window(record.window.from) != record.window {
                return Err(refused("not a window of the grid").at("window", record.window));
            }
            if !log::in_their_slots(record, &self.spec.layout, self.spec.grid) {
                return Err(refused("a file is not where its slot is").at("window", record.window));
            }
        }
        let mut waiting = records;
        for _ in 0..MAX_RACES {
            let Some((number, bytes, taken)) = self.next_commit(&mut waiting, recorded_at)? else {
                return Ok(self.head());
            };
            let chains_elsewhere = self.create_descriptor().await?;
            if chains_elsewhere {
                continue;
            }
            let path = log::path(number)?;
            let standing = register::decide(self.store(), &path, bytes.clone(), MAX_CONTROL).await?;
            self.append(number, &standing)?;
            if standing == bytes {
                waiting.drain(..taken);
            } else {
                self.read_forward().await?;
            }
        }
        Err(Error::new(Kind::Storage, "other runs commit without end").hint("run again when they have ended"))
    }

    /// The text of the commit that comes next, for as many of the records as fit, or `None` if they add nothing.
    fn next_commit(
        &self,
        waiting: &mut Vec<WindowRecord>,
        recorded_at: i64,
    ) -> Result<Option<(u64, Bytes, usize)>> {
        self.state(|state| {
            let mut left = Vec::with_capacity(waiting.len());
            for record in waiting.drain(..) {
                left.extend(state.log.rebase(record)?);
            }
            *waiting = left;
            if waiting.is_empty() {
                return Ok(None);
            }
            let mut size = 0;
            let mut windows: Vec<WindowRecord> = Vec::new();
            for record in waiting.iter() {
                size += RECORD_BYTES * (record.files.len() + 1)
                    + drift::FINDING_BYTES * drift::listed(&record.drift)
                    + if record.raw.is_some() || record.source.is_some() { ORIGIN_BYTES } else { 0 };
                if size > COMMIT_BYTES && !windows.is_empty() {
                    break;
                }
                windows.push(record.clone());
            }
            let taken = windows.len();
            let number = state.log.next();
            let bytes = record::write(&Commit {
                number,
                previous: state.log.tip().to_owned(),
                schema: self.spec.schema.clone(),
                tool: TOOL.to_owned(),
                windows,
                recorded_at,
            })?;
            Ok(Some((number, bytes.into(), taken)))
        })
    }

    pub(super) fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The log's record of the file at this path.
    pub(super) fn recorded(&self, path: &str) -> Option<FileRecord> {
        self.state(|state| state.log.file(path).cloned())
    }

    /// Whether the log names a file of this window and format of this sequence number or a later one.
    pub(super) fn has_file_from(&self, window: Window, format: Format, sequence: u32) -> bool {
        self.state(|state| state.log.has_file_from(window, format, sequence))
    }

    /// Makes the dataset's descriptor durable, before anything else is written. Says whether another run has created
    /// the dataset first, with another text that this run fits too.
    pub(super) async fn create_descriptor(&self) -> Result<bool> {
        let (descriptor, durable) = self.state(|state| (state.descriptor.clone(), state.durable));
        if durable {
            return Ok(false);
        }
        let path = ObjectPath::new(DESCRIPTOR)?;
        let standing = register::decide(self.store(), &path, descriptor.clone(), MAX_CONTROL).await?;
        let changed = standing != descriptor;
        if changed {
            self.spec.fits(&Spec::parse(&standing)?)?;
        }
        self.state(|state| {
            if changed && state.log.next() > 0 {
                return Err(Error::new(Kind::Verification, "dataset.json changed under its log"));
            }
            if changed {
                state.log = Log::new(self.spec.grid, self.spec.layout.clone(), sha256(&standing));
                state.descriptor = standing;
            }
            state.durable = true;
            Ok(changed)
        })
    }

    /// Takes a commit in, unless another task of this process has done so.
    fn append(&self, number: u64, bytes: &[u8]) -> Result<()> {
        self.state(|state| if state.log.next() == number { state.log.append(bytes) } else { Ok(()) })
    }

    /// Reads the commits that others have made since.
    pub(super) async fn read_forward(&self) -> Result<()> {
        loop {
            let number = self.state(|state| state.log.next());
            let Some(bytes) = register::read(self.store(), &log::path(number)?, MAX_CONTROL).await? else {
                return Ok(());
            };
            self.append(number, &bytes)?;
        }
    }
}

/// Reads the commits that a listing shows, and checks that none is missing among them.
async fn read_log(store: &dyn Store, mut log: Log) -> Result<Log> {
    let folder = ObjectPath::new(log::FOLDER)?;
    let entries = register::children(store, Some(&folder)).await?;
    let numbers: BTreeSet<u64> = entries.iter().filter_map(|entry| log::number(&entry.name)).collect();
    let mut commits = stream::iter(numbers)
        .map(|number| async move {
            let found = register::read_known(store, &log::path(number)?, MAX_CONTROL).await?;
            found.map(|bytes| (number, bytes)).ok_or_else(|| absent(number))
        })
        .buffered(READ_AHEAD);
    while let Some((number, bytes)) = commits.try_next().await? {
        if number != log.next() {
            return Err(absent(log.next()));
        }
        log.append(&bytes)?;
    }
    Ok(log)
}

fn absent(number: u64) -> Error {
    Error::new(Kind::Verification, "the commit log is broken")
        .at("commit", number)
        .at("why", "it is missing although a later one is there")
        .hint("the log was changed after it was written: compare it with a copy")
}

/// A destination without a descriptor must be empty but for what our own locks leave.
async fn refuse_foreign(store: &dyn Store) -> Result<()> {
    let foreign = |name: &str| {
        Error::usage("the destination holds something else than a dataset")
            .at("destination", store.describe())
            .at("found", name)
            .hint("choose an empty or new directory")
    };
    let own = |entry: &Entry| entry.kind == EntryKind::Folder && entry.name == FOLDER;
    let entries = register::children(store, None).await?;
    if let Some(other) = entries.iter().find(|entry| !own(entry)) {
        return Err(foreign(&other.name));
    }
    if entries.is_empty() {
        return Ok(());
    }
    for entry in register::children(store, Some(&ObjectPath::new(FOLDER)?)).await? {
        if entry.name == "commits" {
            return Err(Error::new(Kind::Verification, "the dataset has a log and no dataset.json")
                .at("destination", store.describe()));
        }
        if !OURS_BEFORE.contains(&entry.name.as_str()) {
            return Err(foreign(&format!("{FOLDER}/{}", entry.name)));
        }
    }
    Ok(())
}
