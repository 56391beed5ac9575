//! One suite for every store.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinSet;
use vonage_audit::store::{Created, Entry, EntryKind, LocalStore, MemoryStore, Publication, Store};

use crate::support::path;

const LIMIT: u64 = 1 << 20;

async fn conforms(store: Arc<dyn Store>) {
    let deep = path("parquet/event_date=2026-03-01/events-20260301-s000.parquet");
    assert_eq!(store.read(&deep, LIMIT).await.unwrap(), None);
    assert_eq!(store.size(&deep).await.unwrap(), None);
    assert_eq!(store.children(None).await.unwrap(), []);
    assert_eq!(store.children(Some(&path("parquet"))).await.unwrap(), []);
    assert_eq!(store.list(&path("parquet")).await.unwrap(), []);

    let first = Bytes::from_static(b"first");
    assert_eq!(store.create(&deep, first.clone()).await.unwrap(), Created::New);
    assert_eq!(store.read(&deep, LIMIT).await.unwrap(), Some(first.clone()));
    for again in [first.clone(), Bytes::from_static(b"another, longer content"), Bytes::new()] {
        assert_eq!(store.create(&deep, again).await.unwrap(), Created::Exists);
        assert_eq!(store.read(&deep, LIMIT).await.unwrap(), Some(first.clone()));
    }
    assert_eq!(store.read(&deep, 5).await.unwrap(), Some(first));
    assert!(store.read(&deep, 4).await.is_err());

    for (name, length) in [("a/empty", 0), ("a/large", 300_000), ("a/b/c/d", 7), ("top", 1)] {
        let bytes = Bytes::from(vec![b'x'; length]);
        assert_eq!(store.create(&path(name), bytes.clone()).await.unwrap(), Created::New);
        assert_eq!(store.read(&path(name), LIMIT).await.unwrap(), Some(bytes), "{name}");
        assert_eq!(store.size(&path(name)).await.unwrap(), Some(length as u64), "{name}");
    }
    let found: Vec<_> = store.list(&path("a")).await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(found, ["a/b/c/d", "a/empty", "a/large"]);
    let entry = |name: &str, kind| Entry { name: name.to_owned(), kind };
    assert_eq!(
        store.children(Some(&path("a"))).await.unwrap(),
        [entry("b", EntryKind::Folder), entry("empty", EntryKind::File), entry("large", EntryKind::File)]
    );
    let top: Vec<_> =
        store.children(None).await.unwrap().into_iter().filter(|entry| entry.name != "_audit").collect();
    assert_eq!(
        top,
        [entry("a", EntryKind::Folder), entry("parquet", EntryKind::Folder), entry("top", EntryKind::File)]
    );

    one_winner(&store).await;
}

/// Sixteen creators at once, each with bytes of its own: one wins, and what stands is the winner's.
async fn one_winner(store: &Arc<dyn Store>) {
    for round in 0..20 {
        let place = path(&format!("race/new-{round}/object"));
        let mut creators = JoinSet::new();
        for creator in 0_u8..16 {
            let (store, place) = (Arc::clone(store), place.clone());
            creators.spawn(async move {
                let bytes = Bytes::from(vec![creator; 10_000]);
                (creator, store.create(&place, bytes).await.unwrap())
            });
        }
        let answers = creators.join_all().await;
        let winners: Vec<u8> = answers
            .iter()
            .filter(|(_, created)| *created == Created::New)
            .map(|(creator, _)| *creator)
            .collect();
        assert_eq!(winners.len(), 1, "{answers:?}");
        assert_eq!(store.read(&place, LIMIT).await.unwrap(), Some(Bytes::from(vec![winners[0]; 10_000])));
    }
}

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
