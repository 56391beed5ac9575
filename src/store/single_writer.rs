//! A store that overwrites, used by one writer that looks first.
//!
//! What lives here: [`SingleWriter`]. It never overwrites what it can see, but two of them at once can: the promise
//! that there is one writer is the user's. What this file must not know: which store it is.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Created, Entry, ObjectPath, Store};
use crate::error::{Kind, Result};

/// Reads before each create, and reads back after it.
#[derive(Debug)]
pub struct SingleWriter(Arc<dyn Store>);

impl SingleWriter {
    /// The same objects.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        match self.0.read(path, u64::MAX).await {
            Ok(found) => Ok(found.is_some()),
            Err(cause) => Err(cause),
        }
    }
}

impl Store for SingleWriter {
    fn create<'a>(&'a self, path: &'a ObjectPath, bytes: Bytes) -> BoxFuture<'a, Result<Created>> {
        async move {
            if self.exists(path).await? {
                return Ok(Created::Exists);
            }
            let created = self.0.create(path, bytes.clone()).await?;
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let standing = self.0.read(path, length).await?;
            if created == Created::New && standing.as_ref() != Some(&bytes) {
                return Err(crate::error::Error::new(
                    Kind::Storage,
                    "another writer has overwritten an object",
                )
                .at("destination", self.0.describe())
                .at("path", path)
                .hint("with --single-writer nothing else may write to the destination"));
            }
            Ok(created)
        }
        .boxed()
    }

    fn read<'a>(&'a self, path: &'a ObjectPath, limit: u64) -> BoxFuture<'a, Result<Option<Bytes>>> {
        self.0.read(path, limit)
    }

    fn children<'a>(&'a self, folder: Option<&'a ObjectPath>) -> BoxFuture<'a, Result<Vec<Entry>>> {
        self.0.children(folder)
    }

    fn list<'a>(&'a self, folder: &'a ObjectPath) -> BoxFuture<'a, Result<Vec<ObjectPath>>> {
        self.0.list(folder)
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}
