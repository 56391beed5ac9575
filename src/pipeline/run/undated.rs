//! Events without a readable time, which belong to no window and are rows all the same.
//!
//! What lives here: those that a run's counts betray, and those that come with the answers of windows. What this file must
//! not know: windows.

use super::{Run, Sink, changed_content};
use crate::error::Result;
use crate::model::{Event, Format, Level, UndatedRecord};
use crate::pipeline::deliver::{DeliveredUndated, by_id, deliver_undated};
use crate::pipeline::progress::Progress;
use crate::pipeline::report::Report;
use crate::pipeline::transform::{Recipe, as_kept};
use crate::publish::Surplus;
use crate::settle::{Settler, Source, Undated};

impl<S: Source> Run<'_, S> {
    /// What [`known_surplus`] says of the destination.
    pub(super) fn known_surplus(&self) -> Option<u64> {
        match self.sink {
            Sink::Dataset(dataset) => known_surplus(&dataset.undated(), &self.job.formats),
            Sink::Stream(_) => None,
        }
    }

    /// Events without a readable time belong to no window, and are rows all the same.
    pub(super) async fn undated(
        &self,
        settler: &Settler<'_, S>,
        recipe: &Recipe,
        report: &mut Report,
    ) -> Result<()> {
        let found = settler.undated(self.known_surplus()).await?;
        let Some(Undated { total, dated, mut events }) = found else { return Ok(()) };
        if matches!(self.sink, Sink::Stream(_)) {
            // Nothing tells a stream's rows apart afterwards, as a dataset does.
            events.retain(|event| !report.strays.contains(&(event.id.clone(), event.text.clone())));
        }
        self.without_time(events, Surplus { level: Level::Double, total, dated }, recipe, report).await
    }

    /// Those that came with the answers of windows although no time can be read in them. Written before the windows are
    /// committed: later runs read an unchanged window no more.
    pub(super) async fn strays(
        &self,
        events: Vec<Event>,
        recipe: &Recipe,
        report: &mut Report,
    ) -> Result<()> {
        let new = |event: &Event| report.strays.insert((event.id.clone(), event.text.clone()));
        let events: Vec<Event> = events.into_iter().filter(new).collect();
        if events.is_empty() {
            return Ok(());
        }
        // Of the account as a whole they say nothing.
        let total = u64::try_from(events.len()).unwrap_or(u64::MAX);
        self.without_time(events, Surplus { level: Level::None, total, dated: 0 }, recipe, report).await
    }

    async fn without_time(
        &self,
        events: Vec<Event>,
        surplus: Surplus,
        recipe: &Recipe,
        report: &mut Report,
    ) -> Result<()> {
        let dataset = match self.sink {
            Sink::Dataset(dataset) => dataset,
            Sink::Stream(stream) => {
                let events = events.into_iter().map(|event| as_kept(event, self.job.secrets).0);
                return stream.undated(events, self.table, report).await;
            }
        };
        let delivered = deliver_undated(by_id(events), surplus, recipe, dataset).await?;
        let DeliveredUndated { record, conflicts, not_rebuilt, types, drift } = delivered;
        if !conflicts.is_empty() {
            report.unproven.push((self.job.range, changed_content("none", &conflicts)));
        }
        report.undated += record.counts.rows;
        report.not_rebuilt += not_rebuilt;
        report.count(record.counts, &record.vanished, &record.files, types);
        report.drift.merge(drift);
        (self.observe)(Progress::Committing { windows: 0 });
        dataset.commit_undated(record, self.job.recorded_at).await?;
        (self.observe)(Progress::Logged { head: dataset.head().map(|head| head.number) });
        Ok(())
    }
}

/// By how much the counts differed when events without a time were last read into all these formats; `None` if they never
/// were.
fn known_surplus(records: &[UndatedRecord], formats: &[Format]) -> Option<u64> {
    let proven = records.iter().rev().filter(|record| record.level != Level::None);
    let newest = |format: &Format| proven.clone().find(|record| record.formats.contains(format));
    let mut surpluses =
        formats.iter().map(|format| newest(format).map(|record| record.total.saturating_sub(record.dated)));
    let first = surpluses.next()??;
    surpluses.all(|other| other == Some(first)).then_some(first)
}
