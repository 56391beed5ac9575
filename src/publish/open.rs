//! How a destination becomes a dataset in memory.
//!
//! What lives here: opening what is there or can be, the log read and its chain checked, and what may not stand in a
//! destination that is to become one. What this file must not know: what is added to the log.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

use super::dataset::{DESCRIPTOR, Dataset, FOLDER, MAX_CONTROL, READ_AHEAD};
use super::descriptor::Spec;
use super::digest::sha256;
use super::log::{self, Log};
use super::register;
use crate::error::{Error, Kind, Result};
use crate::store::{Entry, EntryKind, ObjectPath, Store};

/// What may stand in a folder that is not a dataset yet: what locks, staging and the store's probe leave there.
const OURS_BEFORE: [&str; 3] = ["lock", "probe", "staging"];

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
        let log = Log::new(spec.grid, spec.layout.clone(), sha256(&descriptor));
        let log = read_log(store.as_ref(), log, |_| Ok(())).await?;
        if let Some(schema) = log.schema() {
            spec.continues(schema)?;
        }
        Self::begin(store, spec, descriptor, log).await
    }

    /// Opens the dataset at a destination as what it is, to add to its log but no rows.
    ///
    /// # Errors
    /// [`Kind::Usage`] when there is none; otherwise as [`Dataset::open`].
    pub async fn open_stored(store: Arc<dyn Store>) -> Result<Self> {
        let Stored { descriptor, mut spec, log } = read_stored(store.as_ref(), |_| Ok(())).await?;
        if let Some(schema) = log.schema() {
            spec.schema = schema.clone();
        }
        Self::begin(store, spec, descriptor, log).await
    }

    async fn begin(store: Arc<dyn Store>, spec: Spec, descriptor: Bytes, log: Log) -> Result<Self> {
        let dataset = Self::assemble(store, spec, descriptor, log);
        // Another run may have committed while the log was read.
        dataset.read_forward().await?;
        dataset.begun();
        Ok(dataset)
    }
}

/// A dataset that is there, as it says of itself.
pub(super) struct Stored {
    pub(super) descriptor: Bytes,
    pub(super) spec: Spec,
    pub(super) log: Log,
}

/// Reads the dataset at a destination; `each` as in [`read_log`].
///
/// # Errors
/// [`Kind::Usage`] when there is none; [`Kind::Verification`] when its log is broken; [`Kind::Storage`].
pub(super) async fn read_stored(store: &dyn Store, each: impl FnMut(&[u8]) -> Result<()>) -> Result<Stored> {
    let stored = register::read(store, &ObjectPath::new(DESCRIPTOR)?, MAX_CONTROL).await?;
    let descriptor = stored.ok_or_else(|| {
        Error::usage("there is no dataset")
            .at("destination", store.describe())
            .hint("give the folder that holds _audit")
    })?;
    let spec = Spec::parse(&descriptor)?;
    let log = Log::new(spec.grid, spec.layout.clone(), sha256(&descriptor));
    let log = read_log(store, log, each).await?;
    Ok(Stored { descriptor, spec, log })
}

/// Reads the commits that a listing shows, and checks that none is missing among them; `each` sees the bytes of every
/// commit that was found to continue the log.
async fn read_log(store: &dyn Store, mut log: Log, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<Log> {
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
        each(&bytes)?;
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
            .hint("choose an empty or new directory or prefix")
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
