//! From a settled unit to encoded files, window by window.
//!
//! What lives here: [`transform`], pure and CPU-bound. What this file must not know: the API, the destination.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;

use super::names::Names;
use super::rows::{Done, Holding, Rows, row_reader};
use crate::api;
use crate::encode::{FileMetadata, Settings};
use crate::error::{Error, Kind, Result};
use crate::flatten::{redact, redact_foreign, redact_read};
use crate::model::json::Outline;
use crate::model::{Certificate, Counts, Drift, Event, Flaw, Format, Grid, Secrets, Selection, Window};
use crate::publish::{Preparation, Prepared, Remake};
use crate::schema::Table;
use crate::settle::Settled;
use crate::spool::{Events, EventsWriter, Scratch};

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
    /// The events as they came, in case one contradicts an earlier file.
    pub(super) events: Received,
    /// How they became what is kept.
    pub(super) secrets: Secrets,
    /// Events that cannot become a row.
    pub(super) quarantine: Vec<Event>,
    /// Events of each type.
    pub(super) types: BTreeMap<String, u64>,
    /// What the rows hold beyond the table.
    pub(super) drift: Drift,
}

/// Where the events of a window are.
pub(super) enum Received {
    /// Kept beside their rows.
    Kept(Events),
    /// Where they came from, which can be read again.
    Again(Box<dyn FnOnce() -> Result<Events> + Send>),
}

impl Received {
    /// The events. It may block for as long as reading takes.
    pub(super) fn events(self) -> Result<Events> {
        match self {
            Self::Kept(events) => Ok(events),
            Self::Again(read) => read(),
        }
    }
}

/// How rows become files.
#[derive(Clone)]
pub(super) struct Recipe {
    pub(super) table: Table,
    pub(super) grid: Grid,
    pub(super) formats: Vec<Format>,
    /// Whether rows carry the events' texts even if no format's files hold them.
    pub(super) texts: bool,
    /// Whether rows are held even if files can be made without that.
    pub(super) hold: bool,
    pub(super) metadata: FileMetadata,
    /// How files are written; its layout is the dataset's.
    pub(super) files: Settings,
    pub(super) selection: Selection,
    pub(super) secrets: Secrets,
    /// How much may be held, and where the rest goes.
    pub(super) scratch: Scratch,
}

impl Recipe {
    /// Whether rows carry the events' texts.
    pub(super) fn takes_texts(&self) -> bool {
        self.texts || self.formats.iter().any(|format| self.files.layout.holds_texts(*format))
    }

    /// What the batches of rows hold.
    pub(super) fn holding(&self) -> Holding {
        let layout = &self.files.layout;
        match self.formats.as_slice() {
            // Folders are named by other columns.
            [format] if layout.holds_texts(*format) && !self.texts && layout.is_by_time() => Holding::Texts,
            _ if self.takes_texts() => Holding::Both,
            _ => Holding::Columns,
        }
    }

    /// Takes the rows of a window.
    pub(super) fn preparation(&self, window: Option<Window>) -> Preparation {
        let (schema, metadata) = (self.table.arrow_schema(), self.metadata.clone());
        let preparation =
            Preparation::new(window, &self.formats, schema, metadata, &self.files, &self.scratch);
        if self.takes_texts() { preparation.with_texts(row_reader(&self.table)) } else { preparation }
    }

    /// Whether the event of this text is kept as it is.
    pub(super) fn keeps(&self, text: &str, outline: &Outline) -> bool {
        match self.secrets {
            Secrets::Kept => true,
            Secrets::Redacted => matches!(redact_read(text, outline), Cow::Borrowed(_)),
        }
    }
}

/// Events of a window stay in memory up to this part of the budget, where they are taken out of a unit.
const EVENTS_SHARES: u64 = 16;

/// Cuts a unit into the grid's windows and encodes each. A window whose rows may not be written has its error instead,
/// which says so; the others are not affected.
pub(super) fn transform(settled: Settled, recipe: &Recipe) -> Result<Vec<(Window, Result<Ready>)>> {
    let Settled { certificate, events, .. } = settled;
    let made = |window, events| match one_window(window, events, &certificate, recipe) {
        Err(error) if error.kind() != Kind::Unproven => Err(error),
        made => Ok((window, made)),
    };
    let mut windows = recipe.grid.windows(certificate.range).peekable();
    let Some(first) = windows.next() else { return Ok(Vec::new()) };
    if windows.peek().is_none() {
        return Ok(vec![made(first, events)?]);
    }
    let mut ready = Vec::new();
    let mut events = events.iter().peekable();
    for window in std::iter::once(first).chain(windows) {
        let mut own = EventsWriter::new(&recipe.scratch, recipe.scratch.share(EVENTS_SHARES));
        let here = |event: &Event| event.created_at.is_some_and(|at| window.contains(at));
        while let Some(event) = events.next_if(|event| event.as_ref().map_or(true, here)) {
            own.push(event?)?;
        }
        ready.push(made(window, own.finish()?)?);
    }
    match events.next().transpose()? {
        None => Ok(ready),
        Some(event) => Err(Error::bug("a settled event belongs to no window").at("id", event.id.as_str())),
    }
}

/// One window's events, sorted, as files.
pub(super) fn one_window(
    window: Window,
    events: Events,
    certificate: &Certificate,
    recipe: &Recipe,
) -> Result<Ready> {
    let made = make(Some(window), events, recipe)?;
    Ok(Ready { window, certificate: certificate.clone(), made })
}

/// The events of a window, or those without a time, sorted, as files.
pub(super) fn make(window: Option<Window>, events: Events, recipe: &Recipe) -> Result<Made> {
    let _own_thread = recipe.files.threads.hold(1);
    let mut counts = Counts { settled: events.len(), ..Counts::default() };
    let mut preparation = recipe.preparation(window);
    if !recipe.hold {
        let (events, recipe) = (events.clone(), Recipe { hold: true, ..recipe.clone() });
        let again = move || Ok(make(window, events.clone(), &recipe)?.prepared);
        let otherwise = || Error::bug("the same events became other rows");
        preparation = preparation.encoding_at_once(Remake::new(again, otherwise));
    }
    let mut names = Names::default();
    let mut rows = Rows::new(&recipe.table, recipe.holding(), |batch| {
        names.add(&batch);
        preparation.push(batch)
    });
    events.each_block(|block| {
        let readable = block.iter().map(|event| (*event, readable_text(event.flaw, event.text)));
        let selected = readable.filter(|(_, text)| {
            let selected = text.is_none_or(|text| recipe.selection.has_user(text));
            counts.filtered += u64::from(!selected);
            selected
        });
        // One that cannot be a row goes that way, too: what is kept of it is looked at by other means.
        let keeps = |text: &str, outline: &Outline| recipe.keeps(text, outline);
        rows.take(selected, keeps, |event| {
            let (event, redacted) = as_kept(event, recipe.secrets);
            counts.redacted += u64::from(redacted);
            event
        })
    })?;
    let Done { quarantine, drift, .. } = rows.finish()?;
    counts.quarantined = length(&quarantine);
    let prepared = preparation.finish()?;
    let (events, types) = (Received::Kept(events), names.take());
    Ok(Made { counts, prepared, events, secrets: recipe.secrets, quarantine, types, drift })
}

/// The text of an event that may become a row.
pub(super) fn readable(event: &Event) -> Option<&str> {
    readable_text(event.flaw, &event.text)
}

fn readable_text(flaw: Option<Flaw>, text: &[u8]) -> Option<&str> {
    flaw.is_none().then(|| std::str::from_utf8(text).ok()).flatten()
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

/// Adds numbers of events by type.
pub(super) fn add_types(types: &mut BTreeMap<String, u64>, more: impl IntoIterator<Item = (String, u64)>) {
    for (name, count) in more {
        *types.entry(name).or_default() += count;
    }
}

fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}
