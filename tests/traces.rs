//! The traces of an export, as an OpenTelemetry collector receives them.
//!
//! `cargo test --features otlp --test traces`: the program is another one with the feature. A receiver decodes what is sent
//! with the messages that OpenTelemetry publishes, and what it got is held against the run's summary and searched for
//! secrets. Collectors that refuse, hang or are not there change neither exit code nor data.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test program"
)]

#[path = "harness/program.rs"]
mod program;
#[path = "harness/python.rs"]
mod python;
#[path = "harness/sandbox.rs"]
mod sandbox;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use program::{Outcome, program, run, scratch};
use python::script;
use sandbox::{KEY, SECRET, Sandbox, export};
use serde_json::Value;

const SPAN: [&str; 8] = ["--events", "400", "--from", "2026-01-01", "--to", "2026-01-11", "--seed", "7"];
const FROM: &str = "2026-01-01";
const TO: &str = "2026-01-11";

/// The receiver, ended when dropped.
struct Receiver {
    child: Child,
    folder: PathBuf,
    endpoint: String,
}

impl Receiver {
    fn start(folder: PathBuf, refusal: Option<&str>) -> Self {
        let mut command = script("traces.py");
        command.arg(&folder).args(refusal).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        assert!(!port.is_empty(), "the receiver does not listen");
        let endpoint = format!("http://127.0.0.1:{}", port.trim());
        Self { child, folder, endpoint }
    }

    /// What it got so far: before each reply it wrote, so that nothing is missing once the sender has ended.
    fn spans(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.join("spans.ndjson")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn bodies(&self) -> Vec<u8> {
        fs::read(self.folder.join("bodies")).unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn traced(sandbox: &Sandbox, dest: &Path, endpoint: &str, words: &[&str]) -> Command {
    let mut command = export(&sandbox.url, FROM, TO, dest);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).args(["--output", "json"]).args(words);
    command
}

fn summary(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap()
}

fn named<'a>(spans: &'a [Value], name: &str) -> Vec<&'a Value> {
    spans.iter().filter(|span| span["name"] == name).collect()
}

fn sum(spans: &[&Value], attribute: &str) -> i64 {
    spans.iter().map(|span| span["attributes"][attribute].as_i64().unwrap()).sum()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// One tree: one root, every parent there and open for as long as its children.
#[track_caller]
fn root(spans: &[Value]) -> &Value {
    let by_id: BTreeMap<_, _> = spans.iter().map(|span| (span["id"].as_str().unwrap(), span)).collect();
    assert_eq!(by_id.len(), spans.len(), "a span came twice");
    let roots: Vec<_> = spans.iter().filter(|span| span["parent"] == "").collect();
    assert_eq!(roots.len(), 1, "{roots:#?}");
    for span in spans {
        assert_eq!(span["trace"], roots[0]["trace"]);
        assert!(span["start"].as_u64() <= span["end"].as_u64(), "{span}");
        if let Some(parent) = span["parent"].as_str().filter(|parent| !parent.is_empty()) {
            let parent = by_id.get(parent).unwrap_or_else(|| panic!("no parent of {span}"));
            let inside = parent["start"].as_u64() <= span["start"].as_u64()
                && span["end"].as_u64() <= parent["end"].as_u64();
            assert!(inside, "{span}\nis not within\n{parent}");
        }
    }
    roots[0]
}

fn parents<'a>(spans: &'a [Value], children: &[&Value]) -> BTreeSet<&'a str> {
    let of =
        |child: &Value| spans.iter().find(|span| span["id"] == child["parent"]).unwrap()["name"].as_str();
    children.iter().map(|child| of(child).unwrap()).collect()
}

#[test]
fn the_tree_says_what_the_summary_says_and_no_secret() {
    let folder = scratch("traces-tree");
    let receiver = Receiver::start(folder.clone(), None);
    let dest = folder.join("dest");
    // The second request fails twice; a repetition is part of its span.
    let mut faulty = ["--events", "12000"].to_vec();
    faulty.extend(&SPAN[2..]);
    faulty.extend(["--fault", "1:status=503", "--fault", "2:status=503"]);
    let sandbox = Sandbox::start(&faulty);
    let types = ["--event-type", "APP_CREATE,APP_UPDATE,NUMBER_UPDATED"];
    let with = |from_variables: &[(&str, &str)], words: &[&str]| {
        let mut command = traced(&sandbox, &dest, &receiver.endpoint, words);
        command.envs(from_variables.iter().copied());
        run(command)
    };
    let canary = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-collector-key=header-canary"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
    ];
    let first = summary(&with(&canary, &types).expect(0));
    let spans = receiver.spans();
    let top = root(&spans);
    assert_eq!((&top["name"], &top["status"]), (&"export".into(), &"STATUS_CODE_UNSET".into()));
    assert_eq!(top["headers"]["x-collector-key"], "header-canary");
    let resource = &top["resource"];
    assert_eq!(
        (&resource["service.name"], &resource["service.version"]),
        (&"vonage-audit".into(), &env!("CARGO_PKG_VERSION").into())
    );
    assert_eq!(resource["deployment.environment.name"], "test");
    for figure in [
        "exit_code",
        "windows",
        "unchanged",
        "events",
        "rows",
        "files",
        "bytes",
        "requests",
        "requests_repeated",
        "requests_throttled",
    ] {
        assert_eq!(top["attributes"][format!("vonage_audit.{figure}")], first[figure], "{figure}");
    }
    assert_eq!(top["attributes"]["vonage_audit.head"], first["head"]["number"]);
    assert_eq!(first["requests_repeated"], 2);

    let (settle, publish, commit) =
        (named(&spans, "settle"), named(&spans, "publish"), named(&spans, "commit"));
    assert_eq!(sum(&settle, "vonage_audit.events"), first["events"].as_i64().unwrap());
    assert!(settle.len() > 2 && settle.len() == publish.len(), "{} settled", settle.len());
    assert_eq!(sum(&commit, "vonage_audit.windows"), 10);
    let heads: BTreeSet<_> =
        commit.iter().map(|span| span["attributes"]["vonage_audit.head"].as_i64()).collect();
    assert_eq!(heads.len() as i64, first["head"]["number"].as_i64().unwrap() + 1);
    assert_eq!(parents(&spans, &commit), BTreeSet::from(["publish"]));
    let (pages, asked) = (named(&spans, "GET /events"), named(&spans, "OPTIONS /events"));
    let requests = first["requests"].as_u64().unwrap() - first["requests_repeated"].as_u64().unwrap();
    assert_eq!((pages.len() + asked.len()) as u64, requests);
    assert_eq!(parents(&spans, &pages), BTreeSet::from(["export", "settle"]));
    for page in &pages {
        assert_eq!(page["kind"], "SPAN_KIND_CLIENT");
        assert_eq!(
            (&page["attributes"]["http.request.method"], &page["attributes"]["http.response.status_code"]),
            (&"GET".into(), &200.into())
        );
        assert!(page["attributes"]["url.path"].as_str().unwrap().ends_with("/events"), "{page}");
    }
    let repeated = |span: &&Value| span["attributes"]["http.request.resend_count"].as_i64();
    assert_eq!(pages.iter().filter_map(repeated).sum::<i64>(), first["requests_repeated"].as_i64().unwrap());
    // A walk's pages together hold what their range holds, and each is asked below its range.
    for range in &settle {
        let below: Vec<_> = pages.iter().filter(|page| page["parent"] == range["id"]).copied().collect();
        assert!(
            sum(&below, "vonage_audit.values")
                >= range["attributes"]["vonage_audit.events"].as_i64().unwrap()
        );
    }
    println!(
        "{} spans: {} settled, {} commits, {requests} questions",
        spans.len(),
        settle.len(),
        commit.len()
    );

    // Nothing of what is secret, searched for or received is among the bytes that left.
    let words = ["--search-text", "search-canary", "--dest"];
    let other = folder.join("other");
    let mut words = words.to_vec();
    words.pop();
    let mut command = traced(&sandbox, &other, &receiver.endpoint, &words);
    command.envs(canary).env("HTTPS_PROXY", "http://user:proxy-canary@127.0.0.1:9");
    run(command).expect(0);
    let before = spans.len();
    assert!(receiver.spans().len() > before);
    let bytes = receiver.bodies();
    assert!(contains(&bytes, KEY) && contains(&bytes, "settle"));
    // Key and secret as HTTP Basic has them.
    let basic = "YWJjZDEyMzQ6c2FuZGJveC1zZWNyZXQ";
    for secret in [SECRET, basic, "canary", "APP_CREATE", "example.com"] {
        assert!(!contains(&bytes, secret), "{secret} is in a span");
    }

    // The next night: what is committed is counted again, below a span of its own.
    fs::remove_file(folder.join("spans.ndjson")).unwrap();
    let second = summary(
        &with(
            &[("OTEL_SERVICE_NAME", "nightly"), ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")],
            &[&types[..], &["--lookback", "1h"]].concat(),
        )
        .expect(0),
    );
    let spans = receiver.spans();
    let top = root(&spans);
    assert_eq!(
        (&top["resource"]["service.name"], &top["headers"]["content-encoding"]),
        (&"nightly".into(), &"gzip".into())
    );
    assert_eq!(second["unchanged"], 10);
    assert_eq!(named(&spans, "recount").len(), 1);
    assert!(parents(&spans, &named(&spans, "GET /events")).contains("recount"));
}

#[test]
fn a_failure_is_an_error_in_its_span() {
    let folder = scratch("traces-failures");
    let receiver = Receiver::start(folder.clone(), None);
    let last = || {
        let spans = receiver.spans();
        fs::remove_file(folder.join("spans.ndjson")).unwrap();
        spans
    };
    let sandbox = Sandbox::start(&SPAN);
    let mut command = traced(&sandbox, &folder.join("refused"), &receiver.endpoint, &[]);
    command.env("VONAGE_API_SECRET", "wrong-canary");
    run(command).expect(5);
    let spans = last();
    let top = root(&spans);
    assert_eq!(
        (&top["status"], &top["attributes"]["vonage_audit.exit_code"]),
        (&"STATUS_CODE_ERROR".into(), &5.into())
    );
    let asked = &named(&spans, "GET /events")[0]["attributes"];
    assert_eq!(
        (&asked["error.type"], &asked["http.response.status_code"]),
        (&"credentials".into(), &401.into())
    );
    assert!(!contains(&receiver.bodies(), "canary"));

    // Time is over between two requests: what had begun is called off, and the tree is whole.
    let slow = ["--rate", "0.01/s", "--max-duration", "1s"];
    run(traced(&sandbox, &folder.join("slow"), &receiver.endpoint, &slow)).expect(12);
    let spans = last();
    assert_eq!(root(&spans)["attributes"]["vonage_audit.exit_code"], 12);
    assert!(spans.iter().any(|span| span["attributes"]["vonage_audit.called_off"] == true), "{spans:#?}");

    let broken = Sandbox::start(&[&SPAN[..], &["--fault", "3..:status=503"]].concat());
    run(traced(&broken, &folder.join("broken"), &receiver.endpoint, &["--tries", "2"])).expect(6);
    let spans = last();
    assert_eq!(root(&spans)["attributes"]["vonage_audit.exit_code"], 6);
    let failed = spans.iter().find(|span| span["attributes"]["error.type"] == "unavailable").unwrap();
    let said = &failed["attributes"];
    assert_eq!(
        (&said["http.response.status_code"], &said["http.request.resend_count"]),
        (&503.into(), &1.into())
    );

    // To a reader instead of a dataset.
    let mut command = export(&sandbox.url, FROM, TO, Path::new("-"));
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint).args(["--format", "ndjson"]);
    run(command).expect(0);
    let spans = last();
    assert_eq!(root(&spans)["attributes"]["vonage_audit.rows"], 400);
    assert!(named(&spans, "commit").is_empty() && !named(&spans, "publish").is_empty());
}

/// Every data file, by its path.
fn data(dest: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dest.join("parquet")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(dest).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_collector_that_is_away_costs_the_spans_and_nothing_else() {
    let folder = scratch("traces-away");
    let sandbox = Sandbox::start(&SPAN);
    let plain = folder.join("plain");
    run(export(&sandbox.url, FROM, TO, &plain)).expect(0);
    let wanted = data(&plain);
    assert_eq!(wanted.len(), 10);

    let refusing = Receiver::start(folder.clone(), Some("400"));
    let failing = Receiver::start(folder.clone(), Some("503"));
    // Takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hanging = format!("http://127.0.0.1:{}", silent.local_addr().unwrap().port());
    // Nobody listens: port 9 of loopback, as elsewhere in these tests.
    let closed = "http://user:canary@127.0.0.1:9";
    for (name, endpoint) in [
        ("refuses", refusing.endpoint.as_str()),
        ("fails", failing.endpoint.as_str()),
        ("hangs", hanging.as_str()),
        ("is-closed", closed),
    ] {
        let dest = folder.join(name);
        let started = Instant::now();
        let outcome = run(traced(&sandbox, &dest, endpoint, &[])).expect(0);
        println!("a collector that {name}: {:.1} s", started.elapsed().as_secs_f64());
        assert!(outcome.stderr.contains("did not reach the OpenTelemetry collector"), "{}", outcome.stderr);
        assert!(
            !outcome.stderr.contains("canary") && !outcome.stderr.contains("panicked"),
            "{}",
            outcome.stderr
        );
        assert_eq!(summary(&outcome)["exit_code"], 0);
        assert_eq!(data(&dest), wanted, "a collector that {name}");
        let mut verify = program();
        verify.arg("verify").arg(&dest).args(["--deep", "--covers", "2026-01-01..2026-01-11"]);
        run(verify).expect(0);
    }
    assert!(refusing.spans().is_empty());

    // What cannot be used is said, in one line, and costs the spans.
    for (variable, value) in
        [("OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense canary"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]
    {
        let mut command = traced(&sandbox, &plain, "http://127.0.0.1:9", &[]);
        command.env(variable, value);
        let outcome = run(command).expect(0);
        let warnings: Vec<_> =
            outcome.stderr.lines().filter(|line| line.contains("no traces are sent")).collect();
        assert_eq!(warnings.len(), 1, "{variable}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("canary"), "{}", outcome.stderr);
    }
    // And what is switched off is not spoken of.
    for (variable, value) in
        [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "")]
    {
        let mut command = traced(&sandbox, &plain, "http://127.0.0.1:9", &[]);
        command.env(variable, value);
        assert_eq!(run(command).expect(0).stderr, "", "{variable}");
    }
}
