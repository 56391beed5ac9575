//! `export --format`: several formats from one extraction, and formats that are added later.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::program::{run, scratch};
use crate::sandbox::{Sandbox, export};
use crate::tree::{lines, records, tree};

const FORMATS: [&str; 3] = ["parquet", "csv", "ndjson"];

fn with_formats(sandbox: &Sandbox, dest: &Path, formats: &str) -> Command {
    let mut command = export(&sandbox.url, "2026-01-01", "2026-01-06", dest);
    command.args(["--output", "json", "--format", formats]);
    command
}

#[track_caller]
fn result(command: Command) -> Value {
    serde_json::from_str(&run(command).expect(0).stdout).unwrap()
}

#[test]
fn several_formats_hold_the_same_events_and_one_can_be_added_later() {
    let folder = scratch("formats-export");
    let sandbox =
        Sandbox::start(&["--events", "2000", "--from", "2026-01-01", "--to", "2026-01-06", "--seed", "11"]);
    let (one, two) = (folder.join("one"), folder.join("two"));
    let all = result(with_formats(&sandbox, &one, "ndjson,parquet,csv,csv"));
    assert_eq!((all["rows"].as_u64(), all["files"].as_u64()), (Some(2000), Some(15)));
    let ids = |lines: &[String]| -> BTreeSet<String> {
        let id =
            |line: &String| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
        lines.iter().map(id).collect()
    };
    let events = lines(&one.join("ndjson"));
    assert_eq!((events.len(), ids(&events).len()), (2000, 2000));

    // One format after the other: the same files in the end.
    for (formats, rows) in
        [("parquet", 2000), ("parquet,csv", 2000), ("ndjson", 2000), ("csv,ndjson,parquet", 0)]
    {
        let run = result(with_formats(&sandbox, &two, formats));
        assert_eq!((run["rows"].as_u64(), run["exit_code"].as_u64()), (Some(rows), Some(0)), "{formats}");
    }
    for format in FORMATS {
        assert!(tree(&one.join(format)) == tree(&two.join(format)), "{format}");
        assert_eq!(tree(&one.join(format)).len(), 5);
    }
    // The last of these runs had nothing to settle.
    let last = result(with_formats(&sandbox, &two, "parquet,csv,ndjson"));
    assert_eq!(last["unchanged"], 5);
    assert_eq!(records(&two).len(), 15);
}

#[test]
fn a_nightly_run_fills_a_new_format_from_the_first_window() {
    let folder = scratch("formats-nightly");
    let sandbox =
        Sandbox::start(&["--events", "500", "--from", "2026-01-01", "--to", "2026-01-06", "--seed", "5"]);
    let dest = folder.join("dest");
    result(with_formats(&sandbox, &dest, "parquet"));
    let mut nightly = crate::program::program();
    nightly
        .env("VONAGE_API_KEY", crate::sandbox::KEY)
        .env("VONAGE_API_SECRET", crate::sandbox::SECRET)
        .env("VONAGE_AUDIT_API_URL", &sandbox.url)
        .args(["--output", "json", "export", "--incremental", "--format", "parquet,csv", "--dest"])
        .arg(&dest);
    let run = result(nightly);
    assert_eq!(run["from"], "2026-01-01T00:00:00");
    assert_eq!(tree(&dest.join("csv")).len(), 5);
    assert_eq!(tree(&dest.join("parquet")).len(), 5);
}

/// Two events of a day, the second of which the API shows only later.
#[test]
fn a_format_that_a_later_run_left_out_is_not_taken_for_complete() {
    let folder = scratch("formats-behind");
    let event =
        |id: &str| format!(r#"{{"id":"{id}","created_at":"2026-01-02T10:00:00","event_type":"USER_LOGIN"}}"#);
    let serve = |ids: &[&str]| {
        let data = folder.join("data.ndjson");
        std::fs::write(&data, ids.iter().map(|id| event(id) + "\n").collect::<String>()).unwrap();
        Sandbox::start(&["--data", data.to_str().unwrap()])
    };
    let dest = folder.join("dest");
    result(with_formats(&serve(&["a"]), &dest, "parquet,csv"));
    let later = serve(&["a", "b"]);
    assert_eq!(result(with_formats(&later, &dest, "parquet"))["rows"], 1);
    // CSV has not seen it yet, whichever formats are asked for beside it.
    let both = folder.join("both");
    assert!(Command::new("cp").arg("-r").arg(&dest).arg(&both).status().unwrap().success());
    for (dest, formats) in [(&dest, "csv"), (&both, "parquet,csv")] {
        assert_eq!(result(with_formats(&later, dest, formats))["rows"], 1, "{formats}");
        assert_eq!(tree(&dest.join("csv")).len(), 2, "{formats}");
        let log = tree(&dest.join("_audit"));
        assert_eq!(result(with_formats(&later, dest, "parquet,csv"))["rows"], 0);
        assert_eq!(result(with_formats(&later, dest, "parquet,csv"))["unchanged"], 5);
        assert!(tree(&dest.join("_audit")).len() <= log.len() + 1);
    }
}

#[test]
fn rows_that_were_converted_into_another_format_are_no_proof_for_it() {
    let folder = scratch("formats-partial");
    let sandbox =
        Sandbox::start(&["--events", "200", "--from", "2026-01-01", "--to", "2026-01-06", "--seed", "4"]);
    let dest = folder.join("dest");
    result(with_formats(&sandbox, &folder.join("all"), "ndjson"));
    result(with_formats(&sandbox, &dest, "parquet"));
    // A few events of the proven days, as CSV.
    let some = folder.join("some.ndjson");
    std::fs::write(&some, lines(&folder.join("all/ndjson"))[..10].join("\n")).unwrap();
    let mut convert = crate::program::program();
    convert
        .args(["convert", "--account", crate::sandbox::KEY, "--format", "csv", "--dest"])
        .arg(&dest)
        .arg(&some);
    run(convert).expect(0);
    result(with_formats(&sandbox, &dest, "csv"));
    let rows: usize = tree(&dest.join("csv"))
        .into_values()
        .map(|bytes| csv::Reader::from_reader(bytes.as_slice()).records().map(Result::unwrap).count())
        .sum();
    assert_eq!(rows, 200);
    assert_eq!(result(with_formats(&sandbox, &dest, "parquet,csv"))["rows"], 0);
}
