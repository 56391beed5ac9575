//! The destination directory itself: found, checked, made when it is needed.
//!
//! What lives here: [`Root`]. What this file must not know: what is below the destination.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustix::fs::{self, Access, AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::disk::{self, Failure};
use super::failure::failed;
use super::shown;
use crate::error::{Error, Result};

/// The destination, kept open so that it stays the same directory for the whole run.
pub(super) struct Root {
    path: PathBuf,
    opened: Arc<OnceLock<OwnedFd>>,
    /// Set once the destination's own entry is synced.
    durable: Arc<OnceLock<()>>,
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
        Ok(Self { path, opened: Arc::new(opened), durable: Arc::default() })
    }

    /// The same destination for a second store.
    pub(super) fn again(&self) -> Self {
        Self { path: self.path.clone(), opened: Arc::clone(&self.opened), durable: Arc::clone(&self.durable) }
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

    /// A file without a name in the destination, or above it where it is to be; `None` if there can be none.
    pub(super) fn nameless(&self) -> Option<File> {
        let folder = match self.existing().ok()? {
            Some(folder) => folder,
            None => open_folder(&existing_above(&self.path)).ok()?,
        };
        disk::nameless(&folder).ok()?
    }

    /// Makes the destination if it is absent; directories made above it are synced from the outermost down. The
    /// innermost that is there already is synced as well: whoever made it may have died before its sync.
    pub(super) fn make(&self) -> Result<(), Failure> {
        if self.durable.get().is_some() {
            return Ok(());
        }
        let missing: Vec<&Path> = self
            .path
            .ancestors()
            .take_while(|above| !above.as_os_str().is_empty() && !above.exists())
            .collect();
        let above = shown(missing.last().and_then(|path| path.parent()).unwrap_or(&self.path));
        // The destination may be a link or "..": what it really is decides which folder has its entry.
        if let Some(parent) = above.canonicalize().map_err(Failure::Other)?.parent() {
            match open_folder(parent) {
                Ok(parent) => disk::sync_folder(&parent).map_err(Failure::Sync)?,
                // It is not ours to open, so it was not ours to make.
                Err(Errno::ACCESS | Errno::PERM) => {}
                Err(cause) => return Err(cause.into()),
            }
        }
        for path in missing.into_iter().rev() {
            match fs::mkdir(path, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(cause) => return Err(cause.into()),
            }
            let parent = shown(path.parent().unwrap_or(Path::new(".")));
            disk::sync_folder(&open_folder(&parent)?).map_err(Failure::Sync)?;
        }
        let _ = self.durable.set(());
        Ok(())
    }

    fn failed(&self, what: &'static str, cause: io::Error) -> Error {
        failed(what, &self.path.display().to_string(), cause)
    }
}

/// The nearest directory above that exists.
fn existing_above(path: &Path) -> PathBuf {
    path.ancestors().skip(1).map(shown).find(|above| above.exists()).unwrap_or_else(|| PathBuf::from("."))
}

/// Finds out whether files can be made in a directory, and never makes one with a name, which a kill would leave there:
/// a file without a name where the system has such, else by what the process may do.
fn writable(path: &Path) -> Result<()> {
    let refused = |cause: Errno| {
        Error::usage("the destination cannot be written")
            .at("path", path.display())
            .because(io::Error::from(cause))
    };
    #[cfg(target_os = "linux")]
    {
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        match fs::open(path, flags, Mode::from_raw_mode(0o600)) {
            Ok(_) => return Ok(()),
            Err(Errno::NOTSUP | Errno::ISDIR | Errno::INVAL | Errno::NOENT) => {}
            Err(cause) => return Err(refused(cause)),
        }
    }
    // procfs and sysfs, the system's own trees, have names that nobody makes, whatever the rights say.
    #[cfg(target_os = "linux")]
    if fs::statfs(path).is_ok_and(|system| matches!(system.f_type, 0x9fa0 | 0x6265_6572)) {
        return Err(refused(Errno::ROFS));
    }
    fs::accessat(fs::CWD, path, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).map_err(refused)
}

fn unusable(what: &'static str, path: &Path, cause: Errno) -> Error {
    Error::usage(what).at("path", path.display()).because(io::Error::from(cause))
}
