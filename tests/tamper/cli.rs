//! The program itself: exit codes, what it says, and `files`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{Outcome, program, run, scratch};

/// A dataset of three windows made by the program, in every format.
fn made(name: &str) -> PathBuf {
    let place = scratch(name);
    let lines: Vec<String> = (0..30)
        .map(|number| {
            let day = 1 + number % 3;
            format!(
                r#"{{"id":"{number:02}","created_at":"2026-03-{day:02}T10:00:{number:02}","event_type":"USER_LOGIN"}}"#
            )
        })
        .collect();
    fs::write(place.join("events.ndjson"), lines[..20].join("\n")).unwrap();
    fs::write(place.join("late.ndjson"), lines.join("\n")).unwrap();
    for file in ["events.ndjson", "late.ndjson"] {
        let mut command = program();
        command.arg("convert").arg(place.join(file)).arg("--dest").arg(place.join("dest"));
        command.args(["--account", "abcd1234", "--format", "parquet,csv,ndjson"]);
        run(command).expect(0);
    }
    place.join("dest")
}

fn ask(command: &str, dest: &Path, words: &[&str]) -> Outcome {
    let mut program = program();
    program.arg(command).arg(dest).args(words);
    run(program)
}

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap()
}

#[test]
fn verify_says_what_it_found_and_ends_with_its_code() {
    let dest = made("tamper-verify");
    let sound = ask("verify", &dest, &["--deep", "--output", "json"]).expect(0);
    let report = json(&sound);
    assert_eq!(
        (&report["output_version"], &report["errors"], &report["warnings"]),
        (&1.into(), &0.into(), &0.into())
    );
    assert_eq!((&report["checked"]["rows"], &report["checked"]["ids"]), (&90.into(), &90.into()));
    assert!(
        report["not_checked"]
            .as_array()
            .unwrap()
            .iter()
            .any(|text| text.as_str().unwrap().contains("no anchor"))
    );
    let head = format!("{}:{}", report["head"]["number"], report["head"]["sha256"].as_str().unwrap());
    let anchored = ask("verify", &dest, &["--expect-head", &head]).expect(0);
    assert!(!anchored.stdout.contains("no anchor"), "{}", anchored.stdout);
    ask("verify", &dest, &["--strict", "--quick"]).expect(0);

    // What nobody settled covers nothing at a level that proves.
    for (words, code) in [
        (&["--covers", "2026-03-01..2026-03-04", "--level", "none"][..], 0),
        (&["--covers", "2026-03-01..2026-03-04"], 9),
        (&["--covers", "2026-02-28..2026-03-04", "--level", "none"], 9),
        (&["--covers", "2026-03-01..2026-03-05", "--level", "none", "--format", "csv"], 9),
    ] {
        let outcome = ask("verify", &dest, words).expect(code);
        assert_eq!(outcome.stdout.contains("V25"), code == 9, "{words:?} {}", outcome.stdout);
    }

    // The parts are all of the files, each once.
    let read: u64 = (1..=4)
        .map(|part| {
            let outcome =
                ask("verify", &dest, &["--subset", &format!("{part}/4"), "--output", "json"]).expect(0);
            json(&outcome)["checked"]["files_read"].as_u64().unwrap()
        })
        .sum();
    assert_eq!(Some(read), report["checked"]["files"].as_u64());

    let victim = dest.join("csv/event_date=2026-03-02/events-20260302-s000.csv");
    let bytes = fs::read(&victim).unwrap();
    let mut changed = bytes.clone();
    changed[200] ^= 1;
    fs::write(&victim, &changed).unwrap();
    ask("verify", &dest, &["--quick"]).expect(0);
    let outcome = ask("verify", &dest, &[]).expect(9);
    let line = outcome.stdout.lines().next().unwrap();
    assert!(line.starts_with("V03 error") && line.contains("events-20260302-s000.csv"), "{line}");
    fs::remove_file(&victim).unwrap();
    let outcome = ask("verify", &dest, &["--quick", "--findings-limit", "0"]).expect(9);
    assert!(
        !outcome.stdout.contains("V01") && outcome.stdout.contains("1 finding more"),
        "{}",
        outcome.stdout
    );
    fs::write(&victim, &bytes).unwrap();

    // The tail of the log cut off: a warning about files without a commit, and an error only against an anchor.
    let last = dest.join("_audit/commits/0000000000000001.json");
    let commit = fs::read(&last).unwrap();
    fs::remove_file(&last).unwrap();
    let outcome = ask("verify", &dest, &[]).expect(0);
    assert!(
        outcome.stdout.contains("V20 warning") && outcome.stdout.contains("no anchor"),
        "{}",
        outcome.stdout
    );
    ask("verify", &dest, &["--strict"]).expect(9);
    let outcome = ask("verify", &dest, &["--expect-head", &head]).expect(9);
    assert!(outcome.stdout.contains("V15 error"), "{}", outcome.stdout);
    ask("files", &dest, &["--as-of", "1"]).expect(2);
    fs::write(&last, commit).unwrap();
    ask("verify", &dest, &["--deep", "--strict", "--expect-head", &head]).expect(0);
}

#[test]
fn wrong_usage_is_2() {
    let dest = made("tamper-usage");
    for words in [
        &["--subset", "0/3"][..],
        &["--subset", "4/3"],
        &["--subset", "x"],
        &["--expect-head", "1"],
        &["--expect-head", "1:zz"],
        &["--covers", "2026-03-01"],
        &["--covers", "2026-03-02..2026-03-01"],
        &["--covers", "2026-03-01..2026-03-04", "--level", "high"],
        &["--quick", "--deep"],
        &["--deep", "--subset", "1/2"],
        &["--level", "double"],
    ] {
        ask("verify", &dest, words).expect(2);
    }
    ask("verify", &dest.join("nothing"), &[]).expect(2);
    ask("verify", &dest.join("parquet"), &[]).expect(2);
    ask("files", &dest.join("parquet"), &[]).expect(2);
    ask("files", &dest, &["--since", "1", "--as-of", "0"]).expect(2);
    ask("files", &dest, &["--format", "xls"]).expect(2);
}

#[test]
fn files_lists_what_the_log_names() {
    let dest = made("tamper-files");
    let lines = |words: &[&str]| -> Vec<String> {
        ask("files", &dest, words).expect(0).stdout.lines().map(str::to_owned).collect()
    };
    let all = lines(&[]);
    assert!(all.iter().all(|path| dest.join(path).is_file()) && all.len() == 18, "{all:?}");
    let (before, after) = (lines(&["--as-of", "0"]), lines(&["--since", "0"]));
    assert_eq!([before, after].concat(), all);
    assert_eq!(lines(&["--since", "1"]), Vec::<String>::new());
    let parquet = lines(&["--format", "parquet", "--absolute"]);
    assert!(
        parquet.len() == 6
            && parquet.iter().all(|path| Path::new(path).is_absolute() && Path::new(path).is_file())
    );

    let report =
        json(&ask("files", &dest, &["--output", "json", "--since", "0", "--format", "csv"]).expect(0));
    let file = &report["files"][0];
    assert_eq!((&file["commit"], &file["format"], &file["sequence"]), (&1.into(), &"csv".into(), &1.into()));
    assert_eq!(file["from"], "2026-03-01T00:00:00");
    assert_eq!(file["sha256"].as_str().unwrap().len(), 64);

    let commit = dest.join("_audit/commits/0000000000000000.json");
    let text = fs::read_to_string(&commit).unwrap();
    fs::write(&commit, text.replace("\"rows\":", "\"rows\": ")).unwrap();
    ask("files", &dest, &[]).expect(9);
}
