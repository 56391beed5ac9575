//! The disk refuses: once or for ever, at each call.
//!
//! Whatever is refused, the program ends with 7 and says where and what to do, or tries again and succeeds; it never
//! shows a partial file, never panics, and after a failed sync it writes nothing more.

use std::collections::BTreeMap;

use nix::errno::Errno;

use crate::calls::Call;
use crate::oracle::{Disk, Scene, points};
use crate::tracer::{Act, Traced};

const ERRORS: [Errno; 6] =
    [Errno::ENOSPC, Errno::EIO, Errno::EACCES, Errno::EMFILE, Errno::EDQUOT, Errno::EROFS];

/// The run's end, if it is one that a refusal may have.
#[track_caller]
fn ended(scene: &Scene, run: &Traced, at: &str) -> i32 {
    let said = &run.outcome.stderr;
    let code = run.outcome.code.unwrap_or_else(|| panic!("{at}: ended by {:?}\n{said}", run.signal));
    assert!(!said.contains("panicked"), "{at}\n{said}");
    match code {
        // What could not be removed from the staging folder is the next run's.
        0 => scene.all_there(),
        // Nothing was written yet: the destination itself cannot be used.
        2 => assert!(scene.sound().is_empty(), "{at}\n{said}"),
        7 => {}
        _ => panic!("{at}: ended with {code}\n{said}"),
    }
    if code != 0 {
        let place = scene.dest();
        let named = ["parquet", "csv", "ndjson", "_audit", place.to_str().unwrap()];
        assert!(named.iter().any(|name| said.contains(name)), "{at}: no path in\n{said}");
        assert!(code == 2 || said.contains("hint: "), "{at}: no hint in\n{said}");
    }
    scene.sound();
    code
}

/// After the first sync that failed nothing is made, filled, named or synced, but for the staging folder's tidying.
#[track_caller]
pub(crate) fn nothing_after(failed: usize, calls: &[Call]) {
    for call in calls[failed + 1..].iter().filter(|call| call.changes) {
        let tidies = call.path.contains("/_audit/staging");
        assert!(
            call.name == "close" || (tidies && (call.name == "unlinkat" || call.syncs())),
            "{} after {} failed",
            call.label(),
            calls[failed].label()
        );
    }
}

/// Refuses each call that `chosen` takes, once and for ever, with each of the errors.
fn refused(
    name: &str,
    scene: &Scene,
    errors: &[Errno],
    sample: usize,
    chosen: impl Fn(&Call) -> bool + Copy + Send + Sync,
) {
    let calls: Vec<String> = scene.calls.iter().filter(|call| chosen(call)).map(Call::label).collect();
    let cases = points(calls.len() * errors.len() * 2, sample);
    let mut ends: BTreeMap<i32, usize> = BTreeMap::new();
    for case in &cases {
        let (point, rest) = (case / (errors.len() * 2), case % (errors.len() * 2));
        let (error, for_ever) = (errors[rest / 2], rest % 2 == 1);
        let (mut seen, mut all, mut failed_sync) = (0, 0, None);
        let run = scene.run(|_, call| {
            let at = seen;
            all += 1;
            seen += usize::from(chosen(call));
            if !chosen(call) || at < point || (at > point && !for_ever) {
                return Act::Pass;
            }
            if call.syncs() && failed_sync.is_none() {
                failed_sync = Some(all - 1);
            }
            Act::Fail(error)
        });
        let at = format!("{error} {} at {}", if for_ever { "from there on" } else { "once" }, calls[point]);
        let code = ended(scene, &run, &at);
        if let Some(failed) = failed_sync {
            assert_ne!(code, 0, "{at}: a failed sync was forgotten");
            nothing_after(failed, &run.calls);
        }
        *ends.entry(code).or_default() += 1;
        scene.complete(&scene.run(|_, _| Act::Pass));
        scene.clear();
    }
    println!(
        "{name} on a disk with {:?}: {} of {} refusals at {} calls, exit codes {ends:?}, each rerun complete",
        scene.disk,
        cases.len(),
        calls.len() * errors.len() * 2,
        calls.len()
    );
}

#[test]
fn a_refused_change_is_said_and_the_rerun_completes() {
    // What the error is makes no difference to the way of publishing.
    for (disk, errors, sample) in
        [(Disk::Nameless, &ERRORS[..], 16), (Disk::Rename, &ERRORS[..2], 8), (Disk::Link, &ERRORS[..2], 8)]
    {
        let scene = Scene::new(&format!("refused-{disk:?}"), "parquet", disk);
        refused("changes", &scene, errors, sample, |call| call.changes);
    }
}

#[test]
fn a_failed_sync_is_final() {
    let scene = Scene::new("syncs", "parquet", Disk::Nameless);
    refused("syncs", &scene, &[Errno::EIO], 6, Call::syncs);
}

#[test]
fn a_refused_look_is_said_and_the_rerun_completes() {
    let scene = Scene::new("looks", "parquet", Disk::Nameless);
    refused("reads", &scene, &[Errno::EIO], 8, |call| !call.changes);
}

#[test]
fn short_and_interrupted_writes_are_continued() {
    let scene = Scene::new("short", "parquet,csv,ndjson", Disk::Nameless);
    let mut done = 0;
    for act in [Act::Half, Act::Fail(Errno::EINTR)] {
        let mut writes = 0;
        // Every other write, so that what is left of it goes through.
        let run = scene.run(|_, call| {
            writes += usize::from(call.name == "write");
            if call.name == "write" && writes % 2 == 1 { act } else { Act::Pass }
        });
        scene.complete(&run);
        scene.clear();
        done += writes;
    }
    assert!(done > 40, "{done}");
    println!("{done} writes, every other one short or interrupted");
}
