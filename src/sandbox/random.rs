//! Deterministic numbers: a bijective mixer and a small generator (splitmix64, Steele, Lea and Flood 2014).
//!
//! What lives here: arithmetic on `u64`. What this file must not know: any source of entropy.

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A bijection of the 64-bit numbers that looks random: the finaliser of splitmix64.
pub(super) const fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The inverse of [`mix`]: the multipliers are inverses modulo 2^64, and each shift is undone by repeating it.
pub(super) const fn unmix(x: u64) -> u64 {
    let x = (x ^ (x >> 31) ^ (x >> 62)).wrapping_mul(0x3196_42b2_d24d_8ec3);
    let x = (x ^ (x >> 27) ^ (x >> 54)).wrapping_mul(0x96de_1b17_3f11_9089);
    x ^ (x >> 30) ^ (x >> 60)
}

/// A sequence of numbers that follows from its start alone.
pub(super) struct Random(u64);

impl Random {
    /// The sequence of this pair; neighbouring pairs give unrelated sequences.
    pub(super) const fn new(seed: u64, stream: u64) -> Self {
        Self(mix(seed ^ mix(stream.wrapping_add(GOLDEN))))
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number below `limit`; 0 if `limit` is 0. The upper half of a 128-bit product fits 64 bits.
    pub(super) const fn below(&mut self, limit: u64) -> u64 {
        ((self.next() as u128 * limit as u128) >> 64) as u64
    }

    /// True in `share` of 1,000 cases.
    pub(super) const fn chance(&mut self, share: u64) -> bool {
        self.below(1000) < share
    }

    /// One of the words; the empty word if there is none.
    pub(super) fn word(&mut self, words: &[&'static str]) -> &'static str {
        let place = self.below(words.len() as u64);
        usize::try_from(place).ok().and_then(|place| words.get(place)).copied().unwrap_or("")
    }

    /// One of the words, the first ones far more often than the last ones.
    pub(super) fn busy(&mut self, count: u64) -> u64 {
        let first = self.below(count);
        let second = self.below(count);
        let third = self.below(count);
        first.min(second).min(third)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unmix_undoes_mix() {
        let mut random = Random::new(1, 2);
        for edge in [0, 1, u64::MAX, 1 << 63, GOLDEN] {
            assert_eq!(unmix(mix(edge)), edge);
        }
        for _ in 0..10_000 {
            let x = random.next();
            assert_eq!(unmix(mix(x)), x);
        }
    }

    #[test]
    fn below_stays_below_and_reaches_every_value() {
        let mut random = Random::new(7, 7);
        let mut seen = [0_u32; 5];
        for _ in 0..1000 {
            seen[usize::try_from(random.below(5)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|count| *count > 150), "{seen:?}");
        assert_eq!(random.below(0), 0);
    }
}
