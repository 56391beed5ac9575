//! How much may be held in memory, and where the rest goes.
//!
//! What lives here: [`Scratch`]. What this file must not know: what is held.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::file::SpillFile;
use crate::error::{Error, Kind, Result};

/// Files that are where they are to stay, at most at one time: each is open.
const OWN_FILES: u64 = 64;

/// Files without a name where finished ones are to stay, so that they need not be copied.
pub trait StayingFiles: Send + Sync {
    /// An empty one; `None` if there can be none.
    fn make(&self) -> Option<File>;

    /// Bytes of such a file stand there, and are not written again: they may be on their way to the disk while others are made.
    fn written(&self, _file: &File, _from: u64, _bytes: u64) {}
}

impl<F: Fn() -> Option<File> + Send + Sync> StayingFiles for F {
    fn make(&self) -> Option<File> {
        self()
    }
}

/// A budget of memory and a folder for what is beyond it. Clones share one limit of spilled bytes.
#[derive(Clone, Debug)]
pub struct Scratch(Arc<Inner>);

struct Inner {
    /// `None` if nothing is ever spilled.
    folder: Option<PathBuf>,
    memory: u64,
    limit: u64,
    spilled: AtomicU64,
    most: AtomicU64,
    files: Option<Arc<dyn StayingFiles>>,
    own: AtomicU64,
}

impl fmt::Debug for Inner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { folder, memory, limit, .. } = self;
        out.debug_struct("Inner")
            .field("folder", folder)
            .field("memory", memory)
            .field("limit", limit)
            .finish()
    }
}

impl Default for Scratch {
    /// Everything in memory.
    fn default() -> Self {
        Self::of(None, u64::MAX, 0, None)
    }
}

impl PartialEq for Scratch {
    fn eq(&self, other: &Self) -> bool {
        let settings = |scratch: &Self| (scratch.0.folder.clone(), scratch.0.memory, scratch.0.limit);
        settings(self) == settings(other)
    }
}

impl Eq for Scratch {}

impl Scratch {
    /// `memory` bytes for a run as a whole, which its stages share out; beyond, at most `limit` bytes at a time in files
    /// without a name on the file system of `folder`.
    pub fn new(folder: PathBuf, memory: u64, limit: u64) -> Self {
        Self::of(Some(folder), memory, limit, None)
    }

    /// The same for a run whose files, where they do not stay in memory, are among `files`. Nothing must be spilled yet.
    #[must_use]
    pub fn with_files(self, files: Arc<dyn StayingFiles>) -> Self {
        let Inner { folder, memory, limit, .. } = &*self.0;
        Self::of(folder.clone(), *memory, *limit, Some(files))
    }

    fn of(folder: Option<PathBuf>, memory: u64, limit: u64, files: Option<Arc<dyn StayingFiles>>) -> Self {
        let (spilled, most, own) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Inner { folder, memory, limit, spilled, most, files, own }))
    }

    /// One of `parts` equal shares of the memory, in bytes.
    pub fn share(&self, parts: u64) -> u64 {
        if self.0.folder.is_none() { u64::MAX } else { self.0.memory / parts.max(1) }
    }

    /// The most bytes that were spilled at one time.
    pub fn most_spilled(&self) -> u64 {
        self.0.most.load(Ordering::Relaxed)
    }

    /// A file for what does not fit.
    ///
    /// # Errors
    /// [`Kind::Storage`] when the folder takes none.
    pub fn file(&self) -> Result<SpillFile> {
        let Some(folder) = &self.0.folder else {
            return Err(Error::bug("something is spilled that has all memory"));
        };
        match tempfile::tempfile_in(folder) {
            Ok(file) => Ok(SpillFile::new(file, self.clone(), false)),
            Err(cause) => Err(self.failed("cannot make a temporary file", cause)),
        }
    }

    /// A file for one that is to stay, if there can be one more.
    pub(super) fn own_file(&self) -> Option<SpillFile> {
        let files = self.0.files.as_ref()?;
        let more = |own: u64| (own < OWN_FILES).then_some(own + 1);
        self.0.own.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        match files.make() {
            Some(file) => Some(SpillFile::new(file, self.clone(), true)),
            None => {
                self.give_back();
                None
            }
        }
    }

    /// Takes note of bytes of such a file that stay as they are.
    pub(super) fn written(&self, file: &File, from: u64, bytes: u64) {
        if let Some(files) = &self.0.files {
            files.written(file, from, bytes);
        }
    }

    /// Takes note of a file that is closed, which was one to stay.
    pub(super) fn give_back(&self) {
        self.0.own.fetch_sub(1, Ordering::AcqRel);
    }

    /// Takes note of more spilled bytes.
    pub(super) fn grow(&self, bytes: u64) -> Result<()> {
        let now = self.0.spilled.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        self.0.most.fetch_max(now, Ordering::Relaxed);
        if now <= self.0.limit {
            return Ok(());
        }
        self.shrink(bytes);
        Err(Error::new(Kind::Storage, "temporary files would take more than the limit")
            .at("folder", self.folder().display())
            .at("limit", self.0.limit)
            .hint("raise --spill-limit, or --memory, or do less at once; what was committed stays"))
    }

    /// Takes note of spilled bytes that are gone.
    pub(super) fn shrink(&self, bytes: u64) {
        self.0.spilled.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, what: &'static str, cause: std::io::Error) -> Error {
        Error::new(Kind::Storage, what)
            .at("folder", self.folder().display())
            .because(cause)
            .hint("name a folder with room by --spill-dir; what was committed stays")
    }

    fn folder(&self) -> &Path {
        self.0.folder.as_deref().unwrap_or_else(|| Path::new(""))
    }
}
