//! Times of one day, whose date is read once.
//!
//! What lives here: [`Day`]. Most times that follow each other are of one day. What this file must not know: where times come
//! from, the clock.

use super::{MICROS_PER_SECOND, SECONDS_PER_DAY, Timestamp};

/// The date that was read last.
#[derive(Clone, Debug, Default)]
pub struct Day {
    /// As it is spelled; none at first.
    date: Option<[u8; 10]>,
    /// Its midnight, in microseconds.
    midnight: i64,
}

impl Day {
    /// A time that is spelled as the API documents it, without a fraction: what [`Timestamp::parse`] reads, and canonical.
    /// `None` for any other text.
    #[inline]
    pub fn time(&mut self, text: &str) -> Option<Timestamp> {
        let (date, rest) = text.as_bytes().split_first_chunk::<10>()?;
        let &[b'T', h1, h2, b':', m1, m2, b':', s1, s2] = rest else { return None };
        if self.date != Some(*date) {
            let micros = Timestamp::parse(text).filter(|read| read.canonical)?.at.micros();
            self.midnight = micros - micros.rem_euclid(SECONDS_PER_DAY * MICROS_PER_SECOND);
            self.date = Some(*date);
        }
        let two = |tens: u8, ones: u8| {
            let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
            (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
        };
        let (hours, minutes, seconds) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
        let valid = hours < 24 && minutes < 60 && seconds < 60;
        let within = (hours * 3_600 + minutes * 60 + seconds) * MICROS_PER_SECOND;
        valid.then(|| Timestamp::from_micros(self.midnight + within))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MICROS_A_DAY: i64 = SECONDS_PER_DAY * MICROS_PER_SECOND;

    proptest! {
        #[test]
        fn a_time_is_read_as_it_is_without_the_day_before(
            times in prop::collection::vec((0_i64..3, 0_i64..MICROS_A_DAY, any::<bool>()), 1..8),
            place in any::<prop::sample::Index>(),
            byte in prop::sample::select(b"0123456789T:.-Z ".to_vec()),
        ) {
            let mut day = Day::default();
            for (number, within, whole) in times {
                let within = if whole { within - within % MICROS_PER_SECOND } else { within };
                let text = Timestamp::from_micros((number - 1) * MICROS_A_DAY + within).to_string();
                let mut other = text.clone().into_bytes();
                other[place.index(text.len())] = byte;
                for text in [text.clone(), String::from_utf8(other).unwrap(), text] {
                    let expected = Timestamp::parse(&text).filter(|read| read.canonical && text.len() == 19);
                    prop_assert_eq!(day.time(&text), expected.map(|read| read.at), "{}", text);
                }
            }
        }
    }
}
