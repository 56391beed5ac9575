//! A file without a name that is written once and read at any place.
//!
//! What lives here: [`SpillFile`], to which one appends, or whose places several set aside and fill. What this file must not know: what the bytes are.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::scratch::Scratch;
use crate::error::Result;

/// Bytes that are written at once.
const BUFFER: usize = 256 << 10;

/// A temporary file; its bytes count against the limit until it is dropped.
#[derive(Debug)]
pub struct SpillFile {
    file: File,
    scratch: Scratch,
    /// Bytes on the disk, or set aside there; those in `waiting` follow them.
    written: AtomicU64,
    waiting: Vec<u8>,
    /// Whether it is where it may stay.
    own: bool,
}

impl SpillFile {
    pub(super) fn new(file: File, scratch: Scratch, own: bool) -> Self {
        Self { file, scratch, written: AtomicU64::new(0), waiting: Vec::new(), own }
    }

    /// The file, if it is where it may stay.
    pub(super) fn own(&self) -> Option<&File> {
        self.own.then_some(&self.file)
    }

    /// Appends bytes; gives the place where they begin.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: the disk does not take them, or the limit is reached.
    pub fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        let at = self.len();
        if bytes.len() >= BUFFER {
            self.write_out(&[])?;
            self.write_out(bytes)?;
            return Ok(at);
        }
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= BUFFER {
            self.write_out(&[])?;
        }
        Ok(at)
    }

    /// Appends what is written into the buffer.
    ///
    /// # Errors
    /// As [`SpillFile::append`].
    pub(super) fn append_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        if self.waiting.capacity() < BUFFER {
            self.waiting.reserve(BUFFER + BUFFER / 4);
        }
        write(&mut self.waiting);
        if self.waiting.len() >= BUFFER { self.write_out(&[]) } else { Ok(()) }
    }

    /// Bytes appended.
    pub fn len(&self) -> u64 {
        self.written.load(Ordering::Relaxed).saturating_add(length(&self.waiting))
    }

    /// Whether nothing was appended.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes out what waits, so that all of it can be read.
    ///
    /// # Errors
    /// As [`SpillFile::append`].
    pub fn flush(&mut self) -> Result<()> {
        let written = self.write_out(&[]);
        self.waiting = Vec::new();
        written
    }

    /// Writes these bytes, or what waits if there are none.
    fn write_out(&mut self, direct: &[u8]) -> Result<()> {
        let out = if direct.is_empty() { &self.waiting } else { direct };
        // Counted even if only some of it is written: the drop takes the same number back.
        let at = self.reserve(length(out))?;
        let written = self.fill(out, at);
        if direct.is_empty() {
            self.waiting.clear();
        }
        written
    }

    /// Sets bytes aside behind all others, to be filled; gives the place where they begin.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: the limit is reached.
    pub(super) fn reserve(&self, bytes: u64) -> Result<u64> {
        self.scratch.grow(bytes)?;
        Ok(self.written.fetch_add(bytes, Ordering::Relaxed))
    }

    /// Writes bytes to a place that was set aside.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: the disk does not take them.
    pub(super) fn fill(&self, bytes: &[u8], at: u64) -> Result<()> {
        let written = self.file.write_all_at(bytes, at);
        written.map_err(|cause| self.scratch.failed("cannot write a temporary file", cause))
    }

    /// Fills `buffer` from a place, as far as the file goes; gives the bytes read.
    ///
    /// # Errors
    /// What the disk gives.
    pub fn read_at(&self, mut buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let (mut read, mut at) = (0, at);
        while !buffer.is_empty() {
            let got = match self.file.read_at(buffer, at) {
                Ok(0) => break,
                Ok(got) => got,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => return Err(cause),
            };
            let Some(rest) = std::mem::take(&mut buffer).get_mut(got..) else { break };
            (buffer, read, at) = (rest, read + got, at.saturating_add(length_of(got)));
        }
        Ok(read)
    }

    /// As many bytes as asked for, from a place that [`SpillFile::append`] gave.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: the disk does not give back what it took.
    pub fn read(&self, at: u64, bytes: u64) -> Result<Vec<u8>> {
        self.read_behind(&[], at, bytes)
    }

    /// The same behind bytes that were read before.
    pub(super) fn read_behind(&self, before: &[u8], at: u64, bytes: u64) -> Result<Vec<u8>> {
        let whole = before.len().saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX));
        let mut buffer = vec![0; whole];
        let Some((head, rest)) = buffer.split_at_mut_checked(before.len()) else { return Ok(buffer) };
        head.copy_from_slice(before);
        match self.read_at(rest, at) {
            Ok(read) if read == rest.len() => Ok(buffer),
            Ok(_) => Err(self.unread(io::ErrorKind::UnexpectedEof.into())),
            Err(cause) => Err(self.unread(cause)),
        }
    }

    pub(super) fn unread(&self, cause: io::Error) -> crate::error::Error {
        self.scratch.failed("cannot read a temporary file", cause)
    }
}

impl Drop for SpillFile {
    fn drop(&mut self) {
        self.scratch.shrink(*self.written.get_mut());
        if self.own {
            self.scratch.give_back();
        }
    }
}

pub(super) fn length(bytes: &[u8]) -> u64 {
    length_of(bytes.len())
}

pub(super) fn length_of(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
