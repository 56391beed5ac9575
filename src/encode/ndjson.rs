//! NDJSON of events: the original events, one JSON object a line.
//!
//! The rows have one column, [`EVENT_TEXT`], which holds each event's text on one line; what makes the text and what
//! reads it as columns is not this file's matter. UTF-8 without a byte order mark, LF after every line.
//! What this file must not know: the members of an event, where the bytes go.

use std::io::Write;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::builder::{ArrayBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use memchr::{memchr_iter, memchr2};

use crate::error::{Error, Kind, Result};
use crate::model::json::{Kind as JsonKind, Value};

use super::file::{FileMetadata, ReadLimits, Table, over_limit};
use super::recut::{Batches, uncut};

/// The one column of NDJSON: an event's JSON text without insignificant white space.
pub const EVENT_TEXT: &str = "event_text";

/// Rows and bytes of a batch that is read, at most.
const READ_ROWS: usize = 1_024;
const READ_BYTES: usize = 1 << 29;

/// Bytes of one line, at most; with a batch's, below what a 32-bit offset can hold.
const MAX_LINE: usize = 1 << 30;

/// Bytes that a row takes beside its text.
const ROW_BYTES: u64 = 8;

pub(super) fn write(
    schema: &SchemaRef,
    batches: &mut Batches<'_>,
    sink: &mut (impl Write + ?Sized),
) -> Result<u64> {
    if !matches!(schema.fields().as_ref(), [field] if field.name() == EVENT_TEXT && *field.data_type() == DataType::Utf8)
    {
        return Err(Error::bug("NDJSON holds the events' texts alone"));
    }
    let mut rows = 0_u64;
    for batch in uncut(schema, batches) {
        let batch = batch?;
        let texts = batch.column_by_name(EVENT_TEXT).and_then(|column| column.as_string_opt::<i32>());
        for text in texts.into_iter().flat_map(|texts| texts.iter()) {
            let text = text.ok_or_else(|| Error::bug("a row has no event"))?;
            whole(text).map_err(|why| Error::bug("an event cannot be a line").at("why", why))?;
            debug_assert!(check(text).is_ok(), "an event is a line, but not JSON");
            let written = sink.write_all(text.as_bytes()).and_then(|()| sink.write_all(b"\n"));
            written
                .map_err(|cause| Error::new(Kind::Storage, "cannot write an NDJSON file").because(cause))?;
            rows += 1;
        }
    }
    Ok(rows)
}

/// A text that is written is JSON: it was read when its row was made. Here it is only held to be a line that begins and
/// ends as one object; where something may begin behind the end of another, all of it is read again.
fn whole(line: &str) -> Result<(), &'static str> {
    let bytes = line.as_bytes();
    if memchr2(b'\n', b'\r', bytes).is_some() {
        return Err("it has line ends");
    }
    let inner = bytes.strip_prefix(b"{").and_then(|bytes| bytes.strip_suffix(b"}"));
    let inner = inner.ok_or("it is not one JSON object")?;
    let within = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| inner.get(before));
        matches!(before, Some(b':' | b',' | b'['))
    };
    if memchr_iter(b'{', inner).all(within) { Ok(()) } else { check(line) }
}

/// A line that is read is one JSON object and nothing around it.
fn check(line: &str) -> Result<(), &'static str> {
    if memchr2(b'\n', b'\r', line.as_bytes()).is_some() {
        return Err("it has line ends");
    }
    match Value::parse(line) {
        Ok(value) if value.kind() == JsonKind::Object && value.text().len() == line.len() => Ok(()),
        _ => Err("it is not one JSON object"),
    }
}

pub(super) fn read(bytes: &[u8], limits: ReadLimits) -> Result<Table> {
    let refused = |why, row: u64| {
        Error::new(Kind::Verification, "not a readable NDJSON file").at("why", why).at("row", row)
    };
    let text = std::str::from_utf8(bytes).map_err(|cause| refused("not UTF-8", 0).because(cause))?;
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new(EVENT_TEXT, DataType::Utf8, false)]));
    let mut builder = StringBuilder::new();
    let finish = |builder: &mut StringBuilder| {
        RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(builder.finish())])
            .map_err(|cause| Error::bug("lines do not make a batch").because(cause))
    };
    let (mut batches, mut rows, mut memory) = (Vec::new(), 0_u64, 0_u64);
    for line in text.split_inclusive('\n') {
        rows += 1;
        if rows > limits.rows {
            return Err(over_limit("rows", limits.rows));
        }
        let line = line.strip_suffix('\n').ok_or_else(|| refused("the last line has no end", rows))?;
        if line.len() > MAX_LINE {
            return Err(over_limit("bytes of a line", u64::try_from(MAX_LINE).unwrap_or(u64::MAX)));
        }
        check(line).map_err(|why| refused(why, rows))?;
        memory =
            memory.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX)).saturating_add(ROW_BYTES);
        if memory > limits.memory {
            return Err(over_limit("bytes of memory", limits.memory));
        }
        builder.append_value(line);
        if builder.values_slice().len() >= READ_BYTES || builder.len() >= READ_ROWS {
            batches.push(finish(&mut builder)?);
        }
    }
    if !builder.is_empty() {
        batches.push(finish(&mut builder)?);
    }
    Ok(Table { schema, batches, metadata: FileMetadata::new() })
}

#[cfg(test)]
mod tests;
