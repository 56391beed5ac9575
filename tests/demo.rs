//! The first command of the README, and every query that the documents show.
//!
//! The demo runs in an empty folder with an empty environment: no network, no credentials. Then DuckDB runs the three
//! queries that it prints, the README's and those under `examples/`, against what it wrote.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test program")]

#[path = "harness/program.rs"]
mod program;
#[path = "harness/python.rs"]
mod python;

use std::fs;
use std::path::{Path, PathBuf};

use program::{program, run, scratch};
use python::script;

/// Whatever the documents show for this export, in the current folder of the demo.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples = fs::read_dir(root.join("examples")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> =
        examples.filter(|path| path.extension().is_some_and(|ending| ending == "sql")).collect();
    assert!(!found.is_empty(), "no examples");
    found.push(root.join("README.md"));
    found
}

#[test]
fn the_demo_exports_and_its_queries_run() {
    let folder = scratch("demo");
    let mut demo = program();
    demo.arg("demo").current_dir(&folder);
    let outcome = run(demo).expect(0);
    assert!(folder.join("demo-export/_audit/dataset.json").is_file());

    // What is printed is meant to be pasted.
    let printed = folder.join("printed.txt");
    fs::write(&printed, &outcome.stdout).unwrap();
    let mut queries = script("queries.py");
    queries.current_dir(&folder).arg("demo-export").arg(&printed);
    let printed = run(queries).expect(0);
    assert_eq!(printed.stdout.lines().count(), 3, "{}", outcome.stdout);

    let mut queries = script("queries.py");
    queries.current_dir(&folder).arg("demo-export").args(documents());
    run(queries).expect(0);
}
