//! What rows and events have to do with each other, as far as verification must know it.
//!
//! What lives here: [`Law`], given from outside, since this module does not know how an event becomes a row, and the
//! fit of a file's columns to the table's. What this file must not know: formats, slots.

use std::fmt;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, new_null_array};
use arrow_schema::{Schema, SchemaRef};

use bytes::Bytes;

use crate::encode::{EVENT_TEXT, ReadLimits, Settings, read_typed};
use crate::error::{Error, Result};
use crate::model::{self, Format};
use crate::publish::RowReader;

type Rebuild = dyn Fn(&RecordBatch) -> Result<Vec<String>> + Send + Sync;

/// The table by which contents are checked, and the way from its rows to events and back.
#[derive(Clone)]
pub struct Law {
    pub(super) table: model::SchemaRef,
    pub(super) schema: SchemaRef,
    pub(super) rows: RowReader,
    rebuild: Arc<Rebuild>,
}

impl fmt::Debug for Law {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Law").field("table", &self.table).finish_non_exhaustive()
    }
}

impl Law {
    /// The law of this table: `rows` makes rows of events, `rebuild` gives the events of a batch that has exactly the
    /// columns of `schema`, in order.
    pub fn new(
        table: model::SchemaRef,
        schema: SchemaRef,
        rows: RowReader,
        rebuild: impl Fn(&RecordBatch) -> Result<Vec<String>> + Send + Sync + 'static,
    ) -> Self {
        Self { table, schema, rows, rebuild: Arc::new(rebuild) }
    }

    /// The rows of a file, made of its texts where it holds those.
    pub(in crate::publish) fn read(
        &self,
        format: Format,
        bytes: Bytes,
        settings: &Settings,
        limits: ReadLimits,
    ) -> Result<Vec<RecordBatch>> {
        let batches = read_typed(format, bytes, &self.schema, settings, limits)?.batches;
        let texts = batches.iter().any(|batch| batch.column_by_name(EVENT_TEXT).is_some());
        if texts { self.rows.rows(&batches) } else { Ok(batches) }
    }

    /// The events of rows; `None` where the file has columns that the table does not know. An older table of the same
    /// major version has fewer: its events held the values in the remainder.
    pub(super) fn events(&self, batch: &RecordBatch) -> Result<Option<Vec<String>>> {
        if !continued_by(batch.schema_ref(), &self.schema) {
            return Ok(None);
        }
        let missing = self.schema.fields().iter().skip(batch.num_columns());
        let columns: Vec<ArrayRef> = batch
            .columns()
            .iter()
            .cloned()
            .chain(missing.map(|field| new_null_array(field.data_type(), batch.num_rows())))
            .collect();
        let padded = RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(|cause| Error::bug("rows do not fit the table").because(cause))?;
        (self.rebuild)(&padded).map(Some)
    }
}

/// Whether the columns of `one` are the first of `other`.
fn continued_by(one: &Schema, other: &Schema) -> bool {
    let (ours, theirs) = (one.fields(), other.fields());
    ours.len() <= theirs.len()
        && ours
            .iter()
            .zip(theirs)
            .all(|(own, other)| own.name() == other.name() && own.data_type() == other.data_type())
}
