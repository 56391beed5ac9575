//! Rows into row groups, the columns of each side by side.
//!
//! What lives here: [`write()`]. A column's bytes follow from its values alone, and columns stand in their order, so that
//! the number of threads decides about no byte. What this file must not know: the writer's settings, what columns mean.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::unwritten;
use crate::encode::threads::Threads;
use crate::error::{Error, Result};

/// Columns of fewer rows are not worth a thread.
pub(super) const FEW_ROWS: usize = 1_024;

/// Writes all batches as row groups of at most `most` rows; gives the rows.
pub(super) fn write<W: Write + Send>(
    writer: ArrowWriter<W>,
    schema: &SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch>>,
    most: usize,
    threads: &Threads,
) -> Result<u64> {
    let (mut file, factory) = writer.into_serialized_writer().map_err(unwritten)?;
    let (mut rows, mut open) = (0_u64, None::<(Vec<ArrowColumnWriter>, usize)>);
    let mut close = |columns: Vec<ArrowColumnWriter>| {
        let chunks = closed(columns, threads)?;
        let mut group = file.next_row_group().map_err(unwritten)?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut group).map_err(unwritten)?;
        }
        group.close().map_err(unwritten).map(|_| file.flushed_row_groups().len())
    };
    let mut groups = 0;
    for batch in batches {
        let mut batch = batch?;
        rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        while batch.num_rows() > 0 {
            let (mut columns, held) = match open.take() {
                Some(open) => open,
                None => (factory.create_column_writers(groups).map_err(unwritten)?, 0),
            };
            let taken = batch.num_rows().min(most.saturating_sub(held).max(1));
            push(&mut columns, schema, &batch.slice(0, taken), threads)?;
            batch = batch.slice(taken, batch.num_rows() - taken);
            if held + taken >= most {
                groups = close(columns)?;
            } else {
                open = Some((columns, held + taken));
            }
        }
    }
    if let Some((columns, _)) = open {
        close(columns)?;
    }
    file.close().map_err(unwritten)?;
    Ok(rows)
}

/// Adds the rows of a batch to each column.
fn push(
    columns: &mut [ArrowColumnWriter],
    schema: &SchemaRef,
    batch: &RecordBatch,
    threads: &Threads,
) -> Result<()> {
    if columns.len() != batch.num_columns() {
        return Err(Error::bug("a table's columns are not those of its file"));
    }
    let work = columns.iter_mut().zip(schema.fields()).zip(batch.columns());
    let push = |((column, field), array): ((&mut ArrowColumnWriter, &std::sync::Arc<_>), &_)| {
        for leaf in compute_leaves(field, array).map_err(unwritten)? {
            column.write(&leaf).map_err(unwritten)?;
        }
        Ok(())
    };
    let threads = if batch.num_rows() < FEW_ROWS { &Threads::default() } else { threads };
    side_by_side(work, push, threads).map(|_: Vec<()>| ())
}

fn closed(columns: Vec<ArrowColumnWriter>, threads: &Threads) -> Result<Vec<ArrowColumnChunk>> {
    side_by_side(columns.into_iter(), |column| column.close().map_err(unwritten), threads)
}

/// Does all work, on as many threads as are free beside this one; gives the results in the order of the work.
pub(super) fn side_by_side<T: Send, R: Send>(
    work: impl Iterator<Item = T> + Send,
    each: impl Fn(T) -> Result<R> + Sync,
    threads: &Threads,
) -> Result<Vec<R>> {
    let extra = threads.hold(threads.all().saturating_sub(1));
    if extra.count() == 0 {
        return work.map(each).collect();
    }
    let left = Mutex::new(work.enumerate());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let some = || -> Result<Vec<(usize, R)>> {
        let mut done = Vec::new();
        while let Some((place, one)) = next() {
            done.push((place, each(one)?));
        }
        Ok(done)
    };
    let mut done = std::thread::scope(|scope| {
        let others: Vec<_> = (0..extra.count()).map(|_| scope.spawn(some)).collect();
        let mut done = some()?;
        for other in others {
            done.extend(other.join().map_err(|_| Error::bug("a column's thread failed"))??);
        }
        Ok::<_, Error>(done)
    })?;
    done.sort_unstable_by_key(|(place, _)| *place);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}
