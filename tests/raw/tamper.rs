//! A changed byte of kept replies is found, and so is a change that somebody made with all digests put right.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::scratch;
use crate::support::{check, convert, keeping, overwrite, result, week};
use crate::tree::tree;

fn copied(from: &Path, to: &Path) {
    for (path, bytes) in tree(from) {
        let path = to.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn first_raw(dest: &Path) -> PathBuf {
    let name = tree(&dest.join("_audit/raw")).into_keys().next().unwrap();
    dest.join("_audit/raw").join(name)
}

/// The log with another file of kept replies, chained anew: what an insider who knows the format would do.
fn relogged(dest: &Path, old: &str, new: &str, bytes: usize) {
    let mut previous = sha256(&fs::read(dest.join("_audit/dataset.json")).unwrap());
    for name in tree(&dest.join("_audit/commits")).into_keys() {
        let path = dest.join("_audit/commits").join(name);
        let mut commit: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        commit["previous"] = previous.into();
        for window in commit["windows"].as_array_mut().unwrap() {
            if window["raw"]["sha256"] == old {
                window["raw"]["sha256"] = new.into();
                window["raw"]["bytes"] = bytes.into();
            }
        }
        let text = commit.to_string();
        previous = sha256(text.as_bytes());
        overwrite(&path, text.as_bytes());
    }
}

#[test]
fn every_change_of_kept_replies_is_found() {
    let folder = scratch("raw-tamper");
    let good = folder.join("good");
    let sandbox = week("9");
    result(keeping(&sandbox.url, &good, &["--evidence"]), 0);
    assert!(check(&good).findings.is_empty());
    let path = first_raw(&good);
    let name = path.strip_prefix(&good).unwrap();
    let bytes = fs::read(&path).unwrap();
    let mut found = 0;
    let mut tampered = |what: &str, change: &dyn Fn(&Path)| {
        let dest = folder.join("tampered");
        let _ = fs::remove_dir_all(&dest);
        copied(&good, &dest);
        change(&dest);
        assert!(!check(&dest).findings.is_empty(), "{what} is not found");
        let target = folder.join("target");
        let _ = fs::remove_dir_all(&target);
        result(convert(&dest, &target, &["--from-raw"]), 9);
        assert!(tree(&target.join("_audit/commits")).is_empty(), "{what}: something is claimed");
        found += 1;
    };
    // Without touching the log.
    for place in (0..bytes.len()).step_by(bytes.len() / 12) {
        let mut other = bytes.clone();
        other[place] ^= 1;
        tampered("a flipped bit", &|dest| overwrite(&dest.join(name), &other));
    }
    tampered("a file cut short", &|dest| overwrite(&dest.join(name), &bytes[..bytes.len() / 2]));
    tampered("an empty file", &|dest| overwrite(&dest.join(name), b""));
    tampered("a missing file", &|dest| fs::remove_file(dest.join(name)).unwrap());

    // With the digests of reply, file and log put right.
    let text = String::from_utf8(zstd::decode_all(bytes.as_slice()).unwrap()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let forged = |change: &dyn Fn(&mut Vec<Value>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        for line in &mut lines[1..] {
            line["sha256"] = sha256(line["body"].as_str().unwrap().as_bytes()).into();
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        zstd::encode_all(text.as_bytes(), 3).unwrap()
    };
    let walk = lines.iter().position(|line| line["step"] == "walk-1").unwrap();
    let counted = lines.iter().position(|line| line["step"] == "count").unwrap();
    let without_event = |line: &mut Value| {
        let mut page: Value = serde_json::from_str(line["body"].as_str().unwrap()).unwrap();
        page["_embedded"]["events"].as_array_mut().unwrap().remove(0);
        line["body"] = page.to_string().into();
    };
    let all_without = |lines: &mut Vec<Value>| {
        // One event gone from every walk, and every count one lower: the counting holds; certificate and rows tell.
        let page: Value = serde_json::from_str(lines[walk]["body"].as_str().unwrap()).unwrap();
        let id = page["_embedded"]["events"][0]["id"].clone();
        for line in &mut lines[1..] {
            let mut page: Value = serde_json::from_str(line["body"].as_str().unwrap()).unwrap();
            if let Some(events) = page["_embedded"]["events"].as_array_mut() {
                events.retain(|event| event["id"] != id);
            }
            let total = page["page"]["totalElements"].as_u64().unwrap();
            page["page"]["totalElements"] = (total - 1).into();
            line["body"] = page.to_string().into();
        }
    };
    let altered_content = |lines: &mut Vec<Value>| {
        for line in &mut lines[1..] {
            let body = line["body"].as_str().unwrap().replace("USER_LOGIN", "USER_LOGOUT");
            line["body"] = body.into();
        }
    };
    for (what, bytes, converts) in [
        ("an event less in a walk", forged(&|lines| without_event(&mut lines[walk])), false),
        ("a reply less", forged(&|lines| drop(lines.remove(counted))), false),
        ("an event less everywhere", forged(&all_without), false),
        ("another content", forged(&altered_content), true),
    ] {
        let change = |dest: &Path| {
            let old = sha256(&fs::read(dest.join(name)).unwrap());
            overwrite(&dest.join(name), &bytes);
            relogged(dest, &old, &sha256(&bytes), bytes.len());
        };
        if converts {
            // Replies that were rewritten as a whole can only be told by the rows, which say something else.
            let dest = folder.join("rewritten");
            copied(&good, &dest);
            change(&dest);
            assert!(!check(&dest).findings.is_empty(), "{what} is not found");
        } else {
            tampered(what, &change);
        }
    }
    println!("{} changes of kept replies, all found", found + 1);
}
