//! A run from plan to commit.
//!
//! What lives here: [`Job`] and [`run`]. A fatal error ends the run where it stands; a
//! range that cannot be proven does not. What this file must not know: where the pages come from, what kind of store
//! it is.

use std::future::Future;

use futures::future::{Either, select, try_join};
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::task::spawn_blocking;

use super::deliver::{Delivered, deliver};
use super::extract::Extraction;
use super::progress::Progress;
use super::report::Report;
use super::stream::Stream;
use super::transform::{Ready, Recipe, transform};
use crate::encode::{FileMetadata, Settings as Files};
use crate::error::{Error, Kind, Result};
use crate::model::{
    Certificate, EventId, Format, Grid, Level, Secrets, Selection, Timestamp, Window, WindowRecord,
};
use crate::plan::{Known, todo};
use crate::publish::Dataset;
use crate::schema::Table;
use crate::settle::{Settings, Settled, Settler, Source, Unit};
use crate::spool::Scratch;

mod undated;

/// What a run is to do.
#[derive(Clone, Debug)]
pub struct Job {
    /// Whole windows of the grid.
    pub range: Window,
    /// The dataset's grid.
    pub grid: Grid,
    /// Committed windows from here on are settled again.
    pub read_again: Timestamp,
    /// Which events; the part that the API filters by must stand in `settle` as well.
    pub selection: Selection,
    /// Whether secrets in events are kept; the dataset's choice.
    pub secrets: Secrets,
    /// How to settle.
    pub settle: Settings,
    /// Most units that are settled at the same time; fewer where they are large.
    pub units_in_flight: usize,
    /// The formats to write.
    pub formats: Vec<Format>,
    /// How files are written; its layout is the dataset's.
    pub files: Files,
    /// How much is held in memory, and where the rest goes.
    pub scratch: Scratch,
    /// The clock, for the commit records alone; seconds since 1970.
    pub recorded_at: i64,
}

/// Runs a job. The report is also made when the run fails: what was committed stays.
///
/// `stop` ends the run before its next publication when it completes.
pub async fn run<S: Source>(
    job: &Job,
    table: &Table,
    source: &S,
    dataset: &Dataset,
    stop: impl Future<Output = ()> + Send,
    observe: &(dyn Fn(Progress) + Sync),
) -> Report {
    let work = Run { job, table, source, sink: Sink::Dataset(dataset), observe };
    let mut report = work.until(stop).await;
    report.head = dataset.head();
    report
}

/// Where windows go.
#[derive(Clone, Copy)]
pub(super) enum Sink<'a> {
    /// Into slots, and then into the log.
    Dataset(&'a Dataset),
    /// To whoever reads; nothing is remembered.
    Stream(&'a Stream),
}

/// What a run ends with that somebody has stopped.
pub fn asked_to_stop() -> Error {
    Error::new(Kind::Interrupted, "the run was asked to stop")
        .hint("what was committed stays; start the same command again to go on")
}

pub(super) struct Run<'a, S> {
    pub(super) job: &'a Job,
    pub(super) table: &'a Table,
    pub(super) source: &'a S,
    pub(super) sink: Sink<'a>,
    pub(super) observe: &'a (dyn Fn(Progress) + Sync),
}

impl<S: Source> Run<'_, S> {
    /// Everything, unless `stop` completes first.
    pub(super) async fn until(&self, stop: impl Future<Output = ()> + Send) -> Report {
        let mut report = Report::new(self.job.range, self.job.grid);
        let work = Box::pin(self.all(&mut report));
        let outcome = match select(work, Box::pin(stop)).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(((), _)) => Err(asked_to_stop()),
        };
        report.failure = outcome.err();
        report
    }

    async fn all(&self, report: &mut Report) -> Result<()> {
        let job = self.job;
        let settler = Settler::new(self.source, job.settle.clone());
        let known = match self.sink {
            Sink::Dataset(dataset) => known(dataset, &job.formats),
            Sink::Stream(_) => Known::default(),
        };
        let recipe = self.recipe();
        let windows = async {
            let units = self.units(&settler, &known, report).await?;
            self.windows(&settler, units, &recipe, report).await
        };
        // Users are told apart in windows alone.
        if job.selection.by_user() {
            return windows.await;
        }
        // Its counts need no window; what they say is looked at after all windows.
        let counted = async { Ok(settler.may_be_undated(self.known_surplus()).await) };
        let ((), undated) = try_join(windows, counted).await?;
        let undated = match undated {
            Ok(false) => Ok(()),
            Ok(true) => self.undated(&settler, &recipe, report).await,
            Err(error) => Err(error),
        };
        match undated {
            Err(error) if leaves_a_gap(error.kind()) => report.unproven.push((job.range, error)),
            outcome => outcome?,
        }
        Ok(())
    }

    fn recipe(&self) -> Recipe {
        let job = self.job;
        Recipe {
            table: self.table.clone(),
            grid: job.grid,
            formats: job.formats.clone(),
            texts: matches!(self.sink, Sink::Stream(stream) if stream.takes_texts()),
            hold: matches!(self.sink, Sink::Stream(_)),
            metadata: metadata(self.table),
            files: job.files.clone(),
            selection: job.selection.clone(),
            secrets: job.secrets,
            scratch: job.scratch.clone(),
        }
    }

    async fn windows(
        &self,
        settler: &Settler<'_, S>,
        units: Vec<Unit>,
        recipe: &Recipe,
        report: &mut Report,
    ) -> Result<()> {
        let mut extraction = Extraction::new(settler, units, self.job.units_in_flight).told_to(self.observe);
        let mut next = extraction.next().await;
        while let Some((range, outcome)) = next {
            match outcome {
                Ok(settled) => {
                    // The next units are settled while this one is encoded and written.
                    (self.observe)(Progress::Publishing { range });
                    extraction.beside(self.publish(settled, recipe, report)).await?;
                    (self.observe)(Progress::Published { range });
                    next = extraction.next().await;
                }
                Err(error) if leaves_a_gap(error.kind()) => {
                    (self.observe)(Progress::Unproven { window: range });
                    report.unproven.push((range, error));
                    next = extraction.next().await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What there is to settle, in units: new windows, windows to read again, windows whose count has changed.
    async fn units(&self, settler: &Settler<'_, S>, known: &Known, report: &mut Report) -> Result<Vec<Unit>> {
        let job = self.job;
        let todo = todo(job.range, job.grid, known, job.read_again);
        report.windows = todo.windows;
        let in_range = |certificate: &Certificate| {
            job.grid
                .windows(certificate.range)
                .filter(|window| job.range.from <= window.from && window.to <= job.range.to)
                .count()
        };
        let recounted: usize = todo.recount.iter().map(in_range).sum();
        (self.observe)(Progress::Recounting { windows: u64::try_from(recounted).unwrap_or(u64::MAX) });
        let fresh = async {
            if todo.settle.is_empty() { Ok(Vec::new()) } else { self.surveyed(settler, &todo.settle).await }
        };
        let (changed, mut units) = try_join(settler.changed(&todo.recount), fresh).await?;
        report.unchanged =
            u64::try_from(recounted - changed.iter().map(in_range).sum::<usize>()).unwrap_or(0);
        report.covered =
            todo.recount.iter().filter(|known| !changed.contains(known)).map(|known| known.events).sum();
        let settle: u64 = todo.windows - report.unchanged;
        (self.observe)(Progress::Planned { windows: settle });

        if todo.settle.is_empty() && !changed.is_empty() {
            settler.probe(job.range).await?;
        }
        let again = changed.into_iter();
        units.extend(again.map(|certificate| Unit { range: certificate.range, events: certificate.total }));
        units.sort_unstable_by_key(|unit| unit.range.from);
        Ok(units)
    }

    /// The units of these stretches, counted while the probes ask what the date filter does: the counts are an economy,
    /// and nothing is settled before the probes have answered.
    async fn surveyed(&self, settler: &Settler<'_, S>, stretches: &[Window]) -> Result<Vec<Unit>> {
        let grid = self.job.grid;
        let survey = async {
            let stretches = stream::iter(stretches).map(|stretch| settler.survey(*stretch, grid));
            Ok(stretches.buffered(self.job.units_in_flight.max(1)).try_concat().await)
        };
        // What the probes find comes first.
        let (_, units) = try_join(settler.probe(self.job.range), survey).await?;
        units
    }

    /// Encodes a unit's windows, writes them in order, then commits them together.
    async fn publish(&self, mut settled: Settled, recipe: &Recipe, report: &mut Report) -> Result<()> {
        self.strays(std::mem::take(&mut settled.strays), recipe, report).await?;
        let recipe = recipe.clone();
        let evidence = settled.evidence.take();
        let windows = spawn_blocking(move || transform(settled, &recipe))
            .await
            .map_err(|error| Error::bug("encoding failed").because(error))??;
        let dataset = match self.sink {
            Sink::Dataset(dataset) => dataset,
            Sink::Stream(stream) => return stream.windows(windows, self.observe, report).await,
        };
        let mut records = Vec::new();
        for (window, ready) in windows {
            match ready {
                Ok(ready) => records.push(self.one_window(ready, dataset, report).await?),
                Err(error) => {
                    (self.observe)(Progress::Unproven { window });
                    report.unproven.push((window, error));
                }
            }
        }
        if let Some(evidence) = evidence {
            dataset.keep_raw(evidence, &mut records).await?;
        }
        if !records.is_empty() {
            let windows: Vec<_> =
                records.iter().map(|record| (record.window, record.counts.settled)).collect();
            (self.observe)(Progress::Committing { windows: windows.len() });
            dataset.commit(records, self.job.recorded_at).await?;
            (self.observe)(Progress::Logged { head: dataset.head().map(|head| head.number) });
            for (window, events) in windows {
                (self.observe)(Progress::Committed { window, events });
            }
        }
        Ok(())
    }

    async fn one_window(&self, ready: Ready, dataset: &Dataset, report: &mut Report) -> Result<WindowRecord> {
        let Delivered { record, conflicts, not_rebuilt, types } = deliver(ready, dataset).await?;
        if !conflicts.is_empty() {
            report.unproven.push((record.window, changed_content(record.window, &conflicts)));
        }
        *report.levels.entry(record.certificate.level).or_default() += 1;
        report.events += record.counts.settled;
        report.not_rebuilt += not_rebuilt;
        report.count(record.counts, &record.vanished, &record.files, types);
        report.drift.merge(record.drift.clone());
        Ok(record)
    }
}

/// The newest certificate of each window that is committed in all these formats. A window whose events nobody settled
/// is not among them: it is still to be proven.
pub fn known(dataset: &Dataset, formats: &[Format]) -> Known {
    let mut formats = formats.iter();
    let coverage = |format: &Format| {
        let windows = dataset.coverage(*format).into_iter();
        windows
            .filter(|(_, covered)| covered.certificate.level != Level::None)
            .map(|(window, covered)| (window.from, covered.certificate))
            .collect::<Known>()
    };
    let mut known = formats.next().map(coverage).unwrap_or_default();
    for format in formats {
        let other = coverage(format);
        // One that has seen fewer events than another is behind, and is to be filled up.
        let counted = |certificate: &Certificate| (certificate.range, certificate.total, certificate.events);
        known.retain(|from, own| other.get(from).is_some_and(|other| counted(own) == counted(other)));
    }
    known
}

fn changed_content(window: impl std::fmt::Display, ids: &[EventId]) -> Error {
    let first = ids.first().map(EventId::as_str).unwrap_or_default();
    Error::new(Kind::Contradiction, "the API gives another content for events that are committed")
        .at("window", window)
        .at("events", ids.len())
        .at("first id", first.escape_debug())
        .hint("the rows stay as they were; the new contents are kept under _audit/quarantine")
}

/// Whether an error is about one range alone, so that the run goes on with the others.
fn leaves_a_gap(kind: Kind) -> bool {
    match kind {
        Kind::Unproven | Kind::Contradiction => true,
        Kind::Bug
        | Kind::Usage
        | Kind::Credentials
        | Kind::Unavailable
        | Kind::Refused
        | Kind::Malformed
        | Kind::Storage
        | Kind::Busy
        | Kind::Verification
        | Kind::Interrupted => false,
    }
}

/// What every data file says of itself: nothing that differs between two runs.
pub(super) fn metadata(table: &Table) -> FileMetadata {
    FileMetadata::new()
        .with("vonage_audit.schema.version", table.version())
        .with("vonage_audit.schema.fingerprint", table.fingerprint())
        .with("vonage_audit.tool.version", env!("CARGO_PKG_VERSION"))
        .with("vonage_audit.timezone_assumption", "UTC")
}
