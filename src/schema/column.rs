//! One column of the table.
//!
//! What lives here: [`Column`] and its small types, with their names in `table.lock.json` and their Arrow form.
//! What this file must not know: other columns, values.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{Field, TimeUnit};

/// The Arrow types a column may have. Few: every reader agrees on them. The built-in table uses the first two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataType {
    /// Text.
    Utf8,
    /// Microseconds since 1970, in UTC.
    Timestamp,
    /// A signed integer of 64 bits.
    Int64,
    /// True or false.
    Boolean,
}

impl DataType {
    /// Its name in the documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf8",
            Self::Timestamp => "timestamp[us, tz=UTC]",
            Self::Int64 => "int64",
            Self::Boolean => "bool",
        }
    }

    /// The type of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Utf8, Self::Timestamp, Self::Int64, Self::Boolean]
            .into_iter()
            .find(|known| known.name() == name)
    }

    /// Its Arrow form.
    pub fn arrow(self) -> arrow_schema::DataType {
        match self {
            Self::Utf8 => arrow_schema::DataType::Utf8,
            Self::Timestamp => {
                arrow_schema::DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))
            }
            Self::Int64 => arrow_schema::DataType::Int64,
            Self::Boolean => arrow_schema::DataType::Boolean,
        }
    }
}

/// Where a column's value comes from. Source and copy columns rebuild the event; derived ones are ignored by that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The typed value at one JSON Pointer.
    Source,
    /// JSON text as received: the value at the pointer, or without one what no other column holds.
    Copy,
    /// Computed from other values.
    Derived,
}

impl Kind {
    /// Its name in the documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Copy => "copy",
            Self::Derived => "derived",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Source, Self::Copy, Self::Derived].into_iter().find(|known| known.name() == name)
    }
}

/// The JSON type that a column's value turns back into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Json {
    /// A string.
    String,
    /// An integer, written without fraction and exponent.
    Integer,
    /// Any number: the column holds its text.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Any value: the column holds its text.
    Any,
}

impl Json {
    /// Its name in the documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Any => "any",
        }
    }

    /// The type of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::String, Self::Integer, Self::Number, Self::Boolean, Self::Any]
            .into_iter()
            .find(|known| known.name() == name)
    }
}

/// One column, as `table.lock.json` freezes it. Always nullable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Permanent number, written as the Parquet field id.
    pub field_id: i32,
    /// Name in every format.
    pub name: String,
    /// Type.
    pub data_type: DataType,
    /// Where the value comes from.
    pub kind: Kind,
    /// RFC 6901 pointer into the event; none for derived columns and the remainder.
    pub pointer: Option<String>,
    /// JSON type of the value in the event; none for derived columns.
    pub json: Option<Json>,
    /// Version of the table that brought the column.
    pub since: String,
    /// One sentence for readers; no part of the fingerprint.
    pub description: String,
}

impl Column {
    /// The Arrow field: nullable, with the Parquet field id and the description as metadata.
    pub fn field(&self) -> Field {
        Field::new(&self.name, self.data_type.arrow(), true).with_metadata(HashMap::from([
            ("PARQUET:field_id".to_owned(), self.field_id.to_string()),
            ("description".to_owned(), self.description.clone()),
        ]))
    }
}
