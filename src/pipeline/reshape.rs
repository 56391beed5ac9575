//! A dataset into another one: other formats, folders, columns, or without secrets; window by window.
//!
//! What lives here: [`reshape`]. The rows are those of files whose digests were checked, so that the certificate of a
//! window may go with them; the commit names the source's newest commit beside it. A window that the target has proven
//! by itself keeps its own proof. What this file must not know: the API, how a file is read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;

use super::convert::{Conversion, Converted, WINDOWS_A_COMMIT, compute, length, recipe, unproven, until};
use super::deliver::{Delivered, DeliveredUndated, by_id, deliver, deliver_undated};
use super::stored::Stored;
use super::transform::{Recipe, one_window};
use crate::encode::Settings as Files;
use crate::error::{Error, Kind, Result};
use crate::model::{Certificate, Format, Head, Level, Secrets, Window, WindowRecord};
use crate::publish::{Coverage, Covered, Dataset, Surplus};
use crate::schema::Table;

/// In which order formats are read where the one to write is not there: a table holds a context's white space, which
/// a line of NDJSON does not.
const READ_FIRST: [Format; 3] = [Format::Parquet, Format::Csv, Format::Ndjson];

/// What is converted.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The dataset.
    pub dataset: &'a Dataset,
    /// The table of its newest files: see [`Source::has_table`].
    pub table: &'a Table,
    /// How its files were written, as far as it must be known to read them.
    pub files: &'a Files,
}

impl Source<'_> {
    /// Whether a table can read the files of a dataset: theirs, or one that continues it.
    pub fn has_table(dataset: &Dataset, table: &Table) -> bool {
        let fingerprint = &dataset.spec().schema.fingerprint;
        table.fingerprint() == fingerprint || table.lineage().contains(fingerprint)
    }

    /// Refuses what a conversion of this dataset cannot do, before anything is written; `from_raw` asks for its kept
    /// replies.
    ///
    /// # Errors
    /// Usage.
    pub fn check(&self, job: &Conversion, from_raw: bool) -> Result<()> {
        let spec = self.dataset.spec();
        if spec.grid != job.grid {
            return Err(Error::usage("a dataset is converted on its own grid")
                .at("dataset", spec.grid.name())
                .at("this run", job.grid.name())
                .hint("leave --grid out, or convert its NDJSON files, which proves nothing"));
        }
        if spec.secrets == Secrets::Redacted && job.secrets == Secrets::Kept {
            return Err(Error::usage("the dataset holds no secrets to keep").hint("leave --keep-secrets out"));
        }
        if from_raw && self.dataset.records().iter().all(|record| record.raw.is_none()) {
            return Err(Error::usage("the dataset has no kept replies")
                .hint("leave --from-raw out to convert its rows; replies are kept by export --keep-raw"));
        }
        Ok(())
    }
}

/// Publishes the rows of a dataset, window by window. `stop` ends it before its next publication when it completes.
pub async fn reshape(
    job: &Conversion,
    table: &Table,
    source: Source<'_>,
    dataset: &Dataset,
    stop: impl Future<Output = ()> + Send,
) -> Converted {
    let mut report = Converted::default();
    let outcome = until(stop, all(job, table, source, dataset, &mut report)).await;
    report.failure = outcome.err();
    report.head = dataset.head();
    report
}

/// What the source's log says of a window, but for its files.
struct Said {
    vanished: Vec<String>,
    redacted: u64,
}

/// One window on its way: from which format its rows come and to which they go.
struct Way<'a> {
    window: Window,
    from: Format,
    to: Vec<Format>,
    covered: &'a Covered,
}

async fn all(
    job: &Conversion,
    table: &Table,
    source: Source<'_>,
    dataset: &Dataset,
    report: &mut Converted,
) -> Result<()> {
    source.check(job, false)?;
    undated(job, table, source, dataset, report).await?;
    let records = source.dataset.records();
    let coverages: BTreeMap<Format, Coverage> =
        READ_FIRST.into_iter().map(|format| (format, source.dataset.coverage(format))).collect();
    let windows: BTreeSet<Window> = records.iter().map(|record| record.window).collect();
    let work = Work {
        stored: Stored { dataset: source.dataset, table: source.table, settings: source.files },
        head: source.dataset.head(),
        said: said(&records),
        proven_here: proven_here(dataset),
        recipe: recipe(job, table),
        dataset,
    };
    let mut waiting: BTreeMap<Format, Vec<WindowRecord>> = BTreeMap::new();
    for window in windows {
        let mut made: Vec<Delivered> = Vec::new();
        for way in ways(window, job, &coverages)? {
            let delivered = work.window(&way).await.map_err(|error| error.at("window", window))?;
            waiting.entry(way.from).or_default().push(delivered.record.clone());
            made.push(delivered);
        }
        tell(made, report);
        for records in waiting.values_mut().filter(|records| records.len() >= WINDOWS_A_COMMIT) {
            dataset.commit(std::mem::take(records), job.recorded_at).await?;
        }
    }
    for records in waiting.into_values().filter(|records| !records.is_empty()) {
        dataset.commit(records, job.recorded_at).await?;
    }
    report.contradictions.sort();
    report.contradictions.dedup();
    Ok(())
}

/// What became of a window. Files count in each format; events count once, where most of them were new.
fn tell(made: Vec<Delivered>, report: &mut Converted) {
    report.windows += 1;
    if let Some(level) = made.iter().map(|delivered| delivered.record.certificate.level).min() {
        *report.levels.entry(level).or_default() += 1;
    }
    for Delivered { record, conflicts, .. } in &made {
        report.contradictions.extend(conflicts.iter().cloned());
        report.files += length(&record.files);
        report.bytes += record.files.iter().map(|file| file.bytes).sum::<u64>();
    }
    if let Some(most) = made.into_iter().max_by_key(|delivered| delivered.record.counts.rows) {
        let counts = most.record.counts;
        report.lines += counts.settled;
        report.count(counts, &[], most.types);
    }
}

/// Windows that the target has settled itself: no older certificate takes the place of one of those.
pub(super) fn proven_here(dataset: &Dataset) -> BTreeSet<Window> {
    let records = dataset.records();
    let own =
        records.iter().filter(|record| record.source.is_none() && record.certificate.level != Level::None);
    own.map(|record| record.window).collect()
}

/// Events that belong to no window: the rows of the first format that has them, and those in quarantine. What the source
/// counted of them goes with them.
pub(super) async fn undated(
    job: &Conversion,
    table: &Table,
    source: Source<'_>,
    dataset: &Dataset,
    report: &mut Converted,
) -> Result<()> {
    let said = source.dataset.undated();
    let files = |format: Format| {
        let all = said.iter().flat_map(|record| &record.files);
        all.filter(|file| file.format == format).cloned().collect::<Vec<_>>()
    };
    let files = READ_FIRST.into_iter().map(files).find(|files| !files.is_empty()).unwrap_or_default();
    let stored = Stored { dataset: source.dataset, table: source.table, settings: source.files };
    let mut events = stored.events(None, &files).await?;
    events.extend(source.dataset.quarantined_undated().await?);
    if events.is_empty() {
        return Ok(());
    }
    report.unplaced = length(&events);
    report.lines += report.unplaced;
    let counted = said.iter().rev().find(|record| record.level != Level::None);
    let surplus = match counted {
        Some(record) => Surplus { level: record.level, total: record.total, dated: record.dated },
        None => Surplus { level: Level::None, total: report.unplaced, dated: 0 },
    };
    let delivered = deliver_undated(by_id(events), surplus, &recipe(job, table), dataset).await?;
    let DeliveredUndated { record, conflicts, types, .. } = delivered;
    report.count(record.counts, &record.files, types);
    report.contradictions.extend(conflicts);
    dataset.commit_undated(record, job.recorded_at).await?;
    Ok(())
}

/// From which format each wanted one is made: from its own files where the window has them.
fn ways<'a>(
    window: Window,
    job: &Conversion,
    coverages: &'a BTreeMap<Format, Coverage>,
) -> Result<Vec<Way<'a>>> {
    let mut ways: Vec<Way<'a>> = Vec::new();
    for format in &job.formats {
        let covered = |from: &Format| coverages.get(from)?.get(&window).map(|covered| (*from, covered));
        let found = std::iter::once(format).chain(&READ_FIRST).find_map(covered);
        let (from, covered) = found.ok_or_else(|| Error::bug("a window is recorded in no format"))?;
        match ways.iter_mut().find(|way| way.from == from) {
            Some(way) => way.to.push(*format),
            None => ways.push(Way { window, from, to: vec![*format], covered }),
        }
    }
    Ok(ways)
}

/// What the records of the log say of their windows, the newest one about each certificate and format.
fn said(records: &[WindowRecord]) -> HashMap<(Window, Format), Vec<(Certificate, Said)>> {
    let mut all: HashMap<_, Vec<_>> = HashMap::new();
    for record in records {
        for format in Format::ALL {
            let said = Said { vanished: record.vanished.clone(), redacted: record.counts.redacted };
            if record.formats.contains(&format) || record.files.is_empty() {
                all.entry((record.window, format)).or_default().push((record.certificate.clone(), said));
            }
        }
    }
    all
}

/// What is the same for all windows.
struct Work<'a> {
    stored: Stored<'a>,
    head: Option<Head>,
    said: HashMap<(Window, Format), Vec<(Certificate, Said)>>,
    proven_here: BTreeSet<Window>,
    recipe: Recipe,
    dataset: &'a Dataset,
}

impl Work<'_> {
    async fn window(&self, way: &Way<'_>) -> Result<Delivered> {
        let (window, covered) = (way.window, way.covered);
        let mut events = self.stored.events(Some(window), &covered.files).await?;
        let quarantined = self.stored.dataset.quarantined(window).await?;
        if length(&quarantined) < covered.quarantined {
            return Err(Error::new(Kind::Verification, "quarantine holds fewer events than the log counts")
                .at("counted", covered.quarantined)
                .at("held", quarantined.len()));
        }
        events.extend(quarantined);
        let carried = !self.proven_here.contains(&window) && covered.certificate.level != Level::None;
        let certificate =
            if carried { covered.certificate.clone() } else { unproven(window, length(&events)) };
        let recipe = Recipe { formats: way.to.clone(), ..self.recipe.clone() };
        let ready = compute(move || one_window(window, events.into(), &certificate, &recipe)).await?;
        let mut delivered = deliver(ready, self.dataset).await?;
        let record = &mut delivered.record;
        let about = self.said.get(&(window, way.from)).into_iter().flatten().rev();
        if let Some((_, said)) =
            about.into_iter().find(|(certificate, _)| *certificate == covered.certificate)
        {
            if carried {
                record.vanished.extend(said.vanished.iter().cloned());
                record.vanished.sort();
                record.vanished.dedup();
            }
            record.counts.redacted = record.counts.redacted.max(said.redacted).min(record.counts.settled);
        }
        record.source.clone_from(&self.head);
        Ok(delivered)
    }
}
