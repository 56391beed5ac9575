//! The law between rows and events, for whoever checks files without knowing how rows are made.
//!
//! What lives here: [`law`]. What this file must not know: files, findings.

use crate::error::{Error, Result};
use crate::flatten::Rebuilder;
use crate::publish::verify::Law;
use crate::schema::Table;

use super::rows::row_reader;

/// The law of a table.
pub fn law(table: &Table) -> Law {
    let own = table.clone();
    Law::new(table.identity(), table.arrow_schema(), row_reader(table), move |batch| {
        let rebuilder = Rebuilder::new(batch, &own)?;
        let event = |row| rebuilder.row(row).map_err(|error: Error| error.at("row", row));
        (0..batch.num_rows()).map(event).collect::<Result<_>>()
    })
}
