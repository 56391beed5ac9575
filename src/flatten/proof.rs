//! The rebuild law, held against each row before it is written.
//!
//! What lives here: [`not_rebuilt`], which uses nothing that made the rows. What this file must not know: what becomes
//! of an event that fails.

use arrow_array::RecordBatch;

use super::rebuild::{Check, Rebuilder};
use crate::error::{Error, Result};
use crate::model::json::Value;
use crate::schema::Table;

/// The rows that do not give their event back, ascending. `events` are those that the rows were made from, one for
/// each row in order; for a row that cannot be read back at all the answer is the same.
///
/// # Errors
/// Bug: there are not as many events as rows, or the batch is not one of the table.
pub fn not_rebuilt<'a>(
    batch: &RecordBatch,
    table: &Table,
    events: impl ExactSizeIterator<Item = Value<'a>>,
) -> Result<Vec<usize>> {
    if events.len() != batch.num_rows() {
        return Err(Error::bug("a batch has not the rows of its events")
            .at("rows", batch.num_rows())
            .at("events", events.len()));
    }
    let rebuilder = Rebuilder::new(batch, table)?;
    let mut check = Check::new(&rebuilder);
    Ok(events
        .enumerate()
        .filter(|(row, event)| !check.gives_back(*row, *event))
        .map(|(row, _)| row)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::flatten::Flattener;

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
    fn a_missing_event_is_not_taken_for_a_match() {
        assert_eq!(checked(&EVENTS[1..]).unwrap_err().kind(), Kind::Bug);
    }
}
