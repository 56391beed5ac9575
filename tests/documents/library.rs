//! The library's examples: they agree with the program.

use std::path::Path;
use std::process::Command;

use crate::program::{program, run, scratch};
use crate::repository;
use crate::sandbox::{KEY, SECRET, Sandbox};

/// An example's binary. Cargo builds examples with all tests, but not for `--test documents` alone.
fn example(name: &str) -> Command {
    let built = Path::new(env!("CARGO_BIN_EXE_vonage-audit")).parent().unwrap().join("examples").join(name);
    let time = |path: &Path| path.metadata().and_then(|found| found.modified()).ok();
    let source = time(&repository("examples").join(name).with_extension("rs"));
    assert!(time(&built) >= source, "{} is missing or old: cargo build --examples", built.display());
    Command::new(built)
}

#[test]
fn rows_give_their_events_back() {
    let events = repository("tests/data/events-published.ndjson");
    let count = std::fs::read_to_string(&events).unwrap().lines().count();
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$@\" <\"$EVENTS\"", "sh"]).env("EVENTS", events);
    shell.arg(example("rows").get_program()).args(example("rows").get_args());
    let said = run(shell).expect(0).stdout;
    assert!(said.contains(&format!("{count} rows, {count} give their event back")), "{said}");
    assert!(said.contains("context_json"), "{said}");
}

#[test]
fn an_export_by_the_library_is_the_programs() {
    let sandbox = Sandbox::start(&["--events", "2000"]);
    let folder = scratch("documents-library");
    let dest = folder.join("audit");
    let export = |secret: &str, dest: &Path| {
        let mut export = example("export");
        export.arg(dest);
        export
            .env("VONAGE_API_KEY", KEY)
            .env("VONAGE_API_SECRET", secret)
            .env("VONAGE_AUDIT_API_URL", &sandbox.url);
        run(export)
    };
    let first = export(SECRET, &dest).expect(0).stdout;
    assert_eq!(first.lines().count(), 8, "{first}");
    let again = export(SECRET, &dest).expect(0).stdout;
    assert!(again.contains("7 windows, 0 rows, 7 unchanged"), "{again}");
    export("another", &folder.join("refused")).expect(5);

    let mut verify = program();
    verify.args(["verify", "--deep", "--covers", "2026-03-01..2026-03-08"]).arg(&dest);
    run(verify).expect(0);
    let mut files = program();
    files.arg("files").arg(&dest);
    let files = run(files).expect(0).stdout;
    let log = |since: &[&str]| {
        let mut log = example("log");
        log.arg(&dest).args(since);
        run(log).expect(0).stdout
    };
    let paths = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.ends_with(" rows"));
        lines.map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect()
    };
    let all = log(&[]);
    assert_eq!(paths(&all), files.lines().collect::<Vec<_>>());
    let newest = all.lines().last().unwrap().split(' ').nth(3).unwrap();
    assert_eq!(paths(&log(&[newest])), [""; 0]);
}
