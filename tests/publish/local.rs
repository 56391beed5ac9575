//! The local disk: what is refused, what is left behind, the lock.

use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use vonage_audit::error::Kind;
use vonage_audit::publish::Dataset;
use vonage_audit::spool::{Blob, BlobWriter, Scratch, SharedFile};
use vonage_audit::store::{Created, EntryKind, LocalStore, Publication, Store};

use crate::support::{NOW, day, open, path, put, row, spec};

const LIMIT: u64 = 1 << 20;

fn files(below: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![below.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path());
            } else {
                found.push(entry.path().strip_prefix(below).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_dataset_holds_final_names_and_nothing_else() {
    for way in [None, Some(Publication::Rename), Some(Publication::Link)] {
        let place = tempfile::tempdir().unwrap();
        let destination = place.path().join("new/nested");
        let store = LocalStore::open(&destination, true).unwrap();
        let store = way.map_or(store.clone(), |way| store.publishing_by(way));
        let dataset = open(store).await;
        assert_eq!(files(place.path()), Vec::<String>::new(), "opening writes nothing");
        put(&dataset, day(1), &[row(5, "a"), row(6, "b")]).await;
        put(&dataset, day(2), &[]).await;
        put(&dataset, day(1), &[row(5, "a"), row(6, "b"), row(1, "late")]).await;
        assert_eq!(
            files(&destination),
            [
                "_audit/commits/0000000000000000.json",
                "_audit/commits/0000000000000001.json",
                "_audit/commits/0000000000000002.json",
                "_audit/dataset.json",
                "parquet/event_date=2026-03-01/events-20260301-s000.parquet",
                "parquet/event_date=2026-03-01/events-20260301-s001.parquet",
            ],
            "{way:?}"
        );
        let again = open(LocalStore::open(&destination, false).unwrap()).await;
        assert_eq!(again.head(), dataset.head());
    }
}

#[tokio::test]
async fn two_processes_cannot_lock_one_dataset_and_left_overs_go_under_the_lock() {
    let place = tempfile::tempdir().unwrap();
    let staging = place.path().join("_audit/staging");
    std::fs::create_dir_all(&staging).unwrap();
    std::fs::write(staging.join("999-1-0"), "of a dead run").unwrap();
    let (one, other) =
        (LocalStore::open(place.path(), true).unwrap(), LocalStore::open(place.path(), true).unwrap());
    let lock = one.lock().await.unwrap();
    assert_eq!(std::fs::read_dir(&staging).unwrap().count(), 0);
    let error = other.lock().await.unwrap_err();
    assert_eq!((error.kind(), error.kind().exit_code()), (Kind::Busy, 8));
    assert!(error.hint_text().is_some());
    drop(lock);
    let _held = other.lock().await.unwrap();
    // What a lock leaves is not a foreign thing in the way of a new dataset.
    let dataset = open(one).await;
    assert_eq!(dataset.head(), None);
}

#[tokio::test]
async fn a_staged_name_of_a_dead_run_is_never_reused() {
    let place = tempfile::tempdir().unwrap();
    let staging = place.path().join("_audit/staging");
    std::fs::create_dir_all(&staging).unwrap();
    std::fs::create_dir(place.path().join("published")).unwrap();
    // As after a kill between link and unlink: the staged name is a second name of a published file.
    std::fs::write(place.path().join("published/file"), "committed").unwrap();
    let dead = staging.join(format!("{}-1-0", std::process::id()));
    std::fs::hard_link(place.path().join("published/file"), &dead).unwrap();
    for way in [Publication::Link, Publication::Rename] {
        let store = LocalStore::open(place.path(), true).unwrap().publishing_by(way);
        store.create(&path(&format!("new/{way:?}")), Bytes::from_static(b"new")).await.unwrap();
        assert_eq!(std::fs::read(place.path().join("published/file")).unwrap(), b"committed");
        assert!(dead.exists());
    }
}

#[tokio::test]
async fn planted_links_are_refused_and_their_targets_untouched() {
    let slot = path("parquet/event_date=2026-03-01/events-20260301-s000.parquet");
    for planted in [
        "_audit",
        "parquet",
        "parquet/event_date=2026-03-01",
        "parquet/event_date=2026-03-01/events-20260301-s000.parquet",
    ] {
        for way in [Publication::Nameless, Publication::Rename, Publication::Link] {
            let (place, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let link = place.path().join(planted);
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(outside.path(), &link).unwrap();
            let store = LocalStore::open(place.path(), true).unwrap().publishing_by(way);
            let target = if planted == "_audit" { path("_audit/dataset.json") } else { slot.clone() };
            for error in [
                store.create(&target, Bytes::from_static(b"x")).await.unwrap_err(),
                store.read(&target, LIMIT).await.unwrap_err(),
            ] {
                assert_eq!(error.kind(), Kind::Storage, "{planted} {error}");
                assert!(error.hint_text().is_some());
            }
            assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
            assert!(link.is_symlink());
        }
    }
}

#[tokio::test]
async fn a_dangling_link_a_pipe_and_a_folder_are_not_absent_files() {
    let place = tempfile::tempdir().unwrap();
    symlink("nowhere", place.path().join("dangling")).unwrap();
    std::fs::create_dir(place.path().join("folder")).unwrap();
    let pipe = place.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let store = LocalStore::open(place.path(), true).unwrap();
    for name in ["dangling", "folder", "pipe"] {
        assert!(store.create(&path(name), Bytes::from_static(b"x")).await.is_err(), "{name}");
        assert!(store.read(&path(name), LIMIT).await.is_err(), "{name}");
    }
    let kinds: Vec<_> = store.children(None).await.unwrap().into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Other, EntryKind::Folder, EntryKind::Other]);
}

#[test]
fn an_unusable_destination_is_the_users_mistake_before_anything_is_done() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    std::fs::write(&file, "x").unwrap();
    for (destination, create) in [
        (file.clone(), true),
        (file.join("below"), true),
        (place.path().join("absent"), false),
        (Path::new("/proc/self/status").join("below"), true),
    ] {
        let error = LocalStore::open(&destination, create).unwrap_err();
        assert_eq!((error.kind(), error.kind().exit_code()), (Kind::Usage, 2), "{destination:?}");
        assert!(error.to_string().contains(destination.parent().unwrap().to_str().unwrap()), "{error}");
    }
    assert_eq!(files(place.path()), ["file"]);
}

#[tokio::test]
async fn a_failed_create_is_an_error_and_leaves_no_name() {
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join("parquet")).unwrap();
    let store = LocalStore::open(place.path(), true).unwrap();
    std::fs::write(place.path().join("parquet/event_date=2026-03-01"), "in the way").unwrap();
    let error =
        store.create(&path("parquet/event_date=2026-03-01/x.parquet"), Bytes::new()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Storage);
    assert_eq!(files(place.path()), ["parquet/event_date=2026-03-01"]);
}

#[tokio::test]
async fn a_folder_with_other_things_is_refused_and_left_alone() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("thesis.txt"), "mine").unwrap();
    let store = LocalStore::open(place.path(), true).unwrap();
    let error = Dataset::open(Arc::new(store), spec()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.to_string().contains("thesis.txt"), "{error}");
    assert_eq!(files(place.path()), ["thesis.txt"]);
}

#[tokio::test]
async fn a_store_opened_for_reading_writes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let store = LocalStore::open(place.path(), false).unwrap();
    assert!(store.create(&path("a"), Bytes::new()).await.is_err());
    let dataset = open(store).await;
    assert_eq!(dataset.commit(Vec::new(), NOW).await.unwrap(), None);
    assert_eq!(files(place.path()), Vec::<String>::new());
}

/// Bytes that are to stay, beyond what stays in memory.
fn long(scratch: &Scratch, byte: u8) -> Blob {
    let mut writer = BlobWriter::to_stay(scratch, 0, &SharedFile::default());
    for _ in 0..100 {
        writer.write_all(&[byte; 9_999]).unwrap();
    }
    writer.finish().unwrap()
}

#[tokio::test]
async fn a_long_file_gets_its_name_without_being_copied_where_it_can() {
    for (way, there) in [(None, true), (None, false), (Some(Publication::Link), true)] {
        let (place, spill) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let destination = if there { place.path().to_owned() } else { place.path().join("new/nested") };
        let store = LocalStore::open(&destination, true).unwrap();
        let store = way.map_or(store.clone(), |way| store.publishing_by(way));
        let scratch = Scratch::new(spill.path().to_owned(), 0, 1 << 30).with_files(store.files());
        let (one, other) = (long(&scratch, 1), long(&scratch, 2));
        assert_eq!(files(place.path()), Vec::<String>::new(), "it has no name yet");
        assert_eq!(one.own_file().is_some(), way.is_none());
        let create = |name: &'static str, content: Blob| {
            let store = store.clone();
            async move { store.create_from(&path(name), &content).await.unwrap() }
        };
        assert_eq!(create("x/one", one.clone()).await, Created::New);
        assert_eq!(create("x/one", other.clone()).await, Created::Exists);
        let found = std::fs::metadata(destination.join("x/one")).unwrap();
        if let Some(own) = one.own_file() {
            assert_eq!(own.metadata().unwrap().ino(), found.ino());
        }
        // Another name is another file, so that nobody changes two by changing one.
        assert_eq!(create("x/again", one.clone()).await, Created::New);
        assert_eq!(create("y/other", other.clone()).await, Created::New);
        assert_eq!(create("y/short", Bytes::from_static(b"short").into()).await, Created::New);
        let mode = std::fs::metadata(destination.join("y/short")).unwrap().mode();
        for (name, blob) in [("x/one", &one), ("x/again", &one), ("y/other", &other)] {
            let found = std::fs::metadata(destination.join(name)).unwrap();
            assert_eq!((found.nlink(), found.mode()), (1, mode), "{name}");
            assert!(std::fs::read(destination.join(name)).unwrap() == blob.bytes().unwrap(), "{name}");
        }
        assert_eq!(files(&destination), ["x/again", "x/one", "y/other", "y/short"]);
    }
}

#[tokio::test]
async fn only_so_many_files_are_open_at_a_time_and_short_ones_share_one() {
    let (place, spill) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = LocalStore::open(place.path(), true).unwrap();
    let scratch = Scratch::new(spill.path().to_owned(), 0, 1 << 30).with_files(store.files());
    let shared = SharedFile::default();
    let written = |bytes: usize| {
        let mut writer = BlobWriter::to_stay(&scratch, 0, &shared);
        writer.write_all(&vec![7; bytes]).unwrap();
        writer.finish().unwrap()
    };
    assert!(written(10_000).own_file().is_none());
    let blobs: Vec<_> = (0..70).map(|_| written(300_000)).collect();
    assert_eq!(blobs.iter().filter(|blob| blob.own_file().is_some()).count(), 64);
    assert!(blobs.iter().all(|blob| blob.bytes().unwrap() == vec![7; 300_000]));
    drop(blobs);
    assert!(written(300_000).own_file().is_some());
}
