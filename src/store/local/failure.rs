//! What to say when the disk refuses.
//!
//! What lives here: an error of the operating system with its place and what to do next. What this file must not know:
//! which operations there are.

use std::io;

use rustix::io::Errno;

use crate::error::{Error, Kind};
use crate::store::ObjectPath;

/// The error about something at a path: below the destination, or the destination itself.
pub(super) fn failed(what: &'static str, path: &str, cause: io::Error) -> Error {
    let hint = hint(&cause);
    Error::new(Kind::Storage, what).at("path", path).because(cause).hint(hint)
}

pub(super) fn not_a_file(path: &ObjectPath) -> Error {
    Error::new(Kind::Storage, "something that is not a regular file is in the way")
        .at("path", path)
        .hint("symbolic links and devices below the destination are never followed or replaced")
}

fn hint(cause: &io::Error) -> &'static str {
    match Errno::from_io_error(cause) {
        Some(Errno::NOSPC) => {
            "the disk is full: free space, then start the same command again; what is committed stays"
        }
        Some(Errno::DQUOT) => {
            "the disk quota is used up: free space or raise it, then start the same command again; what is \
             committed stays"
        }
        Some(Errno::ACCESS | Errno::PERM) => {
            "let this user read and write everything below the destination, then start the same command again"
        }
        Some(Errno::ROFS) => {
            "the file system is read-only: mount it writable, then start the same command again"
        }
        Some(Errno::MFILE | Errno::NFILE) => {
            "too many files are open: raise the limit (ulimit -n), then start the same command again"
        }
        Some(Errno::IO) => {
            "the disk reports a fault: look at it and at the system's log before you start the same command again"
        }
        Some(Errno::NOTDIR | Errno::LOOP) => {
            "a file or a symbolic link where a folder belongs is never followed or replaced"
        }
        _ => "start the same command again when the cause is gone; what is committed stays",
    }
}
