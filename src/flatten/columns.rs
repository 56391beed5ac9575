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
use crate::model::json::Value;
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

    /// Appends null.
    pub(super) fn null(&mut self) {
        match self {
            Self::Text(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
            Self::Integer(builder) => builder.append_null(),
            Self::Boolean(builder) => builder.append_null(),
        }
    }

    /// Appends a text; null in a column of another type, which the plan rules out.
    pub(super) fn text(&mut self, value: Option<&str>) {
        match self {
            Self::Text(builder) => builder.append_option(value),
            _ => self.null(),
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

    /// Bytes of the values so far.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(builder) => builder.values_slice().len() + builder.len() * OFFSET + builder.len() / 8,
            Self::Time(builder) => builder.len() * NUMBER + builder.len() / 8,
            Self::Integer(builder) => builder.len() * NUMBER + builder.len() / 8,
            Self::Boolean(builder) => builder.len() / 4,
        }
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
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
