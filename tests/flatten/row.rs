//! One event's row, read through Arrow alone.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, RecordBatch};
use vonage_audit::flatten::{Flattener, Rebuilder, RowNotes};
use vonage_audit::model::Timestamp;
use vonage_audit::schema::Table;

pub(crate) struct Row {
    pub(crate) table: Table,
    pub(crate) batch: RecordBatch,
    pub(crate) notes: RowNotes,
}

impl Row {
    pub(crate) fn of(event: &str) -> Self {
        let table = Table::builtin().unwrap();
        Self::under(table, event)
    }

    pub(crate) fn under(table: Table, event: &str) -> Self {
        let mut flattener = Flattener::new(&table);
        let notes = flattener.push(event).unwrap_or_else(|refusal| panic!("{refusal:?}: {event}"));
        let batch = flattener.finish().unwrap();
        Self { table, batch, notes }
    }

    /// A column's value as text; timestamps as the API writes them.
    pub(crate) fn get(&self, column: &str) -> Option<String> {
        cell(&self.batch, self.table.position(column).unwrap(), 0)
    }

    pub(crate) fn rebuilt(&self) -> String {
        Rebuilder::new(&self.batch, &self.table).unwrap().row(0).unwrap()
    }
}

pub(crate) fn cell(batch: &RecordBatch, column: usize, row: usize) -> Option<String> {
    let array = batch.column(column);
    if array.is_null(row) {
        return None;
    }
    Some(match array.as_string_opt::<i32>() {
        Some(text) => text.value(row).to_owned(),
        None if !matches!(array.data_type(), arrow_schema::DataType::Timestamp(..)) => {
            panic!("{} is no text", array.data_type())
        }
        None => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            Timestamp::from_micros(micros).to_string()
        }
    })
}
