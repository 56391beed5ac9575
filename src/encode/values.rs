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

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

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

    fn array(&self) -> &dyn Array {
        match self {
            Self::Text(column) => column,
            Self::Boolean(column) => column,
            Self::Int32(column) => column,
            Self::Int64(column) => column,
            Self::Time(column) => column,
        }
    }

    /// Whether all values are null.
    pub(super) fn is_nothing(&self) -> bool {
        self.array().null_count() == self.array().len()
    }

    /// Whether the value of this row is null.
    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Text(column) => column.is_null(row),
            other => other.array().is_null(row),
        }
    }

    /// Appends the text of one value; nothing for null.
    ///
    /// # Errors
    /// Bug: a time beyond the calendar.
    pub(super) fn push(&self, out: &mut String, row: usize, times: &mut Times) -> Result<()> {
        if self.is_null(row) {
            return Ok(());
        }
        match self {
            Self::Text(column) => out.push_str(column.value(row)),
            Self::Boolean(column) => out.push_str(if column.value(row) { "true" } else { "false" }),
            Self::Int32(column) => out.push_str(&column.value(row).to_string()),
            Self::Int64(column) => out.push_str(&column.value(row).to_string()),
            Self::Time(column) => times.push(out, column.value(row))?,
        }
        Ok(())
    }
}

/// Spells times. Rows are sorted by time, so that the day is mostly the one before.
#[derive(Default)]
pub(super) struct Times {
    /// Microseconds at which the day begins, and its text up to the `T`.
    day: Option<(i64, String)>,
}

impl Times {
    /// Appends the text of a time.
    ///
    /// # Errors
    /// Bug: a time beyond the calendar.
    pub(super) fn push(&mut self, out: &mut String, micros: i64) -> Result<()> {
        let (since, start) = (micros.rem_euclid(DAY), micros.saturating_sub(micros.rem_euclid(DAY)));
        let text = match &mut self.day {
            Some((day, text)) if *day == start => text,
            // Checked when it is spelled: all times of a day are in the calendar, or none is.
            other => &mut other.insert((start, day(start)?)).1,
        };
        out.push_str(text);
        let two = |value: i64| {
            let digit = |value: i64| b'0' + u8::try_from(value % 10).unwrap_or_default();
            [digit(value / 10), digit(value)]
        };
        let mut digits = |bytes: &[u8]| out.push_str(std::str::from_utf8(bytes).unwrap_or_default());
        let seconds = since / SECOND;
        let ([h1, h2], [m1, m2], [s1, s2]) =
            (two(seconds / 3_600), two(seconds / 60 % 60), two(seconds % 60));
        digits(&[h1, h2, b':', m1, m2, b':', s1, s2]);
        let fraction = since % SECOND;
        if fraction != 0 {
            let ([a1, a2], [b1, b2], [c1, c2]) =
                (two(fraction / 10_000), two(fraction / 100 % 100), two(fraction % 100));
            digits(&[b'.', a1, a2, b1, b2, c1, c2]);
        }
        out.push('Z');
        Ok(())
    }
}

/// The text of the day that begins here, up to the `T`.
fn day(micros: i64) -> Result<String> {
    let at = Timestamp::from_micros(micros);
    let mut text = String::with_capacity(27);
    at.spell(&mut text);
    if Timestamp::parse(&text).is_none_or(|parsed| parsed.at != at) {
        return Err(Error::bug("a time has no text").at("microseconds", micros));
    }
    text.truncate(text.find('T').map_or(0, |at| at + 1));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A time's text, spelled as a whole and read again.
    fn plain(micros: i64) -> Option<String> {
        let at = Timestamp::from_micros(micros);
        let mut text = String::new();
        at.spell(&mut text);
        Timestamp::parse(&text).filter(|parsed| parsed.at == at).map(|_| text + "Z")
    }

    fn spelled(times: &mut Times, micros: i64) -> Option<String> {
        let mut text = String::new();
        times.push(&mut text, micros).ok().map(|()| text)
    }

    #[test]
    fn the_calendar_has_two_ends() {
        let mut times = Times::default();
        let (first, last) = (-62_135_596_800 * SECOND, 253_402_300_800 * SECOND - 1);
        for micros in [i64::MIN, first - DAY, first - 1, first, -1, 0, last, last + 1, last + DAY, i64::MAX] {
            assert_eq!(spelled(&mut times, micros), plain(micros), "{micros}");
        }
        assert_eq!(spelled(&mut times, first).as_deref(), Some("0001-01-01T00:00:00Z"));
        assert_eq!(spelled(&mut times, last).as_deref(), Some("9999-12-31T23:59:59.999999Z"));
        assert_eq!((spelled(&mut times, first - 1), spelled(&mut times, last + 1)), (None, None));
    }

    proptest! {
        #[test]
        fn a_time_is_spelled_as_the_model_spells_it_whatever_came_before(
            all in proptest::collection::vec(
                prop_oneof![any::<i64>(), -70_000_000_000_000_000..260_000_000_000_000_000_i64, -99 * SECOND..99 * SECOND], 1..20),
            within in proptest::collection::vec(-DAY..DAY, 1..20),
        ) {
            let mut times = Times::default();
            for micros in all.iter().copied().chain(within) {
                prop_assert_eq!(spelled(&mut times, micros), plain(micros));
            }
        }
    }
}
