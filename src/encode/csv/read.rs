//! CSV: the reading side, the exact inverse of the writing side.
//!
//! Lines are refused that the writing side would not have made: another number of fields, an unguarded formula, a time
//! without `Z`. What this file must not know: what the columns mean.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::fields::Fields;
use super::{GUARD, is_guarded};
use crate::encode::columns;
use crate::encode::file::{FileMetadata, ReadLimits, Table, over_limit};
use crate::encode::values::Rows;
use crate::error::{Error, Kind, Result};
use crate::model::Formulas;

/// Bytes that a value takes beside its text: offset and validity, or the value itself.
const VALUE_BYTES: u64 = 8;

pub(in crate::encode) fn read(
    bytes: &[u8],
    types: &Schema,
    formulas: Formulas,
    limits: ReadLimits,
) -> Result<Table> {
    let text = std::str::from_utf8(bytes).map_err(|cause| refused("not UTF-8", 0).because(cause))?;
    let mut fields = Fields::new(text);
    let schema = header(&mut fields, types)?;
    let mut waiting = Rows::new(&schema);
    let (mut batches, mut rows, mut memory) = (Vec::new(), 0_u64, 0_u64);
    let width = schema.fields().len();
    let values = VALUE_BYTES.saturating_mul(u64::try_from(width).unwrap_or(u64::MAX));
    while !fields.at_end() {
        rows += 1;
        if rows > limits.rows {
            return Err(over_limit("rows", limits.rows));
        }
        let taken = record(&mut waiting, &mut fields, width, formulas).map_err(|why| refused(why, rows))?;
        memory = memory.saturating_add(u64::try_from(taken).unwrap_or(u64::MAX)).saturating_add(values);
        if memory > limits.memory {
            return Err(over_limit("bytes of memory", limits.memory));
        }
        batches.extend(waiting.full().map_err(|why| refused(why, rows))?);
    }
    batches.extend(waiting.finish().map_err(|why| refused(why, rows))?);
    Ok(Table { schema, batches, metadata: FileMetadata::new() })
}

/// Takes one record; gives the bytes of its text.
fn record(
    waiting: &mut Rows,
    fields: &mut Fields<'_>,
    mut left: usize,
    formulas: Formulas,
) -> Result<usize, &'static str> {
    waiting.push(|kind| {
        let field = fields.next()?;
        left -= 1;
        if field.last != (left == 0) {
            return Err("a row has another number of fields than the header");
        }
        match (formulas, kind) {
            (Formulas::Guarded, DataType::Utf8) => field.value.map(unguarded).transpose(),
            _ => Ok(field.value),
        }
    })
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

fn unguarded(text: Cow<'_, str>) -> Result<Cow<'_, str>, &'static str> {
    match text.strip_prefix(char::from(GUARD)) {
        Some(inner) if is_guarded(inner) => Ok(Cow::Owned(inner.to_owned())),
        None if !is_guarded(&text) => Ok(text),
        _ => Err("a text is not guarded as it must be"),
    }
}
