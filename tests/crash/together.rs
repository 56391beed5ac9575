//! Several processes on one dataset at once, none of which has the lock, while a reader looks.
//!
//! The processes are the real program; `flock` is answered for them, so that each believes to be alone.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::folder::tree;
use crate::oracle::{Disk, Random, chained, events, full};
use crate::program::{LIMIT, run, scratch};
use crate::python::script;
use crate::sandbox::{Sandbox, export};
use crate::tracer::{Act, traced};

/// Events that become visible while the processes read, by the index of the request that sees them first.
const ARRIVALS: [&str; 4] = ["arrive=3@12", "arrive=2@25", "arrive=4@40", "arrive=1@60"];

/// One round; gives how often the reader looked, and how many states it saw.
fn round(name: &str, processes: usize, disk: Disk, arrivals: bool) -> (u64, u64) {
    let place = scratch(&format!("crash-together-{name}"));
    let (data, dest) = (place.join("events.ndjson"), place.join("dataset"));
    let (ready, stop) = (place.join("ready"), place.join("stop"));
    let events = events();
    fs::write(&data, events.join("\n")).unwrap();
    let mut flags = vec!["--data", data.to_str().unwrap()];
    if arrivals {
        flags.extend(ARRIVALS.iter().flat_map(|arrival| ["--behaviour", arrival]));
    }
    let sandbox = Sandbox::start(&flags);
    let mut reader = script("states.py");
    reader.arg(&dest).arg(&ready).arg(&stop).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut reader = reader.spawn().unwrap();
    let end = Instant::now() + LIMIT;
    while !ready.exists() {
        assert!(reader.try_wait().unwrap().is_none() && Instant::now() < end, "the reader does not look");
        thread::sleep(Duration::from_millis(5));
    }
    let command = || {
        let mut command = export(&sandbox.url, "2026-03-01", "2026-03-04", &dest);
        command.args(["--format", "parquet,ndjson"]);
        command
    };
    thread::scope(|scope| {
        for _ in 0..processes {
            scope.spawn(|| {
                let run = traced(&command(), &place, |_, call| match call.name {
                    "flock" => Act::Pretend,
                    _ => disk.answer(call),
                });
                // With arrivals a run may find a file of another that has seen more, not committed yet: that is no
                // proof, and is said.
                let allowed: &[i32] = if arrivals { &[0, 3, 4] } else { &[0] };
                let code = run.outcome.code.unwrap();
                assert!(allowed.contains(&code), "ended with {code}\n{}", run.outcome.stderr);
            });
        }
    });
    run(command()).expect(0);
    fs::write(&stop, "").unwrap();
    let reader = reader.wait_with_output().unwrap();
    let said = String::from_utf8(reader.stdout).unwrap();
    assert!(reader.status.success(), "{said}");
    let seen: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(seen["rows"].as_u64(), Some(events.len() as u64), "{seen}");

    let left = tree(&dest);
    chained(&left);
    let log: String = left
        .iter()
        .filter(|(path, _)| path.starts_with("_audit/commits/"))
        .map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
        .collect();
    for path in left.keys().filter(|path| !path.starts_with("_audit/")) {
        assert!(log.contains(path.as_str()), "no commit names {path}");
    }
    (seen["looks"].as_u64().unwrap(), seen["states"].as_u64().unwrap())
}

fn rounds(name: &str, sample: usize, arrivals: bool) {
    let rounds = if full() { 30 } else { sample };
    let mut random = Random(7);
    let (mut processes, mut looks, mut states) = (0, 0, 0);
    for number in 0..rounds {
        let at_once = 2 + random.below(7);
        let (looked, saw) = round(name, at_once, Disk::ALL[number % 3], arrivals);
        processes += at_once;
        looks += looked;
        states += saw;
    }
    println!(
        "{name}: {rounds} rounds, {processes} processes without a lock, {looks} looks by DuckDB at {states} states"
    );
}

#[test]
fn processes_without_a_lock_make_one_log_and_a_reader_sees_prefixes() {
    rounds("alike", 1, false);
}

#[test]
fn processes_without_a_lock_agree_while_events_arrive() {
    rounds("arrivals", 2, true);
}
