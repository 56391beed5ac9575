//! The auditor's questions of `examples/questions/`, and what they must find.

use std::fs;

use crate::program::{program, run, scratch};
use crate::python::script;
use crate::repository;
use crate::sandbox::{Sandbox, export};

#[test]
fn the_questions_find_what_is_planted() {
    let folder = scratch("documents-questions");
    let events = folder.join("events.ndjson");
    let mut plant = script("questions.py");
    plant.arg("plant").arg(&events);
    run(plant).expect(0);
    let sandbox = Sandbox::start(&["--data", events.to_str().unwrap()]);
    let dest = folder.join("audit");
    run(export(&sandbox.url, "2026-03-01", "2026-04-01", &dest)).expect(0);
    let mut ddl = program();
    ddl.args(["schema", "ddl", "--engine", "duckdb", "--dest"]).arg(&dest);
    let view = folder.join("audit.sql");
    fs::write(&view, run(ddl).expect(0).stdout).unwrap();
    let mut ask = script("questions.py");
    ask.arg("ask").arg(&view).arg(repository("examples/questions"));
    let said = run(ask).expect(0).stdout;
    println!("{said}");
    assert_eq!(said.lines().count(), 15, "{said}");
}
