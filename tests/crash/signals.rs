//! The program asked to stop, at any call and at any time.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::oracle::{Disk, Random, Scene, full, points};
use crate::tracer::Act;

const SIGNALS: [(Signal, i32); 2] = [(Signal::SIGTERM, 143), (Signal::SIGINT, 130)];

#[test]
fn a_run_that_is_asked_to_stop_at_any_call_says_so_and_the_rerun_completes() {
    let scene = Scene::new("stopped", "parquet", Disk::Nameless);
    let (mut stopped, mut completed, mut early) = (0, 0, 0);
    let taken = points(scene.calls.len() * 2, 12);
    for case in &taken {
        let (point, (signal, code)) = (case / 2, SIGNALS[case % 2]);
        let mut seen = 0;
        let run = scene.run(|_, _| {
            seen += 1;
            if seen - 1 == point { Act::Send(signal) } else { Act::Pass }
        });
        let at = scene.calls[point].label();
        match (run.outcome.code, run.signal) {
            (Some(0), _) => {
                scene.complete(&run);
                completed += 1;
            }
            (Some(ended), _) => {
                assert_eq!(ended, code, "{signal} at {at}\n{}", run.outcome.stderr);
                stopped += 1;
            }
            // Before the run begins the system's own answer to a signal is right: nothing is written yet.
            (None, ended) => {
                assert_eq!(ended, Some(signal), "{at}");
                assert!(scene.sound().keys().all(|path| path == "_audit/lock"), "{signal} at {at}");
                early += 1;
            }
        }
        scene.sound();
        scene.complete(&scene.run(|_, _| Act::Pass));
        scene.clear();
    }
    println!(
        "{} signals at calls: {stopped} stopped, {completed} were done, {early} had not begun",
        taken.len()
    );
    assert!(stopped > 0);
}

#[test]
fn a_run_that_is_asked_to_stop_at_any_time_says_so_and_the_rerun_completes() {
    let scene = Scene::new("stopped-late", "parquet", Disk::Nameless);
    let mut random = Random(3);
    let rounds = if full() { 60 } else { 6 };
    let mut stopped = 0;
    for round in 0..rounds {
        let (signal, code) = SIGNALS[round % 2];
        let mut command: Command = scene.command();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // Whatever the machine makes of it, every end below is right or wrong for itself.
        thread::sleep(Duration::from_millis(random.below(400) as u64));
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        let ended = child.wait().unwrap().code();
        assert!(ended.is_none_or(|ended| ended == 0 || ended == code), "{signal}: {ended:?}");
        stopped += usize::from(ended == Some(code));
        scene.sound();
        scene.complete(&scene.run(|_, _| Act::Pass));
        scene.clear();
    }
    println!("{rounds} signals at random times: {stopped} stopped, the others had not begun or were done");
}
