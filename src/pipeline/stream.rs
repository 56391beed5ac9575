//! A run whose windows go to a reader instead of a dataset.
//!
//! What lives here: [`stream`] and [`Stream`]. A window appears as a whole once it is settled, in ascending time; one
//! that cannot be proven is left out. Nothing is remembered and nothing is kept beside: the report is the proof.
//! What this file must not know: what the reader is.

use std::future::Future;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};
use tokio::task::spawn_blocking;

use super::progress::Progress;
use super::report::Report;
use super::rows::{Done, Holding, Rows};
use super::run::{Job, Run, Sink};
use super::transform::{Made, Ready, add_types};
use crate::encode::{Batches, EVENT_TEXT, RowStream, StreamFormat};
use crate::error::{Error, Kind, Result};
use crate::model::{Event, Flaw, Lines, Window};
use crate::schema::Table;
use crate::settle::Source;

/// Where the rows go, one window after the other.
pub struct Stream {
    open: Arc<Mutex<Open>>,
    texts: bool,
}

struct Open {
    rows: RowStream,
    out: Box<dyn Write + Send>,
    /// The reader has gone.
    closed: bool,
}

impl Stream {
    /// Writes rows of this table to `out`.
    ///
    /// # Errors
    /// [`Kind::Bug`] for a table that no format takes.
    pub fn new(format: StreamFormat, table: &Table, out: Box<dyn Write + Send>) -> Result<Self> {
        let texts = format == StreamFormat::Ndjson(Lines::Events);
        let schema = match texts {
            true => Arc::new(Schema::new(vec![Field::new(EVENT_TEXT, DataType::Utf8, false)])),
            false => table.arrow_schema(),
        };
        let rows = RowStream::new(format, &schema)?;
        Ok(Self { open: Arc::new(Mutex::new(Open { rows, out, closed: false })), texts })
    }

    /// Whether rows must carry the events' texts.
    pub(super) fn takes_texts(&self) -> bool {
        self.texts
    }

    /// Writes the windows of a unit.
    pub(super) async fn windows(
        &self,
        windows: Vec<(Window, Result<Ready>)>,
        observe: &(dyn Fn(Progress) + Sync),
        report: &mut Report,
    ) -> Result<()> {
        for (window, ready) in windows {
            let Ready { certificate, made, .. } = match ready {
                Ok(ready) => ready,
                Err(error) => {
                    observe(Progress::Unproven { window });
                    report.unproven.push((window, error));
                    continue;
                }
            };
            let Made { counts, prepared, quarantine, types, drift, .. } = made;
            let (texts, rows) = (self.texts, prepared.rows());
            let write =
                move |open: &mut Open| open.put(&mut prepared.batches().map(|batch| columns(&batch?, texts)));
            report.bytes += self.write(write).await?;
            *report.levels.entry(certificate.level).or_default() += 1;
            report.events += counts.settled;
            report.rows += rows;
            report.redacted += counts.redacted;
            report.drift.merge(drift);
            add_types(&mut report.types, types);
            unkept(quarantine, report);
            observe(Progress::Committed { window, events: counts.settled });
        }
        Ok(())
    }

    /// Writes events without a readable time, after all windows: their rows have no time, and its text in the remainder.
    pub(super) async fn undated(
        &self,
        events: impl Iterator<Item = Event>,
        table: &Table,
        report: &mut Report,
    ) -> Result<()> {
        let mut batches = Vec::new();
        let holding = if self.texts { Holding::Both } else { Holding::Columns };
        let mut rows = Rows::new(table, holding, |batch| {
            batches.push(columns(&batch, self.texts));
            Ok(())
        });
        events.into_iter().try_for_each(|event| rows.push(event))?;
        let Done { rows: count, quarantine, drift } = rows.finish()?;
        report.bytes += self.write(move |open| open.put(&mut batches.into_iter())).await?;
        report.rows += count;
        report.undated += count;
        report.events += count;
        report.drift.merge(drift);
        unkept(quarantine, report);
        Ok(())
    }

    /// Writes all that `write` does, also if nobody waits for it any more: a window is not cut. Off the async threads: a
    /// reader may take its time. Gives the bytes.
    async fn write(&self, write: impl FnOnce(&mut Open) -> Result<u64> + Send + 'static) -> Result<u64> {
        let open = Arc::clone(&self.open);
        let written = spawn_blocking(move || write(&mut open.lock().unwrap_or_else(PoisonError::into_inner)));
        written.await.map_err(|cause| Error::bug("writing the stream failed").because(cause))?
    }

    fn closed(&self) -> bool {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).closed
    }
}

impl Open {
    fn put(&mut self, batches: &mut Batches<'_>) -> Result<u64> {
        let Self { rows, out, closed } = self;
        let mut written = 0;
        rows.rows(batches, &mut |bytes| {
            written += put(&bytes, out, closed)?;
            Ok(())
        })?;
        Ok(written)
    }

    fn end(&mut self) -> Result<u64> {
        put(&self.rows.end()?, &mut self.out, &mut self.closed)
    }
}

fn put(bytes: &[u8], out: &mut Box<dyn Write + Send>, closed: &mut bool) -> Result<u64> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(u64::try_from(bytes.len()).unwrap_or(u64::MAX)),
        Err(cause) => {
            *closed = cause.kind() == io::ErrorKind::BrokenPipe;
            Err(Error::new(Kind::Storage, "cannot write the stream").because(cause))
        }
    }
}

/// The part of the rows that the format takes.
fn columns(batch: &RecordBatch, texts: bool) -> Result<RecordBatch> {
    if !texts {
        return Ok(batch.clone());
    }
    let position = batch.schema_ref().index_of(EVENT_TEXT);
    let texts = position.and_then(|position| batch.project(&[position]));
    texts.map_err(|cause| Error::bug("rows carry no texts").because(cause))
}

/// A stream has no place for what is no row.
fn unkept(events: Vec<Event>, report: &mut Report) {
    for event in events {
        let flaw = event.flaw.unwrap_or(Flaw::NoTime);
        report.quarantined += 1;
        report.not_rebuilt += u64::from(flaw == Flaw::NotRebuilt);
        report.unkept.push((event.id, flaw));
    }
}

/// Runs a job into a stream. `job.formats` and `job.files` say nothing here.
///
/// A reader that closes its end is no failure: it has what it wanted, and the run ends. Where the run fails, the stream
/// has no proper end if its format knows one.
pub async fn stream<S: Source>(
    job: &Job,
    table: &Table,
    source: &S,
    out: &Stream,
    stop: impl Future<Output = ()> + Send,
    observe: &(dyn Fn(Progress) + Sync),
) -> Report {
    let mut report = Run { job, table, source, sink: Sink::Stream(out), observe }.until(stop).await;
    if report.failure.is_none() {
        match out.write(Open::end).await {
            Ok(bytes) => report.bytes += bytes,
            Err(error) => report.failure = Some(error),
        }
    }
    // Not while it may be waiting for a reader that neither reads nor closes.
    let interrupted = report.failure.as_ref().is_some_and(|error| error.kind() == Kind::Interrupted);
    if !interrupted && out.closed() {
        report.failure = None;
    }
    report
}
