//! Rows of a data file as the report needs them: some columns, by name.
//!
//! What lives here: [`Row`] and the walk over batches. A column that a file lacks is absent in each of its rows.
//! What this file must not know: what is counted.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, RecordBatch, StringArray};

use crate::error::{Error, Kind, Result};
use crate::model::Timestamp;

/// One row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) id: &'a str,
    pub(super) at: Option<Timestamp>,
    pub(super) event_type: Option<&'a str>,
    pub(super) category: Option<&'a str>,
    pub(super) action: Option<&'a str>,
    pub(super) actor: Option<&'a str>,
    pub(super) source: Option<&'a str>,
    pub(super) address: Option<&'a str>,
    pub(super) country: Option<&'a str>,
    pub(super) target: Option<&'a str>,
    pub(super) http: Option<&'a str>,
    pub(super) voice: Option<&'a str>,
    pub(super) context: Option<&'a str>,
}

/// Calls for each row.
pub(super) fn each(batches: &[RecordBatch], mut take: impl FnMut(Row<'_>)) -> Result<()> {
    for batch in batches {
        let id = text(batch, "id")?.ok_or_else(|| lacking("id"))?;
        let times = match batch.column_by_name("created_at") {
            Some(column) => {
                column.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(|| lacking("created_at"))?
            }
            None => return Err(lacking("created_at")),
        };
        let mut columns: [Option<&StringArray>; 11] = [None; 11];
        for (column, name) in columns.iter_mut().zip([
            "event_type",
            "event_category",
            "event_action",
            "actor",
            "source",
            "source_ip",
            "source_country",
            "target_id",
            "context__http",
            "context__voice_value",
            "context_json",
        ]) {
            *column = text(batch, name)?;
        }
        for row in 0..batch.num_rows() {
            let [event_type, category, action, actor, source, address, country, target, http, voice, context] =
                columns.map(|column| {
                    column.filter(|column| column.is_valid(row)).map(|column| column.value(row))
                });
            take(Row {
                id: if id.is_valid(row) { id.value(row) } else { "" },
                at: times.is_valid(row).then(|| Timestamp::from_micros(times.value(row))),
                event_type,
                category,
                action,
                actor,
                source,
                address,
                country,
                target,
                http,
                voice,
                context,
            });
        }
    }
    Ok(())
}

/// A column of text, if the file has one of this name.
fn text<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<Option<&'a StringArray>> {
    let Some(column) = batch.column_by_name(name) else { return Ok(None) };
    column.as_string_opt::<i32>().map(Some).ok_or_else(|| lacking(name))
}

fn lacking(name: &'static str) -> Error {
    Error::new(Kind::Verification, "the rows of a dataset have a column that is not here").at("column", name)
}
