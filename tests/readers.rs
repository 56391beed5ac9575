//! Every exported file opened by readers that are not ours.
//!
//! The whole program over a socket against the sandbox; then DuckDB and pyarrow hold what was written against the
//! truth: rows, ids, types, order of columns, contexts, and the rebuild law written a second time in Python. The
//! scripts are in `tests/readers/`; `controls.py` shows that each check can fail.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test program")]

#[path = "harness/program.rs"]
mod program;
#[path = "harness/python.rs"]
mod python;
#[path = "harness/sandbox.rs"]
mod sandbox;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use program::{run, scratch};
use python::script;
use sandbox::{KEY, SECRET, Sandbox, export};

/// What the readers' tables are made for, and by which script.
const FORMATS: [(&str, &str); 3] = [("parquet", "matrix.py"), ("csv", "texts.py"), ("ndjson", "texts.py")];

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Events for `sandbox --data`, written to a file.
fn population(kind: &str, file: &Path) {
    let mut command = script("population.py");
    command.arg(repository("tests/data")).arg(kind).arg(file);
    run(command).expect(0);
}

/// Holds an export against the truth.
fn check(dest: &Path, truth: &Path) {
    let mut command = script("check.py");
    command.arg(dest).arg(truth).arg(repository("schemas/v1"));
    run(command).expect(0);
}

/// Every file below a folder with its bytes.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    assert!(!found.is_empty(), "no file below {}", folder.display());
    found
}

/// Fails with the names of the files that differ, not with their bytes.
#[track_caller]
fn assert_same(one: &BTreeMap<PathBuf, Vec<u8>>, other: &BTreeMap<PathBuf, Vec<u8>>) {
    let names: Vec<_> =
        one.keys().chain(other.keys()).filter(|name| one.get(*name) != other.get(*name)).collect();
    assert!(names.is_empty(), "different bytes or names: {names:?}");
}

#[test]
fn the_checks_find_what_is_planted() {
    let folder = scratch("readers-controls");
    population("clean", &folder.join("events.ndjson"));
    let mut command = script("controls.py");
    command.arg(repository("schemas/v1")).arg(folder.join("events.ndjson")).arg(folder.join("exports"));
    let outcome = run(command).expect(0);
    assert!(outcome.stdout.contains("planted defects found"), "{}", outcome.stdout);
}

#[test]
fn the_schemas_are_valid_and_the_examples_fit() {
    let mut command = script("schemas.py");
    command.arg(repository("schemas/v1")).arg(repository("tests/data"));
    run(command).expect(0);
}

#[test]
fn published_plausible_and_hostile_events_come_through_whole() {
    let folder = scratch("readers-given");
    let truth = folder.join("events.ndjson");
    population("clean", &truth);
    let sandbox = Sandbox::start(&["--data", truth.to_str().unwrap()]);
    let (one, two) = (folder.join("one"), folder.join("two"));
    for dest in [&one, &two] {
        run(export(&sandbox.url, "2018-05-01", "2024-04-01", dest)).expect(0);
    }
    check(&one, &truth);
    assert_same(&tree(&one.join("parquet")), &tree(&two.join("parquet")));
}

/// Needs Java 17 for Spark.
#[test]
fn every_reader_reads_hostile_values_as_the_document_says() {
    let folder = scratch("readers-matrix");
    let truth = folder.join("events.ndjson");
    population("clean", &truth);
    let sandbox = Sandbox::start(&["--data", truth.to_str().unwrap()]);
    let dest = folder.join("export");
    let mut command = export(&sandbox.url, "2018-05-01", "2024-04-01", &dest);
    command.args(["--format", "parquet,csv,ndjson"]);
    run(command).expect(0);
    let document = fs::read_to_string(repository("docs/readers.md")).unwrap();
    for (format, by) in FORMATS {
        let mut command = script(by);
        command.arg(&dest).arg(&truth).arg(repository("schemas/v1")).arg(format);
        let table = run(command).expect(0).stdout;
        println!("{table}");
        assert!(
            document.contains(&format!("## {format}\n\n{table}")),
            "docs/readers.md does not hold this table under ## {format}:\n{table}"
        );
    }
}

#[test]
fn events_that_cannot_become_a_row_are_kept_apart_and_told() {
    let folder = scratch("readers-flawed");
    let (all, clean) = (folder.join("all.ndjson"), folder.join("clean.ndjson"));
    population("flawed", &all);
    population("clean", &clean);
    let sandbox = Sandbox::start(&["--data", all.to_str().unwrap()]);
    let dest = folder.join("export");
    run(export(&sandbox.url, "2018-05-01", "2024-04-01", &dest)).expect(10);
    check(&dest, &clean);
    let quarantine = tree(&dest.join("_audit/quarantine"));
    let kept: usize = quarantine
        .values()
        .map(|bytes| bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count())
        .sum();
    let flawed = fs::read_to_string(&all).unwrap().lines().count()
        - fs::read_to_string(&clean).unwrap().lines().count();
    assert_eq!(kept, flawed, "{:?}", quarantine.keys());
}

#[test]
fn a_seeded_month_equals_what_an_independent_client_reads() {
    let folder = scratch("readers-seeded");
    let sandbox =
        Sandbox::start(&["--events", "20000", "--from", "2026-01-01", "--to", "2026-01-31", "--seed", "7"]);
    let truth = folder.join("events.ndjson");
    let mut walk = script("walk.py");
    walk.args([&sandbox.url, KEY, SECRET]).arg(&truth);
    assert_eq!(run(walk).expect(0).stdout.trim(), "20000 events");
    let (one, two) = (folder.join("one"), folder.join("two"));
    run(export(&sandbox.url, "2026-01-01", "2026-01-31", &one)).expect(0);
    check(&one, &truth);

    // In two runs, the second over days that are held already: the same files.
    run(export(&sandbox.url, "2026-01-01", "2026-01-16", &two)).expect(0);
    run(export(&sandbox.url, "2026-01-01", "2026-01-31", &two)).expect(0);
    check(&two, &truth);
    assert_same(&tree(&one.join("parquet")), &tree(&two.join("parquet")));

    // Once more: nothing is new, so nothing is written, not even to the log.
    let before = tree(&one);
    run(export(&sandbox.url, "2026-01-01", "2026-01-31", &one)).expect(0);
    assert_same(&before, &tree(&one));
}
