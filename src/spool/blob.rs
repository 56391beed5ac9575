//! The bytes of one file, in memory or in a file without a name, which many may share.
//!
//! What lives here: [`Blob`], [`BlobWriter`], [`BlobReader`] and [`SharedFile`]. What this file must not know: what the bytes are.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::file::{SpillFile, length, length_of};
use super::scratch::Scratch;
use crate::error::{Error, Result};

/// Bytes that are read at once, or written.
const BLOCK: usize = 256 << 10;

/// Bytes of a file that is to stay of which it is said at once that they stand there.
const SETTLED: u64 = 8 << 20;

/// Bytes; clones share them.
#[derive(Clone, Debug)]
pub enum Blob {
    /// In memory.
    Memory(Bytes),
    /// In a file without a name.
    File(Arc<Spilled>),
}

/// Where in a file without a name the bytes are.
#[derive(Debug)]
pub struct Spilled {
    file: Arc<SpillFile>,
    /// Where each piece begins among the bytes, and in the file; ascending by the first.
    pieces: Vec<(u64, u64)>,
    bytes: u64,
}

impl Spilled {
    /// Fills `buffer` as far as a piece goes; gives the bytes read.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let next = self.pieces.partition_point(|(from, _)| *from <= at);
        let piece = next.checked_sub(1).and_then(|own| self.pieces.get(own));
        let Some((from, place)) = piece.filter(|_| at < self.bytes) else { return Ok(0) };
        let end = self.pieces.get(next).map_or(self.bytes, |(from, _)| *from);
        let most = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..most).unwrap_or_default();
        match self.file.read_at(buffer, place.saturating_add(at.saturating_sub(*from)))? {
            0 if most > 0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => Ok(read),
        }
    }
}

/// One file without a name, made when it is needed, for the bytes of many. Clones are the same file.
#[derive(Clone, Debug, Default)]
pub struct SharedFile(Arc<Mutex<Option<Arc<SpillFile>>>>);

impl SharedFile {
    fn file(&self, scratch: &Scratch) -> Result<Arc<SpillFile>> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &*file {
            return Ok(Arc::clone(file));
        }
        Ok(Arc::clone(file.insert(Arc::new(scratch.file()?))))
    }
}

impl From<Bytes> for Blob {
    fn from(bytes: Bytes) -> Self {
        Self::Memory(bytes)
    }
}

impl Blob {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => length(bytes),
            Self::File(spilled) => spilled.bytes,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All bytes at once, in memory.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: the temporary file cannot be read.
    pub fn bytes(&self) -> Result<Bytes> {
        match self {
            Self::Memory(bytes) => Ok(bytes.clone()),
            Self::File(spilled) => {
                let mut bytes = vec![0; usize::try_from(spilled.bytes).unwrap_or(usize::MAX)];
                self.reader().read_exact(&mut bytes).map_err(|cause| self.unread(cause))?;
                Ok(bytes.into())
            }
        }
    }

    /// The file that holds these bytes and nothing else, if it is where it may stay: all it needs is a name.
    pub fn own_file(&self) -> Option<&File> {
        match self {
            Self::File(spilled) if spilled.pieces == [(0, 0)] && spilled.file.len() == spilled.bytes => {
                spilled.file.own()
            }
            _ => None,
        }
    }

    /// From the beginning.
    pub fn reader(&self) -> BlobReader {
        BlobReader { blob: self.clone(), at: 0 }
    }

    /// Hands the bytes out in blocks.
    ///
    /// # Errors
    /// What the temporary file's disk gives; what `take` gives.
    pub fn each(&self, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        if let Self::Memory(bytes) = self {
            return take(bytes);
        }
        let (mut reader, mut block) = (self.reader(), vec![0; BLOCK]);
        loop {
            let read = reader.read(&mut block)?;
            match block.get(..read) {
                None | Some([]) => return Ok(()),
                Some(read) => take(read)?,
            }
        }
    }

    /// Whether both are the same bytes.
    ///
    /// # Errors
    /// As [`Blob::bytes`].
    pub fn same(&self, other: &Self) -> Result<bool> {
        match (self, other) {
            _ if self.len() != other.len() => Ok(false),
            (Self::Memory(one), Self::Memory(other)) => Ok(one == other),
            (Self::File(one), Self::File(other)) if Arc::ptr_eq(one, other) => Ok(true),
            _ => {
                let (mut left, mut right) = (self.reader(), other.reader());
                let (mut one, mut twin) = (vec![0; BLOCK], vec![0; BLOCK]);
                loop {
                    let read = left.read(&mut one).map_err(|cause| self.unread(cause))?;
                    let (Some(one), Some(twin)) = (one.get(..read), twin.get_mut(..read)) else {
                        return Ok(false);
                    };
                    if one.is_empty() {
                        return Ok(true);
                    }
                    right.read_exact(twin).map_err(|cause| other.unread(cause))?;
                    if one != twin {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// The failure of a read, for people.
    pub fn unread(&self, cause: io::Error) -> Error {
        match self {
            Self::Memory(_) => Error::bug("bytes in memory end early").because(cause),
            Self::File(spilled) => spilled.file.unread(cause),
        }
    }
}

/// Reads a [`Blob`] from its beginning.
#[derive(Debug)]
pub struct BlobReader {
    blob: Blob,
    at: u64,
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &self.blob {
            Blob::Memory(bytes) => {
                let at = usize::try_from(self.at).unwrap_or(usize::MAX);
                bytes.get(at..).unwrap_or_default().read(buffer)?
            }
            Blob::File(spilled) => spilled.read_at(buffer, self.at)?,
        };
        self.at = self.at.saturating_add(length_of(read));
        Ok(read)
    }
}

/// Takes bytes in, and spills all of them once they are more than its share.
#[derive(Debug)]
pub struct BlobWriter {
    scratch: Scratch,
    share: u64,
    /// For what is to stay: a file of many, where there is none of its own.
    shared: Option<SharedFile>,
    /// All bytes while they are within the share; then those that are not yet in the file.
    held: Vec<u8>,
    file: Option<Arc<SpillFile>>,
    pieces: Vec<(u64, u64)>,
    /// Bytes in the file.
    spilled: u64,
    /// Of these, those that are known to stay as they are.
    settled: u64,
    /// Why bytes that came by [`Write`] were not taken.
    failure: Option<Error>,
}

impl BlobWriter {
    /// Nothing yet; at most `share` bytes in memory.
    pub fn new(scratch: &Scratch, share: u64) -> Self {
        Self {
            scratch: scratch.clone(),
            share,
            shared: None,
            held: Vec::new(),
            file: None,
            pieces: Vec::new(),
            spilled: 0,
            settled: 0,
            failure: None,
        }
    }

    /// The same for a file that is to stay. What is spilled goes where it may stay, if it is long and there is such a place,
    /// else to a file for many.
    pub fn to_stay(scratch: &Scratch, share: u64, shared: &SharedFile) -> Self {
        Self { shared: Some(shared.clone()), ..Self::new(scratch, share) }
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: they cannot be spilled.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let all = length(&self.held).saturating_add(length(bytes));
        let most = if self.file.is_some() { 0 } else { self.share };
        if all <= most.max(length_of(BLOCK)) {
            self.held.extend_from_slice(bytes);
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        for block in [held.as_slice(), bytes] {
            self.spill(block, true)?;
        }
        self.held = held;
        self.held.clear();
        Ok(())
    }

    fn spill(&mut self, bytes: &[u8], long: bool) -> Result<()> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(self.place(long)?),
        };
        match place(file, bytes, &mut self.pieces, &mut self.spilled) {
            // There is no more room where it is to stay. Whether that is needed is seen later: what is there already stays there.
            Err(_) if file.own().is_some() => self.leave().and_then(|()| self.spill(bytes, false)),
            done => done.map(|()| self.settle(SETTLED)),
        }
    }

    /// Says of the bytes that have come, if there are so many of them, that they stay.
    fn settle(&mut self, least: u64) {
        let bytes = self.spilled.saturating_sub(self.settled);
        if let Some(own) = self.file.as_ref().and_then(|file| file.own())
            && bytes >= least
        {
            self.scratch.written(own, self.settled, bytes);
            self.settled = self.spilled;
        }
    }

    /// Takes all bytes from where they are to stay to the file of many.
    fn leave(&mut self) -> Result<()> {
        let Some(shared) = &self.shared else { return Ok(()) };
        let to = shared.file(&self.scratch)?;
        let Some(own) = self.file.replace(Arc::clone(&to)) else { return Ok(()) };
        let (length, mut at) = (std::mem::take(&mut self.spilled), 0);
        self.pieces.clear();
        while at < length {
            let next = length.saturating_sub(at).min(length_of(BLOCK));
            place(&to, &own.read(at, next)?, &mut self.pieces, &mut self.spilled)?;
            at = at.saturating_add(next);
        }
        Ok(())
    }

    fn place(&self, long: bool) -> Result<Arc<SpillFile>> {
        let Some(shared) = &self.shared else { return self.scratch.file().map(Arc::new) };
        match long.then(|| self.scratch.own_file()).flatten() {
            Some(own) => Ok(Arc::new(own)),
            None => shared.file(&self.scratch),
        }
    }

    /// Why bytes that came by [`Write`] were not taken, if any were not: an error of another kind on the way has lost half of it.
    pub fn failure(self) -> Option<Error> {
        self.failure
    }

    /// All that was written.
    ///
    /// # Errors
    /// As [`BlobWriter::push`].
    pub fn finish(mut self) -> Result<Blob> {
        if self.file.is_none() && length(&self.held) <= self.share {
            return Ok(Blob::Memory(self.held.into()));
        }
        let held = std::mem::take(&mut self.held);
        self.spill(&held, false)?;
        self.settle(1);
        let Some(file) = self.file else { return Ok(Blob::Memory(held.into())) };
        Ok(Blob::File(Arc::new(Spilled { file, pieces: self.pieces, bytes: self.spilled })))
    }
}

/// Writes bytes behind all others of the file. A piece that follows the one before it is part of that one.
fn place(file: &SpillFile, bytes: &[u8], pieces: &mut Vec<(u64, u64)>, before: &mut u64) -> Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    let at = file.reserve(length(bytes))?;
    file.fill(bytes, at)?;
    let follows = pieces.last().is_some_and(|(from, place)| place + (*before - from) == at);
    if !follows {
        pieces.push((*before, at));
    }
    *before = before.saturating_add(length(bytes));
    Ok(())
}

impl Write for BlobWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.push(buffer).map_err(|cause| {
            let said = io::Error::other(cause.to_string());
            self.failure.get_or_insert(cause);
            said
        })?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_leave_where_they_were_to_stay_are_the_same() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().to_owned();
        let make = move || tempfile::tempfile_in(&folder).ok();
        let scratch = Scratch::new(place.path().to_owned(), 0, u64::MAX).with_files(Arc::new(make));
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| (at / 11) as u8).collect();
        for leave_at in [300_000, 1_000_000, 2_990_000] {
            let shared = SharedFile::default();
            let mut writer = BlobWriter::to_stay(&scratch, 0, &shared);
            let mut other = BlobWriter::to_stay(&scratch, 0, &shared);
            let mut left = false;
            for (number, chunk) in bytes.chunks(10_000).enumerate() {
                writer.push(chunk).unwrap();
                other.push(chunk).unwrap();
                if number * 10_000 >= leave_at && !left {
                    left = true;
                    assert!(writer.file.as_ref().is_some_and(|file| file.own().is_some()));
                    writer.leave().unwrap();
                    other.leave().unwrap();
                }
            }
            for blob in [writer.finish().unwrap(), other.finish().unwrap()] {
                assert!(blob.own_file().is_none() && blob.bytes().unwrap() == bytes);
            }
        }
    }
}
