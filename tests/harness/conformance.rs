//! One suite for every store.
//!
//! What lives here: the contract of `Store` as a test. What this file must not know: which store it is given.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinSet;
use vonage_audit::store::{Created, Entry, EntryKind, ObjectPath, Store};

fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).unwrap()
}

const LIMIT: u64 = 1 << 20;

/// Everything but what several creators at once see.
pub(crate) async fn conforms_alone(store: Arc<dyn Store>) {
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
    // Names are kept letter for letter: what is escaped in them stays escaped, once.
    let odd = path("odd/type=a%2Fb%25/x y+z~&'(*)!@$,;:=#?.txt");
    assert_eq!(store.create(&odd, Bytes::from_static(b"odd")).await.unwrap(), Created::New);
    assert_eq!(store.read(&odd, LIMIT).await.unwrap(), Some(Bytes::from_static(b"odd")));
    assert_eq!(store.list(&path("odd")).await.unwrap(), [odd]);
    assert_eq!(
        store.children(Some(&path("odd"))).await.unwrap(),
        [Entry { name: "type=a%2Fb%25".to_owned(), kind: EntryKind::Folder }]
    );
    let top: Vec<_> = store
        .children(None)
        .await
        .unwrap()
        .into_iter()
        .filter(|entry| entry.name != "_audit" && entry.name != "race")
        .collect();
    assert_eq!(
        top,
        [
            entry("a", EntryKind::Folder),
            entry("odd", EntryKind::Folder),
            entry("parquet", EntryKind::Folder),
            entry("top", EntryKind::File)
        ]
    );
}

/// The whole contract.
pub(crate) async fn conforms(store: Arc<dyn Store>) {
    conforms_alone(Arc::clone(&store)).await;
    one_winner(&store).await;
}

/// Sixteen creators at once, each with bytes of its own: one wins, and what stands is the winner's.
pub(crate) async fn one_winner(store: &Arc<dyn Store>) {
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
