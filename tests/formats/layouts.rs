//! Codecs, levels, shapes, guards and encryption through the whole program: the same events in each, read by DuckDB and
//! pyarrow, and byte for byte the same again where the format allows it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::program::{program, run, scratch};
use crate::python::script;
use crate::sandbox::{Sandbox, export};
use crate::tree::tree;

/// Flags, and the extensions of the three formats.
const LAYOUTS: [(&[&str], [&str; 3]); 8] = [
    (&[], ["parquet", "csv", "ndjson"]),
    (&["--compression", "zstd"], ["parquet", "csv.zst", "ndjson.zst"]),
    (&["--compression", "gzip:9", "--csv-formula-guard", "off"], ["parquet", "csv.gz", "ndjson.gz"]),
    (&["--compression", "none", "--ndjson-shape", "flat"], ["parquet", "csv", "ndjson"]),
    (
        &["--compression", "parquet=snappy,csv=gzip:0,ndjson=zstd:19", "--ndjson-shape", "flat"],
        ["parquet", "csv.gz", "ndjson.zst"],
    ),
    (&["--compression", "parquet=gzip,csv=zstd:1,ndjson=gzip:1"], ["parquet", "csv.zst", "ndjson.gz"]),
    (
        &["--compression", "parquet=zstd:19", "--row-group-rows", "1000", "--ndjson-shape", "flat"],
        ["parquet", "csv", "ndjson"],
    ),
    (&["--parquet-key-file", "KEY", "--ndjson-shape", "flat"], ["parquet", "csv", "ndjson"]),
];

/// A key file that nobody else may read.
fn key_file(path: &Path, content: &[u8]) -> PathBuf {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_owned()
}

fn with(sandbox: &Sandbox, dest: &Path, flags: &[&str], key: &Path) -> Command {
    let mut command = export(&sandbox.url, "2018-05-01", "2024-04-01", dest);
    command.args(["--output", "json", "--format", "parquet,csv,ndjson"]);
    command.args(flags.iter().map(|flag| if *flag == "KEY" { key.to_str().unwrap() } else { flag }));
    command
}

fn result(command: Command) -> Value {
    serde_json::from_str(&run(command).expect(0).stdout).unwrap()
}

/// The hostile events of the readers' tests, served.
fn hostile(folder: &Path) -> (Sandbox, PathBuf) {
    let truth = folder.join("events.ndjson");
    let mut population = script("population.py");
    population.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")).arg("clean").arg(&truth);
    run(population).expect(0);
    (Sandbox::start(&["--data", truth.to_str().unwrap()]), truth)
}

#[test]
fn every_layout_is_read_alike_and_stays_what_it_is() {
    let folder = scratch("formats-layouts");
    let (sandbox, truth) = hostile(&folder);
    let key = key_file(&folder.join("key"), &[0x8f; 32]);
    let mut check = script("layouts.py");
    check.arg(&truth).arg(&key);
    for (number, (flags, extensions)) in LAYOUTS.iter().enumerate() {
        let (one, two) = (folder.join(format!("{number}-one")), folder.join(format!("{number}-two")));
        let first = result(with(&sandbox, &one, flags, &key));
        for (format, extension) in ["parquet", "csv", "ndjson"].iter().zip(extensions) {
            let files = tree(&one.join(format));
            assert!(!files.is_empty());
            assert!(files.keys().all(|name| name.ends_with(&format!("-s000.{extension}"))), "{flags:?}");
        }
        // What the dataset fixes need not be said again; nothing is new, nothing is written.
        let before = tree(&one);
        let own: &[&str] = if flags.contains(&"KEY") { &["--parquet-key-file", "KEY"] } else { &[] };
        assert_eq!(result(with(&sandbox, &one, own, &key))["rows"], 0);
        assert!(tree(&one) == before, "{flags:?}");

        // A log that was lost: every slot is read back and adopted, whatever it is packed in.
        for (name, _) in before.iter().filter(|(name, _)| name.starts_with("_audit/commits/")) {
            fs::remove_file(one.join(name)).unwrap();
        }
        let again = result(with(&sandbox, &one, flags, &key));
        assert_eq!((&again["rows"], &again["exit_code"]), (&first["rows"], &0.into()), "{flags:?}");
        for format in ["parquet", "csv", "ndjson"] {
            let held = |at: &str| tree(&one.join(at));
            let old: Vec<_> =
                before.iter().filter(|(name, _)| name.starts_with(&format!("{format}/"))).collect();
            assert_eq!(held(format).len(), old.len(), "{flags:?}");
        }

        // The unit tests hold every combination against its bytes; here the whole way, for some.
        check.arg(&one);
        if ![0, 4, 7].contains(&number) {
            continue;
        }
        result(with(&sandbox, &two, flags, &key));
        for format in ["parquet", "csv", "ndjson"] {
            let same = tree(&one.join(format)) == tree(&two.join(format));
            let random = format == "parquet" && flags.contains(&"KEY");
            assert_eq!(same, !random, "{flags:?} {format}");
        }
    }
    println!("{}", run(check).expect(0).stdout);
}

#[test]
fn what_a_dataset_fixes_is_not_changed_by_a_flag() {
    let folder = scratch("formats-fixed");
    let sandbox =
        Sandbox::start(&["--events", "50", "--from", "2026-01-01", "--to", "2026-01-03", "--seed", "3"]);
    let key = key_file(&folder.join("key"), b"0123456789012345\n");
    let other = key_file(&folder.join("other"), b"0123456789012346\n");
    let (plain, secret) = (folder.join("plain"), folder.join("secret"));
    let days = |dest: &Path, flags: &[&str]| {
        let mut command = export(&sandbox.url, "2026-01-01", "2026-01-03", dest);
        command.args(["--format", "parquet,csv,ndjson"]).args(flags);
        command
    };
    let (key, other) = (key.to_str().unwrap(), other.to_str().unwrap());
    run(days(&plain, &["--compression", "csv=gzip"])).expect(0);
    run(days(&secret, &["--parquet-key-file", key])).expect(0);
    let before = (tree(&plain), tree(&secret));
    for (dest, flags, said) in [
        (&plain, vec!["--compression", "csv=zstd"], "compression of csv"),
        (&plain, vec!["--compression", "zstd"], "compression of csv"),
        (&plain, vec!["--csv-formula-guard", "off"], "csv formulas"),
        (&plain, vec!["--ndjson-shape", "flat"], "ndjson shape"),
        (&plain, vec!["--parquet-key-file", key], "encryption key"),
        (&secret, vec![], "--parquet-key-file"),
        (&secret, vec!["--parquet-key-file", other], "encryption key"),
    ] {
        let outcome = run(days(dest, &flags)).expect(2);
        assert!(outcome.stderr.contains(said), "{flags:?}: {}", outcome.stderr);
    }
    assert!((tree(&plain), tree(&secret)) == before);
    // Levels, and codecs that a file says itself, are each run's own.
    run(days(&plain, &["--compression", "parquet=snappy,csv=gzip:9", "--row-group-rows", "5000"])).expect(0);
    assert!(tree(&plain) == before.0);
    // The id is not the key, and the key is nowhere.
    for (name, bytes) in before.1 {
        assert!(!bytes.windows(16).any(|part| part == b"0123456789012345"), "{name}");
    }
}

#[test]
fn a_key_file_that_is_none_or_that_others_can_read_is_refused_before_anything() {
    let folder = scratch("formats-keys");
    let (short, open) = (key_file(&folder.join("short"), b"too short"), folder.join("open"));
    fs::write(&open, [0x8f; 16]).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    for (path, said) in
        [(short, "16 or 32 bytes"), (open, "chmod 600"), (folder.join("absent"), "cannot read the key file")]
    {
        let dest = folder.join("dest");
        let mut command = export("http://127.0.0.1:9", "2026-01-01", "2026-01-03", &dest);
        command.arg("--parquet-key-file").arg(&path);
        let outcome = run(command).expect(2);
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
        assert!(!dest.exists());
    }
}

#[test]
fn csv_files_are_described_once_for_each_table_and_nothing_else_stands_beside_them() {
    let folder = scratch("formats-csvw");
    let sandbox =
        Sandbox::start(&["--events", "50", "--from", "2026-01-01", "--to", "2026-01-03", "--seed", "3"]);
    let days = |format: &str| {
        let mut command = export(&sandbox.url, "2026-01-01", "2026-01-03", &folder.join("dest"));
        command.args(["--format", format]);
        run(command).expect(0);
    };
    let described = || tree(&folder.join("dest/_audit/csvw"));
    days("parquet");
    assert!(described().is_empty());
    days("parquet,csv");
    let documents = described();
    days("csv");
    assert!(described() == documents && documents.len() == 1);
    let dataset: Value =
        serde_json::from_slice(&fs::read(folder.join("dest/_audit/dataset.json")).unwrap()).unwrap();
    let fingerprint = dataset["schema"]["fingerprint"].as_str().unwrap();
    assert_eq!(documents.keys().next().unwrap(), &format!("{}.json", fingerprint.split_at(16).0));
    assert!(tree(&folder.join("dest/csv")).keys().all(|name| name.ends_with(".csv")));
    let rows = tree(&folder.join("dest/csv")).into_values();
    let rows = rows.map(|bytes| csv::Reader::from_reader(bytes.as_slice()).into_records().count());
    assert_eq!(rows.sum::<usize>(), 50);
    // And a reader of such descriptions takes them for what they are, and the files for what they say.
    let mut check = script("described.py");
    check.arg(folder.join("dest")).arg(folder.join("work"));
    assert_eq!(run(check).expect(0).stdout.trim(), "50 rows in 2 files, valid");
    // A dataset that is made of another one has it as well.
    let mut converted = program();
    converted.arg("convert").arg(folder.join("dest")).arg("--dest").arg(folder.join("other"));
    converted.args(["--format", "csv"]);
    run(converted).expect(0);
    assert_eq!(tree(&folder.join("other/_audit/csvw")), documents);
}

/// Files that a run has left without a commit are the same rows, in whatever bytes: nothing is written twice, and what is new follows.
#[test]
fn files_without_a_commit_are_held_against_rows_whatever_their_bytes() {
    let folder = scratch("layouts-left");
    let key = key_file(&folder.join("key"), b"00112233445566778899aabbccddeeff");
    let key = key.to_str().unwrap();
    let sandbox = Sandbox::start(&["--events", "6000", "--from", "2026-03-01", "--to", "2026-03-02"]);
    let mut lines = export(&sandbox.url, "2026-03-01", "2026-03-02", Path::new("-"));
    lines.args(["--format", "ndjson"]);
    let text = run(lines).expect(0).stdout;
    let mut lines: Vec<&str> = text.lines().collect();
    let all = folder.join("all.ndjson");
    fs::write(&all, lines.join("\n")).unwrap();
    let late = lines.remove(3_000);
    let some = folder.join("some.ndjson");
    fs::write(&some, lines.join("\n")).unwrap();
    lines.push(late);
    let unsorted = folder.join("unsorted.ndjson");
    fs::write(&unsorted, lines.join("\n")).unwrap();
    let converted = |input: &Path, dest: &Path, more: &[&str]| -> Value {
        let mut command = program();
        command.arg("convert").arg(input).arg("--dest").arg(dest).args(["--account", "abcd1234"]);
        command.args(["--output", "json", "--format", "parquet"]).args(more);
        result(command)
    };
    let forget = |dest: &Path| {
        for commit in fs::read_dir(dest.join("_audit/commits")).unwrap() {
            fs::remove_file(commit.unwrap().path()).unwrap();
        }
    };
    let cases: [(&[&str], &[&str]); 2] = [
        (&["--parquet-key-file", key], &["--parquet-key-file", key]),
        (&["--compression", "parquet=zstd:1"], &["--compression", "parquet=zstd:9"]),
    ];
    for (number, (first, second)) in cases.into_iter().enumerate() {
        for input in [&all, &unsorted] {
            let dest = folder.join(format!("dest-{number}"));
            let _ = fs::remove_dir_all(&dest);
            converted(&some, &dest, first);
            let before = tree(&dest.join("parquet"));
            forget(&dest);
            let adopted = converted(&some, &dest, second);
            assert_eq!((&adopted["rows"], &adopted["known"]), (&5_999.into(), &0.into()), "{adopted}");
            assert!(tree(&dest.join("parquet")) == before, "nothing is written twice");
            forget(&dest);
            let more = converted(input, &dest, second);
            assert_eq!((&more["rows"], &more["files"]), (&6_000.into(), &2.into()), "{more}");
            let again = converted(input, &dest, second);
            assert_eq!((&again["rows"], &again["known"]), (&0.into(), &6_000.into()), "{again}");
            let mut verify = program();
            verify.args(["verify", "--deep"]).arg(&dest);
            if number == 0 {
                verify.args(["--parquet-key-file", key]);
            }
            run(verify).expect(0);
        }
    }
}
