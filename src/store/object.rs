//! A prefix in an object store as a store.
//!
//! What lives here: [`BucketStore`], the [`Store`] contract in terms of conditional PUT, GET and listing. One object is
//! one PUT with "only if absent" and never a multipart upload, which cannot be conditional; each PUT is read back and
//! compared before it counts, which costs one GET of the same bytes.
//! What this module must not know: what the bytes mean.

mod failure;
mod location;
mod settings;
mod wire;

pub use location::{Location, Provider};
pub use settings::{StorageLimits, StorageOptions};

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, PutMode, PutPayload};

use self::failure::{Meaning, explain, meaning};
use self::settings::{Patience, check, connect};
use self::wire::{Seen, watched};
use super::{Created, Entry, EntryKind, MAX_NAMES, ObjectPath, Store};
use crate::error::{Error, Kind, Result};

/// How often a create is repeated because another request for the same object was in the way.
const CONFLICTS: u32 = 10;

/// Objects below one prefix of a bucket or container.
///
/// Reads and listings are strong on S3, Google Cloud Storage and Azure; where a server is slower to show what it
/// holds, a create that was answered with "exists" and a read that finds nothing only cost repetitions.
pub struct BucketStore {
    location: Location,
    options: StorageOptions,
    limits: StorageLimits,
    client: Mutex<Arc<dyn ObjectStore>>,
}

impl fmt::Debug for BucketStore {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("BucketStore").field("location", &self.location).finish_non_exhaustive()
    }
}

/// An operation of the library and what its last exchange was.
struct Failed {
    seen: Seen,
    meaning: Meaning,
}

impl BucketStore {
    /// The store at a location. Fetches credentials and lists the prefix once, with few repetitions, so that a wrong
    /// setting is found before anything is done. Writes nothing.
    ///
    /// # Errors
    /// [`Kind::Usage`] when a setting is wrong or there are no credentials; [`Kind::Storage`].
    pub async fn open(location: Location, options: StorageOptions, limits: StorageLimits) -> Result<Self> {
        check(&options, location.provider)?;
        let first = connection(&location, &options, &limits, Patience::First).await?;
        let mut store = Self { location, options, limits, client: Mutex::new(first) };
        store.first_look().await?;
        let run = connection(&store.location, &store.options, &store.limits, Patience::Run).await?;
        store.client = Mutex::new(run);
        Ok(store)
    }

    async fn first_look(&self) -> Result<()> {
        let prefix = self.prefix(None)?;
        let look = |client: Arc<dyn ObjectStore>| -> BoxFuture<'_, _> {
            let prefix = prefix.clone();
            async move { client.list_with_delimiter(prefix.as_ref()).await.map(drop) }.boxed()
        };
        let Err(failed) = self.attempt(&look).await else { return Ok(()) };
        let error = self.error("cannot list the destination", None, &failed);
        Err(match failed.meaning {
            Meaning::Setting | Meaning::Expired => usage(&error, None),
            _ => error,
        })
    }

    /// Runs an operation; when credentials have expired, once more with fresh ones.
    async fn attempt<'a, T, F>(&'a self, operation: &F) -> Result<T, Failed>
    where
        F: Fn(Arc<dyn ObjectStore>) -> BoxFuture<'a, object_store::Result<T>> + Sync,
    {
        match self.once(operation).await {
            Err(Failed { meaning: Meaning::Expired, .. }) => {}
            outcome => return outcome,
        }
        let (fresh, seen) =
            watched(connect(&self.location, &self.options, &self.limits, Patience::Run)).await;
        match fresh {
            Ok(client) => *self.client.lock().unwrap_or_else(PoisonError::into_inner) = client,
            Err(_) => return Err(Failed { meaning: Meaning::Expired, seen }),
        }
        self.once(operation).await
    }

    async fn once<'a, T, F>(&'a self, operation: &F) -> Result<T, Failed>
    where
        F: Fn(Arc<dyn ObjectStore>) -> BoxFuture<'a, object_store::Result<T>> + Sync,
    {
        let client = Arc::clone(&self.client.lock().unwrap_or_else(PoisonError::into_inner));
        let (outcome, seen) = watched(operation(client)).await;
        outcome.map_err(|_| Failed { meaning: meaning(&seen), seen })
    }

    fn error(&self, what: &'static str, path: Option<&str>, failed: &Failed) -> Error {
        explain(what, &self.location, path, &failed.seen, &self.options)
    }

    fn key(&self, path: &ObjectPath) -> Result<Path> {
        // Parsed and not converted: conversion would escape what stands in the name already.
        Path::parse(self.location.key(Some(path)))
            .map_err(|_| Error::bug("not a path of an object store").at("path", path))
    }

    /// The prefix of a folder; none for the whole bucket.
    fn prefix(&self, folder: Option<&ObjectPath>) -> Result<Option<Path>> {
        let key = self.location.key(folder);
        if key.is_empty() {
            return Ok(None);
        }
        Path::parse(key).map(Some).map_err(|_| Error::bug("not a prefix of an object store"))
    }

    async fn put(&self, path: &ObjectPath, bytes: &Bytes) -> Result<Created> {
        let key = self.key(path)?;
        let put = |client: Arc<dyn ObjectStore>| -> BoxFuture<'_, _> {
            let (key, payload) = (key.clone(), PutPayload::from(bytes.clone()));
            async move { client.put_opts(&key, payload, PutMode::Create.into()).await.map(drop) }.boxed()
        };
        let mut wait = self.limits.backoff_base;
        for _ in 0..CONFLICTS {
            match self.attempt(&put).await {
                Ok(()) => {
                    self.confirm(path, bytes).await?;
                    return Ok(Created::New);
                }
                Err(Failed { meaning: Meaning::Exists, .. }) => return Ok(Created::Exists),
                Err(Failed { meaning: Meaning::Conflict, .. }) => {
                    // Whoever was in the way may have won, or may have failed as well.
                    if self.get(path, 0, &mut |_| true).await?.is_some() {
                        return Ok(Created::Exists);
                    }
                    tokio::time::sleep(wait).await;
                    wait = longer(wait, self.limits.backoff_cap);
                }
                Err(failed) => return Err(self.error("cannot write", Some(path.as_str()), &failed)),
            }
        }
        Err(Error::new(Kind::Storage, "other requests for the same object are in the way without end")
            .at("destination", &self.location)
            .at("path", path)
            .hint("run again when other runs have ended"))
    }

    /// A clear success counts when the same bytes come back.
    async fn confirm(&self, path: &ObjectPath, bytes: &Bytes) -> Result<()> {
        let mut rest = bytes.clone();
        let mut same = |chunk: &Bytes| {
            let matches = rest.get(..chunk.len()) == Some(chunk);
            if matches {
                rest = rest.slice(chunk.len()..);
            }
            matches
        };
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let found = self.get(path, length, &mut same).await;
        let wrong = |why| {
            Error::new(Kind::Storage, "the store does not give back what it was sent")
                .at("destination", &self.location)
                .at("path", path)
                .at("why", why)
        };
        match found? {
            None => Err(wrong("nothing is there")),
            Some(Got::Whole) if rest.is_empty() => Ok(()),
            Some(Got::Whole | Got::TooLong | Got::Stopped) => Err(wrong("other bytes are there")),
        }
    }

    /// Reads an object in pieces, as long as each is taken; `None` if there is none.
    async fn get(
        &self,
        path: &ObjectPath,
        limit: u64,
        take: &mut (dyn FnMut(&Bytes) -> bool + Send),
    ) -> Result<Option<Got>> {
        let key = self.key(path)?;
        let begin = |client: Arc<dyn ObjectStore>| -> BoxFuture<'_, _> {
            let key = key.clone();
            async move { client.get_opts(&key, GetOptions::default()).await }.boxed()
        };
        let failed = |failed: &Failed| self.error("cannot read", Some(path.as_str()), failed);
        let found = match self.attempt(&begin).await {
            Ok(found) => found,
            Err(Failed { meaning: Meaning::Absent, .. }) => return Ok(None),
            Err(cause) => return Err(failed(&cause)),
        };
        let size = found.meta.size;
        if size > limit {
            return Ok(Some(Got::TooLong));
        }
        let (mut read, mut chunks) = (0_u64, found.into_stream());
        loop {
            let (chunk, seen) = watched(chunks.next()).await;
            let cut = |seen| failed(&Failed { meaning: Meaning::Other, seen });
            match chunk {
                None if read == size => return Ok(Some(Got::Whole)),
                None => return Err(cut(Seen::Nothing)),
                Some(Err(_)) => return Err(cut(seen)),
                Some(Ok(chunk)) => {
                    read = read.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
                    if read > size {
                        return Err(cut(Seen::Nothing));
                    }
                    if !take(&chunk) {
                        return Ok(Some(Got::Stopped));
                    }
                }
            }
        }
    }

    /// A listed key below a folder's key; `None` for the folder's own marker.
    fn below<'a>(folder: &str, key: &'a Path) -> Option<&'a str> {
        let key = key.as_ref();
        let below = if folder.is_empty() { key } else { key.strip_prefix(folder)?.strip_prefix('/')? };
        (!below.is_empty()).then_some(below)
    }
}

/// How reading an object ended.
enum Got {
    Whole,
    TooLong,
    Stopped,
}

fn longer(wait: Duration, cap: Duration) -> Duration {
    wait.saturating_mul(2).min(cap)
}

/// A client, or what stands in the way of one: before a run, always a setting or missing credentials.
async fn connection(
    location: &Location,
    options: &StorageOptions,
    limits: &StorageLimits,
    patience: Patience,
) -> Result<Arc<dyn ObjectStore>> {
    let (outcome, seen) = watched(connect(location, options, limits, patience)).await;
    outcome.map_err(|cause| {
        if seen != Seen::Nothing {
            let error = explain("no storage credentials could be had", location, None, &seen, options);
            return usage(&error, Some(credentials_hint(location.provider)));
        }
        let error = Error::usage("the storage settings are not understood").at("destination", location);
        let text = cause.to_string();
        let shown = text.len() < 300 && !options.gives_away(&text) && !text.contains("://");
        let error = if shown { error.at("why", text.escape_debug()) } else { error };
        error.hint(credentials_hint(location.provider))
    })
}

fn credentials_hint(provider: Provider) -> &'static str {
    match provider {
        Provider::S3 => {
            "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, or run where a role is given"
        }
        Provider::Google => "set GOOGLE_APPLICATION_CREDENTIALS, or run where a service account is given",
        Provider::Azure => {
            "set AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN"
        }
    }
}

/// The same failure, found before anything was written, as the user's matter; with a better hint, if there is one.
fn usage(error: &Error, hint: Option<&str>) -> Error {
    let mut changed = Error::usage(error.message());
    for (name, value) in error.context() {
        changed = changed.at(name, value);
    }
    match hint.or(error.hint_text()) {
        Some(hint) => changed.hint(hint),
        None => changed,
    }
}

impl Store for BucketStore {
    fn create<'a>(&'a self, path: &'a ObjectPath, bytes: Bytes) -> BoxFuture<'a, Result<Created>> {
        async move { self.put(path, &bytes).await }.boxed()
    }

    fn read<'a>(&'a self, path: &'a ObjectPath, limit: u64) -> BoxFuture<'a, Result<Option<Bytes>>> {
        async move {
            let mut bytes = BytesMut::new();
            let mut take = |chunk: &Bytes| {
                bytes.extend_from_slice(chunk);
                true
            };
            match self.get(path, limit, &mut take).await? {
                None => Ok(None),
                Some(Got::Whole | Got::Stopped) => Ok(Some(bytes.freeze())),
                Some(Got::TooLong) => Err(super::path::too_long(path, limit)),
            }
        }
        .boxed()
    }

    fn children<'a>(&'a self, folder: Option<&'a ObjectPath>) -> BoxFuture<'a, Result<Vec<Entry>>> {
        async move {
            let prefix = self.prefix(folder)?;
            let list = |client: Arc<dyn ObjectStore>| -> BoxFuture<'_, _> {
                let prefix = prefix.clone();
                async move { client.list_with_delimiter(prefix.as_ref()).await }.boxed()
            };
            let shown = folder.map(ObjectPath::as_str);
            let found =
                self.attempt(&list).await.map_err(|failed| self.error("cannot list", shown, &failed))?;
            if found.objects.len() + found.common_prefixes.len() > MAX_NAMES {
                return Err(too_many(shown));
            }
            let key = self.location.key(folder);
            let entry =
                |path, kind| Self::below(&key, path).map(|name| Entry { name: name.to_owned(), kind });
            let folders = found.common_prefixes.iter().filter_map(|path| entry(path, EntryKind::Folder));
            let files = found.objects.iter().filter_map(|object| entry(&object.location, EntryKind::File));
            let mut entries: Vec<_> = folders.chain(files).collect();
            entries.sort();
            Ok(entries)
        }
        .boxed()
    }

    fn list<'a>(&'a self, folder: &'a ObjectPath) -> BoxFuture<'a, Result<Vec<ObjectPath>>> {
        async move {
            let prefix = self.prefix(Some(folder))?;
            let list = |client: Arc<dyn ObjectStore>| -> BoxFuture<'_, _> {
                let prefix = prefix.clone();
                async move {
                    let all = client.list(prefix.as_ref()).take(MAX_NAMES + 1);
                    all.map_ok(|object| object.location).try_collect::<Vec<_>>().await
                }
                .boxed()
            };
            let found = self
                .attempt(&list)
                .await
                .map_err(|failed| self.error("cannot list", Some(folder.as_str()), &failed))?;
            if found.len() > MAX_NAMES {
                return Err(too_many(Some(folder.as_str())));
            }
            let key = self.location.key(Some(folder));
            let below = |path: &Path| -> Option<Result<ObjectPath>> {
                let name = Self::below(&key, path)?.to_owned();
                Some(folder.join(&name).map_err(|_| {
                    Error::new(Kind::Storage, "an object has a name that no dataset has")
                        .at("folder", folder)
                        .at("name", name.escape_debug())
                }))
            };
            let mut paths = found.iter().filter_map(below).collect::<Result<Vec<_>>>()?;
            paths.sort();
            Ok(paths)
        }
        .boxed()
    }

    fn describe(&self) -> String {
        self.location.to_string()
    }
}

fn too_many(folder: Option<&str>) -> Error {
    Error::new(Kind::Storage, "a folder holds too many files").at("path", folder.unwrap_or("."))
}
