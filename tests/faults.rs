//! Every fault of the wire at every request of a run.
//!
//! A three-window export over a real socket meets one fault at one request. It must end with an exit code that the
//! fault deserves, must never claim a window that is not proven, and a clean rerun must reach the bytes of a run that
//! met no fault. `FAULTS_EVERY=1` is the whole matrix; the default takes every request index of every kind as well,
//! since it fits.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test program"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vonage_audit::api::{Client, Limits, Settings as ApiSettings};
use vonage_audit::model::{Format, Grid, Timestamp, Window};
use vonage_audit::pipeline::{Job, Report, run};
use vonage_audit::publish::{Dataset, Spec as DatasetSpec, account_fingerprint};
use vonage_audit::sandbox::{Fault, FaultScript, Population, Spec, World, serve};
use vonage_audit::schema::Table;
use vonage_audit::secret::{Credentials, Secret};
use vonage_audit::settle::Settings;
use vonage_audit::store::LocalStore;

const KEY: &str = "abcd1234";
const SECRET: &str = "canary-7f3e9a";

/// Every kind of fault, and the exit codes that it may end with.
fn kinds() -> Vec<(&'static str, &'static [u8])> {
    vec![
        ("status=429/gateway/retry-after=0", &[0]),
        ("status=429/service/retry-after=Thu, 01 Jan 1970 00:00:00 GMT", &[0]),
        ("status=429/empty/retry-after=nonsense", &[0]),
        ("status=500", &[0]),
        ("status=502/html", &[0]),
        ("status=503/empty", &[0]),
        ("status=504/html", &[0]),
        ("status=408/empty", &[0]),
        ("status=400", &[0, 6]),
        ("status=404/service", &[0, 6]),
        ("status=404/html", &[0, 6]),
        ("status=405/empty", &[0, 6]),
        ("status=422/gateway", &[0, 6]),
        // One refusal is confirmed by a second request, which the sandbox answers.
        ("status=401/service", &[0]),
        ("status=401/gateway", &[0]),
        ("status=403/gateway", &[0]),
        ("quota", &[0, 5]),
        ("reset", &[0]),
        ("reset=100", &[0]),
        ("cut=0", &[0]),
        ("cut=100", &[0]),
        ("cut-raw=17", &[0]),
        ("cut-raw=0", &[0]),
        ("length=+10", &[0]),
        ("length=-10", &[0]),
        ("slow-head=10", &[0]),
        ("slow-body=100", &[0]),
        ("endless-body", &[0, 6]),
        ("endless-head", &[0, 6]),
        ("hang", &[0]),
        ("redirect=302/http://127.0.0.1:9/", &[0, 6]),
        ("redirect=307/file:///etc/passwd", &[0, 6]),
        ("bomb=64", &[0, 6]),
        ("html", &[0]),
        ("empty", &[0]),
        ("body=null", &[0]),
        ("body=[]", &[0]),
        ("body={}", &[0]),
        (r#"body={"page":{"totalElements":0}}"#, &[0, 3, 4]),
        (r#"body={"page":{"totalElements":"7"}}"#, &[0]),
        (r#"body={"page":{"totalElements":-1}}"#, &[0]),
        (r#"body={"page":{"totalElements":1e3}}"#, &[0]),
        (r#"body={"page":{"totalElements":99999999999999999999}}"#, &[0]),
        (r#"body={"page":{"totalElements":7}}"#, &[0, 3, 4]),
        ("error-body", &[0]),
        ("truncate=0", &[0]),
        ("truncate=200", &[0]),
        ("content-type=text/plain", &[0]),
        ("content-type=", &[0]),
        ("content-encoding=br", &[0, 6]),
        ("invalid-utf8", &[0]),
        ("flip=4001", &[0, 3, 4, 10]),
    ]
}

fn population() -> Population {
    let date = |day| chrono::NaiveDate::from_ymd_opt(2026, 3, day).unwrap();
    Population::seeded(Spec { seed: 3, events: 240, from: date(1), to: date(4), account: KEY.to_owned() })
        .unwrap()
}

fn job() -> Job {
    let day = |day| Timestamp::from_date(2026, 3, day).unwrap();
    Job {
        range: Window::new(day(1), day(4)),
        grid: Grid::Day,
        read_again: day(4),
        // Each day by itself, so that every step of a run is met by every fault.
        settle: Settings { coarse_limit: 0, page_size: 40, ..Settings::default() },
        selection: vonage_audit::model::Selection::default(),
        units_in_flight: 1,
        formats: vec![Format::Parquet],
        recorded_at: 0,
    }
}

/// One run against a world, into a folder.
async fn export(world: World, dest: &Path) -> (Report, u64) {
    let world = Arc::new(world.credentials(KEY, &[SECRET]));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}{}", listener.local_addr().unwrap(), world.base_path());
    let limits = Limits {
        rate_per_second: None,
        concurrency: 1,
        backoff_base: Duration::from_millis(1),
        backoff_cap: Duration::from_millis(2),
        first_byte: Duration::from_millis(200),
        idle: Duration::from_millis(200),
        request: Duration::from_millis(400),
        page_bytes: 1 << 20,
        ..Limits::default()
    };
    let credentials = Credentials { key: KEY.to_owned(), secret: Secret::new(SECRET.to_owned()) };
    let client = Client::new(ApiSettings::new(&base, credentials).unwrap().limits(limits)).unwrap();
    let table = Table::builtin().unwrap();
    let dataset = open(dest, &table).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = serve(listener, Arc::clone(&world), async {
        let _ = stopped.await;
    });
    let running = async {
        let report = run(&job(), &table, &client, &dataset, std::future::pending(), &|_| {}).await;
        drop(stop);
        report
    };
    let (report, served) = tokio::join!(running, serving);
    served.unwrap();
    (report, world.requests().total)
}

/// Data files by path.
fn tree(dest: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![dest.join("parquet")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dest).unwrap().display().to_string();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

async fn open(dest: &Path, table: &Table) -> Dataset {
    let spec = DatasetSpec {
        account_fingerprint: account_fingerprint(KEY),
        grid: Grid::Day,
        schema: table.identity(),
        lineage: table.lineage().to_vec(),
        selection: BTreeMap::new(),
    };
    Dataset::open(Arc::new(LocalStore::open(dest, true).unwrap()), spec).await.unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn every_fault_at_every_request_ends_as_it_should_and_a_rerun_heals() {
    let place = tempfile::tempdir().unwrap();
    let undisturbed = place.path().join("undisturbed");
    let (report, requests) = block_on(export(World::new(population()), &undisturbed));
    assert_eq!(report.exit_code(), 0, "{report:?}");
    let truth = tree(&undisturbed);
    assert_eq!(truth.len(), 3);

    let kinds = kinds();
    let tallies = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let (kinds, truth, dest) = (&kinds, &truth, place.path().join(format!("disturbed-{worker}")));
                scope.spawn(move || {
                    let mut by_code = BTreeMap::<u8, u64>::new();
                    for (kind, expected) in kinds.iter().skip(worker).step_by(WORKERS) {
                        for index in 0..requests {
                            *by_code.entry(one(kind, expected, index, &dest, truth)).or_default() += 1;
                        }
                    }
                    by_code
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    let mut by_code = BTreeMap::<u8, u64>::new();
    for (code, runs) in tallies.into_iter().flatten() {
        *by_code.entry(code).or_default() += runs;
    }
    println!(
        "faults: {} kinds x {requests} request indexes = {} runs, by exit code {by_code:?}; 0 unproven successes, \
         every rerun reached the undisturbed bytes",
        kinds.len(),
        by_code.values().sum::<u64>()
    );
}

/// Threads that run faults: most of the time is spent in waiting.
const WORKERS: usize = 8;

/// One fault at one request, then a rerun without; gives the exit code of the first.
fn one(kind: &str, expected: &[u8], index: u64, dest: &Path, truth: &BTreeMap<String, Vec<u8>>) -> u8 {
    let what = format!("{kind} at request {index}");
    let fault: Fault = kind.parse().unwrap_or_else(|error| panic!("{kind}: {error}"));
    let world = World::new(population()).faults(FaultScript::default().at(index, fault));
    let (report, _) = block_on(export(world, dest));
    let code = report.exit_code();
    assert!(expected.contains(&code), "{what}: exit {code}, {report:?}");
    // Nothing but whole, true windows, whatever happened. A flipped bit may change what an event says.
    let found = tree(dest);
    let flipped = kind.starts_with("flip");
    for (name, bytes) in found.iter().filter(|_| !flipped) {
        assert!(truth.get(name) == Some(bytes), "{what}: {name} is not what an undisturbed run writes");
    }
    if code == 0 {
        assert_eq!(found.len(), truth.len(), "{what}: success without all windows");
        assert!(report.unproven.is_empty(), "{what}");
    }
    assert!(!format!("{report:?}").contains(SECRET), "{what}: the secret is in the report");
    let (again, _) = block_on(export(World::new(population()), dest));
    if !flipped {
        assert_eq!(again.exit_code(), 0, "{what}: rerun {again:?}");
        assert!(tree(dest) == *truth, "{what}: the rerun does not reach the undisturbed bytes");
    }
    std::fs::remove_dir_all(dest).unwrap_or(());
    code
}
