//! What does not fit into memory goes to the disk and changes nothing.
//!
//! Exports and conversions with one MiB for everything, beside the same ones with more than they need: the data files
//! are the same bytes, `verify --deep` finds nothing, and no temporary file keeps a name. The control: without room for
//! temporary files the same runs end before they commit anything, so that they did spill.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test program"
)]

#[path = "harness/folder.rs"]
mod folder;
#[path = "harness/program.rs"]
mod program;
#[path = "harness/sandbox.rs"]
mod sandbox;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use folder::tree;
use program::{program, run, scratch};
use sandbox::{Sandbox, export};

/// Flags of a dataset; each is written in all three formats.
const LAYOUTS: [&[&str]; 3] = [
    &[],
    &["--partition-by", "event_type,event_date", "--part", "6h", "--compression", "zstd"],
    &["--partition-by", "event_type", "--ndjson-shape", "flat", "--row-group-rows", "1000"],
];

/// Data files alone: the log says when it was written.
fn data(dest: &Path) -> BTreeMap<String, Vec<u8>> {
    tree(dest).into_iter().filter(|(path, _)| !path.starts_with("_audit/")).collect()
}

/// A folder for temporary files that must be empty again.
fn spills(folder: &Path) -> PathBuf {
    let spills = folder.join("spills");
    fs::create_dir_all(&spills).unwrap();
    spills
}

/// Adds the flags of one run: `memory` and `limit` in MiB.
fn with(mut command: Command, layout: &[&str], spills: &Path, (memory, limit): (&str, &str)) -> Command {
    command.args(["--format", "parquet,csv,ndjson", "--output", "json", "--memory", memory]);
    command.args(["--spill-limit", limit, "--spill-dir"]).arg(spills).args(layout);
    command
}

fn verified(dest: &Path) {
    let mut verify = program();
    verify.args(["verify", "--deep", "--output", "json"]).arg(dest);
    run(verify).expect(0);
}

/// Runs what `command` makes for a destination with little and with much memory, and without room for more.
fn alike(folder: &Path, layout: &[&str], command: impl Fn(&Path) -> Command) {
    let spills = spills(folder);
    let (little, much, none) = (folder.join("little"), folder.join("much"), folder.join("none"));
    for dest in [&little, &much, &none] {
        let _ = fs::remove_dir_all(dest);
    }
    run(with(command(&much), layout, &spills, ("4096", "0"))).expect(0);
    run(with(command(&little), layout, &spills, ("1", "4096"))).expect(0);
    let (one, other) = (data(&little), data(&much));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    assert!(one == other, "files differ: {layout:?}");
    assert!(one.len() >= 3);
    verified(&little);

    let refused = run(with(command(&none), layout, &spills, ("1", "0"))).expect(7);
    assert!(refused.stderr.contains("--spill-limit"), "{}", refused.stderr);
    assert_eq!(data(&none), BTreeMap::new());

    // What stands there is read and found to be the same; so it is where the log has lost what it said.
    run(with(command(&little), layout, &spills, ("1", "4096"))).expect(0);
    for entry in fs::read_dir(little.join("_audit/commits")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    run(with(command(&little), layout, &spills, ("1", "4096"))).expect(0);
    assert!(data(&little) == other, "files differ after a second run: {layout:?}");
    verified(&little);
    assert_eq!(fs::read_dir(&spills).unwrap().count(), 0, "a temporary file kept its name");
}

#[test]
fn an_export_is_the_same_in_any_memory() {
    let folder = scratch("memory-export");
    let sandbox = Sandbox::start(&["--events", "7000", "--from", "2026-03-01", "--to", "2026-03-02"]);
    for layout in LAYOUTS {
        // Walks of a thousand events, so that a day is settled in parts.
        alike(&folder, layout, |dest| {
            let mut command = export(&sandbox.url, "2026-03-01", "2026-03-02", dest);
            command.args(["--walk-limit", "1000"]);
            command
        });
    }
}

#[test]
fn a_conversion_is_the_same_in_any_memory() {
    let folder = scratch("memory-convert");
    let sandbox = Sandbox::start(&["--events", "5000", "--from", "2026-03-01", "--to", "2026-03-03"]);
    let mut lines = export(&sandbox.url, "2026-03-01", "2026-03-03", Path::new("-"));
    lines.args(["--format", "ndjson"]);
    let lines = run(lines).expect(0).stdout;
    let mut lines: Vec<&str> = lines.lines().collect();
    assert!(lines.len() > 4_900, "{}", lines.len());
    // In no order, and some of them twice.
    let twice: Vec<&str> = lines.iter().step_by(7).copied().collect();
    lines.extend(twice);
    let mut state = 1_u64;
    for place in (1..lines.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        lines.swap(place, usize::try_from(state >> 33).unwrap() % (place + 1));
    }
    let input = folder.join("events.ndjson");
    fs::write(&input, lines.join("\n")).unwrap();
    for layout in LAYOUTS {
        alike(&folder, layout, |dest| {
            let mut command = program();
            command.arg("convert").arg(&input).arg("--dest").arg(dest).args(["--account", sandbox::KEY]);
            command
        });
    }
}
