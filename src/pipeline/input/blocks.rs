//! A stream of bytes as lines.
//!
//! What lives here: [`Blocks`]. Lines are slices of blocks; whoever keeps one copies it. What this file must not know: what
//! a line says.

use std::io::BufRead;

use bytes::{Bytes, BytesMut};
use memchr::{memchr_iter, memrchr};

use crate::error::Error;

/// A byte order mark, which some programs put in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Lines for which there is room before they are found, at most.
const MOST_AHEAD: usize = 4_096;

/// The lines of a stream.
#[derive(Debug)]
pub(in crate::pipeline) struct Blocks<R> {
    stream: R,
    /// Bytes that are read at once.
    block: usize,
    /// Bytes of a line, at most.
    limit: usize,
    /// The beginning of a line whose end was not read yet.
    begun: Vec<u8>,
    /// The number of the line that comes next, from 1.
    number: u64,
    /// How many lines the next block may have.
    expected: usize,
    ended: bool,
}

/// Why there are no more lines.
#[derive(Debug)]
pub(in crate::pipeline) enum Stop {
    Unreadable(std::io::Error),
    /// The line of this number has more bytes than the limit.
    TooLong(u64),
}

impl Stop {
    /// The error for people: of the stream of this name, whose lines have at most `limit` bytes.
    pub(in crate::pipeline) fn named(self, name: &str, limit: u64) -> Error {
        match self {
            Self::Unreadable(cause) => unreadable(name, cause),
            Self::TooLong(number) => Error::usage("a line is longer than the limit")
                .at("file", name)
                .at("line", number)
                .at("limit", limit)
                .hint("nothing was written; raise --line-limit if this is one event"),
        }
    }
}

/// The error of a stream that cannot be read.
pub(in crate::pipeline) fn unreadable(name: &str, cause: std::io::Error) -> Error {
    Error::usage("cannot read the input").at("file", name).because(cause)
}

impl<R: BufRead> Blocks<R> {
    /// Of a stream of which so many bytes are read at once.
    pub(in crate::pipeline) fn new(stream: R, block: usize, limit: u64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { stream, block, limit, begun: Vec::new(), number: 1, expected: 0, ended: false }
    }

    /// Some lines that are not blank, each with its number; `None` at the end of the stream.
    pub(in crate::pipeline) fn next(&mut self) -> Result<Option<Vec<(u64, Bytes)>>, Stop> {
        if self.ended {
            return Ok(None);
        }
        let mut block = BytesMut::with_capacity(self.block + self.begun.len());
        block.extend_from_slice(&std::mem::take(&mut self.begun));
        let whole = loop {
            let known = block.len();
            self.read(&mut block).map_err(Stop::Unreadable)?;
            let fresh = block.get(known..).unwrap_or_default();
            if fresh.is_empty() {
                self.ended = true;
                break block.len();
            }
            if let Some(last) = memrchr(b'\n', fresh) {
                break known + last + 1;
            }
            if block.len() > self.limit {
                return Err(Stop::TooLong(self.number));
            }
        };
        self.begun = block.split_off(whole).to_vec();
        self.lines(&block.freeze()).map(Some)
    }

    fn read(&mut self, block: &mut BytesMut) -> std::io::Result<()> {
        let mut left = self.block;
        while left > 0 {
            let known = block.len();
            let chunk = self.stream.fill_buf();
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(cause) => return Err(cause),
            };
            let chunk = chunk.get(..left).unwrap_or(chunk);
            block.extend_from_slice(chunk);
            let taken = block.len() - known;
            self.stream.consume(taken);
            if taken == 0 {
                break;
            }
            left = left.saturating_sub(taken);
        }
        Ok(())
    }

    /// The lines of a block, of which only the last of the stream may have no end.
    fn lines(&mut self, block: &Bytes) -> Result<Vec<(u64, Bytes)>, Stop> {
        // Blocks that follow each other mostly have about as many lines.
        let (mut lines, mut from) = (Vec::with_capacity(self.expected.min(MOST_AHEAD)), 0);
        let last = (block.last() != Some(&b'\n')).then_some(block.len());
        for end in memchr_iter(b'\n', block).chain(last) {
            let line = block.get(from..end).unwrap_or_default();
            from = end + 1;
            if line.len() > self.limit {
                return Err(Stop::TooLong(self.number));
            }
            let line = match line.strip_prefix(BYTE_ORDER_MARK) {
                Some(rest) if self.number == 1 => rest,
                _ => line,
            };
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
                lines.push((self.number, block.slice_ref(line)));
            }
            self.number += 1;
        }
        self.expected = lines.len() + lines.len() / 8;
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::BufReader;

    fn all(text: &[u8], limit: u64, chunk: usize) -> Result<Vec<(u64, Vec<u8>)>, Stop> {
        let mut blocks = Blocks::new(BufReader::with_capacity(chunk, text), 2 << 10, limit);
        let mut lines = Vec::new();
        while let Some(more) = blocks.next()? {
            lines.extend(more.into_iter().map(|(number, line)| (number, line.to_vec())));
        }
        Ok(lines)
    }

    proptest! {
        #[test]
        fn lines_are_those_that_splitting_gives(text in "[ab \t\r\n]{0,60}", chunk in 1_usize..9) {
            let expected: Vec<_> = (1..)
                .zip(text.split('\n'))
                .map(|(number, line)| (number, line.strip_suffix('\r').unwrap_or(line).as_bytes().to_vec()))
                .filter(|(_, line)| !line.iter().all(|byte| b" \t\r".contains(byte)))
                .collect();
            prop_assert_eq!(all(text.as_bytes(), 100, chunk).unwrap(), expected);
        }
    }

    #[test]
    fn lines_longer_than_a_block_are_whole_and_limits_hold() {
        let long = "x".repeat(1 << 20);
        let text = format!("a\n{long}\n\n{long}b");
        let lines = all(text.as_bytes(), 2 << 20, 777).unwrap();
        let seen: Vec<_> = lines.iter().map(|(number, line)| (*number, line.len())).collect();
        assert_eq!(seen, [(1, 1), (2, 1 << 20), (4, (1 << 20) + 1)]);
        for (limit, number) in [(1 << 20, 4), ((1 << 20) - 1, 2), (0, 1)] {
            assert!(matches!(all(text.as_bytes(), limit, 777), Err(Stop::TooLong(found)) if found == number));
        }
    }
}
