//! Data files as events again.
//!
//! What lives here: [`Stored`], which reads the files of one window and holds them against the log. What this file must
//! not know: why they are read.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{RecordBatch, new_null_array};
use bytes::Bytes;

use super::convert::compute;
use crate::api;
use crate::encode::{EVENT_TEXT, ReadLimits, Settings, read_typed};
use crate::error::{Error, Kind, Result};
use crate::flatten::Rebuilder;
use crate::model::{Event, FileRecord, Flaw, Window};
use crate::publish::Dataset;
use crate::schema::Table;

/// A dataset and the table of its files.
#[derive(Clone, Copy)]
pub(super) struct Stored<'a> {
    pub(super) dataset: &'a Dataset,
    /// The table of its newest files; older ones have the same columns or the first ones of them.
    pub(super) table: &'a Table,
    /// How its files were written.
    pub(super) settings: &'a Settings,
}

impl Stored<'_> {
    /// The events of a window's files, or of files of events without a time, sorted as rows are.
    ///
    /// # Errors
    /// Verification: a file is missing or altered, or does not hold what the log says.
    pub(super) async fn events(&self, window: Option<Window>, files: &[FileRecord]) -> Result<Vec<Event>> {
        let mut all = Vec::new();
        for file in files {
            let bytes = self.dataset.read_file(file).await?;
            let (table, settings, record) = (self.table.clone(), self.settings.clone(), file.clone());
            let events = compute(move || events(&record, bytes, &table, &settings)).await;
            all.extend(events.map_err(|error| error.at("path", &file.path))?);
        }
        all.sort_by(|one, other| one.sort_key().cmp(&other.sort_key()));
        let mut ids = HashSet::new();
        for event in &all {
            let in_time = match (window, event.created_at) {
                (Some(window), Some(at)) => window.contains(at),
                (None, None) => true,
                _ => false,
            };
            if event.flaw.is_some_and(|flaw| flaw != Flaw::NoTime) || !in_time {
                return Err(
                    wrong("a row is no event of its window").at("id", event.id.as_str().escape_debug())
                );
            }
            if !ids.insert(&event.id) {
                return Err(wrong("an event is in two rows").at("id", event.id.as_str().escape_debug()));
            }
        }
        Ok(all)
    }
}

fn events(file: &FileRecord, bytes: Bytes, table: &Table, settings: &Settings) -> Result<Vec<Event>> {
    let schema = table.arrow_schema();
    let read = read_typed(file.format, bytes, &schema, settings, ReadLimits::default())?;
    let mut events = Vec::new();
    for batch in &read.batches {
        if let Some(column) = batch.column_by_name(EVENT_TEXT) {
            let texts = column.as_string_opt::<i32>().ok_or_else(|| wrong("its lines are no text"))?;
            events.extend(
                texts.iter().flatten().map(|text| api::event(Bytes::copy_from_slice(text.as_bytes()))),
            );
            continue;
        }
        let batch = widened(batch, table)?;
        let rebuilder = Rebuilder::new(&batch, table)?;
        for row in 0..batch.num_rows() {
            events.push(api::event(rebuilder.row(row)?.into()));
        }
    }
    if u64::try_from(events.len()).ok() != Some(file.rows) {
        return Err(wrong("it has other rows than the log says"));
    }
    Ok(events)
}

/// The rows of an older table with the columns that came later, which they do not have: null.
fn widened(batch: &RecordBatch, table: &Table) -> Result<RecordBatch> {
    let schema = table.arrow_schema();
    let mut columns = batch.columns().to_vec();
    let known = batch.schema_ref().fields().iter().zip(schema.fields());
    if columns.len() > schema.fields().len()
        || !known.into_iter().all(|(own, column)| own.name() == column.name())
    {
        return Err(wrong("its columns are not those of the table").at("table", table.version()));
    }
    let missing = schema.fields().iter().skip(columns.len());
    columns.extend(missing.map(|field| new_null_array(field.data_type(), batch.num_rows())));
    RecordBatch::try_new(Arc::clone(&schema), columns)
        .map_err(|cause| wrong("its columns are not those of the table").because(cause))
}

fn wrong(why: &'static str) -> Error {
    Error::new(Kind::Verification, "a data file does not hold what it should").at("why", why)
}
