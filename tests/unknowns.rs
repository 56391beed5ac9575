//! Everything that the API's documentation leaves open, one switch at a time and some together.
//!
//! Whatever the API turns out to do, a run that ends with 0 holds exactly the events of the range; and where it cannot
//! be told, the run says so with its exit code.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test program"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use vonage_audit::encode::{ReadLimits, read};
use vonage_audit::model::{Format, Level};
use vonage_audit::sandbox::{Behaviour, Population, Spec, World};
use vonage_audit::settle::Settings;

#[path = "harness/extraction.rs"]
mod extraction;

use extraction::{KEY, SECRET, block_on, export, three_days, tree};

/// Behaviours and the exit codes that they may end with. 0 is checked against the truth.
const BEHAVIOURS: &[(&str, &[u8])] = &[
    ("", &[0]),
    ("order=oldest", &[0]),
    ("order=unstable-ties", &[0, 3]),
    ("order=shuffled", &[0, 3]),
    ("lower=exclusive", &[0]),
    ("upper=exclusive", &[0]),
    ("lower=exclusive,upper=exclusive,hidden=floor", &[0]),
    ("hidden=round", &[0]),
    ("hidden=ceil,upper=exclusive", &[0]),
    ("granularity=minute", &[0]),
    ("granularity=hour,upper=exclusive", &[0]),
    ("granularity=day", &[0]),
    ("granularity=day,date-to=end", &[0]),
    ("granularity=day,lower=exclusive,upper=exclusive", &[0]),
    ("zone=3600", &[0]),
    ("zone=-18000,upper=exclusive", &[0]),
    ("zone=7200,granularity=day", &[0]),
    ("filter=ignored", &[4]),
    ("zero-based=on", &[0]),
    ("page=ignored", &[0, 3]),
    ("size=fixed:30", &[0]),
    ("size=fixed:7", &[0]),
    ("size=capped:50", &[0]),
    ("size=fixed:500", &[0]),
    ("beyond=404", &[0]),
    ("empty=array", &[0]),
    ("depth=200:400", &[0]),
    ("depth=200:500", &[0, 6]),
    ("depth=80:empty", &[0]),
    ("depth=200:empty,totals=capped:200", &[0, 3]),
    ("depth=60:empty,totals=capped:60", &[0, 3]),
    ("totals=capped:200", &[0, 3]),
    ("totals=capped:50", &[0, 3, 4]),
    ("totals=off:1", &[3, 4]),
    ("totals=off:-1", &[3]),
    ("totals=constant:77", &[3, 4]),
    ("totals=constant:0", &[3]),
    ("totals=changing", &[3, 4]),
    ("totals=absent", &[6]),
    ("totals=string", &[6]),
    ("totals=null", &[6]),
    ("totals=negative", &[6]),
    ("totals=huge", &[6]),
    ("totals=fraction", &[6]),
    ("short-page=2", &[0, 3]),
    ("links=https", &[0]),
    ("links=none", &[0]),
    ("links=http://169.254.169.254/latest", &[0]),
    ("errors=gateway", &[0]),
    ("no-quota=on", &[5]),
    ("throttle=20/1", &[0]),
    ("throttle=20/1,retry-after=date", &[0]),
    ("throttle=20/1,retry-after=body", &[0]),
    ("throttle=20/1,retry-after=none", &[0]),
    ("throttle=20/1,throttle-403=on", &[0]),
    ("arrive=1@14", &[0]),
    ("arrive=3@11,arrive=2@13", &[0]),
    ("arrive-newest=5@12", &[0]),
    ("vanish=2@12", &[0]),
    ("arrive=3@12,vanish=3@13", &[0, 3]),
    ("rewrite=1@14", &[0, 4]),
    ("replicas=2,lag=3,arrive=4@12", &[0, 3]),
    ("gzip=on", &[0]),
    ("date=absent", &[0]),
    ("date=1970-01-01T00:00:00", &[0]),
    ("invalid-page=400", &[0]),
    ("invalid-date=400", &[0]),
];

fn population() -> Population {
    let date = |day| chrono::NaiveDate::from_ymd_opt(2026, 3, day).unwrap();
    // A day before and after, so that the borders have neighbours.
    Population::seeded(Spec { seed: 5, events: 700, from: date(1), to: date(4), account: KEY.to_owned() })
        .unwrap()
}

fn ids(dest: &Path) -> Vec<String> {
    let mut ids = Vec::new();
    for bytes in tree(dest).into_values() {
        for batch in
            read(Format::Parquet, bytes.into(), &Default::default(), ReadLimits::default()).unwrap().batches
        {
            let column = batch.column_by_name("id").unwrap().clone();
            let column = column.as_any().downcast_ref::<arrow_array::StringArray>().unwrap();
            ids.extend(column.iter().map(|id| id.unwrap().to_owned()));
        }
    }
    ids
}

/// Ids of the events that everybody could see from the first request to the last.
fn lasting(world: &World, requests: u64) -> BTreeSet<String> {
    let population = world.population();
    let seen = |k: &u32| world.is_visible(*k, 0) && world.is_visible(*k, requests);
    (0..population.len()).filter(seen).map(|k| population.id(k)).collect()
}

#[test]
fn whatever_the_api_does_success_means_complete() {
    let place = tempfile::tempdir().unwrap();
    let results = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let dest = place.path().join(format!("dest-{worker}"));
                let cases =
                    BEHAVIOURS.iter().flat_map(|case| [(case, Level::Bracketed), (case, Level::Double)]);
                scope.spawn(move || {
                    let own = cases.skip(worker).step_by(WORKERS);
                    own.map(|((text, expected), level)| one(text, expected, level, &dest)).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    let mut by_code = BTreeMap::<u8, u64>::new();
    for (code, _) in &results {
        *by_code.entry(*code).or_default() += 1;
    }
    let most = results.iter().map(|(_, requests)| requests).max().unwrap();
    println!(
        "unknowns: {} behaviours at two levels, by exit code {by_code:?}, at most {most} requests for 700 events; 0 lost, \
         0 doubled",
        BEHAVIOURS.len()
    );
}

/// Threads that run behaviours: throttled ones wait.
const WORKERS: usize = 8;

/// One run under one behaviour; gives exit code and requests.
fn one(text: &str, expected: &[u8], level: Level, dest: &Path) -> (u8, u64) {
    let behaviour: Behaviour = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut job = three_days();
    job.settle = Settings { page_size: 100, coarse_limit: 0, walk_limit: 400, level, ..job.settle };
    let world = World::new(population()).behaviour(behaviour.clone());
    let (report, requests) = block_on(export(world, &job, dest));
    let code = report.exit_code();
    let what = format!("{text:?} {} after {requests} requests", level.name());
    assert!(expected.contains(&code), "{what}: exit {code} {report:?}");
    let found = ids(dest);
    let distinct: BTreeSet<String> = found.iter().cloned().collect();
    assert_eq!(distinct.len(), found.len(), "{what}: doubled");
    if code == 0 {
        let world = World::new(population()).behaviour(behaviour);
        let lost: Vec<_> = lasting(&world, requests).difference(&distinct).cloned().collect();
        assert!(lost.is_empty(), "{what}: {} of 700 lost", lost.len());
    }
    if code == 6 || code == 5 {
        assert!(found.is_empty(), "{what}: something was written");
    }
    assert!(!format!("{report:?}").contains(SECRET), "{what}: the secret is in the report");
    std::fs::remove_dir_all(dest).unwrap_or(());
    if std::env::var_os("UNKNOWNS_COSTS").is_some() {
        println!("{what}: exit {code}");
    }
    (code, requests)
}

#[test]
fn events_without_a_readable_time_are_kept_and_told_once() {
    let place = tempfile::tempdir().unwrap();
    let mut lines: Vec<String> =
        population().events().take(200).map(|event| String::from_utf8(event.into_owned()).unwrap()).collect();
    for (position, time) in ["null", "\"yesterday\"", "\"2026-13-01T00:00:00\"", "17"].into_iter().enumerate()
    {
        let id = format!("ffffffff-0000-4000-8000-00000000000{position}");
        lines.push(format!(
            r#"{{"id":"{id}","event_type":"APP_CREATE","created_at":{time},"context":{{"n":1E2}}}}"#
        ));
    }
    let world = || World::new(Population::from_ndjson(lines.join("\n")).unwrap());
    let dest = place.path().join("dest");
    let (report, _) = block_on(export(world(), &three_days(), &dest));
    assert_eq!((report.exit_code(), report.undated, report.quarantined), (0, 4, 0), "{report:?}");
    let name = "parquet/event_date=__HIVE_DEFAULT_PARTITION__/events-undated-s000.parquet";
    let bytes = tree(&dest)[name].clone();
    let table = read(Format::Parquet, bytes.into(), &Default::default(), ReadLimits::default()).unwrap();
    let rows = table.batches.first().unwrap();
    let column = |name: &str| rows.column_by_name(name).unwrap();
    assert_eq!((rows.num_rows(), column("created_at").null_count()), (4, 4));
    // What cannot be read is kept as it was.
    let rest = column("unmapped_json").as_any().downcast_ref::<arrow_array::StringArray>().unwrap();
    assert!(rest.iter().flatten().any(|text| text.contains("yesterday")), "{rest:?}");
    // They are known now: a rerun neither reads everything again nor tells them again.
    let (report, requests) = block_on(export(world(), &three_days(), &dest));
    assert_eq!(report.exit_code(), 0, "{report:?}");
    assert!(requests < 12, "{requests}");
    assert!(!dest.join("_audit/quarantine").exists());
}
