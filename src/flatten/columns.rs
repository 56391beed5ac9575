//! Builders of columns.
//!
//! What lives here: one [`Builder`] a column, text or timestamp, and its memory. What this file must not know: what
//! the values mean.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{ArrayBuilder, StringBuilder, TimestampMicrosecondBuilder};

use crate::schema::DataType;

/// Bytes a timestamp takes.
const TIMESTAMP: usize = 8;
/// Bytes an offset of a text takes.
const OFFSET: usize = 4;

/// Builds one column.
#[derive(Debug)]
pub(super) enum Builder {
    Text(StringBuilder),
    Time(TimestampMicrosecondBuilder),
}

impl Builder {
    pub(super) fn new(data_type: DataType) -> Self {
        match data_type {
            DataType::Utf8 => Self::Text(StringBuilder::new()),
            DataType::Timestamp => Self::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
        }
    }

    /// Appends a text; null in a column of another type, which the plan rules out.
    pub(super) fn text(&mut self, value: Option<&str>) {
        match self {
            Self::Text(builder) => builder.append_option(value),
            Self::Time(builder) => builder.append_null(),
        }
    }

    /// Appends microseconds; null in a column of another type, which the plan rules out.
    pub(super) fn time(&mut self, value: Option<i64>) {
        match self {
            Self::Text(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_option(value),
        }
    }

    /// Bytes of the values so far.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(builder) => builder.values_slice().len() + builder.len() * OFFSET + builder.len() / 8,
            Self::Time(builder) => builder.len() * TIMESTAMP + builder.len() / 8,
        }
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
        }
    }
}
