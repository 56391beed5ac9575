//! The only storage: create if absent, read, list.
//!
//! What lives here: the [`Store`] contract, paths below a destination, and the stores: the local disk, object stores,
//! and memory as the reference. What this module must not know: formats, slots, commits, what the bytes mean.

mod capability;
mod local;
mod memory;
mod object;
mod path;
mod single_writer;

pub use capability::creates_if_absent;
pub use local::{LocalStore, Lock, Publication};
pub use memory::{Fault, MemoryStore, Operation};
pub use object::{BucketStore, Location, Provider, StorageLimits, StorageOptions};
pub use path::ObjectPath;
pub use single_writer::SingleWriter;

use std::fmt;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::error::{Error, Result};
use crate::spool::{Blob, Scratch};

/// What [`Store::create`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// There was nothing; now the bytes are there, whole and durable.
    New,
    /// Something is there already, possibly our own bytes of an earlier attempt. It was not touched, and it is
    /// durable now.
    Exists,
}

/// One name directly below a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name, without its folder.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// An object.
    File,
    /// A folder; on an object store, a common prefix.
    Folder,
    /// Anything else: a symbolic link, a device. Never followed.
    Other,
}

/// A place for write-once objects.
///
/// The contract, which one suite checks for every store:
/// * An object appears whole or not at all, at no name but its own, and never changes or goes away.
/// * Of any number of creators of one path, in any number of processes, one gets [`Created::New`].
/// * An answer without error means that the object at the path is durable, whoever made it.
/// * **An error says nothing**: the object may be absent, may be there, or may yet appear. The caller reads it back, but
///   for one [on our side](crate::Error::is_on_our_side): a temporary file that failed.
/// * A dropped future is such an error; what it began may still be carried out.
pub trait Store: Send + Sync + fmt::Debug {
    /// Makes an object of these bytes if nothing is at this path.
    fn create<'a>(&'a self, path: &'a ObjectPath, bytes: Bytes) -> BoxFuture<'a, Result<Created>>;

    /// The object's bytes, or `None` if there is none. An object of more than `limit` bytes is an error.
    fn read<'a>(&'a self, path: &'a ObjectPath, limit: u64) -> BoxFuture<'a, Result<Option<Bytes>>>;

    /// [`Store::create`] for bytes that may not fit into memory, as far as a store can do without them there.
    fn create_from<'a>(&'a self, path: &'a ObjectPath, content: &'a Blob) -> BoxFuture<'a, Result<Created>> {
        async move { self.create(path, content.bytes().map_err(Error::on_our_side)?).await }.boxed()
    }

    /// [`Store::read`] for an object that may not fit into memory, as far as a store can do without it there.
    fn fetch<'a>(
        &'a self,
        path: &'a ObjectPath,
        limit: u64,
        scratch: &'a Scratch,
    ) -> BoxFuture<'a, Result<Option<Blob>>> {
        let _ = scratch;
        async move { Ok(self.read(path, limit).await?.map(Blob::from)) }.boxed()
    }

    /// The object's length in bytes, or `None` if there is none. Reads the object where a store knows nothing better.
    fn size<'a>(&'a self, path: &'a ObjectPath) -> BoxFuture<'a, Result<Option<u64>>> {
        async move {
            let found = self.read(path, u64::MAX).await?;
            Ok(found.map(|bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX)))
        }
        .boxed()
    }

    /// What is directly below a folder, sorted by name; `None` is the destination itself. Empty if there is none.
    fn children<'a>(&'a self, folder: Option<&'a ObjectPath>) -> BoxFuture<'a, Result<Vec<Entry>>>;

    /// Every object below a folder at any depth, sorted by path.
    fn list<'a>(&'a self, folder: &'a ObjectPath) -> BoxFuture<'a, Result<Vec<ObjectPath>>>;

    /// The destination as the user knows it, without secrets.
    fn describe(&self) -> String;
}

/// More names than this below one folder are refused: no dataset has them.
const MAX_NAMES: usize = 4_000_000;
