//! The rebuild law, held against each row before it is written.
//!
//! What lives here: [`Proof`], which uses nothing that made the rows. What this file must not know: what becomes
//! of an event that fails.

use arrow_array::RecordBatch;

use super::rebuild::{Check, Rebuilder, Ways};
use crate::error::{Error, Result};
use crate::model::json::Value;
use crate::schema::Table;

/// Holds batches of rows of one table against their events.
#[derive(Debug)]
pub struct Proof<'t> {
    table: &'t Table,
    /// What is alike in all events of a shape; it is of this table.
    ways: Ways,
}

impl<'t> Proof<'t> {
    /// For rows of this table.
    pub fn new(table: &'t Table) -> Self {
        Self { table, ways: Ways::default() }
    }

    /// The rows that do not give their event back, ascending. `events` are those that the rows were made from, one for
    /// each row in order, none where there is nothing to hold against a row; for a row that cannot be read back at all the
    /// answer is the same.
    ///
    /// # Errors
    /// Bug: there are not as many events as rows, or the batch is not one of the table.
    pub fn not_rebuilt<'a>(
        &mut self,
        batch: &RecordBatch,
        events: impl ExactSizeIterator<Item = Option<Value<'a>>>,
    ) -> Result<Vec<usize>> {
        if events.len() != batch.num_rows() {
            return Err(Error::bug("a batch has not the rows of its events")
                .at("rows", batch.num_rows())
                .at("events", events.len()));
        }
        let rebuilder = Rebuilder::new(batch, self.table)?;
        let mut check = Check::new(&rebuilder, &mut self.ways);
        let mut wrong = Vec::new();
        for (row, event) in events.enumerate() {
            if !event.is_some_and(|event| check.gives_back(row, event)) {
                wrong.push(row);
            }
        }
        Ok(wrong)
    }
}

/// The same for a single batch.
///
/// # Errors
/// As [`Proof::not_rebuilt`].
pub fn not_rebuilt<'a>(
    batch: &RecordBatch,
    table: &Table,
    events: impl ExactSizeIterator<Item = Value<'a>>,
) -> Result<Vec<usize>> {
    Proof::new(table).not_rebuilt(batch, events.map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::flatten::Flattener;
    use crate::model::json::Outline;

    const EVENTS: [&str; 4] = [
        r#"{"id":"a","created_at":"2026-03-01T00:00:00","user_id":1,"context":{"a":1}}"#,
        r#"{"id":"b","created_at":"2026-03-01T00:00:00Z","x":[1.0]}"#,
        r#"{"id":"c","context":{"a":null},"_links":{}}"#,
        r#"{"created_at":"2026-03-01T00:00:00","id":"d"}"#,
    ];

    fn checked(events: &[&str]) -> Result<Vec<usize>> {
        let table = Table::builtin().unwrap();
        let mut flattener = Flattener::new(&table);
        for event in EVENTS {
            flattener.push(event).unwrap();
        }
        not_rebuilt(
            &flattener.finish().unwrap(),
            &table,
            events.iter().map(|event| Value::parse(event).unwrap()),
        )
    }

    #[test]
    fn rows_give_their_events_back() {
        assert_eq!(checked(&EVENTS).unwrap(), Vec::<usize>::new());
    }

    #[test]
    fn each_row_that_says_something_else_is_found() {
        for (row, event) in [
            (0, r#"{"id":"a","created_at":"2026-03-01T00:00:00","user_id":1,"context":{"a":2}}"#),
            (0, r#"{"id":"a","created_at":"2026-03-01T00:00:00","user_id":"1","context":{"a":1}}"#),
            (1, r#"{"id":"b","created_at":"2026-03-01T00:00:00Z","x":[1]}"#),
            (1, r#"{"id":"b","created_at":"2026-03-01T00:00:00","x":[1.0]}"#),
            (2, r#"{"id":"c","context":{"a":null}}"#),
            (3, r#"{"created_at":"2026-03-01T00:00:00","id":"d","y":null}"#),
        ] {
            let mut events = EVENTS;
            events[row] = event;
            assert_eq!(checked(&events).unwrap(), [row], "{event}");
        }
    }

    #[test]
    fn what_is_known_from_another_batch_finds_the_same() {
        let table = Table::builtin().unwrap();
        let (mut proof, mut flattener) = (Proof::new(&table), Flattener::new(&table));
        let mut outlines: Vec<_> = EVENTS.map(|_| Outline::default()).into();
        for wrong in [None, Some(3), Some(0), None, Some(1)] {
            let said = EVENTS.map(str::to_owned).into_iter().enumerate();
            let said: Vec<_> = said
                .map(|(row, event)| if Some(row) == wrong { event.replace("2026", "2027") } else { event })
                .collect();
            let mut values = Vec::new();
            for ((event, said), outline) in EVENTS.iter().zip(&said).zip(&mut outlines) {
                flattener.push(event).unwrap();
                values.push(outline.read(said).unwrap());
            }
            let batch = flattener.finish().unwrap();
            let found = proof.not_rebuilt(&batch, values.iter().copied().map(Some)).unwrap();
            assert_eq!(found, wrong.into_iter().collect::<Vec<_>>());
            let without = values.iter().copied().enumerate().map(|(row, value)| (row != 2).then_some(value));
            assert!(proof.not_rebuilt(&batch, without.collect::<Vec<_>>().into_iter()).unwrap().contains(&2));
        }
    }

    #[test]
    fn a_missing_event_is_not_taken_for_a_match() {
        assert_eq!(checked(&EVENTS[1..]).unwrap_err().kind(), Kind::Bug);
    }
}
