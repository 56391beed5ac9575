//! Events from files into a dataset, by the same steps as an export, without the API.
//!
//! What lives here: [`convert`] and the report of every conversion. Lines of a file claim nothing of completeness: every
//! window's certificate has the level `none`, which no later run takes for a proof. What this file must not know: where
//! the lines came from.

use std::collections::BTreeMap;
use std::future::Future;

use futures::future::{Either, select};
use futures::stream::{self, Stream, StreamExt, try_unfold};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::deliver::{Delivered, DeliveredUndated, deliver, deliver_undated};
use super::in_order::{Kept, Taken};
use super::input::Lines;
use super::run::metadata;
use super::transform::{Ready, Recipe, add_types, one_window};
use crate::encode::Settings as Files;
use crate::error::{Error, Kind, Result};
use crate::model::{
    Certificate, Counts, EventId, FileRecord, Format, Grid, Head, Level, Secrets, Selection, Window,
    WindowRecord,
};
use crate::publish::{Dataset, Surplus};
use crate::schema::Table;
use crate::spool::{Events, Scratch};

/// Windows of one commit.
pub(super) const WINDOWS_A_COMMIT: usize = 64;

/// Windows that are made ready at once, if there are threads for it; they are delivered in order all the same. More of
/// them would take more memory: further threads encode columns.
const WINDOWS_AHEAD: usize = 2;

/// Events of a window from which on it is made ready alone: the writers of two such would take twice the memory.
const LARGE: u64 = 1 << 14;

/// What a conversion is to do.
#[derive(Clone, Debug)]
pub struct Conversion {
    /// The dataset's grid.
    pub grid: Grid,
    /// The formats to write.
    pub formats: Vec<Format>,
    /// How files are written; its layout is the dataset's.
    pub files: Files,
    /// Whether secrets in events are kept; the dataset's choice.
    pub secrets: Secrets,
    /// Whether kept replies that the events come from are kept again.
    pub keep_raw: bool,
    /// How much is held in memory, and where the rest goes.
    pub scratch: Scratch,
    /// The clock, for the commit records alone; seconds since 1970.
    pub recorded_at: i64,
}

/// The outcome. Also made when the conversion failed: what was committed before stays.
/// `lines = repeated + rows + known + quarantined` when it did not fail.
#[derive(Debug, Default)]
pub struct Converted {
    /// Lines that were not blank.
    pub lines: u64,
    /// Lines that said what another line had said.
    pub repeated: u64,
    /// Windows with events; of a dataset all windows.
    pub windows: u64,
    /// Windows by what is proven of them.
    pub levels: BTreeMap<Level, u64>,
    /// Windows of the source that nothing could be made from: their evidence was not kept.
    pub missing: Vec<Window>,
    /// Rows written.
    pub rows: u64,
    /// Events that the dataset holds already.
    pub known: u64,
    /// Lines kept in quarantine.
    pub quarantined: u64,
    /// Lines that belong to no window, because no time can be read in them: rows without a time, or in quarantine.
    pub unplaced: u64,
    /// Ids that came with several contents, or that the dataset holds with another.
    pub contradictions: Vec<EventId>,
    /// Data files written.
    pub files: u64,
    /// Their length in bytes.
    pub bytes: u64,
    /// Rows of each type, known ones included.
    pub types: BTreeMap<String, u64>,
    /// The newest commit.
    pub head: Option<Head>,
    /// Why it ended early, if it did.
    pub failure: Option<Error>,
}

impl Converted {
    pub(super) fn count(&mut self, counts: Counts, files: &[FileRecord], types: BTreeMap<String, u64>) {
        self.rows += counts.rows;
        self.known += counts.known;
        self.quarantined += counts.quarantined;
        self.files += length(files);
        self.bytes += files.iter().map(|file| file.bytes).sum::<u64>();
        add_types(&mut self.types, types);
    }

    /// 0 only if every line, or every event of a dataset, is a row now.
    pub fn exit_code(&self) -> u8 {
        match &self.failure {
            Some(failure) => failure.kind().exit_code(),
            None if !self.contradictions.is_empty() => Kind::Contradiction.exit_code(),
            None if !self.missing.is_empty() => Kind::Unproven.exit_code(),
            None if self.quarantined > 0 => 10,
            None => 0,
        }
    }
}

/// Publishes events, window by window. `stop` ends it before its next publication when it completes.
pub async fn convert(
    job: &Conversion,
    table: &Table,
    taken: impl Into<Taken>,
    dataset: &Dataset,
    stop: impl Future<Output = ()> + Send,
) -> Converted {
    let mut report = Converted::default();
    let outcome = until(stop, all(job, table, taken.into(), dataset, &mut report)).await;
    report.failure = outcome.err();
    report.head = dataset.head();
    report
}

/// Work that `stop` ends when it completes.
pub(super) async fn until(
    stop: impl Future<Output = ()> + Send,
    work: impl Future<Output = Result<()>> + Send,
) -> Result<()> {
    match select(Box::pin(work), Box::pin(stop)).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(((), _)) => Err(Error::new(Kind::Interrupted, "the conversion was asked to stop")
            .hint("what was committed stays; start the same command again to go on")),
    }
}

async fn all(
    job: &Conversion,
    table: &Table,
    taken: Taken,
    dataset: &Dataset,
    report: &mut Converted,
) -> Result<()> {
    let recipe = recipe(job, table);
    match taken.0 {
        Kept::Sorted(lines) => sorted(job, &recipe, lines, dataset, report).await?,
        Kept::InOrder(rows) => {
            (report.lines, report.windows) = (rows.lines, rows.count());
            let windows = rows.windows(&recipe).map(|(window, events, make)| {
                let ready = async move {
                    let made = compute(make).await.map_err(|error| error.at("window", window))?;
                    Ok(Ready { window, certificate: unproven(window, events), made })
                };
                (events, ready)
            });
            windows_of(job, stream::iter(windows), dataset, report).await?;
        }
    }
    report.contradictions.sort();
    report.contradictions.dedup();
    Ok(())
}

async fn sorted(
    job: &Conversion,
    recipe: &Recipe,
    lines: Lines,
    dataset: &Dataset,
    report: &mut Converted,
) -> Result<()> {
    if lines.grid != job.grid {
        return Err(Error::bug("lines were sorted for another grid"));
    }
    (report.lines, report.repeated, report.windows) = (lines.lines, lines.repeated, lines.windows);
    report.contradictions = lines.contradictions.clone();
    // First, so that whatever happens later, the lines that belong to no window are kept.
    if !lines.unplaced.is_empty() {
        report.unplaced = lines.unplaced.len();
        let surplus = Surplus { level: Level::None, total: report.unplaced, dated: 0 };
        let delivered = deliver_undated(lines.unplaced.clone(), surplus, recipe, dataset).await?;
        let DeliveredUndated { record, conflicts, types, .. } = delivered;
        report.count(record.counts, &record.files, types);
        report.contradictions.extend(conflicts);
        dataset.commit_undated(record, job.recorded_at).await?;
    }
    let windows = try_unfold(lines.windows(), |mut windows| {
        compute(move || Ok(windows.next().transpose()?.map(|next| (next, windows))))
    });
    drop(lines);
    let windows = windows.map(|next| {
        let events = next.as_ref().map_or(0, |(_, events)| events.len());
        (events, made(next, recipe.clone()))
    });
    windows_of(job, windows, dataset, report).await
}

/// Publishes windows, each with its number of events and made by its future.
async fn windows_of(
    job: &Conversion,
    windows: impl Stream<Item = (u64, impl Future<Output = Result<Ready>>)>,
    dataset: &Dataset,
    report: &mut Converted,
) -> Result<()> {
    let mut records = Vec::new();
    let ahead = job.files.threads.all().min(WINDOWS_AHEAD);
    let places = Semaphore::new(ahead);
    let windows = windows.map(|(events, ready)| {
        let wanted = if events >= LARGE { ahead } else { 1 };
        let place = places.acquire_many(u32::try_from(wanted).unwrap_or(1));
        async move {
            let _place = place.await.map_err(|cause| Error::bug("windows have no places").because(cause))?;
            ready.await
        }
    });
    let mut making = std::pin::pin!(windows.buffered(ahead));
    while let Some(ready) = making.next().await {
        records.push(one(ready?, dataset, report).await?);
        if records.len() >= WINDOWS_A_COMMIT {
            dataset.commit(std::mem::take(&mut records), job.recorded_at).await?;
        }
    }
    if !records.is_empty() {
        dataset.commit(records, job.recorded_at).await?;
    }
    Ok(())
}

/// How rows become files.
pub(super) fn recipe(job: &Conversion, table: &Table) -> Recipe {
    Recipe {
        table: table.clone(),
        grid: job.grid,
        formats: job.formats.clone(),
        texts: false,
        hold: false,
        metadata: metadata(table),
        files: job.files.clone(),
        selection: Selection::default(),
        secrets: job.secrets,
        scratch: job.scratch.clone(),
    }
}

async fn made(next: Result<(Window, Events)>, recipe: Recipe) -> Result<Ready> {
    let (window, events) = next?;
    let certificate = unproven(window, events.len());
    let ready = compute(move || one_window(window, events, &certificate, &recipe)).await;
    ready.map_err(|error| error.at("window", window))
}

async fn one(ready: Ready, dataset: &Dataset, report: &mut Converted) -> Result<WindowRecord> {
    let Delivered { record, conflicts, types, .. } = deliver(ready, dataset).await?;
    *report.levels.entry(Level::None).or_default() += 1;
    report.count(record.counts, &record.files, types);
    report.contradictions.extend(conflicts);
    Ok(record)
}

/// The certificate of events that nobody asked the API for.
pub(super) fn unproven(window: Window, events: u64) -> Certificate {
    Certificate {
        level: Level::None,
        range: window,
        padding: 0,
        total: events,
        distinct: events,
        events,
        quiet_from: false,
        quiet_to: false,
        parts: 1,
    }
}

/// Leaves the async threads: sorting and encoding take long.
pub(super) async fn compute<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(cause) => Err(Error::bug("a computation did not end").because(cause)),
    }
}

pub(super) fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}
