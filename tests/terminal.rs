//! What a person sees who starts the program on a terminal.
//!
//! A terminal of the operating system (`openpty`) with an emulator behind it that can be asked what stands on the screen.
//! The sandbox answers slowly, so that there is something to see; what is awaited is a text, never a time.

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
#[allow(dead_code, reason = "the exports of these tests begin with a terminal")]
mod sandbox;

use std::path::Path;

use program::{run, scratch};
use python::script;
use sandbox::{KEY, SECRET, Sandbox};
use serde_json::Value;

const FROM: &str = "2026-01-01";
const TO: &str = "2026-01-16";

/// Busy days, each a unit of its own, and time to look at them.
fn slow(more: &[&str]) -> Sandbox {
    let span =
        ["--events", "20000", "--from", FROM, "--to", TO, "--seed", "7", "--delay-ms", "25", "--prerender"];
    Sandbox::start(&[&span[..], more].concat())
}

/// Everything of one export on a terminal.
struct Seen(Value);

impl Seen {
    fn export(
        sandbox: &Sandbox,
        size: &[&str],
        dest: &Path,
        words: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = script("terminal.py");
        command.args(size).arg("--").arg(env!("CARGO_BIN_EXE_vonage-audit"));
        command.args(["export", "--from", FROM, "--to", TO, "--dest"]).arg(dest).args(words);
        command
            .env_clear()
            .env("PYTHONUTF8", "1")
            .env("TERM", "xterm-256color")
            .envs(variables.iter().copied());
        command
            .env("VONAGE_API_KEY", KEY)
            .env("VONAGE_API_SECRET", SECRET)
            .env("VONAGE_AUDIT_API_URL", &sandbox.url);
        let seen = Self(serde_json::from_str(&run(command).expect(0).stdout).unwrap());
        assert_eq!(seen.0["code"], 0, "{}", seen.0["raw"]);
        seen
    }

    fn raw(&self) -> &str {
        self.0["raw"].as_str().unwrap()
    }

    fn frames(&self) -> Vec<Vec<&str>> {
        self.0["frames"].as_array().unwrap().iter().map(lines).collect()
    }

    /// The frames of progress from this one on: those before drift and result are told.
    fn progress_from(&self, first: usize) -> Vec<Vec<&str>> {
        let told = |line: &&str| line.contains("proven") || line.starts_with("events hold more");
        let frames = self.frames().into_iter().skip(first);
        frames.take_while(|lines| !lines.iter().any(told)).collect()
    }

    fn progress(&self) -> Vec<Vec<&str>> {
        self.progress_from(0)
    }

    fn screen(&self) -> Vec<&str> {
        lines(&self.0["screen"])
    }
}

fn lines(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect()
}

/// A sequence that sets colour or another look.
fn is_coloured(raw: &str) -> bool {
    raw.split("\u{1b}[").skip(1).any(|rest| {
        rest.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ';').starts_with('m')
    })
}

#[test]
fn a_bar_shows_how_far_it_is_and_then_the_summary_has_the_screen() {
    let place = scratch("terminal-bar");
    let sandbox = slow(&[]);
    let seen = Seen::export(&sandbox, &["24x80"], &place.join("dest"), &[], &[]);
    let progress = seen.progress();
    // Windows and time left beside the bar; events, requests and rate below it.
    let full = progress.iter().filter(|lines| {
        lines.len() == 2
            && lines[0].starts_with('█')
            && lines[0].contains(" of 15 windows, ")
            && lines[0].ends_with(" left")
            && lines[1].contains(" events, ")
            && lines[1].contains(" requests, ")
            && lines[1].ends_with("/s")
    });
    let full = full.count();
    assert!(full > 2, "{full} of {progress:#?}");
    // One bar stands there, or a part of it that is just being drawn; nothing is left of those before.
    assert!(progress.iter().all(|lines| lines.len() <= 2), "{progress:#?}");
    println!(
        "{} frames, {full} of them with bar, windows, time left, events, requests, rate",
        progress.len()
    );

    // What drift there is stands above; all of it on one screen, with a line left for what is typed next.
    let screen = seen.screen();
    assert!(screen.len() < 24 && seen.0["scrolled"] == 0, "{screen:#?}");
    assert!(screen[0].starts_with("events hold more than the table says"), "{screen:#?}");
    let verdict = screen.iter().position(|line| line.starts_with("complete and proven")).unwrap();
    let screen = &screen[verdict..];
    println!("{} lines of summary", screen.len());
    assert!(screen.iter().skip(1).all(|line| line.starts_with("  ")), "a line runs over: {screen:#?}");
    for part in ["range", "account", "events", "types", "proof", "written", "requests", "dataset", "head"] {
        let there = screen.iter().filter(|line| line.trim_start().starts_with(part)).count();
        assert_eq!(there, 1, "{part}: {screen:#?}");
    }
    assert!(!is_coloured(seen.raw()));
    assert!(is_coloured("a\u{1b}[1;31mb") && !is_coloured("a\u{1b}[2K\u{1b}[1Amb"));

    // Again, with everything that a summary can say and lines before it.
    let seen = Seen::export(&sandbox, &["24x80"], &place.join("dest"), &["--lookback", "3d"], &[]);
    assert!(seen.screen().len() < 24 && seen.0["scrolled"] == 0, "{:#?}", seen.screen());
}

#[test]
fn what_is_waited_for_is_said() {
    let place = scratch("terminal-waiting");
    // The API's limit is met in the middle of the work, and again soon after.
    let sandbox = slow(&[
        "--fault",
        "60:status=429/gateway/retry-after=3",
        "--fault",
        "90:status=429/gateway/retry-after=3",
    ]);
    let seen = Seen::export(&sandbox, &["24x80"], &place.join("limited"), &[], &[]);
    let said = seen.progress().into_iter().flatten().find(|line| line.contains(" s for the API's limit, "));
    let said = said.map(str::to_owned).unwrap_or_else(|| panic!("{:#?}", seen.progress()));
    assert!(said.contains("waiting ") && said.ends_with(" of 15 windows"), "{said}");
    println!("{said}");
    let sandbox = slow(&["--fault", "60:status=503/gateway/retry-after=3"]);
    let seen = Seen::export(&sandbox, &["24x40"], &place.join("repeated"), &[], &[]);
    let said =
        seen.progress().into_iter().flatten().find(|line| line.contains("waiting ")).map(str::to_owned);
    let said = said.unwrap_or_else(|| panic!("{:#?}", seen.progress()));
    assert!(said.contains(" s for a repetit"), "{said}");
    println!("{said}");
}

#[test]
fn no_colour_quiet_and_narrow() {
    let place = scratch("terminal-variants");
    let sandbox = slow(&[]);
    let seen = Seen::export(&sandbox, &["24x80"], &place.join("plain"), &[], &[("NO_COLOR", "1")]);
    assert!(!is_coloured(seen.raw()) && seen.progress().len() > 2, "{}", seen.raw());

    // The result is what was asked for; nothing else is said, and nothing is drawn.
    let seen = Seen::export(&sandbox, &["24x80"], &place.join("quiet"), &["--quiet"], &[]);
    assert!(
        seen.raw().starts_with("complete and proven") && !seen.raw().contains('\u{1b}'),
        "{}",
        seen.raw()
    );
    assert!(seen.progress().is_empty(), "{:#?}", seen.progress());
    let seen =
        Seen::export(&sandbox, &["24x80"], &place.join("machine"), &["--quiet", "--output", "json"], &[]);
    assert_eq!(seen.raw().trim().lines().count(), 1);
    serde_json::from_str::<Value>(seen.raw()).unwrap();

    // Made narrow while it works: each line is cut, none runs over into the next.
    let seen = Seen::export(&sandbox, &["24x80", "--resize", "24x40"], &place.join("narrow"), &[], &[]);
    let resized = usize::try_from(seen.0["resized"].as_u64().unwrap()).unwrap();
    let after = seen.progress_from(resized);
    let mut whole = after
        .iter()
        .filter(|lines| lines.len() == 2 && lines[0].starts_with('█') && lines[1].contains(" requests, "));
    assert!(whole.clone().count() > 2, "{after:#?}");
    assert!(after.iter().all(|lines| lines.len() <= 2), "{after:#?}");
    assert!(whole.clone().any(|lines| lines[0].ends_with(" left")), "{after:#?}");
    println!(
        "{} frames after the terminal was made narrow, the last: {:?}",
        after.len(),
        whole.next_back().unwrap()
    );
}
