//! From a settled unit to encoded files, window by window.
//!
//! What lives here: [`transform`], pure and CPU-bound. What this file must not know: the API, the destination.

use std::collections::BTreeMap;

use crate::encode::FileMetadata;
use crate::error::{Error, Result};
use crate::flatten::{Flattener, Refusal};
use crate::model::{Certificate, Counts, Drift, Event, Format, Grid, Selection, Window};
use crate::publish::{self, Prepared};
use crate::schema::Table;
use crate::settle::Settled;

/// Rows that are built before they become a batch: bounds the builders, decides nothing about the bytes.
const ROWS_A_BATCH: usize = 8_192;

/// One window of the grid, ready to be published.
pub(super) struct Ready {
    pub(super) window: Window,
    pub(super) certificate: Certificate,
    /// `settled` and `quarantined` are known here.
    pub(super) counts: Counts,
    /// Encoded rows; also for a window without rows, whose slots are looked at all the same.
    pub(super) prepared: Prepared,
    /// The events that became rows, in case one contradicts an earlier file.
    pub(super) events: Vec<Event>,
    /// Events that cannot become a row.
    pub(super) quarantine: Vec<Event>,
    /// Events of each type.
    pub(super) types: BTreeMap<String, u64>,
    /// What the rows hold beyond the table.
    pub(super) drift: Drift,
}

/// How rows become files.
#[derive(Clone)]
pub(super) struct Recipe {
    pub(super) table: Table,
    pub(super) grid: Grid,
    pub(super) formats: Vec<Format>,
    pub(super) metadata: FileMetadata,
    pub(super) selection: Selection,
}

/// Cuts a unit into the grid's windows and encodes each.
pub(super) fn transform(settled: Settled, recipe: &Recipe) -> Result<Vec<Ready>> {
    let Settled { certificate, events, .. } = settled;
    let mut events = events.into_iter().peekable();
    let mut ready = Vec::new();
    for window in recipe.grid.windows(certificate.range) {
        let mut own = Vec::new();
        while let Some(event) = events.next_if(|event| event.created_at.is_some_and(|at| window.contains(at)))
        {
            own.push(event);
        }
        ready
            .push(one_window(window, own, &certificate, recipe).map_err(|error| error.at("window", window))?);
    }
    match events.next() {
        None => Ok(ready),
        Some(event) => Err(Error::bug("a settled event belongs to no window").at("id", event.id.as_str())),
    }
}

fn one_window(
    window: Window,
    events: Vec<Event>,
    certificate: &Certificate,
    recipe: &Recipe,
) -> Result<Ready> {
    let mut counts = Counts { settled: length(&events), ..Counts::default() };
    let mut flattener = Flattener::new(&recipe.table);
    let (mut batches, mut rows, mut quarantine, mut types) =
        (Vec::new(), Vec::new(), Vec::new(), BTreeMap::new());
    for mut event in events {
        let Some(text) = event.flaw.is_none().then(|| std::str::from_utf8(&event.text).ok()).flatten() else {
            quarantine.push(event);
            continue;
        };
        if !recipe.selection.has_user(text) {
            counts.filtered += 1;
            continue;
        }
        let pushed = match flattener.push(text) {
            Err(Refusal::Full) => {
                batches.push(flattener.finish()?);
                flattener.push(text)
            }
            pushed => pushed,
        };
        match pushed {
            Ok(_) => rows.push(event),
            Err(Refusal::Flaw(flaw)) => {
                event.flaw = Some(flaw);
                quarantine.push(event);
            }
            Err(Refusal::Full) => {
                return Err(Error::bug("an empty batch is full").at("id", event.id.as_str()));
            }
        }
        if flattener.len() >= ROWS_A_BATCH {
            batches.push(flattener.finish()?);
        }
    }
    if !flattener.is_empty() {
        batches.push(flattener.finish()?);
    }
    for batch in &batches {
        count_types(batch, &mut types);
    }
    counts.quarantined = length(&quarantine);
    let drift = flattener.take_drift();
    let (schema, metadata) = (recipe.table.arrow_schema(), recipe.metadata.clone());
    let prepared = publish::prepare(window, &recipe.formats, schema, batches, metadata)?;
    Ok(Ready {
        window,
        certificate: certificate.clone(),
        counts,
        prepared,
        events: rows,
        quarantine,
        types,
        drift,
    })
}

fn count_types(batch: &arrow_array::RecordBatch, types: &mut BTreeMap<String, u64>) {
    use arrow_array::cast::AsArray;
    let Some(column) = batch.column_by_name("event_type").and_then(|column| column.as_string_opt::<i32>())
    else {
        return;
    };
    for name in column.iter().flatten() {
        match types.get_mut(name) {
            Some(count) => *count += 1,
            None => {
                types.insert(name.to_owned(), 1);
            }
        }
    }
}

fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}
