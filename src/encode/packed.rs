//! Compressed bytes that are no data file: kept evidence, and input that somebody else has compressed.
//!
//! What lives here: Zstandard in one piece, and a stream that is unpacked as it is read. What this file must not know:
//! what the bytes are.

use std::io::{self, BufRead, BufReader};

use flate2::bufread::MultiGzDecoder;

use super::packing::{bounded, undecoded};
use crate::error::{Error, Result};

/// How the first bytes of a stream tell its compression.
const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// The pieces as one Zstandard frame. The bytes are a function of the pieces, the level and the version of the program.
///
/// # Errors
/// Bug: the library refuses. What `pieces` gives.
pub fn zstd(pieces: impl IntoIterator<Item = Result<Vec<u8>>>, level: i32) -> Result<Vec<u8>> {
    let bug = |cause: io::Error| Error::bug("cannot compress").because(cause);
    let mut encoder = zstd::Encoder::new(Vec::new(), level).map_err(bug)?;
    for piece in pieces {
        io::Write::write_all(&mut encoder, &piece?).map_err(bug)?;
    }
    encoder.finish().map_err(bug)
}

/// What Zstandard frames hold, `limit` bytes at most.
///
/// # Errors
/// Verification: damaged, cut off, or more than the limit.
pub fn unzstd(bytes: &[u8], limit: u64) -> Result<Vec<u8>> {
    bounded(&mut zstd::Decoder::with_buffer(bytes).map_err(undecoded)?, limit)
}

/// The stream without its compression, gzip or Zstandard, which its first bytes tell; any other stream as it is. What is
/// damaged or cut off fails when it is read.
///
/// # Errors
/// What the stream gives when its first bytes are read.
pub fn unpacked<'a>(mut stream: impl BufRead + 'a) -> io::Result<Box<dyn BufRead + 'a>> {
    // A short first read, as from a pipe, still holds the two bytes that decide in practice.
    let start = stream.fill_buf()?;
    if start.starts_with(GZIP) {
        return Ok(Box::new(BufReader::new(MultiGzDecoder::new(stream))));
    }
    if start.starts_with(ZSTD) {
        return Ok(Box::new(BufReader::new(zstd::Decoder::with_buffer(stream)?)));
    }
    Ok(Box::new(stream))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn text(stream: &[u8]) -> io::Result<String> {
        let mut out = String::new();
        unpacked(stream)?.read_to_string(&mut out)?;
        Ok(out)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_stream_reads_as_what_was_packed() {
        let plain = b"{\"id\":\"a\"}\n".repeat(5_000);
        let packed = zstd([Ok(plain.clone())], 3).unwrap();
        assert!(packed.len() < plain.len() / 10);
        assert_eq!(unzstd(&packed, plain.len() as u64).unwrap(), plain);
        for stream in [&plain, &gzip(&plain), &packed] {
            assert_eq!(text(stream).unwrap().as_bytes(), plain);
        }
        // Files that were joined: several members, several frames.
        for pack in [gzip, |bytes: &[u8]| zstd([Ok(bytes.to_vec())], 3).unwrap()] {
            let joined = [pack(b"a\n"), pack(b"b\n")].concat();
            assert_eq!(text(&joined).unwrap(), "a\nb\n");
        }
        assert_eq!(text(b"").unwrap(), "");
    }

    #[test]
    fn what_is_cut_off_or_too_much_is_refused() {
        let plain = b"{\"id\":\"a\"}\n".repeat(500);
        let packed = zstd([Ok(plain.clone())], 3).unwrap();
        assert!(unzstd(&packed, plain.len() as u64 - 1).is_err());
        for cut in 1..packed.len() {
            assert!(unzstd(&packed[..cut], 1 << 20).is_err(), "{cut}");
        }
        let zipped = gzip(&plain);
        for cut in 3..zipped.len() {
            assert!(text(&zipped[..cut]).is_err(), "{cut}");
        }
    }
}
