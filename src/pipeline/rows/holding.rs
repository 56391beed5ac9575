//! What batches of rows hold: columns, the events' texts, or both.
//!
//! What lives here: [`Holding`]. What this file must not know: where events come from, what becomes of those whose row is wrong.

use arrow_array::RecordBatch;

use super::texts::with_texts;
use crate::error::Result;
use crate::flatten::{Flattener, Proof};
use crate::model::json::Value;
use crate::schema::Table;

/// The columns of which more is known than their values: order, identity, and what is counted.
const KEYS: [&str; 3] = ["id", "created_at", "event_type"];

/// What batches hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pipeline) enum Holding {
    /// The table's columns.
    Columns,
    /// These, and the events' texts as the last one.
    Both,
    /// The texts, and of the columns those that tell rows apart: for files that hold events and nothing else. What such a file
    /// gives back is the event itself, so that no row is held against it.
    Texts,
}

impl Holding {
    /// What makes such rows.
    pub(in crate::pipeline) fn flattener(self, table: &Table) -> Flattener {
        match self {
            Self::Columns | Self::Both => Flattener::new(table),
            Self::Texts => Flattener::of_columns(table, &KEYS),
        }
    }

    /// A batch that a flattener has made, and those of its rows that do not give their event back. There must be as many events
    /// as rows.
    ///
    /// # Errors
    /// Bug: the events are others.
    pub(in crate::pipeline) fn checked<'e>(
        self,
        batch: RecordBatch,
        proof: &mut Proof<'_>,
        events: impl ExactSizeIterator<Item = Option<Value<'e>>> + Clone,
    ) -> Result<(RecordBatch, Vec<usize>)> {
        let wrong = match self {
            Self::Columns | Self::Both => proof.not_rebuilt(&batch, events.clone())?,
            Self::Texts => Vec::new(),
        };
        match self {
            Self::Columns => Ok((batch, wrong)),
            Self::Both | Self::Texts => Ok((with_texts(&batch, events.flatten())?, wrong)),
        }
    }
}
