//! Rows cut anew into batches of a fixed length.
//!
//! Writers end pages by what has come in, so that the bytes of a file otherwise depend on how the rows were handed
//! over. What this file must not know: any format.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;

use crate::error::{Error, Result};

/// Rows of every batch that a writer sees, but the last.
pub const BATCH_ROWS: usize = 8_192;

/// Rows as they come; an error is the last item.
pub type Batches<'a> = dyn Iterator<Item = Result<RecordBatch>> + 'a;

/// The rows of `batches`, in order, in batches of [`BATCH_ROWS`] rows; the last may be shorter, none is empty.
pub(super) fn recut<'a>(
    schema: &'a SchemaRef,
    batches: &'a mut Batches<'_>,
) -> impl Iterator<Item = Result<RecordBatch>> + 'a {
    let mut waiting = None;
    let mut failed = false;
    std::iter::from_fn(move || {
        let next = if failed { None } else { next(schema, &mut waiting, batches).transpose() };
        failed = matches!(next, Some(Err(_)));
        next
    })
}

fn next(
    schema: &SchemaRef,
    waiting: &mut Option<RecordBatch>,
    batches: &mut Batches<'_>,
) -> Result<Option<RecordBatch>> {
    let mut parts = Vec::new();
    let mut wanted = BATCH_ROWS;
    while wanted > 0 {
        let Some(batch) = waiting.take().map(Ok).or_else(|| batches.next()).transpose()? else { break };
        let taken = batch.num_rows().min(wanted);
        if taken < batch.num_rows() {
            *waiting = Some(batch.slice(taken, batch.num_rows() - taken));
        }
        if taken > 0 {
            parts.push(batch.slice(0, taken));
        }
        wanted -= taken;
    }
    if parts.is_empty() {
        return Ok(None);
    }
    let same = |part: &RecordBatch| {
        let (columns, expected) = (part.schema_ref().fields(), schema.fields());
        columns.len() == expected.len()
            && columns
                .iter()
                .zip(expected)
                .all(|(one, other)| one.name() == other.name() && one.data_type() == other.data_type())
    };
    if !parts.iter().all(same) {
        return Err(Error::bug("a batch of rows has other columns than the file"));
    }
    concat_batches(schema, &parts)
        .map(Some)
        .map_err(|cause| Error::bug("rows of one file cannot be joined").because(cause))
}
