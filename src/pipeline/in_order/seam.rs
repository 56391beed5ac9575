//! Where two batches of sorted rows meet.
//!
//! What lives here: [`Seam`]: whether the rows of the second follow those of the first, and the rows of one time that stand in both.
//! What this file must not know: windows, lines, threads.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;

use crate::error::{Error, Result};

/// Bytes of the rows of one time that are put in order across a seam, at most: they are copied for each block anew.
const MOST: usize = 4 << 20;

/// How two batches meet. Both have rows, sorted by `created_at, id`.
#[derive(Debug)]
pub(super) enum Seam {
    /// All rows of the second come later.
    Follows,
    /// Rows of one time stand in both: the first without them, they in order, the second without them.
    Tied(RecordBatch, RecordBatch, RecordBatch),
    /// The second begins before the first ends, an id occurs twice at one time, or too many rows have one time.
    Broken,
}

impl Seam {
    /// Looks at the last rows of `first` and the first ones of `second`.
    pub(super) fn between(first: &RecordBatch, second: &RecordBatch) -> Result<Self> {
        let (before, after) = (times(first)?, times(second)?);
        let (Some(end), Some(begin)) = (before.len().checked_sub(1), (!after.is_empty()).then_some(0)) else {
            return Err(Error::bug("a batch of rows is empty"));
        };
        let at = before.value(end);
        if after.value(begin) != at {
            return Ok(if after.value(begin) > at { Self::Follows } else { Self::Broken });
        }
        let head = before.values().partition_point(|time| *time < at);
        let tail = after.values().partition_point(|time| *time <= at);
        let (left, right) = (first.slice(head, first.num_rows() - head), second.slice(0, tail));
        if bytes(&left)?.saturating_add(bytes(&right)?) > MOST {
            return Ok(Self::Broken);
        }
        let tied = concat_batches(first.schema_ref(), [&left, &right]).map_err(unjoined)?;
        let Some(tied) = in_order(tied)? else { return Ok(Self::Broken) };
        Ok(Self::Tied(first.slice(0, head), tied, second.slice(tail, second.num_rows() - tail)))
    }
}

/// What the values of these rows take, without those beside them.
fn bytes(rows: &RecordBatch) -> Result<usize> {
    let bytes = rows.columns().iter().map(|column| column.to_data().get_slice_memory_size());
    bytes.sum::<Result<usize, ArrowError>>().map_err(unjoined)
}

/// Rows of one time by id; `None` if an id occurs twice.
fn in_order(rows: RecordBatch) -> Result<Option<RecordBatch>> {
    let ids = ids(&rows)?;
    let mut order: Vec<u32> = (0..).take(rows.num_rows()).collect();
    let id = |row: u32| ids.value(row as usize);
    order.sort_unstable_by(|one, other| id(*one).cmp(id(*other)));
    if order.array_windows().any(|[one, next]| id(*one) == id(*next)) {
        return Ok(None);
    }
    if order.is_sorted() {
        return Ok(Some(rows));
    }
    take_record_batch(&rows, &UInt32Array::from(order)).map(Some).map_err(unjoined)
}

fn times(rows: &RecordBatch) -> Result<&TimestampMicrosecondArray> {
    let times = rows
        .column_by_name("created_at")
        .and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
    times.filter(|times| times.null_count() == 0).ok_or_else(|| Error::bug("rows have no times"))
}

fn ids(rows: &RecordBatch) -> Result<&StringArray> {
    let ids = rows.column_by_name("id").and_then(|ids| ids.as_string_opt::<i32>());
    ids.filter(|ids| ids.null_count() == 0).ok_or_else(|| Error::bug("rows have no ids"))
}

fn unjoined(cause: ArrowError) -> Error {
    Error::bug("rows cannot be put in order").because(cause)
}
