//! The configuration, from outside: what beats what, where each value comes from, and what is refused before any request.
//!
//! The definition of keys is that of the flags: the example file and `docs/configuration.md` are compared with it.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test program")]

#[path = "harness/program.rs"]
mod program;
#[path = "harness/sandbox.rs"]
mod sandbox;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use program::{Outcome, program, run, scratch};
use sandbox::{KEY, SECRET, Sandbox, export};
use serde_json::Value;

fn config(place: &Path, text: &str) -> PathBuf {
    let path = place.join("vonage-audit.toml");
    fs::write(&path, text).unwrap();
    path
}

/// A command with credentials and a configuration file.
fn with(words: &[&str], config: &Path) -> Command {
    let mut command = program();
    command.env("VONAGE_API_KEY", KEY).env("VONAGE_API_SECRET", SECRET);
    command.args(words).arg("--config").arg(config);
    command
}

fn show(command: Command) -> Value {
    serde_json::from_str(&run(command).expect(0).stdout).unwrap()
}

/// Values and origin of a key.
fn setting(shown: &Value, key: &str) -> (Vec<String>, String) {
    let found = shown["settings"].as_array().unwrap().iter().find(|setting| setting["key"] == key).unwrap();
    let values = found["values"].as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned());
    (values.collect(), found["origin"].as_str().unwrap().to_owned())
}

#[test]
fn a_flag_beats_the_environment_beats_the_file() {
    let place = scratch("config-order");
    let path = config(
        &place,
        "rate = \"1/s\"\npadding = 30\nevidence = true\nformat = [\"csv\", \"ndjson\"]\n\nlookback = \"9d\"\nto = \"today\"\n",
    );
    let at = |line: usize| format!("{}:{line}", path.display());
    let words = ["config", "show", "--output", "json", "--from", "2026-01-01"];
    let mut command = with(&words, &path);
    command
        .env("VONAGE_AUDIT_RATE", "2/s")
        .env("VONAGE_AUDIT_PADDING", "40")
        .env("VONAGE_AUDIT_FAIL_ON_DRIFT", "true");
    command.args(["--rate", "3/s"]);
    let shown = show(command);
    let one = |value: &str, origin: &str| (vec![value.to_owned()], origin.to_owned());
    assert_eq!(setting(&shown, "rate"), one("3/s", "flag"));
    assert_eq!(setting(&shown, "padding"), one("40", "environment VONAGE_AUDIT_PADDING"));
    assert_eq!(setting(&shown, "fail_on_drift"), one("true", "environment VONAGE_AUDIT_FAIL_ON_DRIFT"));
    assert_eq!(setting(&shown, "evidence"), one("true", &at(3)));
    assert_eq!(setting(&shown, "format"), (vec!["csv".to_owned(), "ndjson".to_owned()], at(4)));
    assert_eq!(setting(&shown, "lookback"), one("9d", &at(6)));
    assert_eq!(setting(&shown, "tries"), one("8", "default"));
    assert_eq!(setting(&shown, "to"), one("today", &at(7)));
    // A switch in the file is turned off by the environment; a flag beats what cannot stand beside it.
    let mut command = with(&["config", "show", "--output", "json", "--incremental"], &path);
    command.env("VONAGE_AUDIT_EVIDENCE", "false");
    let shown = show(command);
    assert_eq!(setting(&shown, "evidence"), one("false", "environment VONAGE_AUDIT_EVIDENCE"));
    assert_eq!(setting(&shown, "to").1, "default");
    // The file itself may be named by the environment.
    let mut command = program();
    command.env("VONAGE_AUDIT_CONFIG", &path).args(["config", "show", "--output", "json"]);
    assert_eq!(setting(&show(command), "padding"), one("30", &at(2)));
}

#[test]
fn what_is_wrong_is_told_with_its_place_before_any_request() {
    let place = scratch("config-wrong");
    let dest = place.join("dest");
    for (text, words) in [
        ("raet = \"5/s\"\n", &["unknown key \"raet\"", "line 1", "did you mean \"rate\"?"][..]),
        ("\npartition-by = \"none\"\n", &["line 2", "did you mean \"partition_by\"?"]),
        ("secret = \"x\"\n", &["unknown key \"secret\"", "hint: "]),
        ("padding = 1\n", &["padding", "vonage-audit.toml:1", "2..=864000"]),
        ("format = \"parquet\"\npadding = \"many\"\n", &["many", "vonage-audit.toml:2"]),
        ("evidence = \"yes\"\n", &["evidence takes true or false", "line 1"]),
        ("rate = true\n", &["rate takes a text", "line 1"]),
        ("rate = [\"1/s\", \"2/s\"]\n", &["rate takes one value", "line 1"]),
        ("rate = 1.5\n", &["rate has a value that no flag could have"]),
        ("rate = \"fast\"\n", &["not a rate", "fast"]),
        ("rate = \n", &["not understood", "line 1"]),
        ("config = \"x\"\n", &["unknown key \"config\""]),
        ("[accounts.main]\nkey = \"x\"\nsecret = \"y\"\n", &["unknown field `secret`", "line 3"]),
        ("sign_key = \"a\"\nsign_command = \"b\"\n", &["cannot be used with"]),
    ] {
        let path = config(&place, text);
        for command in ["export", "config check"] {
            let mut words_typed: Vec<&str> = command.split(' ').collect();
            words_typed.extend([
                "--from",
                "2026-01-01",
                "--api-url",
                "http://127.0.0.1:9/beta/audit",
                "--dest",
            ]);
            words_typed.push(dest.to_str().unwrap());
            let typed_command = with(&words_typed, &path);
            let Outcome { stderr, .. } = run(typed_command).expect(2);
            for word in words {
                assert!(stderr.contains(word), "{command}, {text:?} does not say {word:?}: {stderr}");
            }
        }
    }
    assert!(!dest.exists());
}

#[test]
fn an_export_goes_by_its_file_alone_and_check_agrees() {
    let place = scratch("config-export");
    let sandbox = Sandbox::start(&["--events", "300", "--from", "2026-01-01", "--to", "2026-01-08"]);
    let dest = place.join("dest");
    let path = config(
        &place,
        &format!(
            "api_url = {:?}\ndest = {dest:?}\nfrom = \"2026-01-01\"\nto = \"2026-01-08\"\nformat = [\"ndjson\"]\noutput = \"json\"\n",
            sandbox.url
        ),
    );
    let outcome = run(with(&["config", "check"], &path)).expect(0);
    assert!(!dest.exists(), "{}", outcome.stdout);
    let summary: Value = serde_json::from_str(&run(with(&["export"], &path)).expect(0).stdout).unwrap();
    assert_eq!((&summary["rows"], &summary["files"]), (&300.into(), &7.into()), "{summary}");
    assert!(dest.join("ndjson").is_dir() && !dest.join("parquet").exists());
    let plan: Value = serde_json::from_str(&run(with(&["plan"], &path)).expect(0).stdout).unwrap();
    assert_eq!(plan["committed"], 7, "{plan}");
    // The same by flags alone.
    let mut command = export(&sandbox.url, "2026-01-01", "2026-01-08", &dest);
    command.args(["--format", "ndjson", "--output", "json"]);
    let summary: Value = serde_json::from_str(&run(command).expect(0).stdout).unwrap();
    assert_eq!((&summary["unchanged"], &summary["rows"]), (&7.into(), &0.into()), "{summary}");
}

#[test]
fn secrets_are_never_shown() {
    let place = scratch("config-secrets");
    let path = config(
        &place,
        "sign_command = \"sign --pin canary-1\"\n[accounts.main]\nkey = \"k\"\nsecret_env = \"MAIN\"\n\
         [accounts.other]\nkey = \"l\"\nsecret_env = \"OTHER\"\n",
    );
    for form in ["human", "json"] {
        let mut command = with(&["config", "show", "--output", form], &path);
        command.env("MAIN", "canary-2").env("VONAGE_API_SECRET", "canary-3");
        let Outcome { stdout, stderr, .. } = run(command).expect(0);
        assert!(!format!("{stdout}{stderr}").contains("canary"), "{stdout}{stderr}");
        assert!(stdout.contains("sign_command") && stdout.contains("(hidden)"), "{stdout}");
        if form == "human" {
            assert!(stdout.contains("secret_env = \"MAIN\" # set"), "{stdout}");
            assert!(stdout.contains("secret_env = \"OTHER\" # NOT SET"), "{stdout}");
        }
    }
}

#[test]
fn the_example_has_every_flag_and_the_documents_have_the_example() {
    let mut command = program();
    command.args(["config", "example"]);
    let example = run(command).expect(0).stdout;
    let mut command = program();
    command.args(["export", "--help"]);
    let help = run(command).expect(0).stdout;
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let flags: Vec<_> =
        lines.filter_map(|line| line.split([' ', ',']).find(|word| word.starts_with("--"))).collect();
    assert!(flags.len() > 40, "{flags:?}");
    for flag in flags.iter().filter(|flag| !["--config", "--help", "--version"].contains(flag)) {
        let key = flag.trim_start_matches('-').replace('-', "_");
        assert!(example.lines().any(|line| line.starts_with(&format!("# {key} = "))), "{flag} has no key");
    }
    // What it shows as defaults is what a run without a file takes.
    let place = scratch("config-example");
    let text: String = example
        .lines()
        .take_while(|line| !line.starts_with("# --- Accounts"))
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| line.split(" = ").next().is_some_and(|key| !key.contains(' ') && line.contains(" = ")))
        .filter(|line| {
            !line.contains("= \"")
                || line.contains(|letter: char| letter.is_ascii_digit())
                || line.contains("human")
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let path = config(&place, &text);
    let shown = show(with(&["config", "show", "--output", "json"], &path));
    let mut bare = program();
    bare.args(["config", "show", "--output", "json"]);
    let bare = show(bare);
    for key in ["padding", "tries", "lookback", "format", "log_format", "concurrency", "evidence"] {
        assert_eq!(setting(&shown, key).0, setting(&bare, key).0, "{key}");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/configuration.md")).unwrap();
    let again = "written by `vonage-audit config example`; write it anew";
    assert!(document.contains(&format!("```toml\n{example}```\n")), "docs/configuration.md is {again}");
    let file = fs::read_to_string(root.join("examples/vonage-audit.toml")).unwrap();
    assert_eq!(file, example, "examples/vonage-audit.toml is {again}");
}
