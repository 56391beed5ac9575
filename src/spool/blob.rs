//! The bytes of one file, in memory or in a file without a name.
//!
//! What lives here: [`Blob`], [`BlobWriter`] and [`BlobReader`]. What this file must not know: what the bytes are.

use std::io::{self, Read, Write};
use std::sync::Arc;

use bytes::Bytes;

use super::file::{SpillFile, length, length_of};
use super::scratch::Scratch;
use crate::error::{Error, Result};

/// Bytes that are read at once.
const BLOCK: usize = 256 << 10;

/// Bytes; clones share them.
#[derive(Clone, Debug)]
pub enum Blob {
    /// In memory.
    Memory(Bytes),
    /// In a file without a name.
    File(Arc<SpillFile>),
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
            Self::File(file) => file.len(),
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
            Self::File(file) => Ok(file.read(0, file.len())?.into()),
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
            Self::File(file) => file.unread(cause),
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
            Blob::File(file) => file.read_at(buffer, self.at)?,
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
    held: Vec<u8>,
    file: Option<SpillFile>,
}

impl BlobWriter {
    /// Nothing yet; at most `share` bytes in memory.
    pub fn new(scratch: &Scratch, share: u64) -> Self {
        Self { scratch: scratch.clone(), share, held: Vec::new(), file: None }
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: they cannot be spilled.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(file) = &mut self.file {
            return file.append(bytes).map(drop);
        }
        if length(&self.held).saturating_add(length(bytes)) <= self.share {
            self.held.extend_from_slice(bytes);
            return Ok(());
        }
        let mut file = self.scratch.file()?;
        file.append(&std::mem::take(&mut self.held))?;
        file.append(bytes)?;
        self.file = Some(file);
        Ok(())
    }

    /// All that was written.
    ///
    /// # Errors
    /// As [`BlobWriter::push`].
    pub fn finish(self) -> Result<Blob> {
        match self.file {
            None => Ok(Blob::Memory(self.held.into())),
            Some(mut file) => {
                file.flush()?;
                Ok(Blob::File(Arc::new(file)))
            }
        }
    }
}

impl Write for BlobWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.push(buffer).map_err(io::Error::other)?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
