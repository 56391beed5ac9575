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
use crate::model::json::{Noted, Value};
use crate::schema::{DataType, Json};

/// Bytes a timestamp or an integer takes.
const NUMBER: usize = 8;
/// Bytes that a column of texts begins with at most.
const MOST_AHEAD: usize = 1 << 20;
/// Bytes an offset of a text takes.
const OFFSET: usize = 4;

/// Builds one column.
#[derive(Debug)]
pub(super) enum Builder {
    Text(StringBuilder),
    Time(TimestampMicrosecondBuilder),
    Integer(Int64Builder),
    Boolean(BooleanBuilder),
}

impl Builder {
    pub(super) fn new(data_type: DataType) -> Self {
        match data_type {
            DataType::Utf8 => Self::Text(StringBuilder::new()),
            DataType::Timestamp => Self::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            DataType::Int64 => Self::Integer(Int64Builder::new()),
            DataType::Boolean => Self::Boolean(BooleanBuilder::new()),
        }
    }

    /// Appends nulls until there are as many values as rows. Most columns of an event hold nothing: they catch up when a
    /// value comes, or at the batch's end.
    #[inline]
    pub(super) fn reach(&mut self, rows: usize) {
        match rows.saturating_sub(self.len()) {
            0 => {}
            missing => self.nulls(missing),
        }
    }

    fn nulls(&mut self, count: usize) {
        match self {
            Self::Text(builder) => builder.append_nulls(count),
            Self::Time(builder) => builder.append_nulls(count),
            Self::Integer(builder) => builder.append_nulls(count),
            Self::Boolean(builder) => builder.append_nulls(count),
        }
    }

    #[inline]
    fn len(&self) -> usize {
        match self {
            Self::Text(builder) => builder.len(),
            Self::Time(builder) => builder.len(),
            Self::Integer(builder) => builder.len(),
            Self::Boolean(builder) => builder.len(),
        }
    }

    /// Appends a text; null in a column of another type, which the plan rules out.
    #[inline]
    pub(super) fn text(&mut self, value: &str) {
        match self {
            Self::Text(builder) => builder.append_value(value),
            _ => self.nulls(1),
        }
    }

    /// Appends a value of the column's type as the coercion table has it; says how well it fits.
    pub(super) fn coerced(&mut self, value: &Value<'_>, json: Option<Json>) -> Fit {
        match self {
            Self::Text(builder) => {
                let (text, fit) = coerce::text(value, json);
                builder.append_option(text.as_deref());
                fit
            }
            Self::Time(builder) => {
                let (micros, fit) = coerce::timestamp(value);
                builder.append_option(micros);
                fit
            }
            Self::Integer(builder) => {
                let (number, fit) = coerce::integer(value);
                builder.append_option(number);
                fit
            }
            Self::Boolean(builder) => {
                let (truth, fit) = coerce::boolean(value);
                builder.append_option(truth);
                fit
            }
        }
    }

    /// The same for a member, of which a plain string is looked at no further where the column is one of strings.
    #[inline]
    pub(super) fn member(&mut self, noted: &Noted<'_>, member: usize, json: Option<Json>) -> Fit {
        if let Self::Text(builder) = self
            && json == Some(Json::String)
            && let Some(text) = noted.plain_string(member)
        {
            builder.append_value(text);
            return Fit::Exact;
        }
        match noted.value(member) {
            Some(value) => self.coerced(&value, json),
            None => Fit::Null,
        }
    }

    /// Bytes of so many rows.
    pub(super) fn bytes(&self, rows: usize) -> usize {
        match self {
            Self::Text(builder) => builder.values_slice().len() + rows * OFFSET + rows / 8,
            Self::Time(_) | Self::Integer(_) => rows * NUMBER + rows / 8,
            Self::Boolean(_) => rows / 4,
        }
    }

    /// The column, which holds as many rows.
    pub(super) fn finish(&mut self, rows: usize) -> ArrayRef {
        self.reach(rows);
        match self {
            Self::Text(builder) => {
                // The next batch will be about as large.
                let (rows, bytes) = (builder.len(), builder.values_slice().len());
                let next = StringBuilder::with_capacity(rows, (bytes + bytes / 8).min(MOST_AHEAD));
                Arc::new(std::mem::replace(builder, next).finish())
            }
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Boolean(builder) => Arc::new(builder.finish()),
        }
    }
}
