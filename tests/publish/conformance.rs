//! The stores that need no server, held against the suite.

use std::sync::Arc;

use vonage_audit::store::{Fault, LocalStore, MemoryStore, Publication, creates_if_absent};

use crate::suite::conforms;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_in_memory_conforms() {
    conforms(Arc::new(MemoryStore::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_local_store_conforms_in_its_best_way() {
    let place = tempfile::tempdir().unwrap();
    conforms(Arc::new(LocalStore::open(place.path(), true).unwrap())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_local_store_conforms_in_every_way_of_publishing() {
    let ways = if cfg!(target_os = "linux") {
        vec![Publication::Nameless, Publication::Rename, Publication::Link]
    } else {
        vec![Publication::Rename, Publication::Link]
    };
    for way in ways {
        let place = tempfile::tempdir().unwrap();
        let store = LocalStore::open(place.path(), true).unwrap().publishing_by(way);
        conforms(Arc::new(store)).await;
        let staging = place.path().join("_audit/staging");
        let left = staging.exists().then(|| std::fs::read_dir(&staging).unwrap().count());
        assert_eq!(left.unwrap_or(0), 0, "{way:?}");
        assert_eq!(staging.exists(), way != Publication::Nameless, "{way:?}");
    }
}

#[tokio::test]
async fn one_fault_at_any_step_never_makes_a_good_store_look_bad() {
    for fault in [Fault::Fail, Fault::ReplyLost, Fault::Delayed, Fault::Stale] {
        for at in 0..5 {
            let store = MemoryStore::new()
                .with_faults(move |operation| if operation.index == at { fault } else { Fault::None });
            assert!(creates_if_absent(&store).await.unwrap(), "{fault:?} at {at}");
        }
    }
}
