//! From a path or URL to a store and to an opened dataset.
//!
//! What lives here: [`Place`], the one way from `--dest` to a store and to the right to write there, and
//! [`Destination`], for every command that writes. What this file must not know: what is written.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vonage_audit::encode::Settings as Files;
use vonage_audit::model::{Grid, Secrets};
use vonage_audit::plan::parse_duration;
use vonage_audit::publish::{Dataset, Spec};
use vonage_audit::schema::Table;
use vonage_audit::spool::Scratch;
use vonage_audit::store::{
    BucketStore, LocalStore, Location, Lock, SingleWriter, StorageLimits, Store, creates_if_absent,
};
use vonage_audit::{Error, Result};

use crate::args::StorageArgs;
use crate::environment::Environment;
use crate::layout::Wishes;
use crate::stream::STANDARD_OUTPUT;
use crate::terminal::Terminal;

/// A store that a person has named.
pub(crate) struct Place {
    pub(crate) store: Arc<dyn Store>,
    kind: Kind,
}

enum Kind {
    /// A folder on this machine, which has a lock.
    Local(LocalStore),
    /// A store that has yet to show that it creates only if absent, and whether it need not.
    Bucket { plain: Arc<dyn Store>, single_writer: bool },
}

impl Place {
    /// Opens the store at a path or URL to write there; writes nothing.
    pub(crate) async fn open(dest: &str, args: &StorageArgs, environment: &Environment) -> Result<Self> {
        if dest == STANDARD_OUTPUT {
            return Err(Error::usage("standard output is no dataset")
                .hint("only export writes to -; a folder of that name is ./-"));
        }
        let limits = limits(args)?;
        let Some(location) = Location::parse(dest)? else {
            let local =
                LocalStore::open(Path::new(dest), true).map_err(|error| error.at("destination", dest))?;
            return Ok(Self { store: Arc::new(local.clone()), kind: Kind::Local(local) });
        };
        let plain: Arc<dyn Store> =
            Arc::new(BucketStore::open(location, environment.storage(), limits).await?);
        let single_writer = args.single_writer;
        let store =
            if single_writer { Arc::new(SingleWriter::new(Arc::clone(&plain))) } else { Arc::clone(&plain) };
        Ok(Self { store, kind: Kind::Bucket { plain, single_writer } })
    }

    /// The same memory and temporary files for a run that writes here: on a disk, long files are made where they are to stay.
    pub(crate) fn scratch(&self, scratch: Scratch) -> Scratch {
        match &self.kind {
            Kind::Local(local) => scratch.with_files(local.files()),
            Kind::Bucket { .. } => scratch,
        }
    }

    /// What comes before the first write of a run: the lock of a folder; or, where there is none, the proof that the
    /// store keeps writers apart.
    pub(crate) async fn begin(&self, dataset: &Dataset, terminal: &Terminal) -> Result<Option<Lock>> {
        let (plain, single_writer) = match &self.kind {
            Kind::Local(local) => return local.lock().await.map(Some),
            Kind::Bucket { plain, single_writer } => (plain, *single_writer),
        };
        match (creates_if_absent(plain.as_ref()).await?, single_writer) {
            (true, false) => {}
            (true, true) => terminal.note("the store creates only if absent: --single-writer is not needed"),
            (false, true) => {
                terminal.note("warning: the store overwrites; nothing else may write to the destination");
                dataset.record_single_writer();
            }
            (false, false) => {
                return Err(Error::usage("the store overwrites although it was asked to create only if absent")
                    .at("destination", plain.describe())
                    .hint(
                        "two runs, or one whose answer was lost, could destroy what is committed: use another store, \
                         or --single-writer if nothing else ever writes to this destination",
                    ));
            }
        }
        Ok(None)
    }
}

/// What a command wants of its dataset.
pub(crate) struct Wanted<'a> {
    /// Fingerprint of the account whose events these are.
    pub(crate) account: String,
    /// The grid, where one was asked for.
    pub(crate) grid: Option<Grid>,
    pub(crate) table: &'a Table,
    pub(crate) selection: BTreeMap<String, String>,
    pub(crate) secrets: Secrets,
    /// What its files are to look like.
    pub(crate) files: Wishes,
}

/// The dataset in a store.
pub(crate) struct Destination {
    pub(crate) dataset: Dataset,
    /// The one asked for, else the dataset's own, else days.
    pub(crate) grid: Grid,
    /// How files are written, the dataset's own layout included.
    pub(crate) files: Files,
}

/// The store at a path or URL that is only read; a folder must be there.
pub(crate) async fn reading(
    dest: &str,
    args: &StorageArgs,
    environment: &Environment,
) -> Result<Arc<dyn Store>> {
    let Some(location) = Location::parse(dest)? else {
        let local =
            LocalStore::open(Path::new(dest), false).map_err(|error| error.at("destination", dest))?;
        return Ok(Arc::new(local));
    };
    Ok(Arc::new(BucketStore::open(location, environment.storage(), limits(args)?).await?))
}

/// How long an object store may take.
fn limits(args: &StorageArgs) -> Result<StorageLimits> {
    let seconds = |text: &str| parse_duration(text).map(|seconds| Duration::from_secs(seconds.into()));
    Ok(StorageLimits {
        request: seconds(&args.storage_timeout)?,
        retry: seconds(&args.storage_retry_time)?,
        ..StorageLimits::default()
    })
}

impl Destination {
    /// Opens the dataset in a store, or finds out that there can be one; writes nothing.
    pub(crate) async fn open(place: &Place, wanted: Wanted<'_>) -> Result<Self> {
        let at = |error: Error| error.at("destination", place.store.describe());
        let stored = Dataset::stored_spec(place.store.as_ref()).await.map_err(at)?;
        let grid = wanted.grid.or(stored.as_ref().map(|spec| spec.grid)).unwrap_or(Grid::Day);
        let layout = wanted.files.layout(stored.map(|spec| spec.layout), grid);
        let layout = layout.map_err(at)?;
        let files = wanted.files.files(layout);
        let spec = Spec {
            account_fingerprint: wanted.account,
            grid,
            schema: wanted.table.identity(),
            lineage: wanted.table.lineage().to_vec(),
            selection: wanted.selection,
            secrets: wanted.secrets,
            layout: files.layout.clone(),
        };
        let dataset = Dataset::open(Arc::clone(&place.store), spec).await?;
        Ok(Self { dataset, grid, files })
    }
}
