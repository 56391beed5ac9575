//! A dataset from the kept replies of another one, as if the API had given them now.
//!
//! What lives here: [`replay`]. Every certificate is made again by counting in the replies, and must be the one that the
//! source's log has; only then it goes with its events. Windows whose replies were not kept are left out, and said. What
//! this file must not know: the API, data files.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::Future;

use super::convert::{Conversion, Converted, compute, recipe, unproven, until};
use super::deliver::{Delivered, deliver};
use super::reshape::{Source, proven_here, undated};
use super::transform::transform;
use crate::error::{Error, Kind, Result};
use crate::model::{Evidence, Level, RawRecord, Window, WindowRecord};
use crate::publish::Dataset;
use crate::schema::Table;
use crate::settle::{Settled, repeat};
use crate::spool::Scratch;

/// Publishes what the kept replies of a dataset hold, in the order in which they were asked for. `stop` ends it before
/// its next publication when it completes.
pub async fn replay(
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

async fn all(
    job: &Conversion,
    table: &Table,
    source: Source<'_>,
    dataset: &Dataset,
    report: &mut Converted,
) -> Result<()> {
    source.check(job, true)?;
    let records = source.dataset.records();
    undated(job, table, source, dataset, report).await?;
    let recipe = recipe(job, table);
    let held = Held::of(dataset);
    let mut done: HashSet<&str> = HashSet::new();
    let mut windows: BTreeSet<Window> = BTreeSet::new();
    for record in &records {
        let Some(raw) = record.raw.as_ref().filter(|raw| done.insert(&raw.path)) else { continue };
        let (mut settled, evidence) = proven(source.dataset, record, raw, &job.scratch).await?;
        settled.evidence = None;
        let own = recipe.clone();
        let level = settled.certificate.level;
        let mut made = Vec::new();
        for (window, ready) in compute(move || transform(settled, &own)).await? {
            let ready = ready?;
            let Delivered { mut record, conflicts, types, .. } = deliver(ready, dataset).await?;
            record.source = source.dataset.head();
            report.contradictions.extend(conflicts);
            report.lines += record.counts.settled;
            report.count(record.counts, &record.files, types);
            if windows.insert(window) {
                *report.levels.entry(level).or_default() += 1;
            }
            made.extend(held.adds(record));
        }
        if job.keep_raw && !made.is_empty() {
            dataset.keep_raw(evidence, &mut made).await?;
        }
        if !made.is_empty() {
            dataset.commit(made, job.recorded_at).await?;
        }
    }
    report.windows = u64::try_from(windows.len()).unwrap_or(u64::MAX);
    let all: BTreeSet<Window> = records.iter().map(|record| record.window).collect();
    report.missing = all.difference(&windows).copied().collect();
    report.contradictions.sort();
    report.contradictions.dedup();
    Ok(())
}

/// What the target's log says before the first window.
struct Held {
    records: HashMap<Window, Vec<WindowRecord>>,
    proven_here: BTreeSet<Window>,
}

impl Held {
    fn of(dataset: &Dataset) -> Self {
        let mut records: HashMap<_, Vec<_>> = HashMap::new();
        for record in dataset.records() {
            records.entry(record.window).or_default().push(record);
        }
        Self { records, proven_here: proven_here(dataset) }
    }

    /// The record, unless it says again what an earlier conversion said: of several certificates of one window only the
    /// newest would be seen as known. A window that the target has proven itself keeps its own proof.
    fn adds(&self, mut record: WindowRecord) -> Option<WindowRecord> {
        if self.proven_here.contains(&record.window) {
            record.certificate = unproven(record.window, record.counts.settled);
            record.vanished.clear();
        }
        let known = |earlier: &WindowRecord| {
            earlier.certificate == record.certificate
                && earlier.counts.quarantined >= record.counts.quarantined
                && record.formats.iter().all(|format| earlier.formats.contains(format))
        };
        let again = self.records.get(&record.window).is_some_and(|earlier| earlier.iter().any(known));
        (!again || !record.files.is_empty()).then_some(record)
    }
}

/// What a file of kept replies proves, if that is what the log says.
pub(super) async fn proven(
    dataset: &Dataset,
    record: &WindowRecord,
    raw: &RawRecord,
    scratch: &Scratch,
) -> Result<(Settled, Evidence)> {
    let evidence = dataset.read_raw(raw).await?;
    let scratch = scratch.clone();
    let (settled, evidence) = compute(move || Ok((repeat(&evidence, &scratch)?, evidence)))
        .await
        .map_err(|error| error.at("path", &raw.path))?;
    if settled.certificate != record.certificate || settled.certificate.level == Level::None {
        return Err(Error::new(
            Kind::Verification,
            "the kept replies prove another certificate than the log has",
        )
        .at("path", &raw.path)
        .at("window", record.window));
    }
    Ok((settled, evidence))
}
