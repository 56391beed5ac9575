//! Runs of one value, and groups of eight values packed by bits.
//!
//! What lives here: the hybrid encoding of definition levels ([`Levels`]) and of dictionary indices ([`indices`]). Where a run
//! begins and a packed part ends is the library's choice, so that files stay what they were: values are looked at by eights
//! from the end of the last run; eight that are alike begin a run, which lasts as long as its value; others are packed,
//! [`GROUPS`] eights in one part at most. What this file must not know: pages, columns.

/// Values of one group.
const GROUP: usize = 8;

/// Groups that are packed in one part, at most: their number is in one byte.
const GROUPS: usize = 63;

/// Definition levels of a page that has no repeated values: one bit for each row, whether it has a value.
#[derive(Debug, Default)]
pub(super) struct Levels {
    out: Vec<u8>,
    /// Whole groups of the part that is being packed.
    packed: Vec<u8>,
    /// Of the group that is not yet whole: its bits, and how many.
    group: u8,
    filled: u32,
    /// A value, and how often it has come: eight times or more.
    run: Option<(bool, u64)>,
}

impl Levels {
    /// Adds as many rows that all have a value, or have none.
    pub(super) fn repeat(&mut self, level: bool, rows: usize) {
        let mut left = rows;
        while left > 0 {
            if let Some((_, length)) = self.run.as_mut().filter(|(value, _)| *value == level) {
                *length += count(left);
                return;
            }
            let some = left.min(64);
            self.bits(if level { u64::MAX } else { 0 }, u32::try_from(some).unwrap_or(64));
            left -= some;
        }
    }

    /// Adds as many rows as `left` says, at most 64, whose levels are the lowest bits, the first one in the lowest.
    pub(super) fn bits(&mut self, mut bits: u64, mut left: u32) {
        while left > 0 {
            if let Some((value, length)) = &mut self.run {
                let same = if *value { bits.trailing_ones() } else { bits.trailing_zeros() }.min(left);
                *length += u64::from(same);
                if same == left {
                    return;
                }
                bits >>= same;
                left -= same;
                self.end_run();
            }
            let taken = left.min(8 - self.filled);
            let some = u8::try_from(bits & ((1 << taken) - 1)).unwrap_or_default();
            self.group |= some << self.filled;
            self.filled += taken;
            bits >>= taken;
            left -= taken;
            if self.filled == 8 {
                self.end_group();
            }
        }
    }

    fn end_group(&mut self) {
        let group = std::mem::take(&mut self.group);
        self.filled = 0;
        if group == 0 || group == u8::MAX {
            self.end_packed();
            self.run = Some((group != 0, 8));
        } else {
            self.packed.push(group);
            if self.packed.len() == GROUPS {
                self.end_packed();
            }
        }
    }

    fn end_packed(&mut self) {
        if !self.packed.is_empty() {
            self.out.push(head(self.packed.len()));
            self.out.append(&mut self.packed);
        }
    }

    fn end_run(&mut self) {
        if let Some((value, length)) = self.run.take() {
            varint(length << 1, &mut self.out);
            self.out.push(u8::from(value));
        }
    }

    /// Appends what was added, behind its length; none is left.
    pub(super) fn take(&mut self, out: &mut Vec<u8>) {
        self.end_run();
        if self.filled > 0 {
            let all = (1_u16 << self.filled) - 1;
            let alike = self.group == 0 || u16::from(self.group) == all;
            if self.packed.is_empty() && alike {
                self.run = Some((self.group != 0, u64::from(self.filled)));
                self.end_run();
            } else {
                self.packed.push(self.group);
            }
            self.group = 0;
            self.filled = 0;
        }
        self.end_packed();
        out.extend_from_slice(&u32::try_from(self.out.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.append(&mut self.out);
    }
}

/// Bits that a number takes.
pub(super) fn width(largest: u64) -> u32 {
    u64::BITS - largest.leading_zeros()
}

/// Bytes that so many indices take, at most, as the library estimates them.
pub(super) fn most(width: u32, indices: usize) -> usize {
    let (groups, width) = (indices.div_ceil(GROUP), usize::try_from(width).unwrap_or_default());
    (groups + groups * width).max(groups * (1 + width.div_ceil(8)))
}

/// Appends indices of at most `width` bits, which is at most 32.
pub(super) fn indices(indices: &[u32], width: u32, out: &mut Vec<u8>) {
    let mut left = indices;
    // What is to be packed is always the front part of `packing`.
    let (mut packing, mut groups) = (indices, 0);
    loop {
        let alike = match left.first_chunk::<GROUP>() {
            Some(group) => group.iter().all(|index| *index == group[0]),
            None => groups == 0 && left.iter().all(|index| Some(index) == left.first()),
        };
        if alike && let Some(index) = left.first() {
            pack(packing, groups, width, out);
            let length = left.iter().take_while(|one| *one == index).count();
            varint(count(length) << 1, out);
            let bytes = usize::try_from(width.div_ceil(8)).unwrap_or_default();
            out.extend(index.to_le_bytes().into_iter().take(bytes));
            left = left.get(length..).unwrap_or_default();
            (packing, groups) = (left, 0);
            continue;
        }
        if !left.is_empty() {
            groups += 1;
        }
        left = left.get(GROUP..).unwrap_or_default();
        if groups == GROUPS || left.is_empty() {
            pack(packing, groups, width, out);
            (packing, groups) = (left, 0);
        }
        if left.is_empty() {
            return;
        }
    }
}

/// Appends so many groups of the first indices; what is missing in the last one is zero.
fn pack(indices: &[u32], groups: usize, width: u32, out: &mut Vec<u8>) {
    if groups == 0 {
        return;
    }
    out.push(head(groups));
    let bytes = width as usize;
    let end = out.len() + groups * bytes;
    let (whole, rest) = indices.get(..groups * GROUP).unwrap_or(indices).as_chunks::<GROUP>();
    for group in whole {
        match width {
            0..=8 => {
                let all = group.iter().rev().fold(0_u64, |all, index| all << width | u64::from(*index));
                append(all.to_le_bytes(), bytes, out);
            }
            9..=16 => {
                let all = group.iter().rev().fold(0_u128, |all, index| all << width | u128::from(*index));
                append(all.to_le_bytes(), bytes, out);
            }
            _ => by_bits(group.iter().map(|index| u64::from(*index)), width, out),
        }
    }
    by_bits(rest.iter().map(|index| u64::from(*index)), width, out);
    out.resize(end, 0);
}

/// Appends the first of these bytes. As many as are always there can be copied at once.
fn append<const N: usize>(bytes: [u8; N], some: usize, out: &mut Vec<u8>) {
    let end = out.len() + some;
    out.extend_from_slice(&bytes);
    out.truncate(end);
}

/// Appends numbers of `width` bits each, the lowest bits first; the last byte may be part of a number.
pub(super) fn by_bits(numbers: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    let (mut bits, mut filled) = (0_u128, 0);
    for number in numbers {
        bits |= u128::from(number) << filled;
        filled += width;
        if filled >= u64::BITS {
            out.extend_from_slice(&(bits as u64).to_le_bytes());
            bits >>= u64::BITS;
            filled -= u64::BITS;
        }
    }
    append((bits as u64).to_le_bytes(), filled.div_ceil(8) as usize, out);
}

/// The head of a packed part.
fn head(groups: usize) -> u8 {
    u8::try_from(groups << 1 | 1).unwrap_or(u8::MAX)
}

/// Appends a number, seven bits a byte, the lowest first.
pub(super) fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number > 0x7f {
        out.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or_default());
}

fn count(values: usize) -> u64 {
    u64::try_from(values).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the bytes say, by the format's grammar.
    fn read(mut bytes: &[u8], width: u32) -> Vec<u32> {
        let mut values = Vec::new();
        while !bytes.is_empty() {
            let (mut head, mut shift) = (0_u64, 0);
            loop {
                let byte = bytes[0];
                bytes = &bytes[1..];
                head |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            let length = (head >> 1) as usize;
            if head & 1 == 0 {
                let (value, rest) = bytes.split_at(width.div_ceil(8) as usize);
                bytes = rest;
                let value = value.iter().rev().fold(0, |all, byte| all << 8 | u32::from(*byte));
                values.extend(std::iter::repeat_n(value, length));
            } else {
                let (packed, rest) = bytes.split_at(length * width as usize);
                bytes = rest;
                let bit = |at: usize| u32::from(packed[at / 8] >> (at % 8) & 1);
                values.extend((0..length * 8).map(|value| {
                    (0..width as usize).fold(0, |all, at| all | bit(value * width as usize + at) << at)
                }));
            }
        }
        values
    }

    proptest! {
        #[test]
        fn indices_read_back_and_take_what_was_estimated(
            runs in proptest::collection::vec((0_u32..1 << 20, 1_usize..40), 0..60),
            singles in proptest::collection::vec(0_u32..1 << 20, 0..1_500),
            width in 1_u32..=32,
        ) {
            let mask = u32::MAX >> (32 - width);
            let values: Vec<u32> = runs
                .iter()
                .flat_map(|(value, length)| std::iter::repeat_n(*value, *length))
                .chain(singles)
                .map(|value| value & mask)
                .collect();
            let mut bytes = Vec::new();
            indices(&values, width, &mut bytes);
            let mut back = read(&bytes, width);
            prop_assert!(back.len() < values.len() + 8);
            back.truncate(values.len());
            prop_assert_eq!(back, values);
        }

        #[test]
        fn levels_are_the_same_however_they_come(
            runs in proptest::collection::vec((any::<bool>(), 1_usize..100), 0..40),
            bits in proptest::collection::vec(any::<bool>(), 0..2_000),
            cut in 1_u32..=64,
        ) {
            let all: Vec<u32> = runs
                .iter()
                .flat_map(|(level, rows)| std::iter::repeat_n(*level, *rows))
                .chain(bits.iter().copied())
                .map(u32::from)
                .collect();
            let mut expected = Vec::new();
            indices(&all, 1, &mut expected);
            let mut levels = Levels::default();
            for (level, rows) in &runs {
                levels.repeat(*level, *rows);
            }
            for some in bits.chunks(cut as usize) {
                let word = some.iter().rev().fold(u64::MAX, |word, bit| word << 1 | u64::from(*bit));
                levels.bits(word, some.len() as u32);
            }
            let mut bytes = Vec::new();
            levels.take(&mut bytes);
            let (length, rest) = bytes.split_at(4);
            prop_assert_eq!(u32::from_le_bytes(length.try_into().unwrap()) as usize, rest.len());
            prop_assert_eq!(rest, expected);
            bytes.clear();
            levels.take(&mut bytes);
            prop_assert_eq!(bytes, [0; 4]);
        }
    }
}
