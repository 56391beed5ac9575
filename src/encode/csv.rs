//! CSV: the writing side, and the spelling of values that both sides share.
//!
//! RFC 4180 with a header row: commas, CRLF, UTF-8 without a byte order mark. Null is nothing between commas and the
//! empty text is `""`.
//! Where formulas are guarded, a text that a spreadsheet could take for one gets one `'` in front; a text that begins
//! with `'` gets one too, so that taking one leading `'` away restores every value.
//! The `csv` library is not used: when it reads, it does not tell `""` from nothing, and it cannot quote one field of
//! a row alone. What this file must not know: what the columns mean, where the bytes go.

use std::borrow::Cow;
use std::io::{self, Write};

use arrow_schema::SchemaRef;
use memchr::{memchr, memchr_iter, memchr3};

use crate::error::{Error, Kind, Result};
use crate::model::Formulas;

use super::recut::{Batches, recut};
use super::values::Cells;

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

pub(super) fn write(
    schema: &SchemaRef,
    batches: &mut Batches<'_>,
    formulas: Formulas,
    sink: &mut (impl Write + ?Sized),
) -> Result<u64> {
    header(schema, formulas, sink)?;
    rows(schema, batches, formulas, sink)
}

/// The header row.
pub(super) fn header(schema: &SchemaRef, formulas: Formulas, sink: &mut (impl Write + ?Sized)) -> Result<()> {
    let mut line = String::new();
    for (position, field) in schema.fields().iter().enumerate() {
        if formulas == Formulas::Guarded && is_guarded(field.name()) {
            return Err(Error::bug("a column's name looks like a formula").at("column", field.name()));
        }
        push(&mut line, position, Some(field.name()));
    }
    end(&mut line, sink)
}

/// The rows below the header; gives their number.
pub(super) fn rows(
    schema: &SchemaRef,
    batches: &mut Batches<'_>,
    formulas: Formulas,
    sink: &mut (impl Write + ?Sized),
) -> Result<u64> {
    let mut line = String::new();
    let mut rows = 0_u64;
    for batch in recut(schema, batches) {
        let batch = batch?;
        let columns = Cells::all(&batch)?;
        for row in 0..batch.num_rows() {
            for (position, cells) in columns.iter().enumerate() {
                let text = cells.text(row)?;
                let text = match formulas {
                    Formulas::Guarded if cells.is_text() => text.map(guarded),
                    _ => text,
                };
                push(&mut line, position, text.as_deref());
            }
            end(&mut line, sink)?;
            rows += 1;
        }
    }
    Ok(rows)
}

fn is_guarded(text: &str) -> bool {
    text.starts_with(GUARDED)
}

fn guarded(text: Cow<'_, str>) -> Cow<'_, str> {
    // Nearly every text begins with a letter or a digit.
    let plain = text.as_bytes().first().is_none_or(u8::is_ascii_alphanumeric);
    if !plain && is_guarded(&text) { format!("{GUARD}{text}").into() } else { text }
}

/// Appends one field of a record.
fn push(line: &mut String, position: usize, value: Option<&str>) {
    if position > 0 {
        line.push(',');
    }
    let Some(value) = value else { return };
    let bytes = value.as_bytes();
    if !value.is_empty() && memchr3(b',', b'"', b'\n', bytes).is_none() && memchr(b'\r', bytes).is_none() {
        line.push_str(value);
        return;
    }
    line.push('"');
    let mut from = 0;
    for quote in memchr_iter(b'"', bytes) {
        // The quote itself ends this part and begins the next.
        line.push_str(value.get(from..=quote).unwrap_or_default());
        from = quote;
    }
    line.push_str(value.get(from..).unwrap_or_default());
    line.push('"');
}

fn end(line: &mut String, sink: &mut (impl Write + ?Sized)) -> Result<()> {
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
