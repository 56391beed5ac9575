//! A dataset's rules, one by one.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use vonage_audit::encode::{FileMetadata, ReadLimits, read};
use vonage_audit::error::Kind;
use vonage_audit::model::{
    Counts, Event, EventId, Flaw, Format, Grid, KeptRecord, Timestamp, Window, WindowRecord,
};
use vonage_audit::publish::{Dataset, Spec, prepare};
use vonage_audit::store::{Fault, MemoryStore, ObjectPath, Store};

use crate::support::{NOW, Row, batch, certificate, day, open, path, put, ready, row, schema, spec};

const SLOT: &str = "parquet/event_date=2026-03-01/events-20260301-s000.parquet";
const LATE: &str = "parquet/event_date=2026-03-01/events-20260301-s001.parquet";

fn rows(store: &MemoryStore, slot: &str) -> u64 {
    let bytes = store.objects()[&path(slot)].clone();
    let table = read(Format::Parquet, bytes, &Default::default(), ReadLimits::default()).unwrap();
    table.batches.iter().map(|batch| batch.num_rows() as u64).sum()
}

#[tokio::test]
async fn nothing_is_written_before_the_first_window_and_nothing_by_a_rerun() {
    let store = MemoryStore::new();
    let dataset = open(store.handle()).await;
    assert!(store.objects().is_empty());
    let published = put(&dataset, day(1), &[row(1, "a"), row(2, "b")]).await;
    assert_eq!((published.rows, published.known, published.adopted, published.files.len()), (2, 0, 0, 1));
    put(&dataset, day(2), &[]).await;
    let before = store.objects();
    assert_eq!(before.len(), 4, "descriptor, slot, two commits");

    for dataset in [dataset, open(store.handle()).await] {
        let head = dataset.head();
        let published = put(&dataset, day(1), &[row(1, "a"), row(2, "b")]).await;
        assert_eq!((published.rows, published.known, published.files.len()), (0, 2, 0));
        put(&dataset, day(2), &[]).await;
        assert_eq!(dataset.head(), head);
    }
    assert_eq!(store.objects(), before);
}

#[tokio::test]
async fn the_same_rows_give_the_same_bytes_everywhere() {
    let (one, other) = (MemoryStore::new(), MemoryStore::new());
    put(&open(one.handle()).await, day(1), &[row(1, "a"), row(2, "b")]).await;
    put(&open(other.handle()).await, day(1), &[row(1, "a"), row(2, "b")]).await;
    assert_eq!(one.objects(), other.objects());
}

#[tokio::test]
async fn late_events_go_to_the_next_slot_and_nothing_else_does() {
    let store = MemoryStore::new();
    let dataset = open(store.handle()).await;
    put(&dataset, day(1), &[row(5, "a"), row(6, "b")]).await;
    let first = store.objects()[&path(SLOT)].clone();
    let published = put(&dataset, day(1), &[row(5, "a"), row(6, "b"), row(1, "late")]).await;
    assert_eq!((published.rows, published.known), (1, 2));
    assert_eq!(store.objects()[&path(SLOT)], first);
    assert_eq!(rows(&store, LATE), 1);

    let covered = open(store.handle()).await.coverage(Format::Parquet)[&day(1)].clone();
    assert_eq!((covered.rows, covered.quarantined, covered.files.len()), (3, 0, 2));
    assert_eq!(covered.files[1].created_at.unwrap().0, day(1).from.plus_seconds(1));
    assert_eq!(covered.certificate, certificate(day(1), 3));
}

#[tokio::test]
async fn an_event_with_another_content_is_a_conflict_and_its_first_row_stays() {
    let store = MemoryStore::new();
    let dataset = open(store.handle()).await;
    put(&dataset, day(1), &[row(5, "a"), row(6, "b")]).await;
    let before = store.objects();
    let changed = Row { content: "altered".to_owned(), ..row(5, "a") };
    let published = dataset.publish(ready(day(1), &[changed.clone(), row(6, "b")])).await.unwrap();
    assert_eq!(published.conflicts, [EventId::new("a")]);
    assert_eq!((published.rows, published.known), (0, 2));
    assert_eq!(store.objects(), before);

    // Beside a conflict, what is new is still kept.
    let published = dataset.publish(ready(day(1), &[changed, row(6, "b"), row(7, "c")])).await.unwrap();
    assert_eq!((published.rows, published.known, published.conflicts.len()), (1, 2, 1));
    assert_eq!(rows(&store, LATE), 1);
}

#[tokio::test]
async fn the_links_address_is_not_the_event() {
    let store = MemoryStore::new();
    let dataset = open(store.handle()).await;
    put(&dataset, day(1), &[row(5, "a")]).await;
    let moved = Row { link: "https://elsewhere".to_owned(), ..row(5, "a") };
    let published = put(&dataset, day(1), &[moved]).await;
    assert_eq!((published.conflicts.len(), published.known), (0, 1));
}

#[tokio::test]
async fn a_slot_that_a_dead_run_left_is_adopted_when_every_row_is_confirmed() {
    let store = MemoryStore::new();
    // It published and died before its commit.
    open(store.handle()).await.publish(ready(day(1), &[row(5, "a"), row(6, "b")])).await.unwrap();
    for (fresh, new) in
        [(vec![row(5, "a"), row(6, "b")], 0), (vec![row(5, "a"), row(6, "b"), row(7, "c")], 1)]
    {
        let copy = MemoryStore::new();
        for (path, bytes) in store.objects() {
            copy.create(&path, bytes).await.unwrap();
        }
        let dataset = open(copy.handle()).await;
        let published = put(&dataset, day(1), &fresh).await;
        assert_eq!((published.adopted, published.files.len()), (1, 1 + new));
        assert_eq!((published.rows, published.known), (fresh.len() as u64, 0));
        let covered = dataset.coverage(Format::Parquet)[&day(1)].clone();
        assert_eq!(covered.rows, fresh.len() as u64);
    }
}

#[tokio::test]
async fn a_slot_that_the_api_does_not_confirm_is_never_adopted() {
    let store = MemoryStore::new();
    open(store.handle()).await.publish(ready(day(1), &[row(5, "a"), row(6, "b")])).await.unwrap();
    let dataset = open(store.handle()).await;
    let before = store.objects();
    let altered = Row { content: "altered".to_owned(), ..row(6, "b") };
    for fresh in [vec![row(5, "a")], vec![], vec![row(5, "a"), altered]] {
        let error = dataset.publish(ready(day(1), &fresh)).await.unwrap_err();
        assert_eq!((error.kind(), error.kind().exit_code()), (Kind::Contradiction, 4));
        assert!(error.to_string().contains("ids b") || error.to_string().contains("ids a b"), "{error}");
        assert_eq!(store.objects(), before);
    }
}

#[tokio::test]
async fn a_recorded_file_that_is_gone_or_altered_is_never_made_anew() {
    for (slot, replacement) in [
        (SLOT, None),
        (LATE, None),
        (SLOT, Some(Bytes::from_static(b"PAR1 something PAR1"))),
        (LATE, Some(Bytes::new())),
    ] {
        let store = MemoryStore::new();
        let dataset = open(store.handle()).await;
        put(&dataset, day(1), &[row(5, "a")]).await;
        put(&dataset, day(1), &[row(5, "a"), row(6, "b")]).await;
        store.vandalise(&path(slot), replacement);
        let before = store.objects();
        for fresh in
            [vec![row(5, "a")], vec![row(5, "a"), row(6, "b")], vec![row(5, "a"), row(6, "b"), row(7, "c")]]
        {
            let dataset = open(store.handle()).await;
            let error = dataset.publish(ready(day(1), &fresh)).await.unwrap_err();
            assert_eq!((error.kind(), error.kind().exit_code()), (Kind::Verification, 9), "{slot} {error}");
        }
        assert_eq!(store.objects(), before);
    }
}

#[tokio::test]
async fn a_file_of_foreign_rows_in_a_slot_is_found() {
    let store = MemoryStore::new();
    let dataset = open(store.handle()).await;
    put(&dataset, day(1), &[row(5, "a")]).await;
    let first = store.objects()[&path(SLOT)].clone();
    // The same rows under the next slot's name would be read twice.
    store.vandalise(&path(LATE), Some(first));
    let error = dataset.publish(ready(day(1), &[row(5, "a")])).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Verification);
}

#[tokio::test]
async fn a_broken_log_does_not_open() {
    let store = MemoryStore::new();
    let dataset = open(store.handle()).await;
    for number in 1..=4 {
        put(&dataset, day(number), &[row(5, &format!("event-{number}"))]).await;
    }
    let objects = store.objects();
    let commit = |number: u64| path(&format!("_audit/commits/{number:016}.json"));
    let altered =
        String::from_utf8(objects[&commit(1)].to_vec()).unwrap().replace("\"rows\":1", "\"rows\":2");
    let cases: [(ObjectPath, Option<Bytes>); 6] = [
        (commit(0), None),
        (commit(1), None),
        (commit(1), Some(altered.into())),
        (commit(1), Some(objects[&commit(2)].clone())),
        (commit(3), Some(Bytes::from_static(b"{}"))),
        (path("_audit/dataset.json"), Some(Bytes::from_static(b"not JSON"))),
    ];
    for (place, replacement) in cases {
        let vandalised = MemoryStore::new();
        for (path, bytes) in &objects {
            vandalised.create(path, bytes.clone()).await.unwrap();
        }
        vandalised.vandalise(&place, replacement);
        let error = Dataset::open(Arc::new(vandalised), spec()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Verification, "{place}");
    }
    // A log that lost its newest commit is a valid shorter log: only a noted head tells.
    store.vandalise(&commit(3), None);
    assert_eq!(open(store.handle()).await.head().unwrap().number, 2);
}

#[tokio::test]
async fn another_dataset_or_anything_else_is_refused() {
    let store = MemoryStore::new();
    put(&open(store.handle()).await, day(1), &[row(5, "a")]).await;
    assert_eq!(Dataset::stored_spec(&store).await.unwrap(), Some(spec()));
    type Change = fn(&mut Spec);
    let cases: [(Change, Kind); 5] = [
        (|spec| spec.account_fingerprint = "00".repeat(16), Kind::Contradiction),
        (|spec| spec.grid = Grid::Hour, Kind::Usage),
        (|spec| spec.schema.version = "2.0.0".to_owned(), Kind::Usage),
        (|spec| spec.schema.fingerprint = "bb".repeat(32), Kind::Usage),
        (
            |spec| spec.selection = BTreeMap::from([("event_type".to_owned(), "USER_LOGIN".to_owned())]),
            Kind::Usage,
        ),
    ];
    for (change, kind) in cases {
        let mut other = spec();
        change(&mut other);
        let error = Dataset::open(Arc::new(store.handle()), other).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    for (foreign, kind) in [
        ("readme.txt", Kind::Usage),
        (SLOT, Kind::Usage),
        ("_audit/notes.txt", Kind::Usage),
        ("_audit/commits/0000000000000000.json", Kind::Verification),
    ] {
        let store = MemoryStore::new();
        store.create(&path(foreign), Bytes::from_static(b"x")).await.unwrap();
        let error = Dataset::open(Arc::new(store.handle()), spec()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{foreign}");
        assert_eq!(store.objects().len(), 1);
    }
}

#[tokio::test]
async fn of_two_runs_that_create_a_dataset_the_second_adopts_or_is_refused() {
    let store = MemoryStore::new();
    let mut newer = spec();
    newer.schema.version = "1.1.0".to_owned();
    let mut hourly = spec();
    hourly.grid = Grid::Hour;
    let first = open(store.handle()).await;
    let adopts = Dataset::open(Arc::new(store.handle()), newer).await.unwrap();
    let refused = Dataset::open(Arc::new(store.handle()), hourly).await.unwrap();
    put(&first, day(1), &[row(5, "a")]).await;
    put(&adopts, day(2), &[row(5, "b")]).await;
    assert_eq!(adopts.head().unwrap().number, 1);
    let hour = Grid::Hour.window(day(3).from);
    assert_eq!(refused.publish(ready(hour, &[row(5, "c")])).await.unwrap_err().kind(), Kind::Usage);
    assert_eq!(store.objects().len(), 5);
    // The log now has commits of the newer table, so that the older program stops.
    assert_eq!(Dataset::open(Arc::new(store), spec()).await.unwrap_err().kind(), Kind::Usage);
}

#[tokio::test]
async fn what_somebody_else_has_recorded_is_not_recorded_again() {
    let store = MemoryStore::new();
    let (one, other) = (open(store.handle()).await, open(store.handle()).await);
    let mine = one.publish(ready(day(1), &[row(5, "a")])).await.unwrap();
    // The other run adopts the slot, adds a late event and commits first.
    put(&other, day(1), &[row(5, "a"), row(6, "late")]).await;
    let head = one.commit(vec![mine.record(certificate(day(1), 1), 0, 0)], NOW).await.unwrap();
    assert_eq!(head, other.head());
    assert_eq!(open(store.handle()).await.coverage(Format::Parquet)[&day(1)].files.len(), 2);
}

#[tokio::test]
async fn many_windows_are_cut_into_commits_of_bounded_length() {
    let store = MemoryStore::new();
    let dataset = open(store.handle()).await;
    let range =
        Window::new(Timestamp::from_date(2016, 1, 1).unwrap(), Timestamp::from_date(2026, 1, 1).unwrap());
    let mut records = Vec::new();
    for window in Grid::Day.windows(range) {
        let published = dataset.publish(ready(window, &[])).await.unwrap();
        records.push(published.record(certificate(window, 0), 0, 0));
    }
    let head = dataset.commit(records.clone(), NOW).await.unwrap().unwrap();
    assert!(head.number > 0);
    let longest = store.objects().values().map(Bytes::len).max().unwrap();
    assert!(longest < 1 << 20, "{longest}");
    assert_eq!(open(store.handle()).await.coverage(Format::Parquet).len(), records.len());
    assert_eq!(dataset.commit(records, NOW + 1).await.unwrap(), Some(head));
}

#[tokio::test]
async fn rows_that_are_not_a_windows_rows_are_our_bug() {
    let window = day(1);
    let make = |rows: &[Row]| {
        prepare(
            window,
            &[Format::Parquet],
            schema(),
            vec![batch(window, rows)],
            FileMetadata::new(),
            &Default::default(),
        )
        .map(|_| ())
    };
    assert!(make(&[row(0, "a"), row(86_399, "b")]).is_ok());
    for rows in [vec![row(-1, "a")], vec![row(86_400, "a")], vec![row(1, "a"), row(2, "a")], vec![row(1, "")]]
    {
        assert_eq!(make(&rows).unwrap_err().kind(), Kind::Bug, "{rows:?}");
    }
    let unsorted = vec![batch(window, &[row(2, "b")]), batch(window, &[row(1, "a")])];
    let error =
        prepare(window, &[Format::Parquet], schema(), unsorted, FileMetadata::new(), &Default::default())
            .unwrap_err();
    assert_eq!(error.kind(), Kind::Bug);

    let dataset = open(MemoryStore::new()).await;
    let mut record =
        dataset.publish(ready(window, &[row(1, "a")])).await.unwrap().record(certificate(window, 1), 0, 0);
    record.counts = Counts { settled: 2, ..record.counts };
    assert_eq!(dataset.commit(vec![record], NOW).await.unwrap_err().kind(), Kind::Bug);
}

#[tokio::test]
async fn quarantine_keeps_the_raw_bytes_once() {
    let store = MemoryStore::new();
    let dataset = open(store.handle()).await;
    let event = |id: &str, text: &'static [u8], flaw| Event {
        id: EventId::new(id),
        created_at: None,
        text: Bytes::from_static(text),
        flaw: Some(flaw),
    };
    let events = [
        event("sha256:2", b"\xff\xfe\xfb", Flaw::NotUtf8),
        event("sha256:1", b"[\"\\u0041\"]", Flaw::NotAnObject),
    ];
    let first = "_audit/quarantine/events-20260301-s000.ndjson";
    for _ in 0..2 {
        assert_eq!(paths(dataset.quarantine(day(1), &events).await.unwrap()), [first]);
        assert_eq!(
            String::from_utf8(store.objects()[&path(first)].to_vec()).unwrap(),
            concat!(
                "{\"base64\":\"//77\",\"flaw\":\"not-utf8\",\"id\":\"sha256:2\"}\n",
                "{\"flaw\":\"not-an-object\",\"id\":\"sha256:1\",\"text\":\"[\\\"\\\\u0041\\\"]\"}\n",
            )
        );
    }
    let more = [events[0].clone(), event("x", b"{}", Flaw::NoId)];
    let second = "_audit/quarantine/events-20260301-s001.ndjson";
    assert_eq!(paths(dataset.quarantine(day(1), &more).await.unwrap()), [first, second]);
    assert_eq!(store.objects()[&path(second)].iter().filter(|byte| **byte == b'\n').count(), 1);
    assert_eq!(dataset.quarantine(day(2), &[]).await.unwrap(), []);

    // A window with nothing but flawed events is covered; a rerun adds nothing; another flawed event does.
    for (quarantined, number) in [(1, 0), (1, 0), (2, 1)] {
        let head = dataset.commit(vec![only_flawed(quarantined)], NOW).await.unwrap();
        assert_eq!(head.unwrap().number, number);
    }
    assert_eq!(dataset.coverage(Format::Parquet)[&day(1)].quarantined, 2);
}

fn paths(kept: Vec<KeptRecord>) -> Vec<String> {
    kept.into_iter().map(|kept| kept.path).collect()
}

fn only_flawed(quarantined: u64) -> WindowRecord {
    WindowRecord {
        raw: None,
        source: None,
        window: day(1),
        certificate: certificate(day(1), quarantined),
        counts: Counts { settled: quarantined, quarantined, ..Counts::default() },
        drift: Default::default(),
        formats: vec![Format::Parquet],
        vanished: Vec::new(),
        quarantine: Vec::new(),
        files: Vec::new(),
    }
}

#[tokio::test]
async fn a_store_that_only_fails_is_an_error_and_not_a_loop() {
    let store = MemoryStore::new()
        .with_faults(|operation| if operation.name == "create" { Fault::Fail } else { Fault::None });
    let dataset = open(store).await;
    let error = dataset.publish(ready(day(1), &[row(1, "a")])).await.unwrap_err();
    assert_eq!((error.kind(), error.kind().exit_code()), (Kind::Storage, 7));
}
