//! One export by the library: a client, a store, a dataset, a job. The program adds flags, several accounts and the clock.
//!
//! `cargo run --example export -- FOLDER`, with VONAGE_API_KEY, VONAGE_API_SECRET and VONAGE_AUDIT_API_URL as
//! `vonage-audit sandbox` prints them; exports the first week of March 2026.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program of its own: it prints and reads its environment"
)]

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use vonage_audit::api::{Client, Settings as ApiSettings};
use vonage_audit::model::{Format, Grid, Secrets, Selection, Timestamp, Window};
use vonage_audit::pipeline::{Job, Progress, run};
use vonage_audit::publish::{Dataset, Spec, account_fingerprint};
use vonage_audit::schema::Table;
use vonage_audit::secret::{Credentials, Secret};
use vonage_audit::settle::Settings;
use vonage_audit::store::LocalStore;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let folder = env::args().nth(1).ok_or("usage: export FOLDER")?;
    let key = env::var("VONAGE_API_KEY")?;
    let secret = Secret::new(env::var("VONAGE_API_SECRET")?);
    let base = env::var("VONAGE_AUDIT_API_URL")?;

    let table = Table::builtin()?;
    let spec = Spec {
        account_fingerprint: account_fingerprint(&key),
        grid: Grid::Day,
        schema: table.identity(),
        lineage: table.lineage().to_vec(),
        selection: BTreeMap::new(),
        secrets: Secrets::Redacted,
        layout: Default::default(),
    };
    // Opening takes the lock of a folder and checks the whole chain of the log.
    let store = Arc::new(LocalStore::open(Path::new(&folder), true)?);
    let dataset = Dataset::open(store, spec).await?;
    let client = Client::new(ApiSettings::new(&base, Credentials { key, secret })?)?;

    let day = |day| Timestamp::from_date(2026, 3, day).ok_or("not a date");
    let job = Job {
        range: Window::new(day(1)?, day(8)?),
        grid: Grid::Day,
        read_again: day(8)?,
        selection: Selection::default(),
        secrets: Secrets::Redacted,
        settle: Settings::default(),
        units_in_flight: 1,
        formats: vec![Format::Parquet],
        files: Default::default(),
        // Everything in memory; `Scratch::new` takes a budget and a folder for what is beyond it.
        scratch: Default::default(),
        // The clock is an argument: the library reads none. Seconds since 1970.
        recorded_at: 1_772_928_000,
    };
    let observe = |progress| {
        if let Progress::Committed { window, events } = progress {
            println!("{window}: {events} events");
        }
    };
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    let report = run(&job, &table, &client, &dataset, stop, &observe).await;
    println!("{} windows, {} rows, {} unchanged", report.windows, report.rows, report.unchanged);
    if let Some(failure) = &report.failure {
        println!("{failure}");
    }
    // Never take a report for a proof without its code.
    Ok(ExitCode::from(report.exit_code()))
}
