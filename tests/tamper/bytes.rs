//! Files changed, removed, cut, doubled, swapped and replaced; commits too.

use bytes::Bytes;
use vonage_audit::model::Format;
use vonage_audit::store::ObjectPath;

use crate::random::Random;
use crate::score::{By, Score};
use crate::world::{Objects, PARTITIONINGS, Shape, dataset, head, path};
use crate::{all, scale};

const KINDS: [&str; 22] = [
    "control file: a byte",
    "control file: removed",
    "control file: emptied",
    "control file: cut",
    "control file: doubled",
    "control files: swapped",
    "commit: renumbered",
    "commits: reordered",
    "log: its tail cut",
    "log: written anew",
    "data file: a byte",
    "data file: removed",
    "data file: emptied",
    "data file: cut",
    "data file: doubled, foreign name",
    "data file: doubled, as a next slot",
    "data files: swapped",
    "data file: of another window",
    "data file: of another dataset",
    "quarantine: a byte",
    "quarantine: removed or cut",
    "quarantine: doubled",
];

fn is_control(path: &ObjectPath) -> bool {
    path.as_str() == "_audit/dataset.json" || is_commit(path)
}

fn is_commit(path: &ObjectPath) -> bool {
    path.as_str().starts_with("_audit/commits/")
}

fn is_kept(path: &ObjectPath) -> bool {
    path.as_str().starts_with("_audit/quarantine/")
}

fn is_data(path: &ObjectPath) -> bool {
    !path.as_str().starts_with("_audit/")
}

fn of(objects: &Objects, kind: fn(&ObjectPath) -> bool) -> Vec<ObjectPath> {
    objects.keys().filter(|path| kind(path)).cloned().collect()
}

fn with(objects: &Objects, change: impl FnOnce(&mut Objects)) -> Objects {
    let mut copy = objects.clone();
    change(&mut copy);
    copy
}

fn flipped(objects: &Objects, path: &ObjectPath, at: usize, bits: u8) -> Objects {
    let mut bytes = objects[path].to_vec();
    bytes[at] ^= bits;
    with(objects, |copy| drop(copy.insert(path.clone(), bytes.into())))
}

fn cut(objects: &Objects, path: &ObjectPath, length: usize) -> Objects {
    with(objects, |copy| drop(copy.insert(path.clone(), objects[path].slice(..length))))
}

/// The path of the same window's next sequence number.
fn next_slot(objects: &Objects, path: &ObjectPath) -> ObjectPath {
    let text = path.as_str();
    let at = text.rfind("-s").unwrap() + 2;
    (0..1_000)
        .map(|number| ObjectPath::new(format!("{}{number:03}{}", &text[..at], &text[at + 3..])).unwrap())
        .find(|path| !objects.contains_key(path))
        .unwrap()
}

fn commit_path(number: u64) -> ObjectPath {
    path(&format!("_audit/commits/{number:016}.json"))
}

/// The chain from commit `number` on, made whole again behind a change.
pub(crate) fn rechained(
    objects: &Objects,
    number: u64,
    change: impl FnOnce(&mut serde_json::Value),
) -> Objects {
    let mut copy = objects.clone();
    let mut change = Some(change);
    let mut previous = None;
    for number in number.. {
        let path = commit_path(number);
        let Some(bytes) = copy.get(&path) else { break };
        let Ok(mut commit) = serde_json::from_slice::<serde_json::Value>(bytes) else { break };
        if let Some(change) = change.take() {
            change(&mut commit);
        }
        if let Some(previous) = previous
            && commit.is_object()
        {
            commit["previous"] = previous;
        }
        let bytes = serde_json::to_vec(&commit).unwrap();
        previous = Some(sha256(&bytes).into());
        copy.insert(path, bytes.into());
    }
    copy
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_mutation_of_files_is_found() {
    let mut score = Score::default();
    let formats: [&[Format]; 3] = [&[Format::Parquet], &[Format::Csv, Format::Ndjson], &Format::ALL];
    let shapes = PARTITIONINGS
        .iter()
        .enumerate()
        .map(|(number, name)| (number, Shape::quiet(name, formats[number % 3])));
    for (number, shape) in shapes {
        let objects = dataset(number as u64 + 1, &shape);
        let other = dataset(number as u64 + 100, &shape);
        control(&objects, &mut score, number as u64);
        log(&objects, &mut score);
        data(&objects, &other, &mut score, number as u64);
        quarantine(&objects, &mut score, number as u64);
    }
    score.print(&KINDS);
}

/// Positions of a file: all, or some.
fn positions(length: usize, sample: u64, random: &mut Random) -> Vec<usize> {
    if all() {
        (0..length).collect()
    } else {
        (0..sample).map(|_| random.below(length as u64) as usize).collect()
    }
}

fn control(objects: &Objects, score: &mut Score, seed: u64) {
    let (head, mut random) = (head(objects), Random::new(seed));
    let files = of(objects, is_control);
    let last = files.iter().rev().find(|path| is_commit(path)).unwrap();
    for file in &files {
        let length = objects[file].len();
        // A change of the last commit may leave it well-formed; nothing behind it chains to it.
        let by = if file == last { By::Anchor } else { By::Quick };
        for at in positions(length, 12, &mut random) {
            let bits = if all() { 1 << (at % 8) } else { 1 << random.below(8) };
            score.take(KINDS[0], &flipped(objects, file, at, bits), &head, by, &format!("{file} byte {at}"));
        }
        let removed = with(objects, |copy| drop(copy.remove(file)));
        score.take(KINDS[1], &removed, &head, by, file.as_str());
        score.take(KINDS[2], &cut(objects, file, 0), &head, By::Quick, file.as_str());
        for length in (512..length).step_by(512) {
            score.take(KINDS[3], &cut(objects, file, length), &head, By::Quick, file.as_str());
        }
        for name in ["_audit/copy.json", "_audit/commits/copy.json", "_audit/commits/0000000000000099.json"] {
            let doubled = with(objects, |copy| drop(copy.insert(path(name), objects[file].clone())));
            score.take(KINDS[4], &doubled, &head, By::Quick, &format!("{file} as {name}"));
        }
        for second in files.iter().filter(|second| *second > file) {
            let swapped = with(objects, |copy| {
                copy.insert(file.clone(), objects[second].clone());
                copy.insert(second.clone(), objects[file].clone());
            });
            let kind = if is_commit(file) && is_commit(second) { KINDS[7] } else { KINDS[5] };
            score.take(kind, &swapped, &head, By::Quick, &format!("{file} with {second}"));
        }
    }
}

fn log(objects: &Objects, score: &mut Score) {
    let head = head(objects);
    let commits = of(objects, is_commit);
    let count = commits.len() as u64;
    for number in 0..count {
        for to in [number + 1, count, count + 7] {
            if to == number || (to < count && to != number + 1) {
                continue;
            }
            let moved = with(objects, |copy| {
                let bytes = copy.remove(&commit_path(number)).unwrap();
                copy.insert(commit_path(to), bytes);
            });
            score.take(KINDS[6], &moved, &head, By::Quick, &format!("{number} as {to}"));
        }
        let shorter = with(objects, |copy| {
            (number..count).for_each(|gone| drop(copy.remove(&commit_path(gone))));
        });
        score.take(KINDS[8], &shorter, &head, By::Anchor, &format!("from {number}"));
        let anew = rechained(objects, number, |commit| commit["recorded_at"] = "2026-01-01T00:00:00Z".into());
        score.take(KINDS[9], &anew, &head, By::Anchor, &format!("from {number}"));
    }
}

fn data(objects: &Objects, other: &Objects, score: &mut Score, seed: u64) {
    let (head, mut random) = (head(objects), Random::new(seed ^ 0xda7a));
    let files = of(objects, is_data);
    for _ in 0..scale(60, 2_000) {
        let file = random.pick(&files).clone();
        let at = random.below(objects[&file].len() as u64) as usize;
        let mutated = flipped(objects, &file, at, 1 << random.below(8));
        score.take(KINDS[10], &mutated, &head, By::Digests, &format!("{file} byte {at}"));
    }
    for file in &files {
        let removed = with(objects, |copy| drop(copy.remove(file)));
        score.take(KINDS[11], &removed, &head, By::Quick, file.as_str());
        score.take(KINDS[12], &cut(objects, file, 0), &head, By::Quick, file.as_str());
        let length = objects[file].len();
        for length in (512..length).step_by(if all() { 512 } else { 4_096 }) {
            score.take(KINDS[13], &cut(objects, file, length), &head, By::Quick, file.as_str());
        }
        let folder = file.as_str().rsplit_once('/').unwrap().0;
        for name in ["copy.parquet", ".hidden", "events-20260301-s0.parquet", "sub/events-20260301-s000.csv"]
        {
            let foreign = path(&format!("{folder}/{name}"));
            let doubled = with(objects, |copy| drop(copy.insert(foreign.clone(), objects[file].clone())));
            score.take(KINDS[14], &doubled, &head, By::Quick, foreign.as_str());
        }
        let slot = next_slot(objects, file);
        let doubled = with(objects, |copy| drop(copy.insert(slot.clone(), objects[file].clone())));
        score.take(KINDS[15], &doubled, &head, By::Digests, slot.as_str());
        for second in &files {
            if second > file && objects[second] != objects[file] {
                let swapped = with(objects, |copy| {
                    copy.insert(file.clone(), objects[second].clone());
                    copy.insert(second.clone(), objects[file].clone());
                });
                score.take(KINDS[16], &swapped, &head, By::Digests, &format!("{file} with {second}"));
            }
            if second != file && objects[second] != objects[file] {
                let replaced = with(objects, |copy| drop(copy.insert(file.clone(), objects[second].clone())));
                score.take(KINDS[17], &replaced, &head, By::Digests, &format!("{file} by {second}"));
            }
        }
        let foreign: Vec<&Bytes> =
            other.iter().filter(|(path, _)| is_data(path)).map(|(_, bytes)| bytes).collect();
        for bytes in foreign.into_iter().filter(|bytes| **bytes != objects[file]) {
            let replaced = with(objects, |copy| drop(copy.insert(file.clone(), bytes.clone())));
            score.take(KINDS[18], &replaced, &head, By::Digests, file.as_str());
        }
    }
}

fn quarantine(objects: &Objects, score: &mut Score, seed: u64) {
    let (head, mut random) = (head(objects), Random::new(seed ^ 0xeef));
    for file in of(objects, is_kept) {
        for at in positions(objects[&file].len(), 10, &mut random) {
            let mutated = flipped(objects, &file, at, 1 << random.below(8));
            score.take(KINDS[19], &mutated, &head, By::Digests, &format!("{file} byte {at}"));
        }
        let removed = with(objects, |copy| drop(copy.remove(&file)));
        score.take(KINDS[20], &removed, &head, By::Quick, file.as_str());
        for length in [0, 1, objects[&file].len() - 1] {
            score.take(KINDS[20], &cut(objects, &file, length), &head, By::Digests, file.as_str());
        }
        let slot = next_slot(objects, &file);
        for name in [slot, path("_audit/quarantine/copy.ndjson")] {
            let doubled = with(objects, |copy| drop(copy.insert(name.clone(), objects[&file].clone())));
            score.take(KINDS[21], &doubled, &head, By::Digests, name.as_str());
        }
    }
}
