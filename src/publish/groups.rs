//! A window's rows in groups: one for each part of the window and each partition.
//!
//! What lives here: [`Group`], the place of rows without sequence number and format, and [`split()`]. Which group a row
//! belongs to follows from the row and the layout alone, so that every run puts it in the same. What this file must
//! not know: what is stored, formats.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, StringArray, UInt32Array};
use arrow_select::take::take_record_batch;

use super::digest::sha256;
use super::rows;
use crate::error::{Error, Result};
use crate::model::{Format, Layout, Partition, Slot, Window};

/// The rows that share a chain of slots.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Group {
    /// The part of the window; `None` for rows without a time.
    pub(super) span: Option<Window>,
    pub(super) partition: Partition,
}

impl Group {
    pub(super) fn slot(&self, format: Format, sequence: u32) -> Slot {
        Slot { span: self.span, partition: self.partition.clone(), format, sequence }
    }
}

impl From<Slot> for Group {
    fn from(slot: Slot) -> Self {
        Self { span: slot.span, partition: slot.partition }
    }
}

/// The rows of a batch by the group that they belong to.
pub(super) fn split(
    batch: RecordBatch,
    window: Option<Window>,
    layout: &Layout,
) -> Result<Vec<(Group, RecordBatch)>> {
    if let Some(only) = only(window, layout) {
        return Ok(vec![(only, batch)]);
    }
    let (own, places) = of_rows(&batch, window, layout)?;
    if let [group] = own.as_slice() {
        return Ok(vec![(group.clone(), batch)]);
    }
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); own.len()];
    for (row, place) in (0_u32..).zip(places) {
        if let Some(rows) = rows.get_mut(place) {
            rows.push(row);
        }
    }
    let taken = own.into_iter().zip(rows).map(|(group, rows)| {
        let taken = take_record_batch(&batch, &UInt32Array::from(rows))
            .map_err(|cause| Error::bug("rows cannot be chosen").because(cause))?;
        Ok((group, taken))
    });
    taken.collect()
}

/// The only group that there can be, also without rows, where the window decides alone.
pub(super) fn only(window: Option<Window>, layout: &Layout) -> Option<Group> {
    whole(window, layout).then(|| Group { span: window, partition: Partition::default() })
}

/// Whether the window decides alone.
fn whole(window: Option<Window>, layout: &Layout) -> bool {
    layout.is_by_time() && (layout.part.is_none() || window.is_none())
}

/// The groups of a batch's rows, each once, and for each row the position of its own.
pub(super) fn of_rows(
    batch: &RecordBatch,
    window: Option<Window>,
    layout: &Layout,
) -> Result<(Vec<Group>, Vec<usize>)> {
    let columns: Vec<&StringArray> = layout
        .partitioning
        .columns()
        .into_iter()
        .map(|name| {
            let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
            column.ok_or_else(|| Error::bug("rows lack a column that partitions them").at("column", name))
        })
        .collect::<Result<_>>()?;
    let mut known: HashMap<(Option<Window>, Vec<Option<&str>>), usize> = HashMap::new();
    let (mut groups, mut places) = (Vec::new(), Vec::with_capacity(batch.num_rows()));
    for (row, (_, at)) in rows::keys(batch)?.into_iter().enumerate() {
        let span = match (window, at) {
            (Some(window), Some(at)) => Some(layout.part_at(window, at)),
            (window, _) => window,
        };
        let values: Vec<Option<&str>> =
            columns.iter().map(|column| column.is_valid(row).then(|| column.value(row))).collect();
        let place = *known.entry((span, values)).or_insert_with_key(|(span, values)| {
            let digest = |value: &str| sha256(value.as_bytes());
            let partition = Partition::of(&layout.partitioning, values.iter().copied(), digest);
            groups.push(Group { span: *span, partition });
            groups.len() - 1
        });
        places.push(place);
    }
    // Two values may be one partition: no value, and the empty one.
    let mut distinct: Vec<Group> = Vec::new();
    let mut moved = Vec::with_capacity(groups.len());
    let mut at: HashMap<Group, usize> = HashMap::new();
    for group in groups {
        let place = *at.entry(group.clone()).or_insert_with(|| {
            distinct.push(group);
            distinct.len() - 1
        });
        moved.push(place);
    }
    let places = places.into_iter().filter_map(|place| moved.get(place).copied()).collect();
    Ok((distinct, places))
}
