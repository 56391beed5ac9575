//! From a path to an opened dataset.
//!
//! What lives here: [`Destination`], for every command that writes. What this file must not know: what is written.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use vonage_audit::Result;
use vonage_audit::encode::Settings as Files;
use vonage_audit::model::{Grid, Secrets};
use vonage_audit::publish::{Dataset, Spec};
use vonage_audit::schema::Table;
use vonage_audit::store::LocalStore;

/// What a command wants of its dataset.
pub(crate) struct Wanted<'a> {
    /// Fingerprint of the account whose events these are.
    pub(crate) account: String,
    /// The grid, where one was asked for.
    pub(crate) grid: Option<Grid>,
    pub(crate) table: &'a Table,
    pub(crate) selection: BTreeMap<String, String>,
    pub(crate) secrets: Secrets,
}

/// A store and the dataset in it.
pub(crate) struct Destination {
    pub(crate) store: LocalStore,
    pub(crate) dataset: Dataset,
    /// The one asked for, else the dataset's own, else days.
    pub(crate) grid: Grid,
    /// How files are written, the dataset's own layout included.
    pub(crate) files: Files,
}

impl Destination {
    /// Opens the dataset at a path, or finds out that there can be one; writes nothing.
    pub(crate) async fn open(dest: &str, wanted: Wanted<'_>) -> Result<Self> {
        let store = LocalStore::open(Path::new(dest), true).map_err(|error| error.at("destination", dest))?;
        let stored = Dataset::stored_spec(&store).await.map_err(|error| error.at("destination", dest))?;
        let grid = wanted.grid.or(stored.as_ref().map(|spec| spec.grid)).unwrap_or(Grid::Day);
        let layout = stored.map(|spec| spec.layout).unwrap_or_default();
        let files = Files::new(layout.clone());
        let spec = Spec {
            account_fingerprint: wanted.account,
            grid,
            schema: wanted.table.identity(),
            lineage: wanted.table.lineage().to_vec(),
            selection: wanted.selection,
            secrets: wanted.secrets,
            layout,
        };
        let dataset = Dataset::open(Arc::new(store.clone()), spec).await?;
        Ok(Self { store, dataset, grid, files })
    }
}
