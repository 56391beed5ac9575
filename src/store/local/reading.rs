//! What is below the destination, read.
//!
//! What lives here: reading files whole or into temporary files, and listing folders. What this file must not know: how files
//! get there.

use std::fs::File;
use std::io::{Read, Take};

use bytes::Bytes;

use super::Inner;
use super::disk::{self, Found};
use super::failure::{failed, not_a_file};
use crate::error::{Error, Kind, Result};
use crate::spool::{Blob, BlobWriter, Scratch};
use crate::store::{Entry, EntryKind, MAX_NAMES, ObjectPath};

/// A file that is fetched stays in memory up to this part of the budget.
const FETCH_SHARES: u64 = 16;

/// Bytes that are read at once of a longer one.
const FETCH_BLOCK: usize = 256 << 10;

impl Inner {
    /// A file of at most `limit` bytes, open to be read up to one byte more, and its length at this moment.
    fn open(&self, path: &ObjectPath, limit: u64) -> Result<Option<(Take<File>, u64)>> {
        let (folder, name) = path.split();
        let Some(folder) = self.open_folder(folder)? else { return Ok(None) };
        match disk::read(&folder, name, limit) {
            Ok(disk::Content::Nothing) => Ok(None),
            Ok(disk::Content::File(file, length)) => Ok(Some((file, length))),
            Ok(disk::Content::NotAFile) => Err(not_a_file(path)),
            Ok(disk::Content::TooLong) => Err(crate::store::path::too_long(path, limit)),
            Err(cause) => Err(failed("cannot read", path.as_str(), cause)),
        }
    }

    pub(super) fn read(&self, path: &ObjectPath, limit: u64) -> Result<Option<Bytes>> {
        self.open(path, limit)?.map(|file| whole(path, file, limit)).transpose()
    }

    pub(super) fn fetch(&self, path: &ObjectPath, limit: u64, scratch: &Scratch) -> Result<Option<Blob>> {
        let share = scratch.share(FETCH_SHARES);
        let Some((mut file, length)) = self.open(path, limit)? else { return Ok(None) };
        if length <= share {
            return Ok(Some(whole(path, (file, length), limit)?.into()));
        }
        let (mut blob, mut block) = (BlobWriter::new(scratch, share), vec![0; FETCH_BLOCK]);
        loop {
            let read = file.read(&mut block).map_err(|cause| failed("cannot read", path.as_str(), cause))?;
            match block.get(..read) {
                None | Some([]) => break,
                Some(read) => blob.push(read).map_err(Error::on_our_side)?,
            }
        }
        let blob = blob.finish().map_err(Error::on_our_side)?;
        if blob.len() > limit { Err(crate::store::path::too_long(path, limit)) } else { Ok(Some(blob)) }
    }

    pub(super) fn size(&self, path: &ObjectPath) -> Result<Option<u64>> {
        let (folder, name) = path.split();
        let Some(folder) = self.open_folder(folder)? else { return Ok(None) };
        match disk::look(&folder, name).map_err(|cause| failed("cannot look", path.as_str(), cause))? {
            Found::Nothing => Ok(None),
            Found::File(length) => Ok(Some(length)),
            Found::Other => Err(not_a_file(path)),
        }
    }

    pub(super) fn children(&self, folder: Option<&str>) -> Result<Vec<Entry>> {
        let Some(opened) = self.open_folder(folder)? else { return Ok(Vec::new()) };
        let mut entries = disk::entries(&opened, MAX_NAMES)
            .map_err(|cause| failed("cannot list", folder.unwrap_or("."), cause))?;
        entries.sort();
        Ok(entries)
    }

    pub(super) fn list(&self, folder: &ObjectPath) -> Result<Vec<ObjectPath>> {
        let mut found = Vec::new();
        let mut waiting = vec![folder.clone()];
        while let Some(folder) = waiting.pop() {
            for entry in self.children(Some(folder.as_str()))? {
                let path = folder.join(&entry.name)?;
                match entry.kind {
                    EntryKind::File => found.push(path),
                    EntryKind::Folder => waiting.push(path),
                    EntryKind::Other => return Err(not_a_file(&path)),
                }
                if found.len() + waiting.len() > MAX_NAMES {
                    return Err(
                        Error::new(Kind::Storage, "a folder holds too many files").at("path", &folder)
                    );
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

/// The bytes of an open file, at most `limit`.
fn whole(path: &ObjectPath, (mut file, length): (Take<File>, u64), limit: u64) -> Result<Bytes> {
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    let read = file.read_to_end(&mut bytes).map_err(|cause| failed("cannot read", path.as_str(), cause))?;
    if u64::try_from(read).is_ok_and(|read| read > limit) {
        return Err(crate::store::path::too_long(path, limit));
    }
    Ok(bytes.into())
}
