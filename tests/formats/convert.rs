//! `convert` as a process: what becomes a row, what is kept apart, what is said, and that it proves nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::{program, run, scratch};
use crate::python::script;
use crate::sandbox::{KEY, Sandbox, export};
use crate::tree::{lines, records, tree};

const ALL: &str = "parquet,csv,ndjson";

fn convert(files: &[&Path], dest: &Path, formats: &str) -> Command {
    let mut command = program();
    command.args(["--output", "json", "convert", "--account", KEY, "--format", formats, "--dest"]).arg(dest);
    command.args(files);
    command
}

/// Runs a conversion; gives its result.
#[track_caller]
fn converted(files: &[&Path], dest: &Path, code: i32) -> Value {
    let outcome = run(convert(files, dest, ALL)).expect(code);
    serde_json::from_str(&outcome.stdout).unwrap()
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn written(path: PathBuf, lines: &[&str]) -> PathBuf {
    fs::write(&path, lines.join("\n")).unwrap();
    path
}

fn event(id: &str, at: &str, rest: &str) -> String {
    format!(r#"{{"id":"{id}","created_at":"{at}","event_type":"USER_LOGIN"{rest}}}"#)
}

#[test]
fn hostile_events_come_through_every_format_and_every_reader() {
    let folder = scratch("formats-hostile");
    let (input, dest) = (repository("tests/data/hostile.ndjson"), folder.join("export"));
    let result = converted(&[&input], &dest, 10);
    let (lines, rows) = (result["lines"].as_u64().unwrap(), result["rows"].as_u64().unwrap());
    assert_eq!(lines, rows + result["quarantined"].as_u64().unwrap(), "{result}");
    let mut check = script("formats.py");
    check.arg(&dest).arg(&input).arg(repository("schemas/v1"));
    let said = run(check).expect(0).stdout;
    assert!(said.contains(&format!("{rows} events in three formats")), "{said}");

    // The same lines again change nothing, and another destination gets the same bytes.
    let before = tree(&dest);
    let again = converted(&[&input], &dest, 10);
    assert_eq!((again["rows"].as_u64(), again["known"].as_u64()), (Some(0), Some(rows)));
    assert!(tree(&dest) == before, "a rerun wrote something");
    converted(&[&input], &folder.join("other"), 10);
    for format in ["parquet", "csv", "ndjson"] {
        assert!(tree(&dest.join(format)) == tree(&folder.join("other").join(format)), "{format}");
    }
}

#[test]
fn one_content_is_one_row_and_another_content_is_kept_and_told() {
    let folder = scratch("formats-twice");
    let one = event("a", "2026-03-01T10:00:00", r#","n":1"#);
    let spelled = one.replace(r#","n":1"#, r#", "n" : 1 "#);
    let other = event("a", "2026-03-02T10:00:00", r#","n":1"#);
    let file = |name: &str, lines: &[&str]| written(folder.join(name), lines);
    let same = file("same.ndjson", &[&one, &spelled]);
    let result = converted(&[&same, &same], &folder.join("same"), 0);
    assert_eq!(
        (result["lines"].as_u64(), result["rows"].as_u64(), result["repeated"].as_u64()),
        (Some(4), Some(1), Some(3))
    );

    // Whatever the order of the files: the earlier one is the row.
    let (first, second) = (file("first.ndjson", &[&one]), file("second.ndjson", &[&other]));
    for (name, files) in [("ab", [&first, &second]), ("ba", [&second, &first])] {
        let dest = folder.join(name);
        let result = converted(&[files[0], files[1]], &dest, 4);
        assert_eq!((result["rows"].as_u64(), result["quarantined"].as_u64()), (Some(1), Some(1)));
        assert_eq!(result["contradictions"][0], "a");
        assert_eq!(lines(&dest.join("ndjson")), [one.as_str()]);
        let kept = lines(&dest.join("_audit/quarantine"));
        assert!(kept.len() == 1 && kept[0].contains("other-content"), "{kept:?}");
    }

    // Against what an earlier run has committed.
    let changed = file("changed.ndjson", &[&one.replace(r#""n":1"#, r#""n":1.0"#)]);
    let before = tree(&folder.join("same/parquet"));
    converted(&[&changed], &folder.join("same"), 4);
    assert!(tree(&folder.join("same/parquet")) == before);
    assert_eq!(lines(&folder.join("same/_audit/quarantine")).len(), 1);
}

/// A format that is filled in gets the content of today, one that holds another keeps it, and the run says so.
#[test]
fn a_format_is_filled_in_beside_one_that_holds_another_content() {
    let folder = scratch("formats-beside");
    let one = event("a", "2026-03-01T10:00:00", r#","n":1"#);
    let (other, more) = (one.replace(r#""n":1"#, r#""n":2"#), event("b", "2026-03-01T11:00:00", ""));
    let first = written(folder.join("first.ndjson"), &[&one]);
    let second = written(folder.join("second.ndjson"), &[&other, &more]);
    for undated in [false, true] {
        let dest = folder.join(format!("dest-{undated}"));
        let [first, second] = [&first, &second].map(|file| {
            let text = fs::read_to_string(file).unwrap();
            let text = if undated { text.replace("2026-03-01T1", "noon ") } else { text };
            written(dest.with_extension(file.file_name().unwrap()), &[&text])
        });
        run(convert(&[&first], &dest, "ndjson")).expect(0);
        for (rows, known) in [(2, 0), (0, 1)] {
            let outcome = run(convert(&[&second], &dest, "csv,ndjson")).expect(4);
            let result: Value = serde_json::from_str(&outcome.stdout).unwrap();
            let count = |name: &str| result[name].as_u64().unwrap();
            assert_eq!((count("rows"), count("known")), (rows, known), "{result}");
            assert_eq!(count("rows") + count("known") + count("quarantined"), 2, "{result}");
            assert_eq!(result["contradictions"], serde_json::json!(["a"]));
        }
        assert_eq!(lines(&dest.join("ndjson")).len(), 2);
        assert_eq!(lines(&dest.join("_audit/quarantine")).len(), 1);
        let mut verify = program();
        verify.args(["verify", "--deep"]).arg(&dest);
        // The content that is not in every format is in quarantine.
        run(verify).expect(0);
    }
}

#[test]
fn events_without_a_time_are_kept_and_told() {
    let folder = scratch("formats-no-time");
    let file = written(folder.join("in.ndjson"), &[r#"{"id":"a"}"#, &event("b", "2026-03-01T10:00:00", "")]);
    let dest = folder.join("dest");
    converted(&[&file], &dest, 0);
    let undated = "event_date=__HIVE_DEFAULT_PARTITION__/events-undated-s000.ndjson";
    assert_eq!(tree(&dest.join("ndjson"))[undated], b"{\"id\":\"a\"}\n");
    assert_eq!(tree(&dest.join("csv")).len(), 2);
    assert!(!dest.join("_audit/quarantine").exists());

    // A time that no window has is none that cannot be read: no folder is right for it.
    let file = written(folder.join("late.ndjson"), &[&event("c", "9999-12-31T23:00:00", "")]);
    let outcome = run(convert(&[&file], &dest, "csv")).expect(10);
    assert!(outcome.stderr.contains("_audit/quarantine"), "{}", outcome.stderr);
    let kept = fs::read_to_string(dest.join("_audit/quarantine/events-undated-s000.ndjson")).unwrap();
    assert!(kept.contains("no-time") && kept.lines().count() == 1, "{kept}");
}

#[test]
fn what_does_not_fit_into_memory_becomes_the_same_files() {
    let folder = scratch("formats-spilled");
    let long = "x".repeat(1_000);
    let lines: Vec<String> = (0..3_000)
        .map(|n| {
            let at = format!("2026-03-0{}T10:{:02}:{:02}", n % 3 + 1, n / 60 % 60, n % 60);
            // Some ids come again, and say something else.
            event(&format!("{:04}", n % 2_990), &at, &format!(r#","long":"{long}","n":{}"#, n % 2_985))
        })
        .chain((0..100).map(|n| format!(r#"{{"id":"undated{n}","long":"{long}"}}"#)))
        .collect();
    let file = folder.join("in.ndjson");
    fs::write(&file, lines.join("\n")).unwrap();
    let spill = folder.join("spill");
    fs::create_dir(&spill).unwrap();
    let with = |dest: &str, memory: &str, limit: &str| {
        let mut command = convert(&[&file], &folder.join(dest), ALL);
        command.args(["--memory", memory, "--spill-limit", limit, "--spill-dir"]).arg(&spill);
        run(command).expect(4).stdout
    };
    let held = with("held", "1024", "0");
    let spilled = with("spilled", "1", "1024");
    let result = |said: &str| {
        let mut said: Value = serde_json::from_str(said).unwrap();
        let counted = said.as_object_mut().unwrap();
        // The clock stands in commits.
        counted.retain(|key, _| key != "dest" && key != "head");
        said
    };
    assert_eq!(result(&held), result(&spilled));
    assert_eq!(result(&held)["windows"], 3);
    assert_eq!(result(&held)["unplaced"], 100);
    for part in ["parquet", "csv", "ndjson", "_audit/quarantine"] {
        assert!(tree(&folder.join("held").join(part)) == tree(&folder.join("spilled").join(part)), "{part}");
    }
    assert_eq!(fs::read_dir(&spill).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_read_is_refused_before_anything_is_written() {
    let folder = scratch("formats-refused");
    let good = written(folder.join("good.ndjson"), &[&event("a", "2026-03-01T10:00:00", "")]);
    let long = written(folder.join("long.ndjson"), &["{}", &"x".repeat((1 << 20) + 1)]);
    let dest = folder.join("dest");
    let with = |files: &[&Path], more: &[&str]| {
        let mut command = convert(files, &dest, ALL);
        command.args(more);
        command
    };
    for (command, word) in [
        (with(&[&good, &long], &["--line-limit", "1"]), "line 2"),
        (with(&[&good], &["--spill-dir", "formats-absent"]), "--spill-dir"),
        (with(&[&good, &folder.join("absent")], &[]), "absent"),
        (with(&[&good, &folder], &[]), "formats-refused"),
        (with(&[Path::new("-"), Path::new("-")], &[]), "twice"),
        (with(&[&good], &["--grid", "P1W"]), "P1W"),
        (convert(&[&good], &dest, "parquet,xml"), "xml"),
    ] {
        let outcome = run(command).expect(2);
        assert!(outcome.stderr.contains(word), "{word}: {}", outcome.stderr);
        assert!(!dest.exists(), "{word}");
    }
    // What takes more than may be spilled is no matter of usage, but refused as early.
    let outcome = run(with(&[&good, &long], &["--memory", "1", "--spill-limit", "0"])).expect(7);
    assert!(outcome.stderr.contains("--spill-limit"), "{}", outcome.stderr);
    assert!(!dest.exists());

    // Another account's dataset is left alone.
    run(convert(&[&good], &dest, ALL)).expect(0);
    let before = tree(&dest);
    let mut foreign = convert(&[&good], &dest, ALL);
    foreign.args(["--account", "other"]);
    let code = run(foreign).code;
    assert!(code == Some(2) || code == Some(4), "{code:?}");
    assert!(tree(&dest) == before);
}

#[test]
fn standard_input_is_a_file_too() {
    let folder = scratch("formats-stdin");
    let file = written(folder.join("in.ndjson"), &[&event("a", "2026-03-01T10:00:00", "")]);
    let mut command = convert(&[Path::new("-")], &folder.join("dest"), "ndjson");
    command.stdin(Stdio::from(fs::File::open(&file).unwrap()));
    let outcome = command.output().unwrap();
    assert!(outcome.status.success(), "{}", String::from_utf8_lossy(&outcome.stderr));
    assert_eq!(lines(&folder.join("dest/ndjson")), [fs::read_to_string(&file).unwrap()]);
}

#[test]
fn the_summary_says_that_nothing_is_proven() {
    let folder = scratch("formats-summary");
    let file = written(folder.join("in.ndjson"), &[&event("a", "2026-03-01T10:00:00", "")]);
    let mut command = program();
    command.args(["convert", "--account", KEY, "--dest"]).arg(folder.join("dest")).arg(&file);
    let outcome = run(command).expect(0);
    assert!(outcome.stdout.contains("not proven against the API"), "{}", outcome.stdout);
}

#[test]
fn a_conversion_is_no_proof_and_an_export_adopts_its_rows() {
    let folder = scratch("formats-no-proof");
    let sandbox =
        Sandbox::start(&["--events", "600", "--from", "2026-01-01", "--to", "2026-01-04", "--seed", "3"]);
    let run_export = |dest: &Path, code: i32| {
        let mut command = export(&sandbox.url, "2026-01-01", "2026-01-04", dest);
        command.args(["--format", ALL, "--output", "json"]);
        let result: Value = serde_json::from_str(&run(command).expect(code).stdout).unwrap();
        result
    };
    let levels = |dest: &Path| -> Vec<String> {
        records(dest)
            .iter()
            .map(|record| record["certificate"]["level"].as_str().unwrap().to_owned())
            .collect()
    };
    let proven = folder.join("proven");
    assert_eq!(run_export(&proven, 0)["rows"], 600);
    let all = lines(&proven.join("ndjson"));
    assert_eq!(all.len(), 600);
    let input = folder.join("events.ndjson");
    fs::write(&input, all.join("\n")).unwrap();

    // Everything, converted: the same files as the export, and no proof.
    let dest = folder.join("converted");
    assert_eq!(converted(&[&input], &dest, 0)["rows"], 600);
    assert_eq!(levels(&dest), ["none"; 3]);
    for format in ["csv", "ndjson"] {
        assert!(tree(&dest.join(format)) == tree(&proven.join(format)), "{format}");
    }
    let before = (tree(&dest.join("parquet")), tree(&dest.join("csv")), tree(&dest.join("ndjson")));
    let settled = run_export(&dest, 0);
    assert_eq!((settled["events"].as_u64(), settled["rows"].as_u64()), (Some(600), Some(0)), "{settled}");
    assert_eq!(levels(&dest)[3..], ["bracketed"; 3]);
    assert!(before == (tree(&dest.join("parquet")), tree(&dest.join("csv")), tree(&dest.join("ndjson"))));

    // A conversion afterwards neither adds to the log nor takes the proof away.
    let log = tree(&dest.join("_audit/commits"));
    converted(&[&input], &dest, 0);
    let some = folder.join("some.ndjson");
    fs::write(&some, all[..10].join("\n")).unwrap();
    converted(&[&some], &dest, 0);
    assert!(tree(&dest.join("_audit/commits")) == log);
    assert_eq!(run_export(&dest, 0)["unchanged"], 3);

    // A part, converted: the export adds the rest, and what no other run lists is not said to have vanished.
    let part = folder.join("part");
    converted(&[&some], &part, 0);
    fs::write(&some, all[10..20].join("\n")).unwrap();
    converted(&[&some], &part, 0);
    assert!(records(&part).iter().all(|record| record["vanished"].as_array().unwrap().is_empty()));
    assert_eq!(run_export(&part, 0)["rows"], 580);
    for format in ["csv", "ndjson"] {
        let mut here = lines(&part.join(format));
        let mut there = lines(&proven.join(format));
        here.sort();
        there.sort();
        here.dedup();
        there.dedup();
        assert!(here == there, "{format}");
    }

    // One event changed: the row stays, the other content is kept, and the export says so.
    let altered = folder.join("altered");
    let first = all[0].replacen("\"source\":", "\"source \":", 1);
    assert_ne!(first, all[0]);
    fs::write(&some, &first).unwrap();
    converted(&[&some], &altered, 0);
    run_export(&altered, 4);
    assert!(lines(&altered.join("ndjson")).contains(&first));
    assert_eq!(lines(&altered.join("_audit/quarantine")).len(), 1);
}

#[test]
fn unfinished_files_of_every_format_are_adopted_and_late_events_follow() {
    let folder = scratch("formats-adopted");
    let dest = folder.join("dest");
    let link = |scheme: &str| {
        format!(r#","_links":{{"self":{{"href":"{scheme}://x/a"}}}},"context":{{ "a" : [ 1 ] }}"#)
    };
    let of = |scheme: &str| event("a", "2026-03-01T10:00:00", &link(scheme));
    let first = written(folder.join("first.ndjson"), &[&of("http")]);
    converted(&[&first], &dest, 0);
    let files = || ["parquet", "csv", "ndjson"].map(|format| tree(&dest.join(format)));
    let before = files();
    // As if the run had died before its commit.
    fs::remove_dir_all(dest.join("_audit/commits")).unwrap();

    // The same event by another link: other bytes in every format, the same content.
    let second = written(folder.join("second.ndjson"), &[&of("https")]);
    let result = converted(&[&second], &dest, 0);
    assert_eq!((result["rows"].as_u64(), result["files"].as_u64()), (Some(1), Some(3)));
    assert!(files() == before);
    assert_eq!(records(&dest).len(), 1);

    // A late event: one more file of each format, and nothing but the new event in it. The context's white space, which
    // NDJSON does not have, makes no difference.
    let late = event("b", "2026-03-01T09:00:00", "");
    let third = written(folder.join("third.ndjson"), &[&of("http"), &late]);
    let result = converted(&[&third], &dest, 0);
    assert_eq!(
        (result["rows"].as_u64(), result["known"].as_u64(), result["files"].as_u64()),
        (Some(1), Some(1), Some(3))
    );
    let after = files();
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(after.len(), 2);
        assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)));
    }
    assert_eq!(after[2]["event_date=2026-03-01/events-20260301-s001.ndjson"], format!("{late}\n").as_bytes());

    // A file that was damaged is found, whatever its format.
    for format in ["csv", "ndjson"] {
        let path = dest.join(format!("{format}/event_date=2026-03-01/events-20260301-s000.{format}"));
        let whole = fs::read(&path).unwrap();
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        #[allow(clippy::permissions_set_readonly_false, reason = "the test's own file")]
        permissions.set_readonly(false);
        fs::set_permissions(&path, permissions).unwrap();
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        converted(&[&third], &dest, 9);
        fs::write(&path, whole).unwrap();
    }
    converted(&[&third], &dest, 0);
}
