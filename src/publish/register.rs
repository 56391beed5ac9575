//! An object as a write-once register: whoever comes first decides, everybody learns what was decided.
//!
//! What lives here: the rule that an unclear answer is not a failure. What this file must not know: what the objects
//! are.

use bytes::Bytes;

use crate::error::{Error, Kind, Result};
use crate::spool::{Blob, Scratch};
use crate::store::{Created, Entry, ObjectPath, Store};

/// How often an unclear answer is asked again. Stores wait and retry themselves; this is about lost replies.
const ATTEMPTS: u32 = 5;

/// Creates the object if it is absent, and returns what is there: these bytes, or somebody else's. In both cases the
/// object is durable.
///
/// After an error the create is simply repeated: if it had been carried out, the answer is now that something
/// exists, and reading it back tells whose it is.
pub(super) async fn decide(store: &dyn Store, path: &ObjectPath, bytes: Bytes, limit: u64) -> Result<Bytes> {
    decide_file(store, path, bytes.into(), (limit, &Scratch::default())).await?.bytes()
}

/// The same for bytes that may not fit into memory.
pub(super) async fn decide_file(
    store: &dyn Store,
    path: &ObjectPath,
    bytes: Blob,
    (limit, scratch): (u64, &Scratch),
) -> Result<Blob> {
    let mut unclear = None;
    for _ in 0..ATTEMPTS {
        match store.create_from(path, &bytes).await {
            Ok(Created::New) => return Ok(bytes),
            Ok(Created::Exists) => match store.fetch(path, limit, scratch).await {
                Ok(Some(standing)) => return Ok(standing),
                Ok(None) => unclear = Some(inconsistent(path)),
                Err(cause) => unclear = Some(retriable(cause)?),
            },
            Err(cause) => unclear = Some(retriable(cause)?),
        }
    }
    Err(unclear.unwrap_or_else(|| inconsistent(path)))
}

/// The object, or `None` if there is none.
pub(super) async fn read(store: &dyn Store, path: &ObjectPath, limit: u64) -> Result<Option<Bytes>> {
    let found = read_file(store, path, (limit, &Scratch::default())).await?;
    found.map(|found| found.bytes()).transpose()
}

/// The same for an object that may not fit into memory.
pub(super) async fn read_file(
    store: &dyn Store,
    path: &ObjectPath,
    (limit, scratch): (u64, &Scratch),
) -> Result<Option<Blob>> {
    let mut unclear = None;
    for _ in 0..ATTEMPTS {
        match store.fetch(path, limit, scratch).await {
            Ok(found) => return Ok(found),
            Err(cause) => unclear = Some(retriable(cause)?),
        }
    }
    Err(unclear.unwrap_or_else(|| inconsistent(path)))
}

/// An object that must be there: `None` only if several reads find nothing.
pub(super) async fn read_known(store: &dyn Store, path: &ObjectPath, limit: u64) -> Result<Option<Bytes>> {
    let found = read_known_file(store, path, (limit, &Scratch::default())).await?;
    found.map(|found| found.bytes()).transpose()
}

/// The same for an object that may not fit into memory.
pub(super) async fn read_known_file(
    store: &dyn Store,
    path: &ObjectPath,
    (limit, scratch): (u64, &Scratch),
) -> Result<Option<Blob>> {
    for _ in 0..ATTEMPTS {
        if let Some(found) = read_file(store, path, (limit, scratch)).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What is directly below a folder, or below the destination.
pub(super) async fn children(store: &dyn Store, folder: Option<&ObjectPath>) -> Result<Vec<Entry>> {
    let mut answer = store.children(folder).await;
    for _ in 1..ATTEMPTS {
        match answer {
            Err(cause) => {
                retriable(cause)?;
                answer = store.children(folder).await;
            }
            Ok(entries) => return Ok(entries),
        }
    }
    answer
}

/// Every object below a folder.
pub(super) async fn list(store: &dyn Store, folder: &ObjectPath) -> Result<Vec<ObjectPath>> {
    let mut answer = store.list(folder).await;
    for _ in 1..ATTEMPTS {
        match answer {
            Err(cause) => {
                retriable(cause)?;
                answer = store.list(folder).await;
            }
            Ok(paths) => return Ok(paths),
        }
    }
    answer
}

/// Only the store's own failures are unclear: a temporary file of ours that has no room has none the next time.
fn retriable(cause: Error) -> Result<Error> {
    if cause.kind() == Kind::Storage && !cause.is_on_our_side() { Ok(cause) } else { Err(cause) }
}

fn inconsistent(path: &ObjectPath) -> Error {
    Error::new(Kind::Storage, "the store says that an object exists and does not return it").at("path", path)
}

#[cfg(test)]
mod tests {
    use std::fs::{create_dir_all, write};
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::{BoxFuture, FutureExt};

    use super::*;
    use crate::store::LocalStore;

    /// Counts what is asked of a real store.
    #[derive(Debug)]
    struct Counted(LocalStore, AtomicU32);

    impl Store for Counted {
        fn create<'a>(&'a self, path: &'a ObjectPath, bytes: Bytes) -> BoxFuture<'a, Result<Created>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.create(path, bytes)
        }

        fn read<'a>(&'a self, path: &'a ObjectPath, limit: u64) -> BoxFuture<'a, Result<Option<Bytes>>> {
            self.0.read(path, limit)
        }

        fn fetch<'a>(
            &'a self,
            path: &'a ObjectPath,
            limit: u64,
            scratch: &'a Scratch,
        ) -> BoxFuture<'a, Result<Option<Blob>>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.fetch(path, limit, scratch)
        }

        fn children<'a>(&'a self, _: Option<&'a ObjectPath>) -> BoxFuture<'a, Result<Vec<Entry>>> {
            async { Ok(Vec::new()) }.boxed()
        }

        fn describe(&self) -> String {
            self.0.describe()
        }

        fn list<'a>(&'a self, _: &'a ObjectPath) -> BoxFuture<'a, Result<Vec<ObjectPath>>> {
            async { Ok(Vec::new()) }.boxed()
        }
    }

    #[tokio::test]
    async fn a_temporary_file_without_room_is_no_unclear_answer_and_a_foreign_file_is() {
        let place = tempfile::tempdir().unwrap();
        let dest = place.path().join("dest");
        let store = Counted(LocalStore::open(&dest, true).unwrap(), AtomicU32::new(0));
        let asked = || store.1.swap(0, Ordering::Relaxed);
        let path = ObjectPath::new("parquet/one").unwrap();
        create_dir_all(dest.join("parquet")).unwrap();
        write(dest.join("parquet/one"), vec![0; 100_000]).unwrap();

        let scratch = Scratch::new(place.path().to_owned(), 0, 1_000);
        let error = read_file(&store, &path, (u64::MAX, &scratch)).await.unwrap_err();
        assert_eq!((error.kind(), error.is_on_our_side(), asked()), (Kind::Storage, true, 1), "{error}");
        let missing = Scratch::new(place.path().join("missing"), 0, 1 << 20);
        let error = read_file(&store, &path, (u64::MAX, &missing)).await.unwrap_err();
        assert!(error.hint_text().unwrap().contains("--spill-dir"), "{error}");
        assert_eq!(asked(), 1);

        // The control: what the store itself says is asked again.
        std::os::unix::fs::symlink("/dev/null", dest.join("parquet/two")).unwrap();
        let path = ObjectPath::new("parquet/two").unwrap();
        let error = read_file(&store, &path, (u64::MAX, &scratch)).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.is_on_our_side(), asked()),
            (Kind::Storage, false, ATTEMPTS),
            "{error}"
        );
    }
}
