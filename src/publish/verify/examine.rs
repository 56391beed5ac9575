//! One file decoded and held against everything that its name and the log say of it. It computes.
//!
//! What lives here: [`examine`]. What this file must not know: storage, other files.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use ring::digest::{Context, SHA256};
use std::sync::Arc;

use super::chain::Named;
use super::finding::Code;
use super::ids;
use super::law::Law;
use super::meaning::{self, Digest};
use crate::encode::{EVENT_TEXT, ReadLimits, Settings, read_typed};
use crate::error::{Error, Kind, Result};
use crate::model::{Partition, Slot, Timestamp};
use crate::publish::digest::sha256;
use crate::publish::rows;

/// What is known of a file before it is opened.
pub(super) struct Subject {
    pub(super) slot: Slot,
    /// What the log says; nothing of a slot that is not committed.
    pub(super) named: Option<Named>,
    pub(super) settings: Settings,
    pub(super) limits: ReadLimits,
}

/// One row, as later checks need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fact {
    pub(super) id: Digest,
    /// What its event says; `None` where the table does not know the file's columns.
    pub(super) event: Option<Digest>,
}

/// What a file holds, and what is wrong with it: each kind of flaw once, with how often.
#[derive(Debug, Default)]
pub(super) struct Examined {
    pub(super) facts: Vec<Fact>,
    pub(super) flaws: Vec<(Code, String)>,
    /// Whether the typed columns were held against the events.
    pub(super) lawful: bool,
    /// Whether the events could be read at all.
    pub(super) readable: bool,
}

/// A kind of flaw while rows are counted.
#[derive(Default)]
struct Tally {
    rows: u64,
    first: String,
}

impl Tally {
    fn add(&mut self, id: &str) {
        if self.rows == 0 {
            id.clone_into(&mut self.first);
        }
        self.rows += 1;
    }

    fn report(self, code: Code, flaws: &mut Vec<(Code, String)>) {
        if self.rows > 0 {
            flaws.push((code, format!("{} rows, the first with id {:?}", self.rows, self.first)));
        }
    }
}

/// Decodes a file and checks its rows. A file that cannot be decoded is a flaw.
pub(super) fn examine(bytes: Bytes, subject: &Subject, law: &Law) -> Examined {
    let mut examined = Examined { lawful: true, readable: true, ..Examined::default() };
    if let Err(cause) = decode(bytes, subject, law, &mut examined) {
        let code = match cause.kind() {
            Kind::Verification | Kind::Usage => Code::Undecodable,
            // Our own reader gave up; an auditor is told so instead of being left without an answer.
            _ => Code::Unreadable,
        };
        examined.flaws.push((code, cause.to_string()));
        examined.facts.clear();
    }
    examined
}

fn decode(bytes: Bytes, subject: &Subject, law: &Law, examined: &mut Examined) -> Result<()> {
    let format = subject.slot.format;
    let read = read_typed(format, bytes, &law.schema, &subject.settings, subject.limits)?;
    let texts = read.batches.iter().all(|batch| batch.column_by_name(EVENT_TEXT).is_some());
    let mut checks = Checks::new(subject);
    for batch in &read.batches {
        if texts {
            let events = column(batch, EVENT_TEXT)?;
            let rows = law.rows.rows(std::slice::from_ref(batch))?;
            let mut events = events.iter();
            for rows in &rows {
                checks.rows(rows, events.by_ref().map(|text| text.and_then(meaning::event)), examined)?;
            }
        } else {
            match law.events(batch) {
                Ok(Some(events)) => {
                    if same_table(subject, law) {
                        check_columns(batch, &events, law, examined)?;
                    } else {
                        examined.lawful = false;
                    }
                    checks.rows(batch, events.iter().map(|text| meaning::event(text)), examined)?;
                }
                Ok(None) => {
                    (examined.lawful, examined.readable) = (false, false);
                    checks.rows(batch, std::iter::repeat(None), examined)?;
                }
                Err(cause) => {
                    examined.flaws.push((Code::Columns, cause.to_string()));
                    (examined.lawful, examined.readable) = (false, false);
                    checks.rows(batch, std::iter::repeat(None), examined)?;
                }
            }
        }
    }
    checks.finish(examined);
    Ok(())
}

/// Derived columns follow from the very version of the table, not only from its column list.
fn same_table(subject: &Subject, law: &Law) -> bool {
    subject.named.as_ref().is_none_or(|named| *named.schema == law.table)
}

fn column<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a StringArray> {
    batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>()).ok_or_else(|| {
        Error::new(Kind::Verification, "the rows of a dataset have a column that is not here")
            .at("column", name)
    })
}

/// Makes the rows of the events once more and compares them, column by column.
fn check_columns(batch: &RecordBatch, events: &[String], law: &Law, examined: &mut Examined) -> Result<()> {
    let schema = Arc::new(Schema::new(vec![Field::new(EVENT_TEXT, DataType::Utf8, false)]));
    let texts = Arc::new(events.iter().map(Some).collect::<StringArray>());
    let texts = RecordBatch::try_new(schema, vec![texts])
        .map_err(|cause| Error::bug("texts do not make a batch").because(cause))?;
    let again = law.rows.rows(&[texts])?;
    let mut row = 0;
    let (mut wrong, mut names) = (Tally::default(), Vec::new());
    let ids = column(batch, rows::ID)?;
    for again in &again {
        for position in 0..again.num_rows() {
            let at = row + position;
            let differing = differing(batch, at, again, position)?;
            if !differing.is_empty() {
                wrong.add(if ids.is_null(at) { "" } else { ids.value(at) });
                for name in differing {
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
            }
        }
        row += again.num_rows();
    }
    if wrong.rows > 0 {
        let detail =
            format!("{} rows in {}, the first with id {:?}", wrong.rows, names.join(" "), wrong.first);
        examined.flaws.push((Code::Columns, detail));
    }
    Ok(())
}

/// The columns in which two rows differ.
fn differing(batch: &RecordBatch, row: usize, again: &RecordBatch, position: usize) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        let other = again.column_by_name(field.name());
        let same = match other {
            None => column.is_null(row),
            Some(other) if other.data_type() != column.data_type() => false,
            Some(other) if field.name().ends_with("_json") => {
                json(column.as_string_opt::<i32>(), row) == json(other.as_string_opt::<i32>(), position)
            }
            Some(other) => value(column, row)? == value(other, position)?,
        };
        if !same {
            names.push(field.name().clone());
        }
    }
    Ok(names)
}

fn json(column: Option<&StringArray>, row: usize) -> Option<Digest> {
    column.filter(|column| !column.is_null(row)).map(|column| meaning::text(column.value(row)))
}

fn value(column: &arrow_array::ArrayRef, row: usize) -> Result<Digest> {
    let mut digest = Context::new(&SHA256);
    rows::digest(column, row, &mut digest)?;
    Ok(meaning::cut(digest))
}

/// What is checked row by row.
struct Checks<'a> {
    subject: &'a Subject,
    rows: u64,
    extent: Option<(Timestamp, Timestamp)>,
    before: Option<(Option<Timestamp>, String)>,
    outside: Tally,
    unsorted: Tally,
    elsewhere: Tally,
    nameless: u64,
}

impl<'a> Checks<'a> {
    fn new(subject: &'a Subject) -> Self {
        Self {
            subject,
            rows: 0,
            extent: None,
            before: None,
            outside: Tally::default(),
            unsorted: Tally::default(),
            elsewhere: Tally::default(),
            nameless: 0,
        }
    }

    fn rows(
        &mut self,
        batch: &RecordBatch,
        mut events: impl Iterator<Item = Option<Digest>>,
        examined: &mut Examined,
    ) -> Result<()> {
        let ids = column(batch, rows::ID)?;
        let times = batch
            .column_by_name(rows::CREATED_AT)
            .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>())
            .ok_or_else(|| Error::new(Kind::Verification, "created_at is no column of times"))?;
        let partitioning = &self.subject.settings.layout.partitioning;
        let keys = partitioning.columns();
        let keys: Vec<&StringArray> =
            keys.into_iter().map(|name| column(batch, name)).collect::<Result<_>>()?;
        for row in 0..batch.num_rows() {
            let event = events.next().flatten();
            self.rows += 1;
            if ids.is_null(row) || ids.value(row).is_empty() {
                self.nameless += 1;
                continue;
            }
            let id = ids.value(row);
            let at = (!times.is_null(row)).then(|| Timestamp::from_micros(times.value(row)));
            let inside = match (self.subject.slot.span, at) {
                (Some(span), Some(at)) => span.contains(at),
                (None, None) => true,
                _ => false,
            };
            if !inside {
                self.outside.add(id);
            }
            if let Some(at) = at {
                self.extent = Some(self.extent.map_or((at, at), |(min, max)| (min.min(at), max.max(at))));
            }
            if self.before.as_ref().is_some_and(|(time, before)| (*time, before.as_str()) >= (at, id)) {
                self.unsorted.add(id);
            }
            self.before = Some((at, id.to_owned()));
            if !keys.is_empty() {
                let values = keys.iter().map(|key| (!key.is_null(row)).then(|| key.value(row)));
                let own = Partition::of(partitioning, values, |value| sha256(value.as_bytes()));
                if own != self.subject.slot.partition {
                    self.elsewhere.add(id);
                }
            }
            examined.facts.push(Fact { id: ids::digest(id), event });
        }
        Ok(())
    }

    fn finish(self, examined: &mut Examined) {
        let flaws = &mut examined.flaws;
        self.outside.report(Code::OutOfWindow, flaws);
        self.unsorted.report(Code::Order, flaws);
        self.elsewhere.report(Code::WrongPartition, flaws);
        if self.nameless > 0 {
            flaws.push((Code::Undecodable, format!("{} rows have no id", self.nameless)));
        }
        let Some(Named { file, .. }) = &self.subject.named else {
            if self.rows == 0 {
                flaws.push((Code::Rows, "it holds no row".to_owned()));
            }
            return;
        };
        if self.rows != file.rows {
            flaws.push((Code::Rows, format!("{} instead of {}", self.rows, file.rows)));
        }
        if self.extent != file.created_at {
            let shown = |extent: Option<(Timestamp, Timestamp)>| {
                extent.map_or_else(|| "none".to_owned(), |(min, max)| format!("{min}..{max}"))
            };
            flaws.push((
                Code::Extent,
                format!("{} instead of {}", shown(self.extent), shown(file.created_at)),
            ));
        }
    }
}
