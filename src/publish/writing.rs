//! What is kept of rows until all of them are there: their files, encoded while rows still come, or the rows.
//!
//! What lives here: [`Writing`]. A group of many rows that come one after the other is encoded by a thread of its own, and nothing
//! else is kept of it; of other groups the rows are. What this file must not know: which rows are right, slots.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use arrow_array::RecordBatch;

use super::making::{FILES_SHARES, Making, PreparedFile};
use crate::encode::{HeldRows, RowsWriter};
use crate::error::{Error, Result};
use crate::model::Format;
use crate::spool::{BlobWriter, SharedFile};

/// A group of fewer rows and bytes is kept as rows: its file costs more than they do, and may not be needed.
const FEW_ROWS: usize = 2_048;
const FEW_BYTES: usize = 4 << 20;

/// Batches that wait for the encoder: few where it takes each as it comes, and about as many as Parquet's takes at once, so that
/// others are made while it works on them.
const WAITING: usize = 2;
const GATHERED: usize = 16;

/// But none waits behind one of so many bytes.
const LONG: usize = 1 << 20;

/// Rows stay in memory up to this part of the budget.
const ROWS_SHARES: u64 = 10;

/// Files that are encoded at one time.
const SHARING: u64 = 2;

/// Keeps rows of groups, which are numbered from 0.
#[derive(Debug)]
pub(super) struct Writing {
    making: Arc<Making>,
    rows: RowsWriter,
    file: SharedFile,
    /// Bytes of files that may still stay in memory.
    left: u64,
    groups: Vec<Place>,
    /// Of the last group, if it is not kept as rows.
    open: Option<Open>,
    running: VecDeque<Running>,
}

/// What is kept of one group.
#[derive(Debug)]
pub(super) enum Place {
    /// Not yet known.
    Open,
    /// Its rows, under this number.
    Rows(usize),
    /// Its file.
    File(PreparedFile),
}

/// Rows of a group that may become many.
#[derive(Debug)]
enum Open {
    Few { rows: usize, bytes: usize, waiting: Vec<RecordBatch> },
    Many(SyncSender<RecordBatch>),
}

/// The thread that makes the file of a group.
#[derive(Debug)]
struct Running {
    group: usize,
    /// Bytes of its file that may stay in memory.
    share: u64,
    thread: JoinHandle<Result<PreparedFile>>,
}

impl Writing {
    /// No rows yet.
    pub(super) fn new(making: &Arc<Making>) -> Self {
        let scratch = &making.scratch;
        Self {
            making: Arc::clone(making),
            rows: RowsWriter::new(scratch, scratch.share(ROWS_SHARES)),
            file: SharedFile::default(),
            left: scratch.share(FILES_SHARES),
            groups: Vec::new(),
            open: None,
            running: VecDeque::new(),
        }
    }

    /// Groups that have rows; the number of the next one.
    pub(super) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Takes rows of a group. If they come `in_turn`, all of a group's come before those of the next, and of none else.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`] when something cannot be spilled.
    pub(super) fn take(&mut self, group: usize, batch: RecordBatch, in_turn: bool) -> Result<()> {
        if group >= self.groups.len() {
            self.close()?;
            if in_turn {
                self.groups.push(Place::Open);
                self.open = Some(Open::Few { rows: 0, bytes: 0, waiting: Vec::new() });
            } else {
                self.groups.push(Place::Rows(self.rows.groups()));
            }
        }
        match (self.groups.get(group), &mut self.open) {
            (Some(Place::Rows(place)), _) => return self.rows.push(*place, batch),
            (Some(Place::Open), Some(open)) if group + 1 == self.groups.len() => match open {
                Open::Few { rows, bytes, waiting } => {
                    *rows += batch.num_rows();
                    *bytes = bytes.saturating_add(batch.get_array_memory_size());
                    waiting.push(batch);
                    return if *rows < FEW_ROWS && *bytes < FEW_BYTES { Ok(()) } else { self.begin() };
                }
                Open::Many(encoder) => {
                    if sent(encoder, queue(&self.making), batch) {
                        return Ok(());
                    }
                }
            },
            _ => return Err(Error::bug("rows of an earlier group come after those of a later one")),
        }
        // The encoder has ended before its rows: it says why.
        self.open = None;
        self.wait(0)?;
        Err(Error::bug("a file ended before its rows"))
    }

    /// What is kept of each group, in their order, and the rows.
    ///
    /// # Errors
    /// As [`Writing::take`].
    pub(super) fn finish(mut self) -> Result<(Vec<Place>, Arc<HeldRows>)> {
        self.close()?;
        self.wait(0)?;
        let rows = std::mem::replace(&mut self.rows, RowsWriter::new(&self.making.scratch, 0));
        Ok((std::mem::take(&mut self.groups), Arc::new(rows.finish()?)))
    }

    /// Ends the group whose rows have come. Whoever encodes them ends when there are no more to wait for.
    fn close(&mut self) -> Result<()> {
        match self.open.take() {
            Some(Open::Few { waiting, .. }) => self.keep(waiting),
            Some(Open::Many(_)) | None => Ok(()),
        }
    }

    /// Keeps the last group as rows.
    fn keep(&mut self, waiting: Vec<RecordBatch>) -> Result<()> {
        let place = self.rows.groups();
        if let Some(last) = self.groups.last_mut() {
            *last = Place::Rows(place);
        }
        waiting.into_iter().try_for_each(|batch| self.rows.push(place, batch))
    }

    /// Begins to encode the last group.
    fn begin(&mut self) -> Result<()> {
        // An encoder takes memory: beside this one there is at most the one before, whose rows have all come.
        self.wait(1)?;
        let Some(Open::Few { waiting, .. }) = self.open.take() else { return Ok(()) };
        let (encoder, more) = sync_channel(queue(&self.making));
        let (making, rows) = (Arc::clone(&self.making), waiting.clone());
        let share = self.left / SHARING;
        self.left -= share;
        let out = BlobWriter::to_stay(&making.scratch, share, &self.file);
        let work = move || {
            let _own_thread = making.settings.threads.hold(1);
            let format = making.formats.first().ok_or_else(|| Error::bug("a file has no format"))?;
            making.file(*format, &mut rows.into_iter().chain(more).map(Ok), out)
        };
        let group = self.groups.len().saturating_sub(1);
        match thread::Builder::new().spawn(work) {
            Ok(thread) => {
                self.running.push_back(Running { group, share, thread });
                self.open = Some(Open::Many(encoder));
                Ok(())
            }
            // The system has no more threads for us: then its file is made later.
            Err(_) => self.keep(waiting),
        }
    }

    /// Waits until at most so many threads encode.
    fn wait(&mut self, most: usize) -> Result<()> {
        while self.running.len() > most {
            let Some(Running { group, share, thread }) = self.running.pop_front() else { break };
            let file = thread.join().map_err(|_| Error::bug("the thread that makes a file failed"))??;
            // What it did not need is another's.
            self.left = self.left.saturating_add(share).saturating_sub(file.in_memory());
            match self.groups.get_mut(group) {
                Some(place) => *place = Place::File(file),
                None => return Err(Error::bug("a file has no group")),
            }
        }
        Ok(())
    }
}

impl Drop for Writing {
    /// Nobody encodes any more when this is gone.
    fn drop(&mut self) {
        self.open = None;
        for running in self.running.drain(..) {
            let _ = running.thread.join();
        }
    }
}

/// Batches that may wait for an encoder.
fn queue(making: &Making) -> usize {
    if making.formats.contains(&Format::Parquet) { GATHERED } else { WAITING }
}

/// Hands a batch to the encoder, for which so many may wait, unless that has ended.
fn sent(encoder: &SyncSender<RecordBatch>, waiting: usize, batch: RecordBatch) -> bool {
    let nothing = (batch.get_array_memory_size() >= LONG).then(|| RecordBatch::new_empty(batch.schema()));
    if encoder.send(batch).is_err() {
        return false;
    }
    // A queue full of nothing: the batch has left it.
    nothing.is_none_or(|nothing| (0..waiting).all(|_| encoder.send(nothing.clone()).is_ok()))
}

#[cfg(test)]
mod tests;
