//! The checks of this program find what they are there for.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::calls::Call;
use crate::errors::nothing_after;
use crate::folder::tree;
use crate::kills::unsynced;
use crate::oracle::{Disk, Scene};
use crate::tracer::Act;

/// Whether a check fails; what it says goes to the test's output.
fn fails(check: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(check)).is_err()
}

#[test]
fn every_planted_defect_of_a_tree_is_found() {
    type Plant = fn(&Path);
    let slot = "csv/event_date=2026-03-02/events-20260302-s000.csv";
    let defects: [(&str, Plant); 7] = [
        ("a file cut at a line's end", |path| {
            let text = fs::read_to_string(path).unwrap();
            fs::write(path, &text[..=text[..text.len() / 2].rfind('\n').unwrap()]).unwrap();
        }),
        ("an empty file", |path| fs::write(path, "").unwrap()),
        ("a temporary name beside it", |path| fs::write(path.with_extension("csv#1"), "x").unwrap()),
        ("an earlier window gone", |path| {
            fs::remove_dir_all(path.ancestors().nth(2).unwrap().join("event_date=2026-03-01")).unwrap();
        }),
        ("a file that the log names gone", |path| fs::remove_file(path).unwrap()),
        ("a commit altered", |path| {
            let commit = path.ancestors().nth(3).unwrap().join("_audit/commits/0000000000000001.json");
            let text = fs::read_to_string(&commit).unwrap();
            fs::write(commit, text.replace("\"total\":", "\"total\":1")).unwrap();
        }),
        ("a probe beside the destination", |path| {
            fs::write(path.ancestors().nth(4).unwrap().join(".probe"), "").unwrap();
        }),
    ];
    let scene = Scene::new("controls", "csv", Disk::Nameless);
    let run = scene.run(|_, _| Act::Pass);
    scene.complete(&run);
    let good = tree(&scene.dest());
    for (what, plant) in defects {
        plant(&scene.dest().join(slot));
        assert!(fails(|| drop(scene.sound())), "not found: {what}");
        scene.clear();
        for (path, bytes) in &good {
            let path = scene.dest().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        scene.sound();
    }
    println!("{} of {} planted defects found", defects.len(), defects.len());
}

#[test]
fn a_forgotten_sync_is_found() {
    let call = |name, path: &str| Call { name, path: path.to_owned(), changes: true };
    let calls =
        [call("mkdirat", "d/a"), call("fsync", "d"), call("linkat", "d/a/file"), call("fsync", "d/a")];
    assert_eq!(unsynced(&calls, BTreeSet::new()), BTreeSet::new());
    assert_eq!(unsynced(&calls[..3], BTreeSet::new()), BTreeSet::from(["d/a".to_owned()]));
    assert_eq!(unsynced(&calls[3..], BTreeSet::from(["d".to_owned()])), BTreeSet::from(["d".to_owned()]));
    assert!(fails(|| nothing_after(1, &calls)), "a name after a failed sync");
    nothing_after(3, &calls);
}
