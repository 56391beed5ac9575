//! What CSV files say of themselves, beside them.
//!
//! What lives here: [`Dataset::describe`]. One document for each table under `_audit/csvw/`, named by the table's
//! fingerprint; nothing but data may stand under `csv/`. What this file must not know: what the document says.

use std::sync::atomic::Ordering;

use arrow_schema::Schema;

use super::dataset::Dataset;
use super::register;
use crate::encode::csvw_table;
use crate::error::Result;
use crate::model::{FileRecord, Format, Layout};
use crate::store::ObjectPath;

const FOLDER: &str = "_audit/csvw";

/// Digits of the fingerprint in the name.
const DIGITS: usize = 16;

/// A document of more bytes is refused.
pub(super) const MAX_FILE: u64 = 4 << 20;

/// Where the description of the table with this fingerprint is.
pub(super) fn path(fingerprint: &str) -> Result<ObjectPath> {
    let name: String = fingerprint.chars().take(DIGITS).collect();
    ObjectPath::new(format!("{FOLDER}/{name}.json"))
}

/// What this version of the program says of CSV files with these columns.
pub(super) fn text(schema: &Schema, layout: &Layout) -> Vec<u8> {
    let pattern = format!("../../csv/**/*.{}", layout.extension(Format::Csv));
    csvw_table(schema, layout, &pattern).into()
}

impl Dataset {
    /// Makes the description of this run's table durable if any of the files is CSV: before a commit can name it. A
    /// description that is there stays, whichever version of the program wrote it.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`].
    pub(super) async fn describe(&self, files: &[FileRecord], schema: &Schema) -> Result<()> {
        if self.described.load(Ordering::Relaxed) || !files.iter().any(|file| file.format == Format::Csv) {
            return Ok(());
        }
        let spec = self.spec();
        let text = text(schema, &spec.layout);
        register::decide(self.store(), &path(&spec.schema.fingerprint)?, text.into(), MAX_FILE).await?;
        self.described.store(true, Ordering::Relaxed);
        Ok(())
    }
}
