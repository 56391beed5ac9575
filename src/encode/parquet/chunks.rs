//! Rows into row groups, by encoders of our own, the columns of each side by side.
//!
//! What lives here: [`write()`]: the files that [`super::groups`] writes, byte for byte, for the types that a dataset has and for pages
//! that are compressed by Zstandard or not at all. Its columns are flat, so that levels are what arrays have as the bits of their nulls; rows
//! stay in the arrays in which they come; and what a text was is known by its code. What this file must not know: columns' meaning.

use std::io::Write;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::ColumnDescPtr;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};

use super::groups::{FEW_ROWS, side_by_side};
use super::unwritten;
use crate::encode::threads::Threads;
use crate::error::{Error, Result};

use booleans::Booleans;
use column::Column;
use numbers::Numbers;
use pages::Chunk;
use plan::Plan;
use rows::Rows;
use texts::Texts;

mod body;
mod booleans;
mod bounds;
mod column;
mod delta;
mod dictionary;
mod hybrid;
mod numbers;
mod packer;
mod pages;
mod plan;
mod rows;
mod slots;
mod texts;

/// Writes all batches as row groups of at most `most` rows; gives the rows. Each comes in parts, which are not joined: where a batch
/// ends is where a page may end.
pub(super) fn write<W: Write + Send>(
    writer: ArrowWriter<W>,
    schema: &SchemaRef,
    batches: impl Iterator<Item = Result<Vec<RecordBatch>>>,
    most: usize,
    threads: &Threads,
) -> Result<u64> {
    let (mut file, _) = writer.into_serialized_writer().map_err(unwritten)?;
    let (mut rows, mut held, mut open) = (0_u64, 0, Vec::<Kind>::new());
    let alone = Threads::default();
    for batch in batches {
        let mut parts = batch?;
        let full: Vec<bool> = (0..schema.fields().len())
            .map(|place| {
                parts.iter().all(|part| part.columns().get(place).is_some_and(|one| one.null_count() == 0))
            })
            .collect();
        while !parts.is_empty() {
            if held == 0 {
                open = columns(schema, &file)?;
            }
            let rest = cut(&mut parts, most.saturating_sub(held).max(1));
            let taken: usize = parts.iter().map(RecordBatch::num_rows).sum();
            push(&mut open, &parts, &full, if taken < FEW_ROWS { &alone } else { threads })?;
            rows += u64::try_from(taken).unwrap_or(u64::MAX);
            held += taken;
            parts = rest;
            if held >= most {
                close(&mut file, std::mem::take(&mut open), threads)?;
                held = 0;
            }
        }
    }
    if held > 0 {
        close(&mut file, open, threads)?;
    }
    file.close().map_err(unwritten)?;
    Ok(rows)
}

/// Leaves so many rows of the parts, and gives the rest.
fn cut(parts: &mut Vec<RecordBatch>, rows: usize) -> Vec<RecordBatch> {
    let mut left = rows;
    for (place, part) in parts.iter().enumerate() {
        if part.num_rows() > left {
            let (front, back) = (part.slice(0, left), part.slice(left, part.num_rows() - left));
            let mut rest = parts.split_off(place);
            parts.extend((left > 0).then_some(front));
            if let Some(first) = rest.first_mut() {
                *first = back;
            }
            return rest;
        }
        left -= part.num_rows();
    }
    Vec::new()
}

/// Columns of a row group that begins.
fn columns<W: Write + Send>(schema: &SchemaRef, file: &SerializedFileWriter<W>) -> Result<Vec<Kind>> {
    let described = file.schema_descr().columns();
    if described.len() != schema.fields().len() {
        return Err(Error::bug("a file has other columns than its rows"));
    }
    let each = schema.fields().iter().zip(described);
    each.map(|(field, descr)| Kind::new(field.data_type(), descr, file.properties())).collect()
}

/// Adds rows to each column.
fn push(columns: &mut [Kind], parts: &[RecordBatch], full: &[bool], threads: &Threads) -> Result<()> {
    let work = columns.iter_mut().zip(full).enumerate();
    let push = |(place, (column, full)): (usize, (&mut Kind, &bool))| column.push(parts, place, *full);
    side_by_side(work, push, threads).map(|_: Vec<()>| ())
}

/// Ends a row group.
fn close<W: Write + Send>(
    file: &mut SerializedFileWriter<W>,
    columns: Vec<Kind>,
    threads: &Threads,
) -> Result<()> {
    let chunks = side_by_side(columns.into_iter(), Kind::close, threads)?;
    let mut group = file.next_row_group().map_err(unwritten)?;
    for chunk in chunks {
        let (bytes, close) = chunk.into_parts();
        group.append_column(&bytes, close).map_err(unwritten)?;
    }
    group.close().map_err(unwritten).map(|_| ())
}

/// A column of a type that a dataset has.
enum Kind {
    Texts(Box<Column<Texts>>),
    Booleans(Box<Column<Booleans>>),
    Short(Box<Column<Numbers<Int32Type>>>),
    Long(Box<Column<Numbers<Int64Type>>>),
    Times(Box<Column<Numbers<TimestampMicrosecondType>>>),
}

impl Kind {
    fn new(kind: &DataType, descr: &ColumnDescPtr, properties: &Arc<WriterProperties>) -> Result<Self> {
        let plan = Plan::new(descr, properties)?;
        Ok(match kind {
            DataType::Utf8 => Self::Texts(Box::new(Column::new(plan)?)),
            DataType::Boolean => Self::Booleans(Box::new(Column::new(plan)?)),
            DataType::Int32 => Self::Short(Box::new(Column::new(plan)?)),
            DataType::Int64 => Self::Long(Box::new(Column::new(plan)?)),
            DataType::Timestamp(..) => Self::Times(Box::new(Column::new(plan)?)),
            _ => return Err(Error::bug("a column has a type that no dataset has")),
        })
    }

    fn push(&mut self, parts: &[RecordBatch], place: usize, full: bool) -> Result<()> {
        match self {
            Self::Texts(column) => column.push(&rows(parts, place)?, full),
            Self::Booleans(column) => column.push(&rows(parts, place)?, full),
            Self::Short(column) => column.push(&rows(parts, place)?, full),
            Self::Long(column) => column.push(&rows(parts, place)?, full),
            Self::Times(column) => column.push(&rows(parts, place)?, full),
        }
    }

    fn close(self) -> Result<Chunk> {
        match self {
            Self::Texts(column) => column.close(),
            Self::Booleans(column) => column.close(),
            Self::Short(column) => column.close(),
            Self::Long(column) => column.close(),
            Self::Times(column) => column.close(),
        }
    }
}

/// The rows of one column.
fn rows<A: Array + 'static>(parts: &[RecordBatch], place: usize) -> Result<Rows<'_, A>> {
    let arrays: Option<Vec<&A>> =
        parts.iter().map(|part| part.columns().get(place)?.as_any().downcast_ref()).collect();
    Ok(Rows::new(arrays.ok_or_else(|| Error::bug("a column has another type than in its file"))?.into_iter()))
}

#[cfg(test)]
mod tests;
