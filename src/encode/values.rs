//! Values as text and back, for the formats that are text.
//!
//! What lives here: one spelling of each type, and the columns that are filled from texts. Times are
//! `2026-03-28T02:14:00Z`, with six fraction digits only if they are not zero. Any other spelling of a value is refused,
//! so that a file that reads back is one that could have been written.
//! What this file must not know: a format's quoting, what the columns mean.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Int32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{DataType, SchemaRef};

use crate::error::{Error, Result};
use crate::model::Timestamp;

/// Rows of a batch that is read, at most.
const READ_ROWS: usize = 1_024;

/// Bytes of text after which a batch ends: offsets are 32-bit.
const READ_BYTES: usize = 1 << 29;

/// Bytes of one value, at most; with a batch's, below what an offset can hold.
const MAX_VALUE: usize = 1 << 30;

/// A column whose values become text.
pub(super) enum Cells<'a> {
    Text(&'a StringArray),
    Boolean(&'a BooleanArray),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Time(&'a TimestampMicrosecondArray),
}

impl<'a> Cells<'a> {
    /// The columns of a batch.
    ///
    /// # Errors
    /// Bug: a column of a type that has no text.
    pub(super) fn all(batch: &'a RecordBatch) -> Result<Vec<Self>> {
        batch.columns().iter().map(Self::of).collect()
    }

    fn of(column: &'a ArrayRef) -> Result<Self> {
        Ok(match column.data_type() {
            DataType::Utf8 => Self::Text(column.as_string()),
            DataType::Boolean => Self::Boolean(column.as_boolean()),
            DataType::Int32 => Self::Int32(column.as_primitive::<Int32Type>()),
            DataType::Int64 => Self::Int64(column.as_primitive::<Int64Type>()),
            DataType::Timestamp(..) => Self::Time(column.as_primitive::<TimestampMicrosecondType>()),
            other => return Err(Error::bug("a column of a type that has no text").at("type", other)),
        })
    }

    /// The text of one value; `None` for null.
    ///
    /// # Errors
    /// Bug: a time beyond the calendar.
    pub(super) fn text(&self, row: usize) -> Result<Option<Cow<'a, str>>> {
        Ok(match self {
            Self::Text(column) => column.is_valid(row).then(|| column.value(row).into()),
            Self::Boolean(column) => {
                column.is_valid(row).then(|| if column.value(row) { "true" } else { "false" }.into())
            }
            Self::Int32(column) => column.is_valid(row).then(|| column.value(row).to_string().into()),
            Self::Int64(column) => column.is_valid(row).then(|| column.value(row).to_string().into()),
            Self::Time(column) if column.is_valid(row) => Some(time(column.value(row))?.into()),
            Self::Time(_) => None,
        })
    }

    /// Whether the values are texts of their own.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }
}

fn time(micros: i64) -> Result<String> {
    let at = Timestamp::from_micros(micros);
    let mut text = String::with_capacity(27);
    at.spell(&mut text);
    if Timestamp::parse(&text).is_none_or(|parsed| parsed.at != at) {
        return Err(Error::bug("a time has no text").at("microseconds", micros));
    }
    text.push('Z');
    Ok(text)
}

/// Rows that wait to become a batch.
pub(super) struct Rows {
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
    /// Bytes of the values' text.
    bytes: usize,
}

enum Column {
    Text(StringBuilder),
    Boolean(BooleanBuilder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Time(TimestampMicrosecondBuilder),
}

impl Rows {
    /// Of these columns.
    pub(super) fn new(schema: &SchemaRef) -> Self {
        let column = |kind: &DataType| match kind {
            DataType::Boolean => Column::Boolean(BooleanBuilder::new()),
            DataType::Int32 => Column::Int32(Int32Builder::new()),
            DataType::Int64 => Column::Int64(Int64Builder::new()),
            DataType::Timestamp(..) => Column::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            _ => Column::Text(StringBuilder::new()),
        };
        let columns = schema.fields().iter().map(|field| column(field.data_type())).collect();
        Self { schema: Arc::clone(schema), columns, rows: 0, bytes: 0 }
    }

    /// Takes one row, asking for the text of each column in order; gives the bytes of all of them.
    ///
    /// # Errors
    /// What is wrong with a value, or what `next` says.
    pub(super) fn push<'a>(
        &mut self,
        mut next: impl FnMut(&DataType) -> Result<Option<Cow<'a, str>>, &'static str>,
    ) -> Result<usize, &'static str> {
        let mut taken = 0;
        for (column, field) in self.columns.iter_mut().zip(self.schema.fields()) {
            let value = next(field.data_type())?;
            let length = value.as_ref().map_or(0, |value| value.len());
            if length > MAX_VALUE {
                return Err("a value is too long");
            }
            taken += length;
            column.push(value.as_deref())?;
        }
        self.rows += 1;
        self.bytes += taken;
        Ok(taken)
    }

    /// A batch, once the rows are enough for one.
    pub(super) fn full(&mut self) -> Result<Option<RecordBatch>, &'static str> {
        let full = self.rows >= READ_ROWS || self.bytes >= READ_BYTES;
        if full { self.finish() } else { Ok(None) }
    }

    /// The rows that are left, if any.
    pub(super) fn finish(&mut self) -> Result<Option<RecordBatch>, &'static str> {
        if self.rows == 0 {
            return Ok(None);
        }
        (self.rows, self.bytes) = (0, 0);
        let arrays = self.columns.iter_mut().map(Column::finish).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map(Some)
            .map_err(|_| "a value that must be there is missing")
    }
}

impl Column {
    fn push(&mut self, value: Option<&str>) -> Result<(), &'static str> {
        match self {
            Self::Text(builder) => builder.append_option(value),
            Self::Boolean(builder) => builder.append_option(typed(value, |text| match text {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            })?),
            Self::Int32(builder) => builder.append_option(typed(value, exactly::<i32>)?),
            Self::Int64(builder) => builder.append_option(typed(value, exactly::<i64>)?),
            Self::Time(builder) => builder.append_option(typed(value, |text| {
                let parsed = Timestamp::parse(text.strip_suffix('Z')?)?;
                parsed.canonical.then(|| parsed.at.micros())
            })?),
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Int32(builder) => Arc::new(builder.finish()),
            Self::Int64(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
        }
    }
}

fn typed<T>(value: Option<&str>, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, &'static str> {
    value.map(|text| read(text).ok_or("a value is not of its column's type")).transpose()
}

/// A number in the one spelling that it is written in.
fn exactly<T: std::str::FromStr + ToString>(text: &str) -> Option<T> {
    text.parse::<T>().ok().filter(|number| number.to_string() == text)
}
