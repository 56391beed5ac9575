//! The system calls of the local store, relative to open directories, never through a symbolic link.
//!
//! What lives here: making and opening folders, publishing a file under a name that must be free, reading, listing.
//! What this file must not know: paths of more than one segment, what was done before, errors of the crate.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use crate::spool::Blob;
use crate::store::{Entry, EntryKind};

/// How a finished file gets its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publication {
    /// It has no name before (`O_TMPFILE`), then is linked: nothing is ever left behind. Linux only.
    Nameless,
    /// It is renamed from the staging folder, unless the name is taken (`RENAME_NOREPLACE`).
    Rename,
    /// It is linked from the staging folder, then loses its old name.
    Link,
}

impl Publication {
    /// The first to try.
    pub(super) const BEST: Self = if cfg!(target_os = "linux") { Self::Nameless } else { Self::Rename };

    /// What to try when the file system does not support this one.
    pub(super) const fn next(self) -> Option<Self> {
        match self {
            Self::Nameless => Some(Self::Rename),
            Self::Rename => Some(Self::Link),
            Self::Link => None,
        }
    }
}

/// Folders: readable by all, as far as the process's mask allows.
const FOLDER_MODE: u16 = 0o755;
const FILE_MODE: u16 = 0o644;

/// Attributes that a file takes over from the folder in which it is made.
#[cfg(target_os = "linux")]
const INHERITED: [&str; 2] = ["system.posix_acl_access", "security.selinux"];

/// A name that a dead process left in the staging folder is skipped this often.
const STAGE_TRIES: u32 = 10_000;

pub(super) enum Linked {
    New,
    Exists,
    Unsupported,
}

pub(super) enum Failure {
    /// A sync of the content: final.
    Sync(io::Error),
    /// The content cannot be read.
    Content(io::Error),
    Other(io::Error),
}

impl From<Errno> for Failure {
    fn from(cause: Errno) -> Self {
        Self::Other(cause.into())
    }
}

pub(super) enum Found {
    Nothing,
    /// Of this many bytes.
    File(u64),
    Other,
}

pub(super) enum Content {
    Nothing,
    /// To be read up to one byte more than the limit; and its length at this moment.
    File(io::Take<File>, u64),
    NotAFile,
    TooLong,
}

fn folder_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

pub(super) fn open_folder(parent: &OwnedFd, name: &str) -> io::Result<Option<OwnedFd>> {
    match fs::openat(parent, name, folder_flags(), Mode::empty()) {
        Ok(folder) => Ok(Some(folder)),
        Err(Errno::NOENT) => Ok(None),
        Err(cause) => Err(cause.into()),
    }
}

pub(super) fn make_folder(parent: &OwnedFd, name: &str) -> io::Result<OwnedFd> {
    match fs::openat(parent, name, folder_flags(), Mode::empty()) {
        Err(Errno::NOENT) => {}
        answer => return Ok(answer?),
    }
    match fs::mkdirat(parent, name, Mode::from_raw_mode(FOLDER_MODE.into())) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(cause) => return Err(cause.into()),
    }
    Ok(fs::openat(parent, name, folder_flags(), Mode::empty())?)
}

pub(super) fn sync_folder(folder: &OwnedFd) -> io::Result<()> {
    match fs::fsync(folder) {
        // Some network and FUSE file systems have no sync of directories; there is nothing more to ask them for.
        Ok(()) | Err(Errno::INVAL | Errno::NOTSUP) => Ok(()),
        Err(cause) => Err(cause.into()),
    }
}

pub(super) fn look(folder: &OwnedFd, name: &str) -> io::Result<Found> {
    match fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {
            Ok(Found::File(u64::try_from(stat.st_size).unwrap_or(u64::MAX)))
        }
        Ok(_) => Ok(Found::Other),
        Err(Errno::NOENT) => Ok(Found::Nothing),
        Err(cause) => Err(cause.into()),
    }
}

/// Content first, durable, before any name.
fn fill(mut file: File, content: &Blob) -> Result<File, Failure> {
    let mut written = Ok(());
    let read = content.each(|block| {
        written = file.write_all(block);
        // Only ends the reading.
        if written.is_ok() { Ok(()) } else { Err(io::ErrorKind::Other.into()) }
    });
    written.map_err(Failure::Other)?;
    read.map_err(Failure::Content)?;
    // Also the full flush of macOS, which a bare fsync is not.
    file.sync_all().map_err(Failure::Sync)?;
    Ok(file)
}

/// Has the system begin to bring bytes to the disk, so that a later sync waits for little. It is a hint: it takes no
/// error away from that sync.
#[cfg(target_os = "linux")]
pub(super) fn begin_to_sync(file: &File, from: u64, bytes: u64) {
    // Linux begins to write what it is told will not be needed, and forgets only what is on the disk already.
    let _ = fs::fadvise(file, from, std::num::NonZeroU64::new(bytes), fs::Advice::DontNeed);
}

#[cfg(not(target_os = "linux"))]
pub(super) fn begin_to_sync(_: &File, _: u64, _: u64) {}

/// Whether the process may have so many files open.
pub(super) fn may_open(files: u64) -> bool {
    getrlimit(Resource::Nofile).current.is_none_or(|most| most >= files)
}

/// A file without a name, which nobody can see; `None` where the file system has no such files.
#[cfg(target_os = "linux")]
pub(super) fn nameless(folder: &OwnedFd) -> Result<Option<File>, Errno> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match fs::openat(folder, ".", flags, Mode::from_raw_mode(FILE_MODE.into())) {
        Ok(file) => Ok(Some(file.into())),
        Err(Errno::NOTSUP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => Ok(None),
        Err(cause) => Err(cause),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn nameless(_: &OwnedFd) -> Result<Option<File>, Errno> {
    Ok(None)
}

/// The file is made in its final folder: without a name nobody can see it there, and it cannot be on another volume. Where the
/// content has a file of its own that is like it, that one is taken, which saves the copy.
#[cfg(target_os = "linux")]
pub(super) fn publish_nameless(folder: &OwnedFd, name: &str, content: &Blob) -> Result<Linked, Failure> {
    let Some(file) = nameless(folder)? else { return Ok(Linked::Unsupported) };
    if let Some(own) = content.own_file()
        && alike(own, &file)?
    {
        own.sync_all().map_err(Failure::Sync)?;
        let linked = link_itself(own, folder, name)?;
        if !matches!(linked, Linked::Unsupported) {
            return Ok(linked);
        }
    }
    link_itself(&fill(file, content)?, folder, name)
}

/// Whether a file without a name could stand where the other was made: on the same volume, with the same owner and rights.
#[cfg(target_os = "linux")]
fn alike(own: &File, other: &File) -> Result<bool, Errno> {
    let (one, two) = (fs::fstat(own)?, fs::fstat(other)?);
    let same = one.st_nlink == 0
        && one.st_dev == two.st_dev
        && (one.st_uid, one.st_gid, one.st_mode) == (two.st_uid, two.st_gid, two.st_mode);
    // What a folder hands on beside these: its list of rights, and its label.
    Ok(same && INHERITED.iter().all(|name| attribute(own, name) == attribute(other, name)))
}

#[cfg(target_os = "linux")]
fn attribute(file: &File, name: &str) -> Result<Vec<u8>, Errno> {
    let mut value = vec![0; 64 << 10];
    let length = fs::fgetxattr(file, name, value.as_mut_slice())?;
    value.truncate(length);
    Ok(value)
}

#[cfg(target_os = "linux")]
fn link_itself(file: &File, folder: &OwnedFd, name: &str) -> Result<Linked, Failure> {
    use std::os::fd::AsRawFd;

    let itself = format!("/proc/self/fd/{}", file.as_raw_fd());
    match fs::linkat(fs::CWD, itself, folder, name, AtFlags::SYMLINK_FOLLOW) {
        Ok(()) => Ok(Linked::New),
        Err(Errno::EXIST) => Ok(Linked::Exists),
        // No /proc, or a file system that does not link nameless files.
        Err(Errno::NOENT | Errno::XDEV | Errno::PERM | Errno::NOTSUP | Errno::INVAL) => {
            Ok(Linked::Unsupported)
        }
        Err(cause) => Err(cause.into()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn publish_nameless(_: &OwnedFd, _: &str, _: &Blob) -> Result<Linked, Failure> {
    Ok(Linked::Unsupported)
}

/// Never an existing file, never truncation: a name left by a run that died between link and unlink is a second name
/// of a published file.
pub(super) fn stage(staging: &OwnedFd, name: &str) -> io::Result<(OwnedFd, String)> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    for attempt in 0..STAGE_TRIES {
        let name = format!("{name}-{attempt}");
        match fs::openat(staging, &name, flags, Mode::from_raw_mode(FILE_MODE.into())) {
            Ok(file) => return Ok((file, name)),
            Err(Errno::EXIST) => {}
            Err(cause) => return Err(cause.into()),
        }
    }
    Err(Errno::EXIST.into())
}

pub(super) fn publish_staged(
    publication: Publication,
    staging: &OwnedFd,
    temporary: &str,
    folder: &OwnedFd,
    name: &str,
    content: &Blob,
) -> Result<Linked, Failure> {
    let (file, temporary) = stage(staging, temporary).map_err(Failure::Other)?;
    let linked = fill(file.into(), content).and_then(|_file| match publication {
        Publication::Rename => {
            linked(fs::renameat_with(staging, &temporary, folder, name, RenameFlags::NOREPLACE))
        }
        Publication::Nameless | Publication::Link => {
            linked(fs::linkat(staging, &temporary, folder, name, AtFlags::empty()))
        }
    });
    let renamed = publication == Publication::Rename && matches!(linked, Ok(Linked::New));
    if !renamed {
        // What is left when this fails is removed by a later run under the lock.
        let _ = fs::unlinkat(staging, &temporary, AtFlags::empty());
    }
    linked
}

fn linked(answer: Result<(), Errno>) -> Result<Linked, Failure> {
    match answer {
        Ok(()) => Ok(Linked::New),
        Err(Errno::EXIST) => Ok(Linked::Exists),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::PERM) => Ok(Linked::Unsupported),
        Err(cause) => Err(cause.into()),
    }
}

pub(super) fn read(folder: &OwnedFd, name: &str, limit: u64) -> io::Result<Content> {
    // A planted pipe must not block, hence NONBLOCK; it changes nothing for a file.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match fs::openat(folder, name, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(Content::Nothing),
        Err(Errno::LOOP) => return Ok(Content::NotAFile),
        Err(cause) => return Err(cause.into()),
    };
    let stat = fs::fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Ok(Content::NotAFile);
    }
    let length = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
    if length > limit {
        return Ok(Content::TooLong);
    }
    Ok(Content::File(File::from(file).take(limit.saturating_add(1)), length))
}

pub(super) fn entries(folder: &OwnedFd, limit: usize) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => FileType::from_raw_mode(
                fs::statat(folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?.st_mode,
            ),
            known => known,
        };
        let kind = match kind {
            FileType::RegularFile => EntryKind::File,
            FileType::Directory => EntryKind::Folder,
            _ => EntryKind::Other,
        };
        if entries.len() >= limit {
            return Err(io::Error::other("too many names in one folder"));
        }
        entries.push(Entry { name: OsStr::from_bytes(name).to_string_lossy().into_owned(), kind });
    }
    Ok(entries)
}

/// Opens the lock's file, making it if it is absent; its content never matters.
pub(super) fn open_lock(folder: &OwnedFd, name: &str) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(fs::openat(folder, name, flags, Mode::from_raw_mode(FILE_MODE.into()))?))
}

pub(super) fn remove(folder: &OwnedFd, name: &str) -> io::Result<()> {
    match fs::unlinkat(folder.as_fd(), name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(cause) => Err(cause.into()),
    }
}
