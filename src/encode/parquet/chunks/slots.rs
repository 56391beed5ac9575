//! Where in a dictionary a value may stand.
//!
//! What lives here: [`Slots`], a table of open addresses from a value's hash to its code, and [`struct@Hash`]. All of a value goes
//! into the hash, with a key that nobody can know: whoever writes texts into events cannot make many of them fall together. No byte of a file
//! depends on it, since codes are given in the order in which values come. What this file must not know: what the values are.

use std::hash::{BuildHasher, RandomState};

/// 2^64 divided by the golden ratio, odd.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Slots of a table that has its first value.
const FIRST: usize = 32;

/// The bits of a code.
const CODES: u32 = (1 << 20) - 1;

/// Bytes of a dictionary that has codes enough: a value takes four or more, and the last step brings a few thousand values beyond.
pub(super) const DICTIONARY_BYTES: usize = 2 << 20;

/// Hashes of values, others in each run of the program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hash {
    keys: [u64; 2],
}

impl Hash {
    pub(super) fn new() -> Self {
        let random = RandomState::new();
        Self { keys: [random.hash_one(0), random.hash_one(1) | 1] }
    }

    /// Of bytes.
    #[inline]
    pub(super) fn of(&self, bytes: &[u8]) -> u32 {
        let [key, other] = self.keys;
        let length = (bytes.len() as u64).wrapping_mul(SPREAD);
        let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) else {
            return upper(fold(short(bytes) ^ key, length ^ other));
        };
        let mut all = fold(u64::from_le_bytes(*first) ^ key, u64::from_le_bytes(*last) ^ length ^ other);
        if bytes.len() > 16 {
            let (middle, _) = bytes.get(8..).unwrap_or_default().as_chunks::<8>();
            for word in middle {
                all = fold(all ^ u64::from_le_bytes(*word), other);
            }
        }
        upper(all)
    }

    /// Of a number.
    #[inline]
    pub(super) fn of_number(&self, number: u64) -> u32 {
        let [key, other] = self.keys;
        upper(fold(number ^ key, other))
    }
}

/// Whether texts are the same. Most are too short for a call to pay.
#[inline]
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let (Some(first), Some(last)) = (one.first_chunk::<8>(), one.last_chunk::<8>()) else {
        return short(one) == short(other);
    };
    if other.first_chunk() != Some(first) || other.last_chunk() != Some(last) {
        return false;
    }
    if one.len() <= 16 {
        return true;
    }
    let (one, other) = (one.get(8..).unwrap_or_default(), other.get(8..).unwrap_or_default());
    let words = one.as_chunks::<8>().0.iter().zip(other.as_chunks::<8>().0);
    words
        .map(|(one, other)| (u64::from_le_bytes(*one), u64::from_le_bytes(*other)))
        .all(|(one, other)| one == other)
}

/// Fewer than eight bytes as a number: texts of the same length have the same number if they are the same.
#[inline]
fn short(bytes: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last));
    }
    bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte))
}

fn upper(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Both halves of a product, which depend on all digits of both numbers.
#[inline]
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

/// Codes by hash, and the hash of each code. A slot has the highest bits of a hash, and a code plus one; 0 is a free slot. The lowest bits
/// of a hash say where its code stands, or that it stands in one of the next slots. Slots are short, so that they stay near the processor.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<u32>,
    hashes: Vec<u32>,
}

impl Slots {
    /// The code of the value with this hash for which `same` holds, or the free place for it.
    #[inline]
    pub(super) fn find(&self, hash: u32, same: impl Fn(u32) -> bool) -> Result<u32, usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut place = hash as usize & mask;
        // At least half of the slots are free.
        while let Some(slot) = self.slots.get(place) {
            if *slot == 0 {
                break;
            }
            let code = (slot & CODES).wrapping_sub(1);
            if (slot ^ hash) & !CODES == 0 && same(code) {
                return Ok(code);
            }
            place = (place + 1) & mask;
        }
        Err(place)
    }

    /// Gives the next code to a value that is not there; [`Slots::find`] gave its place.
    pub(super) fn put(&mut self, place: usize, hash: u32) -> u32 {
        let code = self.hashes.len() as u32;
        self.hashes.push(hash);
        if self.hashes.len() * 2 <= self.slots.len() {
            if let Some(free) = self.slots.get_mut(place) {
                *free = slot(hash, code);
            }
            return code;
        }
        let longer = (self.slots.len() * 2).max(FIRST);
        self.slots.clear();
        self.slots.resize(longer, 0);
        for (code, hash) in self.hashes.iter().enumerate() {
            let mut place = *hash as usize & (longer - 1);
            while self.slots.get(place).is_some_and(|slot| *slot != 0) {
                place = (place + 1) & (longer - 1);
            }
            if let Some(free) = self.slots.get_mut(place) {
                *free = slot(*hash, code as u32);
            }
        }
        code
    }
}

fn slot(hash: u32, code: u32) -> u32 {
    hash & !CODES | (code + 1) & CODES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_keeps_the_code_that_it_got_first() {
        let texts: Vec<String> =
            (0..5_000).map(|number| "x".repeat(number % 40) + &number.to_string()).collect();
        let (hash, mut slots) = (Hash::new(), Slots::default());
        for round in 0..2 {
            for (code, text) in texts.iter().enumerate() {
                let value = hash.of(text.as_bytes());
                match slots.find(value, |code| texts[code as usize] == *text) {
                    Ok(found) => assert_eq!((round, found as usize), (1, code)),
                    Err(place) => {
                        assert_eq!(round, 0, "{text}");
                        assert_eq!(slots.put(place, value) as usize, code);
                    }
                }
            }
        }
    }

    #[test]
    fn a_hash_depends_on_each_letter_and_the_length() {
        let hash = Hash::new();
        for length in 0..70 {
            let text = vec![b'a'; length];
            assert_ne!(hash.of(&text), hash.of(&vec![b'a'; length + 1]));
            assert!(!same(&text, &vec![b'a'; length + 1]));
            for at in 0..length {
                let mut other = text.clone();
                other[at] = b'b';
                assert_ne!(hash.of(&text), hash.of(&other), "{length} {at}");
                assert!(!same(&text, &other) && same(&other, &other.clone()));
            }
        }
        assert_ne!(hash.of_number(1), hash.of_number(2));
    }
}
