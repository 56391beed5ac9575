//! Lines of NDJSON to a set of events.
//!
//! What lives here: [`Input`], which takes streams of lines, keeps each event once and tells what no window can hold.
//! The result is a function of the set of lines: in which order and from which stream they came does not matter.
//! What this file must not know: files, rows, the destination.

use std::collections::HashMap;
use std::io::{self, BufRead};

use bytes::Bytes;

use crate::api::wire::event;
use crate::encode::unpacked;
use crate::error::{Error, Result};
use crate::flatten::same;
use crate::model::json::{Value, push_compact};
use crate::model::{Event, EventId, Flaw, Grid, Timestamp, Window};

/// A byte order mark, which some programs put in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Contents of one id, at most: each new one is compared with all of them.
const MAX_CONTENTS: usize = 1_000;

/// How much is taken in.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one line.
    pub line: u64,
    /// Bytes of all distinct events together.
    pub total: u64,
}

impl Default for Limits {
    /// 64 MiB a line, 2 GiB in all.
    fn default() -> Self {
        Self { line: 64 << 20, total: 2 << 30 }
    }
}

/// Events from lines.
#[derive(Debug)]
pub struct Input {
    limits: Limits,
    /// The contents of each id; one, if all is well.
    events: HashMap<EventId, Vec<Event>>,
    held: u64,
    lines: u64,
    repeated: u64,
}

/// What the lines were.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// Events by window, ascending; each sorted as rows are.
    pub(super) windows: Vec<(Window, Vec<Event>)>,
    /// Events that no window holds, each with a flaw.
    pub(super) unplaced: Vec<Event>,
    /// Ids that came with several contents.
    pub(super) contradictions: Vec<EventId>,
    /// Lines that were not blank.
    pub(super) lines: u64,
    /// Lines that said again what another line had said.
    pub(super) repeated: u64,
}

impl Input {
    /// Nothing yet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, events: HashMap::new(), held: 0, lines: 0, repeated: 0 }
    }

    /// Takes every line of a stream. Blank lines are no events; a byte order mark at the start is none either; CRLF is
    /// taken as well as LF, and the last line needs neither. gzip and Zstandard are seen and unpacked. It blocks while it reads: call it off the async threads.
    ///
    /// # Errors
    /// Usage: the stream cannot be read, a line is too long, or all events together are too much. `name` is what the
    /// error calls the stream.
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
            self.add(event(line)).map_err(|error| error.at("file", name).at("line", number))?;
        }
    }

    fn add(&mut self, event: Event) -> Result<()> {
        self.lines += 1;
        let known = self.events.entry(event.id.clone()).or_default();
        if let Some(other) = known.iter_mut().find(|other| says_the_same(other, &event)) {
            self.repeated += 1;
            // Of several spellings the smallest stays, so that the order of lines decides nothing.
            if event.text < other.text {
                other.text = event.text;
            }
            return Ok(());
        }
        if known.len() >= MAX_CONTENTS {
            return Err(Error::usage("one id has more contents than the limit")
                .at("id", event.id.as_str().escape_debug())
                .at("limit", MAX_CONTENTS)
                .hint("nothing was written; these are not audit events"));
        }
        self.held = self.held.saturating_add(u64::try_from(event.text.len()).unwrap_or(u64::MAX));
        if self.held > self.limits.total {
            return Err(Error::usage("the input is more than the limit")
                .at("limit", self.limits.total)
                .hint("nothing was written; convert the files in several runs, or raise --input-limit"));
        }
        known.push(event);
        Ok(())
    }

    /// The events by window of this grid.
    pub(super) fn sort(self, grid: Grid) -> Sorted {
        let mut sorted = Sorted { lines: self.lines, repeated: self.repeated, ..Sorted::default() };
        let mut placed: Vec<(Window, Event)> = Vec::new();
        let mut place = |mut event: Event, unplaced: &mut Vec<Event>| match window(grid, event.created_at) {
            Some(window) => placed.push((window, event)),
            None => {
                // A time that no window has is not a time that cannot be read: such an event is no row.
                if event.created_at.is_some() {
                    event.flaw.get_or_insert(Flaw::NoTime);
                }
                unplaced.push(event);
            }
        };
        for (id, mut all) in self.events {
            if all.len() > 1 {
                sorted.contradictions.push(id);
            }
            // The one that becomes the row: sound, placed, then the earliest, then the smallest text.
            all.sort_by(|one, other| rank(one).cmp(&rank(other)));
            for (position, mut event) in all.into_iter().enumerate() {
                if position > 0 {
                    event.flaw.get_or_insert(Flaw::OtherContent);
                }
                place(event, &mut sorted.unplaced);
            }
        }
        sorted.contradictions.sort();
        sorted.unplaced.sort_by(|one, other| one.text.cmp(&other.text));
        placed.sort_by(|(_, one), (_, other)| {
            one.sort_key().cmp(&other.sort_key()).then_with(|| one.text.cmp(&other.text))
        });
        for (window, event) in placed {
            match sorted.windows.last_mut() {
                Some((last, events)) if *last == window => events.push(event),
                _ => sorted.windows.push((window, vec![event])),
            }
        }
        sorted
    }
}

fn rank(event: &Event) -> (bool, bool, Option<Timestamp>, &Bytes) {
    (event.flaw.is_some(), event.created_at.is_none(), event.created_at, &event.text)
}

/// The window of a time, if the log can name it: at the ends of the calendar a window reaches beyond.
fn window(grid: Grid, created_at: Option<Timestamp>) -> Option<Window> {
    let window = grid.window(created_at?);
    let named = |at: Timestamp| (1..=9999).contains(&at.date().0);
    (named(window.from) && named(window.to)).then_some(window)
}

/// Whether two events of one id are one: as JSON, the API's own link left out. What is not JSON is compared as bytes.
pub(super) fn says_the_same(one: &Event, other: &Event) -> bool {
    if one.text == other.text {
        return true;
    }
    match (without_links(one), without_links(other)) {
        (Some(one), Some(other)) => same(&one, &other),
        _ => false,
    }
}

fn without_links(event: &Event) -> Option<String> {
    if event.flaw.is_some() {
        return None;
    }
    let mut out = "{".to_owned();
    for (key, value) in Value::parse(std::str::from_utf8(&event.text).ok()?).ok()?.members() {
        if key.is("_links") {
            continue;
        }
        if out.len() > 1 {
            out.push(',');
        }
        out.push('"');
        out.push_str(key.raw());
        out.push_str("\":");
        push_compact(&mut out, &value);
    }
    out.push('}');
    Some(out)
}

#[cfg(test)]
mod tests;
