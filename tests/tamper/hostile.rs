//! Trees that somebody made to harm the auditor: findings, never a panic, a hang or a look outside of the destination.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use vonage_audit::encode::{FileMetadata, encode};
use vonage_audit::error::Kind;
use vonage_audit::model::Format;
use vonage_audit::publish::verify::{Code, Depth, Severity, Verification, Verified, verify};
use vonage_audit::store::{LocalStore, ObjectPath};

use crate::bytes::rechained;
use crate::clean::shape;
use crate::random::Random;
use crate::scale;
use crate::world::{Objects, Shape, block_on, dataset, path, store, the_law, verified};

const CANARY: &str = "canary-outside-51f0";

fn quiet() -> Objects {
    dataset(7, &Shape::quiet("event_date", &Format::ALL))
}

/// The objects as a folder, beside a file that is nobody's business.
fn on_disk(objects: &Objects) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("secret"), CANARY).unwrap();
    for (path, bytes) in objects {
        let file = place.path().join("dest").join(path.as_str());
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    place
}

fn deep(place: &Path) -> Verified {
    let store = LocalStore::open(&place.join("dest"), false).unwrap();
    let request = Verification { depth: Depth::Deep, ..Verification::default() };
    let outcome = block_on(verify(&store, &request, the_law())).unwrap();
    let said = format!("{:?} {:?}", outcome.findings, outcome.not_checked);
    assert!(!said.contains(CANARY), "something outside was read: {said}");
    outcome
}

fn has(outcome: &Verified, code: Code) -> bool {
    outcome.counts.contains_key(&code)
}

#[test]
fn links_and_devices_are_never_followed() {
    let objects = quiet();
    let some: Vec<&ObjectPath> = objects.keys().filter(|path| path.as_str().contains("event_date")).collect();
    let folder = some[0].as_str().rsplit_once('/').unwrap().0;
    for victim in [
        some[0].as_str(),
        folder,
        "parquet",
        "csv/link.csv",
        "_audit",
        "_audit/commits",
        "_audit/commits/0000000000000000.json",
        "_audit/commits/0000000000000001.json",
        "_audit/commits/0000000000000099.json",
        "_audit/dataset.json",
        "_audit/quarantine",
        "_audit/quarantine/events-20260301-s000.ndjson",
    ] {
        for (target, kind) in [("secret", "file"), ("", "folder"), ("nothing", "dangling")] {
            let place = on_disk(&objects);
            let at = place.path().join("dest").join(victim);
            let _ = fs::remove_file(&at);
            let _ = fs::remove_dir_all(&at);
            symlink(place.path().join(target), &at).unwrap();
            let outcome = deep(place.path());
            assert!(has(&outcome, Code::NotAFile), "{victim} to {kind}: {:?}", outcome.findings);
            assert_eq!(outcome.exit_code(), 9);
        }
    }
}

#[test]
fn a_pipe_and_odd_names_do_not_hold_anybody_up() {
    let place = on_disk(&quiet());
    let folder = place.path().join("dest/parquet/event_date=2026-03-01");
    let made = std::process::Command::new("mkfifo").arg(folder.join("events-20260301-s009.parquet")).status();
    assert!(made.expect("mkfifo is needed (coreutils)").success());
    for name in ["\u{1b}[2J", "a\nb", "ü", "back\\slash", " "] {
        fs::write(folder.join(name), "x").unwrap();
    }
    let mut deepest = place.path().join("dest/csv");
    for _ in 0..300 {
        deepest.push("deeper");
    }
    fs::create_dir_all(&deepest).unwrap();
    let outcome = deep(place.path());
    assert!(has(&outcome, Code::NotAFile) && outcome.counts[&Code::Foreign] >= 5, "{:?}", outcome.findings);
    assert!(outcome.findings.iter().all(|found| !found.place.contains(['\u{1b}', '\n'])));
}

#[test]
fn a_file_of_any_length_is_not_taken_into_memory() {
    let objects = quiet();
    let some = objects.keys().find(|path| path.as_str().starts_with("parquet/")).unwrap();
    let place = on_disk(&objects);
    let file =
        fs::OpenOptions::new().write(true).open(place.path().join("dest").join(some.as_str())).unwrap();
    file.set_len(1 << 40).unwrap();
    assert!(has(&deep(place.path()), Code::FileLength));
    // The log may say so, too.
    let number = objects
        .iter()
        .filter(|(path, _)| path.as_str().starts_with("_audit/commits/"))
        .position(|(_, text)| String::from_utf8_lossy(text).contains(some.as_str()))
        .unwrap();
    let forged = rechained(&objects, number as u64, |commit| {
        for window in commit["windows"].as_array_mut().unwrap() {
            for file in window["files"].as_array_mut().unwrap() {
                if file["path"] == some.as_str() {
                    file["bytes"] = (1_u64 << 40).into();
                }
            }
        }
    });
    let place = on_disk(&forged);
    let file =
        fs::OpenOptions::new().write(true).open(place.path().join("dest").join(some.as_str())).unwrap();
    file.set_len(1 << 40).unwrap();
    assert!(has(&deep(place.path()), Code::Limit));
    for control in ["_audit/dataset.json", "_audit/commits/0000000000000000.json"] {
        let place = on_disk(&objects);
        let file = fs::OpenOptions::new().write(true).open(place.path().join("dest").join(control)).unwrap();
        file.set_len(1 << 40).unwrap();
        assert!(has(&deep(place.path()), Code::Unreadable), "{control}");
    }
}

#[test]
fn paths_that_a_forged_log_names_do_not_lead_outside() {
    let objects = quiet();
    let place = on_disk(&objects);
    let outside = place.path().join("secret").display().to_string();
    for named in
        ["../secret", "parquet/../../secret", outside.as_str(), "secret", "", "_audit/dataset.json", "\u{0}"]
    {
        let forged = rechained(&objects, 0, |commit| {
            let windows = commit["windows"].as_array_mut().unwrap();
            let file =
                windows.iter_mut().find_map(|window| window["files"].as_array_mut().unwrap().first_mut());
            file.unwrap()["path"] = named.into();
        });
        let place = on_disk(&forged);
        let outcome = deep(place.path());
        assert!(has(&outcome, Code::Misplaced), "{named:?}: {:?}", outcome.findings);
    }
}

#[test]
fn bombs_are_findings() {
    let deep_json = [b"[".repeat(1 << 20), b"]".repeat(1 << 20)].concat();
    let objects = quiet();
    for control in ["_audit/dataset.json", "_audit/commits/0000000000000000.json"] {
        let mut copy = objects.clone();
        copy.insert(path(control), deep_json.clone().into());
        assert!(verified(&copy, Depth::Deep, None).count(Severity::Error) > 0, "{control}");
    }
    // A slot that nobody committed, with a megabyte of nesting in a line.
    let mut line = br#"{"id":"x","created_at":"2026-03-01T00:00:01","context":"#.to_vec();
    line.extend(&deep_json);
    line.extend(b"}\n");
    let mut copy = objects.clone();
    copy.insert(path("ndjson/event_date=2026-03-01/events-20260301-s009.ndjson"), line.into());
    assert!(has(&verified(&copy, Depth::Deep, None), Code::Undecodable));

    // Small on the disk, large when decoded.
    let text = "a".repeat(1 << 20);
    let schema = Arc::new(arrow_schema::Schema::new(vec![arrow_schema::Field::new(
        "id",
        arrow_schema::DataType::Utf8,
        true,
    )]));
    let texts: arrow_array::StringArray = (0..200).map(|_| Some(text.as_str())).collect();
    let rows = arrow_array::RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(texts)]).unwrap();
    let mut bytes = Vec::new();
    encode(Format::Parquet, &schema, &[rows], &FileMetadata::new(), &Default::default(), &mut bytes).unwrap();
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());
    let mut copy = objects;
    copy.insert(path("parquet/event_date=2026-03-01/events-20260301-s009.parquet"), bytes.into());
    let request = Verification { depth: Depth::Deep, memory: 32 << 20, ..Verification::default() };
    let outcome = block_on(verify(&store(&copy), &request, the_law())).unwrap();
    assert!(has(&outcome, Code::Undecodable), "{:?}", outcome.findings);
}

#[test]
fn nothing_there_is_the_users_mistake() {
    let error = block_on(verify(&store(&Objects::new()), &Verification::default(), the_law())).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
}

/// Whole trees, changed at random: an answer comes, and it is bounded.
#[test]
fn random_trees_give_answers() {
    let trees = scale(150, 5_000);
    let mut kinds = std::collections::BTreeSet::new();
    let mut accused = 0;
    for seed in 0..trees {
        let mut random = Random::new(seed ^ 0xf00d);
        let mut objects = dataset(seed % 30, &shape(seed % 30));
        for _ in 0..1 + random.below(6) {
            change(&mut objects, &mut random);
        }
        let depth = *random.pick(&[Depth::Quick, Depth::Digests, Depth::Deep, Depth::Deep]);
        let request = Verification { depth, findings: 20, memory: 64 << 20, ..Verification::default() };
        match block_on(verify(&store(&objects), &request, the_law())) {
            Ok(outcome) => {
                assert!(outcome.findings.len() <= 20);
                accused += u64::from(outcome.exit_code() != 0);
                kinds.extend(outcome.counts.keys().map(|code| code.name()));
            }
            Err(error) => assert_eq!(error.kind(), Kind::Usage, "seed {seed}: {error}"),
        }
    }
    println!(
        "{trees} random trees: an answer for each, {accused} accused, findings of {} kinds: {kinds:?}",
        kinds.len()
    );
    assert!(kinds.len() > 10);
}

fn change(objects: &mut Objects, random: &mut Random) {
    let paths: Vec<ObjectPath> = objects.keys().cloned().collect();
    let Some(victim) = (!paths.is_empty()).then(|| random.pick(&paths).clone()) else { return };
    let bytes = objects[&victim].clone();
    match random.below(8) {
        0 => drop(objects.remove(&victim)),
        1 => drop(objects.insert(victim, bytes.slice(..random.below(bytes.len() as u64 + 1) as usize))),
        2 => {
            let other = random.pick(&paths).clone();
            let theirs = objects[&other].clone();
            objects.insert(victim, theirs);
            objects.insert(other, bytes);
        }
        3 => {
            let name = format!("{}{}", victim.as_str(), random.pick(&["x", "/x", ".sig", "-s001", ".gz"]));
            if let Ok(name) = ObjectPath::new(name) {
                objects.insert(name, bytes);
            }
        }
        4 if victim.as_str().starts_with("_audit/commits/") => {
            let number: u64 = victim.as_str()["_audit/commits/".len()..][..16].parse().unwrap_or(0);
            let word =
                random.pick(&["-1", "null", "\"x\"", "99999999999999999999", "[]", "{}", "1"]).to_string();
            if serde_json::from_slice::<serde_json::Value>(&bytes).is_ok() {
                *objects = rechained(objects, number, |commit| vary(commit, random, &word));
            }
        }
        _ if !bytes.is_empty() => {
            let mut bytes = bytes.to_vec();
            for _ in 0..1 + random.below(4) {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] = random.next() as u8;
            }
            objects.insert(victim, Bytes::from(bytes));
        }
        _ => {}
    }
}

/// Another value somewhere in a record, the chain made whole again.
fn vary(value: &mut serde_json::Value, random: &mut Random, word: &str) {
    match value {
        serde_json::Value::Object(members) if !members.is_empty() && !random.once_in(12) => {
            let at = random.below(members.len() as u64) as usize;
            vary(members.values_mut().nth(at).unwrap(), random, word);
        }
        serde_json::Value::Array(items) if !items.is_empty() && !random.once_in(12) => {
            let at = random.below(items.len() as u64) as usize;
            vary(&mut items[at], random, word);
        }
        value => *value = serde_json::from_str(word).unwrap(),
    }
}
