//! Secrets that appear in events never land.
//!
//! The whole program over a socket against events with a canary in every secret-bearing key and shape; then every byte
//! that it left (data files also decompressed, by pyarrow) and every line that it said is searched. The control keeps
//! secrets and must find them all, so that the search is known to see. What this file must not know: how redaction
//! works.

#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test program")]

#[path = "harness/program.rs"]
mod program;
#[path = "harness/python.rs"]
mod python;
#[path = "harness/sandbox.rs"]
mod sandbox;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use program::{program, run, scratch};
use python::script;
use sandbox::{KEY, SECRET, Sandbox, export};

/// Each canary is this and a number of four digits; digits alone, so that it can also be a JSON number.
const CANARY: &str = "90817263545";

const KEYS: [&str; 10] = [
    "secret",
    "api_secret",
    "apiSecret",
    "API-SECRET",
    "password",
    "Password",
    "private_key",
    "privateKey",
    "PRIVATE-KEY",
    r"s\u0065cret",
];

/// Events as JSON lines, and how many canaries they hold.
struct Canaries {
    events: Vec<Vec<u8>>,
    count: usize,
}

impl Canaries {
    fn next(&mut self) -> String {
        self.count += 1;
        format!("{CANARY}{:04}", self.count)
    }

    fn event(&mut self, head: &str, rest: &str) {
        let number = self.events.len();
        let at = format!("2026-03-0{}T{:02}:{:02}:00", 1 + number % 4, number / 4 % 24, number / 96 % 60);
        self.events.push(format!(r#"{{{head}"created_at":"{at}",{rest}}}"#).into_bytes());
    }

    /// An event that becomes a row.
    fn row(&mut self, rest: &str) {
        let id = format!(r#""id":"row-{:05}","#, self.events.len());
        self.event(&id, rest);
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A canary in every key, shape and place.
fn canaries() -> Canaries {
    let mut all = Canaries { events: Vec::new(), count: 0 };
    for key in KEYS {
        for shape in [
            "\"CANARY\"",
            "CANARY",
            "-CANARY.5e3",
            "{\"a\":[\"CANARY\"]}",
            "[ \"x\" ,CANARY]",
            "\"\\\"}CANARY\\\\\"",
        ] {
            for place in ["envelope", "context", "list", "text"] {
                let member = format!("\"{key}\" : {}", shape.replace("CANARY", &all.next()));
                match place {
                    "envelope" => all.row(&format!(r#""event_type":"USER_UPDATE",{member}"#)),
                    "context" => all.row(&format!(
                        r#""event_type":"APP_CREATE","context":{{"created":{{"keys":{{{member}}},"name":"n"}}}}"#
                    )),
                    "list" => all.row(&format!(r#""context":[1,{{"a":{{{member} }} }}]"#)),
                    _ => all.row(&format!(r#""user_email":{}"#, quoted(&format!("{{{member}}}")))),
                }
            }
        }
    }
    let block = |canary: &str, gap: &str| {
        format!("-----BEGIN RSA PRIVATE KEY-----{gap}MII{canary}{gap}-----END RSA PRIVATE KEY-----")
    };
    for gap in ["\\n", "", "\\r\\n", "\\u000a"] {
        for member in ["source_description", "context", "unknown"] {
            let text = block(&all.next(), gap);
            all.row(&format!(r#""{member}":"before {text} after""#));
            let text = block(&all.next(), gap).replace("-----BEGIN", r"\u002d----BEGIN");
            all.row(&format!(r#""{member}":{{"{text}":"in a key"}}"#));
        }
    }
    let canary = all.next();
    all.row(&format!(r#""context":"-----BEGIN EC PRIVATE KEY-----\n{canary} cut off""#));

    // What cannot become a row is kept as it is, but for the same.
    let canary = all.next();
    let deep = format!(r#""context":{}{{"secret":"{canary}"}}{}"#, "{\"a\":".repeat(80), "}".repeat(80));
    all.row(&deep);
    let canary = all.next();
    all.event("", &format!(r#""note":"no id","password":"{canary}""#));
    let canary = all.next();
    all.event(r#""id":"twice","id":"twice too","#, &format!(r#""api_secret":"{canary}""#));
    let text = block(&all.next(), "\\n");
    all.event(&format!(r#""id":"{text}","#), r#""note":"an id that is a key""#);
    let canary = all.next();
    all.event(&format!(r#""id":"{{\"secret\":\"{canary}\"}}","#), r#""note":"an id that holds a secret""#);
    let canary = all.next();
    all.row(&format!(r#""note":"BAD","secret":"{canary}""#));
    // Bytes that are not UTF-8, so that quarantine keeps base64.
    let last = all.events.last_mut().unwrap();
    let at = last.windows(3).position(|window| window == b"BAD").unwrap();
    last[at] = 0xff;
    all
}

fn lines(events: &[Vec<u8>]) -> Vec<u8> {
    events.iter().flat_map(|event| [event.as_slice(), b"\n"].concat()).collect()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups =
        bytes.chunks_exact(3).map(|chunk| chunk.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte)));
    groups
        .flat_map(|group| [18, 12, 6, 0].map(|shift| char::from(DIGITS[(group >> shift & 63) as usize])))
        .collect()
}

/// What a canary looks like: as it is, backwards, in hex, and in base64 at each of the three places of a group.
fn forms() -> Vec<String> {
    let mut forms = vec![
        CANARY.to_owned(),
        CANARY.chars().rev().collect(),
        CANARY.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ];
    forms.extend((0..3).map(|skipped| base64(&CANARY.as_bytes()[skipped..])));
    forms
}

/// Fails if anything of a canary is in these bytes.
#[track_caller]
fn assert_clean(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for form in forms() {
        if let Some(at) = text.find(&form) {
            let around: String = text.get(at..).unwrap().chars().take(60).collect();
            panic!("{what} gives a secret away at byte {at}: {around}");
        }
    }
}

/// Every file below a folder as (name, bytes), those of staging too.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(bytes) = fs::read(&path) {
                found.push((path.display().to_string(), bytes));
            }
        }
    }
    found
}

/// Everything in the data files, decompressed, as text.
fn values(dest: &Path) -> String {
    let mut command = script("dump.py");
    command.arg(dest);
    run(command).expect(0).stdout
}

#[track_caller]
fn assert_nothing_landed(dest: &Path) {
    for (name, bytes) in files(dest) {
        assert_clean(&name, &bytes);
        assert_clean("a name", name.as_bytes());
    }
}

/// The canaries that a text holds.
fn seen(text: &str) -> BTreeSet<String> {
    text.match_indices(CANARY)
        .filter_map(|(at, _)| text.get(at..at + CANARY.len() + 4))
        .map(str::to_owned)
        .collect()
}

#[test]
fn no_secret_of_an_event_lands_anywhere_and_the_control_finds_each() {
    let folder = scratch("secrets");
    let all = canaries();
    assert!(all.count > 250, "{}", all.count);
    let data = folder.join("events.ndjson");
    fs::write(&data, lines(&all.events)).unwrap();
    let sandbox = Sandbox::start(&["--data", data.to_str().unwrap()]);
    let dest = folder.join("dest");
    for flags in [&["--output", "json"][..], &["--evidence", "--lookback", "9999d"]] {
        let mut command = export(&sandbox.url, "2026-03-01", "2026-03-05", &dest);
        command.args(flags);
        let outcome = run(command).expect(10);
        assert_clean("standard output", outcome.stdout.as_bytes());
        assert_clean("standard error", outcome.stderr.as_bytes());
        assert_nothing_landed(&dest);
        if flags.contains(&"json") {
            let redacted = format!("\"redacted\":{},", all.events.len());
            assert!(outcome.stdout.contains(&redacted), "{redacted} in {}", outcome.stdout);
            assert!(outcome.stdout.contains("\"not_rebuilt\":0,"), "{}", outcome.stdout);
        }
    }
    let dumped = values(&dest);
    assert_clean("a column", dumped.as_bytes());
    assert!(dumped.matches("[REDACTED]").count() > all.events.len(), "nothing was redacted");
    let counted: usize = files(&dest.join("_audit/commits"))
        .iter()
        .map(|(_, bytes)| String::from_utf8_lossy(bytes).matches("\"redacted\":").count())
        .sum();
    assert!(counted >= 4, "the commits do not count what was redacted");

    // The dataset has made its choice.
    let mut mixed = export(&sandbox.url, "2026-03-01", "2026-03-05", &dest);
    mixed.arg("--keep-secrets");
    let refused = run(mixed).expect(2);
    assert!(refused.stderr.contains("secrets"), "{}", refused.stderr);

    // The control: with the same search, every canary is found.
    let kept = folder.join("kept");
    let mut command = export(&sandbox.url, "2026-03-01", "2026-03-05", &kept);
    command.args(["--keep-secrets", "--output", "json"]);
    let outcome = run(command).expect(10);
    assert!(outcome.stdout.contains("\"redacted\":0,"), "{}", outcome.stdout);
    let mut found = seen(&values(&kept));
    for (_, bytes) in files(&kept.join("_audit/quarantine")) {
        let text = String::from_utf8(bytes).unwrap();
        let encoded = forms().iter().skip(3).any(|form| text.contains(form));
        found.extend(seen(&text));
        if encoded {
            found.insert(format!("{CANARY}{:04}", all.count));
        }
    }
    let missing: Vec<_> = (1..=all.count)
        .map(|number| format!("{CANARY}{number:04}"))
        .filter(|one| !found.contains(one))
        .collect();
    assert!(missing.is_empty(), "the search does not see {missing:?}");
    run(export(&sandbox.url, "2026-03-01", "2026-03-05", &kept)).expect(2);
}

#[test]
fn a_run_that_is_killed_leaves_no_secret_behind() {
    let folder = scratch("secrets-killed");
    let all = canaries();
    let data = folder.join("events.ndjson");
    fs::write(&data, lines(&all.events)).unwrap();
    let sandbox = Sandbox::start(&["--data", data.to_str().unwrap(), "--delay-ms", "20"]);
    let dest = folder.join("dest");
    let mut killed = 0;
    for milliseconds in [60, 120, 200, 300, 420, 560] {
        let (out, err) = (folder.join("stdout"), folder.join("stderr"));
        let mut command = export(&sandbox.url, "2026-03-01", "2026-03-05", &dest);
        command.stdin(Stdio::null());
        command.stdout(fs::File::create(&out).unwrap()).stderr(fs::File::create(&err).unwrap());
        let mut child = command.spawn().unwrap();
        thread::sleep(Duration::from_millis(milliseconds));
        // SIGKILL.
        let _ = child.kill();
        killed += usize::from(child.wait().unwrap().code().is_none());
        assert_nothing_landed(&dest);
        assert_clean("standard output", &fs::read(out).unwrap());
        assert_clean("standard error", &fs::read(err).unwrap());
    }
    assert!(killed > 0, "every run had ended before it was killed");
    run(export(&sandbox.url, "2026-03-01", "2026-03-05", &dest)).expect(10);
    assert_nothing_landed(&dest);
    assert_clean("a column", values(&dest).as_bytes());
}

#[test]
fn a_content_that_changed_is_quarantined_without_its_secret() {
    let folder = scratch("secrets-changed");
    let event = |note: u32, secret: &str| {
        format!(r#"{{"id":"one","created_at":"2026-03-01T10:00:00","note":{note},"api_secret":"{secret}"}}"#)
            .into_bytes()
    };
    let dest = folder.join("dest");
    let secret = format!("{CANARY}0001");
    for (note, secret, code) in [(1, secret.as_str(), 0), (1, "another", 0), (2, secret.as_str(), 4)] {
        let data = folder.join("events.ndjson");
        fs::write(&data, lines(&[event(note, secret)])).unwrap();
        let sandbox = Sandbox::start(&["--data", data.to_str().unwrap()]);
        let mut command = export(&sandbox.url, "2026-03-01", "2026-03-02", &dest);
        command.args(["--lookback", "9999d", "--output", "json"]);
        let outcome = run(command).expect(code);
        assert_clean("standard output", outcome.stdout.as_bytes());
        assert_clean("standard error", outcome.stderr.as_bytes());
        assert_nothing_landed(&dest);
    }
    let kept = files(&dest.join("_audit/quarantine"));
    let kept = String::from_utf8(kept.into_iter().flat_map(|(_, bytes)| bytes).collect()).unwrap();
    assert!(kept.contains("other-content") && kept.contains("[REDACTED]"), "{kept}");
}

#[test]
fn one_event_on_the_terminal_is_redacted_too() {
    let folder = scratch("secrets-event");
    let data = folder.join("events.ndjson");
    let text =
        format!(r#"{{"id":"one","created_at":"2026-03-01T10:00:00","secret":"{CANARY}0001","n":1.0}}"#);
    fs::write(&data, &text).unwrap();
    let sandbox = Sandbox::start(&["--data", data.to_str().unwrap()]);
    let show = |flags: &[&str]| {
        let mut command = program();
        command.env("VONAGE_API_KEY", KEY).env("VONAGE_API_SECRET", SECRET);
        command.env("VONAGE_AUDIT_API_URL", &sandbox.url).args(["event", "one"]).args(flags);
        run(command).expect(0).stdout
    };
    assert_eq!(show(&[]).trim(), text.replace(&format!("{CANARY}0001"), "[REDACTED]"));
    assert_eq!(show(&["--keep-secrets"]).trim(), text);

    // A reply that is not taken is quoted in the error, up to the secret.
    let text = format!(r#"{{"secret":"{CANARY}0001","id":"one"}}"#);
    fs::write(&data, &text).unwrap();
    let fault = ["--fault", "0..:content-type=text/plain"];
    let sandbox = Sandbox::start(&[&["--data", data.to_str().unwrap()][..], &fault].concat());
    let mut command = program();
    command.env("VONAGE_API_KEY", KEY).env("VONAGE_API_SECRET", SECRET);
    command.env("VONAGE_AUDIT_API_URL", &sandbox.url).args(["event", "one", "--tries", "1"]);
    let outcome = run(command).expect(6);
    assert_clean("standard error", outcome.stderr.as_bytes());
    assert!(outcome.stderr.contains(r#"{"secret":[REDACTED]"#), "{}", outcome.stderr);
}
