//! `export --dest -`: whole windows on standard output, nothing else there, and the exit code as the proof.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::{run, scratch};
use crate::python::script;
use crate::sandbox::{Sandbox, export};
use crate::tree::tree;

fn stream(sandbox: &Sandbox, format: &str) -> Command {
    let mut command = export(&sandbox.url, "2026-01-01", "2026-01-06", Path::new("-"));
    command.args(["--format", format]);
    command
}

fn month() -> Sandbox {
    Sandbox::start(&["--events", "3000", "--from", "2026-01-01", "--to", "2026-01-06", "--seed", "11"])
}

/// A file's bytes as a stream of the same format has them: all files one after the other, in order of time.
fn joined(folder: &Path) -> String {
    tree(folder).into_values().map(|bytes| String::from_utf8(bytes).unwrap()).collect()
}

#[test]
fn a_stream_holds_what_the_files_hold_in_order_and_writes_nothing_else() {
    let folder = scratch("formats-stream");
    let sandbox = month();
    for (flags, name) in [
        (&["--ndjson-shape", "events"][..], "events"),
        (&["--ndjson-shape", "flat", "--csv-formula-guard", "off"], "flat"),
    ] {
        let dest = folder.join(name);
        let mut files = export(&sandbox.url, "2026-01-01", "2026-01-06", &dest);
        files.args(["--format", "csv,ndjson"]).args(flags);
        run(files).expect(0);
        let mut lines = stream(&sandbox, "ndjson");
        lines.args(flags).current_dir(&folder);
        let outcome = run(lines).expect(0);
        assert!(outcome.stdout == joined(&dest.join("ndjson")), "{name}");
        assert!(outcome.stderr.contains("complete and proven"), "{}", outcome.stderr);
        let mut rows = stream(&sandbox, "csv");
        rows.args(flags);
        let csv = run(rows).expect(0).stdout;
        let (header, _) = csv.split_once("\r\n").unwrap();
        let header = format!("{header}\r\n");
        let all = joined(&dest.join("csv"));
        assert!(all.matches(&header).count() == 5 && csv.matches(&header).count() == 1);
        assert!(csv == format!("{header}{}", all.replace(&header, "")), "{name}");
    }
    assert!(!folder.join("-").exists());
    // Quiet and for programs: the report is on the other side.
    let mut quiet = stream(&sandbox, "csv");
    quiet.args(["--quiet", "--output", "json"]);
    let outcome = run(quiet).expect(0);
    let report: Value = serde_json::from_str(&outcome.stderr).unwrap();
    assert_eq!(
        (&report["rows"], &report["dest"], &report["head"]),
        (&3000.into(), &"-".into(), &Value::Null)
    );
    assert!(outcome.stdout.starts_with("id,"));
}

#[test]
fn arrow_is_read_by_pyarrow() {
    let folder = scratch("formats-arrow");
    let sandbox = month();
    let dest = folder.join("files");
    run(export(&sandbox.url, "2026-01-01", "2026-01-06", &dest)).expect(0);
    let path = folder.join("stream.arrow");
    let status =
        stream(&sandbox, "arrow").stdout(fs::File::create(&path).unwrap()).stderr(Stdio::null()).status();
    assert!(status.unwrap().success());
    let mut check = script("stream.py");
    check.arg(&path).arg(&dest);
    assert_eq!(run(check).expect(0).stdout.trim(), "3000 rows alike");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let sandbox = month();
    for format in ["ndjson", "csv", "arrow"] {
        let mut child =
            stream(&sandbox, format).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 16];
        child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{format}: {said}");
        assert!(!said.contains("error"), "{said}");
    }
}

/// Days of one event each, but for one whose second holds more than the API counts.
fn dense(folder: &Path) -> PathBuf {
    let event = |id: String, at: &str| {
        format!("{{\"id\":\"{id}\",\"created_at\":\"{at}\",\"event_type\":\"USER_LOGIN\"}}\n")
    };
    let mut text: String =
        (1..=5).map(|day| event(format!("day-{day}"), &format!("2026-01-{day:02}T12:00:00"))).collect();
    text.extend((0..1_600).map(|number| event(format!("dense-{number}"), "2026-01-03T15:00:00")));
    let path = folder.join("dense.ndjson");
    fs::write(&path, text).unwrap();
    path
}

fn ids(lines: &str) -> BTreeSet<String> {
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    lines.lines().map(id).collect()
}

#[test]
fn a_window_that_is_not_proven_is_left_out_and_told_and_others_follow() {
    let folder = scratch("formats-unproven");
    let data = dense(&folder);
    let sandbox = Sandbox::start(&["--data", data.to_str().unwrap(), "--behaviour", "totals=capped:1500"]);
    let mut command = stream(&sandbox, "ndjson");
    command.args(["--window-requests", "50"]);
    let outcome = run(command).expect(3);
    let found = ids(&outcome.stdout);
    assert!(found.iter().all(|id| !id.starts_with("dense")), "{found:?}");
    assert!(!found.contains("day-3") && found.contains("day-1") && found.contains("day-5"), "{found:?}");
    assert!(outcome.stderr.contains("2026-01-03"), "{}", outcome.stderr);
}

#[test]
fn events_without_a_time_come_last_and_events_that_are_no_rows_are_told() {
    let folder = scratch("formats-stream-flawed");
    let data = folder.join("data.ndjson");
    let deep = format!("{}1{}", "[".repeat(80), "]".repeat(80));
    let text = format!(
        "{}\n{}\n{}\n",
        r#"{"id":"undated","created_at":"yesterday","event_type":"USER_LOGIN"}"#,
        r#"{"id":"dated","created_at":"2026-01-02T10:00:00","event_type":"USER_LOGIN"}"#,
        format_args!(r#"{{"id":"deep","created_at":"2026-01-02T11:00:00","context":{{"a":{deep}}}}}"#),
    );
    fs::write(&data, text).unwrap();
    let sandbox = Sandbox::start(&["--data", data.to_str().unwrap()]);
    for format in ["ndjson", "csv"] {
        let mut command = stream(&sandbox, format);
        command.args(["--ndjson-shape", "flat"]);
        let outcome = run(command).expect(10);
        let rows: Vec<_> = outcome.stdout.lines().filter(|line| line.contains("dated")).collect();
        assert!(
            matches!(rows[..], [first, last] if first.contains("2026-01-02T10:00:00Z")
            && last.contains("undated") && last.contains("yesterday")),
            "{rows:?}"
        );
        assert!(outcome.stderr.contains("deep") && !outcome.stdout.contains("deep"), "{}", outcome.stderr);
        if format == "ndjson" {
            assert!(rows[1].contains(r#""created_at":null"#));
        }
    }
}

#[test]
fn what_a_stream_cannot_do_is_said_before_anything_is_requested() {
    let base = |flags: &[&str]| {
        let mut command = crate::program::program();
        command
            .env("VONAGE_API_KEY", crate::sandbox::KEY)
            .env("VONAGE_API_SECRET", crate::sandbox::SECRET)
            .env("VONAGE_AUDIT_API_URL", "http://127.0.0.1:9")
            .args(flags);
        command
    };
    for (flags, said) in [
        (&["export", "--from", "2026-01-01", "--dest", "-"][..], "ndjson, csv or arrow"),
        (&["export", "--from", "2026-01-01", "--dest", "-", "--format", "csv,ndjson"], "one format"),
        (&["export", "--incremental", "--dest", "-", "--format", "csv"], "dataset"),
        (&["export", "--from", "last", "--dest", "-", "--format", "csv"], "dataset"),
        (
            &["export", "--from", "2026-01-01", "--dest", "-", "--format", "csv", "--compression", "zstd"],
            "--compression",
        ),
        (&["plan", "--from", "2026-01-01", "--dest", "-"], "standard output is no dataset"),
        (&["export", "--from", "2026-01-01", "--dest", "d", "--format", "arrow"], "not a format"),
        (&["convert", "--account", "a", "--dest", "-", "Cargo.toml"], "standard output is no dataset"),
    ] {
        let outcome = run(base(flags)).expect(2);
        assert!(outcome.stderr.contains(said), "{flags:?}: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty(), "{flags:?}");
    }
}
