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

static PACKERS: Mutex<Vec<Packer>> = Mutex::new(Vec::new());

/// A compressor, if there is one, and what a page is put together in.
pub(super) struct Packer {
    level: Option<i32>,
    zstd: Option<Compressor<'static>>,
    /// Empty.
    pub(super) front: Vec<u8>,
    packed: Vec<u8>,
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
        let zstd = level.map(Compressor::new).transpose().map_err(|cause| unpacked(&cause))?;
        Ok(Self { level, zstd, front: Vec::new(), packed: Vec::new() })
    }

    /// The bytes of a page as they stand in the file.
    pub(super) fn pack<'a>(&'a mut self, page: &'a [u8]) -> Result<&'a [u8]> {
        let Some(zstd) = &mut self.zstd else { return Ok(page) };
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
        if idle.len() < IDLE {
            idle.push(self);
        }
    }
}

fn unpacked(cause: &std::io::Error) -> Error {
    Error::bug("a page cannot be compressed").because(cause.to_string())
}
