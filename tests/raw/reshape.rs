//! A dataset into another one: the same bytes where nothing was to change, and never a claim too many.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::{run, scratch};
use crate::sandbox::{KEY, Sandbox, export};
use crate::support::{ALL, FROM, TO, convert, data, keeping, levels, overwrite, result, week};
use crate::tree::{records, tree};

fn repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn same(one: &Path, other: &Path, formats: &[&str]) {
    for format in formats {
        assert!(tree(&one.join(format)) == tree(&other.join(format)), "{format}");
        assert!(!tree(&one.join(format)).is_empty());
    }
}

#[test]
fn every_format_gives_every_format_back_byte_for_byte() {
    let folder = scratch("reshape-formats");
    let sandbox = week("3");
    let of = |format: &str| {
        let dest = folder.join(format.replace(',', "-"));
        let mut command = export(&sandbox.url, FROM, TO, &dest);
        command.args(["--output", "json", "--format", format]);
        result(command, 0);
        dest
    };
    let all = of(ALL);
    let copy = folder.join("copy");
    let report = result(convert(&all, &copy, &["--format", ALL]), 0);
    assert_eq!((report["rows"].as_u64(), report["lines"].as_u64()), (Some(700), Some(700)), "{report}");
    assert!(data(&copy) == data(&all));
    for source in ["parquet", "csv", "ndjson"] {
        let dest = of(source);
        for target in ["parquet", "csv"] {
            let copy = folder.join(format!("{source}-to-{target}"));
            result(convert(&dest, &copy, &["--format", target]), 0);
            same(&all, &copy, &[target]);
        }
    }
    // What a row gives back is the event, whatever the order of its members.
    let copy = folder.join("parquet-to-ndjson");
    result(convert(&folder.join("parquet"), &copy, &["--format", "ndjson"]), 0);
    let events = |dest: &Path| -> Vec<Value> {
        let lines = crate::tree::lines(&dest.join("ndjson"));
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(events(&copy), events(&all));
}

#[test]
fn hostile_events_survive_a_conversion() {
    let folder = scratch("reshape-hostile");
    let (dest, copy) = (folder.join("dest"), folder.join("copy"));
    let input = repository("tests/data/hostile.ndjson");
    let first = result(convert(&input, &dest, &["--account", KEY, "--format", ALL]), 10);
    let second = result(convert(&dest, &copy, &["--format", ALL]), 10);
    for field in ["rows", "quarantined", "unplaced", "types"] {
        assert_eq!(first[field], second[field], "{field}");
    }
    assert!(data(&copy) == data(&dest));
    assert!(tree(&copy.join("_audit/quarantine")) == tree(&dest.join("_audit/quarantine")));
    // Nobody had proven them, and nobody has now.
    assert!(levels(&copy).iter().all(|level| level == "none"));
}

#[test]
fn certificates_go_with_rows_and_an_export_goes_on_from_them() {
    let folder = scratch("reshape-certificates");
    let (dest, copy) = (folder.join("dest"), folder.join("copy"));
    let sandbox =
        Sandbox::start(&["--events", "300", "--from", "2026-01-02", "--to", "2026-01-05", "--seed", "4"]);
    let go = |dest: &Path, format: &str| {
        let mut command = export(&sandbox.url, FROM, TO, dest);
        command.args(["--output", "json", "--format", format]);
        result(command, 0)
    };
    go(&dest, "csv");
    let report = result(convert(&dest, &copy, &["--format", "parquet"]), 0);
    // Days without events are windows too.
    assert_eq!((report["windows"].as_u64(), report["rows"].as_u64()), (Some(7), Some(300)), "{report}");
    let certificates = |dest: &Path| -> Vec<Value> {
        records(dest).iter().map(|record| record["certificate"].clone()).collect()
    };
    assert_eq!(certificates(&copy), certificates(&dest));
    let commits = tree(&dest.join("_audit/commits"));
    let (name, newest) = commits.iter().next_back().unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, newest);
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let number: u64 = name.strip_suffix(".json").unwrap().parse().unwrap();
    for record in records(&copy) {
        assert_eq!(record["source"], serde_json::json!({"number": number, "sha256": digest}));
    }
    // The account, the selection and the certificates are the source's: a run has nothing to do.
    let report = go(&copy, "parquet");
    assert_eq!((report["unchanged"].as_u64(), report["rows"].as_u64()), (Some(7), Some(0)), "{report}");

    // What the target has proven itself keeps its own proof.
    let own = folder.join("own");
    let mut command = export(&sandbox.url, FROM, TO, &own);
    command.args(["--evidence"]);
    run(command).expect(0);
    let before = tree(&own);
    result(convert(&dest, &own, &["--format", "parquet"]), 0);
    assert!(tree(&own) == before);
}

#[test]
fn secrets_can_be_taken_out_and_not_put_in() {
    let folder = scratch("reshape-secrets");
    let canary = "90817263545";
    let event = format!(
        r#"{{"id":"a","created_at":"2026-01-02T10:00:00","event_type":"APP_CREATE","context":{{"api_secret":"{canary}"}}}}"#
    );
    let file = folder.join("events.ndjson");
    fs::write(&file, format!("{event}\n")).unwrap();
    let sandbox = Sandbox::start(&["--data", file.to_str().unwrap(), "--key", KEY]);
    let kept = folder.join("kept");
    result(keeping(&sandbox.url, &kept, &["--format", "ndjson"]), 0);
    let holds = |dest: &Path| {
        tree(dest).values().any(|bytes| {
            let bytes = zstd::decode_all(bytes.as_slice()).unwrap_or_else(|_| bytes.clone());
            bytes.windows(canary.len()).any(|window| window == canary.as_bytes())
        })
    };
    // The control: the search sees it where it is kept.
    assert!(holds(&kept.join("ndjson")) && holds(&kept.join("_audit/raw")));
    for (name, more) in
        [("rows", ["--format", "ndjson"].as_slice()), ("raw", &["--format", "ndjson", "--from-raw"])]
    {
        let clean = folder.join(name);
        result(convert(&kept, &clean, more), 0);
        assert!(!holds(&clean), "{name}");
        assert_eq!(records(&clean)[1]["counts"]["redacted"], 1, "{name}");
        // Once more, from what has none: still counted, and nothing can be kept.
        let again = folder.join(format!("{name}-again"));
        result(convert(&clean, &again, &["--format", "ndjson"]), 0);
        assert_eq!(records(&again)[1]["counts"]["redacted"], 1, "{name}");
        let outcome = run(convert(&clean, &folder.join("never"), &["--keep-secrets"])).expect(2);
        assert!(outcome.stderr.contains("no secrets to keep"), "{}", outcome.stderr);
    }
    assert!(!folder.join("never").exists());
}

#[test]
fn windows_without_kept_replies_are_left_out_and_told() {
    let folder = scratch("reshape-missing");
    let (dest, copy) = (folder.join("dest"), folder.join("copy"));
    let sandbox = week("5");
    let mut command = export(&sandbox.url, FROM, "2026-01-03", &dest);
    command.arg("--keep-secrets");
    run(command).expect(0);
    result(keeping(&sandbox.url, &dest, &[]), 0);
    let outcome = run(convert(&dest, &copy, &["--from-raw"])).expect(3);
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(report["missing"], serde_json::json!(["2026-01-01", "2026-01-02"]));
    assert!(outcome.stderr.contains("--keep-raw"), "{}", outcome.stderr);
    assert_eq!(records(&copy).len(), 5);
}

#[test]
fn a_source_that_is_not_what_its_log_says_converts_to_nothing() {
    let folder = scratch("reshape-tampered");
    let dest = folder.join("dest");
    let sandbox = week("6");
    run(export(&sandbox.url, FROM, TO, &dest)).expect(0);
    let (name, bytes) = data(&dest).into_iter().next_back().unwrap();
    let other = data(&dest).into_values().next().unwrap();
    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for (number, content) in [flipped, bytes[..bytes.len() - 1].to_vec(), other].into_iter().enumerate() {
        overwrite(&dest.join(&name), &content);
        let copy = folder.join(format!("copy-{number}"));
        result(convert(&dest, &copy, &["--format", "csv"]), 9);
        let told = tree(&copy.join("_audit/commits"));
        assert!(told.is_empty(), "something is claimed");
    }
    fs::remove_file(dest.join(&name)).unwrap();
    result(convert(&dest, &folder.join("copy-none"), &["--format", "csv"]), 9);
    overwrite_log(&dest);
    run(convert(&dest, &folder.join("copy-log"), &[])).expect(9);
    assert!(!folder.join("copy-log").exists());
}

fn overwrite_log(dest: &Path) {
    let path = dest.join("_audit/commits/0000000000000000.json");
    let text = fs::read_to_string(&path).unwrap().replacen("bracketed", "double", 1);
    overwrite(&path, text.as_bytes());
    let descriptor = dest.join("_audit/dataset.json");
    let text = fs::read_to_string(&descriptor).unwrap().replacen("P1D", "PT1H", 1);
    overwrite(&descriptor, text.as_bytes());
}

#[test]
fn wrong_wishes_are_refused_before_anything_is_written() {
    let folder = scratch("reshape-refused");
    let (dest, copy, empty) = (folder.join("dest"), folder.join("copy"), folder.join("empty"));
    let sandbox = week("6");
    run(export(&sandbox.url, FROM, TO, &dest)).expect(0);
    fs::create_dir(&empty).unwrap();
    let file = folder.join("events.ndjson");
    fs::write(&file, "{}\n").unwrap();
    for (command, word) in [
        (convert(&dest, &dest, &[]), "into itself"),
        (convert(&dest, &copy, &["--account", "other"]), "another account"),
        (convert(&dest, &copy, &["--from-raw"]), "no kept replies"),
        (convert(&dest, &copy, &["--keep-raw"]), "--from-raw"),
        (convert(&dest, &copy, &["--grid", "PT1H"]), "grid"),
        (convert(&dest, &copy, &["--keep-secrets"]), "no secrets to keep"),
        (convert(&empty, &copy, &[]), "no dataset"),
        (convert(&file, &copy, &[]), "--account"),
        (convert(&file, &copy, &["--account", KEY, "--from-raw"]), "needs a dataset"),
    ] {
        let outcome = run(command).expect(2);
        assert!(outcome.stderr.contains(word), "{word}: {}", outcome.stderr);
        assert!(!copy.exists(), "{word}");
    }
}

#[test]
fn packed_lines_are_lines() {
    let folder = scratch("reshape-packed");
    let plain = fs::read(repository("tests/data/events-plausible.ndjson")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gzip, &plain).unwrap();
    let packed = [
        ("events.ndjson", plain.clone()),
        ("events.ndjson.gz", gzip.finish().unwrap()),
        ("events.ndjson.zst", zstd::encode_all(plain.as_slice(), 3).unwrap()),
    ];
    let mut seen = Vec::new();
    for (name, bytes) in packed {
        let file = folder.join(name);
        fs::write(&file, &bytes).unwrap();
        let dest = folder.join(format!("{name}-dest"));
        result(convert(&file, &dest, &["--account", KEY, "--format", ALL]), 0);
        seen.push(data(&dest));
        // Cut off, it is refused as a whole.
        if !name.ends_with("ndjson") {
            fs::write(&file, &bytes[..bytes.len() - 9]).unwrap();
            let copy = folder.join("never");
            run(convert(&file, &copy, &["--account", KEY])).expect(2);
            assert!(!copy.exists());
        }
    }
    assert!(!seen[0].is_empty() && seen[1] == seen[0] && seen[2] == seen[0]);
}

#[test]
fn a_context_in_another_order_is_the_same_event_in_a_later_run() {
    let folder = scratch("reshape-order");
    let line = |context: &str| {
        format!(
            "{{\"id\":\"a\",\"created_at\":\"2026-01-02T10:00:00\",\"event_type\":\"X\",\"z\":{context},\"context\":{context}}}\n"
        )
    };
    let go = |context: &str, code: i32| {
        let file = folder.join("events.ndjson");
        fs::write(&file, line(context)).unwrap();
        result(convert(&file, &folder.join("dest"), &["--account", KEY, "--format", ALL]), code)
    };
    assert_eq!(go(r#"{"a":1,"b":{"c":[1,2],"d":"x"}}"#, 0)["rows"], 1);
    let before = tree(&folder.join("dest"));
    let report = go(r#"{"b":{"d":"x","c":[1,2]},"a":1}"#, 0);
    assert_eq!((report["rows"].as_u64(), report["known"].as_u64()), (Some(0), Some(1)), "{report}");
    assert!(tree(&folder.join("dest")) == before);
    // The control: another order of an array, or another number, is another content.
    go(r#"{"b":{"d":"x","c":[2,1]},"a":1}"#, 4);
    go(r#"{"b":{"d":"x","c":[1,2]},"a":1.0}"#, 4);
}
