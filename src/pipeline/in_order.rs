//! Lines that come in the order of their rows, made rows as they are read.
//!
//! What lives here: [`Inputs`], [`take()`] and [`Taken`]. Files mostly come in order: what exports wrote, what logs append. Then nothing
//! need be sorted, and each line is read once, by several threads. Whether it is so is only known at the end; where
//! a line is behind its time, is no row, or an id may occur twice, everything is read again by [`Input`], which gives
//! the same rows for any order. So the outcome does not depend on which way was taken.
//! What this file must not know: how a line becomes a row, where rows go.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io::BufRead;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use self::taking::{Taking, Whole};
use self::worker::{Piece, Worker};
use super::convert::{Conversion, recipe};
use super::input::{Blocks, Input, Limits, Lines, Windows, unreadable};
use super::transform::{Made, Received, Recipe, make};
use crate::encode::unpacked;
use crate::error::{Error, Kind, Result};
use crate::model::{Counts, Drift, Window};
use crate::publish::{Grouped, Prepared, Remake};
use crate::schema::Table;
use crate::spool::Events;

mod seam;
mod taking;
mod worker;

/// Threads that make rows, at most: one thread reads for all of them, and another takes what they made.
const WORKERS: usize = 8;

/// Bytes of a line, at most.
const LONG: usize = 512 << 10;

/// Bytes of lines that are read at once.
const BLOCK: usize = 256 << 10;

/// Blocks that wait for a worker. What a worker has made waits with it: more would take memory.
const WAITING: usize = 1;

/// Opens a stream of lines from its beginning.
pub type Open = Box<dyn Fn() -> Result<Box<dyn BufRead>> + Send + Sync>;

/// Streams of lines, each with the name that errors call it.
pub struct Inputs {
    /// In the order in which they are read.
    pub streams: Vec<(String, Open)>,
    /// Whether opening a stream a second time gives the same lines, unless somebody has changed them.
    pub again: bool,
}

/// Lines that were all read.
#[derive(Debug)]
pub struct Taken(pub(super) Kept);

/// How they are kept.
#[derive(Debug)]
pub(super) enum Kept {
    Sorted(Lines),
    InOrder(InOrder),
}

impl From<Lines> for Taken {
    fn from(lines: Lines) -> Self {
        Self(Kept::Sorted(lines))
    }
}

/// Rows of lines that came in order.
#[derive(Debug)]
pub(super) struct InOrder {
    /// Lines that were not blank.
    pub(super) lines: u64,
    windows: Vec<(Facts, Grouped)>,
    again: Arc<Again>,
}

/// What is known of a window beside its rows.
#[derive(Debug)]
struct Facts {
    window: Window,
    counts: Counts,
    types: BTreeMap<String, u64>,
    drift: Drift,
}

/// Reads all lines of all streams. Rows of `standing` windows, which have files, are held; of others their files are made as
/// rows come. It blocks while it reads: call it off the async threads.
///
/// # Errors
/// Usage: a stream cannot be read, a line is too long, an id has more contents than are compared. Storage: temporary files
/// cannot be written, or have reached their limit.
pub fn take(
    job: &Conversion,
    table: &Table,
    limits: Limits,
    inputs: Arc<Inputs>,
    standing: &HashSet<Window>,
) -> Result<Taken> {
    take_by(BLOCK, job, table, limits, inputs, standing)
}

/// The same, reading `block` bytes at once.
fn take_by(
    block: usize,
    job: &Conversion,
    table: &Table,
    limits: Limits,
    inputs: Arc<Inputs>,
    standing: &HashSet<Window>,
) -> Result<Taken> {
    let again = Again { job: job.clone(), limits, inputs, open: Mutex::new(None) };
    let seen = AtomicU64::new(0);
    if again.inputs.again {
        let recipe = recipe(job, table);
        let mut taking = Taking::new(&recipe, standing);
        let ordered = attempt(&recipe, (block, limits), &again.inputs, &seen, &mut taking);
        match ordered.and_then(|ordered| if ordered { taking.finish() } else { Ok(None) }) {
            Ok(Some(Whole { lines, windows })) => {
                let again = Arc::new(again);
                return Ok(Taken(Kept::InOrder(InOrder { lines, windows, again })));
            }
            Ok(None) => {}
            // This way refuses all where the other refuses a window, and takes more temporary files.
            Err(error) if matches!(error.kind(), Kind::Unproven | Kind::Storage) => {}
            Err(error) => return Err(error),
        }
    }
    let lines = again.lines()?;
    // Whoever gives less the second time would have it taken for everything.
    if lines.lines < seen.into_inner() { Err(changed()) } else { Ok(lines.into()) }
}

fn changed() -> Error {
    Error::usage("the input has changed while it was read")
        .hint("what was committed stays; start again with an input that nobody writes to")
}

/// Everything again, for lines in any order.
struct Again {
    job: Conversion,
    limits: Limits,
    inputs: Arc<Inputs>,
    open: Mutex<Option<Reopened>>,
}

/// The input, sorted.
struct Reopened {
    /// Those behind the last one that was asked for.
    windows: Windows,
    last: Option<(Window, Events)>,
}

impl fmt::Debug for Again {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Again").finish_non_exhaustive()
    }
}

impl Again {
    fn lines(&self) -> Result<Lines> {
        let job = &self.job;
        let mut input =
            Input::new(self.limits, job.scratch.clone(), job.grid).with_threads(job.files.threads.all());
        for (name, open) in &self.inputs.streams {
            input.take(name, open()?)?;
        }
        input.finish()
    }

    /// A window's events and the rows of them, which are held.
    fn rows(&self, window: Window, recipe: &Recipe) -> Result<(Events, Prepared)> {
        let events = self.events(window)?;
        let made = make(Some(window), events.clone(), &Recipe { hold: true, ..recipe.clone() })?;
        if made.quarantine.is_empty() { Ok((events, made.prepared)) } else { Err(changed()) }
    }

    /// The events of a window, of which these rows were made. The input may be another one now.
    fn the_same(&self, window: Window, rows: &Prepared, recipe: &Recipe) -> Result<Events> {
        let (events, again) = self.rows(window, recipe)?;
        if rows.same_files(&again)? { Ok(events) } else { Err(changed()) }
    }

    /// The events of a window; windows are asked for in ascending order.
    fn events(&self, wanted: Window) -> Result<Events> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match &mut *open {
            Some(open) => open,
            None => open.insert(Reopened { windows: self.lines()?.windows(), last: None }),
        };
        if let Some((_, events)) = open.last.as_ref().filter(|(window, _)| *window == wanted) {
            return Ok(events.clone());
        }
        for next in &mut open.windows {
            let (window, events) = next?;
            if window == wanted {
                open.last = Some((window, events.clone()));
                return Ok(events);
            }
        }
        Err(changed())
    }
}

impl InOrder {
    /// How many windows have rows.
    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.windows.len()).unwrap_or(u64::MAX)
    }

    /// The windows, ascending, each with its events' number and what makes its files; that computes.
    pub(super) fn windows(
        self,
        recipe: &Recipe,
    ) -> impl Iterator<Item = (Window, u64, impl FnOnce() -> Result<Made> + Send + use<>)> + Send + use<>
    {
        let recipe = recipe.clone();
        self.windows.into_iter().map(move |(facts, grouped)| {
            let (again, recipe) = (Arc::clone(&self.again), recipe.clone());
            let Facts { window, counts, types, drift } = facts;
            let made = move || {
                let _own_thread = recipe.files.threads.hold(1);
                let (source, by, secrets) = (Arc::clone(&again), recipe.clone(), recipe.secrets);
                let prepared =
                    grouped.finish(Remake::new(move || Ok(source.rows(window, &by)?.1), changed))?;
                let rows = prepared.clone();
                let events = move || again.the_same(window, &rows, &recipe);
                let events =
                    Received::Again(Box::new(move || events().map_err(|error| error.at("window", window))));
                Ok(Made { counts, prepared, events, secrets, quarantine: Vec::new(), types, drift })
            };
            (window, counts.settled, made)
        })
    }
}

/// Makes all lines rows, and counts those that it has seen. False if they are not in order, or not all of them can be rows.
fn attempt(
    recipe: &Recipe,
    limits: (usize, Limits),
    inputs: &Inputs,
    seen: &AtomicU64,
    taking: &mut Taking<'_>,
) -> Result<bool> {
    let all = recipe.files.threads.all();
    // Encoding takes about half of what making rows does.
    let workers = (all - all / 3).min(WORKERS);
    let _working = recipe.files.threads.hold(workers);
    if workers == 1 {
        let mut worker = Worker::new(recipe);
        return blocks(limits, inputs, seen, |lines| match worker.make(lines)? {
            Some(pieces) => taking.take(pieces),
            None => Ok(false),
        });
    }
    std::thread::scope(|scope| {
        let (mut lanes, mut answers, mut working) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..workers {
            let (lane, lines) = sync_channel::<Result<Vec<Bytes>>>(WAITING);
            let (answer, answered) = sync_channel::<Result<Option<Vec<Piece>>>>(0);
            lanes.push(lane);
            answers.push(answered);
            working.push(scope.spawn(move || {
                let mut worker = Worker::new(recipe);
                for lines in lines {
                    if answer.send(lines.and_then(|lines| worker.make(lines))).is_err() {
                        break;
                    }
                }
            }));
        }
        let reading = scope.spawn(move || {
            let mut turn = lanes.iter().cycle();
            let mut send = |lines| turn.next().is_some_and(|lane| lane.send(lines).is_ok());
            match blocks(limits, inputs, seen, |lines| Ok(send(Ok(lines)))) {
                Ok(all) => all,
                Err(error) => send(Err(error)),
            }
        });
        let mut ordered = Ok(true);
        for answer in answers.iter().cycle() {
            // Blocks go round, so that the first worker without an answer is the end.
            let Ok(pieces) = answer.recv() else { break };
            ordered = match pieces {
                Ok(Some(pieces)) => taking.take(pieces),
                Ok(None) => Ok(false),
                Err(error) => Err(error),
            };
            if !matches!(ordered, Ok(true)) {
                break;
            }
        }
        // Whoever waits to hand something over stops.
        drop(answers);
        let failed = |_| Error::bug("a thread that makes rows failed");
        for thread in working {
            thread.join().map_err(failed)?;
        }
        let all = reading.join().map_err(failed)?;
        Ok(ordered? && all)
    })
}

/// Hands out the lines of all streams in blocks, until `each` says false; whether these were all.
fn blocks(
    (block, limits): (usize, Limits),
    inputs: &Inputs,
    seen: &AtomicU64,
    mut each: impl FnMut(Vec<Bytes>) -> Result<bool>,
) -> Result<bool> {
    for (name, open) in &inputs.streams {
        let stream = unpacked(open()?).map_err(|cause| unreadable(name, cause))?;
        let mut blocks = Blocks::new(stream, block, limits.line);
        while let Some(lines) = blocks.next().map_err(|stop| stop.named(name, limits.line))? {
            seen.fetch_add(u64::try_from(lines.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
            // Many of them at once would take memory: the other way has one after the other.
            if lines.iter().any(|(_, line)| line.len() > LONG) {
                return Ok(false);
            }
            if !each(lines.into_iter().map(|(_, line)| line).collect())? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
