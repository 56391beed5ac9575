//! Reading what a dataset's log names, held against what the log says of it.
//!
//! What lives here: whole files by their record. What this file must not know: what is in them.

use bytes::Bytes;

use super::dataset::Dataset;
use super::digest::sha256;
use super::register;
use super::slots::compute;
use crate::error::{Error, Kind, Result};
use crate::model::FileRecord;
use crate::store::ObjectPath;

/// A data file of more bytes is refused.
const MAX_FILE: u64 = 64 << 30;

impl Dataset {
    /// The bytes of a data file that the log names, with length and digest checked.
    ///
    /// # Errors
    /// [`Kind::Verification`] when it is missing or altered; [`Kind::Storage`].
    pub async fn read_file(&self, file: &FileRecord) -> Result<Bytes> {
        let path = ObjectPath::new(file.path.as_str())?;
        self.read_whole(&path, MAX_FILE, file.bytes, &file.sha256).await
    }

    /// The object at a path, if it is the one with this length and digest.
    pub(super) async fn read_whole(
        &self,
        path: &ObjectPath,
        limit: u64,
        length: u64,
        digest: &str,
    ) -> Result<Bytes> {
        let wrong = |what: &'static str| {
            Error::new(Kind::Verification, what)
                .at("path", path)
                .hint("the dataset was changed after it was written; restore the file from a copy")
        };
        let Some(bytes) = register::read_known(self.store(), path, limit).await? else {
            return Err(wrong("a file that the log names is missing"));
        };
        let own = bytes.clone();
        let found = compute(length, move || Ok(sha256(&own))).await?;
        if u64::try_from(bytes.len()).ok() != Some(length) || found != digest {
            return Err(wrong("a file is not the one that the log names"));
        }
        Ok(bytes)
    }
}
