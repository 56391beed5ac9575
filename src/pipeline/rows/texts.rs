//! The events' texts beside their rows, and rows of texts, for formats that hold the events themselves.
//!
//! What lives here: [`with_texts`] and the way back, [`row_reader`]. What this file must not know: how a row is held against its
//! event, files.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_schema::{DataType, Field, Schema};

use crate::encode::EVENT_TEXT;
use crate::error::{Error, Kind, Result};
use crate::flatten::{Flattener, Refusal};
use crate::model::json::{Value, push_compact};
use crate::publish::RowReader;
use crate::schema::Table;

/// The batch with each event's text, without insignificant white space, as its last column.
pub(super) fn with_texts<'a>(
    batch: &RecordBatch,
    events: impl Iterator<Item = Value<'a>> + Clone,
) -> Result<RecordBatch> {
    // Room for all of them at once: what grows is copied, and touches new memory each time.
    let bytes = events.clone().map(|value| value.text().len()).sum();
    let mut texts = StringBuilder::with_capacity(batch.num_rows(), bytes);
    let mut scratch = String::new();
    for value in events {
        scratch.clear();
        push_compact(&mut scratch, &value);
        texts.append_value(&scratch);
    }
    let mut fields = batch.schema_ref().fields().to_vec();
    fields.push(Arc::new(Field::new(EVENT_TEXT, DataType::Utf8, false)));
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new(texts.finish()));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|cause| Error::bug("texts do not fit their rows").because(cause))
}

/// Makes rows of the lines of a file, as [`super::Rows`] made them.
pub(in crate::pipeline) fn row_reader(table: &Table) -> RowReader {
    let table = table.clone();
    RowReader::new(move |texts| {
        let mut flattener = Flattener::new(&table);
        let mut batches = Vec::new();
        for batch in texts {
            let column = batch.column_by_name(EVENT_TEXT).and_then(|column| column.as_string_opt::<i32>());
            let column = column.ok_or_else(|| Error::bug("there are no texts to read"))?;
            for text in column.iter().flatten() {
                let mut pushed = flattener.push(text);
                if pushed == Err(Refusal::Full) {
                    batches.push(flattener.finish()?);
                    pushed = flattener.push(text);
                }
                if let Err(refusal) = pushed {
                    return Err(Error::new(Kind::Verification, "a line of a data file cannot be a row")
                        .at("why", format!("{refusal:?}")));
                }
            }
        }
        if !flattener.is_empty() {
            batches.push(flattener.finish()?);
        }
        Ok(batches)
    })
}
