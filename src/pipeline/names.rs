//! How often each name stands in a column of few different ones.
//!
//! What lives here: [`Names`]. What this file must not know: what the names are.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;

use super::transform::add_types;

/// Names that are counted without being looked up.
const SLOTS: usize = 128;

/// Counts the names of rows.
#[derive(Debug, Default)]
pub(super) struct Names {
    slots: Vec<(String, u64)>,
    counted: BTreeMap<String, u64>,
}

impl Names {
    /// Counts those in the column of event types.
    pub(super) fn add(&mut self, batch: &RecordBatch) {
        let column = batch.column_by_name("event_type").and_then(|column| column.as_string_opt::<i32>());
        self.slots.resize(SLOTS, (String::new(), 0));
        for name in column.into_iter().flatten().flatten() {
            let Some((known, times)) = self.slots.get_mut(slot(name)) else { continue };
            if known != name {
                let before = (std::mem::replace(known, name.to_owned()), std::mem::take(times));
                add_types(&mut self.counted, Some(before).filter(|(_, times)| *times > 0));
            }
            *times += 1;
        }
    }

    /// What was counted since the last time.
    pub(super) fn take(&mut self) -> BTreeMap<String, u64> {
        let met = self.slots.iter_mut().filter(|(_, times)| *times > 0);
        add_types(&mut self.counted, met.map(|(name, times)| (name.clone(), std::mem::take(times))));
        std::mem::take(&mut self.counted)
    }
}

/// Any place that is the same for the same name.
fn slot(name: &str) -> usize {
    let bytes = name.as_bytes();
    let letters = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(begin), Some(end)) => {
            u64::from_le_bytes(*begin) ^ u64::from_le_bytes(*end).rotate_left(21) ^ bytes.len() as u64
        }
        _ => bytes.iter().fold(0, |letters, byte| letters << 8 | u64::from(*byte)),
    };
    let mixed = letters.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    usize::try_from(mixed % SLOTS as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, StringArray};
    use proptest::prelude::*;

    use super::*;

    /// The plain way.
    fn count_types(batch: &RecordBatch, types: &mut BTreeMap<String, u64>) {
        let column = batch.column(0).as_string::<i32>();
        add_types(types, column.iter().flatten().map(|name| (name.to_owned(), 1)));
    }

    proptest! {
        #[test]
        fn each_name_counts_as_often_as_it_stands_there(
            batches in prop::collection::vec(prop::collection::vec(prop::option::of("[ab]{0,9}"), 0..200), 1..4),
        ) {
            let mut names = Names::default();
            for batch in &batches {
                let mut expected = BTreeMap::new();
                for part in batch.chunks(50) {
                    let column: ArrayRef = Arc::new(StringArray::from(part.to_vec()));
                    let part = RecordBatch::try_from_iter_with_nullable([("event_type", column, true)]).unwrap();
                    count_types(&part, &mut expected);
                    names.add(&part);
                }
                prop_assert_eq!(names.take(), expected);
            }
        }
    }
}
