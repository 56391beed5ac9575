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
fn killed(name: &str, formats: &'static str, more: &'static [&'static str], sample: usize) {
    for disk in Disk::ALL {
        let scene = Scene::with(&format!("kill-{name}-{disk:?}"), formats, more, disk);
        let changes = scene.changes();
        // With little memory long files are made where they stay, without a name until all of them is there.
        let own = changes.iter().any(|change| change.starts_with("pwrite64"));
        assert!(more.is_empty() || own == (disk == Disk::Nameless));
        let mut taken = points(changes.len(), sample);
        // Always before the newest commit's name is synced: the rerun finds nothing to do, and owes that sync.
        let last_sync = changes.iter().rposition(|change| change.starts_with("fsync")).unwrap();
        if !taken.contains(&last_sync) {
            taken.push(last_sync);
        }
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
    killed("parquet", "parquet", &[], 8);
}

#[test]
fn a_kill_at_any_call_leaves_whole_files_and_the_rerun_the_same_csv() {
    killed("csv", "csv", &[], 4);
}

#[test]
fn a_kill_at_any_call_leaves_whole_files_and_the_rerun_the_same_ndjson() {
    killed("ndjson", "ndjson", &["--memory", "1"], 4);
}

#[test]
fn a_kill_at_any_call_leaves_whole_files_and_the_rerun_the_same_in_all_formats() {
    killed("all", "parquet,csv,ndjson", &[], 4);
}

#[test]
fn kills_while_it_recovers_up_to_five_deep() {
    // The sample: some of the deepest.
    let seeds = if full() { 0..40 } else { 26..28 };
    let sequences = 3 * seeds.clone().count();
    let (mut kills, mut deepest) = (0, 0);
    for disk in Disk::ALL {
        let scene = Scene::new(&format!("again-{disk:?}"), "parquet,csv,ndjson", disk);
        let calls = scene.changes().len();
        for seed in seeds.clone() {
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
    assert_eq!(deepest, 5);
    println!("{sequences} sequences, {kills} kills, up to {deepest} deep: each recovered");
}
