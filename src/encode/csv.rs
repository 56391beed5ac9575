//! CSV: the writing side, and the spelling of values that both sides share.
//!
//! RFC 4180 with a header row: commas, CRLF, UTF-8 without a byte order mark. Null is nothing between commas and the
//! empty text is `""`.
//! Where formulas are guarded, a text that a spreadsheet could take for one gets one `'` in front; a text that begins
//! with `'` gets one too, so that taking one leading `'` away restores every value.
//! The `csv` library is not used: when it reads, it does not tell `""` from nothing, and it cannot quote one field of
//! a row alone. What this file must not know: what the columns mean, where the bytes go.

use std::io::{self, Write};

use arrow_array::{Array, StringArray};
use arrow_schema::SchemaRef;
use memchr::{memchr, memchr_iter, memchr3};

use crate::error::{Error, Kind, Result};
use crate::model::Formulas;

use super::recut::{Batches, uncut};
use super::values::{Cells, Times};

mod fields;
mod read;

pub(super) use read::read;

/// What ends a record.
const LINE_END: &str = "\r\n";

/// First letters that make a spreadsheet calculate, or that make it skip to one that does; the full-width forms count
/// where the locale says so. `'` is here because it is the guard itself.
const GUARDED: [char; 12] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\''];

const GUARD: u8 = b'\'';

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
    let mut line = Vec::new();
    for (position, field) in schema.fields().iter().enumerate() {
        if formulas == Formulas::Guarded && is_guarded(field.name()) {
            return Err(Error::bug("a column's name looks like a formula").at("column", field.name()));
        }
        if position > 0 {
            line.push(b',');
        }
        push(&mut line, field.name(), false, is_special(field.name().as_bytes()));
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
    let mut line = Vec::new();
    let mut plain = (Times::default(), String::new());
    let mut rows = 0_u64;
    for batch in uncut(schema, batches) {
        let batch = batch?;
        let columns: Vec<Column<'_>> = Cells::all(&batch)?.into_iter().map(Column::of).collect();
        for row in 0..batch.num_rows() {
            for (position, column) in columns.iter().enumerate() {
                if position > 0 {
                    line.push(b',');
                }
                column.push(&mut line, row, formulas, &mut plain)?;
            }
            end(&mut line, sink)?;
            rows += 1;
        }
    }
    Ok(rows)
}

/// A column of one batch, by what its fields need.
enum Column<'a> {
    /// All of them are null.
    Nothing,
    /// Texts; whether one of them may need quotes for what is in it.
    Text(&'a StringArray, bool),
    /// Never in need of quotes or a guard.
    Plain(Cells<'a>),
}

impl<'a> Column<'a> {
    fn of(cells: Cells<'a>) -> Self {
        match cells {
            _ if cells.is_nothing() => Self::Nothing,
            Cells::Text(texts) => Self::Text(texts, is_special(values(texts))),
            other => Self::Plain(other),
        }
    }

    /// Appends one field, without the comma; beside it what plain values are spelled with.
    fn push(
        &self,
        line: &mut Vec<u8>,
        row: usize,
        formulas: Formulas,
        (times, plain): &mut (Times, String),
    ) -> Result<()> {
        match self {
            Self::Nothing => {}
            Self::Text(texts, special) => {
                if texts.is_valid(row) {
                    let text = texts.value(row);
                    let guard = formulas == Formulas::Guarded && is_guarded(text);
                    let quotes = text.is_empty() || (*special && is_special(text.as_bytes()));
                    push(line, text, guard, quotes);
                }
            }
            Self::Plain(cells) => {
                plain.clear();
                cells.push(plain, row, times)?;
                line.extend_from_slice(plain.as_bytes());
            }
        }
        Ok(())
    }
}

/// The texts of a column one after the other, which is where a text that needs quotes is searched for at once.
fn values(texts: &StringArray) -> &[u8] {
    let offset = |at: Option<&i32>| at.and_then(|at| usize::try_from(*at).ok()).unwrap_or_default();
    let offsets = texts.value_offsets();
    texts.value_data().get(offset(offsets.first())..offset(offsets.last())).unwrap_or_default()
}

/// Whether a text needs quotes.
fn is_special(bytes: &[u8]) -> bool {
    memchr3(b',', b'"', b'\n', bytes).is_some() || memchr(b'\r', bytes).is_some()
}

fn is_guarded(text: &str) -> bool {
    // Nearly every text begins with a letter or a digit.
    let plain = text.as_bytes().first().is_none_or(u8::is_ascii_alphanumeric);
    !plain && text.starts_with(GUARDED)
}

/// Appends a text.
fn push(line: &mut Vec<u8>, text: &str, guard: bool, quotes: bool) {
    if quotes {
        return quoted(line, text, guard);
    }
    line.extend(guard.then_some(GUARD));
    line.extend_from_slice(text.as_bytes());
}

/// Appends a text in quotes.
fn quoted(line: &mut Vec<u8>, text: &str, guard: bool) {
    line.push(b'"');
    line.extend(guard.then_some(GUARD));
    let bytes = text.as_bytes();
    // JSON has a quote every few letters: all places hold quotes, letters go into theirs, and a quote leaves the next as it is.
    let mut at = line.len();
    line.resize(at + bytes.len() + memchr_iter(b'"', bytes).count() + 1, b'"');
    for byte in bytes {
        if let Some(place) = line.get_mut(at) {
            *place = *byte;
        }
        at += 1 + usize::from(*byte == b'"');
    }
}

fn end(line: &mut Vec<u8>, sink: &mut (impl Write + ?Sized)) -> Result<()> {
    line.extend_from_slice(LINE_END.as_bytes());
    sink.write_all(line).map_err(unwritten)?;
    line.clear();
    Ok(())
}

fn unwritten(cause: io::Error) -> Error {
    Error::new(Kind::Storage, "cannot write a CSV file").because(cause)
}

#[cfg(test)]
mod tests;
