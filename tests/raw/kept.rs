//! What is kept, when, and that somebody who knows nothing of this program can count in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::program::{run, scratch};
use crate::sandbox::{KEY, SECRET, Sandbox, export};
use crate::support::{ALL, FROM, TO, check, convert, data, keeping, raw, result, week};
use crate::tree::{lines, records, tree};

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The auditor's own counting: of each undivided proof, by nothing but its replies.
fn count(lines: &[Value]) -> BTreeSet<String> {
    let mut proofs: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for line in &lines[1..] {
        let body = line["body"].as_str().unwrap();
        assert_eq!(line["sha256"], sha256(body.as_bytes()));
        assert_eq!(line["status"], 200);
        assert!(line["date"].as_str().unwrap().ends_with(" GMT"), "{line}");
        let request = line["request"].as_str().unwrap();
        assert!(request.starts_with("GET /") && request.contains("/events?page="), "{request}");
        proofs.entry(line["proof"].as_u64().unwrap()).or_default().push(line);
    }
    let mut all = BTreeSet::new();
    for replies in proofs.values() {
        let (mut counts, mut walks) = (Vec::new(), BTreeMap::<&str, BTreeSet<String>>::new());
        for line in replies {
            let page: Value = serde_json::from_str(line["body"].as_str().unwrap()).unwrap();
            let step = line["step"].as_str().unwrap();
            if step == "count" {
                counts.push(page["page"]["totalElements"].as_u64().unwrap());
                continue;
            }
            let events = page["_embedded"]["events"].as_array().cloned().unwrap_or_default();
            let ids = events.iter().map(|event| event["id"].as_str().unwrap().to_owned());
            walks.entry(step).or_default().extend(ids);
        }
        match replies[0]["claim"].as_str().unwrap() {
            "bracketed" => assert_eq!(counts, [walks["walk-1"].len() as u64; 2]),
            "double" if walks.is_empty() => assert_eq!(counts, [0, 0]),
            "double" => {
                let both = walks["walk-1"].intersection(&walks["walk-2"]).count() as u64;
                assert_eq!(counts, [both]);
            }
            "sum-in-time" => assert!(counts[0] <= all.len() as u64),
            other => panic!("{other}"),
        }
        all.extend(walks.into_values().flatten());
    }
    all
}

#[test]
fn an_auditor_can_count_again() {
    let folder = scratch("raw-count");
    let sandbox = week("7");
    for (name, more) in [
        ("bracketed", [].as_slice()),
        ("double", &["--evidence"]),
        ("parts", &["--evidence", "--walk-limit", "100"]),
        ("hours", &["--grid", "PT1H"]),
    ] {
        let dest = folder.join(name);
        let more: Vec<&str> = more.iter().copied().chain(["--format", ALL]).collect();
        assert_eq!(result(keeping(&sandbox.url, &dest, &more), 0)["rows"], 700);
        let kept = raw(&dest);
        let counted: BTreeSet<String> = kept.values().flat_map(|lines| count(lines)).collect();
        let rows: BTreeSet<String> = lines(&dest.join("ndjson"))
            .iter()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
            .collect();
        assert!(rows.len() == 700 && counted.is_superset(&rows), "{name}");

        // The log names each file and its digest; nothing else is there.
        let files = tree(&dest.join("_audit/raw"));
        let mut named = BTreeSet::new();
        for record in records(&dest) {
            let raw = &record["raw"];
            let path = raw["path"].as_str().unwrap().strip_prefix("_audit/raw/").unwrap();
            assert_eq!(raw["sha256"], sha256(&files[path]));
            assert_eq!(raw["bytes"], files[path].len());
            assert_eq!(raw["requests"], kept[path].len() - 1);
            named.insert(path.to_owned());
        }
        assert_eq!(named, files.into_keys().collect());
        let found = check(&dest);
        assert!(found.findings.is_empty(), "{name}: {:?}", found.findings);
        println!("{name}: {} files, {} replies, {} windows", found.files, found.replies, found.windows);

        // No credentials, in any spelling that could be searched for.
        let text = kept.values().flatten().map(Value::to_string).collect::<String>();
        assert!(!text.contains(SECRET) && !text.contains("Authorization"));
    }
    assert!(raw(&folder.join("parts")).values().flatten().any(|line| line["claim"] == "sum-in-time"));
}

#[test]
fn what_cannot_be_kept_as_received_is_refused_before_anything_else() {
    let folder = scratch("raw-refused");
    let dest = folder.join("dest");
    let sandbox = week("7");
    for (more, word) in [
        (["--keep-raw"].as_slice(), "--keep-secrets"),
        (&["--keep-raw", "--keep-secrets", "--user-email", "a@b.example"], "other users"),
        (&["--keep-raw", "--keep-secrets", "--user-id", "1"], "other users"),
    ] {
        let mut command = export(&sandbox.url, FROM, TO, &dest);
        command.args(more);
        let outcome = run(command).expect(2);
        assert!(outcome.stderr.contains(word), "{}", outcome.stderr);
        assert!(!dest.exists());
    }
}

#[test]
fn more_replies_than_the_limit_end_the_run_and_say_so() {
    let folder = scratch("raw-limit");
    let sandbox = Sandbox::start(&["--events", "3000", "--from", FROM, "--to", "2026-01-02", "--seed", "7"]);
    let limited = |more: &[&str]| {
        let mut command = export(&sandbox.url, FROM, "2026-01-02", &folder.join("dest"));
        command.args(["--keep-raw", "--keep-secrets"]).args(more);
        command
    };
    let outcome = run(limited(&["--raw-limit", "1"])).expect(7);
    assert!(outcome.stderr.contains("--raw-limit"), "{}", outcome.stderr);
    assert!(!folder.join("dest/parquet").exists());
    run(limited(&[])).expect(0);
}

#[test]
fn evidence_is_kept_once_and_a_late_event_brings_its_own() {
    let folder = scratch("raw-late");
    let dest = folder.join("dest");
    let all = {
        let sandbox = week("7");
        let mut command = export(&sandbox.url, FROM, TO, &folder.join("all"));
        command.args(["--format", "ndjson", "--keep-secrets"]);
        run(command).expect(0);
        lines(&folder.join("all/ndjson"))
    };
    let late = &all[300];
    let gone = &all[310];
    let night = |events: Vec<&String>, code: i32| {
        let file = folder.join("events.ndjson");
        fs::write(&file, events.into_iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        let sandbox = Sandbox::start(&["--data", file.to_str().unwrap(), "--key", KEY]);
        // Days by themselves, and all of them read again.
        result(keeping(&sandbox.url, &dest, &["--format", ALL, "--lookback", "3650d"]), code)
    };
    night(all.iter().filter(|line| *line != late).collect(), 0);
    let first = tree(&dest.join("_audit/raw"));
    // The same again: other `Date` headers, and nothing new to say.
    let before = tree(&dest);
    night(all.iter().filter(|line| *line != late).collect(), 0);
    assert!(tree(&dest) == before, "a rerun with nothing new wrote something");

    let report = night(all.iter().filter(|line| *line != gone).collect(), 0);
    assert_eq!((report["rows"].as_u64(), report["vanished"].as_u64()), (Some(1), Some(1)), "{report}");
    let second = tree(&dest.join("_audit/raw"));
    assert!(second.len() > first.len() && first.iter().all(|(path, bytes)| second.get(path) == Some(bytes)));
    assert!(second.keys().any(|path| path.contains("-s001.")), "{:?}", second.keys());
    let found = check(&dest);
    assert!(found.findings.is_empty(), "{:?}", found.findings);

    // From the replies alone: the same files, the late one by itself, the vanished event still there; and again nothing.
    let copy = folder.join("copy");
    let more = ["--from-raw", "--keep-secrets", "--keep-raw", "--format", ALL];
    assert_eq!(result(convert(&dest, &copy, &more), 0)["rows"], 700);
    assert!(data(&copy) == data(&dest));
    assert!(tree(&copy.join("_audit/raw")) == second);
    let found = check(&copy);
    assert!(found.findings.is_empty() && found.windows >= 7, "{:?}", found.findings);
    let before = tree(&copy);
    result(convert(&dest, &copy, &more), 0);
    assert!(tree(&copy) == before, "a second conversion wrote something");

    // From the rows: the same rows and the same claims; the late event is no file of its own.
    let rows = folder.join("rows");
    let more = ["--keep-secrets", "--format", ALL];
    assert_eq!(result(convert(&dest, &rows, &more), 0)["rows"], 700);
    let vanished: BTreeSet<String> = records(&rows)
        .iter()
        .flat_map(|record| record["vanished"].as_array().cloned().unwrap())
        .map(|id| id.to_string())
        .collect();
    let sorted = |folder| {
        let mut lines = lines(folder);
        lines.sort();
        lines
    };
    assert_eq!(sorted(&rows.join("ndjson")), sorted(&dest.join("ndjson")));
    assert_eq!(vanished, BTreeSet::from([serde_json::from_str::<Value>(gone).unwrap()["id"].to_string()]));
    let before = tree(&rows);
    result(convert(&dest, &rows, &more), 0);
    assert!(tree(&rows) == before, "a second conversion wrote something");
}
