//! Events to batches of rows, with the events' texts beside them where a format needs those.
//!
//! What lives here: [`Rows`], and the way back from a text to its row for formats that hold texts. What this file must
//! not know: windows, files.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};

use crate::encode::EVENT_TEXT;
use crate::error::{Error, Kind, Result};
use crate::flatten::{Flattener, Refusal};
use crate::model::Flaw;
use crate::model::json::{Value, push_compact};
use crate::publish::RowReader;
use crate::schema::Table;

/// Rows that are built before they become a batch: bounds the builders, decides nothing about the bytes.
const ROWS_A_BATCH: usize = 8_192;

/// Collects rows.
pub(super) struct Rows {
    flattener: Flattener,
    /// Texts of the rows that the flattener holds; none if no format needs them.
    texts: Option<StringBuilder>,
    batches: Vec<RecordBatch>,
    scratch: String,
}

impl Rows {
    /// No rows yet. With `texts`, each batch has [`EVENT_TEXT`] as its last column.
    pub(super) fn new(table: &Table, texts: bool) -> Self {
        Self {
            flattener: Flattener::new(table),
            texts: texts.then(StringBuilder::new),
            batches: Vec::new(),
            scratch: String::new(),
        }
    }

    /// Appends an event, or says why it can never be a row.
    pub(super) fn push(&mut self, text: &str) -> Result<Option<Flaw>> {
        let pushed = match self.flattener.push(text) {
            Err(Refusal::Full) => {
                self.cut()?;
                self.flattener.push(text)
            }
            pushed => pushed,
        };
        match pushed {
            Ok(_) => {}
            Err(Refusal::Flaw(flaw)) => return Ok(Some(flaw)),
            Err(Refusal::Full) => return Err(Error::bug("an empty batch is full")),
        }
        if let Some(texts) = &mut self.texts {
            let event = Value::parse(text)
                .map_err(|cause| Error::bug("an event that became a row is not JSON").because(cause))?;
            self.scratch.clear();
            push_compact(&mut self.scratch, &event);
            texts.append_value(&self.scratch);
        }
        if self.flattener.len() >= ROWS_A_BATCH {
            self.cut()?;
        }
        Ok(None)
    }

    /// The rows, in the order in which they came.
    pub(super) fn finish(mut self) -> Result<Vec<RecordBatch>> {
        if !self.flattener.is_empty() {
            self.cut()?;
        }
        Ok(self.batches)
    }

    fn cut(&mut self) -> Result<()> {
        let batch = self.flattener.finish()?;
        let batch = match &mut self.texts {
            Some(texts) => with_texts(&batch, Arc::new(texts.finish()))?,
            None => batch,
        };
        self.batches.push(batch);
        Ok(())
    }
}

fn with_texts(batch: &RecordBatch, texts: ArrayRef) -> Result<RecordBatch> {
    let mut fields = batch.schema_ref().fields().to_vec();
    fields.push(Arc::new(Field::new(EVENT_TEXT, DataType::Utf8, false)));
    let mut columns = batch.columns().to_vec();
    columns.push(texts);
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|cause| Error::bug("texts do not fit their rows").because(cause))
}

/// Makes rows of the lines of a file, as [`Rows`] made them.
pub(super) fn row_reader(table: &Table) -> RowReader {
    let table = table.clone();
    RowReader::new(move |texts| {
        let mut rows = Rows::new(&table, false);
        for batch in texts {
            let column = batch.column_by_name(EVENT_TEXT).and_then(|column| column.as_string_opt::<i32>());
            let column = column.ok_or_else(|| Error::bug("there are no texts to read"))?;
            for text in column.iter().flatten() {
                if let Some(flaw) = rows.push(text)? {
                    return Err(Error::new(Kind::Verification, "a line of a data file cannot be a row")
                        .at("why", flaw.name()));
                }
            }
        }
        rows.finish()
    })
}
