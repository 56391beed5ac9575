//! Rows that carry the text of their event, for the format that holds events instead of columns.
//!
//! What lives here: the cut between the columns of the table and the text, and [`RowReader`], through which rows are
//! made of texts again without knowing how. What this file must not know: how an event becomes a row, a file format.

use std::fmt;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use crate::encode::EVENT_TEXT;
use crate::error::{Error, Result};

/// Makes the table's rows of the events' texts, exactly as the rows that are published were made. It computes.
#[derive(Clone)]
pub struct RowReader(Arc<Read>);

type Read = dyn Fn(&[RecordBatch]) -> Result<Vec<RecordBatch>> + Send + Sync;

impl RowReader {
    /// From a function that takes batches of the one column [`EVENT_TEXT`] and gives the rows in the same order.
    pub fn new(read: impl Fn(&[RecordBatch]) -> Result<Vec<RecordBatch>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    pub(super) fn rows(&self, texts: &[RecordBatch]) -> Result<Vec<RecordBatch>> {
        (self.0)(texts)
    }
}

impl fmt::Debug for RowReader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("RowReader")
    }
}

/// The one column of texts.
pub(super) fn lines_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new(EVENT_TEXT, DataType::Utf8, false)]))
}

/// The texts alone.
pub(super) fn lines(batch: &RecordBatch) -> Result<RecordBatch> {
    chosen(batch, |name| name == EVENT_TEXT)
}

/// The columns of the table alone.
pub(super) fn without_texts(batch: &RecordBatch) -> Result<RecordBatch> {
    chosen(batch, |name| name != EVENT_TEXT)
}

fn chosen(batch: &RecordBatch, wanted: impl Fn(&str) -> bool) -> Result<RecordBatch> {
    let fields = batch.schema_ref().fields().iter().enumerate();
    let positions: Vec<usize> =
        fields.filter(|(_, field)| wanted(field.name())).map(|(position, _)| position).collect();
    if positions.is_empty() {
        return Err(Error::bug("rows have no such column").at("column", EVENT_TEXT));
    }
    batch.project(&positions).map_err(|cause| Error::bug("columns cannot be chosen").because(cause))
}
