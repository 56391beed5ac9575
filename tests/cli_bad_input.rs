//! Bad input, seen from outside: the exit code, what is said, and that nothing was asked or written.
//!
//! Each case runs the program as a process against a port that only counts connections. A usage error must be found
//! before the first of them; a refusal or a dead API must leave no trace at the destination.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test program")]

#[path = "harness/program.rs"]
mod program;
#[path = "harness/sandbox.rs"]
mod sandbox;

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use program::{Outcome, program, run, scratch};
use sandbox::{KEY, SECRET, Sandbox, export};

/// A port that nobody may connect to.
struct Untouched {
    listener: TcpListener,
    url: String,
}

impl Untouched {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/beta/audit", listener.local_addr().unwrap());
        Self { listener, url }
    }

    /// The kernel queues connections, so one that was made and closed is still seen here.
    #[track_caller]
    fn assert(&self) {
        match self.listener.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => panic!("the API was asked: {other:?}"),
        }
    }
}

/// Names below a folder, at any depth.
fn names(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Runs a command that must end with this code, say each of these words on standard error and nothing on standard
/// output, ask nothing, and leave the folder as it was.
#[track_caller]
fn refused(command: Command, api: &Untouched, folder: &Path, code: i32, words: &[&str]) -> Outcome {
    let before = names(folder);
    let shown = format!("{command:?}");
    let outcome = run(command).expect(code);
    api.assert();
    assert_eq!(names(folder), before, "{shown} wrote something");
    assert_eq!(outcome.stdout, "", "{shown}");
    for word in words {
        assert!(outcome.stderr.contains(word), "{shown} does not say {word:?}:\n{}", outcome.stderr);
    }
    assert!(!outcome.stderr.contains(SECRET), "{shown} tells the secret");
    assert!(!outcome.stderr.contains("panicked"), "{shown}:\n{}", outcome.stderr);
    outcome
}

#[test]
fn ranges_that_cannot_be_exported_are_refused_before_any_request() {
    let (api, folder) = (Untouched::new(), scratch("bad-range"));
    for (from, to, word) in [
        ("2026-03-02", "2026-03-01", "not before"),
        ("2026-03-01", "2026-03-01", "not before"),
        ("2026-03-01", "2999-01-01", "future"),
        ("2999-01-01", "2999-02-01", "future"),
        ("2026-02-30", "2026-03-05", "2026-02-30"),
        ("soon", "2026-03-05", "soon"),
        ("", "2026-03-05", "--from"),
        ("2026-03-01T12:00:00Z", "2026-03-05", "grid"),
        ("last", "2026-03-05", "last"),
    ] {
        refused(export(&api.url, from, to, &folder.join("dest")), &api, &folder, 2, &[word]);
    }
}

#[test]
fn wrong_flags_are_refused_with_a_suggestion() {
    let (api, folder) = (Untouched::new(), scratch("bad-flags"));
    let dest = folder.join("dest");
    for (arguments, words) in [
        (&["--form", "2026-01-01"][..], &["--form", "--from"][..]),
        (&["--columns", "id"], &["--columns"]),
        (&["--rate", "fast"], &["fast"]),
        (&["--rate=-1/s"], &["-1/s"]),
        (&["--rate", "0/s"], &["0/s"]),
        (&["--settle", "soon"], &["soon"]),
        (&["--lookback", "3 fortnights"], &["fortnights"]),
        (&["--grid", "P2D"], &["P2D", "P1D"]),
        (&["--format", "parquet,xml"], &["xml", "ndjson"]),
        (&["--format", ""], &["format", "csv"]),
        (&["--padding", "-1"], &["-1"]),
        (&["--memory", "0"], &["--memory"]),
        (&["--spill-dir", "no-such-folder"], &["--spill-dir", "no-such-folder"]),
        (&["--spill-dir", "Cargo.toml"], &["--spill-dir", "Cargo.toml"]),
        (&["--concurrency", "0"], &["concurrency"]),
        (&["--concurrency", "many"], &["many"]),
        (&["--output", "xml"], &["xml", "json"]),
        (&["--from", "2026-01-01"], &["--from"]),
        (&["stray"], &["stray"]),
        (&["--secret", "x"], &["--secret"]),
    ] {
        let mut command = export(&api.url, "2026-03-01", "2026-03-02", &dest);
        command.args(arguments);
        refused(command, &api, &folder, 2, words);
    }
    let mut command = export(&api.url, "2026-03-01", "2026-03-02", &dest);
    command.env("TMPDIR", "no-such-folder");
    refused(command, &api, &folder, 2, &["TMPDIR", "--spill-dir"]);
    for arguments in [&["exprot"][..], &["export"], &["export", "--from", "2026-03-01"]] {
        let mut command = program();
        command.args(arguments);
        refused(command, &api, &folder, 2, &[]);
    }
}

#[test]
fn no_flag_takes_the_secret() {
    let mut command = program();
    command.args(["export", "--help"]);
    let help = run(command).expect(0).stdout;
    // This one takes nothing.
    let flags = help.split_whitespace().filter(|word| word.starts_with("--") && *word != "--keep-secrets");
    for flag in flags {
        assert!(!flag.contains("secret") && !flag.contains("password"), "{flag}");
    }
    assert!(help.contains("--credentials-file"), "{help}");
}

#[test]
fn missing_credentials_are_refused_before_any_request() {
    let (api, folder) = (Untouched::new(), scratch("bad-credentials"));
    for (key, secret, words) in [
        (None, None, &["VONAGE_API_KEY"][..]),
        (None, Some(SECRET), &["VONAGE_API_KEY"]),
        (Some(KEY), None, &["VONAGE_API_SECRET"]),
        (Some(""), Some(SECRET), &["VONAGE_API_KEY"]),
        (Some(KEY), Some(""), &["VONAGE_API_SECRET"]),
        (Some(KEY), Some("sandbox-secret\nX-Injected: 1"), &[]),
        (Some("abcd:1234"), Some(SECRET), &[]),
    ] {
        let mut command = export(&api.url, "2026-03-01", "2026-03-02", &folder.join("dest"));
        for (name, value) in [("VONAGE_API_KEY", key), ("VONAGE_API_SECRET", secret)] {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        refused(command, &api, &folder, 2, words);
    }
}

#[cfg(unix)]
#[test]
fn credentials_files_that_cannot_be_used_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (api, folder) = (Untouched::new(), scratch("bad-credentials-file"));
    let file = folder.join("credentials");
    let both = format!("VONAGE_API_KEY={KEY}\nVONAGE_API_SECRET={SECRET}\n");
    for (text, mode, word) in [
        (Some(both.as_str()), 0o644, "chmod 600"),
        (Some(both.as_str()), 0o640, "chmod 600"),
        (Some("VONAGE_API_KEY=abcd1234\n"), 0o600, "VONAGE_API_SECRET"),
        (Some("VONAGE_API_KEY=\nVONAGE_API_SECRET=sandbox-secret\n"), 0o600, "VONAGE_API_KEY"),
        (None, 0, "credentials"),
    ] {
        let _ = fs::remove_file(&file);
        if let Some(text) = text {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        }
        let mut command = export(&api.url, "2026-03-01", "2026-03-02", &folder.join("dest"));
        command
            .env_remove("VONAGE_API_KEY")
            .env_remove("VONAGE_API_SECRET")
            .arg("--credentials-file")
            .arg(&file);
        refused(command, &api, &folder, 2, &[word]);
    }
}

#[test]
fn api_addresses_that_could_leak_the_secret_are_refused() {
    let (api, folder) = (Untouched::new(), scratch("bad-url"));
    let port = api.listener.local_addr().unwrap().port();
    for url in [
        "http://api.nexmo.com/beta/audit".to_owned(),
        "http://127.0.0.1.example.com/beta/audit".to_owned(),
        format!("http://user:{SECRET}@127.0.0.1:{port}/beta/audit"),
        format!("ftp://127.0.0.1:{port}/beta/audit"),
        "file:///etc/hosts".to_owned(),
        "api.nexmo.com".to_owned(),
        "not a url".to_owned(),
        format!("http://127.0.0.1:{port}/beta/audit?x=1"),
    ] {
        refused(export(&url, "2026-03-01", "2026-03-02", &folder.join("dest")), &api, &folder, 2, &[]);
    }
}

#[test]
fn destinations_that_cannot_be_used_are_refused_before_any_request() {
    let (api, folder) = (Untouched::new(), scratch("bad-dest"));
    let file = folder.join("file");
    fs::write(&file, "mine").unwrap();
    let foreign = folder.join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("notes.txt"), "mine").unwrap();
    let newer = folder.join("newer");
    fs::create_dir_all(newer.join("_audit")).unwrap();
    fs::write(newer.join("_audit/dataset.json"), "{\"format_version\":999}").unwrap();

    for dest in [&file, &file.join("below"), &foreign, &newer, Path::new("")] {
        refused(export(&api.url, "2026-03-01", "2026-03-02", dest), &api, &folder, 2, &[]);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

/// `/proc` takes no new names, not even from root, so this holds wherever the tests run.
#[cfg(target_os = "linux")]
#[test]
fn a_destination_that_cannot_be_written_is_refused_before_any_request() {
    let (api, folder) = (Untouched::new(), scratch("bad-dest-unwritable"));
    refused(
        export(&api.url, "2026-03-01", "2026-03-02", Path::new("/proc/vonage-audit")),
        &api,
        &folder,
        2,
        &["/proc"],
    );
}

#[test]
fn another_accounts_dataset_is_refused_before_any_request() {
    let folder = scratch("bad-dest-account");
    let dest = folder.join("dest");
    let sandbox =
        Sandbox::start(&["--events", "200", "--from", "2026-01-01", "--to", "2026-01-08", "--seed", "3"]);
    run(export(&sandbox.url, "2026-01-01", "2026-01-08", &dest)).expect(0);
    let api = Untouched::new();
    let mut command = export(&api.url, "2026-01-01", "2026-01-08", &dest);
    command.env("VONAGE_API_KEY", "ef567890");
    refused(command, &api, &folder, 4, &["account"]);
    let mut command = export(&api.url, "2026-01-01", "2026-01-08", &dest);
    command.args(["--grid", "PT1H"]);
    refused(command, &api, &folder, 2, &["P1D"]);
}

#[test]
fn a_wrong_secret_is_told_and_leaves_nothing() {
    let folder = scratch("bad-secret");
    let sandbox =
        Sandbox::start(&["--events", "200", "--from", "2026-01-01", "--to", "2026-01-08", "--seed", "3"]);
    let wrong = "canary-7f3a9b";
    let mut command = export(&sandbox.url, "2026-01-01", "2026-01-08", &folder.join("dest"));
    command.env("VONAGE_API_SECRET", wrong);
    let outcome = run(command).expect(5);
    assert!(!outcome.stderr.contains(wrong) && !outcome.stdout.contains(wrong), "{outcome:?}");
    assert_eq!(names(&folder), Vec::<PathBuf>::new());
}

#[test]
fn an_api_that_cannot_be_reached_is_told_and_leaves_nothing() {
    let folder = scratch("bad-api");
    // Bound and dropped: nobody listens there now.
    let url = Untouched::new().url;
    let mut command = export(&url, "2026-01-01", "2026-01-08", &folder.join("dest"));
    command.args(["--tries", "2"]);
    run(command).expect(6);
    assert_eq!(names(&folder), Vec::<PathBuf>::new());
}
