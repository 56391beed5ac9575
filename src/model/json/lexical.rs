//! Where strings and values end in text that is JSON already, or as good as.
//!
//! What lives here: skipping without judging, eight bytes at a time. The scanner has validated a text before its
//! members are walked, so that walking need not check the grammar a second time; redaction uses the same on bytes
//! that may not be valid. No position beyond the text is ever given. What this file must not know: the grammar's
//! finer points, what values mean.

use super::Kind;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// A bit for each byte that a string's plain part cannot hold: a quote, a backslash, a control character. The lowest
/// bit set is exact, since false ones only ever stand above a true one, from which something was borrowed.
const fn specials(word: u64) -> u64 {
    // With the second bit flipped a quote is 0x20, and control characters stay below it.
    let quotes_and_controls = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let escapes = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    (quotes_and_controls | escapes) & !word & HIGHS
}

/// The first position from `from` on at which stands a quote, a backslash or a control character; the text's end if
/// there is none.
#[inline]
pub(super) fn plain_end(bytes: &[u8], from: usize) -> usize {
    let (words, rest) = bytes.get(from..).unwrap_or_default().as_chunks::<8>();
    let mut at = from;
    for word in words {
        let found = specials(u64::from_le_bytes(*word));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20));
    (at + plain.count()).min(bytes.len())
}

/// The position behind the string whose opening quote stands at `from`; `None` if it does not end.
#[inline]
pub fn string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from + 1;
    loop {
        at = plain_end(bytes, at);
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The first position from `from` on at which no white space stands.
#[inline]
pub fn white_space_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// The position behind the value that begins at `from`; the text's end if the value does not end before.
pub fn value_end(bytes: &[u8], from: usize) -> usize {
    skip(bytes, from).map_or(bytes.len(), |(end, _, _)| end)
}

/// End, type and nesting of the value that begins at `from`.
#[inline]
pub(super) fn skip(bytes: &[u8], from: usize) -> Option<(usize, Kind, u32)> {
    match bytes.get(from)? {
        b'"' => Some((string_end(bytes, from)?, Kind::String, 0)),
        b'{' => nested(bytes, from).map(|(end, depth)| (end, Kind::Object, depth)),
        b'[' => nested(bytes, from).map(|(end, depth)| (end, Kind::Array, depth)),
        first => {
            let kind = match first {
                b'n' => Kind::Null,
                b't' | b'f' => Kind::Boolean,
                _ => Kind::Number,
            };
            let mut at = from;
            while bytes
                .get(at)
                .is_some_and(|byte| !matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'))
            {
                at += 1;
            }
            Some((at, kind, 0))
        }
    }
}

fn nested(bytes: &[u8], from: usize) -> Option<(usize, u32)> {
    let (mut at, mut depth, mut deepest) = (from, 0_u32, 0_u32);
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some((at + 1, deepest));
                }
            }
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slow_plain_end(bytes: &[u8], from: usize) -> usize {
        (from..bytes.len()).find(|at| matches!(bytes[*at], b'"' | b'\\' | 0..0x20)).unwrap_or(bytes.len())
    }

    #[test]
    fn every_byte_is_found_at_every_place_of_a_word() {
        for byte in 0..=u8::MAX {
            for place in 0..19 {
                for filler in [b'a', 0x21, 0x20, 0x7f, 0x80, 0xff, b'#', b']'] {
                    let mut bytes = vec![filler; 19];
                    bytes[place] = byte;
                    for from in 0..4 {
                        assert_eq!(plain_end(&bytes, from), slow_plain_end(&bytes, from), "{byte} {place}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_does_not_end_is_said_and_nothing_is_read_beyond() {
        for text in ["\"", "\"a\\", "\"a\\\"", "\"\u{e9}"] {
            assert_eq!(string_end(text.as_bytes(), 0), None, "{text}");
            assert_eq!(value_end(text.as_bytes(), 0), text.len(), "{text}");
        }
        for text in ["{", "[{}", "{\"a\":\"}", ""] {
            assert_eq!(value_end(text.as_bytes(), 0), text.len(), "{text}");
        }
        assert_eq!(value_end(b"[1]", 9), 3);
        assert_eq!(plain_end(b"abc", 7), 3);
    }

    proptest! {
        #[test]
        fn the_fast_way_finds_what_the_slow_one_does(bytes in any::<Vec<u8>>(), from in 0_usize..20) {
            prop_assert_eq!(plain_end(&bytes, from), slow_plain_end(&bytes, from));
        }

        #[test]
        fn random_bytes_never_end_outside(bytes in prop::collection::vec(prop::sample::select(b"{}[]\"\\,: a1".to_vec()), 0..40)) {
            prop_assert!(value_end(&bytes, 0) <= bytes.len());
        }
    }
}
