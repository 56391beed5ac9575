//! Reading of bodies under limits.
//!
//! What lives here: the stream of a body with its idle limit, and decompression with a bound on size and ratio. The
//! decoder is ours because the HTTP library's has neither bound. What this file must not know: statuses and JSON.

use std::io::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use flate2::write::GzDecoder;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use super::failure::Cause;
use super::usage::Counter;
use super::within::within;
use crate::error::{Error, Kind};

/// Largest factor by which a body may grow; JSON of audit events compresses to a tenth or so.
const MAX_RATIO: usize = 200;

/// Bytes that are set aside for a body by the length it announces, at most; a page of 100 events has about 60 kB.
const USUAL_PAGE: usize = 256 * 1024;

/// Output that is not yet held against the ratio: a small, very regular page is no bomb.
const RATIO_FREE: usize = 64 * 1024;

/// Reads a whole body: at most `limit` bytes on the wire and decompressed, no silence longer than `idle`.
pub(super) async fn read(
    response: &mut Response,
    limit: usize,
    idle: Duration,
    received: &Counter,
) -> Result<Bytes, Cause> {
    let mut decoder = Decoder::new(response.headers(), limit)?;
    if let Some(length) = response.content_length() {
        // A cheap refusal before the first byte; the stream is counted all the same.
        if length > limit as u64 {
            return Err(decoder.too_large());
        }
        decoder.expect(usize::try_from(length).unwrap_or(limit));
    }
    loop {
        let chunk = match within(idle, response.chunk()).await {
            None => return Err(Cause::Timeout { waited_for: "more of the body", limit: idle }),
            Some(Err(error)) => return Err(Cause::Transport(error)),
            Some(Ok(None)) => return decoder.finish(),
            Some(Ok(Some(chunk))) => chunk,
        };
        received.add(chunk.len() as u64);
        decoder.feed(&chunk)?;
    }
}

/// Body bytes as sent, or decompressed.
struct Decoder {
    input: usize,
    limit: usize,
    form: Form,
}

enum Form {
    Plain(Sink),
    Gzip(Box<GzDecoder<Sink>>),
}

impl Decoder {
    fn new(headers: &HeaderMap, limit: usize) -> Result<Self, Cause> {
        let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
        let encoding = encodings.next().map(|value| value.to_str().unwrap_or("?").to_ascii_lowercase());
        let sink = Sink { bytes: Vec::new(), allowed: limit, overflowed: false };
        let form = match encoding.as_deref() {
            None | Some("identity" | "") => Form::Plain(sink),
            Some("gzip" | "x-gzip") => Form::Gzip(Box::new(GzDecoder::new(sink))),
            Some(_) => return Err(malformed("the API compressed its reply in a way that was not asked for")),
        };
        if encodings.next().is_some() {
            return Err(malformed("the API compressed its reply more than once"));
        }
        Ok(Self { input: 0, limit, form })
    }

    /// Makes room for a body of this many bytes, so that it is not moved while it grows. A length is a promise: more than a
    /// page usually has is believed when it comes.
    fn expect(&mut self, length: usize) {
        if let Form::Plain(sink) = &mut self.form {
            sink.bytes.reserve_exact(length.min(USUAL_PAGE));
        }
    }

    fn feed(&mut self, chunk: &[u8]) -> Result<(), Cause> {
        self.input = self.input.saturating_add(chunk.len());
        if self.input > self.limit {
            return Err(self.too_large());
        }
        let (written, overflowed) = match &mut self.form {
            Form::Plain(sink) => (sink.write_all(chunk), sink.overflowed),
            Form::Gzip(gzip) => {
                let ratio = self.input.saturating_mul(MAX_RATIO).max(RATIO_FREE);
                gzip.get_mut().allowed = ratio.min(self.limit);
                let written = gzip.write_all(chunk);
                (written, gzip.get_ref().overflowed)
            }
        };
        self.checked(written, overflowed)
    }

    fn finish(mut self) -> Result<Bytes, Cause> {
        if let Form::Gzip(gzip) = &mut self.form {
            let finished = gzip.try_finish();
            let overflowed = gzip.get_ref().overflowed;
            self.checked(finished, overflowed)?;
        }
        Ok(Bytes::from(match self.form {
            Form::Plain(sink) => sink.bytes,
            Form::Gzip(mut gzip) => std::mem::take(&mut gzip.get_mut().bytes),
        }))
    }

    fn checked(&self, written: io::Result<()>, overflowed: bool) -> Result<(), Cause> {
        match written {
            Ok(()) => Ok(()),
            Err(_) if overflowed => Err(self.too_large()),
            Err(error) => Err(Cause::Malformed(
                Error::new(Kind::Malformed, "the API's compressed reply is damaged").because(error),
            )),
        }
    }

    fn too_large(&self) -> Cause {
        Cause::TooLarge(
            Error::new(
                Kind::Malformed,
                format!(
                    "the API's reply is larger than {} bytes, or grew more than {MAX_RATIO}-fold",
                    self.limit
                ),
            )
            .hint("ask for fewer events a page"),
        )
    }
}

fn malformed(message: &str) -> Cause {
    Cause::Malformed(Error::new(Kind::Malformed, message))
}

/// Collects bytes up to a bound.
struct Sink {
    bytes: Vec<u8>,
    allowed: usize,
    overflowed: bool,
}

impl Write for Sink {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len().saturating_add(piece.len()) > self.allowed {
            self.overflowed = true;
            return Err(io::Error::other("too large"));
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use reqwest::header::HeaderValue;

    const LIMIT: usize = 1 << 20;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn decode(encodings: &[&'static str], body: &[u8], step: usize) -> Result<Bytes, Cause> {
        let mut headers = HeaderMap::new();
        for encoding in encodings {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        let mut decoder = Decoder::new(&headers, LIMIT)?;
        for chunk in body.chunks(step) {
            decoder.feed(chunk)?;
        }
        decoder.finish()
    }

    #[test]
    fn gives_back_what_was_sent_whatever_the_chunks() {
        let text: Vec<u8> = (0..100_000_u32).flat_map(|number| (number % 251).to_le_bytes()).collect();
        for step in [1, 7, 4096, LIMIT] {
            for (encodings, body) in
                [(&[][..], text.clone()), (&["gzip"], gzip(&text)), (&["GZIP"], gzip(&text))]
            {
                assert_eq!(decode(encodings, &body, step).ok().unwrap(), text);
            }
        }
        assert!(decode(&["identity"], b"", 1).ok().unwrap().is_empty());
    }

    #[test]
    fn a_bomb_is_stopped_by_ratio_and_by_size() {
        // 1000 to 1 and below the size limit: only the ratio stops it.
        assert!(matches!(decode(&["gzip"], &gzip(&vec![0; 900_000]), 16), Err(Cause::TooLarge(_))));
        assert!(decode(&["gzip"], &gzip(&vec![0; RATIO_FREE]), LIMIT).is_ok());
        let mut noise = 1_u32;
        let large: Vec<u8> = (0..LIMIT + 1)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 29) as u8
            })
            .collect();
        assert!(matches!(decode(&["gzip"], &gzip(&large), LIMIT), Err(Cause::TooLarge(_))));
        assert!(matches!(decode(&[], &large, LIMIT), Err(Cause::TooLarge(_))));
        assert!(decode(&[], &large[..LIMIT], LIMIT).is_ok());
    }

    #[test]
    fn a_compressed_body_without_content_is_bounded_too() {
        // Empty stored blocks without end: nothing comes out, so that only the input can be counted.
        let mut body = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
        while body.len() <= LIMIT {
            body.extend([0, 0, 0, 0xff, 0xff]);
        }
        assert!(matches!(decode(&["gzip"], &body[..LIMIT], 1000), Err(Cause::Malformed(_))));
        assert!(matches!(decode(&["gzip"], &body, 1000), Err(Cause::TooLarge(_))));
    }

    #[test]
    fn damage_is_found() {
        let good = gzip(b"{\"page\":{\"totalElements\":0}}");
        for length in 0..good.len() {
            assert!(
                matches!(decode(&["gzip"], &good[..length], 5), Err(Cause::Malformed(_))),
                "cut at {length}"
            );
        }
        let trailing = [&good[..], b"x"].concat();
        assert!(matches!(decode(&["gzip"], &trailing, 5), Err(Cause::Malformed(_))));
        let mut wrong = good.clone();
        let last = wrong.len() - 5;
        wrong[last] ^= 1;
        assert!(matches!(decode(&["gzip"], &wrong, LIMIT), Err(Cause::Malformed(_))));
        for encodings in
            [&["br"][..], &["gzip, gzip"], &["gzip", "gzip"], &["identity", "gzip"], &["deflate"]]
        {
            assert!(matches!(decode(encodings, &good, LIMIT), Err(Cause::Malformed(_))), "{encodings:?}");
        }
    }
}
