//! The table learns, and engines read it: `docs/schema.md` followed word for word.
//!
//! An account has a 30th event type with a nested context. The guide's commands export it, report it, propose columns,
//! add them, go on with the same dataset, and ask it in DuckDB. Then DuckDB, ClickHouse, Spark and PostgreSQL each run
//! the statements of `schema ddl` over that dataset, whose files have two lengths.

#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test program")]

#[path = "harness/program.rs"]
mod program;
#[path = "harness/python.rs"]
mod python;
#[path = "harness/sandbox.rs"]
mod sandbox;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use program::{Outcome, program, run, scratch};
use python::script;
use sandbox::{KEY, SECRET, Sandbox, export};
use serde_json::Value;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Events of February 2026: on each day some that the table knows and one of a type that nobody has documented.
fn events() -> String {
    let mut text = String::new();
    for day in 1..=28 {
        let mut event = |hour: u32, event_type: &str, context: &str| {
            let _ = writeln!(
                text,
                r#"{{"id":"{event_type}-{day}-{hour}","event_type":"{event_type}","created_at":"2026-02-{day:02}T{hour:02}:00:00","user_email":"ops@example.org","user_id":7,"account_id":"{KEY}","source":"CD","context":{context}}}"#
            );
        };
        event(1, "NUMBER_UPDATED", &format!(r#"{{"country":"GB","msisdn":"4477009000{day:02}"}}"#));
        event(2, "USER_LOGIN", "null");
        event(3, "APP_CREATE", r#"{"created":{"name":"=it's \"quoted\", née\nx","type":"'voice"}}"#);
        event(
            4,
            "TRUNK_CREATE",
            &format!(
                r#"{{"trunk":{{"id":"t-{day}","channels":{day},"tls":{},"region":{{"code":"eu-1"}},"tags":["a",1.50]}}}}"#,
                day % 2 == 0
            ),
        );
    }
    text
}

/// The commands of the guide's sh blocks, with the exit code that each promises.
fn commands(guide: &str) -> Vec<(String, i32)> {
    let mut commands = Vec::new();
    for block in guide.split("```sh\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            let (command, code) = line.split_once("  # exits with ").unwrap_or((line, "0"));
            commands.push((command.to_owned(), code.trim().parse().unwrap()));
        }
    }
    commands
}

/// Follows the guide in this folder.
fn follow(folder: &Path) -> Vec<Outcome> {
    let events_file = folder.join("events.ndjson");
    fs::write(&events_file, events()).unwrap();
    let sandbox = Sandbox::start(&["--data", events_file.to_str().unwrap()]);
    let binary = Path::new(env!("CARGO_BIN_EXE_vonage-audit")).parent().unwrap();
    let guide = fs::read_to_string(repository("docs/schema.md")).unwrap();
    let commands = commands(&guide);
    assert!(commands.len() >= 9, "{commands:?}");
    let mut outcomes = Vec::new();
    for (line, code) in commands {
        let mut shell = Command::new("sh");
        shell
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", binary.display()))
            .env("VONAGE_API_KEY", KEY)
            .env("VONAGE_API_SECRET", SECRET)
            .env("VONAGE_AUDIT_API_URL", &sandbox.url)
            .args(["-c", &line])
            .current_dir(folder);
        outcomes.push(run(shell).expect(code));
    }
    outcomes
}

#[test]
fn the_guide_works_as_it_reads() {
    let folder = scratch("schema-guide");
    let outcomes = follow(&folder);

    let drift = &outcomes[0].stderr;
    assert!(drift.contains("new event type  TRUNK_CREATE × 14"), "{drift}");
    assert!(drift.contains("new pointer     TRUNK_CREATE /context/trunk/channels: integer × 14"), "{drift}");
    assert!(!drift.contains("eu-1") && !drift.contains("t-3"), "a value is in the report: {drift}");
    let proposed = &outcomes[1].stdout;
    assert!(proposed.contains("context__trunk__channels int64"), "{proposed}");
    assert!(proposed.contains("nothing was written"), "{proposed}");

    // The log says it too, day by day, and reads back.
    let commit = fs::read_to_string(folder.join("audit/_audit/commits/0000000000000000.json")).unwrap();
    let commit: Value = serde_json::from_str(&commit).unwrap();
    let told = &commit["windows"][0]["drift"];
    assert_eq!((told["total"].as_u64(), told["unnamed"].as_u64()), (Some(6), Some(0)), "{told}");
    assert_eq!(told["findings"][0]["event_type"], "TRUNK_CREATE");
    let last = fs::read_dir(folder.join("audit/_audit/commits")).unwrap().count() - 1;
    let last = fs::read_to_string(folder.join(format!("audit/_audit/commits/{last:016}.json"))).unwrap();
    let last: Value = serde_json::from_str(&last).unwrap();
    assert!(last["windows"][0].get("drift").is_none(), "{last}");
    let version = last["schema"]["version"].as_str().unwrap();
    assert!(version.starts_with("1.0.0+1."), "{version}");
    let shown: Value = serde_json::from_str(&fs::read_to_string(folder.join("table.json")).unwrap()).unwrap();
    assert_eq!(shown["version"], version);
    assert_eq!(shown["fingerprint"], last["schema"]["fingerprint"]);

    let mut queries = script("queries.py");
    queries.current_dir(&folder).arg("audit").arg("audit.sql").arg(repository("docs/schema.md"));
    let asked = run(queries).expect(0).stdout;
    assert!(asked.contains("schema.md: 14 rows"), "{asked}");
}

#[test]
fn engines_read_files_of_two_lengths() {
    let folder = scratch("schema-engines");
    follow(&folder);
    // PostgreSQL reads CSV files, as they are written: with a guard before formulas.
    let sandbox = Sandbox::start(&["--data", folder.join("events.ndjson").to_str().unwrap()]);
    for (from, to, longer) in [("2026-02-01", "2026-02-15", false), ("2026-02-15", "2026-03-01", true)] {
        let mut command = export(&sandbox.url, from, to, &folder.join("audit-csv"));
        command.args(["--format", "parquet,csv"]);
        if longer {
            command.arg("--schema-dir").arg(folder.join("columns"));
        }
        run(command).expect(0);
    }
    for engine in ["duckdb", "clickhouse", "postgres", "spark"] {
        let dest = folder.join(if engine == "postgres" { "audit-csv" } else { "audit" });
        let mut ddl = program();
        ddl.args(["schema", "ddl", "--engine", engine, "--schema-dir"]).arg(folder.join("columns"));
        ddl.arg("--dest").arg(&dest);
        let sql = folder.join(format!("{engine}.sql"));
        fs::write(&sql, run(ddl).expect(0).stdout).unwrap();
        let mut asked = script("engines.py");
        asked.env("SPARK_LOCAL_IP", "127.0.0.1").arg(engine).arg(&dest).arg(sql);
        let said = run(asked).expect(0).stdout;
        assert!(said.contains("112 rows, 46 columns, files of 2 widths, 30 views"), "{said}");
    }
}

#[test]
fn a_directory_that_does_more_than_add_is_refused_before_anything_is_asked() {
    let folder = scratch("schema-refused");
    let events_file = folder.join("events.ndjson");
    fs::write(&events_file, events()).unwrap();
    let columns = folder.join("columns");
    let mut infer = program();
    infer.args(["schema", "infer", "--write", "--schema-dir"]).arg(&columns).arg(&events_file);
    run(infer).expect(0);
    let lock = fs::read_to_string(columns.join("table.lock.json")).unwrap();

    let renamed = lock.replace(r#""name": "user_email""#, r#""name": "user_mail""#);
    let without: Vec<_> = lock.lines().filter(|line| !line.contains(r#""name": "source_ip""#)).collect();
    let small_id = lock.replace(r#""field_id": 10000"#, r#""field_id": 500"#);
    let builtin = fs::read_to_string(repository("schemas/v1/table.lock.json")).unwrap();
    for (what, text) in [
        ("not the one of the column list", renamed),
        ("not the one of the column list", without.join("\n")),
        ("not the one of the column list", small_id),
        ("the version has another form", builtin),
        ("cannot read a schema document", "{".to_owned()),
    ] {
        fs::write(columns.join("table.lock.json"), &text).unwrap();
        let dest = folder.join("audit");
        // No server listens there: the directory is looked at first.
        let mut command = export("http://127.0.0.1:9", "2026-02-01", "2026-02-02", &dest);
        command.arg("--schema-dir").arg(&columns);
        let said = run(command).expect(2).stderr;
        assert!(said.contains(what), "{said}");
        assert!(!dest.exists());
        // With the right fingerprint it is still more than an addition.
        if let Some((_, expected)) = said.split_once("expected ") {
            let wrong: Value = serde_json::from_str(&text).unwrap();
            let expected: String = expected.chars().take(64).collect();
            let text = text.replace(wrong["fingerprint"].as_str().unwrap(), &expected);
            fs::write(columns.join("table.lock.json"), &text).unwrap();
            let mut check = program();
            check.args(["schema", "check", "--schema-dir"]).arg(&columns);
            let said = run(check).expect(2).stderr;
            assert!(
                ["too small", "x_", "newest built-in columns"].iter().any(|why| said.contains(why)),
                "{said}"
            );
        }
    }

    // Back as it was, and again: nothing is added twice.
    fs::write(columns.join("table.lock.json"), &lock).unwrap();
    let mut infer = program();
    infer
        .args(["schema", "infer", "--write", "--output", "json", "--schema-dir"])
        .arg(&columns)
        .arg(&events_file);
    let said: Value = serde_json::from_str(&run(infer).expect(0).stdout).unwrap();
    assert_eq!(said["written"], false);
    assert_eq!(fs::read_to_string(columns.join("table.lock.json")).unwrap(), lock);
}
