//! What the values of a column say about how it is best written.
//!
//! What lives here: [`Content`]. It is asked where a file's rows are few enough to be seen before the file begins, and looks at
//! values alone, so that what follows from it is a function of the rows. What this file must not know: the library, what columns mean.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray};

use crate::encode::BATCH_ROWS;

/// Bytes before compression below which a compressor's own heads take what it saves. Making one takes longer than writing such a column.
const LITTLE: usize = 320;

/// Texts that are told apart one by one; with more of them a column is seldom that short.
const FEW: usize = 16;

/// Places for ends of texts: eight times as many as there are texts, so that few share one by chance.
const PLACES: usize = 8 * BATCH_ROWS;

/// An odd number without a pattern: 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A column of all rows of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// No value at all.
    Nothing,
    /// So few texts that a dictionary and its indices take [`LITTLE`].
    Little,
    /// More than half of the texts stand there once or for the first time: a dictionary would hold most of the column.
    Different,
    /// Anything else.
    Any,
}

impl Content {
    /// Of a column in its parts; whether its texts differ is only found out `if_different`, since that takes the longest.
    pub(super) fn of(column: &[ArrayRef], if_different: bool) -> Self {
        if column.iter().all(|part| part.null_count() == part.len()) {
            return Self::Nothing;
        }
        let texts: Option<Vec<&StringArray>> = column.iter().map(|part| part.as_string_opt()).collect();
        match texts {
            Some(texts) if is_little(&texts) => Self::Little,
            Some(texts) if if_different && differ(&texts) => Self::Different,
            _ => Self::Any,
        }
    }
}

/// Whether a dictionary of the texts, its indices and the places of nulls take [`LITTLE`] at most.
fn is_little(texts: &[&StringArray]) -> bool {
    let bits = |all: usize, each: usize| all.saturating_mul(each).div_ceil(8);
    let rows: usize = texts.iter().map(|part| part.len()).sum();
    let nulls: usize = texts.iter().map(|part| part.null_count()).sum();
    let values = rows.saturating_sub(nulls);
    let nulls = if nulls > 0 { bits(rows, 1) } else { 0 };
    let (mut seen, mut bytes) = (Vec::<&str>::with_capacity(FEW), nulls);
    for text in texts.iter().flat_map(|part| part.iter()).flatten() {
        // Mostly the one before.
        if seen.iter().rev().any(|one| *one == text) {
            continue;
        }
        seen.push(text);
        bytes = bytes.saturating_add(size_of::<u32>()).saturating_add(text.len());
        let each = usize::try_from(seen.len().saturating_sub(1).checked_ilog2().map_or(0, |log| log + 1))
            .unwrap_or(usize::MAX);
        if seen.len() > FEW || bytes.saturating_add(bits(values, each)) > LITTLE {
            return false;
        }
    }
    true
}

/// Whether more than half of the texts are not there before, told by how they end: where ids only differ before that, they
/// count as the same, and keep the dictionary.
fn differ(texts: &[&StringArray]) -> bool {
    let mut seen = vec![0_u64; PLACES / 64];
    let (mut new, mut repeated) = (0_usize, 0_usize);
    for text in texts.iter().flat_map(|part| part.iter()).flatten() {
        let place = place(text.as_bytes());
        let Some(word) = seen.get_mut(place / 64) else { continue };
        let bit = 1_u64 << (place % 64);
        if *word & bit == 0 {
            new += 1
        } else {
            repeated += 1
        }
        *word |= bit;
    }
    repeated < new
}

/// One of [`PLACES`], by the last letters.
fn place(bytes: &[u8]) -> usize {
    let end = match bytes.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last),
        None => bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)),
    };
    // The upper half of a product depends on all digits.
    usize::try_from(end.wrapping_mul(SPREAD) >> (u64::BITS - PLACES.ilog2())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Int64Array;

    use super::*;

    fn content(texts: impl IntoIterator<Item = Option<String>>) -> Content {
        let column: ArrayRef = Arc::new(texts.into_iter().collect::<StringArray>());
        Content::of(&[column], true)
    }

    #[test]
    fn a_column_without_a_value_is_nothing_of_any_type() {
        assert_eq!(content(vec![None; 9_000]), Content::Nothing);
        let numbers = |numbers: Vec<Option<i64>>| -> ArrayRef { Arc::new(Int64Array::from(numbers)) };
        assert_eq!(Content::of(&[numbers(vec![None; 3])], true), Content::Nothing);
        assert_eq!(Content::of(&[numbers(vec![None, Some(1)])], true), Content::Any);
    }

    #[test]
    fn little_is_what_few_rows_or_one_text_make() {
        let types =
            |rows: usize, types: usize| content((0..rows).map(|row| Some(format!("TYPE_{}", row % types))));
        assert_eq!(types(8_000, 1), Content::Little);
        // 16 texts of 10 and 11 bytes, and four bits a row.
        assert_eq!(types(300, 16), Content::Little);
        assert_eq!(types(320, 16), Content::Any);
        assert_eq!(types(300, 17), Content::Any);
        assert_eq!(types(3_000, 2), Content::Any);
        assert_eq!(content([Some("x".repeat(LITTLE - 4))]), Content::Little);
        assert_eq!(content([Some("x".repeat(LITTLE - 3))]), Content::Different);
        // One text, and a bit a row for whether it is there.
        let sparse = |rows: usize| content((0..rows).map(|row| (row % 2 == 0).then(|| "x".to_owned())));
        assert_eq!([sparse(1_000), sparse(3_000)], [Content::Little, Content::Any]);
    }

    #[test]
    fn texts_differ_where_most_end_as_none_before() {
        let id = |of: usize| {
            format!("{:032x}", (of as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
        };
        let ids = |rows: usize, different: usize| content((0..rows).map(|row| Some(id(row % different))));
        assert_eq!(ids(8_000, 8_000), Content::Different);
        assert_eq!(ids(8_000, 5_000), Content::Different);
        assert_eq!(ids(8_000, 3_000), Content::Any);
        assert_eq!(content((0..500).map(|row| Some(row.to_string()))), Content::Different);
        // Ends that all have hide what differs.
        assert_eq!(content((0..500).map(|row| Some(format!("{}-of-acme", id(row))))), Content::Any);
        let column: ArrayRef = Arc::new((0..500).map(|row| Some(id(row))).collect::<StringArray>());
        assert_eq!(Content::of(&[column], false), Content::Any);
    }
}
