//! Rows that carry the text of their event, for the format that holds events instead of columns.
//!
//! What lives here: the cut between the columns of the table and the text, and [`RowReader`], through which rows are
//! made of texts again without knowing how. What this file must not know: how an event becomes a row, a file format.

use std::fmt;
use std::sync::Arc;

use arrow_array::RecordBatch;

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

/// The texts alone.
pub(super) fn lines(batches: &[RecordBatch]) -> Result<Vec<RecordBatch>> {
    chosen(batches, |name| name == EVENT_TEXT)
}

/// The columns of the table alone.
pub(super) fn without_texts(batches: &[RecordBatch]) -> Result<Vec<RecordBatch>> {
    chosen(batches, |name| name != EVENT_TEXT)
}

fn chosen(batches: &[RecordBatch], wanted: impl Fn(&str) -> bool) -> Result<Vec<RecordBatch>> {
    let cut = |batch: &RecordBatch| {
        let fields = batch.schema_ref().fields().iter().enumerate();
        let positions: Vec<usize> =
            fields.filter(|(_, field)| wanted(field.name())).map(|(position, _)| position).collect();
        if positions.is_empty() {
            return Err(Error::bug("rows have no such column").at("column", EVENT_TEXT));
        }
        batch.project(&positions).map_err(|cause| Error::bug("columns cannot be chosen").because(cause))
    };
    batches.iter().map(cut).collect()
}
