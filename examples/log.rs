//! What a dataset's log says, for a loader of your own: the files that came after a commit.
//!
//! `cargo run --example log -- FOLDER [COMMIT]` prints the files after that commit, and the number to remember.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::env;
use std::path::Path;

use vonage_audit::publish::NamedFiles;
use vonage_audit::store::LocalStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or("usage: log FOLDER [COMMIT]")?;
    let since = arguments.next().map(|number| number.parse()).transpose()?;
    let store = LocalStore::open(Path::new(&folder), false)?;
    // Fails on a broken chain: a list from it would claim what nobody proved.
    let named = NamedFiles::read(&store).await?;
    for entry in named.between(since, None)? {
        println!("{} {} {} rows", entry.commit, entry.file.path, entry.file.rows);
    }
    if let Some(head) = &named.head {
        println!("loaded up to {} {}", head.number, head.sha256);
    }
    Ok(())
}
