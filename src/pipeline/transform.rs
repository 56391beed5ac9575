//! From a settled unit to encoded files, window by window.
//!
//! What lives here: [`transform`], pure and CPU-bound. What this file must not know: the API, the destination.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;

use super::rows::{Done, Rows, row_reader};
use crate::api;
use crate::encode::{FileMetadata, Settings};
use crate::error::{Error, Kind, Result};
use crate::flatten::{redact, redact_foreign};
use crate::model::{Certificate, Counts, Drift, Event, Format, Grid, Secrets, Selection, Window};
use crate::publish::{self, Prepared};
use crate::schema::Table;
use crate::settle::Settled;

/// One window of the grid, ready to be published.
pub(super) struct Ready {
    pub(super) window: Window,
    pub(super) certificate: Certificate,
    pub(super) made: Made,
}

/// What some events became.
pub(super) struct Made {
    /// `settled`, `quarantined`, `filtered` and `redacted` are known here.
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
    /// Whether rows carry the events' texts even if no format's files hold them.
    pub(super) texts: bool,
    pub(super) metadata: FileMetadata,
    /// How files are written; its layout is the dataset's.
    pub(super) files: Settings,
    pub(super) selection: Selection,
    pub(super) secrets: Secrets,
}

/// Cuts a unit into the grid's windows and encodes each. A window whose rows may not be written has its error instead,
/// which says so; the others are not affected.
pub(super) fn transform(settled: Settled, recipe: &Recipe) -> Result<Vec<(Window, Result<Ready>)>> {
    let Settled { certificate, events, .. } = settled;
    let mut events = events.to_vec()?.into_iter().peekable();
    let mut ready = Vec::new();
    for window in recipe.grid.windows(certificate.range) {
        let mut own = Vec::new();
        while let Some(event) = events.next_if(|event| event.created_at.is_some_and(|at| window.contains(at)))
        {
            own.push(event);
        }
        match one_window(window, own, &certificate, recipe) {
            Err(error) if error.kind() != Kind::Unproven => return Err(error),
            made => ready.push((window, made)),
        }
    }
    match events.next() {
        None => Ok(ready),
        Some(event) => Err(Error::bug("a settled event belongs to no window").at("id", event.id.as_str())),
    }
}

/// One window's events, sorted, as files.
pub(super) fn one_window(
    window: Window,
    events: Vec<Event>,
    certificate: &Certificate,
    recipe: &Recipe,
) -> Result<Ready> {
    let made = make(Some(window), events, recipe)?;
    Ok(Ready { window, certificate: certificate.clone(), made })
}

/// The events of a window, or those without a time, sorted, as files.
pub(super) fn make(window: Option<Window>, events: Vec<Event>, recipe: &Recipe) -> Result<Made> {
    let mut counts = Counts { settled: length(&events), ..Counts::default() };
    let texts = recipe.texts || recipe.formats.iter().any(|format| recipe.files.layout.holds_texts(*format));
    let mut rows = Rows::new(&recipe.table, texts);
    for event in events {
        let selected = match readable(&event) {
            Some(text) => recipe.selection.has_user(text),
            None => true,
        };
        if !selected {
            counts.filtered += 1;
            continue;
        }
        let (event, redacted) = as_kept(event, recipe.secrets);
        counts.redacted += u64::from(redacted);
        rows.push(event)?;
    }
    let Done { batches, events, quarantine, drift } = rows.finish()?;
    let mut types = BTreeMap::new();
    for batch in &batches {
        count_types(batch, &mut types);
    }
    counts.quarantined = length(&quarantine);
    let (schema, metadata) = (recipe.table.arrow_schema(), recipe.metadata.clone());
    let formats = &recipe.formats;
    let prepared = if texts {
        let reader = row_reader(&recipe.table);
        publish::prepare_with_texts(window, formats, schema, batches, metadata, &recipe.files, reader)?
    } else {
        publish::prepare(window, formats, schema, batches, metadata, &recipe.files)?
    };
    Ok(Made { counts, prepared, events, quarantine, types, drift })
}

/// The text of an event that may become a row.
pub(super) fn readable(event: &Event) -> Option<&str> {
    event.flaw.is_none().then(|| std::str::from_utf8(&event.text).ok()).flatten()
}

/// The event as the dataset keeps it: without its secrets, unless it keeps those; and whether any were replaced.
pub(super) fn as_kept(event: Event, secrets: Secrets) -> (Event, bool) {
    match secrets {
        Secrets::Redacted => without_secrets(event),
        Secrets::Kept => (event, false),
    }
}

fn without_secrets(event: Event) -> (Event, bool) {
    let clean = match event.flaw {
        None => redact(&event.text),
        Some(_) => redact_foreign(&event.text),
    };
    let Cow::Owned(clean) = clean else { return (event, false) };
    let text = Bytes::from(clean);
    // An identity made from the bytes would otherwise let somebody try guesses at the secret against it.
    let again = api::event(text.clone());
    let id = if event.flaw.is_some() && again.id.is_synthetic() { again.id } else { event.id };
    (Event { id, text, ..event }, true)
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
