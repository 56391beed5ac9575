//! A dataset as what is converted.
//!
//! What lives here: telling a dataset from a file, and opening it with the table of its files. What this file must not
//! know: the destination, and what becomes of the rows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vonage_audit::encode::Settings as Files;
use vonage_audit::pipeline::Source;
use vonage_audit::publish::{Dataset, account_fingerprint};
use vonage_audit::schema::Table;
use vonage_audit::store::LocalStore;
use vonage_audit::{Error, Result};

use crate::args::{ConvertArgs, TableArgs};
use crate::environment::footer_key_from_file;
use crate::schema::table;

/// A dataset to convert.
pub(super) struct Opened {
    pub(super) dataset: Dataset,
    table: Table,
    files: Files,
}

impl Opened {
    pub(super) fn source(&self) -> Source<'_> {
        Source { dataset: &self.dataset, table: &self.table, files: &self.files }
    }
}

/// The inputs' one dataset, if they are not files. A folder is never taken for a file.
pub(super) async fn open(args: &ConvertArgs, target: &Table) -> Result<Option<Opened>> {
    let Some(folder) = args.files.iter().find(|path| path.is_dir()) else {
        if args.from_raw {
            return Err(Error::usage("--from-raw needs a dataset").hint("name its folder"));
        }
        return Ok(None);
    };
    if args.files.len() > 1 {
        return Err(Error::usage("a dataset is converted by itself")
            .at("dataset", folder.display())
            .hint("run the command once for each input"));
    }
    let at = |error: Error| error.at("path", folder.display());
    let store = LocalStore::open(folder, false).map_err(at)?;
    let dataset = Dataset::open_stored(Arc::new(store)).await.map_err(at)?;
    if same_place(folder, Path::new(&args.dest)) {
        return Err(at(
            Error::usage("a dataset cannot be converted into itself").hint("choose another --dest")
        ));
    }
    if let Some(key) = &args.account
        && account_fingerprint(key) != dataset.spec().account_fingerprint
    {
        return Err(at(Error::usage("the dataset is of another account than --account says")
            .hint("leave --account out: the dataset knows its own")));
    }
    let table = table_of(&dataset, target, args.source_schema_dir.as_ref()).map_err(at)?;
    let mut files = Files::new(dataset.spec().layout.clone());
    if let Some(id) = &files.layout.footer_key {
        let key = args.layout.parquet_key_file.as_deref().map(footer_key_from_file).transpose()?;
        let key = key.filter(|key| key.id() == *id).ok_or_else(|| {
            at(Error::usage("the dataset's Parquet files are encrypted with a key that was not given")
                .at("key", id)
                .hint("name the key's file with --parquet-key-file"))
        })?;
        files.key = Some(key);
    }
    Ok(Some(Opened { dataset, table, files }))
}

/// The table that reads the dataset's files: the one asked for, the target's, or the built-in one.
fn table_of(dataset: &Dataset, target: &Table, folder: Option<&PathBuf>) -> Result<Table> {
    let tables = match folder {
        Some(folder) => vec![table(&TableArgs { schema_dir: Some(folder.clone()) })?],
        None => vec![target.clone(), Table::builtin()?],
    };
    tables.into_iter().find(|table| Source::has_table(dataset, table)).ok_or_else(|| {
        let schema = &dataset.spec().schema;
        Error::usage("the dataset's files have the columns of another table")
            .at("dataset", format!("{} {}", schema.version, schema.fingerprint))
            .hint("name the --schema-dir that they were written with as --source-schema-dir")
    })
}

fn same_place(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
