//! The rows of every published example, against a golden file.
//!
//! To see a change: the test writes what it found to the target folder and says where.

use std::fmt::Write as _;

use crate::row::Row;

const PUBLISHED: &str = include_str!("../data/events-published.ndjson");
const GOLDEN: &str = include_str!("../data/events-published.columns.txt");

/// `column: value` lines, nulls left out; texts as they are, which the examples allow: they hold no line breaks.
fn describe(event: &str, number: usize) -> String {
    let row = Row::of(event);
    let mut out = format!("event {number}\n");
    for column in row.table.columns() {
        if let Some(value) = row.get(&column.name) {
            writeln!(out, "  {}: {value}", column.name).unwrap();
        }
    }
    out
}

#[test]
fn the_published_examples_have_these_columns() {
    let found: String = PUBLISHED.lines().enumerate().map(|(at, event)| describe(event, at + 1)).collect();
    if found != GOLDEN {
        let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/events-published.columns.txt");
        std::fs::write(path, &found).unwrap();
        panic!("the columns differ from the golden file; what was found is in {path}");
    }
}
