//! Lines of NDJSON to a set of events.
//!
//! What lives here: [`Input`], which takes streams of lines, keeps each event once and tells what no window can hold.
//! The result is a function of the set of lines: in which order and from which stream they came does not matter, and
//! neither does how many fit into memory.
//! What this file must not know: files, rows, the destination.

use std::io::{self, BufRead};

use bytes::Bytes;

use self::distinct::Distinct;
pub(super) use self::distinct::says_the_same;
pub use self::windows::Lines;
use crate::api::wire::event;
use crate::encode::unpacked;
use crate::error::{Error, Result};
use crate::model::Grid;
use crate::spool::Scratch;

mod distinct;
mod windows;

/// A byte order mark, which some programs put in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Of the memory, one such part is for events that are being told apart or sorted.
const SORTING: u64 = 2;

/// How much is taken in.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one line.
    pub line: u64,
}

impl Default for Limits {
    /// 64 MiB a line.
    fn default() -> Self {
        Self { line: 64 << 20 }
    }
}

/// Events from lines.
#[derive(Debug)]
pub struct Input {
    limits: Limits,
    scratch: Scratch,
    distinct: Distinct,
    lines: u64,
}

impl Input {
    /// Nothing yet; what is beyond half of the memory of `scratch` goes into its temporary files.
    pub fn new(limits: Limits, scratch: Scratch) -> Self {
        let distinct = Distinct::new(&scratch, scratch.share(SORTING));
        Self { limits, scratch, distinct, lines: 0 }
    }

    /// Takes every line of a stream. Blank lines are no events; a byte order mark at the start is none either; CRLF is
    /// taken as well as LF, and the last line needs neither. gzip and Zstandard are seen and unpacked. It blocks while it reads: call it off the async threads.
    ///
    /// # Errors
    /// Usage: the stream cannot be read, or a line is too long. Storage: temporary files cannot be written, or have
    /// reached their limit. `name` is what the error calls the stream.
    pub fn take(&mut self, name: &str, stream: impl BufRead) -> Result<()> {
        let unreadable =
            |cause: io::Error| Error::usage("cannot read the input").at("file", name).because(cause);
        let mut stream = unpacked(stream).map_err(unreadable)?;
        let mut number = 0_u64;
        loop {
            number += 1;
            let mut line = Vec::new();
            let limit = self.limits.line.saturating_add(1);
            io::Read::take(&mut stream, limit).read_until(b'\n', &mut line).map_err(unreadable)?;
            if line.is_empty() {
                return Ok(());
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            if u64::try_from(line.len()).unwrap_or(u64::MAX) > self.limits.line {
                return Err(Error::usage("a line is longer than the limit")
                    .at("file", name)
                    .at("line", number)
                    .at("limit", self.limits.line)
                    .hint("nothing was written; raise --line-limit if this is one event"));
            }
            let line = Bytes::from(line);
            let line = match line.strip_prefix(BYTE_ORDER_MARK) {
                Some(rest) if number == 1 => line.slice_ref(rest),
                _ => line,
            };
            let line = match line.strip_suffix(b"\r") {
                Some(rest) => line.slice_ref(rest),
                None => line,
            };
            if line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
                continue;
            }
            self.lines += 1;
            let taken = self.distinct.push(event(line));
            taken.map_err(|error| error.at("file", name).at("line", number))?;
        }
    }

    /// The events by window of this grid. It blocks while it sorts.
    ///
    /// # Errors
    /// Usage: an id has more contents than are compared. Storage: as for [`Input::take`].
    pub fn finish(self, grid: Grid) -> Result<Lines> {
        Lines::of(self.distinct, self.lines, grid, &self.scratch)
    }
}

#[cfg(test)]
mod tests;
