use bytes::Bytes;

use super::*;
use crate::error::Kind;
use crate::model::{EventId, Flaw, Timestamp};
use crate::spool::{Blob, BlobWriter, EventsWriter, SharedFile};

fn event(number: u64) -> Event {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    Event {
        id: EventId::new(&format!("{:x}", mixed % 977)),
        created_at: (!number.is_multiple_of(7))
            .then(|| Timestamp::from_micros(i64::try_from(mixed % 31).unwrap() - 9)),
        text: Bytes::from(vec![u8::try_from(mixed % 251).unwrap(); usize::try_from(mixed % 700).unwrap()]),
        flaw: number.is_multiple_of(5).then_some(Flaw::NotUtf8),
    }
}

fn scratch(memory: u64) -> (tempfile::TempDir, Scratch) {
    let place = tempfile::tempdir().unwrap();
    let scratch = Scratch::new(place.path().to_owned(), memory, u64::MAX);
    (place, scratch)
}

#[test]
fn the_budget_decides_about_no_result() {
    let events: Vec<_> = (0..4_000).map(event).collect();
    for order in [Order::Id, Order::Time] {
        let mut expected = events.clone();
        expected.sort_by(|one, other| order.compare(one, other));
        // From a run for each event, which are more than are merged at once, to everything in memory.
        for share in [0, 1_000, 50_000, u64::MAX] {
            let (place, scratch) = scratch(share);
            let mut sorter = Sorter::new(&scratch, scratch.share(1), order);
            events.iter().cloned().try_for_each(|event| sorter.push(event)).unwrap();
            assert_eq!(sorter.len(), 4_000);
            let sorted = sorter.finish().unwrap();
            for _ in 0..2 {
                let found: Vec<_> = sorted.iter().collect::<Result<_>>().unwrap();
                assert_eq!(found, expected, "{order:?} {share}");
            }
            assert_eq!(scratch.most_spilled() > 0, share < u64::MAX);
            assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "a name was left");
        }
    }
}

#[test]
fn a_sequence_keeps_its_order() {
    let events: Vec<_> = (0..500).map(event).collect();
    for share in [0, 10_000, u64::MAX] {
        let (_place, scratch) = scratch(share);
        let mut writer = EventsWriter::new(&scratch, share);
        events.iter().cloned().try_for_each(|event| writer.push(event)).unwrap();
        let kept = writer.finish().unwrap();
        assert_eq!((kept.len(), kept.to_vec().unwrap()), (500, events.clone()));
        assert_eq!(kept.iter().map(Result::unwrap).collect::<Vec<_>>(), events);
    }
}

#[test]
fn bytes_are_those_that_were_written() {
    use std::io::{Read, Write};
    let bytes: Vec<u8> = (0..300_000_u32).map(|number| number.to_le_bytes()[0] ^ 7).collect();
    for share in [0, 1_000, u64::MAX] {
        let (_place, scratch) = scratch(share);
        let mut writer = BlobWriter::new(&scratch, share);
        for part in bytes.chunks(777) {
            writer.write_all(part).unwrap();
        }
        let blob = writer.finish().unwrap();
        assert_eq!(blob.len(), 300_000);
        assert_eq!(blob.bytes().unwrap(), bytes);
        let mut read = Vec::new();
        blob.reader().read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
        assert!(blob.same(&Blob::from(Bytes::from(bytes.clone()))).unwrap());
        let mut other = bytes.clone();
        *other.last_mut().unwrap() ^= 1;
        assert!(!blob.same(&Blob::from(Bytes::from(other))).unwrap());
        assert!(!blob.same(&Blob::from(Bytes::from(bytes[1..].to_vec()))).unwrap());
    }
}

#[test]
fn files_that_share_one_on_the_disk_are_what_was_written_into_each() {
    use std::io::{Read, Write};
    let (_place, scratch) = scratch(0);
    let shared = SharedFile::default();
    let texts: Vec<Vec<u8>> =
        (1..5_u8).map(|seed| (0..400_000_u32).map(|at| (at / 7) as u8 ^ seed).collect()).collect();
    let mut writers: Vec<_> = texts.iter().map(|_| BlobWriter::to_stay(&scratch, 1_000, &shared)).collect();
    let step = |text: usize| 70_000 + 50_000 * text;
    for round in 0..6 {
        for (text, writer) in texts.iter().zip(&mut writers).enumerate().map(|(at, (text, writer))| {
            let from = text.len().min(round * step(at));
            (&text[from..text.len().min(from + step(at))], writer)
        }) {
            writer.write_all(text).unwrap();
        }
    }
    let blobs: Vec<_> = writers.into_iter().map(|writer| writer.finish().unwrap()).collect();
    for (blob, text) in blobs.iter().zip(&texts) {
        assert!(matches!(blob, Blob::File(_)));
        let mut read = Vec::new();
        blob.reader().read_to_end(&mut read).unwrap();
        assert!(read == *text && blob.bytes().unwrap() == *text);
        let (mut reader, mut block) = (blob.reader(), [0; 999]);
        reader.read_exact(&mut block).unwrap();
        assert_eq!(block, text[..999]);
    }
    assert!(!blobs[0].same(&blobs[1]).unwrap() && blobs[2].same(&blobs[2].clone()).unwrap());
}

#[test]
fn what_finds_no_room_where_it_is_to_stay_waits_elsewhere() {
    use std::io::Write;
    use std::sync::Arc;
    let bytes: Vec<u8> = (0..2_000_000_u32).map(|at| (at / 11) as u8).collect();
    let full = || std::fs::OpenOptions::new().read(true).write(true).open("/dev/full").ok();
    let (place, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let read_only = {
        let path = other.path().join("first");
        std::fs::write(&path, b"").unwrap();
        move || std::fs::File::open(&path).ok()
    };
    for make in [Arc::new(full) as Arc<dyn crate::spool::StayingFiles>, Arc::new(read_only)] {
        let scratch = Scratch::new(place.path().to_owned(), 0, u64::MAX).with_files(make);
        let mut writer = BlobWriter::to_stay(&scratch, 0, &SharedFile::default());
        bytes.chunks(10_000).for_each(|chunk| writer.write_all(chunk).unwrap());
        let blob = writer.finish().unwrap();
        assert!(blob.own_file().is_none() && blob.bytes().unwrap() == bytes);
    }
    // The limit holds for such files as well.
    let scratch = Scratch::new(place.path().to_owned(), 0, 1_500_000)
        .with_files(Arc::new(|| tempfile::tempfile().ok()));
    let mut writer = BlobWriter::to_stay(&scratch, 0, &SharedFile::default());
    let stopped = bytes.chunks(10_000).find_map(|chunk| writer.write_all(chunk).err());
    assert!(stopped.is_some_and(|cause| cause.to_string().contains("more than the limit")));
    assert!(writer.failure().is_some());
}

#[test]
fn of_a_file_that_stays_each_byte_is_said_to_stand_once() {
    use std::fs::File;
    use std::sync::{Arc, Mutex};

    use crate::spool::StayingFiles;

    #[derive(Default)]
    struct Noted(Mutex<Vec<(u64, u64, u64)>>);
    impl StayingFiles for Noted {
        fn make(&self) -> Option<File> {
            tempfile::tempfile().ok()
        }
        fn written(&self, file: &File, from: u64, bytes: u64) {
            self.0.lock().unwrap().push((from, bytes, file.metadata().unwrap().len()));
        }
    }

    let place = tempfile::tempdir().unwrap();
    for (length, times) in [(300_000, 1), (20 << 20, 3), (16 << 20, 2)] {
        let noted = Arc::new(Noted::default());
        let scratch = Scratch::new(place.path().to_owned(), 0, u64::MAX).with_files(Arc::clone(&noted) as _);
        let mut writer = BlobWriter::to_stay(&scratch, 0, &SharedFile::default());
        vec![7; length].chunks(100_000).for_each(|chunk| writer.push(chunk).unwrap());
        assert!(writer.finish().unwrap().own_file().is_some());
        let noted = noted.0.lock().unwrap();
        let mut end = 0;
        for (from, bytes, there) in &*noted {
            assert_eq!(*from, end);
            end += bytes;
            assert!(end <= *there);
        }
        assert_eq!((end, noted.len()), (length as u64, times), "{noted:?}");
    }
}

#[test]
fn the_limit_ends_it_and_what_is_gone_counts_no_more() {
    let place = tempfile::tempdir().unwrap();
    let scratch = Scratch::new(place.path().to_owned(), 0, 1 << 20);
    let fill = |events: u64| -> Result<Events> {
        let mut writer = EventsWriter::new(&scratch, 0);
        (0..events).map(event).try_for_each(|event| writer.push(event))?;
        writer.finish()
    };
    for _ in 0..5 {
        drop(fill(1_000).unwrap());
    }
    let _held = fill(1_200).unwrap();
    let error = fill(6_000).unwrap_err();
    assert_eq!(error.kind(), Kind::Storage);
    assert!(error.to_string().contains("more than the limit"), "{error}");
    drop(fill(1_000).unwrap());
    assert!(scratch.most_spilled() > 1 << 19);
}

#[test]
fn a_folder_that_takes_nothing_is_said() {
    let scratch = Scratch::new("/nowhere/at/all".into(), 0, u64::MAX);
    let error = EventsWriter::new(&scratch, 0).push(event(1)).unwrap_err();
    assert_eq!(error.kind(), Kind::Storage);
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}
