//! Events to rows of the table, and back: the pure middle of the library, without network or files.
//!
//! `cargo run --example rows < events.ndjson`, one event a line; prints the columns that hold something.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::io;

use vonage_audit::flatten::{Flattener, Refusal, rebuild, same};
use vonage_audit::schema::Table;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let table = Table::builtin()?;
    let mut flattener = Flattener::new(&table);
    let mut events = Vec::new();
    for line in io::stdin().lines() {
        let line = line?;
        match flattener.push(&line) {
            Ok(_) => events.push(line),
            // It never can be a row: keep its text.
            Err(Refusal::Flaw(flaw)) => println!("no row: {flaw:?}"),
            // 1 GiB of events: finish the batch, then push again.
            Err(Refusal::Full) => break,
        }
    }
    let batch = flattener.finish()?;
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let held = column.len() - column.null_count();
        if held > 0 {
            println!("{:40} {:?} {held}", field.name(), field.data_type());
        }
    }
    // The law that every row is held against before it is written.
    let kept = events
        .iter()
        .enumerate()
        .filter(|(row, event)| rebuild(&batch, *row, &table).is_ok_and(|rebuilt| same(&rebuilt, event)));
    println!("{} rows, {} give their event back", batch.num_rows(), kept.count());
    Ok(())
}
