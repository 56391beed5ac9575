//! Builders of columns.
//!
//! What lives here: one [`Builder`] a column and its memory. What this file must not know: what
//! the values mean.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};

use super::coerce::{self, Fit};
use crate::model::Day;
use crate::model::json::{Noted, Value};
use crate::schema::{DataType, Json};

/// Bytes a timestamp or an integer takes.
const NUMBER: usize = 8;
/// Bytes that a column of texts begins with at most.
const MOST_AHEAD: usize = 1 << 20;
/// Bytes an offset of a text takes.
const OFFSET: usize = 4;

/// Builds one column. Most columns of an event hold nothing: they catch up when a value comes, or at the batch's end.
#[derive(Debug)]
pub(super) struct Builder {
    /// Rows that are appended.
    length: usize,
    values: Values,
    day: Day,
}

#[derive(Debug)]
enum Values {
    Text(StringBuilder),
    Time(TimestampMicrosecondBuilder),
    Integer(Int64Builder),
    Boolean(BooleanBuilder),
}

impl Builder {
    pub(super) fn new(data_type: DataType) -> Self {
        let values = match data_type {
            DataType::Utf8 => Values::Text(StringBuilder::new()),
            DataType::Timestamp => Values::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            DataType::Int64 => Values::Integer(Int64Builder::new()),
            DataType::Boolean => Values::Boolean(BooleanBuilder::new()),
        };
        Self { length: 0, values, day: Day::default() }
    }

    /// Appends nulls before this row, which is appended next.
    #[inline]
    fn reach(&mut self, row: usize) {
        if self.length < row {
            self.nulls(row - self.length);
        }
        self.length += 1;
    }

    fn nulls(&mut self, count: usize) {
        self.length += count;
        match &mut self.values {
            Values::Text(builder) => builder.append_nulls(count),
            Values::Time(builder) => builder.append_nulls(count),
            Values::Integer(builder) => builder.append_nulls(count),
            Values::Boolean(builder) => builder.append_nulls(count),
        }
    }

    /// Appends a text; nothing in a column of another type, which the plan rules out.
    #[inline]
    pub(super) fn text(&mut self, row: usize, value: &str) {
        let Values::Text(builder) = &mut self.values else { return };
        if self.length < row {
            builder.append_nulls(row - self.length);
        }
        self.length = row + 1;
        builder.append_value(value);
    }

    /// Appends a value of the column's type as the coercion table has it; says how well it fits.
    pub(super) fn coerced(&mut self, row: usize, value: &Value<'_>, json: Option<Json>) -> Fit {
        self.reach(row);
        match &mut self.values {
            Values::Text(builder) => {
                let (text, fit) = coerce::text(value, json);
                builder.append_option(text.as_deref());
                fit
            }
            Values::Time(builder) => {
                let (micros, fit) = coerce::timestamp(value);
                builder.append_option(micros);
                fit
            }
            Values::Integer(builder) => {
                let (number, fit) = coerce::integer(value);
                builder.append_option(number);
                fit
            }
            Values::Boolean(builder) => {
                let (truth, fit) = coerce::boolean(value);
                builder.append_option(truth);
                fit
            }
        }
    }

    /// The same for a member, of which a time is read no further than to its date where that is known.
    #[inline]
    pub(super) fn member(&mut self, row: usize, noted: &Noted<'_>, member: usize, json: Option<Json>) -> Fit {
        if matches!(self.values, Values::Time(_))
            && let Some(at) = noted.plain_string(member).and_then(|text| self.day.time(text))
        {
            self.reach(row);
            if let Values::Time(builder) = &mut self.values {
                builder.append_value(at.micros());
            }
            return Fit::Exact;
        }
        noted.value(member).map_or(Fit::Null, |value| self.coerced(row, &value, json))
    }

    /// Bytes of so many rows.
    pub(super) fn bytes(&self, rows: usize) -> usize {
        match &self.values {
            Values::Text(builder) => builder.values_slice().len() + rows * OFFSET + rows / 8,
            Values::Time(_) | Values::Integer(_) => rows * NUMBER + rows / 8,
            Values::Boolean(_) => rows / 4,
        }
    }

    /// Nothing again.
    pub(super) fn forget(&mut self) {
        if self.length > 0 {
            self.finish(self.length);
        }
    }

    /// The column, which holds as many rows.
    pub(super) fn finish(&mut self, rows: usize) -> ArrayRef {
        self.nulls(rows.saturating_sub(self.length));
        self.length = 0;
        match &mut self.values {
            Values::Text(builder) => {
                // The next batch will be about as large.
                let (rows, bytes) = (builder.len(), builder.values_slice().len());
                let next = StringBuilder::with_capacity(rows, (bytes + bytes / 8).min(MOST_AHEAD));
                Arc::new(std::mem::replace(builder, next).finish())
            }
            Values::Time(builder) => Arc::new(builder.finish()),
            Values::Integer(builder) => Arc::new(builder.finish()),
            Values::Boolean(builder) => Arc::new(builder.finish()),
        }
    }
}
