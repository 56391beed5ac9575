//! NDJSON of columns: each row of the table as one flat JSON object a line.
//!
//! Every column is there in the table's order; null is `null`, integers are numbers with all their digits, times are
//! text. UTF-8 without a byte order mark, LF after every line. The reading side refuses what the writing side would not
//! have made: other members, another order, another spelling.
//! What this file must not know: what the columns mean, where the bytes go.

use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::columns;
use super::file::{FileMetadata, ReadLimits, Table, over_limit};
use super::recut::{Batches, uncut};
use super::values::{Cells, Rows, Times};
use crate::error::{Error, Kind, Result};
use crate::model::json::{Kind as JsonKind, Value, push_string};

/// Bytes that a value takes beside its text.
const VALUE_BYTES: u64 = 8;

pub(super) fn write(
    schema: &SchemaRef,
    batches: &mut Batches<'_>,
    sink: &mut (impl Write + ?Sized),
) -> Result<u64> {
    let (mut line, mut rows, mut times) = (String::new(), 0_u64, Times::default());
    // Each member's name; and with `null` behind it, which is what most members are.
    let names: Vec<(String, String)> = schema
        .fields()
        .iter()
        .enumerate()
        .map(|(position, field)| {
            let mut text = String::new();
            name(&mut text, position == 0, field);
            let null = format!("{text}null");
            (text, null)
        })
        .collect();
    for batch in uncut(schema, batches) {
        let batch = batch?;
        let columns = Cells::all(&batch)?;
        for row in 0..batch.num_rows() {
            line.clear();
            for ((name, null), cells) in names.iter().zip(&columns) {
                if cells.is_null(row) {
                    line.push_str(null);
                } else {
                    line.push_str(name);
                    cell(&mut line, cells, row, &mut times)?;
                }
            }
            line.push_str(if names.is_empty() { "{}\n" } else { "}\n" });
            sink.write_all(line.as_bytes())
                .map_err(|cause| Error::new(Kind::Storage, "cannot write an NDJSON file").because(cause))?;
            rows += 1;
        }
    }
    Ok(rows)
}

/// Appends a member's value that is not null, as [`value`] spells it.
fn cell(line: &mut String, cells: &Cells<'_>, row: usize, times: &mut Times) -> Result<()> {
    match cells {
        Cells::Text(texts) => push_string(line, texts.value(row)),
        Cells::Time(_) => {
            line.push('"');
            cells.push(line, row, times)?;
            line.push('"');
        }
        _ => cells.push(line, row, times)?,
    }
    Ok(())
}

/// Appends a member's value from its text.
fn value(line: &mut String, field: &Field, value: Option<&str>) {
    match (value, field.data_type()) {
        (None, _) => line.push_str("null"),
        (Some(value), DataType::Utf8 | DataType::Timestamp(..)) => push_string(line, value),
        (Some(value), _) => line.push_str(value),
    }
}

/// Appends what stands in front of it.
fn name(line: &mut String, first: bool, field: &Field) {
    line.push(if first { '{' } else { ',' });
    push_string(line, field.name());
    line.push(':');
}

pub(super) fn read(bytes: &[u8], types: &Schema, limits: ReadLimits) -> Result<Table> {
    let text = std::str::from_utf8(bytes).map_err(|cause| refused("not UTF-8", 0).because(cause))?;
    if text.is_empty() {
        let (schema, batches) = (Arc::new(types.clone()), Vec::new());
        return Ok(Table { schema, batches, metadata: FileMetadata::new() });
    }
    let schema = schema(text.lines().next().unwrap_or_default(), types)?;
    let mut waiting = Rows::new(&schema);
    let (mut batches, mut rows, mut memory) = (Vec::new(), 0_u64, 0_u64);
    let width = u64::try_from(schema.fields().len()).unwrap_or(u64::MAX);
    let mut again = String::new();
    for line in text.split_inclusive('\n') {
        rows += 1;
        if rows > limits.rows {
            return Err(over_limit("rows", limits.rows));
        }
        let line = line.strip_suffix('\n').ok_or_else(|| refused("the last line has no end", rows))?;
        let taken = row(&mut waiting, &schema, line, &mut again).map_err(|why| refused(why, rows))?;
        let taken = u64::try_from(taken).unwrap_or(u64::MAX);
        memory = memory.saturating_add(taken).saturating_add(VALUE_BYTES.saturating_mul(width));
        if memory > limits.memory {
            return Err(over_limit("bytes of memory", limits.memory));
        }
        batches.extend(waiting.full().map_err(|why| refused(why, rows))?);
    }
    batches.extend(waiting.finish().map_err(|why| refused(why, rows))?);
    Ok(Table { schema, batches, metadata: FileMetadata::new() })
}

/// The columns that the first line has; text where the caller knows none of this name.
fn schema(first: &str, types: &Schema) -> Result<SchemaRef> {
    let value = object(first).map_err(|why| refused(why, 1))?;
    let mut fields = Vec::new();
    for (key, _) in value.members() {
        let name = key.decode().ok_or_else(|| refused("a name is not Unicode", 1))?;
        let known = types.field_with_name(&name).ok();
        let data_type = known.map_or(DataType::Utf8, |known| known.data_type().clone());
        fields.push(Field::new(name.as_ref(), data_type, known.is_none_or(Field::is_nullable)));
    }
    let schema = Schema::new(fields);
    columns::check(&schema).map_err(|cause| refused("not such columns", 1).because(cause))?;
    Ok(Arc::new(schema))
}

fn object(line: &str) -> Result<Value<'_>, &'static str> {
    match Value::parse(line) {
        Ok(value) if value.kind() == JsonKind::Object && value.text().len() == line.len() => Ok(value),
        _ => Err("it is not one JSON object"),
    }
}

/// Takes one line; gives the bytes of its values' text. `again` is what the writing side makes of these values.
fn row(waiting: &mut Rows, schema: &Schema, line: &str, again: &mut String) -> Result<usize, &'static str> {
    let object = object(line)?;
    let (mut members, mut fields) = (object.members(), schema.fields().iter());
    again.clear();
    let taken = waiting.push(|kind| {
        let member =
            members.next().map(|(_, value)| value).ok_or("a line has other members than the first")?;
        let text = match (member.kind(), kind) {
            (JsonKind::Null, _) => None,
            (JsonKind::String, DataType::Utf8 | DataType::Timestamp(..)) => {
                Some(member.as_text().and_then(|text| text.decode()).ok_or("a text is not Unicode")?)
            }
            (JsonKind::Boolean, DataType::Boolean)
            | (JsonKind::Number, DataType::Int32 | DataType::Int64) => Some(Cow::Borrowed(member.text())),
            _ => return Err("a value is not of its column's type"),
        };
        if let Some(field) = fields.next() {
            name(again, again.is_empty(), field);
            value(again, field, text.as_deref());
        }
        Ok(text)
    })?;
    again.push_str(if again.is_empty() { "{}" } else { "}" });
    if again.as_str() == line { Ok(taken) } else { Err("it is spelled otherwise than it is written") }
}

fn refused(why: &'static str, row: u64) -> Error {
    Error::new(Kind::Verification, "not a readable NDJSON file").at("why", why).at("row", row)
}
