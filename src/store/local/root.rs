//! The destination directory itself: found, checked, made when it is needed.
//!
//! What lives here: [`Root`]. What this file must not know: what is below the destination.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;

use super::{disk, failed, shown};
use crate::error::{Error, Result};

/// The destination, kept open so that it stays the same directory for the whole run.
pub(super) struct Root {
    path: PathBuf,
    create: bool,
    opened: Arc<OnceLock<OwnedFd>>,
}

fn open_folder(path: &Path) -> Result<OwnedFd, Errno> {
    fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

impl Root {
    pub(super) fn open(path: &Path, create: bool) -> Result<Self> {
        let path = shown(path);
        let opened = OnceLock::new();
        match open_folder(&path) {
            Ok(folder) => {
                if create {
                    writable(&path)?;
                }
                let _ = opened.set(folder);
            }
            Err(Errno::NOENT) if create => writable(&existing_above(&path))?,
            Err(Errno::NOENT) => return Err(unusable("the destination does not exist", &path, Errno::NOENT)),
            Err(cause) => return Err(unusable("the destination is not a usable directory", &path, cause)),
        }
        Ok(Self { path, create, opened: Arc::new(opened) })
    }

    /// The same destination for a second store.
    pub(super) fn again(&self) -> Self {
        Self { path: self.path.clone(), create: self.create, opened: Arc::clone(&self.opened) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The destination, if it is there by now.
    pub(super) fn existing(&self) -> Result<Option<OwnedFd>> {
        if self.opened.get().is_none() {
            match open_folder(&self.path) {
                Ok(folder) => {
                    let _ = self.opened.set(folder);
                }
                Err(Errno::NOENT) => return Ok(None),
                Err(cause) => return Err(self.failed("cannot open the destination", cause.into())),
            }
        }
        let Some(folder) = self.opened.get() else { return Ok(None) };
        folder.try_clone().map(Some).map_err(|cause| self.failed("cannot open the destination", cause))
    }

    /// The destination, made if it is absent; directories made above it are synced from the outermost down.
    pub(super) fn open_or_make(&self) -> Result<OwnedFd> {
        if !self.create {
            return Err(Error::bug("a destination that was opened for reading is written to"));
        }
        if let Some(folder) = self.existing()? {
            return Ok(folder);
        }
        let mut missing: Vec<&Path> = self
            .path
            .ancestors()
            .take_while(|above| !above.as_os_str().is_empty() && !above.exists())
            .collect();
        missing.reverse();
        for path in missing {
            self.make(path).map_err(|cause| self.failed("cannot make the destination", cause))?;
        }
        match self.existing()? {
            Some(folder) => Ok(folder),
            None => Err(self.failed("cannot make the destination", Errno::NOENT.into())),
        }
    }

    fn make(&self, path: &Path) -> io::Result<()> {
        match fs::mkdir(path, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(cause) => return Err(cause.into()),
        }
        let parent = shown(path.parent().unwrap_or(Path::new(".")));
        disk::sync_folder(&open_folder(&parent)?)
    }

    fn failed(&self, what: &'static str, cause: io::Error) -> Error {
        failed(what, &self.path.display().to_string(), cause)
    }
}

/// The nearest directory above that exists.
fn existing_above(path: &Path) -> PathBuf {
    path.ancestors().skip(1).map(shown).find(|above| above.exists()).unwrap_or_else(|| PathBuf::from("."))
}

/// Finds out whether files can be made in a directory, and leaves nothing: a file without a name where the system has
/// such, else one that is removed at once.
fn writable(path: &Path) -> Result<()> {
    let refused = |cause: io::Error| {
        Error::usage("the destination cannot be written").at("path", path.display()).because(cause)
    };
    #[cfg(target_os = "linux")]
    {
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        match fs::open(path, flags, Mode::from_raw_mode(0o600)) {
            Ok(_) => return Ok(()),
            Err(Errno::NOTSUP | Errno::ISDIR | Errno::INVAL | Errno::NOENT) => {}
            Err(cause) => return Err(refused(cause.into())),
        }
    }
    let folder = open_folder(path).map_err(|cause| refused(cause.into()))?;
    let (_, name) =
        disk::stage(&folder, &format!(".vonage-audit-probe-{}", std::process::id())).map_err(refused)?;
    disk::remove(&folder, &name).map_err(refused)
}

fn unusable(what: &'static str, path: &Path, cause: Errno) -> Error {
    Error::usage(what).at("path", path.display()).because(io::Error::from(cause))
}
