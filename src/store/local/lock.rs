//! The lock of a dataset on the local disk.
//!
//! What lives here: taking `_audit/lock`, and what is tidied and synced under it. What this file must not know: what
//! the lock is held for; correctness never depends on it.

use std::fs::{File, TryLockError};

use super::failure::failed;
use super::{Inner, STAGING, disk};
use crate::error::{Error, Kind, Result};
use crate::store::EntryKind;

const FOLDER: &str = "_audit";
const NAME: &str = "lock";

/// The lock, held until it is dropped or the process ends, however it ends.
#[derive(Debug)]
#[must_use = "the lock is released when this value is dropped"]
pub struct Lock {
    _file: File,
}

pub(super) fn take(inner: &Inner) -> Result<Lock> {
    let path = format!("{FOLDER}/{NAME}");
    let folder = inner.make_folder(Some(FOLDER))?;
    let file =
        disk::open_lock(&folder, NAME).map_err(|cause| failed("cannot open the lock", &path, cause))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(Error::new(Kind::Busy, "another run holds the dataset")
                .at("path", inner.root.path().display())
                .hint("wait until it has ended; its lock ends with it, even when it is killed"));
        }
        Err(TryLockError::Error(cause)) => return Err(failed("cannot take the lock", &path, cause)),
    }
    tidy(inner)?;
    sync(inner)?;
    Ok(Lock { _file: file })
}

/// Removes what runs that died left in the staging folder: names of files that were not, or already are, published.
fn tidy(inner: &Inner) -> Result<()> {
    let Some(staging) = inner.open_folder(Some(STAGING))? else { return Ok(()) };
    for entry in inner.children(Some(STAGING))? {
        if entry.kind == EntryKind::File {
            disk::remove(&staging, &entry.name)
                .map_err(|cause| failed("cannot remove a left-over file", STAGING, cause))?;
        }
    }
    Ok(())
}

/// Syncs the control folders. A run that died may have given a file its name there and not have synced the folder; one
/// that finds the file, and so has nothing to do, must not claim what a power cut could still undo.
fn sync(inner: &Inner) -> Result<()> {
    for entry in inner.children(Some(FOLDER))? {
        let path = format!("{FOLDER}/{}", entry.name);
        if entry.kind == EntryKind::Folder
            && let Some(folder) = inner.open_folder(Some(&path))?
        {
            inner.sync(&folder, &path)?;
        }
    }
    Ok(())
}
