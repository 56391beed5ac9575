//! The nightly life of a dataset, as its user sees it: incremental runs, filters, several accounts, single questions.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test program"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use chrono::{Days, NaiveDate};
use serde_json::Value;
use vonage_audit::encode::{ReadLimits, read};
use vonage_audit::model::Format;
use vonage_audit::sandbox::{Population, Spec};

#[path = "harness/program.rs"]
mod program;
#[path = "harness/sandbox.rs"]
mod sandbox;

use program::{Outcome, program, run, scratch};
use sandbox::{KEY, SECRET, Sandbox, export};

/// Events of the last nine days, as lines; nothing else depends on the day of the test.
fn lines() -> (NaiveDate, Vec<String>) {
    #[allow(
        clippy::disallowed_methods,
        reason = "an incremental run goes by the clock, so its events must be young"
    )]
    let today = chrono::Utc::now().date_naive();
    let from = today.checked_sub_days(Days::new(9)).unwrap();
    let spec = Spec { seed: 11, events: 900, from, to: today, account: KEY.to_owned() };
    let population = Population::seeded(spec).unwrap();
    let lines = population.events().map(|event| String::from_utf8(event.into_owned()).unwrap()).collect();
    (from, lines)
}

fn serve(folder: &Path, lines: &[String]) -> Sandbox {
    let data = folder.join("events.ndjson");
    fs::write(&data, lines.join("\n")).unwrap();
    Sandbox::start(&["--data", data.to_str().unwrap()])
}

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {}", outcome.stdout))
}

fn ask(url: &str, arguments: &[&str]) -> Outcome {
    let mut command: Command = program();
    command.env("VONAGE_API_KEY", KEY).env("VONAGE_API_SECRET", SECRET).env("VONAGE_AUDIT_API_URL", url);
    command.args(arguments);
    run(command)
}

/// Rows of a text column, over all files.
fn column(dest: &Path, name: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    let mut open = vec![dest.join("parquet")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let table = read(
                Format::Parquet,
                fs::read(&path).unwrap().into(),
                &Default::default(),
                ReadLimits::default(),
            )
            .unwrap();
            for batch in table.batches {
                let column = batch.column_by_name(name).unwrap().clone();
                let column = column.as_any().downcast_ref::<arrow_array::StringArray>().unwrap();
                values.extend(column.iter().map(|value| value.map(str::to_owned)));
            }
        }
    }
    values
}

#[test]
fn late_events_of_any_age_are_appended_and_vanished_ones_are_recorded() {
    let place = scratch("nightly");
    let dest = place.join("dest");
    let (from, all) = lines();
    let created = |day: u64, line: &&String| {
        line.contains(&format!("\"created_at\":\"{}", from.checked_add_days(Days::new(day)).unwrap()))
    };
    // One event that is far older than the lookback, one that is young, and one that will vanish.
    let old = all.iter().find(|line| created(1, line)).unwrap().clone();
    let young = all.iter().find(|line| created(7, line)).unwrap().clone();
    let gone = all.iter().rfind(|line| created(3, line)).unwrap().clone();
    let first: Vec<String> = all.iter().filter(|line| ![&old, &young].contains(line)).cloned().collect();
    let second: Vec<String> = all.iter().filter(|line| **line != gone).cloned().collect();

    let night = |lines: &[String], code: i32| {
        let sandbox = serve(&place, lines);
        let from = from.to_string();
        let dest = dest.to_str().unwrap();
        let outcome = ask(
            &sandbox.url,
            &[
                "export",
                "--incremental",
                "--from",
                &from,
                "--settle",
                "0s",
                "--lookback",
                "3d",
                "--dest",
                dest,
                "--output",
                "json",
            ],
        );
        json(&outcome.expect(code))
    };
    let report = night(&first, 0);
    assert_eq!((report["rows"].as_u64(), report["windows"].as_u64()), (Some(898), Some(9)));
    let before: BTreeSet<_> = column(&dest, "id").into_iter().collect();

    let report = night(&second, 0);
    assert_eq!(report["rows"], 2, "the two late events alone are written: {report}");
    assert_eq!(report["files"], 2);
    assert_eq!(report["vanished"], 1, "{report}");
    let after = column(&dest, "id");
    let distinct: BTreeSet<_> = after.iter().cloned().collect();
    assert_eq!((after.len(), distinct.len()), (900, 900));
    assert!(before.is_subset(&distinct), "a row went away");
    let log = fs::read_dir(dest.join("_audit/commits")).unwrap();
    let commits: String = log.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    let id = serde_json::from_str::<Value>(&gone).unwrap()["id"].as_str().unwrap().to_owned();
    assert!(commits.contains(&format!("\"vanished\":[\"{id}\"]")), "the vanished id is not recorded");
    assert_eq!(commits.matches("-s001.parquet").count(), 2);

    let report = night(&second, 0);
    assert_eq!((report["rows"].as_u64(), report["files"].as_u64()), (Some(0), Some(0)), "{report}");
    assert!(report["requests"].as_u64().unwrap() < 40, "{report}");
}

#[test]
fn filters_select_and_datasets_do_not_mix() {
    let place = scratch("filters");
    let (from, all) = lines();
    let sandbox = serve(&place, &all);
    let to = from.checked_add_days(Days::new(8)).unwrap().to_string();
    let events: Vec<Value> = all.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let in_range = |event: &&Value| event["created_at"].as_str().unwrap() < to.as_str();
    let user =
        events.iter().find(|event| event["user_email"].is_string()).unwrap()["user_email"].as_str().unwrap();
    let count = |wanted: &dyn Fn(&Value) -> bool| {
        events.iter().filter(in_range).filter(|event| wanted(event)).count()
    };

    let with = |name: &str, filter: &[&str]| {
        let dest = place.join(name);
        let mut command = export(&sandbox.url, &from.to_string(), &to, &dest);
        command.args(filter);
        run(command).expect(0);
        column(&dest, "event_type").len()
    };
    let types = |event: &Value| ["USER_LOGIN", "APP_CREATE"].contains(&event["event_type"].as_str().unwrap());
    assert_eq!(with("types", &["--event-type", "USER_LOGIN,APP_CREATE"]), count(&types));
    assert_eq!(with("user", &["--user-email", user]), count(&|event| event["user_email"] == user));
    let text = "\"event_type\":\"USER_LOGIN\"";
    assert_eq!(with("text", &["--search-text", text]), count(&|event| event["event_type"] == "USER_LOGIN"));

    // Another selection, or none, into the same place.
    let refused = run(export(&sandbox.url, &from.to_string(), &to, &place.join("types"))).expect(2);
    assert!(
        refused.stderr.contains("selection") && refused.stderr.contains("USER_LOGIN"),
        "{}",
        refused.stderr
    );
    let mut misspelt = export(&sandbox.url, &from.to_string(), &to, &place.join("misspelt"));
    misspelt.args(["--event-type", "USER_LOGN"]);
    assert!(run(misspelt).expect(2).stderr.contains("USER_LOGIN"));
    assert!(!place.join("misspelt").exists());
}

#[test]
fn one_accounts_failure_does_not_stop_the_others() {
    let place = scratch("accounts");
    let one = Sandbox::start(&["--key", "aaaa0001", "--events", "300"]);
    let other = Sandbox::start(&["--key", "bbbb0002", "--events", "200", "--seed", "2"]);
    let config = place.join("vonage-audit.toml");
    let text = format!(
        "dest = {:?}\n[accounts.a-broken]\nkey = \"aaaa0001\"\nsecret_env = \"WRONG\"\napi_url = {:?}\n\
         [accounts.b-good]\nkey = \"bbbb0002\"\nsecret_env = \"RIGHT\"\napi_url = {:?}\nrate = \"unlimited\"\n",
        place.join("all"),
        one.url,
        other.url
    );
    fs::write(&config, &text).unwrap();
    let export = |config: &Path| {
        let mut command = program();
        command.env("WRONG", "not-the-secret").env("RIGHT", SECRET);
        command.args(["export", "--from", "2026-01-01", "--to", "2026-04-01", "--config"]).arg(config);
        run(command)
    };
    let outcome = export(&config).expect(5);
    assert!(outcome.stderr.contains("account a-broken"), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("b-good"), "{}", outcome.stdout);
    assert_eq!(column(&place.join("all/b-good"), "id").len(), 200);
    assert!(!place.join("all/a-broken").exists());
    assert!(!outcome.stderr.contains("not-the-secret"));

    for (wrong, expected) in [
        (text.replace("rate =", "raet ="), "raet"),
        (text.replace("RIGHT", "UNSET"), "UNSET"),
        (text.replace("b-good", "\"../b\""), "letters"),
        (text.replace("secret_env = \"RIGHT\"", "secret = \"x\""), "secret"),
    ] {
        fs::write(&config, wrong).unwrap();
        let outcome = export(&config).expect(2);
        assert!(outcome.stderr.contains(expected), "{expected}: {}", outcome.stderr);
    }
}

#[test]
fn single_questions_answer_people_and_programs() {
    let place = scratch("questions");
    let (from, all) = lines();
    let sandbox = serve(&place, &all);
    let findings = json(&ask(&sandbox.url, &["probe", "--output", "json"]).expect(0));
    let value = |name: &str| {
        let found = findings["findings"].as_array().unwrap().iter().find(|finding| finding["name"] == name);
        found.unwrap_or_else(|| panic!("{name}: {findings}"))["value"].as_str().unwrap().to_owned()
    };
    assert_eq!(value("order"), "newest-first");
    assert_eq!(value("granularity"), "second");
    assert_eq!(value("page-numbering"), "1");
    assert_eq!(value("date-from"), "inclusive");
    assert!(findings["requests"].as_u64().unwrap() < 60);

    let data = place.join("events.ndjson");
    let odd = Sandbox::start(&[
        "--data",
        data.to_str().unwrap(),
        "--behaviour",
        "order=oldest,lower=exclusive,upper=exclusive,beyond=404,zero-based=on,depth=300:400",
    ]);
    let findings = json(&ask(&odd.url, &["probe", "--output", "json"]).expect(0));
    let value = |name: &str| {
        let found = findings["findings"].as_array().unwrap().iter().find(|finding| finding["name"] == name);
        found.unwrap_or_else(|| panic!("{name}: {findings}"))["value"].as_str().unwrap().to_owned()
    };
    assert_eq!(value("order"), "oldest-first");
    assert_eq!(value("date-from"), "exclusive");
    assert_eq!(value("date-to"), "exclusive");
    assert_eq!(value("beyond-the-end"), "refused");
    assert_eq!(value("page-numbering"), "0");
    assert_ne!(value("depth-limit"), "none");
    assert!(findings["requests"].as_u64().unwrap() < 60);

    let types = ask(&sandbox.url, &["types"]).expect(0).stdout;
    assert!(types.lines().count() >= 29 && types.contains("USER_LOGIN"), "{types}");
    let id = serde_json::from_str::<Value>(&all[0]).unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(ask(&sandbox.url, &["event", &id]).expect(0).stdout.trim_end(), all[0]);
    ask(&sandbox.url, &["event", "00000000-0000-4000-8000-000000000000"]).expect(6);

    let inferred = json(
        &ask(&sandbox.url, &["schema", "infer", "--live", "--pages", "3", "--output", "json"]).expect(0),
    );
    assert_eq!(inferred["events"], 300, "{inferred}");
    assert!(!inferred["columns"].as_array().unwrap().is_empty(), "{inferred}");

    let (from, to) = (from.to_string(), from.checked_add_days(Days::new(5)).unwrap().to_string());
    let dest = place.join("planned");
    let plan = ["plan", "--from", &from, "--to", &to, "--rate", "5/s", "--dest", dest.to_str().unwrap()];
    let said = ask(&sandbox.url, &plan).expect(0).stdout;
    assert!(said.contains("5 windows") && said.contains("nothing was written"), "{said}");
    assert!(!dest.exists());
    let planned = json(&ask(&sandbox.url, &[&plan[..], &["--output", "json"]].concat()).expect(0));
    let mut command = export(&sandbox.url, &from, &to, &dest);
    command.args(["--output", "json"]);
    let done = json(&run(command).expect(0));
    let (planned, done) = (planned["requests"].as_u64().unwrap(), done["requests"].as_u64().unwrap());
    assert!(planned.abs_diff(done) <= 12, "planned {planned} requests, it took {done}");
}
