//! The rows of one column, in the arrays in which they came.
//!
//! What lives here: [`Rows`], which counts them as if they stood in one array, and what of them is null. What this file must not
//! know: pages, how values are written.

use std::ops::Range;

use arrow_array::{Array, StringArray};

use super::hybrid::Levels;

/// Arrays that follow each other, with the number of the first row of each.
#[derive(Debug)]
pub(super) struct Rows<'a, A> {
    arrays: Vec<(usize, &'a A)>,
    len: usize,
}

impl<'a, A: Array> Rows<'a, A> {
    pub(super) fn new(arrays: impl Iterator<Item = &'a A>) -> Self {
        let mut len = 0;
        let placed = |array: &'a A| {
            let first = len;
            len += array.len();
            (first, array)
        };
        let arrays = arrays.map(placed).collect();
        Self { arrays, len }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The arrays that have these rows, and which of each.
    pub(super) fn parts(&self, rows: Range<usize>) -> impl Iterator<Item = (&'a A, Range<usize>)> + '_ {
        let first = self.arrays.partition_point(|(first, array)| first + array.len() <= rows.start);
        let arrays = self.arrays.get(first..).unwrap_or_default().iter();
        arrays.take_while(move |(first, _)| *first < rows.end).map(move |(first, array)| {
            (*array, rows.start.saturating_sub(*first)..array.len().min(rows.end - first))
        })
    }

    /// How many of these rows are null.
    pub(super) fn nulls(&self, rows: Range<usize>) -> usize {
        self.parts(rows).map(|(array, rows)| nulls(array, &rows)).sum()
    }

    /// Where the last of so many values ends, from this row on; or where these rows end.
    pub(super) fn end_of_values(&self, rows: Range<usize>, values: usize) -> usize {
        let (mut end, mut left) = (rows.start, values);
        for (array, rows) in self.parts(rows) {
            let some = rows.len() - nulls(array, &rows);
            if some < left {
                left -= some;
                end += rows.len();
                continue;
            }
            let places = rows.clone().filter(|row| array.is_valid(*row));
            return end + places.take(left).last().map_or(0, |row| row + 1 - rows.start);
        }
        end
    }
}

fn nulls(array: &impl Array, rows: &Range<usize>) -> usize {
    match array.nulls() {
        Some(nulls) if nulls.null_count() == nulls.len() => rows.len(),
        Some(nulls) if nulls.null_count() > 0 && rows.len() == nulls.len() => nulls.null_count(),
        Some(nulls) if nulls.null_count() > 0 => nulls.slice(rows.start, rows.len()).null_count(),
        _ => 0,
    }
}

/// Adds the levels of some rows of an array; gives how many are null.
pub(super) fn add_levels(array: &impl Array, rows: Range<usize>, levels: &mut Levels) -> usize {
    let missing = nulls(array, &rows);
    match array.nulls() {
        Some(nulls) if missing > 0 && missing < rows.len() => {
            let some = nulls.inner().slice(rows.start, rows.len());
            let chunks = some.bit_chunks();
            chunks.iter().for_each(|word| levels.bits(word, u64::BITS));
            levels.bits(chunks.remainder_bits(), u32::try_from(chunks.remainder_len()).unwrap_or_default());
        }
        _ => levels.repeat(missing == 0, rows.len()),
    }
    missing
}

/// Does `each` for those of these rows that have a value.
#[inline]
pub(super) fn each_value(array: &impl Array, rows: Range<usize>, mut each: impl FnMut(usize)) {
    match array.nulls() {
        Some(nulls) if nulls.null_count() > 0 => {
            let some = nulls.slice(rows.start, rows.len());
            some.valid_indices().for_each(|row| each(rows.start + row));
        }
        _ => rows.for_each(each),
    }
}

/// Does `each` for the texts of those of these rows that have one.
#[inline]
pub(super) fn each_text<'a>(array: &'a StringArray, rows: Range<usize>, mut each: impl FnMut(&'a [u8])) {
    let (offsets, letters) = (array.value_offsets(), array.value_data());
    let text = |from: i32, to: i32| letters.get(from as usize..to as usize).unwrap_or_default();
    if array.null_count() == 0 {
        let some = offsets.get(rows.start..=rows.end).unwrap_or_default();
        let mut from = some.first().copied().unwrap_or_default();
        for to in some.iter().skip(1) {
            each(text(from, *to));
            from = *to;
        }
        return;
    }
    each_value(array, rows, |row| {
        if let (Some(from), Some(to)) = (offsets.get(row), offsets.get(row + 1)) {
            each(text(*from, *to));
        }
    });
}

/// Letters between the first and the last of these rows: of all their texts, and of what may stand where a row is null.
pub(super) fn letters(array: &StringArray, rows: &Range<usize>) -> usize {
    let offsets = array.value_offsets();
    let at = |row: usize| offsets.get(row).map_or(0, |at| *at as usize);
    at(rows.end).saturating_sub(at(rows.start))
}
