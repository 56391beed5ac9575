//! The import table of the crate, enforced.
//!
//! Data moves one way: stages meet in the values of `model` and never import each other. In a single crate the
//! compiler does not keep that, so this test reads every file under `src/`. What it judges is production code;
//! items under `#[cfg(test)]` may use what they need. Planted violations at the end show that it can fail.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test program"
)]

mod paths;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules a module may import. A module that is not here may not exist.
const IMPORTS: [(&str, &[&str]); 16] = [
    ("error", &[]),
    ("secret", &[]),
    ("sandbox", &[]),
    ("model", &["error"]),
    // What does not fit into memory; no stage of its own.
    ("spool", &["model", "error"]),
    ("schema", &["model", "error"]),
    ("plan", &["model", "error"]),
    ("flatten", &["schema", "model", "error"]),
    ("encode", &["spool", "model", "error"]),
    ("api", &["model", "secret", "error"]),
    ("store", &["spool", "model", "secret", "error"]),
    ("settle", &["api", "spool", "model", "error"]),
    ("publish", &["store", "encode", "schema", "spool", "model", "error"]),
    // Reads what was published and shows it; the law between rows and events is given to it.
    ("report", &["publish", "store", "encode", "model", "error"]),
    (
        "pipeline",
        &[
            "plan", "api", "settle", "schema", "flatten", "encode", "store", "publish", "spool", "model",
            "secret", "error",
        ],
    ),
    // The binary is a crate of its own: `crate::` is itself, the library is `vonage_audit::`.
    ("cli", &[]),
];

/// Stages that wait: they may use tasks and timers. The others are plain computation.
const ASYNC: &[&str] = &["api", "settle", "store", "publish", "report", "pipeline", "sandbox", "cli"];
/// Modules that handle rows as Arrow batches.
const BATCHES: &[&str] = &["schema", "flatten", "encode", "publish", "report", "pipeline"];
/// Anybody may.
const ANY: &[&str] = &[
    "error", "secret", "sandbox", "model", "spool", "schema", "plan", "flatten", "encode", "api", "store",
    "settle", "publish", "report", "pipeline", "cli",
];

/// Who may use a thing from outside. Every dependency stands here: a new one needs an owner.
const OWNERS: [(&str, &[&str]); 38] = [
    ("arrow_array", BATCHES),
    ("arrow_ipc", &["encode"]),
    ("arrow_schema", BATCHES),
    ("arrow_select", BATCHES),
    ("bytes", ANY),
    ("chrono", &["model", "api", "report", "sandbox", "cli"]),
    // The rules of time zones, for what happens outside of somebody's working hours.
    ("chrono_tz", &["report"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("flate2", &["api", "encode", "sandbox"]),
    ("futures", ASYNC),
    ("http_body_util", &["sandbox"]),
    ("hyper", &["sandbox"]),
    ("hyper_util", &["sandbox"]),
    ("indicatif", &["cli"]),
    ("memchr", &["model", "flatten", "encode", "pipeline"]),
    ("object_store", &["store"]),
    // Spans of a run, where the feature `otlp` is on: stages tell what they do, and know no tracer.
    ("opentelemetry", &["cli"]),
    ("opentelemetry_http", &["cli"]),
    ("opentelemetry_otlp", &["cli"]),
    ("opentelemetry_sdk", &["cli"]),
    ("parquet", &["encode"]),
    // Cli: to the collector of traces alone.
    ("reqwest", &["api", "store", "cli"]),
    // Digests and HMAC: fingerprints, identities of events without id, files, the log.
    ("ring", &["schema", "api", "encode", "store", "publish", "pipeline"]),
    ("rustix", &["store"]),
    ("rustls", &["api", "store", "cli"]),
    ("serde", &["schema", "publish", "sandbox", "cli"]),
    ("serde_json", &["schema", "encode", "publish", "sandbox", "cli"]),
    ("std::env", &["cli"]),
    ("std::net", &["api", "store", "schema", "flatten", "sandbox", "cli"]),
    // The store: a process id in the name of a staging file, which no reader sees.
    ("std::process", &["store", "cli"]),
    // Suggestions for misspelt names; clap has it already.
    ("strsim", &["cli"]),
    ("tempfile", &["spool", "cli"]),
    ("tokio", ASYNC),
    ("toml", &["cli"]),
    // Publish: the text of a signing key.
    ("zeroize", &["secret", "api", "encode", "publish", "cli"]),
    ("zstd", &["encode"]),
];

/// Lines of production code in one file, at most.
const MAX_LINES: usize = 400;

/// A file to judge: its path below `src/` and its text.
struct File {
    path: PathBuf,
    text: String,
}

/// Every violation in a set of files, one line each.
fn violations(files: &[File]) -> Vec<String> {
    let codes: Vec<_> = files.iter().map(|file| source::without_tests(&source::code(&file.text))).collect();
    let tests: BTreeSet<PathBuf> = files
        .iter()
        .zip(&codes)
        .flat_map(|(file, (_, modules))| modules.iter().map(|name| children(&file.path).join(name)))
        .collect();
    let exports = root_exports(files, &codes);
    let mut found = Vec::new();
    for (file, (code, _)) in files.iter().zip(&codes) {
        let name = file.path.display();
        if file.path.ancestors().any(|path| tests.contains(&path.with_extension(""))) {
            continue;
        }
        if !file.text.starts_with("//!") {
            found.push(format!("{name}:1: does not open with //!"));
        }
        if file.path == Path::new("lib.rs") {
            continue;
        }
        let lines = production_lines(&file.text);
        if lines > MAX_LINES {
            found.push(format!("{name}:{MAX_LINES}: {lines} lines without tests, more than {MAX_LINES}"));
        }
        // An attribute's text is a string, so it is looked for in the whole text.
        for hidden in ["#[path", "include!("] {
            if code.contains(hidden) {
                found.push(format!("{name}:1: {hidden} hides where code comes from"));
            }
        }
        let module = module(&file.path);
        let Some((owner, allowed)) = IMPORTS.iter().find(|(owner, _)| *owner == module[0]) else {
            found.push(format!("{name}:1: module {} is not in the import table", module[0]));
            continue;
        };
        for (line, path) in paths::paths(code) {
            let written = path.join("::");
            if let Some(target) = paths::inside(&path, &module).filter(|_| *owner != "cli") {
                let target = target.first().map(|name| exports.get(name).unwrap_or(name).as_str());
                match target {
                    None => found.push(format!("{name}:{line}: {written} is the whole crate")),
                    Some(target) if target == *owner || allowed.contains(&target) => {}
                    Some(target) => {
                        found.push(format!("{name}:{line}: {owner} must not import {target}: {written}"))
                    }
                }
            }
            for (thing, owners) in OWNERS {
                let is_it = written == thing || written.starts_with(&format!("{thing}::"));
                if is_it && !owners.contains(owner) {
                    found.push(format!("{name}:{line}: {owner} must not use {thing}: {written}"));
                }
            }
        }
    }
    found
}

/// `src/a/b.rs`, `src/a/mod.rs` → where their child modules live.
fn children(path: &Path) -> PathBuf {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let parent = path.parent().unwrap_or(Path::new(""));
    if ["mod", "lib", "main"].contains(&stem) { parent.to_owned() } else { parent.join(stem) }
}

/// `settle/walk.rs` → `["settle", "walk"]`.
fn module(path: &Path) -> Vec<String> {
    children(path).iter().map(|part| part.to_string_lossy().into_owned()).collect()
}

/// What the crate's root re-exports: name → module, so that `crate::Error` counts as `error`.
fn root_exports(files: &[File], codes: &[(String, Vec<String>)]) -> BTreeMap<String, String> {
    let root = files.iter().zip(codes).find(|(file, _)| file.path == Path::new("lib.rs"));
    let named = root.into_iter().flat_map(|(_, (code, _))| paths::paths(code));
    named
        .filter_map(|(_, path)| match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [module, .., name] => Some((name.to_owned(), module.to_owned())),
            _ => None,
        })
        .collect()
}

/// Lines before the test module, comments included: what a reader has to hold in mind.
fn production_lines(text: &str) -> usize {
    let code = source::code(text);
    let (kept, _) = source::without_tests(&code);
    let removed = code.lines().zip(kept.lines()).filter(|(before, after)| before != after).count();
    text.lines().count() - removed
}

fn read(folder: &Path, root: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, root, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            files.push(File { path: path.strip_prefix(root).unwrap().to_owned(), text });
        }
    }
}

#[test]
fn the_source_keeps_the_import_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    read(&root, &root, &mut files);
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let judged: BTreeSet<_> = files.iter().map(|file| module(&file.path).into_iter().next()).collect();
    assert!(judged.contains(&Some("model".to_owned())), "the source was not found: {judged:?}");
    let found = violations(&files);
    assert!(found.is_empty(), "{} violations:\nsrc/{}\n", found.len(), found.join("\nsrc/"));
}

#[test]
fn every_dependency_has_an_owner() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let dependencies = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names: Vec<_> = dependencies
        .lines()
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name.replace('-', "_")))
        .collect();
    assert!(names.len() > 10, "the dependencies were not found: {names:?}");
    for name in names {
        assert!(OWNERS.iter().any(|(thing, _)| *thing == name), "{name} has no owner in OWNERS");
    }
}

#[test]
fn the_table_has_no_cycle() {
    let table: BTreeMap<&str, &[&str]> = IMPORTS.into_iter().collect();
    let mut settled: BTreeSet<&str> = BTreeSet::new();
    while settled.len() < table.len() {
        let next = table.iter().find(|(name, imports)| {
            !settled.contains(*name) && imports.iter().all(|import| settled.contains(import))
        });
        let (name, _) = next.unwrap_or_else(|| panic!("a cycle, or an unknown name, after {settled:?}"));
        settled.insert(name);
    }
}

/// What is found in one planted file; `lib.rs` re-exports as the real one does.
fn planted(path: &str, code: &str) -> Vec<String> {
    let file = |path: &str, text: String| File { path: PathBuf::from(path), text };
    violations(&[
        file("lib.rs", "//! The root.\npub mod error;\npub use error::{Error, Result};\n".to_owned()),
        file(path, format!("//! A file.\n{code}\n")),
    ])
}

#[test]
fn planted_imports_are_found() {
    for (path, code) in [
        ("settle/walk.rs", "use crate::store::Store;"),
        ("settle/walk.rs", "use crate::{model::Event, publish::{Slot, Dataset}};"),
        ("settle/walk.rs", "fn f() { crate::pipeline::run() }"),
        ("settle/walk.rs", "use super::super::encode;"),
        ("settle/mod.rs", "use super::flatten::Flattener;"),
        ("settle/walk.rs", "type A = Vec<crate::schema::Table>;"),
        ("model/event.rs", "use crate::api::Client;"),
        ("sandbox/mod.rs", "use crate::model::Event;"),
        ("sandbox/mod.rs", "use crate::Error;"),
        ("secret.rs", "use crate::Result;"),
        ("error.rs", "use crate::model::Window;"),
        ("plan/mod.rs", "use crate::*;"),
        ("plan/mod.rs", "use super::*;"),
        ("new_stage/mod.rs", "fn f() {}"),
        ("encode/x.rs", "macro_rules! m { () => { crate::store::x() } }"),
        ("encode/x.rs", "#[path = \"../store/mod.rs\"] mod hidden;"),
        ("encode/x.rs", "include!(\"../store/mod.rs\");"),
    ] {
        assert_eq!(planted(path, code).len().min(1), 1, "not found in {path}: {code}");
    }
}

#[test]
fn planted_outside_things_are_found() {
    for (path, code) in [
        ("settle/walk.rs", "use reqwest::Client;"),
        ("pipeline/run.rs", "fn f() { ::parquet::file::reader() }"),
        ("pipeline/run.rs", "use object_store::ObjectStore;"),
        ("pipeline/run.rs", "use clap::Parser;"),
        ("api/client.rs", "fn f() { std::env::var(\"X\"); }"),
        ("api/client.rs", "use std::{env, fmt};"),
        ("api/client.rs", "use hyper::Request;"),
        ("model/time.rs", "use tokio::time::Instant;"),
        ("plan/mod.rs", "use tokio;"),
        ("schema/table.rs", "async fn f() { tokio::task::yield_now().await }"),
        ("flatten/mod.rs", "#[tokio::test] fn f() {}"),
        ("encode/mod.rs", "use futures::Stream;"),
        ("model/event.rs", "#[derive(serde::Serialize)] struct S;"),
        ("settle/walk.rs", "use rustix::fs;"),
    ] {
        assert_eq!(planted(path, code).len(), 1, "not found in {path}: {code}");
    }
}

#[test]
fn planted_faults_of_form_are_found() {
    let no_head =
        violations(&[File { path: PathBuf::from("model/x.rs"), text: "use std::fmt;\n".to_owned() }]);
    assert_eq!(no_head, ["model/x.rs:1: does not open with //!"]);
    assert_eq!(planted("model/x.rs", &"fn f() {}\n".repeat(MAX_LINES)).len(), 1);
    let tests = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{}}}", "    fn g() {}\n".repeat(MAX_LINES));
    assert_eq!(planted("model/x.rs", &tests), Vec::<String>::new());
}

#[test]
fn what_is_allowed_is_not_found() {
    for (path, code) in [
        ("settle/walk.rs", "use crate::api::Client;\nuse super::collect;\nuse crate::{Error, Result};"),
        ("encode/mod.rs", "mod parquet;\nuse self::parquet::write;\nuse parquet::file;"),
        ("cli/main.rs", "use crate::args::Args;\nuse vonage_audit::pipeline;\nuse std::env;"),
        ("model/event.rs", "#[cfg(test)]\nmod tests { use crate::api; use tokio::test; }"),
        (
            "model/event.rs",
            "/// [`crate::api::Client`]\nfn f() { \"crate::store\"; env!(\"CARGO_PKG_VERSION\"); }",
        ),
    ] {
        assert_eq!(planted(path, code), Vec::<String>::new(), "{path}: {code}");
    }
    let declared =
        |path: &str, text: &str| File { path: PathBuf::from(path), text: format!("//! A file.\n{text}") };
    let files = [
        declared("model/event.rs", "#[cfg(test)]\nmod tests;\n"),
        declared("model/event/tests.rs", "use crate::api::Client;\nmod more;\n"),
        declared("model/event/tests/more.rs", "use tokio::time;\n"),
    ];
    assert_eq!(violations(&files), Vec::<String>::new());
}
