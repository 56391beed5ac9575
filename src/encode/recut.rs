//! Rows cut anew into batches of a fixed length.
//!
//! Writers end pages by what has come in, so that the bytes of a file otherwise depend on how the rows were handed
//! over. What this file must not know: any format.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, make_array};
use arrow_schema::{ArrowError, Field, SchemaRef};
use arrow_select::concat::concat_batches;

use crate::error::{Error, Result};

/// Rows of every batch that a writer sees, but the last.
pub const BATCH_ROWS: usize = 8_192;

/// Bytes of texts after which a batch ends all the same, so that a column's texts fit into one array and rows that are long
/// take no more memory than others. A function of the rows, too.
const BATCH_BYTES: usize = 64 << 20;

/// Rows as they come; an error is the last item.
pub type Batches<'a> = dyn Iterator<Item = Result<RecordBatch>> + 'a;

/// The rows of `batches`, in order, in batches of [`BATCH_ROWS`] rows; the last may be shorter, none is empty.
pub(super) fn recut<'a>(
    schema: &'a SchemaRef,
    batches: &'a mut Batches<'_>,
) -> impl Iterator<Item = Result<RecordBatch>> + 'a {
    parted(schema, batches).map(|parts| joined(schema, &parts?))
}

/// The same, with each batch in the parts in which it came: none is empty.
pub(super) fn parted<'a>(
    schema: &'a SchemaRef,
    batches: &'a mut Batches<'_>,
) -> impl Iterator<Item = Result<Vec<RecordBatch>>> + 'a {
    let mut waiting = None;
    let mut failed = false;
    std::iter::from_fn(move || {
        let next = if failed { None } else { next(schema, &mut waiting, batches).transpose() };
        failed = matches!(next, Some(Err(_)));
        next
    })
}

/// The batches as they come, for formats whose bytes depend on no cut.
pub(super) fn uncut<'a>(
    schema: &'a SchemaRef,
    batches: &'a mut Batches<'_>,
) -> impl Iterator<Item = Result<RecordBatch>> + 'a {
    batches.map(move |batch| {
        batch.and_then(|batch| if is_of(schema, &batch) { Ok(batch) } else { Err(other()) })
    })
}

/// Whether a batch has these columns.
fn is_of(schema: &SchemaRef, batch: &RecordBatch) -> bool {
    let (columns, expected) = (batch.schema_ref().fields(), schema.fields());
    let same = |(one, other): (&Arc<Field>, &Arc<Field>)| {
        one.name() == other.name() && one.data_type() == other.data_type()
    };
    columns.len() == expected.len() && columns.iter().zip(expected).all(same)
}

fn other() -> Error {
    Error::bug("a batch of rows has other columns than the file")
}

/// How many of the first rows, at most `most`, have at least so many bytes of texts or are all of these; and their bytes.
fn fitting(batch: &RecordBatch, most: usize, bytes: usize) -> (usize, usize) {
    let texts: Vec<&StringArray> =
        batch.columns().iter().filter_map(|column| column.as_string_opt()).collect();
    let length = |rows: usize| -> usize {
        let offset = |text: &StringArray, row: usize| {
            text.value_offsets().get(row).and_then(|at| usize::try_from(*at).ok()).unwrap_or(0)
        };
        texts.iter().map(|text| offset(text, rows).saturating_sub(offset(text, 0))).sum()
    };
    let rows = batch.num_rows().min(most);
    if length(rows) < bytes {
        return (rows, length(rows));
    }
    // The first number of rows that reaches it.
    let (mut short, mut enough) = (0, rows);
    while short + 1 < enough {
        let half = usize::midpoint(short, enough);
        if length(half) < bytes { short = half } else { enough = half }
    }
    (enough, length(enough))
}

fn next(
    schema: &SchemaRef,
    waiting: &mut Option<RecordBatch>,
    batches: &mut Batches<'_>,
) -> Result<Option<Vec<RecordBatch>>> {
    let mut parts = Vec::new();
    let (mut wanted, mut left) = (BATCH_ROWS, BATCH_BYTES);
    while wanted > 0 && left > 0 {
        let Some(batch) = waiting.take().map(Ok).or_else(|| batches.next()).transpose()? else { break };
        let (taken, bytes) = fitting(&batch, wanted, left);
        left = left.saturating_sub(bytes);
        if taken < batch.num_rows() {
            *waiting = Some(batch.slice(taken, batch.num_rows() - taken));
            parts.extend((taken > 0).then(|| batch.slice(0, taken)));
        } else if taken > 0 {
            parts.push(batch);
        }
        wanted -= taken;
    }
    if parts.is_empty() {
        return Ok(None);
    }
    if !parts.iter().all(|part| is_of(schema, part)) {
        return Err(other());
    }
    Ok(Some(parts))
}

/// Parts as one batch. Its arrays have room for nulls only where there is one: a slice of a longer array may have it without, and
/// writers look at it.
pub(super) fn joined(schema: &SchemaRef, parts: &[RecordBatch]) -> Result<RecordBatch> {
    let whole = concat_batches(schema, parts).and_then(|batch| {
        let columns: Result<Vec<ArrayRef>, ArrowError> = batch.columns().iter().map(without_room).collect();
        RecordBatch::try_new(Arc::clone(schema), columns?)
    });
    whole.map_err(|cause| Error::bug("rows of one file cannot be joined").because(cause))
}

fn without_room(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if column.nulls().is_none_or(|nulls| nulls.null_count() > 0) {
        return Ok(Arc::clone(column));
    }
    column.to_data().into_builder().nulls(None).build().map(make_array)
}

#[cfg(test)]
mod tests {
    use arrow_schema::{DataType, Schema};

    use super::*;

    #[test]
    fn long_rows_end_a_batch_wherever_they_were_cut_before() {
        let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, true)]));
        let texts = |from: usize, to: usize| -> RecordBatch {
            let text =
                |row: usize| (!row.is_multiple_of(3)).then(|| "x".repeat(if row < 40 { 3 << 20 } else { 1 }));
            let column: StringArray = (from..to).map(text).collect();
            RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(column)]).unwrap()
        };
        let all = 9_000;
        let mut seen = Vec::new();
        for piece in [all, 7, 1_000] {
            let mut batches = (0..all)
                .step_by(piece)
                .map(|from| Ok(texts(from, all.min(from + piece))))
                .collect::<Vec<_>>()
                .into_iter();
            let rows: Vec<_> =
                recut(&schema, &mut batches).map(|batch| batch.unwrap().column(0).len()).collect();
            seen.push(rows);
        }
        // 22 texts of 3 MiB reach 64 MiB.
        assert_eq!(seen[0], [33, 8_192, 775]);
        assert!(seen.iter().all(|rows| *rows == seen[0]), "{seen:?}");
    }

    #[test]
    fn a_batch_has_room_for_nulls_only_where_there_is_one() {
        let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, true)]));
        let texts: StringArray = (0..3 * BATCH_ROWS).map(|row| (row != 5).then_some("x")).collect();
        let all = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(texts)]).unwrap();
        for cut in [3 * BATCH_ROWS, 1_000] {
            let mut batches = (0..all.num_rows())
                .step_by(cut)
                .map(|from| Ok(all.slice(from, cut.min(all.num_rows() - from))));
            let room: Vec<bool> = recut(&schema, &mut batches)
                .map(|batch| batch.unwrap().column(0).nulls().is_some())
                .collect();
            assert_eq!(room, [true, false, false], "{cut}");
        }
    }
}
