//! Compressed text files.
//!
//! What lives here: [`write()`] and [`read`] around a text format. One gzip member without time or name, or one Zstandard
//! frame with a checksum of its content; both end where the file ends. Reading stops at a limit, whatever the file says
//! of its own length. What this file must not know: what the text is.

use std::borrow::Cow;
use std::io::{self, BufWriter, Read, Write};

use flate2::bufread::GzDecoder;
use flate2::{Compression, GzBuilder};

use super::file::over_limit;
use crate::error::{Error, Kind, Result};
use crate::model::Packing;

/// What a gzip member begins with that has no time, name, comment or extra field.
const GZIP: [u8; 8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0];

/// Our gzip does not say on which system it ran.
const UNKNOWN_SYSTEM: u8 = 255;

/// Zstandard's magic number.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The bits of a frame's descriptor for a dictionary, the checksum and the future.
const ZSTD_BITS: u8 = 0b0000_1111;
const ZSTD_CHECKSUM: u8 = 0b0000_0100;

/// Largest window that is decoded, as a power of two: what level 22 writes, and what other readers take.
const ZSTD_WINDOW: u32 = 27;

/// Bytes handed to a compressor at once, so that its output does not depend on how the text was written.
const CHUNK: usize = 64 << 10;

/// Writes a text through a compressor of this level.
///
/// # Errors
/// [`Kind::Storage`]; what `text` fails with.
pub(super) fn write<T>(
    packing: Packing,
    level: u32,
    sink: &mut (impl Write + Send),
    text: impl FnOnce(&mut dyn Write) -> Result<T>,
) -> Result<T> {
    match packing {
        Packing::Plain => {
            let mut out = BufWriter::with_capacity(CHUNK, sink);
            let done = text(&mut out)?;
            out.flush()
                .map_err(|cause| Error::new(Kind::Storage, "cannot write a text file").because(cause))?;
            Ok(done)
        }
        Packing::Gzip => {
            let gzip = GzBuilder::new().write(sink, Compression::new(level.min(9)));
            let mut gzip = BufWriter::with_capacity(CHUNK, gzip);
            let done = text(&mut gzip)?;
            let gzip = gzip.into_inner().map_err(|cause| unwritten(cause.into_error()))?;
            gzip.finish().map_err(unwritten)?;
            Ok(done)
        }
        Packing::Zstd => {
            let level = i32::try_from(level).unwrap_or(i32::MAX);
            let mut zstd = zstd::stream::write::Encoder::new(sink, level).map_err(unwritten)?;
            zstd.include_checksum(true).map_err(unwritten)?;
            let mut zstd = BufWriter::with_capacity(CHUNK, zstd);
            let done = text(&mut zstd)?;
            let zstd = zstd.into_inner().map_err(|cause| unwritten(cause.into_error()))?;
            zstd.finish().map_err(unwritten)?;
            Ok(done)
        }
    }
}

/// The text of a file, of at most `limit` bytes.
///
/// # Errors
/// [`Kind::Verification`] for anything but one whole member or frame as [`write()`] makes it, or for a longer text.
pub(super) fn read(packing: Packing, bytes: &[u8], limit: u64) -> Result<Cow<'_, [u8]>> {
    match packing {
        Packing::Plain => Ok(Cow::Borrowed(bytes)),
        Packing::Gzip => {
            if !bytes.starts_with(&GZIP) || bytes.get(9) != Some(&UNKNOWN_SYSTEM) {
                return Err(refused("not the beginning of a gzip file of this program"));
            }
            let mut decoder = GzDecoder::new(bytes);
            let text = bounded(&mut decoder, limit)?;
            at_end(decoder.into_inner())?;
            Ok(Cow::Owned(text))
        }
        Packing::Zstd => {
            let descriptor = bytes.get(4).map(|descriptor| descriptor & ZSTD_BITS);
            if !bytes.starts_with(&ZSTD) || descriptor != Some(ZSTD_CHECKSUM) {
                return Err(refused("not the beginning of a Zstandard file of this program"));
            }
            let mut decoder =
                zstd::stream::read::Decoder::with_buffer(bytes).map_err(undecoded)?.single_frame();
            decoder.window_log_max(ZSTD_WINDOW).map_err(undecoded)?;
            let text = bounded(&mut decoder, limit)?;
            at_end(decoder.finish())?;
            Ok(Cow::Owned(text))
        }
    }
}

pub(super) fn bounded(decoder: &mut impl Read, limit: u64) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let read = decoder.take(limit.saturating_add(1)).read_to_end(&mut text).map_err(undecoded)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > limit {
        return Err(over_limit("bytes of text", limit));
    }
    Ok(text)
}

fn at_end(rest: &[u8]) -> Result<()> {
    if rest.is_empty() { Ok(()) } else { Err(refused("something follows its end").at("bytes", rest.len())) }
}

fn refused(why: &'static str) -> Error {
    Error::new(Kind::Verification, "not a readable compressed file").at("why", why)
}

pub(super) fn undecoded(cause: io::Error) -> Error {
    refused("damaged").because(cause)
}

fn unwritten(cause: io::Error) -> Error {
    Error::new(Kind::Storage, "cannot write a compressed file").because(cause)
}
