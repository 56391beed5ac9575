//! A store in memory: the reference that says what every other one must do, and the place where faults are played.
//!
//! What lives here: [`MemoryStore`] and its [`Fault`]s. Handles made by [`MemoryStore::handle`] see the same
//! objects, each with faults of its own, as several runs see one bucket. Every operation yields once before it acts,
//! so that whoever polls the futures decides the order of events.
//! What this file must not know: what the bytes mean.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Created, Entry, EntryKind, MAX_NAMES, ObjectPath, Store};
use crate::error::{Error, Kind, Result};

/// What goes wrong with one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It is not done, and an error is answered.
    Fail,
    /// It is done, and an error is answered.
    ReplyLost,
    /// An error is answered; a create is carried out later, by [`MemoryStore::land`]. Another operation just fails.
    Delayed,
    /// A read finds nothing although the object is there. Another operation is not affected.
    Stale,
}

/// Which operation a fault is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// How many operations this handle has begun before.
    pub index: u64,
    /// The method's name.
    pub name: &'static str,
    /// The path; empty for the destination itself.
    pub path: &'a str,
}

type Hook = Arc<dyn Fn(Operation<'_>) -> Fault + Send + Sync>;

#[derive(Default)]
struct World {
    objects: BTreeMap<ObjectPath, Bytes>,
    delayed: VecDeque<(ObjectPath, Bytes)>,
}

/// Objects in memory.
pub struct MemoryStore {
    world: Arc<Mutex<World>>,
    hook: Option<Hook>,
    operations: Mutex<u64>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("MemoryStore").field("objects", &self.world().objects.len()).finish_non_exhaustive()
    }
}

/// A lock is only ever held for one step that cannot panic half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    fn create(&mut self, path: ObjectPath, bytes: Bytes) -> Created {
        match self.objects.entry(path) {
            std::collections::btree_map::Entry::Occupied(_) => Created::Exists,
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(bytes);
                Created::New
            }
        }
    }
}

impl MemoryStore {
    /// An empty store without faults.
    pub fn new() -> Self {
        Self { world: Arc::default(), hook: None, operations: Mutex::new(0) }
    }

    /// Another handle to the same objects, without faults.
    pub fn handle(&self) -> Self {
        Self { world: Arc::clone(&self.world), hook: None, operations: Mutex::new(0) }
    }

    /// This handle with faults: the hook is asked once for each operation.
    #[must_use]
    pub fn with_faults(mut self, hook: impl Fn(Operation<'_>) -> Fault + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// Carries out the oldest delayed create; says whether there was one.
    pub fn land(&self) -> bool {
        let mut world = self.world();
        let Some((path, bytes)) = world.delayed.pop_front() else { return false };
        world.create(path, bytes);
        true
    }

    /// Every object, as a reader with the rights to see all of them finds them at this instant.
    pub fn objects(&self) -> BTreeMap<ObjectPath, Bytes> {
        self.world().objects.clone()
    }

    /// Removes an object behind the back of everybody, as only a vandal does.
    pub fn vandalise(&self, path: &ObjectPath, replacement: Option<Bytes>) {
        let mut world = self.world();
        match replacement {
            Some(bytes) => world.objects.insert(path.clone(), bytes),
            None => world.objects.remove(path),
        };
    }

    fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    async fn begin(&self, name: &'static str, path: &str) -> Fault {
        let mut yielded = false;
        poll_fn(move |context| {
            if yielded {
                return Poll::Ready(());
            }
            yielded = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        let index = {
            let mut operations = lock(&self.operations);
            *operations += 1;
            *operations - 1
        };
        self.hook.as_ref().map_or(Fault::None, |hook| hook(Operation { index, name, path }))
    }

    async fn look<T>(
        &self,
        name: &'static str,
        path: &str,
        look: impl FnOnce(&World) -> Result<T>,
    ) -> Result<T> {
        match self.begin(name, path).await {
            Fault::None | Fault::Stale => look(&self.world()),
            Fault::Fail | Fault::ReplyLost | Fault::Delayed => Err(lost(name, path)),
        }
    }
}

fn lost(name: &'static str, path: &str) -> Error {
    Error::new(Kind::Storage, "the store gave no answer").at("operation", name).at("path", path)
}

impl Store for MemoryStore {
    fn create<'a>(&'a self, path: &'a ObjectPath, bytes: Bytes) -> BoxFuture<'a, Result<Created>> {
        async move {
            let fault = self.begin("create", path.as_str()).await;
            let mut world = self.world();
            match fault {
                Fault::None | Fault::Stale => Ok(world.create(path.clone(), bytes)),
                Fault::Fail => Err(lost("create", path.as_str())),
                Fault::ReplyLost => {
                    world.create(path.clone(), bytes);
                    Err(lost("create", path.as_str()))
                }
                Fault::Delayed => {
                    world.delayed.push_back((path.clone(), bytes));
                    Err(lost("create", path.as_str()))
                }
            }
        }
        .boxed()
    }

    fn read<'a>(&'a self, path: &'a ObjectPath, limit: u64) -> BoxFuture<'a, Result<Option<Bytes>>> {
        async move {
            match self.begin("read", path.as_str()).await {
                Fault::Fail | Fault::ReplyLost | Fault::Delayed => Err(lost("read", path.as_str())),
                Fault::Stale => Ok(None),
                Fault::None => {
                    let found = self.world().objects.get(path).cloned();
                    if found
                        .as_ref()
                        .is_some_and(|bytes| u64::try_from(bytes.len()).is_ok_and(|length| length > limit))
                    {
                        return Err(super::path::too_long(path, limit));
                    }
                    Ok(found)
                }
            }
        }
        .boxed()
    }

    fn children<'a>(&'a self, folder: Option<&'a ObjectPath>) -> BoxFuture<'a, Result<Vec<Entry>>> {
        let prefix = folder.map_or(String::new(), |folder| format!("{folder}/"));
        async move {
            self.look("children", folder.map_or("", ObjectPath::as_str), |world| {
                let mut entries: Vec<Entry> = world
                    .objects
                    .keys()
                    .filter_map(|path| path.as_str().strip_prefix(&prefix))
                    .map(|below| match below.split_once('/') {
                        Some((name, _)) => Entry { name: name.to_owned(), kind: EntryKind::Folder },
                        None => Entry { name: below.to_owned(), kind: EntryKind::File },
                    })
                    .collect();
                entries.sort();
                entries.dedup();
                Ok(entries)
            })
            .await
        }
        .boxed()
    }

    fn list<'a>(&'a self, folder: &'a ObjectPath) -> BoxFuture<'a, Result<Vec<ObjectPath>>> {
        let prefix = format!("{folder}/");
        async move {
            self.look("list", folder.as_str(), |world| {
                let below = |path: &&ObjectPath| path.as_str().starts_with(&prefix);
                Ok(world.objects.keys().filter(below).take(MAX_NAMES).cloned().collect())
            })
            .await
        }
        .boxed()
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}
