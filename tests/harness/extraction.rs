//! A run in this process: sandbox on a socket, client, pipeline, local disk.
//!
//! What lives here: one export into a folder, and what it left there. What this file must not know: what is tested.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vonage_audit::Result;
use vonage_audit::api::{Client, Limits, Settings as ApiSettings};
use vonage_audit::model::{Format, Grid, Timestamp, Window};
use vonage_audit::pipeline::{Job, Report, run};
use vonage_audit::publish::{Dataset, Spec as DatasetSpec, account_fingerprint};
use vonage_audit::sandbox::{World, serve};
use vonage_audit::schema::Table;
use vonage_audit::secret::{Credentials, Secret};
use vonage_audit::settle::Settings;
use vonage_audit::store::{LocalStore, Store};

pub(crate) const KEY: &str = "abcd1234";
pub(crate) const SECRET: &str = "canary-7f3e9a";

/// Three days, each settled by itself, so that every step of a run is met by every fault.
pub(crate) fn three_days() -> Job {
    let day = |day| Timestamp::from_date(2026, 3, day).unwrap();
    Job {
        range: Window::new(day(1), day(4)),
        grid: Grid::Day,
        read_again: day(4),
        settle: Settings {
            coarse_limit: 0,
            page_size: 40,
            pause: Duration::from_millis(1),
            ..Settings::default()
        },
        selection: vonage_audit::model::Selection::default(),
        secrets: vonage_audit::model::Secrets::Redacted,
        units_in_flight: 1,
        files: Default::default(),
        formats: vec![Format::Parquet],
        scratch: Default::default(),
        recorded_at: 0,
    }
}

/// One run against a world, into a folder.
pub(crate) async fn export(world: World, job: &Job, dest: &Path) -> (Report, u64) {
    export_to(world, job, Arc::new(LocalStore::open(dest, true).unwrap())).await.unwrap()
}

/// One run against a world, into a store; an error where the dataset cannot be opened.
pub(crate) async fn export_to(world: World, job: &Job, store: Arc<dyn Store>) -> Result<(Report, u64)> {
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
    let dataset = open(store, &table).await?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = serve(listener, Arc::clone(&world), async {
        let _ = stopped.await;
    });
    let running = async {
        let report = run(job, &table, &client, &dataset, std::future::pending(), &|_| {}).await;
        drop(stop);
        report
    };
    let (report, served) = tokio::join!(running, serving);
    served.unwrap();
    Ok((report, world.requests().total))
}

/// Data files by path.
pub(crate) fn tree(dest: &Path) -> BTreeMap<String, Vec<u8>> {
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

async fn open(store: Arc<dyn Store>, table: &Table) -> Result<Dataset> {
    let spec = DatasetSpec {
        account_fingerprint: account_fingerprint(KEY),
        grid: Grid::Day,
        schema: table.identity(),
        lineage: table.lineage().to_vec(),
        selection: BTreeMap::new(),
        secrets: vonage_audit::model::Secrets::Redacted,
        layout: Default::default(),
    };
    Dataset::open(store, spec).await
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
