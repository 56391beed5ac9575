//! A piece of text between two scalars, and whether a text goes on with it.
//!
//! What lives here: [`Piece`], of which most time is spent on comparing. What this file must not know: how pieces hang together.

use crate::model::json::Kind;

/// Longest piece, in bytes; what is longer is several of them.
pub(super) const PIECE: usize = 40;
/// Words of a piece.
const WORDS: usize = PIECE / 8;
/// For each length of a piece the bits that count of its words.
static MASKS: [[u64; WORDS]; PIECE + 1] = masks();
/// No piece.
pub(super) const NONE: u32 = u32::MAX;

/// What stands before a scalar or before a text's end; of a size that fits a processor's line of cache.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) bytes: [u8; PIECE],
    pub(super) length: u8,
    pub(super) then: Then,
    /// Whether the scalar is a member's value, and how the key is spelled.
    pub(super) keyed: Keyed,
    /// Where the key stands, by the distance from the piece's beginning.
    pub(super) key: (i16, i16),
    /// How many notes there are, and where they begin.
    pub(super) notes: u8,
    pub(super) noted: u32,
    /// What else may stand at the same place.
    pub(super) beside: u32,
    /// What may stand behind the scalar; the number of an end.
    pub(super) behind: u32,
}

impl Piece {
    /// Whether a text begins with the piece. Mostly there are bytes enough to compare all words at once, without a branch
    /// for each length.
    #[inline]
    pub(super) fn begins(&self, text: &[u8]) -> bool {
        let length = usize::from(self.length);
        let (Some(here), Some(masks)) = (text.first_chunk::<PIECE>(), MASKS.get(length)) else {
            return self.bytes.get(..length).is_some_and(|literal| text.starts_with(literal));
        };
        let (mut different, mut at) = (0, 0);
        for mask in masks {
            different |= (word(here, at) ^ word(&self.bytes, at)) & mask;
            at += 8;
        }
        different == 0
    }
}

#[inline]
fn word(bytes: &[u8; PIECE], at: usize) -> u64 {
    let word = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>());
    word.map_or(0, |word| u64::from_le_bytes(*word))
}

/// Built without an index, which could be one too many.
const fn masks() -> [[u64; WORDS]; PIECE + 1] {
    let mut masks = [[0; WORDS]; PIECE + 1];
    let (mut left, mut length): (&mut [[u64; WORDS]], usize) = (&mut masks, 0);
    while let Some((mask, longer)) = left.split_first_mut() {
        let (mut words, mut before): (&mut [u64], usize) = (mask, 0);
        while let Some((word, behind)) = words.split_first_mut() {
            *word = match length.saturating_sub(before) {
                counted @ 0..8 => (1 << (8 * counted)) - 1,
                _ => u64::MAX,
            };
            before += 8;
            words = behind;
        }
        length += 1;
        left = longer;
    }
    masks
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyed {
    No,
    Plain,
    Escaped,
}

/// What a piece stands before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// The quote of a string is the piece's last byte.
    String,
    Integer,
    /// A number that is no integer.
    Number,
    Boolean,
    Null,
    /// What stands between two scalars goes on.
    More,
    End,
}

impl Then {
    pub(super) fn of(kind: Kind, text: &str) -> Self {
        match kind {
            Kind::String => Self::String,
            Kind::Number if is_whole(text) => Self::Integer,
            Kind::Number => Self::Number,
            Kind::Boolean => Self::Boolean,
            _ => Self::Null,
        }
    }
}

/// Whether a number is written without fraction and exponent, and is not `-0`.
pub(in crate::model::json) fn is_whole(text: &str) -> bool {
    text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit()) && text != "-0"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_begins_what_begins_with_its_bytes() {
        let letters: [u8; PIECE] = std::array::from_fn(|at| b'a' + u8::try_from(at % 26).unwrap());
        for length in 0..=PIECE {
            let mut bytes = [0; PIECE];
            bytes[..length].copy_from_slice(&letters[..length]);
            let piece = Piece {
                bytes,
                length: u8::try_from(length).unwrap(),
                then: Then::End,
                keyed: Keyed::No,
                key: (0, 0),
                notes: 0,
                noted: 0,
                beside: NONE,
                behind: NONE,
            };
            for longer in [0, 1, PIECE] {
                let text = [&letters[..length], &vec![b'!'; longer]].concat();
                assert!(piece.begins(&text), "{length} {longer}");
                for at in 0..length {
                    let mut other = text.clone();
                    other[at] ^= 0x80;
                    assert!(!piece.begins(&other) && !piece.begins(&text[..at]), "{length} {longer} {at}");
                }
            }
        }
    }
}
