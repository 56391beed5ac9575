//! Kept replies against the rows of their windows.
//!
//! What lives here: [`check_raw`]. Of each record with kept replies: every digest, the certificate's counting made again
//! from the replies, and that the window's files hold exactly the events that stand in them. What this file must not
//! know: how a finding is said.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::input::says_the_same;
use super::replay::proven;
use super::reshape::Source;
use super::stored::Stored;
use crate::error::{Error, Kind, Result};
use crate::model::{Event, EventId, FileRecord, Format, Window, WindowRecord};
use crate::settle::Settled;
use crate::spool::Scratch;

/// What was checked, and what is wrong.
#[derive(Debug, Default)]
pub struct RawCheck {
    /// Files of kept replies.
    pub files: u64,
    /// Replies in them.
    pub replies: u64,
    /// Records whose windows were held against their replies.
    pub windows: u64,
    /// Events of these windows, in each of their formats.
    pub events: u64,
    /// One for each thing that is not as it should be; all of the kind verification.
    pub findings: Vec<Error>,
}

/// Holds the kept replies of a dataset against its log and its rows; a dataset without any passes.
///
/// # Errors
/// What hinders the check itself: storage. What it finds is in [`RawCheck::findings`].
pub async fn check_raw(source: Source<'_>) -> Result<RawCheck> {
    let stored = Stored { dataset: source.dataset, table: source.table, settings: source.files };
    let mut check = RawCheck::default();
    let mut files: HashMap<(Window, Format), Vec<FileRecord>> = HashMap::new();
    // Windows of one commit share a file: it is read once.
    let mut last: Option<(String, Option<Settled>)> = None;
    for record in source.dataset.records() {
        for file in &record.files {
            files.entry((record.window, file.format)).or_default().push(file.clone());
        }
        let Some(raw) = &record.raw else { continue };
        if last.as_ref().is_none_or(|(path, _)| *path != raw.path) {
            check.files += 1;
            check.replies += raw.requests;
            let settled = match proven(source.dataset, &record, raw, &Scratch::default()).await {
                Ok((settled, _)) => Some(settled),
                Err(error) => check.found(error)?,
            };
            last = Some((raw.path.clone(), settled));
        }
        let Some((_, Some(settled))) = &last else { continue };
        check.windows += 1;
        let own = window_of(settled, record.window)?;
        if settled.certificate != record.certificate {
            check.found::<()>(finding("the certificate is another one than that of the replies", &record))?;
        }
        if u64::try_from(own.len()).ok() != Some(record.counts.settled) {
            check.found::<()>(finding("the log counts other events than the replies hold", &record))?;
        }
        for format in &record.formats {
            let files = files.get(&(record.window, *format)).map(Vec::as_slice).unwrap_or_default();
            let rows = match stored.events(Some(record.window), files).await {
                Ok(rows) => rows,
                Err(error) => {
                    check.found::<()>(error.at("window", record.window))?;
                    continue;
                }
            };
            let quarantined = match source.dataset.quarantined(record.window).await {
                Ok(events) => events.into_iter().map(|event| event.id).collect(),
                Err(error) => check.found(error)?.unwrap_or_default(),
            };
            check.events += u64::try_from(rows.len()).unwrap_or(u64::MAX);
            for error in differences(&own, &rows, &quarantined, &record, *format) {
                check.found::<()>(error)?;
            }
        }
    }
    Ok(check)
}

impl RawCheck {
    /// Notes what is wrong with the dataset; anything else ends the check.
    fn found<T>(&mut self, error: Error) -> Result<Option<T>> {
        if error.kind() != Kind::Verification {
            return Err(error);
        }
        self.findings.push(error);
        Ok(None)
    }
}

fn window_of(settled: &Settled, window: Window) -> Result<BTreeMap<EventId, Event>> {
    let within = |event: &Event| event.created_at.is_some_and(|at| window.contains(at));
    let own = settled.events.iter().filter(|event| event.as_ref().map_or(true, within));
    own.map(|event| event.map(|event| (event.id.clone(), event))).collect()
}

/// What the rows of one format hold otherwise than the replies.
fn differences(
    replies: &BTreeMap<EventId, Event>,
    rows: &[Event],
    quarantined: &HashSet<EventId>,
    record: &WindowRecord,
    format: Format,
) -> Vec<Error> {
    let mut found = Vec::new();
    let mut say = |why, id: &EventId| {
        let error = finding(why, record).at("format", format.name());
        found.push(error.at("id", id.as_str().escape_debug()));
    };
    let vanished: HashSet<&str> = record.vanished.iter().map(String::as_str).collect();
    let mut held: HashSet<&EventId> = HashSet::new();
    for row in rows {
        held.insert(&row.id);
        match replies.get(&row.id) {
            Some(event) if says_the_same(row, event) || quarantined.contains(&row.id) => {}
            Some(_) => say("a row says something else than the replies", &row.id),
            None if vanished.contains(row.id.as_str()) => {}
            None => say("a row stands in no reply", &row.id),
        }
    }
    for id in replies.keys().filter(|id| !held.contains(*id) && !quarantined.contains(*id)) {
        say("an event of the replies is in no row", id);
    }
    found
}

fn finding(why: &'static str, record: &WindowRecord) -> Error {
    let path = record.raw.as_ref().map(|raw| raw.path.clone()).unwrap_or_default();
    Error::new(Kind::Verification, "rows and kept replies differ")
        .at("why", why)
        .at("window", record.window)
        .at("path", path)
}
