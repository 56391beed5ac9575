//! The same questions to a server that somebody else has started: `servers.sh` does, with s3s-fs and Garage.
//!
//! `OBJECT_STORES_URL` names an empty prefix, the usual variables how to reach it.

use std::collections::BTreeMap;
use std::sync::Arc;

use vonage_audit::store::creates_if_absent;

use crate::capability::refuses_unless_single;
use crate::export::on_disk;
use crate::extraction::block_on;
use crate::program::{run, scratch};
use crate::sandbox::{Sandbox, export};
use crate::servers::{limits, objects, store};
use crate::suite::{conforms_alone, one_winner};

const NAMES: [&str; 4] = ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

fn named(below: &str) -> (String, BTreeMap<&'static str, String>) {
    let url = std::env::var("OBJECT_STORES_URL").expect("OBJECT_STORES_URL names an empty prefix");
    let variables = NAMES.into_iter().map(|name| (name, std::env::var(name).expect(name))).collect();
    (format!("{url}/{below}"), variables)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a server: tests/object_stores/servers.sh"]
async fn it_conforms_to_one_writer() {
    let (place, variables) = named("alone");
    conforms_alone(Arc::new(store(&place, &variables, limits()).await.unwrap())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a server: tests/object_stores/servers.sh"]
async fn it_conforms_to_many_writers() {
    let (place, variables) = named("many");
    let opened: Arc<dyn vonage_audit::store::Store> =
        Arc::new(store(&place, &variables, limits()).await.unwrap());
    one_winner(&opened).await;
}

#[test]
#[ignore = "needs a server: tests/object_stores/servers.sh"]
fn it_holds_what_a_disk_holds() {
    let (place, variables) = named("export");
    let sandbox = Sandbox::start(&["--events", "2000"]);
    let folder = scratch("object-stores-external");
    let command = |dest: &std::path::Path| {
        let mut command = export(&sandbox.url, "2026-01-01", "2026-01-08", dest);
        command.envs(&variables).args(["--format", "parquet,csv,ndjson"]);
        command
    };
    run(command(&folder)).expect(0);
    run(command(place.as_ref())).expect(0);
    run(command(place.as_ref())).expect(0);
    let opened = block_on(store(&place, &variables, limits())).unwrap();
    let (found, expected) = (block_on(objects(&opened, &["parquet", "csv", "ndjson"])), on_disk(&folder));
    assert!(found == expected, "{:?} and {:?}", found.keys(), expected.keys());
    println!("{} data files, byte-identical on disk and on the server", found.len());
}

#[test]
#[ignore = "needs a server: tests/object_stores/servers.sh"]
fn it_overwrites_and_is_refused() {
    let (place, variables) = named("refused");
    let opened = block_on(store(&place, &variables, limits())).unwrap();
    assert!(!block_on(creates_if_absent(&opened)).unwrap());
    refuses_unless_single(&place, &variables);
    let found = block_on(objects(&opened, &["parquet", "_audit/commits"]));
    assert_eq!(found.keys().filter(|path| path.ends_with("-s000.parquet")).count(), 3, "{:?}", found.keys());
    for (path, text) in found.iter().filter(|(path, _)| path.starts_with("_audit/")) {
        assert!(String::from_utf8_lossy(text).contains(r#""single_writer":true"#), "{path}");
    }
}
