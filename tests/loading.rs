//! New slots loaded into other systems night by night: the loaders of `examples/incremental/` as they stand there.
//!
//! Four nights: a first export, one with late events, one with a longer column list, one with nothing new. The scripts in
//! `tests/readers/` load each, are killed at every step, and hold the table against the files.

#![allow(clippy::panic, clippy::print_stdout, clippy::unwrap_used, reason = "a test program")]

#[path = "harness/program.rs"]
mod program;
#[path = "harness/python.rs"]
mod python;
#[path = "harness/sandbox.rs"]
mod sandbox;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use program::{program, run, scratch};
use python::script;
use sandbox::{KEY, Sandbox, export};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Events of the first days of February 2026, as many of each day as the API shows on that night.
fn events(days: u32, shown: u32, novel: bool) -> String {
    let mut text = String::new();
    for day in 1..=days {
        for hour in 1..=shown {
            let (event_type, context) = match hour {
                1 if novel => ("TRUNK_CREATE", format!(r#"{{"trunk":{{"channels":{day}}}}}"#)),
                2 => ("NUMBER_UPDATED", format!(r#"{{"country":"GB","msisdn":"0077009000{day:02}"}}"#)),
                3 => ("APP_CREATE", r#"{"created":{"name":"it's \"q\", née\nx","type":""}}"#.to_owned()),
                _ => ("USER_LOGIN", "null".to_owned()),
            };
            let _ = writeln!(
                text,
                r#"{{"id":"{event_type}-{day}-{hour}","event_type":"{event_type}","created_at":"2026-02-{day:02}T{hour:02}:00:00","account_id":"{KEY}","source":"CD","context":{context}}}"#
            );
        }
    }
    text
}

/// The dataset after each night, as `night-1` to `night-4`.
fn nights(folder: &Path) {
    let dest = folder.join("audit");
    let columns = folder.join("columns");
    // A day without events has a commit and no file; late events bring a second file to days that have one.
    let fourth = events(4, 4, false);
    let second = events(4, 5, false) + &events(6, 4, false).lines().skip(16).collect::<Vec<_>>().join("\n");
    let third = format!("{second}\n{}", events(8, 4, true).lines().skip(24).collect::<Vec<_>>().join("\n"));
    let mut commits = Vec::new();
    for (number, text, to) in [
        (1, &fourth, "2026-02-06"),
        (2, &second, "2026-02-07"),
        (3, &third, "2026-02-09"),
        (4, &third, "2026-02-09"),
    ] {
        let file = folder.join("events.ndjson");
        fs::write(&file, text).unwrap();
        let sandbox = Sandbox::start(&["--data", file.to_str().unwrap()]);
        let mut command = export(&sandbox.url, "2026-02-01", to, &dest);
        // However long ago February 2026 is: the late events are looked for.
        command.args(["--lookback", "36500d"]);
        if number == 3 {
            let mut infer = program();
            infer.args(["schema", "infer", "--write", "--schema-dir"]).arg(&columns).arg(&file);
            run(infer).expect(0);
        }
        if number > 2 {
            command.arg("--schema-dir").arg(&columns);
        }
        run(command).expect(0);
        let night = folder.join(format!("night-{number}"));
        run(copy(&dest, &night)).expect(0);
        commits.push(fs::read_dir(night.join("_audit/commits")).unwrap().count());
    }
    assert!(commits.is_sorted() && commits.iter().collect::<BTreeSet<_>>().len() == 3, "{commits:?}");
    let late = fs::read_dir(dest.join("parquet/event_date=2026-02-02")).unwrap().count();
    assert_eq!(late, 2, "the second night's late events are in a second file");
}

fn copy(from: &Path, to: &Path) -> Command {
    let mut command = Command::new("cp");
    command.arg("-r").arg(from).arg(to);
    command
}

fn follow(engine: &str) -> String {
    let folder = scratch(&format!("loading-{engine}"));
    nights(&folder);
    let mut command = if engine == "ducklake" { script("lake.py") } else { script("loading.py") };
    if engine != "ducklake" {
        command.env("SPARK_LOCAL_IP", "127.0.0.1").arg(engine);
    }
    command.arg(&folder).arg(repository("examples/incremental"));
    let said = run(command).expect(0).stdout;
    assert!(said.contains("4 nights, 36 rows, 42 columns, files of 2 widths"), "{said}");
    said
}

#[test]
fn duckdb_takes_each_commit_once() {
    println!("{}", follow("duckdb"));
}

#[test]
fn ducklake_takes_each_commit_once() {
    println!("{}", follow("ducklake"));
}

/// Needs Java 17.
#[test]
fn spark_takes_each_commit_once() {
    println!("{}", follow("spark"));
}
