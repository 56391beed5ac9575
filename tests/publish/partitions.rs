//! Partitions, parts and rows without a time: which file a row is in, and that an event is never in two.

use std::sync::Arc;

use bytes::Bytes;
use vonage_audit::encode::{FileMetadata, Settings, encode};
use vonage_audit::error::Kind;
use vonage_audit::model::{Certificate, EventId, Format, Layout, Level, Window};
use vonage_audit::publish::{Dataset, Published, Surplus};
use vonage_audit::store::{MemoryStore, Store};

use crate::support::{
    NOW, Row, batch, certificate, day, layout, path, ready_as, row, schema, spec_of, typed,
};

async fn opened(store: &MemoryStore, layout: &Layout) -> Dataset {
    Dataset::open(Arc::new(store.handle()), spec_of(layout.clone())).await.unwrap()
}

async fn publish(store: &MemoryStore, layout: &Layout, rows: &[Row]) -> vonage_audit::Result<Published> {
    opened(store, layout).await.publish(ready_as(layout, Some(day(1)), rows)?).await
}

/// Publishes and commits the first day, as a run of its own.
async fn put(store: &MemoryStore, layout: &Layout, rows: &[Row]) -> Published {
    let dataset = opened(store, layout).await;
    let published = dataset.publish(ready_as(layout, Some(day(1)), rows).unwrap()).await.unwrap();
    let settled: Certificate = certificate(day(1), rows.len() as u64);
    dataset.commit(vec![published.clone().record(settled, 0, 0)], NOW).await.unwrap();
    published
}

fn files(store: &MemoryStore) -> Vec<String> {
    let all = store.objects().into_keys().map(|path| path.as_str().to_owned());
    all.filter(|path| path.starts_with("parquet/")).collect()
}

#[tokio::test]
async fn rows_are_in_the_file_of_their_part_and_type() {
    let store = MemoryStore::new();
    let layout = layout("event_type,event_date", Some(6 * 3_600));
    let rows = [
        typed("B", 0, "a"),
        typed("A", 6 * 3_600 - 1, "b"),
        typed("A", 6 * 3_600, "c"),
        row(86_399, "d"),
        typed("", 86_398, "e"),
        typed("../x", 7, "f"),
    ];
    let published = put(&store, &layout, &rows).await;
    assert_eq!((published.rows, published.files.len()), (6, 5));
    assert_eq!(
        files(&store),
        [
            "parquet/type=%2E%2E%2F%78/event_date=2026-03-01/events-20260301T00-s000.parquet",
            "parquet/type=A/event_date=2026-03-01/events-20260301T00-s000.parquet",
            "parquet/type=A/event_date=2026-03-01/events-20260301T06-s000.parquet",
            "parquet/type=B/event_date=2026-03-01/events-20260301T00-s000.parquet",
            "parquet/type=__HIVE_DEFAULT_PARTITION__/event_date=2026-03-01/events-20260301T18-s000.parquet",
        ]
    );
    // Again, and with a late event of a type that was there and of one that was not.
    let before = store.objects();
    let again = put(&store, &layout, &rows).await;
    assert_eq!((again.rows, again.known, again.files.len()), (0, 6, 0));
    assert_eq!(store.objects(), before);
    let mut more = rows.to_vec();
    more.extend([typed("A", 1, "g"), typed("C", 1, "h")]);
    let late = put(&store, &layout, &more).await;
    assert_eq!((late.rows, late.known, late.files.len()), (2, 6, 2));
    let named = late.files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>();
    assert_eq!(
        named,
        [
            "parquet/type=A/event_date=2026-03-01/events-20260301T00-s001.parquet",
            "parquet/type=C/event_date=2026-03-01/events-20260301T00-s000.parquet",
        ]
    );
    let covered = opened(&store, &layout).await.coverage(Format::Parquet)[&day(1)].clone();
    assert_eq!((covered.rows, covered.files.len()), (8, 7));
}

#[tokio::test]
async fn an_event_whose_type_changed_is_a_conflict_and_no_second_row() {
    for name in ["event_type", "event_date,event_type", "event_type,event_month"] {
        let (store, layout) = (MemoryStore::new(), layout(name, None));
        put(&store, &layout, &[typed("A", 1, "a"), typed("A", 2, "b")]).await;
        let before = files(&store);
        for rows in
            [vec![typed("B", 1, "a"), typed("A", 2, "b")], vec![typed("B", 1, "a"), typed("B", 2, "b")]]
        {
            let published = put(&store, &layout, &rows).await;
            let changed = rows.iter().filter(|row| row.kind.as_deref() == Some("B"));
            let changed: Vec<_> = changed.map(|row| EventId::new(&row.id)).collect();
            assert_eq!(published.conflicts, changed, "{name}");
            assert_eq!((published.rows, published.known), (0, 2));
            assert_eq!(files(&store), before, "{name}");
        }
        // Beside it, what is new is still written.
        let published =
            put(&store, &layout, &[typed("B", 1, "a"), typed("B", 3, "c"), typed("A", 2, "b")]).await;
        assert_eq!((published.rows, published.conflicts.len()), (1, 1), "{name}");
    }
}

#[tokio::test]
async fn a_dead_runs_file_is_found_in_a_partition_that_no_row_has() {
    for name in ["event_type", "event_date,event_type", "event_year,event_type,event_date"] {
        let (store, layout) = (MemoryStore::new(), layout(name, None));
        // It published and died before its commit.
        publish(&store, &layout, &[typed("A", 1, "a"), typed("A", 2, "b")]).await.unwrap();
        let before = store.objects();
        for rows in [
            // The API gives another type now; the same event must not be there twice.
            vec![typed("B", 1, "a"), typed("B", 2, "b")],
            vec![typed("A", 1, "a"), typed("B", 2, "b")],
            // Or not at all.
            vec![typed("B", 3, "c")],
            vec![],
        ] {
            let error = publish(&store, &layout, &rows).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Contradiction, "{name} {error}");
            assert_eq!(store.objects(), before, "{name}");
        }
        let published =
            put(&store, &layout, &[typed("A", 1, "a"), typed("A", 2, "b"), typed("B", 3, "c")]).await;
        assert_eq!((published.adopted, published.rows, published.files.len()), (1, 3, 2), "{name}");
    }
}

#[tokio::test]
async fn a_file_that_the_log_names_is_missed_in_every_partition() {
    let (store, layout) = (MemoryStore::new(), layout("event_type", Some(12 * 3_600)));
    put(&store, &layout, &[typed("A", 1, "a"), typed("B", 50_000, "b")]).await;
    let name = "parquet/type=B/events-20260301T12-s000.parquet";
    let bytes = store.objects()[&path(name)].clone();
    for (planted, why) in [(None, "missing"), (Some(Bytes::from_static(b"other")), "not the one")] {
        store.vandalise(&path(name), planted);
        // Also where no row of this type is left.
        for rows in [vec![typed("A", 1, "a"), typed("B", 50_000, "b")], vec![typed("A", 1, "a")]] {
            let error = publish(&store, &layout, &rows).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Verification);
            assert!(error.to_string().contains(why), "{error}");
        }
    }
    store.vandalise(&path(name), Some(bytes));
    let published = put(&store, &layout, &[typed("A", 1, "a")]).await;
    assert_eq!(published.vanished, ["b"]);
}

#[tokio::test]
async fn rows_in_a_folder_that_is_not_theirs_are_damage() {
    let layout = layout("event_type", Some(12 * 3_600));
    for (name, why) in [
        ("parquet/type=B/events-20260301T00-s000.parquet", "another partition"),
        ("parquet/type=A/events-20260301T12-s000.parquet", "of another window"),
    ] {
        let store = MemoryStore::new();
        let mut bytes = Vec::new();
        let rows = [batch(day(1), &[typed("A", 1, "a")])];
        let settings = Settings::new(layout.clone());
        encode(Format::Parquet, &schema(), &rows, &FileMetadata::new(), &settings, &mut bytes).unwrap();
        publish(&store, &layout, &[]).await.unwrap();
        // A dataset that is there, with a file that nobody of ours has written.
        put(&store, &layout, &[]).await;
        store.create(&path(name), bytes.into()).await.unwrap();
        let error = publish(&store, &layout, &[typed("A", 1, "a")]).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Verification);
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn too_many_partitions_are_refused_before_anything_is_written() {
    let layout = layout("event_type", None);
    let rows = |count: i64| -> Vec<Row> {
        (0..count).map(|number| typed(&format!("T{number}"), number, &format!("id-{number:05}"))).collect()
    };
    assert!(ready_as(&layout, Some(day(1)), &rows(1_024)).is_ok());
    let error = ready_as(&layout, Some(day(1)), &rows(1_025)).unwrap_err();
    assert_eq!(error.kind(), Kind::Unproven);
    assert!(error.to_string().contains("1025"), "{error}");
    assert!(error.hint_text().unwrap().contains("--partition-limit"));
    // Minutes of a day and two types: more files than one record names.
    let parted = Layout { part: Some(60), ..layout };
    let minutes: Vec<Row> =
        (0..1_440 * 3).map(|n| typed(&format!("T{}", n % 3), n / 3 * 60, &format!("{n:05}"))).collect();
    let error = ready_as(&parted, Some(day(1)), &minutes).unwrap_err();
    assert!(error.to_string().contains("4320"), "{error}");
}

#[tokio::test]
async fn rows_without_a_time_have_a_chain_of_their_own() {
    for (name, first, late) in [
        (
            "event_date",
            "parquet/event_date=__HIVE_DEFAULT_PARTITION__/events-undated-s000.parquet",
            "parquet/event_date=__HIVE_DEFAULT_PARTITION__/events-undated-s001.parquet",
        ),
        ("none", "parquet/events-undated-s000.parquet", "parquet/events-undated-s001.parquet"),
        (
            "event_type,event_month",
            "parquet/type=A/event_month=__HIVE_DEFAULT_PARTITION__/events-undated-s000.parquet",
            "parquet/type=A/event_month=__HIVE_DEFAULT_PARTITION__/events-undated-s001.parquet",
        ),
    ] {
        let (store, layout) = (MemoryStore::new(), layout(name, None));
        let surplus = |total| Surplus { level: Level::Double, total, dated: 10 };
        let put = async |rows: &[Row], total| {
            let dataset = opened(&store, &layout).await;
            let ready = ready_as(&layout, None, rows).unwrap();
            let (record, conflicts) = dataset.publish_undated(ready, surplus(total), (0, 0)).await?;
            dataset.commit_undated(record.clone(), NOW).await?;
            Ok::<_, vonage_audit::Error>((record, conflicts))
        };
        let two = [typed("A", 0, "a"), typed("A", 0, "b")];
        // A run that dies between file and log.
        let dying = opened(&store, &layout).await;
        dying.publish_undated(ready_as(&layout, None, &two).unwrap(), surplus(12), (0, 0)).await.unwrap();
        let (record, _) = put(&two, 12).await.unwrap();
        assert_eq!((record.counts.rows, record.counts.settled, record.files.len()), (2, 2, 1));
        assert_eq!((files(&store), record.files[0].created_at), (vec![first.to_owned()], None));

        let before = store.objects();
        put(&two, 12).await.unwrap();
        // As many more events as there are more with a time: nothing new is said.
        let dataset = opened(&store, &layout).await;
        let ready = ready_as(&layout, None, &two).unwrap();
        let more = Surplus { level: Level::Double, total: 112, dated: 110 };
        let (record, _) = dataset.publish_undated(ready, more, (0, 0)).await.unwrap();
        dataset.commit_undated(record, NOW).await.unwrap();
        assert_eq!(store.objects(), before);

        let changed = Row { content: "altered".to_owned(), ..typed("A", 0, "b") };
        let (record, conflicts) = put(&[changed, typed("A", 0, "c")], 12).await.unwrap();
        assert_eq!(conflicts, [EventId::new("b")]);
        assert_eq!((record.counts.rows, record.counts.quarantined), (1, 1));
        assert_eq!(record.vanished, ["a"]);
        assert_eq!(files(&store), [first, late]);
        let recorded = opened(&store, &layout).await.undated();
        assert_eq!(recorded.iter().map(|record| record.files.len()).sum::<usize>(), 2);
        // Windows are not concerned.
        assert!(opened(&store, &layout).await.coverage(Format::Parquet).is_empty());
    }
}

#[tokio::test]
async fn hours_in_parts_keep_their_names_apart() {
    let hour = Window::new(day(1).from.plus_seconds(3_600), day(1).from.plus_seconds(7_200));
    let (store, layout) = (MemoryStore::new(), layout("none", Some(900)));
    let spec =
        vonage_audit::publish::Spec { grid: vonage_audit::model::Grid::Hour, ..spec_of(layout.clone()) };
    let dataset = Dataset::open(Arc::new(store.handle()), spec).await.unwrap();
    let rows = [row(0, "a"), row(899, "b"), row(900, "c"), row(3_599, "d")];
    let published = dataset.publish(ready_as(&layout, Some(hour), &rows).unwrap()).await.unwrap();
    dataset.commit(vec![published.record(certificate(hour, 4), 0, 0)], NOW).await.unwrap();
    assert_eq!(
        files(&store),
        [
            "parquet/events-20260301T0100-s000.parquet",
            "parquet/events-20260301T0115-s000.parquet",
            "parquet/events-20260301T0145-s000.parquet",
        ]
    );
}
