//! Partitions and parts from outside: the whole program over a socket, every key and many combinations in every format,
//! read back by DuckDB, pyarrow and Spark with their own reading of Hive's folders.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; helpers of tests are tests too"
)]

#[path = "harness/folder.rs"]
mod folder;
#[path = "harness/program.rs"]
mod program;
#[path = "harness/python.rs"]
mod python;
#[path = "harness/sandbox.rs"]
mod sandbox;
#[path = "formats/tree.rs"]
mod tree;

use std::fs;
use std::path::Path;
use std::process::Command;

use program::{program, run, scratch};
use python::script;
use sandbox::{KEY, Sandbox, export};
use serde_json::{Value, json};
use tree::tree;

/// Every key, and combinations in several orders, with the length of parts.
const LAYOUTS: [(&str, Option<&str>); 14] = [
    ("event_date", None),
    ("event_month", None),
    ("event_year", None),
    ("event_type", None),
    ("account", None),
    ("none", None),
    ("none", Some("6h")),
    ("event_date,event_type", None),
    ("event_type,event_date", Some("12h")),
    ("event_type,account", None),
    ("account,event_month", Some("8h")),
    ("event_year,event_month,event_date", None),
    ("event_year,event_type,account", None),
    ("event_month,account,event_type,event_year,event_date", Some("1h")),
];

const FORMATS: [&str; 3] = ["parquet", "csv", "ndjson"];

/// Types and accounts that want out of their folder, or look like something else.
fn events() -> Vec<String> {
    let long = "LONG_".repeat(60);
    let other = format!("{}X", "LONG_".repeat(60));
    let types = [
        json!("NUMBER_RELEASE"),
        json!("number_release"),
        json!("../"),
        json!("../../../../escaped"),
        json!("a\0b"),
        json!("CON"),
        json!("é"),
        json!("e\u{301}"),
        json!("A/B"),
        json!("A%2FB"),
        json!("a b."),
        json!("~"),
        json!("__HIVE_DEFAULT_PARTITION__"),
        json!("null"),
        json!("2026"),
        json!("00123"),
        json!(long),
        json!(other),
        json!(""),
        Value::Null,
        json!(5),
        json!(true),
        json!({"a": 1}),
    ];
    let accounts =
        [json!("abcd1234"), json!("00123456"), json!("1e345678"), json!(""), Value::Null, json!(7)];
    let mut lines = Vec::new();
    for (number, kind) in types.iter().enumerate() {
        for (position, account) in accounts.iter().enumerate() {
            let (day, hour) = (28 + number % 5, (number * 7 + position * 5) % 24);
            let time = match day {
                28 => format!("2025-12-28T{hour:02}:00:00"),
                29 => format!("2025-12-31T{hour:02}:59:59"),
                day => format!("2026-01-{:02}T{hour:02}:30:00", day - 29),
            };
            let id = format!("{number:02}-{position}");
            let event = json!({"id": id, "event_type": kind, "account_id": account, "created_at": time});
            lines.push(event.to_string());
        }
    }
    lines.extend(undated(0..4));
    lines
}

/// Events whose time cannot be read.
fn undated(numbers: std::ops::Range<usize>) -> Vec<String> {
    let times = ["null", "\"yesterday\"", "\"2026-13-01T00:00:00\"", "17", "{}", "\"\""];
    numbers
        .map(|number| {
            let (time, kind) = (times[number % times.len()], ["APP_CREATE", "../"][number % 2]);
            format!(
                r#"{{"id":"undated-{number}","event_type":"{kind}","account_id":"abcd1234","created_at":{time},"context":{{"n":1E2}}}}"#
            )
        })
        .collect()
}

fn serve(folder: &Path, name: &str, lines: &[String]) -> Sandbox {
    let data = folder.join(name);
    fs::write(&data, lines.join("\n") + "\n").unwrap();
    Sandbox::start(&["--data", data.to_str().unwrap()])
}

fn laid_out(sandbox: &Sandbox, dest: &Path, keys: &str, part: Option<&str>) -> Command {
    let mut command = export(&sandbox.url, "2025-12-27", "2026-01-06", dest);
    command.args(["--output", "json", "--format", "parquet,csv,ndjson", "--partition-by", keys]);
    if let Some(part) = part {
        command.args(["--part", part]);
    }
    command
}

#[track_caller]
fn result(command: Command, code: i32) -> Value {
    serde_json::from_str(&run(command).expect(code).stdout).unwrap()
}

/// Needs Java 17 for Spark.
#[test]
fn every_layout_in_every_format_is_read_by_others() {
    let folder = scratch("partitioning-all");
    let lines = events();
    let sandbox = serve(&folder, "events.ndjson", &lines);
    let mut files = 0;
    for (position, (keys, part)) in LAYOUTS.into_iter().enumerate() {
        let dest = folder.join(format!("{position:02}"));
        let said = result(laid_out(&sandbox, &dest, keys, part), 0);
        assert_eq!((said["rows"].as_u64(), said["undated"].as_u64()), (Some(lines.len() as u64), Some(4)));
        assert_eq!(said["quarantined"], 0, "{keys}");
        // Every file is where it belongs, and nothing is elsewhere.
        let all = tree(&dest);
        let data =
            all.keys().filter(|name| FORMATS.iter().any(|format| name.starts_with(&format!("{format}/"))));
        let own = data.count();
        assert_eq!(said["files"].as_u64(), Some(own as u64), "{keys}");
        assert!(all.keys().all(|name| name.starts_with("_audit/") || !name.contains("..")), "{keys}");
        files += own;
        // Again without flags, which are the dataset's own: nothing is added or read again.
        let mut again = export(&sandbox.url, "2025-12-27", "2026-01-06", &dest);
        again.args(["--output", "json", "--format", "parquet,csv,ndjson"]);
        assert_eq!(result(again, 0)["rows"], 0, "{keys}");
        assert!(tree(&dest) == all, "{keys}: a rerun wrote something");
        let keys: Vec<_> = if keys == "none" { Vec::new() } else { keys.split(',').collect() };
        fs::write(dest.with_extension("json"), json!(keys).to_string()).unwrap();
    }
    for outside in fs::read_dir(&folder).unwrap() {
        let name = outside.unwrap().file_name().into_string().unwrap();
        assert!(name.starts_with(|first: char| first.is_ascii_digit()) || name == "events.ndjson", "{name}");
    }
    let mut readers = script("partitions.py");
    readers.env("SPARK_LOCAL_IP", "127.0.0.1").arg(&folder).arg(folder.join("events.ndjson"));
    let said = run(readers).expect(0).stdout;
    println!("{} layouts, {files} files of {} events; {said}", LAYOUTS.len(), lines.len());
    assert!(said.contains(&format!("{} layouts read", LAYOUTS.len())), "{said}");
}

/// Needs Java 17 for Spark.
#[test]
fn the_statements_for_engines_know_the_datasets_folders() {
    let folder = scratch("partitioning-ddl");
    // What engines hold against each other needs plain texts; hostile ones are above.
    let lines: Vec<String> = (0..60)
        .map(|number| {
            let (day, kind) = (1 + number % 3, ["NUMBER_UPDATED", "USER_LOGIN", "number/x"][number / 3 % 3]);
            format!(
                r#"{{"id":"e{number:02}","event_type":"{kind}","account_id":"0012345{}","created_at":"2026-01-0{day}T10:00:00","context":{{"msisdn":"447700900{number:03}","country":"GB"}}}}"#,
                number % 2
            )
        })
        .chain(undated(0..2))
        .collect();
    let sandbox = serve(&folder, "events.ndjson", &lines);
    let all: &[&str] = &["duckdb", "clickhouse", "spark"];
    for (keys, engines) in [
        ("event_type,account,event_date", all),
        ("event_year,event_month", &["duckdb", "clickhouse"]),
        ("none", &["duckdb"]),
    ] {
        let dest = folder.join(keys.replace(',', "-"));
        result(laid_out(&sandbox, &dest, keys, None), 0);
        for engine in engines {
            let mut ddl = program();
            ddl.args(["schema", "ddl", "--engine", *engine, "--dest"]).arg(&dest);
            let sql = folder.join(format!("{engine}.sql"));
            fs::write(&sql, run(ddl).expect(0).stdout).unwrap();
            let mut asked = script("engines.py");
            asked.env("SPARK_LOCAL_IP", "127.0.0.1").arg(engine).arg(&dest).arg(sql);
            let said = run(asked).expect(0).stdout;
            assert!(said.contains("62 rows, 41 columns"), "{engine} {keys}: {said}");
        }
    }
}

#[test]
fn a_window_with_too_many_partitions_is_left_out_and_told() {
    let folder = scratch("partitioning-limit");
    let line = |day: usize, kind: usize| {
        format!(r#"{{"id":"{day}-{kind}","event_type":"T{kind}","created_at":"2026-01-0{day}T10:00:00"}}"#)
    };
    let lines = [line(1, 0), line(2, 0), line(2, 1), line(2, 2), line(3, 1)];
    let sandbox = serve(&folder, "events.ndjson", &lines);
    let dest = folder.join("dest");
    let limited = |limit: &str| {
        let mut command = laid_out(&sandbox, &dest, "event_type", None);
        command.args(["--partition-limit", limit]);
        command
    };
    let said = result(limited("2"), 3);
    assert_eq!((said["rows"].as_u64(), said["unproven"].as_array().unwrap().len()), (Some(2), 1));
    let why = said["unproven"][0]["error"].as_str().unwrap();
    assert!(why.contains("more partitions than the limit") && why.contains("2026-01-02"), "{why}");
    assert!(tree(&dest).keys().all(|name| !name.contains("20260102")), "something of it was written");
    assert!(tree::records(&dest).iter().all(|record| record["from"] != "2026-01-02T00:00:00"));
    let said = result(limited("3"), 0);
    assert_eq!(said["rows"], 3);
    assert_eq!(tree(&dest.join("csv")).len(), 5);
}

#[test]
fn a_layout_is_fixed_when_the_dataset_is_created() {
    let folder = scratch("partitioning-fixed");
    let sandbox = serve(&folder, "events.ndjson", &events());
    let dest = folder.join("dest");
    for (keys, part, why) in [
        ("type", None, "not a partitioning"),
        ("event_date,event_date", None, "not a partitioning"),
        ("", None, "not a partitioning"),
        ("event_date", Some("7h"), "does not divide"),
        ("event_date", Some("90s"), "does not divide"),
        ("event_date", Some("2d"), "does not divide"),
        ("event_date", Some("0m"), ""),
        ("event_date", Some("soon"), "--part"),
    ] {
        let said = run(laid_out(&sandbox, &dest, keys, part)).expect(2).stderr;
        assert!(said.contains(why), "{keys} {part:?}: {said}");
        assert!(!dest.exists());
    }
    result(laid_out(&sandbox, &dest, "event_type", Some("12h")), 0);
    let before = tree(&dest);
    for (keys, part, why) in [("event_date", None, "partition-by"), ("event_type", Some("6h"), "part")] {
        let said = run(laid_out(&sandbox, &dest, keys, part)).expect(2).stderr;
        assert!(said.contains(why), "{said}");
    }
    assert!(tree(&dest) == before);
    // A part that is the whole window is none.
    let whole = folder.join("whole");
    result(laid_out(&sandbox, &whole, "event_date", Some("1d")), 0);
    result(laid_out(&sandbox, &whole, "event_date", None), 0);
}

#[test]
fn events_without_a_time_are_rows_and_later_ones_are_added() {
    let folder = scratch("partitioning-undated");
    let dest = folder.join("dest");
    let dated = &events()[..20];
    let with = |count: usize| [dated.to_vec(), undated(0..count)].concat();
    for (count, rows, slots) in [(3, 23, 1), (3, 0, 1), (6, 3, 2), (6, 0, 2), (5, 0, 2)] {
        let sandbox = serve(&folder, &format!("{count}.ndjson"), &with(count));
        let said = result(laid_out(&sandbox, &dest, "event_date", None), 0);
        assert_eq!((said["rows"].as_u64(), said["quarantined"].as_u64()), (Some(rows), Some(0)), "{count}");
        for format in FORMATS {
            let names = tree(&dest.join(format));
            let undated =
                names.keys().filter(|name| name.contains("__HIVE_DEFAULT_PARTITION__/events-undated-s"));
            assert_eq!(undated.count(), slots, "{format} {count}");
        }
        // Once the counts are known, nothing is written for the same again.
        let before = tree(&dest);
        result(laid_out(&sandbox, &dest, "event_date", None), 0);
        assert!(tree(&dest) == before, "{count}");
    }
    // Their text is as it was.
    let kept = tree::lines(&dest.join("ndjson"));
    for line in undated(0..6) {
        assert!(kept.contains(&line), "{line}");
    }
    assert!(!dest.join("_audit/quarantine").exists());

    // From files as well, and an event that has no id either is kept apart.
    let file = folder.join("given.ndjson");
    let mut lines = with(6);
    lines.push(r#"{"created_at":null,"x":1}"#.to_owned());
    fs::write(&file, lines.join("\n")).unwrap();
    let converted = folder.join("converted");
    for (rows, known) in [(26, 0), (0, 26)] {
        let mut convert = program();
        convert.args(["--output", "json", "convert", "--account", KEY, "--partition-by", "event_date"]);
        convert.args(["--format", "parquet,csv,ndjson", "--dest"]).arg(&converted).arg(&file);
        let said = result(convert, 10);
        let counts = ["rows", "known", "quarantined", "unplaced"].map(|name| said[name].as_u64().unwrap());
        assert_eq!(counts, [rows, known, 1, 7]);
    }
}
