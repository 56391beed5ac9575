//! Lines of NDJSON to a set of events.
//!
//! What lives here: [`Input`], which takes streams of lines, keeps each event once and tells what no window can hold.
//! The result is a function of the set of lines: in which order and from which stream they came does not matter, and
//! neither does how many fit into memory.
//! What this file must not know: files, rows, the destination.

use std::io::BufRead;
use std::sync::mpsc::sync_channel;

pub(super) use self::blocks::{Blocks, unreadable};
use self::distinct::Distinct;
pub(super) use self::distinct::says_the_same;
use self::placing::Placing;
pub use self::windows::Lines;
pub(super) use self::windows::{Windows, window};
use crate::api::wire::Reader;
use crate::encode::unpacked;
use crate::error::{Error, Result};
use crate::model::{Event, Grid};
use crate::spool::Scratch;

mod blocks;
mod distinct;
mod placing;
mod windows;

/// Of the memory, one such part is for events that are told apart while all of them fit into it.
const HELD: u64 = 2;

/// Bytes of lines that are read at once.
const BLOCK: usize = 256 << 10;

/// Blocks of lines that wait between being read and being taken: one line may be long.
const BLOCKS_WAITING: usize = 0;

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
    grid: Grid,
    scratch: Scratch,
    /// All events, while they fit into memory.
    held: Distinct,
    /// And where they go once they do not.
    beyond: Option<Placing>,
    lines: u64,
    /// Whether lines are read beside the thread that takes them in.
    beside: bool,
}

impl Input {
    /// Nothing yet; events are for windows of this grid. What is beyond half of the memory of `scratch` goes into its
    /// temporary files.
    pub fn new(limits: Limits, scratch: Scratch, grid: Grid) -> Self {
        let held = Distinct::new(&scratch, u64::MAX);
        Self { limits, grid, scratch, held, beyond: None, lines: 0, beside: false }
    }

    /// The same with so many threads.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self { beside: threads > 1, ..self }
    }

    /// Takes every line of a stream. Blank lines are no events; a byte order mark at the start is none either; CRLF is
    /// taken as well as LF, and the last line needs neither. gzip and Zstandard are seen and unpacked. It blocks while it reads: call it off the async threads.
    ///
    /// # Errors
    /// Usage: the stream cannot be read, or a line is too long. Storage: temporary files cannot be written, or have
    /// reached their limit. `name` is what the error calls the stream.
    pub fn take(&mut self, name: &str, stream: impl BufRead) -> Result<()> {
        let limit = self.limits.line;
        let stream = unpacked(stream).map_err(|cause| unreadable(name, cause))?;
        let mut blocks = Blocks::new(stream, BLOCK, limit);
        let mut reader = Reader::default();
        let mut next = || -> Result<Option<Vec<(u64, Event)>>> {
            let lines = blocks.next().map_err(|stop| stop.named(name, limit))?;
            Ok(lines
                .map(|lines| lines.into_iter().map(|(number, line)| (number, reader.event(line))).collect()))
        };
        if !self.beside {
            while let Some(events) = next()? {
                self.all(name, events)?;
            }
            return Ok(());
        }
        std::thread::scope(|scope| {
            let (blocks, taking) = sync_channel(BLOCKS_WAITING);
            let taken = scope.spawn(move || taking.into_iter().try_for_each(|events| self.all(name, events)));
            let mut read = || -> Result<()> {
                // Where nobody takes any more, its error says why.
                while let Some(events) = next()? {
                    if blocks.send(events).is_err() {
                        break;
                    }
                }
                Ok(())
            };
            let read = read();
            drop(blocks);
            let taken = taken.join().map_err(|_| Error::bug("a thread that takes lines failed"))?;
            // What came first is said first.
            taken.and(read)
        })
    }

    fn all(&mut self, name: &str, events: Vec<(u64, Event)>) -> Result<()> {
        for (number, event) in events {
            self.lines += 1;
            self.push(event).map_err(|error| error.at("file", name).at("line", number))?;
        }
        Ok(())
    }

    fn push(&mut self, event: Event) -> Result<()> {
        if let Some(beyond) = &mut self.beyond {
            return beyond.push(event);
        }
        // One that repeats another is not kept, and neither is its block.
        self.held.push(event.alone())?;
        if self.held.weight() <= self.scratch.share(HELD) {
            return Ok(());
        }
        let mut beyond = Placing::new(&self.scratch, self.grid);
        let held = std::mem::replace(&mut self.held, Distinct::new(&self.scratch, u64::MAX));
        let mut events = Vec::new();
        beyond.repeated = held.each(|contents| {
            events.extend(contents);
            Ok(())
        })?;
        // Events that came in order stay in it, which makes one run of them.
        events.sort_unstable_by(|one, other| one.sort_key().cmp(&other.sort_key()));
        events.into_iter().try_for_each(|event| beyond.push(event))?;
        self.beyond = Some(beyond);
        Ok(())
    }

    /// The events by window. It blocks while it sorts.
    ///
    /// # Errors
    /// Usage: an id has more contents than are compared. Storage: as for [`Input::take`].
    pub fn finish(self) -> Result<Lines> {
        match self.beyond {
            Some(beyond) => beyond.finish(self.lines),
            None => Placing::new(&self.scratch, self.grid).finish_with(self.held, self.lines),
        }
    }
}

#[cfg(test)]
mod tests;
