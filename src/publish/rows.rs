//! Rows as identities and contents: which events a file holds, and whether two rows say the same.
//!
//! What lives here: reading `id` and `created_at` of batches, a digest of a row's content, the choice of rows.
//! What this file must not know: slots, the log, a file format.

use std::collections::{HashMap, HashSet};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, Schema};
use arrow_select::filter::filter_record_batch;
use ring::digest::{Context, SHA256};

use crate::error::{Error, Result};
use crate::model::Timestamp;
use crate::model::json::same;

pub(super) const ID: &str = "id";
pub(super) const CREATED_AT: &str = "created_at";

/// Built from the API's own address, not from the event: two replies may differ in it and mean the same event.
const LINK: &str = "link_self_href";

/// What no typed column holds: it shrinks when a newer table types more.
const REMAINDER: &str = "unmapped_json";

/// One row's identity, place in time and content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) id: String,
    /// None where no time can be read.
    pub(super) created_at: Option<Timestamp>,
    pub(super) content: [u8; 32],
}

/// Identity and time of each row, in order.
///
/// # Errors
/// [`crate::error::Kind::Bug`] when a column is absent or of another type, or a row has no id: such an event belongs to
/// quarantine.
pub(super) fn keys(batch: &RecordBatch) -> Result<Vec<(&str, Option<Timestamp>)>> {
    let (ids, times) = key_columns(batch)?;
    ids.iter()
        .zip(times)
        .map(|(id, time)| match id {
            Some(id) if !id.is_empty() => Ok((id, time.map(Timestamp::from_micros))),
            _ => Err(no_id()),
        })
        .collect()
}

fn key_columns(batch: &RecordBatch) -> Result<(&StringArray, &TimestampMicrosecondArray)> {
    let column = |name: &'static str| {
        batch.column_by_name(name).ok_or_else(|| Error::bug("rows have no such column").at("column", name))
    };
    let ids = column(ID)?.as_string_opt::<i32>();
    let times = column(CREATED_AT)?.as_primitive_opt::<TimestampMicrosecondType>();
    match (ids, times) {
        (Some(ids), Some(times)) => Ok((ids, times)),
        _ => Err(Error::bug("id or created_at is a column of another type")),
    }
}

fn no_id() -> Error {
    Error::bug("a row has no id")
}

/// The columns by which a row of one table and a row of another say the same: those of both, but the link; and but
/// the remainder when the tables differ, since what a newer one types leaves it. Sorted.
pub(super) fn comparable(one: &Schema, other: &Schema) -> Vec<String> {
    let same = same_columns(one, other);
    let mut names: Vec<String> = one
        .fields()
        .iter()
        .filter(|field| {
            let name = field.name();
            let common = other.field_with_name(name).is_ok_and(|twin| twin.data_type() == field.data_type());
            common && name != LINK && (same || name != REMAINDER)
        })
        .map(|field| field.name().clone())
        .collect();
    names.sort();
    names
}

/// Whether two tables have the same columns in the same order.
pub(super) fn same_columns(one: &Schema, other: &Schema) -> bool {
    let columns = |schema: &Schema| -> Vec<(String, DataType)> {
        schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
    };
    columns(one) == columns(other)
}

/// The rows of these batches, their content taken over the named columns.
pub(super) fn rows(batches: &[RecordBatch], names: &[String]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<&ArrayRef> = names
            .iter()
            .map(|name| {
                batch.column_by_name(name).ok_or_else(|| Error::bug("rows lack a column").at("column", name))
            })
            .collect::<Result<_>>()?;
        for (position, (id, created_at)) in keys(batch)?.into_iter().enumerate() {
            let mut content = Context::new(&SHA256);
            for column in &columns {
                digest(column, position, &mut content)?;
            }
            let mut bytes = [0; 32];
            bytes.iter_mut().zip(content.finish().as_ref()).for_each(|(to, from)| *to = *from);
            rows.push(Row { id: id.to_owned(), created_at, content: bytes });
        }
    }
    Ok(rows)
}

/// Adds one value: null, or its length and bytes, so that no two sequences of values are alike.
pub(super) fn digest(column: &ArrayRef, position: usize, content: &mut Context) -> Result<()> {
    if column.is_null(position) {
        content.update(&[0]);
        return Ok(());
    }
    let number = match column.data_type() {
        DataType::Utf8 => {
            let text = column.as_string::<i32>().value(position);
            content.update(&[1]);
            content.update(&text.len().to_le_bytes());
            content.update(text.as_bytes());
            return Ok(());
        }
        DataType::Boolean => i64::from(column.as_boolean().value(position)),
        DataType::Int32 => i64::from(column.as_primitive::<Int32Type>().value(position)),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(position),
        DataType::Timestamp(..) => match column.as_primitive_opt::<TimestampMicrosecondType>() {
            Some(times) => times.value(position),
            None => return Err(Error::bug("a column of times in another unit")),
        },
        other => return Err(Error::bug("a column of a type that rows do not have").at("type", other)),
    };
    content.update(&[2]);
    content.update(&number.to_le_bytes());
    Ok(())
}

/// The ids among `ids` whose rows say the same in both sets after all: texts that differ and mean the same as JSON. A
/// server may give the members of a context in another order each time.
pub(super) fn same_as_json(
    ids: &HashSet<&str>,
    one: &[RecordBatch],
    other: &[RecordBatch],
    names: &[String],
) -> Result<HashSet<String>> {
    let (one, other) = (places(ids, one)?, places(ids, other)?);
    let agrees = |id: &&str| {
        let (Some((left, row)), Some((right, twin))) = (one.get(*id), other.get(*id)) else { return false };
        names.iter().all(|name| {
            let columns = (left.column_by_name(name), right.column_by_name(name));
            let (Some(left), Some(right)) = columns else { return false };
            left.slice(*row, 1) == right.slice(*twin, 1) || mean_the_same(left, *row, right, *twin)
        })
    };
    Ok(ids.iter().copied().filter(|id| agrees(id)).map(str::to_owned).collect())
}

/// Where the rows of these ids are.
fn places<'a>(
    ids: &HashSet<&str>,
    batches: &'a [RecordBatch],
) -> Result<HashMap<&'a str, (&'a RecordBatch, usize)>> {
    let mut places = HashMap::new();
    for batch in batches {
        for (position, (id, _)) in keys(batch)?.into_iter().enumerate() {
            if ids.contains(id) {
                places.insert(id, (batch, position));
            }
        }
    }
    Ok(places)
}

/// Whether both are texts of JSON objects or arrays, and say the same. Any other text is compared as it is.
fn mean_the_same(left: &ArrayRef, row: usize, right: &ArrayRef, twin: usize) -> bool {
    let (Some(left), Some(right)) = (left.as_string_opt::<i32>(), right.as_string_opt::<i32>()) else {
        return false;
    };
    if left.is_null(row) || right.is_null(twin) {
        return false;
    }
    let (left, right) = (left.value(row), right.value(twin));
    left.trim_start().starts_with(['{', '[']) && same(left, right)
}

/// The rows whose id is wanted, in order.
pub(super) fn chosen(batch: &RecordBatch, wanted: impl Fn(&str) -> bool) -> Result<RecordBatch> {
    let wanted: BooleanArray = keys(batch)?.into_iter().map(|(id, _)| Some(wanted(id))).collect();
    filter_record_batch(batch, &wanted).map_err(|cause| Error::bug("rows cannot be chosen").because(cause))
}

/// How many rows there are, and smallest and largest `created_at` if a row has one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    pub(super) rows: u64,
    pub(super) created_at: Option<(Timestamp, Timestamp)>,
}

impl Extent {
    /// Adds the rows of a batch.
    ///
    /// # Errors
    /// As [`keys`].
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let (ids, times) = key_columns(batch)?;
        let empty = |ends: &[i32]| matches!(ends, [from, to] if from == to);
        if ids.null_count() > 0 || ids.value_offsets().windows(2).any(empty) {
            return Err(no_id());
        }
        self.rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        let all = || times.iter().flatten();
        let known = self.created_at.map(|(min, max)| (min.micros(), max.micros()));
        let (mins, maxs) = (all().chain(known.map(|(min, _)| min)), all().chain(known.map(|(_, max)| max)));
        self.created_at = mins
            .min()
            .zip(maxs.max())
            .map(|(min, max)| (Timestamp::from_micros(min), Timestamp::from_micros(max)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::{Field, TimeUnit};
    use proptest::prelude::*;

    use super::*;

    fn batch(rows: &[(Option<&str>, Option<i64>)]) -> RecordBatch {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let fields = vec![Field::new(ID, DataType::Utf8, true), Field::new(CREATED_AT, time, true)];
        let ids: StringArray = rows.iter().map(|(id, _)| *id).collect();
        let times: TimestampMicrosecondArray = rows.iter().map(|(_, at)| *at).collect();
        let columns: Vec<ArrayRef> = vec![Arc::new(ids), Arc::new(times.with_timezone("UTC"))];
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    proptest! {
        #[test]
        fn an_extent_is_what_the_keys_of_all_rows_say(
            rows in proptest::collection::vec(
                (prop_oneof![9 => Just(Some("a")), 1 => Just(Some("")), 1 => Just(None)], any::<Option<i64>>()), 0..12),
            from in 0_usize..12,
            clean in any::<bool>(),
        ) {
            let rows: Vec<_> = rows.into_iter().map(|(id, at)| (if clean { Some("a") } else { id }, at)).collect();
            // Also of a part, whose texts do not begin at the first byte.
            let from = from.min(rows.len());
            let all = batch(&rows);
            let parts = [all.slice(0, from), all.slice(from, rows.len() - from)];
            let mut extent = Extent::default();
            let added = parts.iter().try_for_each(|part| extent.add(part));
            let keys = keys(&all);
            prop_assert_eq!(added.is_err(), keys.is_err());
            if let Ok(keys) = keys {
                let times = || keys.iter().filter_map(|(_, at)| *at);
                prop_assert_eq!(extent.rows, rows.len() as u64);
                prop_assert_eq!(extent.created_at, times().min().zip(times().max()));
            }
        }
    }
}
