//! A store that overwrites is found, refused, and with `--single-writer` used without overwriting.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use vonage_audit::store::{Created, LocalStore, MemoryStore, SingleWriter, Store, creates_if_absent};

use crate::program::{run, scratch};
use crate::proxy::{Conditions, Proxy};
use crate::sandbox::{Sandbox, export};
use crate::servers::{azure, fresh, limits, objects, open_s3, shared_s3, store};

#[tokio::test(flavor = "multi_thread")]
async fn stores_that_keep_the_promise_are_known_by_it_again_and_again() {
    let s3: Arc<dyn Store> =
        Arc::new(store(&fresh("s3"), &shared_s3().s3_as("admin"), limits()).await.unwrap());
    let server = azure();
    let azure: Arc<dyn Store> =
        Arc::new(store(&fresh("az"), &server.azure_variables(), limits()).await.unwrap());
    let folder = scratch("object-stores-probe");
    let local: Arc<dyn Store> = Arc::new(LocalStore::open(&folder, true).unwrap());
    for store in [s3, azure, local, Arc::new(MemoryStore::new())] {
        for _ in 0..3 {
            assert!(creates_if_absent(store.as_ref()).await.unwrap(), "{store:?}");
        }
        assert_eq!(objects(store.as_ref(), &["_audit"]).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_overwrites_is_known_by_it_again_and_again_and_when_it_learns_better() {
    let server = open_s3();
    let proxy = Proxy::start(&server.text("/url"), Conditions::Ignored).await;
    let mut variables = server.s3_as("admin");
    let place = fresh("s3");
    let good = store(&place, &variables, limits()).await.unwrap();
    variables.insert("AWS_ENDPOINT_URL", proxy.url());
    let bad = Arc::new(store(&place, &variables, limits()).await.unwrap());
    for _ in 0..3 {
        assert!(!creates_if_absent(bad.as_ref()).await.unwrap());
    }
    assert!(creates_if_absent(&good).await.unwrap());
    assert!(!creates_if_absent(bad.as_ref()).await.unwrap());

    let path = vonage_audit::store::ObjectPath::new("a/b").unwrap();
    let (one, two) = (Bytes::from_static(b"one"), Bytes::from_static(b"two"));
    let single = SingleWriter::new(bad.clone());
    assert_eq!(single.create(&path, one.clone()).await.unwrap(), Created::New);
    assert_eq!(single.create(&path, two.clone()).await.unwrap(), Created::Exists);
    assert_eq!(single.read(&path, 100).await.unwrap(), Some(one));
    // The control: without looking first it would have been overwritten.
    assert_eq!(bad.create(&path, two.clone()).await.unwrap(), Created::New);
    assert_eq!(bad.read(&path, 100).await.unwrap(), Some(two));
}

/// The program exports three days to a store that overwrites only as its one writer, and then nothing twice.
pub(crate) fn refuses_unless_single(place: &str, variables: &BTreeMap<&'static str, String>) {
    let sandbox = Sandbox::start(&["--events", "500"]);
    let command = |single: bool| {
        let mut command = export(&sandbox.url, "2026-01-01", "2026-01-04", place.as_ref());
        command.envs(variables).args(single.then_some("--single-writer"));
        command
    };
    let refused = run(command(false)).expect(2);
    assert!(refused.stderr.contains("--single-writer"), "{}", refused.stderr);
    run(command(true)).expect(0);
    // Nothing is done twice, and nothing is overwritten.
    run(command(true)).expect(0);
    run(command(false)).expect(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_refuses_a_store_that_overwrites_unless_it_is_the_one_writer() {
    let server = open_s3();
    let proxy = Proxy::start(&server.text("/url"), Conditions::Ignored).await;
    let mut variables = server.s3_as("admin");
    let place = fresh("s3");
    let good = store(&place, &variables, limits()).await.unwrap();
    variables.insert("AWS_ENDPOINT_URL", proxy.url());
    tokio::task::spawn_blocking(move || refuses_unless_single(&place, &variables)).await.unwrap();
    let all = objects(&good, &["_audit/commits", "parquet"]).await;
    let commits: Vec<_> = all.iter().filter(|(path, _)| path.starts_with("_audit/commits/")).collect();
    assert!(!commits.is_empty());
    for (path, text) in commits {
        let text = String::from_utf8_lossy(text);
        assert!(text.contains(r#""single_writer":true"#), "{path}: {text}");
    }
    assert_eq!(all.keys().filter(|path| path.ends_with("-s000.parquet")).count(), 3, "{:?}", all.keys());
}
