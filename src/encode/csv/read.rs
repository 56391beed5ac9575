//! CSV: the reading side, the exact inverse of the writing side.
//!
//! Lines are refused that the writing side would not have made: another number of fields, an unguarded formula, a time
//! without `Z`. What this file must not know: what the columns mean.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Int32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::fields::Fields;
use super::{GUARD, is_guarded};
use crate::encode::columns;
use crate::encode::file::{FileMetadata, ReadLimits, Table, over_limit};
use crate::error::{Error, Kind, Result};
use crate::model::Timestamp;

/// Rows of a batch.
const READ_ROWS: usize = 1_024;

/// Bytes of text after which a batch ends: offsets are 32-bit.
const READ_BYTES: usize = 1 << 29;

/// Bytes of one field, at most; with a batch's, below what an offset can hold.
const MAX_FIELD: usize = 1 << 30;

/// Bytes that a value takes beside its text: offset and validity, or the value itself.
const VALUE_BYTES: u64 = 8;

pub(in crate::encode) fn read(bytes: &[u8], types: &Schema, limits: ReadLimits) -> Result<Table> {
    let text = std::str::from_utf8(bytes).map_err(|cause| refused("not UTF-8", 0).because(cause))?;
    let mut fields = Fields::new(text);
    let schema = header(&mut fields, types)?;
    let mut batch = Batch::new(&schema);
    let (mut batches, mut rows, mut memory) = (Vec::new(), 0_u64, 0_u64);
    while !fields.at_end() {
        rows += 1;
        if rows > limits.rows {
            return Err(over_limit("rows", limits.rows));
        }
        let taken = batch.record(&mut fields).map_err(|why| refused(why, rows))?;
        let values = VALUE_BYTES.saturating_mul(u64::try_from(batch.columns.len()).unwrap_or(u64::MAX));
        memory = memory.saturating_add(u64::try_from(taken).unwrap_or(u64::MAX)).saturating_add(values);
        if memory > limits.memory {
            return Err(over_limit("bytes of memory", limits.memory));
        }
        if batch.rows >= READ_ROWS || batch.bytes >= READ_BYTES {
            batches.push(batch.finish(&schema)?);
        }
    }
    if batch.rows > 0 {
        batches.push(batch.finish(&schema)?);
    }
    Ok(Table { schema, batches, metadata: FileMetadata::new() })
}

fn header(fields: &mut Fields<'_>, types: &Schema) -> Result<SchemaRef> {
    let mut names = Vec::new();
    loop {
        let field = fields.next().map_err(|why| refused(why, 0))?;
        let name = field.value.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| refused("a column has no name", 0))?;
        let known = types.field_with_name(&name).ok();
        let data_type = known.map_or(DataType::Utf8, |known| known.data_type().clone());
        names.push(Field::new(name.as_ref(), data_type, known.is_none_or(Field::is_nullable)));
        if field.last {
            break;
        }
    }
    let schema = Schema::new(names);
    columns::check(&schema).map_err(|cause| refused("not such columns", 0).because(cause))?;
    Ok(Arc::new(schema))
}

fn refused(why: &'static str, row: u64) -> Error {
    Error::new(Kind::Verification, "not a readable CSV file").at("why", why).at("row", row)
}

/// The rows that wait to become a batch.
struct Batch {
    columns: Vec<Column>,
    rows: usize,
    /// Bytes of the fields' text.
    bytes: usize,
}

enum Column {
    Text(StringBuilder),
    Boolean(BooleanBuilder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Time(TimestampMicrosecondBuilder),
}

impl Batch {
    fn new(schema: &Schema) -> Self {
        let column = |field: &Arc<Field>| match field.data_type() {
            DataType::Boolean => Column::Boolean(BooleanBuilder::new()),
            DataType::Int32 => Column::Int32(Int32Builder::new()),
            DataType::Int64 => Column::Int64(Int64Builder::new()),
            DataType::Timestamp(..) => Column::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            _ => Column::Text(StringBuilder::new()),
        };
        Self { columns: schema.fields().iter().map(column).collect(), rows: 0, bytes: 0 }
    }

    /// Takes one record; gives the bytes of its text.
    fn record(&mut self, fields: &mut Fields<'_>) -> Result<usize, &'static str> {
        let (mut taken, mut left) = (0, self.columns.len());
        for column in &mut self.columns {
            let field = fields.next()?;
            left -= 1;
            if field.last != (left == 0) {
                return Err("a row has another number of fields than the header");
            }
            let length = field.value.as_ref().map_or(0, |value| value.len());
            if length > MAX_FIELD {
                return Err("a field is too long");
            }
            taken += length;
            column.push(field.value)?;
        }
        self.rows += 1;
        self.bytes += taken;
        Ok(taken)
    }

    fn finish(&mut self, schema: &SchemaRef) -> Result<RecordBatch> {
        (self.rows, self.bytes) = (0, 0);
        let arrays = self.columns.iter_mut().map(Column::finish).collect();
        RecordBatch::try_new(Arc::clone(schema), arrays)
            .map_err(|cause| refused("a value is missing", 0).because(cause))
    }
}

impl Column {
    fn push(&mut self, value: Option<Cow<'_, str>>) -> Result<(), &'static str> {
        let value = value.as_deref();
        match self {
            Self::Text(builder) => builder.append_option(value.map(unguarded).transpose()?),
            Self::Boolean(builder) => builder.append_option(typed(value, |text| match text {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            })?),
            Self::Int32(builder) => builder.append_option(typed(value, |text| text.parse().ok())?),
            Self::Int64(builder) => builder.append_option(typed(value, |text| text.parse().ok())?),
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

fn unguarded(text: &str) -> Result<&str, &'static str> {
    match text.strip_prefix(GUARD) {
        Some(inner) if is_guarded(inner) => Ok(inner),
        None if !is_guarded(text) => Ok(text),
        _ => Err("a text is not guarded as it must be"),
    }
}
