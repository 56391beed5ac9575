//! Paths below a destination.
//!
//! What lives here: [`ObjectPath`], which cannot leave the destination. What this file must not know: any store.

use std::fmt;

use crate::error::{Error, Kind, Result};

const MAX_PATH: usize = 1_024;
const MAX_SEGMENT: usize = 255;

/// A relative path: segments joined by `/`.
///
/// Segments are printable ASCII without `\`, not empty, not `.` or `..`, at most 255 bytes; the path is at most
/// 1,024 bytes. Every store can hold such a name unchanged, and no such name leads out of the destination.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectPath(String);

impl ObjectPath {
    /// The path of this text.
    ///
    /// # Errors
    /// [`crate::error::Kind::Bug`] when the text is not such a path: paths are ours, never a user's.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let segment = |segment: &str| {
            !segment.is_empty() && segment.len() <= MAX_SEGMENT && segment != "." && segment != ".."
        };
        let letter = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'\\';
        if text.len() <= MAX_PATH && text.bytes().all(letter) && text.split('/').all(segment) {
            return Ok(Self(text));
        }
        Err(Error::bug("not a path below the destination").at("path", text.escape_debug()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments, outermost first; at least one.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The folder's path, if it has one, and the last segment.
    pub fn split(&self) -> (Option<&str>, &str) {
        self.0.rsplit_once('/').map_or((None, self.0.as_str()), |(folder, name)| (Some(folder), name))
    }

    /// A path below this one.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn join(&self, below: &str) -> Result<Self> {
        Self::new(format!("{}/{below}", self.0))
    }
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The error of a read that finds more than it may.
pub(super) fn too_long(path: &ObjectPath, limit: u64) -> Error {
    Error::new(Kind::Storage, "an object is longer than it may be").at("path", path).at("limit", limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_destination() {
        for good in
            ["a", "_audit/commits/0000000000000042.json", "parquet/event_date=2026-03-01/type=a%2Fb/x"]
        {
            assert_eq!(ObjectPath::new(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(256);
        let deep = ["abcdefgh"; 200].join("/");
        for bad in [
            "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a\0b", "a\nb", "a\\b", "ä",
            &long, &deep,
        ] {
            assert!(ObjectPath::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_path_splits_into_folder_and_name() {
        assert_eq!(ObjectPath::new("a/b/c").unwrap().split(), (Some("a/b"), "c"));
        assert_eq!(ObjectPath::new("c").unwrap().split(), (None, "c"));
    }
}
