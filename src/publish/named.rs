//! The data files that the log names, as it stood at some commit.
//!
//! What lives here: [`NamedFiles`]. The chain is checked first: a list from a broken log would claim what nobody proved.
//! What this file must not know: whether the files are there.

use super::open::read_stored;
use super::record;
use crate::error::{Error, Result};
use crate::model::{FileRecord, Head, Window};
use crate::store::Store;

/// One data file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// What the log says of it.
    pub file: FileRecord,
    /// The window whose rows it holds; `None` for rows without a time.
    pub window: Option<Window>,
    /// The commit that names it.
    pub commit: u64,
}

/// The files of a log, in the order of their commits and then as each commit has them.
#[derive(Clone, Debug)]
pub struct NamedFiles {
    /// The newest commit; `None` for a log without any.
    pub head: Option<Head>,
    /// The files of all commits.
    pub files: Vec<NamedFile>,
}

impl NamedFiles {
    /// Reads the log of the dataset at a destination.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] when there is no dataset; [`crate::error::Kind::Verification`] when its log is
    /// broken; [`crate::error::Kind::Storage`].
    pub async fn read(store: &dyn Store) -> Result<Self> {
        let mut files = Vec::new();
        let stored = read_stored(store, |bytes| {
            let commit = record::read(bytes)?;
            for record in commit.windows {
                let named = |file| NamedFile { file, window: Some(record.window), commit: commit.number };
                files.extend(record.files.into_iter().map(named));
            }
            let undated = commit.undated.into_iter().flat_map(|record| record.files);
            files.extend(undated.map(|file| NamedFile { file, window: None, commit: commit.number }));
            Ok(())
        })
        .await?;
        Ok(Self { head: stored.log.head(), files })
    }

    /// The files that commits up to `as_of` name, and those after `since` alone.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for a commit that the log does not have.
    pub fn between(&self, since: Option<u64>, as_of: Option<u64>) -> Result<Vec<&NamedFile>> {
        let newest = self.head.as_ref().map(|head| head.number);
        for asked in [since, as_of].into_iter().flatten() {
            if newest.is_none_or(|newest| asked > newest) {
                let newest = newest.map_or_else(|| "none".to_owned(), |newest| newest.to_string());
                return Err(Error::usage("the log has no such commit")
                    .at("commit", asked)
                    .at("newest", newest));
            }
        }
        let wanted = |file: &&NamedFile| {
            since.is_none_or(|since| file.commit > since) && as_of.is_none_or(|as_of| file.commit <= as_of)
        };
        Ok(self.files.iter().filter(wanted).collect())
    }
}
