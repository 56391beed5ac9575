//! The program killed before each call that changes something, and killed again while it recovers.
//!
//! A kill after a call is the kill before the next one: nothing that a file system keeps changes between two calls.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;

use crate::calls::Call;
use crate::oracle::{Disk, Random, Scene, full, points};
use crate::tracer::Act;

/// Folders that were given a name which a power cut could still take away.
pub(crate) fn unsynced(calls: &[Call], mut owed: BTreeSet<String>) -> BTreeSet<String> {
    for call in calls {
        match call.name {
            "mkdirat" | "mkdir" | "linkat" | "renameat2" => {
                owed.insert(call.path.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned());
            }
            "fsync" => {
                owed.remove(&call.path);
            }
            _ => {}
        }
    }
    owed
}

/// Each format's export, killed once at each point on each disk, then started again.
fn killed(name: &str, formats: &'static str, sample: usize) {
    for disk in Disk::ALL {
        let scene = Scene::new(&format!("kill-{name}-{disk:?}"), formats, disk);
        let changes = scene.changes();
        let taken = points(changes.len(), sample);
        for point in &taken {
            let killed = scene.run(
                |before, call| {
                    if call.changes && before == *point { Act::Kill } else { Act::Pass }
                },
            );
            let at = &changes[*point];
            assert_eq!(killed.signal, Some(Signal::SIGKILL), "{at}");
            assert_eq!(killed.changes(), changes[..=*point], "the kill was not at {at}");
            scene.sound();
            let rerun = scene.run(|_, _| Act::Pass);
            scene.complete(&rerun);
            let owed = unsynced(&killed.calls[..killed.calls.len() - 1], BTreeSet::new());
            let owed = unsynced(&rerun.calls, owed);
            assert!(owed.is_empty(), "killed at {at}: nobody synced {owed:?}");
            scene.clear();
        }
        println!(
            "{formats} on a disk with {disk:?}: killed at {} of {} calls that change something, each rerun complete",
            taken.len(),
            changes.len()
        );
    }
}

#[test]
fn a_kill_at_any_call_leaves_whole_files_and_the_rerun_the_same_parquet() {
    killed("parquet", "parquet", 8);
}

#[test]
fn a_kill_at_any_call_leaves_whole_files_and_the_rerun_the_same_csv() {
    killed("csv", "csv", 4);
}

#[test]
fn a_kill_at_any_call_leaves_whole_files_and_the_rerun_the_same_ndjson() {
    killed("ndjson", "ndjson", 4);
}

#[test]
fn a_kill_at_any_call_leaves_whole_files_and_the_rerun_the_same_in_all_formats() {
    killed("all", "parquet,csv,ndjson", 4);
}

#[test]
fn kills_while_it_recovers_up_to_five_deep() {
    let sequences = if full() { 40 } else { 3 };
    let (mut kills, mut deepest) = (0, 0);
    for disk in Disk::ALL {
        let scene = Scene::new(&format!("again-{disk:?}"), "parquet,csv,ndjson", disk);
        let calls = scene.changes().len();
        for seed in 0..sequences {
            let mut random = Random(seed);
            let mut deep = 0;
            for _ in 0..=random.below(5) {
                // A run that recovers has fewer calls left.
                let point = random.below(calls / 3);
                let run = scene.run(
                    |before, call| {
                        if call.changes && before == point { Act::Kill } else { Act::Pass }
                    },
                );
                scene.sound();
                if run.signal.is_none() {
                    scene.complete(&run);
                    break;
                }
                deep += 1;
            }
            kills += deep;
            deepest = deepest.max(deep);
            scene.complete(&scene.run(|_, _| Act::Pass));
            scene.clear();
        }
    }
    assert!(deepest > 1, "{deepest}");
    println!("{} sequences, {kills} kills, up to {deepest} deep: each recovered", 3 * sequences);
}
