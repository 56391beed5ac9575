//! The whole program against object stores: the same bytes as on disk, and many runs at once.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;
use vonage_audit::store::{Created, ObjectPath, Store};

use crate::extraction::block_on;
use crate::folder::tree;
use crate::program::{LIMIT, run, scratch};
use crate::python::script;
use crate::sandbox::{Sandbox, export};
use crate::servers::{azure, fresh, limits, objects, shared_s3, store};

const FORMATS: [&str; 3] = ["parquet", "csv", "ndjson"];

/// Data files on disk, by path.
pub(crate) fn on_disk(root: &Path) -> BTreeMap<String, Bytes> {
    let all = tree(root).into_iter();
    let data = all.filter(|(path, _)| FORMATS.iter().any(|format| path.starts_with(&format!("{format}/"))));
    data.map(|(path, bytes)| (path, bytes.into())).collect()
}

#[test]
fn an_export_to_a_store_and_one_to_disk_hold_the_same_data_files() {
    let sandbox = Sandbox::start(&["--events", "2000"]);
    let folder = scratch("object-stores-export");
    let formats = ["--format", "parquet,csv,ndjson"];
    let mut local = export(&sandbox.url, "2026-01-01", "2026-01-08", &folder);
    local.args(formats);
    run(local).expect(0);
    let expected = on_disk(&folder);
    assert_eq!(expected.len(), 3 * 7);

    let azure = azure();
    for (place, variables) in
        [(fresh("s3"), shared_s3().s3_as("admin")), (fresh("az"), azure.azure_variables())]
    {
        let remote = || {
            let mut remote = export(&sandbox.url, "2026-01-01", "2026-01-08", place.as_ref());
            remote.envs(&variables).args(formats);
            remote
        };
        run(remote()).expect(0);
        let opened = block_on(store(&place, &variables, limits())).unwrap();
        let found = block_on(objects(&opened, &FORMATS));
        assert!(found == expected, "{place}: {:?} and {:?}", found.keys(), expected.keys());

        // A rerun, and a plan, add nothing.
        let before = block_on(objects(&opened, &["_audit"]));
        run(remote()).expect(0);
        let mut plan = remote();
        plan = {
            let mut other = crate::program::program();
            other.envs(plan.get_envs().filter_map(|(name, value)| Some((name, value?)))).arg("plan");
            other.args(plan.get_args().skip(1));
            other
        };
        run(plan).expect(0);
        assert!(block_on(objects(&opened, &FORMATS)) == expected);
        assert!(block_on(objects(&opened, &["_audit"])) == before);
    }
    println!("{} data files, byte-identical on disk, S3 and Azure", expected.len());
}

#[test]
fn verification_of_a_store_passes_and_finds_each_tampered_copy() {
    let sandbox = Sandbox::start(&["--events", "300"]);
    let azure = azure();
    let mut copies = 0;
    for (kind, variables) in [("s3", shared_s3().s3_as("admin")), ("az", azure.azure_variables())] {
        let deep = |place: &str, code: i32| {
            let mut command = crate::program::program();
            command.envs(&variables).args(["verify", place, "--deep", "--output", "json"]);
            run(command).expect(code)
        };
        let place = fresh(kind);
        let mut remote = export(&sandbox.url, "2026-01-01", "2026-01-04", place.as_ref());
        remote.envs(&variables).args(["--format", "parquet,csv,ndjson"]);
        run(remote).expect(0);
        deep(&place, 0);
        let whole = block_on(async {
            let opened = store(&place, &variables, limits()).await.unwrap();
            objects(&opened, &["_audit", "parquet", "csv", "ndjson"]).await
        });
        for tampered in whole.keys().filter(|path| !path.starts_with("_audit/probe")) {
            let copy = fresh(kind);
            block_on(async {
                let opened = store(&copy, &variables, limits()).await.unwrap();
                for (path, bytes) in &whole {
                    let mut bytes = bytes.to_vec();
                    if path == tampered {
                        let middle = bytes.len() / 2;
                        bytes[middle] ^= 1;
                    }
                    let path = ObjectPath::new(path.as_str()).unwrap();
                    assert_eq!(opened.create(&path, bytes.into()).await.unwrap(), Created::New);
                }
            });
            // What describes the CSV files to readers is in no commit: another version may word it in another way.
            let description = tampered.starts_with("_audit/csvw/");
            let said = deep(&copy, if description { 0 } else { 9 }).stdout;
            assert!(!description || said.contains("V54"), "{said}");
            copies += 1;
        }
    }
    println!("{copies} tampered copies on S3 and Azure, found by verify --deep");
}

#[test]
fn events_from_files_go_to_a_store_as_well() {
    let variables = shared_s3().s3_as("admin");
    let folder = scratch("object-stores-convert");
    let events = folder.join("events.ndjson");
    fs::write(
        &events,
        "{\"id\":\"2b8e2a1c-0000-4000-8000-000000000001\",\"created_at\":\"2026-03-01T10:00:00\",\"event_type\":\"USER_LOGIN\"}\n",
    )
    .unwrap();
    let place = fresh("s3");
    let mut command = crate::program::program();
    command.envs(&variables).arg("convert").arg(&events).args(["--account", "abcd1234", "--dest", &place]);
    run(command).expect(0);
    let opened = block_on(store(&place, &variables, limits())).unwrap();
    assert_eq!(block_on(objects(&opened, &["parquet"])).len(), 1);
}

/// Nothing keeps runs apart on an object store but the store itself. Meanwhile a reader looks, again and again.
#[test]
fn eight_runs_at_once_leave_what_one_would() {
    const RUNS: usize = 8;
    let sandbox = Sandbox::start(&["--events", "6000", "--from", "2026-03-01", "--to", "2026-03-06"]);
    let variables = shared_s3().s3_as("admin");
    let (alone, together) = (fresh("s3"), fresh("s3"));
    let command = |place: &str| {
        let mut command = export(&sandbox.url, "2026-03-01", "2026-03-06", place.as_ref());
        command.envs(&variables);
        command
    };
    run(command(&alone)).expect(0);
    let folder = scratch("object-stores-together");
    let (ready, stop) = (folder.join("ready"), folder.join("stop"));
    let mut reader = script("states.py");
    reader.arg(&together).arg(&ready).arg(&stop).envs(&variables);
    let mut reader = reader.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + LIMIT;
    while !ready.exists() {
        assert!(reader.try_wait().unwrap().is_none() && Instant::now() < end, "the reader does not look");
        thread::sleep(Duration::from_millis(5));
    }
    let mut children: Vec<_> = (0..RUNS)
        .map(|_| command(&together).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    for child in children.drain(..) {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    fs::write(&stop, "").unwrap();
    let reader = reader.wait_with_output().unwrap();
    let said = String::from_utf8(reader.stdout).unwrap();
    assert!(reader.status.success(), "{said}");
    let seen: Value = serde_json::from_str(&said).unwrap();
    assert!(seen["rows"].as_u64() > Some(0), "{seen}");
    let opened = |place| block_on(store(place, &variables, limits())).unwrap();
    let expected = block_on(objects(&opened(&alone), &["parquet"]));
    let found = block_on(objects(&opened(&together), &["parquet"]));
    assert!(found == expected, "{:?} and {:?}", found.keys(), expected.keys());
    // The log is read and its chain checked by a run that finds nothing to do.
    run(command(&together)).expect(0);
    let log = block_on(objects(&opened(&together), &["_audit/commits"]));
    for (position, name) in log.keys().enumerate() {
        assert_eq!(*name, format!("_audit/commits/{position:016}.json"));
    }
    println!(
        "{RUNS} runs at once: {} files, {} commits, one chain; {} looks at {} states",
        found.len(),
        log.len(),
        seen["looks"],
        seen["states"]
    );
}
