//! What is refused, what is counted, and that a refused event leaves no trace.

use vonage_audit::flatten::{ColumnIssues, Flattener, Rebuilder, Refusal, rebuild};
use vonage_audit::model::Flaw;
use vonage_audit::schema::Table;

use crate::row::{Row, cell};

fn nested(depth: usize) -> String {
    format!(r#"{{"context":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1))
}

#[test]
fn what_cannot_be_a_row_is_refused_and_leaves_no_trace() {
    let table = Table::builtin().unwrap();
    let mut flattener = Flattener::new(&table);
    flattener.push(r#"{"id":"first"}"#).unwrap();
    for (text, flaw) in [
        ("", Flaw::NotAnObject),
        ("[]", Flaw::NotAnObject),
        (r#""x""#, Flaw::NotAnObject),
        (r#"{"id":"x""#, Flaw::NotAnObject),
        (r#"{"id":"x"} {}"#, Flaw::NotAnObject),
        (&nested(65), Flaw::TooDeep),
        (&nested(100_000), Flaw::TooDeep),
    ] {
        assert_eq!(flattener.push(text), Err(Refusal::Flaw(flaw)));
    }
    flattener.push(&nested(64)).unwrap();
    assert_eq!(flattener.len(), 2);
    let batch = flattener.finish().unwrap();
    assert_eq!((cell(&batch, 0, 0).as_deref(), cell(&batch, 0, 1)), (Some("first"), None));
    assert_eq!(rebuild(&batch, 0, &table).unwrap(), r#"{"id":"first"}"#);
}

#[test]
fn a_flattener_starts_again_after_each_batch() {
    let table = Table::builtin().unwrap();
    let mut flattener = Flattener::new(&table);
    assert_eq!(flattener.finish().unwrap().num_rows(), 0);
    let empty = flattener.memory();
    flattener.push(r#"{"id":"a","novel":1,"context":{"country":"GB"}}"#).unwrap();
    assert!(flattener.memory() > empty && !flattener.is_empty());
    assert_eq!(flattener.finish().unwrap().num_rows(), 1);
    assert!(flattener.is_empty());
    // Nothing of the event before is left in the next row.
    flattener.push("{}").unwrap();
    let batch = flattener.finish().unwrap();
    let held: Vec<_> = (0..batch.num_columns()).filter_map(|column| cell(&batch, column, 0)).collect();
    assert_eq!(held, ["unknown", "unknown"]);
}

#[test]
fn values_that_do_not_fit_are_counted_by_column() {
    let table = Table::builtin().unwrap();
    let mut flattener = Flattener::new(&table);
    let notes = flattener
        .push(
            r#"{"id":7,"created_at":"x","user_id":1,"user_id":"2","context":{"http":{},"msisdn":"\u0000"}}"#,
        )
        .unwrap();
    assert_eq!((notes.coerced, notes.mismatched, notes.remainder, notes.known_type), (2, 3, true, false));
    flattener.push(r#"{"id":true,"source":null}"#).unwrap();
    flattener.finish().unwrap();
    let none = ColumnIssues::default();
    let issues: Vec<_> = flattener.issues().collect();
    assert_eq!(
        issues,
        [
            ("id", ColumnIssues { coerced: 2, ..none }),
            ("created_at", ColumnIssues { type_mismatch: 1, ..none }),
            ("user_id", ColumnIssues { coerced: 1, repeated: 1, ..none }),
            ("context__msisdn", ColumnIssues { unrepresentable: 1, ..none }),
            ("context__http", ColumnIssues { type_mismatch: 1, ..none }),
        ]
    );
}

#[test]
fn the_remainder_keeps_order_texts_and_doubled_keys_and_never_the_context() {
    for (event, remainder) in [
        (r#"{"id":"x"}"#, None),
        (r#"{"b":1E2,"id":"x","a":{ },"context":{"novel":1}}"#, Some(r#"{"b":1E2,"a":{ }}"#)),
        (r#"{"id":"x","b":0,"id":"y"}"#, Some(r#"{"id":"x","b":0,"id":"y"}"#)),
        (r#"{"_links":{"self":{"href":"x"}}}"#, None),
        (r#"{"_links":{"self":{"href":"x"},"next":{}}}"#, Some(r#"{"_links":{"next":{}}}"#)),
        (r#"{"_links":{"self":{"a":1,"href":"x"}}}"#, Some(r#"{"_links":{"self":{"a":1}}}"#)),
        (r#"{"_links":{"self":{}}}"#, Some(r#"{"_links":{"self":{}}}"#)),
        (r#"{"_links":{}}"#, Some(r#"{"_links":{}}"#)),
        (r#"{"user_id":"7","source":null}"#, Some(r#"{"user_id":"7","source":null}"#)),
        (r#"{"context":null}"#, None),
    ] {
        assert_eq!(Row::of(event).get("unmapped_json").as_deref(), remainder, "{event}");
    }
    assert_eq!(Row::of(r#"{"context":null}"#).get("context_json").as_deref(), Some("null"));
    assert_eq!(Row::of("{}").get("context_json"), None);
    let spaced = Row::of("{\"context\" : { \"a\" :\n1.0 } }");
    assert_eq!(spaced.get("context_json").as_deref(), Some("{ \"a\" :\n1.0 }"));
}

#[test]
fn rows_that_no_event_could_have_made_are_reported() {
    use arrow_array::{ArrayRef, RecordBatch, StringArray};
    use std::sync::Arc;

    let table = Table::builtin().unwrap();
    let good = Row::of(r#"{"user_id":7,"context":{}}"#);
    for (column, text) in [
        ("user_id", "07"),
        ("user_id", "x"),
        ("context_json", "{"),
        ("unmapped_json", "[]"),
        ("unmapped_json", ""),
    ] {
        let mut columns: Vec<ArrayRef> = good.batch.columns().to_vec();
        columns[table.position(column).unwrap()] = Arc::new(StringArray::from(vec![text]));
        let batch = RecordBatch::try_new(table.arrow_schema(), columns).unwrap();
        let error = rebuild(&batch, 0, &table).unwrap_err();
        assert_eq!(error.kind().exit_code(), 9);
        assert!(error.to_string().contains(column), "{error}");
    }
    let fewer = good.batch.project(&[0, 1, 2]).unwrap();
    assert!(Rebuilder::new(&fewer, &table).is_err());
    let order: Vec<_> = (0..table.columns().len()).rev().collect();
    assert!(Rebuilder::new(&good.batch.project(&order).unwrap(), &table).is_err());
}

#[test]
fn a_huge_event_takes_time_in_proportion() {
    let wide: Vec<_> = (0..200_000).map(|at| format!("\"k{at}\":{at}")).collect();
    let event = format!(r#"{{"id":"x","context":{{{}}},{}}}"#, wide.join(","), wide.join(","));
    let row = Row::of(&event);
    assert!(vonage_audit::flatten::same(&event, &row.rebuilt()));
    let long = format!(r#"{{"source":"{}"}}"#, "a".repeat(8 << 20));
    assert_eq!(Row::of(&long).get("source").unwrap().len(), 8 << 20);
}
