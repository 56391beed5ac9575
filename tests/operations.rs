//! What schedulers, shells and people who look on are given: completions, manual, logs, metrics, limits of time.
//!
//! Each test runs the program as a process. The flags' definition is one: what is said about a flag anywhere is compared
//! with what `--help` says.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test program")]

#[path = "harness/program.rs"]
mod program;
#[path = "harness/sandbox.rs"]
mod sandbox;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use program::{program, run, scratch};
use sandbox::{SECRET, Sandbox, export};
use serde_json::Value;

/// The commands that `--help` lists.
fn commands() -> Vec<String> {
    let mut command = program();
    command.arg("--help");
    let help = run(command).expect(0).stdout;
    let listed = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap().lines();
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<_> = names.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect();
    assert!(names.len() > 10 && names.contains(&"export".to_owned()), "{names:?}");
    names
}

/// The long flags of a command, as `--help` lists them.
fn flags(path: &[&str]) -> Vec<String> {
    let mut command = program();
    command.args(path).arg("--help");
    let help = run(command).expect(0).stdout;
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let flags = lines.filter_map(|line| line.split([' ', ',']).find(|word| word.starts_with("--")));
    flags.map(str::to_owned).collect()
}

#[test]
fn completions_know_every_command_and_flag() {
    let commands = commands();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let mut command = program();
        command.args(["completions", shell]);
        let script = run(command).expect(0).stdout;
        for word in &commands {
            assert!(script.contains(word.as_str()), "{shell} does not know {word}");
        }
        for flag in flags(&["export"]) {
            let name = flag.trim_start_matches('-');
            assert!(script.contains(name), "{shell} does not know {flag}");
        }
        if shell == "bash" {
            let file = scratch("completions").join("vonage-audit.bash");
            fs::write(&file, &script).unwrap();
            let function = script.lines().find_map(|line| line.strip_suffix("() {")).unwrap();
            let ask = format!(
                "source {}; COMP_WORDS=(vonage-audit export --lookb); COMP_CWORD=2; \
                 {function} vonage-audit --lookb export; echo ${{COMPREPLY[@]}}",
                file.display()
            );
            let said = Command::new("bash").args(["-c", &ask]).stderr(Stdio::inherit()).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), "--lookback");
        }
    }
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let mut command = program();
    command.arg("man");
    let page = run(command).expect(0).stdout;
    assert!(page.contains(".TH vonage\\-audit 1") || page.contains(".TH vonage-audit 1"), "{page}");
    let folder = scratch("manual");
    let mut command = program();
    command.args(["man", "--dir"]).arg(&folder);
    run(command).expect(0);
    for name in commands().iter().filter(|name| *name != "help") {
        let page = fs::read_to_string(folder.join(format!("vonage-audit-{name}.1"))).unwrap();
        for flag in flags(&[name.as_str()]) {
            let spelt = flag.replace('-', "\\-");
            assert!(page.contains(&spelt), "{name}: {flag} is not in its page");
        }
    }
    let mut command = program();
    command.args(["man", "--dir"]).arg(folder.join("nowhere"));
    assert!(run(command).expect(7).stderr.contains("nowhere"));
}

const SPAN: [&str; 8] = ["--events", "400", "--from", "2026-01-01", "--to", "2026-01-11", "--seed", "7"];

#[test]
fn logs_are_objects_and_say_where_and_what_next() {
    let folder = scratch("logs");
    let sandbox = Sandbox::start(&SPAN);
    let mut command = export(&sandbox.url, "2026-01-01", "2026-01-11", &folder.join("dest"));
    command.args(["--log-format", "json", "--verbose"]);
    let outcome = run(command).expect(0);
    let lines: Vec<Value> = outcome.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        let time = line["time"].as_str().unwrap();
        assert!(time.ends_with('Z') && time.len() == 24, "{line}");
        assert!(["debug", "info", "warning"].contains(&line["level"].as_str().unwrap()), "{line}");
    }
    let committed = lines.iter().filter(|line| line["message"].as_str().unwrap().ends_with(" committed"));
    assert_eq!(committed.count(), 10, "{}", outcome.stderr);
    // The result is as it was.
    assert!(outcome.stdout.starts_with("complete and proven"), "{}", outcome.stdout);

    let mut command = export(&sandbox.url, "2026-01-01", "2026-01-11", &folder.join("other"));
    command.args(["--log-format", "json"]).env("VONAGE_API_SECRET", "wrong-canary");
    let outcome = run(command).expect(5);
    let line: Value = serde_json::from_str(outcome.stderr.trim()).unwrap();
    assert_eq!((&line["level"], &line["kind"]), (&"error".into(), &"credentials".into()), "{line}");
    assert!(line["context"]["request"].is_string() && line["hint"].is_string(), "{line}");
    assert!(!outcome.stderr.contains("canary"));

    // Also where the flags themselves are wrong.
    let mut command = program();
    command.args(["export", "--log-format", "json", "--form", "x"]);
    let line: Value = serde_json::from_str(run(command).expect(2).stderr.trim()).unwrap();
    assert_eq!(line["kind"], "usage");
    assert!(line["message"].as_str().unwrap().contains("--form"), "{line}");

    // A hint has a line of its own; nothing is coloured.
    let mut command = export(&sandbox.url, "2026-01-01", "2026-01-11", &folder.join("other"));
    command.args(["--rate", "fast"]);
    let outcome = run(command).expect(2);
    let lines: Vec<_> = outcome.stderr.lines().collect();
    assert!(lines[0].starts_with("error: ") && lines[1].starts_with("  hint: "), "{lines:?}");
    assert!(!outcome.stderr.contains('\u{1b}'), "{lines:?}");
}

/// Name and value of an account's figures.
fn figures(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let level = name.split("level=\"").nth(1).map(|rest| rest.split('"').next().unwrap());
            let name = name.split('{').next().unwrap().strip_prefix("vonage_audit_").unwrap();
            (level.map_or(name.to_owned(), |level| format!("{name}.{level}")), value.parse().unwrap())
        })
        .collect()
}

#[test]
fn metrics_are_the_figures_of_the_summary() {
    let folder = scratch("metrics");
    let file = folder.join("audit.prom");
    let sandbox = Sandbox::start(&SPAN);
    let with = |dest: &str, secret: &str| {
        let mut command = export(&sandbox.url, "2026-01-01", "2026-01-11", &folder.join(dest));
        command.args(["--output", "json", "--metrics-file"]).arg(&file).env("VONAGE_API_SECRET", secret);
        run(command)
    };
    let outcome = with("dest", SECRET).expect(0);
    let summary: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let found = figures(&text);
    let mut compared = 0;
    for (name, value) in &found {
        let other = match name.as_str() {
            "run_timestamp_seconds" | "run_seconds" => continue,
            "proven_until_timestamp_seconds" => {
                assert_eq!(*value, 1_768_089_600.0);
                continue;
            }
            "windows_unchanged" => &summary["unchanged"],
            "windows_proven.bracketed" | "windows_proven.double" => {
                let level = name.rsplit('.').next().unwrap();
                let levels = &summary["levels"][level];
                assert_eq!(levels.as_f64().unwrap_or_default(), *value, "{name}");
                continue;
            }
            "ranges_unproven" => {
                assert_eq!(*value, 0.0);
                continue;
            }
            "events_quarantined" => &summary["quarantined"],
            "events_redacted" => &summary["redacted"],
            "events_vanished" => &summary["vanished"],
            "head" => &summary["head"]["number"],
            name => &summary[name],
        };
        assert_eq!(other.as_f64(), Some(*value), "{name}");
        compared += 1;
    }
    assert!(compared >= 15, "{compared} figures compared:\n{text}");
    assert_eq!(found["rows"], 400.0);
    // Each name is declared once, before its samples.
    let helps: Vec<_> = text.lines().filter(|line| line.starts_with("# HELP")).collect();
    assert_eq!(helps.len(), text.lines().filter(|line| line.starts_with("# TYPE")).count());

    // A run that could not begin replaces the file, so that an alarm sees it.
    with("other", "wrong").expect(5);
    assert_eq!(figures(&fs::read_to_string(&file).unwrap())["exit_code"], 5.0);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "something is left beside the file");
    let mut command = export(&sandbox.url, "2026-01-01", "2026-01-11", &folder.join("third"));
    command.arg("--metrics-file").arg(folder.join("nowhere/audit.prom"));
    assert!(run(command).expect(2).stderr.contains("nowhere"));
}

#[test]
fn a_run_whose_time_is_over_keeps_what_it_committed_and_the_next_goes_on() {
    let folder = scratch("deadline");
    let dest = folder.join("dest");
    let sandbox = Sandbox::start(&SPAN);
    // One request in a hundred seconds: there is time for the first only, however fast the machine.
    let mut command = export(&sandbox.url, "2026-01-01", "2026-01-11", &dest);
    command.args(["--rate", "0.01/s", "--max-duration", "1s", "--output", "json"]);
    let outcome = run(command).expect(12);
    let summary: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&summary["exit_code"], &summary["error"]["kind"]), (&12.into(), &"interrupted".into()));
    assert!(outcome.stderr.contains("--max-duration is over") && outcome.stderr.contains("hint: "));
    let mut command = export(&sandbox.url, "2026-01-01", "2026-01-11", &dest);
    command.args(["--max-duration", "1d"]);
    run(command).expect(0);
    let mut command = export(&sandbox.url, "2026-01-01", "2026-01-11", &dest);
    command.args(["--max-duration", "soon"]);
    assert!(run(command).expect(2).stderr.contains("--max-duration"));
}

/// The last account's API takes a question and never answers; those before it have one that does. What the command is then
/// told to do, once the question has come, and its exit code.
fn hanging(name: &str, before: usize, words: &[&str], act: impl FnOnce(&Child)) -> Option<i32> {
    let folder = scratch(name);
    let sandbox = Sandbox::start(&SPAN);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut apis = vec![sandbox.url.clone(); before];
    apis.push(format!("http://{}/beta/audit", silent.local_addr().unwrap()));
    let mut text = format!("dest = {:?}\n", folder.join("dest"));
    for (number, url) in apis.into_iter().enumerate() {
        text += &format!(
            "[accounts.a{number}]\nkey = \"abcd1234\"\nsecret_env = \"SECRET\"\napi_url = {url:?}\n"
        );
    }
    let config = folder.join("accounts.toml");
    fs::write(&config, text).unwrap();
    let mut command = program();
    command.env("SECRET", SECRET).args(["export", "--from", "2026-01-01", "--to", "2026-01-11", "--config"]);
    command.arg(config).arg("--quiet").args(words).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let (_open, _) = silent.accept().unwrap();
    act(&child);
    let outcome = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&outcome.stderr);
    assert!(said.contains("start the same command again"), "{said}");
    outcome.status.code()
}

#[test]
fn a_command_ends_when_it_is_told_to_also_before_an_accounts_run() {
    let told = |child: &Child| {
        let mut kill = Command::new("kill");
        assert!(kill.arg("-TERM").arg(child.id().to_string()).status().unwrap().success());
    };
    assert_eq!(hanging("stopped-before", 0, &[], told), Some(143));
    assert_eq!(hanging("stopped-between", 1, &[], told), Some(143));
    assert_eq!(hanging("late-before", 0, &["--max-duration", "2s"], |_| {}), Some(12));
}
