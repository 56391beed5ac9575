//! Which of the program's system calls touch the destination, and which of them change it.
//!
//! What lives here: [`Call`] and how it is read from registers. What this file must not know: what is done with it.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::libc;

/// A call about something below the destination, before it is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    /// Below the destination, which itself is `.`; a file without a name is `FOLDER/?`, and a staging file's process id
    /// is left out, so that two runs are comparable.
    pub(crate) path: String,
    /// Whether it makes, fills, names, removes or syncs something, or closes what was written.
    pub(crate) changes: bool,
}

impl Call {
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.name, self.path)
    }

    pub(crate) fn syncs(&self) -> bool {
        matches!(self.name, "fsync" | "fdatasync")
    }
}

/// Where a process's arguments point.
struct Process<'a> {
    id: i32,
    dest: &'a Path,
}

/// The call that opens a file without a name, in this folder.
pub(crate) const NAMELESS: &str = "openat(O_TMPFILE)";

const READS: bool = false;
const CHANGES: bool = true;

/// The call that a thread is about to make, if it is about the destination.
pub(crate) fn read(id: i32, dest: &Path, number: u64, args: [u64; 6]) -> Option<Call> {
    let of = Process { id, dest };
    let [a, b, c, d, ..] = args;
    let (name, path, changes) = match i64::try_from(number).ok()? {
        libc::SYS_openat | libc::SYS_open => {
            let (path, flags) =
                if number == libc::SYS_open as u64 { (of.at(CWD, a)?, b) } else { (of.at(a, b)?, c) };
            (if nameless(flags) { NAMELESS } else { "openat" }, path, creates(flags))
        }
        libc::SYS_mkdirat => ("mkdirat", of.at(a, b)?, CHANGES),
        libc::SYS_mkdir => ("mkdir", of.at(CWD, a)?, CHANGES),
        libc::SYS_write => ("write", of.fd(a)?, CHANGES),
        libc::SYS_pwrite64 => ("pwrite64", of.fd(a)?, CHANGES),
        libc::SYS_writev => ("writev", of.fd(a)?, CHANGES),
        libc::SYS_pwritev => ("pwritev", of.fd(a)?, CHANGES),
        libc::SYS_pwritev2 => ("pwritev2", of.fd(a)?, CHANGES),
        libc::SYS_copy_file_range => ("copy_file_range", of.fd(c)?, CHANGES),
        libc::SYS_sendfile => ("sendfile", of.fd(a)?, CHANGES),
        libc::SYS_ftruncate => ("ftruncate", of.fd(a)?, CHANGES),
        libc::SYS_fallocate => ("fallocate", of.fd(a)?, CHANGES),
        libc::SYS_fsync => ("fsync", of.fd(a)?, CHANGES),
        libc::SYS_fdatasync => ("fdatasync", of.fd(a)?, CHANGES),
        libc::SYS_fchmod => ("fchmod", of.fd(a)?, CHANGES),
        libc::SYS_link => ("link", of.at(CWD, b)?, CHANGES),
        libc::SYS_linkat => ("linkat", of.at(c, d)?, CHANGES),
        libc::SYS_symlinkat => ("symlinkat", of.at(b, c)?, CHANGES),
        libc::SYS_rename => ("rename", of.at(CWD, b)?, CHANGES),
        libc::SYS_renameat => ("renameat", of.at(c, d)?, CHANGES),
        libc::SYS_renameat2 => ("renameat2", of.at(c, d)?, CHANGES),
        libc::SYS_unlinkat => ("unlinkat", of.at(a, b)?, CHANGES),
        libc::SYS_unlink => ("unlink", of.at(CWD, a)?, CHANGES),
        libc::SYS_rmdir => ("rmdir", of.at(CWD, a)?, CHANGES),
        libc::SYS_close if of.is_written(a) => ("close", of.fd(a)?, CHANGES),
        libc::SYS_flock => ("flock", of.fd(a)?, READS),
        libc::SYS_fcntl if matches!(i32::try_from(b), Ok(libc::F_DUPFD_CLOEXEC)) => ("dup", of.fd(a)?, READS),
        libc::SYS_read => ("read", of.fd(a)?, READS),
        libc::SYS_getdents64 => ("getdents64", of.fd(a)?, READS),
        libc::SYS_fstat => ("fstat", of.fd(a)?, READS),
        libc::SYS_newfstatat => ("fstatat", of.at(a, b)?, READS),
        _ => return None,
    };
    Some(Call { name, path, changes })
}

const CWD: u64 = libc::AT_FDCWD as u64;

fn nameless(flags: u64) -> bool {
    flags & libc::O_TMPFILE as u64 == libc::O_TMPFILE as u64
}

fn creates(flags: u64) -> bool {
    flags & libc::O_CREAT as u64 != 0 || nameless(flags)
}

impl Process<'_> {
    fn link(&self, name: &str) -> Option<PathBuf> {
        fs::read_link(format!("/proc/{}/{name}", self.id)).ok()
    }

    fn fd(&self, fd: u64) -> Option<String> {
        self.below(&self.link(&format!("fd/{fd}"))?)
    }

    fn at(&self, folder: u64, text: u64) -> Option<String> {
        let name = self.text(text);
        let folder = if folder as i32 == libc::AT_FDCWD {
            self.link("cwd")?
        } else {
            self.link(&format!("fd/{}", folder as i32))?
        };
        self.below(&folder.join(name))
    }

    /// The path as it is compared, if it is below the destination or the destination itself.
    fn below(&self, path: &Path) -> Option<String> {
        let below = path.strip_prefix(self.dest).ok()?.to_str().unwrap();
        let below = below.trim_end_matches("/.");
        if below.is_empty() || below == "." {
            return Some(".".to_owned());
        }
        let (folder, name) = below.rsplit_once('/').unwrap_or((".", below));
        if name.starts_with('#') && name.ends_with("(deleted)") {
            return Some(format!("{folder}/?"));
        }
        if folder.ends_with("_audit/staging") {
            let rest = name.split_once('-').map_or("", |(_, rest)| rest);
            return Some(format!("{folder}/PID-{rest}"));
        }
        Some(below.to_owned())
    }

    /// A path in the process's memory.
    fn text(&self, at: u64) -> String {
        let mut bytes = vec![0; 4096];
        let memory = File::open(format!("/proc/{}/mem", self.id)).unwrap();
        // What is mapped may end before the buffer does.
        let read = memory.read_at(&mut bytes, at).unwrap();
        let end = bytes[..read].iter().position(|byte| *byte == 0).unwrap_or(0);
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    }

    fn is_written(&self, fd: u64) -> bool {
        let Ok(info) = fs::read_to_string(format!("/proc/{}/fdinfo/{fd}", self.id)) else { return false };
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or("0");
        let flags = i32::from_str_radix(flags.trim(), 8).unwrap_or(0);
        flags & libc::O_ACCMODE != libc::O_RDONLY && flags & libc::O_PATH == 0
    }
}
