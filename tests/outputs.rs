//! Every `--output json` and every log line against the schemas under `schemas/output/`, by a validator that is not ours.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test program")]

#[path = "harness/program.rs"]
mod program;
#[path = "harness/python.rs"]
mod python;
#[path = "harness/sandbox.rs"]
mod sandbox;

use std::fs;
use std::path::{Path, PathBuf};

use program::{program, run, scratch};
use sandbox::{KEY, SECRET, Sandbox, export};

struct Outputs {
    folder: PathBuf,
    url: String,
    number: u32,
}

impl Outputs {
    fn keep(&mut self, name: &str, text: &str) {
        self.number += 1;
        fs::write(self.folder.join(format!("{name}.{}.json", self.number)), text).unwrap();
    }

    /// Keeps what a command prints, and the lines that it logs.
    fn of(&mut self, name: &str, code: i32, words: &[&str]) {
        let mut command = program();
        command
            .env("VONAGE_API_KEY", KEY)
            .env("VONAGE_API_SECRET", SECRET)
            .env("VONAGE_AUDIT_API_URL", &self.url);
        command.args(words).args(["--output", "json", "--log-format", "json", "--verbose"]);
        let outcome = run(command).expect(code);
        self.keep(name, &outcome.stdout);
        for line in outcome.stderr.lines() {
            self.keep("log-line", line);
        }
    }
}

#[test]
fn every_output_is_what_its_schema_says() {
    let place = scratch("outputs");
    let folder = place.join("said");
    fs::create_dir(&folder).unwrap();
    let text = |name: &str| place.join(name).to_str().unwrap().to_owned();
    let sandbox =
        Sandbox::start(&["--events", "300", "--from", "2026-01-01", "--to", "2026-01-08", "--seed", "5"]);
    let mut outputs = Outputs { folder, url: sandbox.url.clone(), number: 0 };
    let (dest, other, lines, key) = (text("dest"), text("other"), text("events.ndjson"), text("key.der"));
    let range = ["--from", "2026-01-01", "--to", "2026-01-08", "--dest", dest.as_str()];
    let with = |first: &[&'static str]| -> Vec<String> {
        first.iter().copied().chain(range).map(str::to_owned).collect()
    };
    let mut of = |name: &str, code: i32, words: &[String]| {
        outputs.of(name, code, &words.iter().map(String::as_str).collect::<Vec<_>>());
    };
    of("plan", 0, &with(&["plan"]));
    of("export", 0, &with(&["export"]));
    of("export", 0, &with(&["export"]));
    of("export", 12, &with(&["export", "--rate", "0.01/s", "--max-duration", "1s"]));
    of("plan", 0, &with(&["plan", "--rate", "5/s"]));
    of("config-show", 0, &with(&["config", "show"]));
    of("config-check", 0, &with(&["config", "check"]));
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    fs::write(
        &lines,
        "{\"id\":\"1\",\"event_type\":\"X\",\"created_at\":\"2026-01-01T00:00:00\"}\n{\"id\":\"2\"}\nno event\n",
    )
    .unwrap();
    of("convert", 10, &words(&["convert", &lines, "--account", "k", "--dest", &other]));
    let page = text("page.html");
    for dest in [&dest, &other] {
        of("report", 0, &words(&["report", dest, "--out", &page]));
        of("files", 0, &words(&["files", dest]));
        of("verify", 0, &words(&["verify", dest, "--deep"]));
    }
    // A key of 32 bytes that count up, as PKCS#8.
    let head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    fs::write(&key, head.into_iter().chain(1..=32).collect::<Vec<u8>>()).unwrap();
    std::process::Command::new("chmod").args(["600", &key]).status().unwrap();
    of("sign", 0, &words(&["sign", "--dest", &dest, "--sign-key", &key]));
    for name in ["probe", "types"] {
        of(name, 0, &words(&[name]));
    }
    of("schema-show", 0, &words(&["schema", "show"]));
    of("schema-check", 0, &words(&["schema", "check"]));
    of("schema-diff", 0, &words(&["schema", "diff", "builtin", "builtin"]));
    of("schema-infer", 0, &words(&["schema", "infer", &lines]));
    of("schema-ddl", 0, &words(&["schema", "ddl", "--engine", "duckdb", "--dest", &dest]));
    fs::remove_file(Path::new(&dest).join("_audit/dataset.json")).unwrap();
    let mut command = export(&sandbox.url, "2026-01-01", "2026-01-08", Path::new(&dest));
    command.args(["--log-format", "json"]);
    for line in run(command).stderr.lines() {
        outputs.keep("log-line", line);
    }
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/output/v1");
    let said = python::script("outputs.py").arg(schemas).arg(&outputs.folder).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.status.success(), "{text}");
    println!("{text}");
}
