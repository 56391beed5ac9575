//! Compressors and buffers that are used again.
//!
//! What lives here: [`Packer`]. To make a compressor takes longer than to compress a short page, and one takes more memory than most
//! columns; so a column has one only while it ends a page. Nothing of one page is left for the next. What this file must not know: what
//! pages hold.

use std::sync::{Mutex, PoisonError};

use zstd::bulk::Compressor;
use zstd::zstd_safe::compress_bound;

use crate::error::{Error, Result};

/// Packers that nobody uses: two levels for each thread of four.
const IDLE: usize = 8;

/// Bytes of a buffer that is kept.
const KEPT: usize = 2 << 20;

/// Bytes after which a compressor is not used again: at 3.5 GB it has to count anew, which shall not happen within a page.
const WORN: usize = 1 << 30;

static PACKERS: Mutex<Vec<Packer>> = Mutex::new(Vec::new());

/// A compressor, if there is one, and what a page is put together in.
pub(super) struct Packer {
    level: Option<i32>,
    zstd: Option<Compressor<'static>>,
    /// Empty.
    pub(super) front: Vec<u8>,
    packed: Vec<u8>,
    /// Bytes that were compressed.
    used: usize,
}

impl Packer {
    /// One for Zstandard at this level, or for pages that are not compressed.
    pub(super) fn new(level: Option<i32>) -> Result<Self> {
        let mut idle = PACKERS.lock().unwrap_or_else(PoisonError::into_inner);
        let place = idle.iter().position(|packer| packer.level == level);
        if let Some(packer) = place.map(|place| idle.swap_remove(place)) {
            return Ok(packer);
        }
        drop(idle);
        Self::made(level)
    }

    fn made(level: Option<i32>) -> Result<Self> {
        let zstd = level.map(Compressor::new).transpose().map_err(|cause| unpacked(&cause))?;
        Ok(Self { level, zstd, front: Vec::new(), packed: Vec::new(), used: 0 })
    }

    /// The bytes of a page as they stand in the file.
    pub(super) fn pack<'a>(&'a mut self, page: &'a [u8]) -> Result<&'a [u8]> {
        let Some(zstd) = &mut self.zstd else { return Ok(page) };
        self.used = self.used.saturating_add(page.len());
        self.packed.clear();
        self.packed.reserve(compress_bound(page.len()));
        zstd.compress_to_buffer(page, &mut self.packed).map_err(|cause| unpacked(&cause))?;
        Ok(&self.packed)
    }

    /// For the next page, of whatever column.
    pub(super) fn give_back(mut self) {
        self.front.clear();
        self.front.shrink_to(KEPT);
        self.packed.clear();
        self.packed.shrink_to(KEPT);
        let mut idle = PACKERS.lock().unwrap_or_else(PoisonError::into_inner);
        if self.used < WORN {
            // Levels change: what has been there longest goes.
            let first = idle.len().saturating_sub(IDLE - 1);
            idle.drain(..first);
            idle.push(self);
        }
    }
}

fn unpacked(cause: &std::io::Error) -> Error {
    Error::bug("a page cannot be compressed").because(cause.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A page of letters that repeat more or less.
    fn page(mut seed: u64, length: usize, letters: u64, words: u64) -> Vec<u8> {
        let mut next = || {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            seed >> 33
        };
        let words: Vec<Vec<u8>> = (0..words)
            .map(|_| (0..1 + next() % 24).map(|_| u8::try_from(next() % letters).unwrap()).collect())
            .collect();
        let mut page = Vec::new();
        while page.len() < length {
            page.extend_from_slice(&words[next() as usize % words.len()]);
        }
        page.truncate(length);
        page
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn no_page_leaves_a_trace_in_the_next(
            level in 1..=22,
            pages in proptest::collection::vec(
                (any::<u64>(), 0_usize..90_000, 2_u64..256, 1_u64..3_000), 2..8),
        ) {
            let mut used = Packer::made(Some(level)).unwrap();
            for (seed, length, letters, words) in pages {
                let page = page(seed, length, letters, words);
                let mut new = Packer::made(Some(level)).unwrap();
                prop_assert!(used.pack(&page).unwrap() == new.pack(&page).unwrap(), "{length} bytes");
            }
        }
    }
}
