//! CSV: the writing side, and the spelling of values that both sides share.
//!
//! RFC 4180 with a header row: commas, CRLF, UTF-8 without a byte order mark. Null is nothing between commas and the
//! empty text is `""`. Times are `2026-03-28T02:14:00Z`, with six fraction digits only if they are not zero.
//! A text that a spreadsheet could take for a formula gets one `'` in front; a text that begins with `'` gets one too,
//! so that taking one leading `'` away restores every value.
//! The `csv` library is not used: when it reads, it does not tell `""` from nothing, and it cannot quote one field of
//! a row alone. What this file must not know: what the columns mean, where the bytes go.

use std::borrow::Cow;
use std::io::{self, Write};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, SchemaRef};

use crate::error::{Error, Kind, Result};
use crate::model::Timestamp;

use super::recut::recut;

mod fields;
mod read;

pub(super) use read::read;

/// What ends a record.
const LINE_END: &str = "\r\n";

/// First letters that make a spreadsheet calculate, or that make it skip to one that does; the full-width forms count
/// where the locale says so. `'` is here because it is the guard itself.
const GUARDED: [char; 12] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', GUARD];

const GUARD: char = '\'';

pub(super) fn write(schema: &SchemaRef, batches: &[RecordBatch], sink: &mut impl Write) -> Result<u64> {
    let mut line = String::new();
    for (position, field) in schema.fields().iter().enumerate() {
        if is_guarded(field.name()) {
            return Err(Error::bug("a column's name looks like a formula").at("column", field.name()));
        }
        push(&mut line, position, Some(field.name()));
    }
    end(&mut line, sink)?;
    let mut rows = 0_u64;
    for batch in recut(schema, batches) {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            for (position, column) in batch.columns().iter().enumerate() {
                push(&mut line, position, text(column, row)?.as_deref());
            }
            end(&mut line, sink)?;
            rows += 1;
        }
    }
    Ok(rows)
}

/// The text of one value, guarded; `None` for null.
fn text(column: &ArrayRef, row: usize) -> Result<Option<Cow<'_, str>>> {
    if column.is_null(row) {
        return Ok(None);
    }
    Ok(Some(match column.data_type() {
        DataType::Utf8 => guarded(column.as_string::<i32>().value(row)),
        DataType::Boolean => Cow::Borrowed(if column.as_boolean().value(row) { "true" } else { "false" }),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string().into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string().into(),
        DataType::Timestamp(..) => time(column.as_primitive::<TimestampMicrosecondType>().value(row))?.into(),
        other => return Err(Error::bug("a column of a type that has no text").at("type", other)),
    }))
}

fn time(micros: i64) -> Result<String> {
    let at = Timestamp::from_micros(micros);
    let text = at.to_string();
    if Timestamp::parse(&text).is_none_or(|parsed| parsed.at != at) {
        return Err(Error::bug("a time has no text").at("microseconds", micros));
    }
    Ok(text + "Z")
}

fn is_guarded(text: &str) -> bool {
    text.starts_with(GUARDED)
}

fn guarded(text: &str) -> Cow<'_, str> {
    if is_guarded(text) { format!("{GUARD}{text}").into() } else { Cow::Borrowed(text) }
}

/// Appends one field of a record.
fn push(line: &mut String, position: usize, value: Option<&str>) {
    if position > 0 {
        line.push(',');
    }
    let Some(value) = value else { return };
    if !value.is_empty() && !value.contains([',', '"', '\r', '\n']) {
        line.push_str(value);
        return;
    }
    line.push('"');
    for (position, part) in value.split('"').enumerate() {
        if position > 0 {
            line.push_str("\"\"");
        }
        line.push_str(part);
    }
    line.push('"');
}

fn end(line: &mut String, sink: &mut impl Write) -> Result<()> {
    line.push_str(LINE_END);
    sink.write_all(line.as_bytes()).map_err(unwritten)?;
    line.clear();
    Ok(())
}

fn unwritten(cause: io::Error) -> Error {
    Error::new(Kind::Storage, "cannot write a CSV file").because(cause)
}

#[cfg(test)]
mod tests;
