//! Rows added, removed, altered and moved in files that are valid again, with the log as it was and with the log
//! rewritten to say so.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow_select::concat::concat_batches;
use arrow_select::take::take;
use vonage_audit::encode::{FileMetadata, ReadLimits, encode, read};
use vonage_audit::model::{Format, Timestamp};
use vonage_audit::store::ObjectPath;

use crate::bytes::{rechained, sha256};
use crate::score::{By, Score};
use crate::world::{Objects, Shape, dataset, head, table};

const KINDS: [&str; 20] = [
    "row added",
    "row removed",
    "row altered",
    "row's derived column altered",
    "row doubled",
    "row with another id",
    "row moved to another window",
    "rows out of order",
    "…and the log: added",
    "…and the log: removed",
    "…and the log: altered",
    "…and the log: derived altered",
    "…and the log: doubled",
    "…and the log: another id",
    "…and the log: moved",
    "…and the log: out of order",
    "…of several formats: added",
    "…of several formats: removed",
    "…of several formats: altered",
    "…of several formats: another id",
];

fn batch(objects: &Objects, path: &ObjectPath) -> (RecordBatch, FileMetadata) {
    let read =
        read(Format::Parquet, objects[path].clone(), &Default::default(), ReadLimits::default()).unwrap();
    (concat_batches(&read.schema, &read.batches).unwrap(), read.metadata)
}

fn chosen(batch: &RecordBatch, rows: &[usize]) -> RecordBatch {
    let rows = UInt64Array::from(rows.iter().map(|row| *row as u64).collect::<Vec<_>>());
    let columns = batch.columns().iter().map(|column| take(column, &rows, None).unwrap()).collect();
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

fn set(batch: &RecordBatch, row: usize, name: &str, value: &str) -> RecordBatch {
    let (position, _) = batch.schema().column_with_name(name).unwrap();
    let old = batch.column(position).as_string::<i32>();
    let new: StringArray =
        old.iter().enumerate().map(|(at, text)| if at == row { Some(value) } else { text }).collect();
    let mut columns = batch.columns().to_vec();
    columns[position] = Arc::new(new) as ArrayRef;
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

/// The file with other rows; with `relog`, the log says so as well.
fn rewritten(
    objects: &Objects,
    path: &ObjectPath,
    rows: &RecordBatch,
    metadata: &FileMetadata,
    relog: bool,
) -> Objects {
    let mut bytes = Vec::new();
    let schema = table().arrow_schema();
    let rows = RecordBatch::try_new(Arc::clone(&schema), rows.columns().to_vec()).unwrap();
    encode(Format::Parquet, &schema, std::slice::from_ref(&rows), metadata, &Default::default(), &mut bytes)
        .unwrap();
    let mut copy = objects.clone();
    copy.insert(path.clone(), bytes.clone().into());
    if !relog {
        return copy;
    }
    let names = |text: &[u8]| String::from_utf8_lossy(text).contains(path.as_str());
    let (number, _) = objects
        .iter()
        .filter(|(path, _)| path.as_str().starts_with("_audit/commits/"))
        .enumerate()
        .find(|(_, (_, text))| names(text))
        .unwrap();
    let count = rows.num_rows() as u64;
    let times = rows.column_by_name("created_at").unwrap().as_primitive::<TimestampMicrosecondType>();
    let times: Vec<_> = times.values().iter().map(|at| Timestamp::from_micros(*at)).collect();
    rechained(&copy, number as u64, |commit| {
        for window in commit["windows"].as_array_mut().unwrap() {
            let (from, to) =
                (window["from"].as_str().unwrap().to_owned(), window["to"].as_str().unwrap().to_owned());
            let mut most = 0;
            let mut here = false;
            for file in window["files"].as_array_mut().unwrap() {
                if file["path"] == path.as_str() {
                    here = true;
                    file["sha256"] = sha256(&bytes).into();
                    file["bytes"] = (bytes.len() as u64).into();
                    file["rows"] = count.into();
                    // The log may not name a time of another window.
                    let own: Vec<_> = times
                        .iter()
                        .map(ToString::to_string)
                        .filter(|at| from.as_str() <= at.as_str() && at.as_str() < to.as_str())
                        .collect();
                    file["created_at"]["min"] = own.iter().min().unwrap().as_str().into();
                    file["created_at"]["max"] = own.iter().max().unwrap().as_str().into();
                }
                most = most.max(file["rows"].as_u64().unwrap());
            }
            if here {
                let before = window["counts"]["rows"].as_u64().unwrap();
                let settled = window["counts"]["settled"].as_u64().unwrap();
                window["counts"]["rows"] = most.into();
                window["counts"]["settled"] = (settled + most - before).into();
            }
        }
    })
}

#[test]
fn every_mutation_of_rows_is_found() {
    let mut score = Score::default();
    for (formats, several) in [(&[Format::Parquet][..], false), (&Format::ALL[..], true)] {
        for seed in 0..crate::scale(2, 20) {
            let shape = Shape { events: 24, ..Shape::quiet("event_date", formats) };
            mutate(&dataset(seed + 500, &shape), several, &mut score);
        }
    }
    score.print(&KINDS);
}

fn mutate(objects: &Objects, several: bool, score: &mut Score) {
    let head = head(objects);
    let files: Vec<ObjectPath> =
        objects.keys().filter(|path| path.as_str().starts_with("parquet/")).cloned().collect();
    for path in &files {
        let (rows, metadata) = batch(objects, path);
        let count = rows.num_rows();
        let every: Vec<usize> = (0..count).collect();
        let last = count - 1;
        let added = set(&chosen(&rows, &[&every[..], &[last]].concat()), count, "id", "zzzz-added");
        let altered = set(&rows, last, "event_type_description", "tampered");
        let derived = set(&rows, last, "event_category", "tampered");
        let doubled = chosen(&rows, &[&every[..], &[last]].concat());
        let renamed = set(&rows, last, "id", "zzzz-renamed");
        let mut plans = vec![
            (0, 16, &added, By::Anchor),
            (2, 18, &altered, By::Anchor),
            (3, 11, &derived, By::Deep),
            (4, 12, &doubled, By::Deep),
            (5, 19, &renamed, By::Anchor),
        ];
        let (removed, swapped);
        if count > 1 {
            removed = chosen(&rows, &every[..last]);
            swapped = chosen(&rows, &[&[last][..], &every[..last]].concat());
            plans.push((1, 17, &removed, By::Anchor));
            plans.push((7, 15, &swapped, By::Deep));
        }
        let foreign = files.iter().find(|other| {
            let day = |path: &ObjectPath| path.as_str().split('/').nth(1).unwrap().to_owned();
            day(other) != day(path)
        });
        let moved;
        if let Some(foreign) = foreign {
            let theirs = chosen(&batch(objects, foreign).0, &[0]);
            let both = [rows.clone(), theirs];
            let both = concat_batches(&rows.schema(), &both).unwrap();
            moved = if foreign < path { chosen(&both, &[&[count][..], &every[..]].concat()) } else { both };
            plans.push((6, 14, &moved, By::Deep));
        }
        for (plain, relogged, rows, by) in plans {
            let what = format!("{path}, several formats: {several}");
            let file = rewritten(objects, path, rows, &metadata, false);
            score.take(KINDS[plain], &file, &head, By::Digests, &what);
            let both = rewritten(objects, path, rows, &metadata, true);
            // What one format says alone can be changed so that all agrees; another format gives it away.
            let (kind, by) = match (by, several) {
                (By::Anchor, true) => (KINDS[relogged], By::Deep),
                _ => (KINDS[8 + plain], by),
            };
            score.take(kind, &both, &head, by, &what);
        }
    }
}
