//! Datasets with kept replies, and the library's check of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use vonage_audit::encode::Settings;
use vonage_audit::pipeline::{RawCheck, Source, check_raw};
use vonage_audit::publish::Dataset;
use vonage_audit::schema::Table;
use vonage_audit::store::LocalStore;

use crate::program::{program, run};
use crate::sandbox::{Sandbox, export};
use crate::tree::tree;

pub(crate) const ALL: &str = "parquet,csv,ndjson";
pub(crate) const FROM: &str = "2026-01-01";
pub(crate) const TO: &str = "2026-01-08";

/// A week of events.
pub(crate) fn week(seed: &str) -> Sandbox {
    Sandbox::start(&["--events", "700", "--from", FROM, "--to", TO, "--seed", seed])
}

/// An export of the week that keeps its replies, with more flags.
pub(crate) fn keeping(url: &str, dest: &Path, more: &[&str]) -> Command {
    let mut command = export(url, FROM, TO, dest);
    command.args(["--output", "json", "--keep-raw", "--keep-secrets"]).args(more);
    command
}

/// A conversion with these arguments.
pub(crate) fn convert(source: &Path, dest: &Path, more: &[&str]) -> Command {
    let mut command = program();
    command.args(["--output", "json", "convert"]).arg(source).arg("--dest").arg(dest).args(more);
    command
}

/// Runs a command; gives its result.
#[track_caller]
pub(crate) fn result(command: Command, code: i32) -> Value {
    serde_json::from_str(&run(command).expect(code).stdout).unwrap()
}

/// Data files of every format.
pub(crate) fn data(dest: &Path) -> BTreeMap<String, Vec<u8>> {
    let all = tree(dest).into_iter();
    all.filter(|(path, _)| !path.starts_with("_audit/")).collect()
}

/// Every level of the log's certificates.
pub(crate) fn levels(dest: &Path) -> Vec<String> {
    let records = crate::tree::records(dest);
    records.iter().map(|record| record["certificate"]["level"].as_str().unwrap().to_owned()).collect()
}

/// The library's check.
pub(crate) fn check(dest: &Path) -> RawCheck {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = LocalStore::open(dest, false).unwrap();
        let dataset = Dataset::open_stored(Arc::new(store)).await.unwrap();
        let files = Settings::new(dataset.spec().layout.clone());
        let table = Table::builtin().unwrap();
        check_raw(Source { dataset: &dataset, table: &table, files: &files }).await.unwrap()
    })
}

/// Kept replies of a dataset: path and lines.
pub(crate) fn raw(dest: &Path) -> BTreeMap<String, Vec<Value>> {
    let files = tree(&dest.join("_audit/raw")).into_iter();
    files
        .map(|(path, bytes)| {
            let text = String::from_utf8(zstd::decode_all(bytes.as_slice()).unwrap()).unwrap();
            (path, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
        })
        .collect()
}

/// Writes over a file that is read-only.
pub(crate) fn overwrite(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}
