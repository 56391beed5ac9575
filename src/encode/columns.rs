//! What the encoder knows about columns: the types it accepts and the few names it treats specially.
//!
//! What this file must not know: a format's library, how a column is filled.

use arrow_schema::{DataType, Schema, TimeUnit};

use crate::error::{Error, Result};

/// The columns that rows are sorted by, most significant first.
pub(super) const SORT_ORDER: [&str; 2] = [CREATED_AT, ID];

/// When the event happened.
pub(super) const CREATED_AT: &str = "created_at";

/// Identity of a row.
const ID: &str = "id";

/// A long constant start, then the row's id.
const LINK: &str = "link_self_href";

/// How the names of columns end whose values are ids of what a row is about: random, and seldom the same again.
const REFERENCES: [&str; 4] = ["target_id", "application_id", "app_id", "msisdn"];

/// What a column's name says about its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Values repeat: a dictionary pays.
    Repeating,
    /// Random digits that may repeat or not.
    Reference,
    /// Random digits, others in each row.
    Unique,
    /// The same, behind a start that all have.
    Link,
    /// JSON text: long, and nobody filters by its smallest value.
    Json,
    /// The sorted time column.
    Time,
}

pub(super) fn class(name: &str) -> Class {
    match name {
        CREATED_AT => Class::Time,
        ID => Class::Unique,
        LINK => Class::Link,
        _ if name.ends_with("_json") => Class::Json,
        _ if REFERENCES.iter().any(|end| name.ends_with(end)) => Class::Reference,
        _ => Class::Repeating,
    }
}

/// Refuses a type that some reader reads wrongly, and names that a case-insensitive engine would confuse.
///
/// Accepted are text, microseconds in UTC, booleans, and signed integers of 32 and 64 bits: measured to be read
/// alike by DuckDB, pyarrow, Polars, Spark and ClickHouse.
pub(super) fn check(schema: &Schema) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for field in schema.fields() {
        let plain = match field.data_type() {
            DataType::Utf8 | DataType::Boolean | DataType::Int32 | DataType::Int64 => true,
            DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => zone.as_ref() == "UTC",
            _ => false,
        };
        if !plain {
            return Err(Error::bug("a column has a type that some readers do not read")
                .at("column", field.name())
                .at("type", field.data_type()));
        }
        if field.name().is_empty() || !seen.insert(field.name().to_ascii_lowercase()) {
            return Err(Error::bug("a column's name is empty or occurs twice").at("column", field.name()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_schema::Field;

    fn accepts(kind: DataType) -> bool {
        check(&Schema::new(vec![Field::new("a", kind, true)])).is_ok()
    }

    #[test]
    fn only_types_that_every_reader_reads_alike_are_accepted() {
        assert!(accepts(DataType::Utf8));
        assert!(accepts(DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))));
        for kind in [
            DataType::LargeUtf8,
            DataType::Utf8View,
            DataType::UInt64,
            DataType::Date64,
            DataType::Timestamp(TimeUnit::Microsecond, None),
            DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
            DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        ] {
            assert!(!accepts(kind.clone()), "{kind}");
        }
    }

    #[test]
    fn names_that_differ_in_case_alone_are_refused() {
        let field = |name: &str| Field::new(name, DataType::Utf8, true);
        assert!(check(&Schema::new(vec![field("id"), field("Id")])).is_err());
        assert!(check(&Schema::new(vec![field("")])).is_err());
    }
}
