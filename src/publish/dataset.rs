//! A destination as a dataset: opened, described, committed to.
//!
//! What lives here: [`Dataset`], its log in memory and the order of a commit. What this file must not know: slots'
//! content, a kind of store.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::descriptor::Spec;
use super::digest::sha256;
use super::drift;
use super::log::{self, Coverage, Log};
use super::sign::Signing;
use super::{record, register};
use crate::error::{Error, Kind, Result};
use crate::model::{Commit, FileRecord, Format, Head, Slot, UndatedRecord, Window, WindowRecord};
use crate::store::{ObjectPath, Store};

pub(super) const FOLDER: &str = "_audit";
pub(super) const DESCRIPTOR: &str = "_audit/dataset.json";

/// A control file's limit, for the store.
pub(super) const MAX_CONTROL: u64 = 4 << 20;

/// Commits read at once while a dataset is opened.
pub(super) const READ_AHEAD: usize = 8;

/// A run's records are cut into commits of about this many bytes.
const COMMIT_BYTES: usize = 1 << 20;

/// Bytes of a record without files, and of a file, at most: a little more than the longest text of each.
const RECORD_BYTES: usize = 768;

/// Bytes of what a record says of kept replies and of its source, at most.
const ORIGIN_BYTES: usize = 512;

/// How often a commit gives way to others before it gives up; each time somebody else has committed.
pub(super) const MAX_RACES: u32 = 10_000;

/// The version that commits name as their tool.
pub(super) const TOOL: &str = env!("CARGO_PKG_VERSION");

/// A dataset: data files in write-once slots and the log that says what is proven.
///
/// Methods may be called from several tasks at once; each is safe to drop at any point and to repeat.
pub struct Dataset {
    store: Arc<dyn Store>,
    spec: Spec,
    signing: Signing,
    state: Mutex<State>,
    /// Whether this process knows the description of CSV files to be durable.
    pub(super) described: AtomicBool,
}

struct State {
    /// The descriptor's text: the stored one if there is one, else what will be stored.
    descriptor: Bytes,
    /// Whether this process knows the descriptor to be durable.
    durable: bool,
    /// Whether commits say that the store overwrites and this is its one writer.
    single_writer: bool,
    log: Log,
    /// Commits that this process has made and not signed yet.
    to_sign: BTreeSet<u64>,
    /// Slots without a record, by the folder below which they were found.
    listed: HashMap<String, Arc<Vec<Slot>>>,
}

/// Records that are not in the log yet.
struct Waiting {
    windows: Vec<WindowRecord>,
    undated: Option<UndatedRecord>,
}

impl fmt::Debug for Dataset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Dataset")
            .field("store", &self.store)
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

impl Dataset {
    /// A dataset of what was read.
    pub(super) fn assemble(store: Arc<dyn Store>, spec: Spec, descriptor: Bytes, log: Log) -> Self {
        let state = State {
            descriptor,
            durable: false,
            single_writer: false,
            log,
            to_sign: BTreeSet::new(),
            listed: HashMap::new(),
        };
        let described = AtomicBool::new(false);
        Self { store, spec, signing: Signing::Never, state: Mutex::new(state), described }
    }

    /// Marks what is in the log now as what the run begins with.
    pub(super) fn begun(&self) {
        self.state(|state| state.log.begin());
    }

    /// From now on every commit says that the store does not keep writers apart, and that this is the only one.
    pub fn record_single_writer(&self) {
        self.state(|state| state.single_writer = true);
    }

    /// What this run wants the dataset to be.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The newest commit; `None` before the first.
    pub fn head(&self) -> Option<Head> {
        self.state(|state| state.log.head())
    }

    /// The windows that are committed in this format, with their certificates and files.
    pub fn coverage(&self, format: Format) -> Coverage {
        self.state(|state| state.log.coverage(format))
    }

    /// Every window's record of every commit, in the order of the log.
    pub fn records(&self) -> Vec<WindowRecord> {
        self.state(|state| state.log.records().cloned().collect())
    }

    /// Whether the log would take this record in.
    pub(super) fn adds(&self, record: WindowRecord) -> Result<bool> {
        Ok(self.state(|state| state.log.rebase(record))?.is_some())
    }

    /// Appends what these records add to the log, as one commit or, when they are many, several; returns the newest
    /// commit then. Records that add nothing (no file that the log lacks, a window that is known) are left out, so
    /// that a rerun with nothing new writes nothing; the answer is `None` only if the log is still empty.
    ///
    /// Each commit is signed when it is durable, if somebody signs: see [`Dataset::signed_by`]. A log that names a key
    /// takes no others.
    ///
    /// The files of the records must be durable: they come from [`Dataset::publish`]. Windows ascend, and each is
    /// named once. `recorded_at` is the writer's clock, seconds since 1970.
    ///
    /// # Errors
    /// [`Kind::Bug`] when a record does not agree with itself; [`Kind::Usage`] when another run has brought in a key
    /// meanwhile; [`Kind::Verification`]; [`Kind::Storage`], after which
    /// the commit may or may not have been made: repeating is right in both cases.
    pub async fn commit(&self, records: Vec<WindowRecord>, recorded_at: i64) -> Result<Option<Head>> {
        for record in &records {
            let refused = |why| Error::bug("a window's record cannot be committed").at("why", why);
            record::check_window(record).map_err(|why| refused(why).at("window", record.window))?;
            if self.spec.grid.window(record.window.from) != record.window {
                return Err(refused("not a window of the grid").at("window", record.window));
            }
            let window = Some(record.window);
            if !log::in_their_slots(window, &record.files, &self.spec.layout, self.spec.grid) {
                return Err(refused("a file is not where its slot is").at("window", record.window));
            }
        }
        self.commit_waiting(Waiting { windows: records, undated: None }, recorded_at).await
    }

    /// The same for what [`Dataset::publish_undated`] gave.
    ///
    /// # Errors
    /// As [`Dataset::commit`].
    pub async fn commit_undated(&self, record: UndatedRecord, recorded_at: i64) -> Result<Option<Head>> {
        let refused =
            |why| Error::bug("a record of events without a time cannot be committed").at("why", why);
        record::check_undated(&record).map_err(refused)?;
        if !log::in_their_slots(None, &record.files, &self.spec.layout, self.spec.grid) {
            return Err(refused("a file is not where its slot is"));
        }
        self.commit_waiting(Waiting { windows: Vec::new(), undated: Some(record) }, recorded_at).await
    }

    /// What the log says of events without a time, in the order of the commits.
    pub fn undated(&self) -> Vec<UndatedRecord> {
        self.state(|state| state.log.undated().cloned().collect())
    }

    async fn commit_waiting(&self, mut waiting: Waiting, recorded_at: i64) -> Result<Option<Head>> {
        for _ in 0..MAX_RACES {
            let Some((number, bytes, taken)) = self.next_commit(&mut waiting, recorded_at)? else {
                self.sign_own().await?;
                return Ok(self.head());
            };
            let chains_elsewhere = self.create_descriptor().await?;
            if chains_elsewhere || self.record_key(recorded_at).await? {
                continue;
            }
            if self.put(number, bytes).await? {
                waiting.windows.drain(..taken);
                waiting.undated = None;
                self.sign_own().await?;
            }
        }
        Err(races())
    }

    /// Makes a commit durable and takes in what stands at its place; says whether these bytes do.
    pub(super) async fn put(&self, number: u64, bytes: Bytes) -> Result<bool> {
        let standing =
            register::decide(self.store(), &log::path(number)?, bytes.clone(), MAX_CONTROL).await?;
        self.append(number, &standing)?;
        let own = standing == bytes;
        if own {
            self.state(|state| state.to_sign.insert(number));
        } else {
            self.read_forward().await?;
        }
        Ok(own)
    }

    /// The text of the commit that comes next, for as many of the records as fit, or `None` if they add nothing.
    fn next_commit(&self, waiting: &mut Waiting, recorded_at: i64) -> Result<Option<(u64, Bytes, usize)>> {
        self.state(|state| {
            let mut left = Vec::with_capacity(waiting.windows.len());
            for record in waiting.windows.drain(..) {
                left.extend(state.log.rebase(record)?);
            }
            waiting.windows = left;
            if let Some(record) = waiting.undated.take() {
                waiting.undated = state.log.rebase_undated(record)?;
            }
            if waiting.windows.is_empty() && waiting.undated.is_none() {
                return Ok(None);
            }
            let mut size = 0;
            let mut windows: Vec<WindowRecord> = Vec::new();
            for record in &waiting.windows {
                size += RECORD_BYTES * (record.files.len() + record.quarantine.len() + 1)
                    + drift::FINDING_BYTES * drift::listed(&record.drift)
                    + if record.raw.is_some() || record.source.is_some() { ORIGIN_BYTES } else { 0 };
                if size > COMMIT_BYTES && !windows.is_empty() {
                    break;
                }
                windows.push(record.clone());
            }
            let taken = windows.len();
            let number = state.log.next();
            let bytes = record::write(&Commit {
                number,
                previous: state.log.tip().to_owned(),
                schema: self.spec.schema.clone(),
                single_writer: state.single_writer,
                tool: TOOL.to_owned(),
                key: None,
                windows,
                undated: waiting.undated.clone(),
                recorded_at,
            })?;
            Ok(Some((number, bytes.into(), taken)))
        })
    }

    /// Whether this run's commits say that the store overwrites.
    pub(super) fn single_writer(&self) -> bool {
        self.state(|state| state.single_writer)
    }

    pub(super) fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    pub(super) fn signing(&self) -> &Signing {
        &self.signing
    }

    pub(super) fn set_signing(&mut self, signing: Signing) {
        self.signing = signing;
    }

    pub(super) fn log<T>(&self, with: impl FnOnce(&Log) -> T) -> T {
        self.state(|state| with(&state.log))
    }

    pub(super) fn to_sign(&self) -> BTreeSet<u64> {
        self.state(|state| state.to_sign.clone())
    }

    pub(super) fn has_signed(&self, number: u64) {
        self.state(|state| state.to_sign.remove(&number));
    }

    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The log's record of the file at this path.
    pub(super) fn recorded(&self, path: &str) -> Option<FileRecord> {
        self.state(|state| state.log.file(path).cloned())
    }

    /// The slots of this window, or of rows without a time, that the log names.
    pub(super) fn recorded_slots(&self, window: Option<Window>, format: Format) -> Vec<Slot> {
        self.state(|state| state.log.slots(window, format))
    }

    /// What was found below a folder earlier in this run, see [`Dataset::remember`].
    pub(super) fn listed(&self, folder: &str) -> Option<Arc<Vec<Slot>>> {
        self.state(|state| state.listed.get(folder).cloned())
    }

    /// Keeps what was found below a folder for the rest of the run.
    pub(super) fn remember(&self, folder: &str, slots: Vec<Slot>) -> Arc<Vec<Slot>> {
        let slots = Arc::new(slots);
        self.state(|state| state.listed.insert(folder.to_owned(), Arc::clone(&slots)));
        slots
    }

    /// Makes the dataset's descriptor durable, before anything else is written. Says whether another run has created
    /// the dataset first, with another text that this run fits too.
    pub(super) async fn create_descriptor(&self) -> Result<bool> {
        let (descriptor, durable) = self.state(|state| (state.descriptor.clone(), state.durable));
        if durable {
            return Ok(false);
        }
        let path = ObjectPath::new(DESCRIPTOR)?;
        let standing = register::decide(self.store(), &path, descriptor.clone(), MAX_CONTROL).await?;
        let changed = standing != descriptor;
        if changed {
            self.spec.fits(&Spec::parse(&standing)?)?;
        }
        self.state(|state| {
            if changed && state.log.next() > 0 {
                return Err(Error::new(Kind::Verification, "dataset.json changed under its log"));
            }
            if changed {
                state.log = Log::new(self.spec.grid, self.spec.layout.clone(), sha256(&standing));
                state.descriptor = standing;
            }
            state.durable = true;
            Ok(changed)
        })
    }

    /// Takes a commit in, unless another task of this process has done so.
    fn append(&self, number: u64, bytes: &[u8]) -> Result<()> {
        self.state(|state| if state.log.next() == number { state.log.append(bytes) } else { Ok(()) })
    }

    /// Reads the commits that others have made since.
    pub(super) async fn read_forward(&self) -> Result<()> {
        loop {
            let number = self.state(|state| state.log.next());
            let Some(bytes) = register::read(self.store(), &log::path(number)?, MAX_CONTROL).await? else {
                return Ok(());
            };
            self.append(number, &bytes)?;
        }
    }
}

pub(super) fn races() -> Error {
    Error::new(Kind::Storage, "other runs commit without end").hint("run again when they have ended")
}
