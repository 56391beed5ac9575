//! The smallest and the largest value of a page and of a column.
//!
//! What lives here: [`Texts`] compares texts by their first eight letters where these differ, [`Bounds`] is what comes out, and
//! long texts become short ones that are still bounds. What this file must not know: how values are encoded.

/// The smallest and the largest of some values; there is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bounds<T> {
    pub(super) min: T,
    pub(super) max: T,
}

impl<T: Ord + Clone> Bounds<T> {
    /// Includes others.
    pub(super) fn include(all: &mut Option<Self>, more: &Self) {
        match all {
            None => *all = Some(more.clone()),
            Some(all) => {
                if more.min < all.min {
                    all.min = more.min.clone();
                }
                if more.max > all.max {
                    all.max = more.max.clone();
                }
            }
        }
    }
}

impl<T: Ord + Copy> Bounds<T> {
    /// Includes one value.
    #[inline]
    pub(super) fn include_one(all: &mut Option<Self>, value: T) {
        *all = Some(match *all {
            None => Self { min: value, max: value },
            Some(Self { min, max }) => Self { min: min.min(value), max: max.max(value) },
        });
    }
}

/// The smallest and the largest of texts, by their bytes.
#[derive(Debug, Default)]
pub(super) struct Texts {
    bounds: Option<Bounds<Vec<u8>>>,
    /// Letters that all texts are known to begin with.
    common: usize,
    /// Of both: the eight letters behind these.
    starts: (u64, u64),
}

impl Texts {
    /// Includes a text that begins with at least `common` letters of the one before.
    #[inline]
    pub(super) fn add(&mut self, text: &[u8], common: usize) {
        let Some(bounds) = &mut self.bounds else {
            self.bounds = Some(Bounds { min: text.to_vec(), max: text.to_vec() });
            self.common = text.len();
            self.starts = (0, 0);
            return;
        };
        if common < self.common {
            self.common = common;
            self.starts = (start(behind(&bounds.min, common)), start(behind(&bounds.max, common)));
        }
        let rest = behind(text, self.common);
        let start = start(rest);
        let (least, most) = self.starts;
        if start < least || start == least && rest < behind(&bounds.min, self.common) {
            set(&mut bounds.min, text);
            self.starts.0 = start;
        }
        if start > most || start == most && rest > behind(&bounds.max, self.common) {
            set(&mut bounds.max, text);
            self.starts.1 = start;
        }
    }

    /// The bounds of what was added; nothing is left.
    pub(super) fn take(&mut self) -> Option<Bounds<Vec<u8>>> {
        self.bounds.take()
    }
}

fn set(bound: &mut Vec<u8>, text: &[u8]) {
    bound.clear();
    bound.extend_from_slice(text);
}

fn behind(text: &[u8], common: usize) -> &[u8] {
    text.get(common..).unwrap_or_default()
}

/// The first eight letters as a number that is ordered as they are; where there are fewer, zeros.
#[inline]
fn start(text: &[u8]) -> u64 {
    match text.first_chunk::<8>() {
        Some(first) => u64::from_be_bytes(*first),
        None => text.iter().fold((0, 56), |(all, at), byte| (all | u64::from(*byte) << at, at - 8_i32)).0,
    }
}

/// A text of at most `most` bytes that is not larger, and whether it is another one.
pub(super) fn below(text: &[u8], most: usize) -> (Vec<u8>, bool) {
    shortened(text, most, |all| {
        let end = (1..=most).rev().find(|end| all.is_char_boundary(*end))?;
        Some(all.get(..end)?.to_owned())
    })
}

/// A text of at most `most` bytes that is not smaller, and whether it is another one: the last letter that has one behind it of as
/// many bytes becomes that one.
pub(super) fn above(text: &[u8], most: usize) -> (Vec<u8>, bool) {
    shortened(text, most, |all| {
        // A letter has four bytes at most.
        let end = (most.saturating_sub(3)..=most).rev().find(|end| all.is_char_boundary(*end))?;
        let kept = all.get(..end)?;
        kept.char_indices().rev().find_map(|(at, letter)| {
            let next = char::from_u32(u32::from(letter) + 1)?;
            (next.len_utf8() == letter.len_utf8())
                .then(|| format!("{}{next}", kept.get(..at).unwrap_or_default()))
        })
    })
}

/// What `shorter` makes of a text of more than `most` bytes. There may be none; then it is the text itself.
fn shortened(text: &[u8], most: usize, shorter: impl FnOnce(&str) -> Option<String>) -> (Vec<u8>, bool) {
    let long = std::str::from_utf8(text).ok().filter(|all| all.len() > most);
    match long.and_then(shorter) {
        Some(other) => (other.into_bytes(), true),
        None => (text.to_vec(), false),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bounds_are_the_first_and_the_last_in_order(
            texts in proptest::collection::vec("[a-c\u{0}\u{ff}]{0,12}|abcdefgh[a-c]{0,3}", 0..40),
        ) {
            let (mut bounds, mut chained) = (Texts::default(), Texts::default());
            let mut before = "";
            for text in &texts {
                bounds.add(text.as_bytes(), 0);
                let common = text.bytes().zip(before.bytes()).take_while(|(one, other)| one == other).count();
                chained.add(text.as_bytes(), common);
                before = text;
            }
            let (min, max) = (texts.iter().min(), texts.iter().max());
            let expected = min.zip(max).map(|(min, max)| Bounds { min: min.clone().into_bytes(), max: max.clone().into_bytes() });
            prop_assert_eq!(&bounds.take(), &expected);
            prop_assert_eq!(chained.take(), expected);
            prop_assert_eq!(bounds.take(), None);
        }

        #[test]
        fn shortened_bounds_are_bounds_of_the_text(text in "[a\u{7f}\u{7ff}\u{ffff}\u{10ffff}é]{0,12}", most in 1_usize..12) {
            let (low, lower) = below(text.as_bytes(), most);
            let (high, higher) = above(text.as_bytes(), most);
            prop_assert!(low.as_slice() <= text.as_bytes() && text.as_bytes() <= high.as_slice());
            prop_assert_eq!((low != text.as_bytes(), high != text.as_bytes()), (lower, higher));
            prop_assert!(low.len() <= most || !lower);
            prop_assert!(high.len() <= most || !higher);
            prop_assert!(std::str::from_utf8(&low).is_ok() && std::str::from_utf8(&high).is_ok());
        }
    }
}
