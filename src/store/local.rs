//! A directory on the local disk as a store.
//!
//! What lives here: [`LocalStore`], the [`Store`] contract in terms of directories: one file per object, synced
//! before it gets its name, its directory synced before the answer. The system calls are in `disk`; this file
//! decides their order and keeps what has been made durable.
//!
//! A failed sync is final. The kernel may drop the pages and report success the next time, so that after one failure
//! no later answer could be believed: the store refuses every further create.
//! What this module must not know: what the bytes mean.

mod disk;
mod failure;
mod lock;
mod reading;
mod root;

pub use disk::Publication;
pub use lock::Lock;

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;

use self::disk::{Found, Linked};
use self::failure::{failed, not_a_file};
use self::root::Root;
use super::{Created, Entry, ObjectPath, Store};
use crate::error::{Error, Kind, Result};
use crate::spool::{Blob, Scratch, StayingFiles};

/// A process that may have fewer files open keeps none open that wait for their names.
const MANY: u64 = 256;

/// Folder for files that have no final name yet, where the file system cannot keep them nameless.
const STAGING: &str = "_audit/staging";

/// Objects as files below one directory.
///
/// Symbolic links below the destination are never followed. The destination itself may be one: it is the user's.
/// Blocking calls run on the runtime's blocking threads; a dropped future does not stop what it began, which the
/// contract of [`Store`] allows.
#[derive(Clone)]
pub struct LocalStore {
    inner: Arc<Inner>,
}

struct Inner {
    root: Root,
    /// Whether it is written to.
    create: bool,
    forced: Option<Publication>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The way of publishing that worked last.
    publication: Option<Publication>,
    /// Folders whose own entry, and those above, this process has synced.
    durable: HashSet<String>,
    /// The sync that failed.
    broken: Option<String>,
    /// Counts names in the staging folder.
    staged: u64,
}

impl fmt::Debug for LocalStore {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("LocalStore").field("path", &self.inner.root.path()).finish_non_exhaustive()
    }
}

impl LocalStore {
    /// The store at this directory. With `create` it will be written to: the directory may be absent and is made by
    /// the first create; without, it must exist. Nothing is written here, not even a probe that has a name.
    ///
    /// # Errors
    /// [`Kind::Usage`] when the place is not a directory, is absent without `create`, or cannot be written with it.
    pub fn open(path: &Path, create: bool) -> Result<Self> {
        let root = Root::open(path, create)?;
        Ok(Self { inner: Arc::new(Inner { root, create, forced: None, state: Mutex::default() }) })
    }

    /// The same store, publishing in this one way instead of the best that the file system offers.
    #[must_use]
    pub fn publishing_by(self, publication: Publication) -> Self {
        let (root, create) = (self.inner.root.again(), self.inner.create);
        Self { inner: Arc::new(Inner { root, create, forced: Some(publication), state: Mutex::default() }) }
    }

    /// Makes files without a name where the destination's files are: such a file becomes one of them by its name alone, without
    /// being copied. They leave nothing behind.
    pub fn files(&self) -> Arc<dyn StayingFiles> {
        let inner = Arc::clone(&self.inner);
        let nameless =
            inner.forced.unwrap_or(Publication::BEST) == Publication::Nameless && disk::may_open(MANY);
        Arc::new(Nameless { inner, nameless })
    }

    /// Takes the dataset's lock, so that two runs do not do the same work; safety does not depend on it. Call it
    /// after the destination is known to be a dataset of ours or empty: it makes `_audit/lock`. Under the lock,
    /// files that dead runs left in the staging folder are removed, and the names that they gave are made durable.
    ///
    /// # Errors
    /// [`Kind::Busy`] when another process holds it; [`Kind::Storage`].
    pub async fn lock(&self) -> Result<Lock> {
        let inner = Arc::clone(&self.inner);
        blocking(move || lock::take(&inner)).await
    }
}

/// Files without a name where the destination's files are.
struct Nameless {
    inner: Arc<Inner>,
    /// Whether such files can be made, and published.
    nameless: bool,
}

impl StayingFiles for Nameless {
    fn make(&self) -> Option<File> {
        if self.nameless { self.inner.root.nameless() } else { None }
    }

    fn written(&self, file: &File, from: u64, bytes: u64) {
        disk::begin_to_sync(file, from, bytes);
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(cause) => Err(Error::bug("a storage operation did not end").because(cause)),
    }
}

impl Inner {
    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn sync(&self, folder: &OwnedFd, path: &str) -> Result<()> {
        disk::sync_folder(folder).map_err(|cause| self.broken(path, cause))
    }

    /// Remembers that a sync failed.
    fn broken(&self, path: &str, cause: std::io::Error) -> Error {
        self.state(|state| state.broken.get_or_insert_with(|| path.to_owned()).clone());
        failed("cannot sync to disk", path, cause)
    }

    fn make_root(&self) -> Result<OwnedFd> {
        if !self.create {
            return Err(Error::bug("a destination that was opened for reading is written to"));
        }
        let path = self.root.path().display().to_string();
        self.root.make().map_err(|failure| match failure {
            disk::Failure::Sync(cause) => self.broken(&path, cause),
            disk::Failure::Content(cause) | disk::Failure::Other(cause) => {
                failed("cannot make the destination", &path, cause)
            }
        })?;
        self.root
            .existing()?
            .ok_or_else(|| failed("cannot open the destination", &path, std::io::ErrorKind::NotFound.into()))
    }

    /// Opens a folder, making it and those above it where they are missing; each new entry is synced.
    fn make_folder(&self, folder: Option<&str>) -> Result<OwnedFd> {
        let mut current = self.make_root()?;
        let mut path = String::new();
        for segment in folder.into_iter().flat_map(|folder| folder.split('/')) {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(segment);
            let next = disk::make_folder(&current, segment)
                .map_err(|cause| failed("cannot make a folder", &path, cause))?;
            // Also when it was there: whoever made it may have died before its sync.
            if !self.state(|state| state.durable.contains(&path)) {
                self.sync(&current, &path)?;
                self.state(|state| state.durable.insert(path.clone()));
            }
            current = next;
        }
        Ok(current)
    }

    /// Opens a folder that may be absent.
    fn open_folder(&self, folder: Option<&str>) -> Result<Option<OwnedFd>> {
        let Some(mut current) = self.root.existing()? else { return Ok(None) };
        let mut path = String::new();
        for segment in folder.into_iter().flat_map(|folder| folder.split('/')) {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(segment);
            match disk::open_folder(&current, segment) {
                Ok(Some(next)) => current = next,
                Ok(None) => return Ok(None),
                Err(cause) => return Err(failed("cannot open a folder", &path, cause)),
            }
        }
        Ok(Some(current))
    }

    fn create(&self, path: &ObjectPath, content: &Blob) -> Result<Created> {
        if let Some(broken) = self.state(|state| state.broken.clone()) {
            return Err(Error::new(
                Kind::Storage,
                "an earlier sync to disk failed, so that nothing more is written",
            )
            .at("path", path)
            .at("sync", broken)
            .hint("check the disk, then run again: what is not committed is done again"));
        }
        let (folder_path, name) = path.split();
        let folder = self.make_folder(folder_path)?;
        let created =
            match disk::look(&folder, name).map_err(|cause| failed("cannot look", path.as_str(), cause))? {
                Found::Nothing => self.publish(&folder, path, name, content)?,
                Found::File(_) => Created::Exists,
                Found::Other => return Err(not_a_file(path)),
            };
        // Also when it was there: whoever made it may have died before this sync.
        self.sync(&folder, path.as_str())?;
        Ok(created)
    }

    fn publish(&self, folder: &OwnedFd, path: &ObjectPath, name: &str, content: &Blob) -> Result<Created> {
        let first = self.forced.or(self.state(|state| state.publication)).unwrap_or(Publication::BEST);
        let mut way = Some(first);
        while let Some(publication) = way {
            let linked = match publication {
                Publication::Nameless => disk::publish_nameless(folder, name, content),
                Publication::Rename | Publication::Link => {
                    let staging = self.make_folder(Some(STAGING))?;
                    let temporary = self.stage_name();
                    let linked =
                        disk::publish_staged(publication, &staging, &temporary, folder, name, content);
                    if !matches!(linked, Ok(Linked::Unsupported)) {
                        self.sync(&staging, STAGING)?;
                    }
                    linked
                }
            };
            match linked {
                Ok(Linked::New) => {
                    self.state(|state| state.publication = Some(publication));
                    return Ok(Created::New);
                }
                Ok(Linked::Exists) => return Ok(Created::Exists),
                Ok(Linked::Unsupported) if self.forced.is_none() => way = publication.next(),
                Ok(Linked::Unsupported) => way = None,
                Err(disk::Failure::Sync(cause)) => return Err(self.broken(path.as_str(), cause)),
                Err(disk::Failure::Content(cause)) => {
                    let error = failed("cannot read what is to be written", path.as_str(), cause);
                    return Err(error.on_our_side());
                }
                Err(disk::Failure::Other(cause)) => return Err(failed("cannot write", path.as_str(), cause)),
            }
        }
        Err(Error::new(Kind::Storage, "the file system cannot create a file only if it is absent")
            .at("path", path)
            .hint("choose a destination on a file system with hard links or exclusive renames"))
    }

    /// Unique among the living: other processes have other ids, and a name that a dead one left is skipped.
    fn stage_name(&self) -> String {
        let count = self.state(|state| {
            state.staged += 1;
            state.staged
        });
        format!("{}-{count}", std::process::id())
    }
}

impl Store for LocalStore {
    fn create<'a>(&'a self, path: &'a ObjectPath, bytes: Bytes) -> BoxFuture<'a, Result<Created>> {
        let (inner, path) = (Arc::clone(&self.inner), path.clone());
        blocking(move || inner.create(&path, &bytes.into())).boxed()
    }

    fn create_from<'a>(&'a self, path: &'a ObjectPath, content: &'a Blob) -> BoxFuture<'a, Result<Created>> {
        let (inner, path, content) = (Arc::clone(&self.inner), path.clone(), content.clone());
        blocking(move || inner.create(&path, &content)).boxed()
    }

    fn fetch<'a>(
        &'a self,
        path: &'a ObjectPath,
        limit: u64,
        scratch: &'a Scratch,
    ) -> BoxFuture<'a, Result<Option<Blob>>> {
        let (inner, path, scratch) = (Arc::clone(&self.inner), path.clone(), scratch.clone());
        blocking(move || inner.fetch(&path, limit, &scratch)).boxed()
    }

    fn read<'a>(&'a self, path: &'a ObjectPath, limit: u64) -> BoxFuture<'a, Result<Option<Bytes>>> {
        let (inner, path) = (Arc::clone(&self.inner), path.clone());
        blocking(move || inner.read(&path, limit)).boxed()
    }

    fn size<'a>(&'a self, path: &'a ObjectPath) -> BoxFuture<'a, Result<Option<u64>>> {
        let (inner, path) = (Arc::clone(&self.inner), path.clone());
        blocking(move || inner.size(&path)).boxed()
    }

    fn children<'a>(&'a self, folder: Option<&'a ObjectPath>) -> BoxFuture<'a, Result<Vec<Entry>>> {
        let (inner, folder) = (Arc::clone(&self.inner), folder.cloned());
        blocking(move || inner.children(folder.as_ref().map(ObjectPath::as_str))).boxed()
    }

    fn list<'a>(&'a self, folder: &'a ObjectPath) -> BoxFuture<'a, Result<Vec<ObjectPath>>> {
        let (inner, folder) = (Arc::clone(&self.inner), folder.clone());
        blocking(move || inner.list(&folder)).boxed()
    }

    fn describe(&self) -> String {
        self.inner.root.path().display().to_string()
    }
}

/// The path with its relative beginning, as errors show it.
fn shown(path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_path_buf() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_sync_is_final() {
        let place = tempfile::tempdir().unwrap();
        let store = LocalStore::open(place.path(), true).unwrap();
        let path = ObjectPath::new("a/b").unwrap();
        let error = store.inner.broken("a/b", std::io::Error::other("lost pages"));
        assert_eq!(error.kind(), Kind::Storage);
        for _ in 0..2 {
            let error = store.inner.create(&path, &Bytes::from_static(b"x").into()).unwrap_err();
            assert!(error.to_string().contains("earlier sync"), "{error}");
        }
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
