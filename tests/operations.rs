//! What schedulers, shells and people who look on are given: completions, manual, logs, metrics, limits of time.
//!
//! Each test runs the program as a process. The flags' definition is one: what is said about a flag anywhere is compared
//! with what `--help` says.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test program")]

#[path = "harness/program.rs"]
mod program;

use std::fs;
use std::process::{Command, Stdio};

use program::{program, run, scratch};

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
            let ask = format!(
                "source {}; COMP_WORDS=(vonage-audit export --lookb); COMP_CWORD=2; \
                 _vonage-audit vonage-audit --lookb export; echo ${{COMPREPLY[@]}}",
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
