//! What an undisturbed export leaves, and how everything else is compared with it.
//!
//! What lives here: [`Scene`]: a small account, the command, its calls and its tree. What this file must not know: how a
//! run is disturbed.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use chrono::NaiveDate;
use nix::errno::Errno;
use ring::digest::{SHA256, digest};
use serde_json::Value;
use vonage_audit::sandbox::{Population, Spec};

use crate::calls::{Call, NAMELESS};
use crate::folder::tree;
use crate::program::scratch;
use crate::sandbox::{KEY, Sandbox, export};
use crate::tracer::{Act, Traced, traced};

/// Whether every point is taken instead of a sample.
#[allow(clippy::disallowed_methods, reason = "how much is tested is the caller's choice")]
pub(crate) fn full() -> bool {
    std::env::var_os("VONAGE_AUDIT_FULL").is_some_and(|value| value == "1")
}

/// All of so many points, or this many, evenly spread, with the first and the last.
pub(crate) fn points(total: usize, sample: usize) -> Vec<usize> {
    if full() || total <= sample {
        return (0..total).collect();
    }
    (0..sample).map(|step| step * (total - 1) / (sample - 1)).collect()
}

/// SplitMix64: small, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }
}

/// What the file system can do: a disk without nameless files, or without exclusive renames, is one that refuses these
/// calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disk {
    Nameless,
    Rename,
    Link,
}

impl Disk {
    pub(crate) const ALL: [Self; 3] = [Self::Nameless, Self::Rename, Self::Link];

    /// The answer of this disk to a call that it does not support.
    pub(crate) fn answer(self, call: &Call) -> Act {
        match call.name {
            NAMELESS if self != Self::Nameless => Act::Fail(Errno::EOPNOTSUPP),
            "renameat2" if self == Self::Link => Act::Fail(Errno::EINVAL),
            _ => Act::Pass,
        }
    }
}

/// Three days and more events than one unit takes, so that each day is settled and committed by itself.
pub(crate) fn events() -> Vec<String> {
    let day = |day| NaiveDate::from_ymd_opt(2026, 3, day).unwrap();
    let spec = Spec { seed: 5, events: 4_000, from: day(1), to: day(4), account: KEY.to_owned() };
    let population = Population::seeded(spec).unwrap();
    let mut left = BTreeMap::from([("2026-03-01", 40), ("2026-03-02", 505), ("2026-03-03", 515)]);
    let mut taken = Vec::new();
    for event in population.events() {
        let text = String::from_utf8(event.into_owned()).unwrap();
        let event: Value = serde_json::from_str(&text).unwrap();
        let Some(count) = event["created_at"].as_str().and_then(|at| left.get_mut(&at[..10])) else {
            continue;
        };
        if *count > 0 {
            *count -= 1;
            taken.push(text);
        }
    }
    taken
}

pub(crate) type Tree = BTreeMap<String, Vec<u8>>;

/// An account, a command and what the command does and leaves when nothing disturbs it.
pub(crate) struct Scene {
    pub(crate) sandbox: Sandbox,
    formats: &'static str,
    more: &'static [&'static str],
    pub(crate) disk: Disk,
    place: PathBuf,
    /// The calls of the undisturbed run.
    pub(crate) calls: Vec<Call>,
    left: Tree,
}

impl Scene {
    pub(crate) fn new(name: &str, formats: &'static str, disk: Disk) -> Self {
        Self::with(name, formats, &[], disk)
    }

    /// The same with more arguments of the command.
    pub(crate) fn with(name: &str, formats: &'static str, more: &'static [&'static str], disk: Disk) -> Self {
        let place = scratch(&format!("crash-{name}"));
        let data = place.join("events.ndjson");
        fs::write(&data, events().join("\n")).unwrap();
        let sandbox = Sandbox::start(&["--data", data.to_str().unwrap()]);
        fs::remove_file(data).unwrap();
        let mut scene = Self { sandbox, formats, more, disk, place, calls: Vec::new(), left: Tree::new() };
        let first = scene.run(|_, _| Act::Pass);
        scene.proven(&first);
        scene.left = tree(&scene.dest());
        assert!(scene.left.keys().any(|path| path.starts_with("_audit/commits/0000000000000002")));
        scene.clear();
        let again = scene.run(|_, _| Act::Pass);
        scene.complete(&again);
        assert_eq!(labels(&first.calls), labels(&again.calls), "two undisturbed runs differ");
        scene.calls = first.calls;
        scene.clear();
        scene
    }

    pub(crate) fn dest(&self) -> PathBuf {
        self.place.join("dataset")
    }

    pub(crate) fn clear(&self) {
        fs::remove_dir_all(&self.place).unwrap();
        fs::create_dir(&self.place).unwrap();
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = export(&self.sandbox.url, "2026-03-01", "2026-03-04", &self.dest());
        command.args(["--format", self.formats]).args(self.more);
        command
    }

    /// One run on this disk. Also calls beside the destination are seen.
    pub(crate) fn run(&self, mut judge: impl FnMut(usize, &Call) -> Act + Send) -> Traced {
        traced(&self.command(), &self.place, |before, call| match judge(before, call) {
            Act::Pass => self.disk.answer(call),
            act => act,
        })
    }

    /// Labels of the undisturbed run's calls that change something.
    pub(crate) fn changes(&self) -> Vec<String> {
        self.calls.iter().filter(|call| call.changes).map(Call::label).collect()
    }

    #[track_caller]
    fn proven(&self, run: &Traced) {
        assert_eq!(run.outcome.code, Some(0), "{}", run.outcome.stderr);
        assert_eq!(self.staged(), 0, "files are left in the staging folder");
    }

    fn staged(&self) -> usize {
        fs::read_dir(self.dest().join("_audit/staging")).into_iter().flatten().count()
    }

    /// The run succeeded and left what the undisturbed one leaves.
    #[track_caller]
    pub(crate) fn complete(&self, run: &Traced) {
        self.proven(run);
        self.all_there();
    }

    /// All is there that the undisturbed run leaves; beside it at most staging files.
    #[track_caller]
    pub(crate) fn all_there(&self) {
        let there = self.sound();
        let paths = there.keys().filter(|path| !path.starts_with("_audit/staging/"));
        assert!(paths.eq(self.left.keys()), "{:?}", there.keys());
    }

    /// Whatever happened: every file that a reader can see is whole and right, the log is whole and names no file that is
    /// not there, windows stand in order, and nothing else is left than a lock and, on a disk that needs them, staging
    /// files. Gives what is there.
    #[track_caller]
    pub(crate) fn sound(&self) -> Tree {
        let left = tree(&self.dest());
        for (path, bytes) in &left {
            let whole = self.left.get(path);
            match path.split('/').collect::<Vec<_>>()[..] {
                ["parquet" | "csv" | "ndjson", ..]
                | ["_audit", "dataset.json" | "lock"]
                | ["_audit", "csvw", _] => {
                    assert!(whole == Some(bytes), "{path} is not as the undisturbed run leaves it");
                }
                ["_audit", "commits", _] => {
                    let whole =
                        whole.unwrap_or_else(|| panic!("{path} is not a commit of the undisturbed run"));
                    assert_eq!(comparable(bytes), comparable(whole), "{path}");
                }
                ["_audit", "staging", _] if self.disk != Disk::Nameless => {}
                _ => panic!("{path} is left"),
            }
        }
        chained(&left);
        let beside = fs::read_dir(&self.place).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(beside.into_iter().all(|name| name == "dataset"), "something is left beside the destination");
        for format in ["parquet", "csv", "ndjson"] {
            let of = |tree: &Tree| -> Vec<String> {
                tree.keys().filter(|path| path.starts_with(format)).cloned().collect()
            };
            let (there, all) = (of(&left), of(&self.left));
            assert_eq!(there, all[..there.len()], "a later window is there before an earlier one");
        }
        left
    }
}

pub(crate) fn labels(calls: &[Call]) -> Vec<String> {
    calls.iter().map(Call::label).collect()
}

/// A commit without the clock, and without what follows from the clock.
fn comparable(commit: &[u8]) -> Value {
    let mut commit: Value = serde_json::from_slice(commit).unwrap();
    let fields = commit.as_object_mut().unwrap();
    assert!(fields.remove("recorded_at").is_some() && fields.remove("previous").is_some());
    commit
}

/// The log is one chain from the descriptor on, names each file once, and what it names is there.
#[track_caller]
pub(crate) fn chained(left: &Tree) {
    let hex = |bytes: &[u8]| -> String {
        digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let mut previous = left.get("_audit/dataset.json").map(|bytes| hex(bytes));
    let mut named: BTreeMap<String, u64> = BTreeMap::new();
    for (number, bytes) in left.iter().filter(|(path, _)| path.starts_with("_audit/commits/")).enumerate() {
        let (path, bytes) = bytes;
        assert_eq!(*path, format!("_audit/commits/{number:016}.json"));
        let commit: Value = serde_json::from_slice(bytes).unwrap();
        assert_eq!(commit["previous"].as_str(), previous.as_deref(), "{path} does not continue the chain");
        previous = Some(hex(bytes));
        for file in commit["windows"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|window| window["files"].as_array().unwrap())
        {
            let name = file["path"].as_str().unwrap();
            *named.entry(name.to_owned()).or_default() += 1;
            let bytes = left.get(name).unwrap_or_else(|| panic!("{path} names {name}, which is not there"));
            assert_eq!(file["sha256"].as_str().unwrap(), hex(bytes), "{name}");
        }
    }
    assert!(named.values().all(|times| *times == 1), "a file is recorded twice: {named:?}");
}
