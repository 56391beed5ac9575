//! Files of partitions and time slices: rows are where their values and times put them, or it is found.

use std::sync::Arc;

use vonage_audit::encode::{FileMetadata, encode};
use vonage_audit::flatten::Flattener;
use vonage_audit::model::{
    Certificate, Counts, Drift, FileRecord, Format, Grid, Layout, Level, Partition, Partitioning, Slot,
    Timestamp, Window, WindowRecord,
};
use vonage_audit::publish::Dataset;
use vonage_audit::publish::verify::{Code, Depth, Verified};
use vonage_audit::store::{MemoryStore, Store};

use crate::bytes::sha256;
use crate::world::{FROM, Shape, block_on, path, spec, table, verified};

/// One event of a type in a file of a slice and partition, committed as if it belonged there.
fn placed(layout: &Layout, second: i64, kind: &str, slice: Window, folder: &str) -> Verified {
    let at = Timestamp::from_seconds(FROM + second);
    let mut flattener = Flattener::new(table());
    let event = format!(r#"{{"id":"a","created_at":"{at}","event_type":"{kind}","account_id":"abcd1234"}}"#);
    flattener.push(&event).unwrap();
    let rows = flattener.finish().unwrap();
    let mut bytes = Vec::new();
    let schema = table().arrow_schema();
    encode(Format::Parquet, &schema, &[rows], &FileMetadata::new(), &Default::default(), &mut bytes).unwrap();
    let values = [Some(folder), Some("abcd1234")];
    let partition = Partition::of(&layout.partitioning, values, |value| sha256(value.as_bytes()));
    let slot = Slot { span: Some(slice), partition, format: Format::Parquet, sequence: 0 };
    let window = Grid::Day.window(slice.from);
    let extent = if slice.contains(at) { at } else { slice.from };
    let file = FileRecord {
        path: slot.path(layout),
        format: Format::Parquet,
        sequence: 0,
        bytes: bytes.len() as u64,
        sha256: sha256(&bytes),
        rows: 1,
        created_at: Some((extent, extent)),
    };
    let record = WindowRecord {
        window,
        certificate: Certificate {
            level: Level::Bracketed,
            range: window,
            padding: 2,
            total: 1,
            distinct: 1,
            events: 1,
            quiet_from: false,
            quiet_to: false,
            parts: 1,
        },
        counts: Counts { settled: 1, rows: 1, ..Counts::default() },
        formats: vec![Format::Parquet],
        vanished: Vec::new(),
        drift: Drift::default(),
        quarantine: Vec::new(),
        files: vec![file.clone()],
        raw: None,
        source: None,
    };
    let store = MemoryStore::new();
    let shape = Shape { layout: layout.clone(), ..Shape::quiet("none", &[Format::Parquet]) };
    block_on(async {
        let dataset = Dataset::open(Arc::new(store.handle()), spec(&shape)).await.unwrap();
        store.create(&path(&file.path), bytes.into()).await.unwrap();
        dataset.commit(vec![record], FROM).await.unwrap();
    });
    verified(&store.objects(), Depth::Deep, None)
}

fn codes(outcome: &Verified) -> Vec<Code> {
    outcome.counts.keys().copied().collect()
}

#[test]
fn a_row_in_the_folder_of_another_value_is_found() {
    let long = "X".repeat(150);
    for partitioning in ["event_type", "event_date,event_type,account", "event_type,event_year"] {
        let layout = Layout { partitioning: Partitioning::parse(partitioning).unwrap(), ..Layout::default() };
        let day = Grid::Day.window(Timestamp::from_seconds(FROM));
        for (kind, folder, right) in [
            ("USER_LOGIN", "USER_LOGIN", true),
            ("a/../b", "a/../b", true),
            (&long, &long, true),
            ("USER_LOGIN", "user_login", false),
            ("USER_LOGIN", "USER_LOGOUT", false),
            (&long, &format!("{long}X"), false),
        ] {
            let found = codes(&placed(&layout, 5, kind, day, folder));
            let wanted = if right { vec![] } else { vec![Code::WrongPartition] };
            assert_eq!(found, wanted, "{partitioning}: {kind} in {folder}");
        }
    }
}

#[test]
fn a_row_outside_of_its_slice_is_found() {
    let layout = Layout { part: Some(900), ..Layout::default() };
    let slice = |from: i64| {
        let from = Timestamp::from_seconds(FROM + from);
        Window::new(from, from.plus_seconds(900))
    };
    for (second, from, right) in
        [(900, 900, true), (1_799, 900, true), (899, 900, false), (1_800, 900, false)]
    {
        let found = codes(&placed(&layout, second, "A", slice(from), "A"));
        assert_eq!(found.contains(&Code::OutOfWindow), !right, "{second} in {from}: {found:?}");
        assert_eq!(found.is_empty(), right, "{second} in {from}: {found:?}");
    }
}
