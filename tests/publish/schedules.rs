//! The protocol under random schedules: several runs at once, crashes, lost replies, creates that land late, stale
//! reads and late events, checked after every step. The same checker must catch two protocols that are wrong.
//!
//! Every schedule follows from its seed. The futures are polled by hand and every operation of the store in memory
//! yields once, so that the order of all effects is the schedule's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use arrow_array::cast::AsArray;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::task::noop_waker_ref;
use vonage_audit::encode::{FileMetadata, ReadLimits, encode, read};
use vonage_audit::error::{Kind, Result};
use vonage_audit::model::{Format, Layout, WindowRecord};
use vonage_audit::publish::Dataset;
use vonage_audit::store::{Fault, MemoryStore, ObjectPath, Store};

use crate::support::{NOW, Row, batch, certificate, day, layout, path, ready_as, row, schema, spec_of};

const WINDOWS: u32 = 2;
/// Schedules of the plain layout; each other one gets an eighth. `PUBLISH_SCHEDULES` sets another number.
const SCHEDULES: u64 = 4_000;

fn schedules() -> u64 {
    let wanted = std::env::var_os("PUBLISH_SCHEDULES");
    wanted.map_or(SCHEDULES, |number| number.to_str().unwrap().parse().unwrap())
}

/// Days as one file, as parts, in partitions of rows, and both at once.
fn layouts() -> [Layout; 5] {
    [
        Layout::default(),
        layout("event_date", Some(6 * 3_600)),
        layout("event_type", None),
        layout("event_date,event_type", Some(12 * 3_600)),
        layout("event_month,event_type,event_year", None),
    ]
}

/// SplitMix64: small, and the same everywhere.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

/// What the API shows at this instant: events by day. Settling a window is taken as exact.
type Upstream = Arc<Mutex<BTreeMap<u32, Vec<Row>>>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    /// Ours.
    Slots,
    /// Names from the content, manifest last.
    ContentAddressed,
    /// Names from the window, replaced by each run.
    Overwrite,
}

fn start(
    protocol: Protocol,
    store: MemoryStore,
    upstream: Upstream,
    at_end: bool,
    layout: &Layout,
) -> BoxFuture<'static, Result<()>> {
    match protocol {
        Protocol::Slots => Box::pin(slots(store, upstream, at_end, layout.clone())),
        Protocol::ContentAddressed => Box::pin(content_addressed(store, upstream)),
        Protocol::Overwrite => Box::pin(overwrite(store, upstream)),
    }
}

fn settle(upstream: &Upstream, number: u32) -> Vec<Row> {
    upstream.lock().unwrap().get(&number).cloned().unwrap_or_default()
}

async fn slots(store: MemoryStore, upstream: Upstream, at_end: bool, layout: Layout) -> Result<()> {
    let dataset = Dataset::open(Arc::new(store), spec_of(layout.clone())).await?;
    let mut records: Vec<WindowRecord> = Vec::new();
    for number in 1..=WINDOWS {
        let rows = settle(&upstream, number);
        let published = dataset.publish(ready_as(&layout, Some(day(number)), &rows)?).await?;
        records.push(published.record(certificate(day(number), rows.len() as u64), 0, 0));
        if !at_end {
            dataset.commit(std::mem::take(&mut records), NOW).await?;
        }
    }
    dataset.commit(records, NOW).await?;
    Ok(())
}

fn file(number: u32, rows: &[Row]) -> Bytes {
    let mut bytes = Vec::new();
    let batches = [batch(day(number), rows)];
    encode(Format::Parquet, &schema(), &batches, &FileMetadata::new(), &Default::default(), &mut bytes)
        .unwrap();
    bytes.into()
}

/// Creates until the answer is clear.
async fn insist(store: &MemoryStore, place: &str, bytes: Bytes) -> Result<()> {
    let place = path(place);
    let mut answer = store.create(&place, bytes.clone()).await;
    for _ in 0..5 {
        if answer.is_err() {
            answer = store.create(&place, bytes.clone()).await;
        }
    }
    answer.map(|_| ())
}

/// Reads until the answer is clear.
async fn look(store: &MemoryStore, place: &str) -> Result<Option<Bytes>> {
    let place = path(place);
    let mut answer = store.read(&place, 1 << 20).await;
    for _ in 0..5 {
        if answer.is_err() {
            answer = store.read(&place, 1 << 20).await;
        }
    }
    answer
}

async fn content_addressed(store: MemoryStore, upstream: Upstream) -> Result<()> {
    for number in 1..=WINDOWS {
        let rows = settle(&upstream, number);
        let mut manifested = BTreeSet::new();
        let mut next = 0;
        while let Some(listed) = look(&store, &format!("_audit/manifests/{number}-{next}")).await? {
            manifested.extend(String::from_utf8_lossy(&listed).lines().map(str::to_owned));
            next += 1;
        }
        let new: Vec<Row> = rows.into_iter().filter(|row| !manifested.contains(&row.id)).collect();
        if new.is_empty() {
            continue;
        }
        let bytes = file(number, &new);
        let digest: u64 = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum: u64, byte| {
            (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        store
            .create(&path(&format!("parquet/event_date=2026-03-0{number}/{digest:x}.parquet")), bytes)
            .await?;
        let listed: Vec<&str> = new.iter().map(|row| row.id.as_str()).collect();
        insist(&store, &format!("_audit/manifests/{number}-{next}"), listed.join("\n").into()).await?;
    }
    Ok(())
}

async fn overwrite(store: MemoryStore, upstream: Upstream) -> Result<()> {
    for number in 1..=WINDOWS {
        let bytes = file(number, &settle(&upstream, number));
        let place = path(&format!("parquet/event_date=2026-03-0{number}/events.parquet"));
        store.read(&place, 1 << 20).await?;
        store.vandalise(&place, Some(bytes));
    }
    Ok(())
}

/// What a reader of `parquet/**/*.parquet` sees, watched from step to step.
#[derive(Default)]
struct Reader {
    seen: BTreeMap<ObjectPath, Bytes>,
    ids: BTreeMap<String, ObjectPath>,
}

impl Reader {
    fn look(&mut self, store: &MemoryStore) -> std::result::Result<(), String> {
        let objects = store.objects();
        for (path, bytes) in &self.seen {
            if objects.get(path) != Some(bytes) {
                return Err(format!("{path} changed or vanished"));
            }
        }
        for (path, bytes) in objects {
            if self.seen.contains_key(&path) {
                continue;
            }
            if path.as_str().starts_with("parquet/") {
                for id in ids(&bytes)? {
                    if let Some(other) = self.ids.insert(id.clone(), path.clone()) {
                        return Err(format!("{id} is visible in {other} and in {path}"));
                    }
                }
            }
            self.seen.insert(path, bytes);
        }
        Ok(())
    }
}

fn ids(bytes: &Bytes) -> std::result::Result<Vec<String>, String> {
    let table = read(Format::Parquet, bytes.clone(), &Default::default(), ReadLimits::default())
        .map_err(|error| error.to_string())?;
    let batches = table.batches.iter();
    Ok(batches
        .flat_map(|batch| batch.column(0).as_string::<i32>().iter().flatten().map(str::to_owned))
        .collect())
}

/// Faults of one run's handle: a third of the worlds has stale reads as well.
fn faulty(store: &MemoryStore, seed: u64) -> MemoryStore {
    let random = Mutex::new(Random(seed));
    let stale = seed.is_multiple_of(3);
    store.handle().with_faults(move |operation| {
        let mut random = random.lock().unwrap();
        if random.chance(10) {
            return Fault::ReplyLost;
        }
        if random.chance(8) {
            return if operation.name == "create" { Fault::Delayed } else { Fault::Fail };
        }
        if stale && operation.name == "read" && random.chance(20) { Fault::Stale } else { Fault::None }
    })
}

/// Polls to the end; without faults nothing but the store's own yields makes it wait.
fn finish(mut run: BoxFuture<'static, Result<()>>) -> Result<()> {
    let mut context = Context::from_waker(noop_waker_ref());
    loop {
        if let Poll::Ready(answer) = run.as_mut().poll(&mut context) {
            return answer;
        }
    }
}

/// What schedules did, so that the test knows that it exercised something.
#[derive(Debug, Default)]
struct Tally {
    crashes: u64,
    landed: u64,
    late: u64,
    completed: u64,
    failed: BTreeMap<&'static str, u64>,
    late_slots: u64,
    files: u64,
}

fn schedule(
    protocol: Protocol,
    layout: &Layout,
    seed: u64,
    tally: &mut Tally,
) -> std::result::Result<(), String> {
    let mut random = Random(seed);
    let store = MemoryStore::new();
    let upstream: Upstream = Arc::default();
    let mut born = 0;
    let mut appear = |random: &mut Random| {
        let number = 1 + random.below(WINDOWS as usize) as u32;
        born += 1;
        // Over the whole day, so that every part gets some; a third has no type.
        let event = row(random.below(1_000) as i64 * 86, &format!("event-{born}"));
        let kinds = [Some("A"), Some("B"), None];
        let event = Row { kind: kinds[born % 3].map(str::to_owned), ..event };
        upstream.lock().unwrap().entry(number).or_default().push(event);
    };
    for _ in 0..random.below(5) {
        appear(&mut random);
    }

    let mut reader = Reader::default();
    let mut waker = Context::from_waker(noop_waker_ref());
    let mut active: Vec<BoxFuture<'static, Result<()>>> = Vec::new();
    let mut to_start = 1 + random.below(3);
    while to_start > 0 || !active.is_empty() {
        if to_start > 0 && (active.is_empty() || random.chance(5)) {
            to_start -= 1;
            let handle = faulty(&store, random.next());
            active.push(start(protocol, handle, Arc::clone(&upstream), random.chance(50), layout));
        }
        let chosen = random.below(active.len());
        if random.chance(2) {
            drop(active.swap_remove(chosen));
            tally.crashes += 1;
        } else if let Poll::Ready(answer) = active[chosen].as_mut().poll(&mut waker) {
            drop(active.swap_remove(chosen));
            match answer {
                Ok(()) => {
                    tally.completed += 1;
                    if protocol == Protocol::Slots {
                        claimed(&store, layout)?;
                    }
                }
                Err(error) => *tally.failed.entry(error.kind().name()).or_default() += 1,
            }
        }
        if random.chance(3) {
            appear(&mut random);
            tally.late += 1;
        }
        if random.chance(5) && store.land() {
            tally.landed += 1;
        }
        reader.look(&store)?;
    }

    // The next night: a run without faults repairs whatever was left, before or after the last late create lands.
    let early = random.chance(50);
    while early && store.land() {
        tally.landed += 1;
    }
    let recover =
        || finish(start(protocol, store.handle(), Arc::clone(&upstream), seed.is_multiple_of(2), layout));
    recover().map_err(|error| format!("recovery fails: {error:?}"))?;
    reader.look(&store)?;
    while store.land() {
        tally.landed += 1;
        reader.look(&store)?;
    }
    let settled = store.objects();
    recover().map_err(|error| format!("the run after recovery fails: {error:?}"))?;
    if store.objects() != settled {
        return Err("a rerun with nothing new wrote something".to_owned());
    }
    let expected: BTreeSet<String> =
        upstream.lock().unwrap().values().flatten().map(|row| row.id.clone()).collect();
    if reader.ids.keys().cloned().collect::<BTreeSet<_>>() != expected {
        return Err(format!("visible are {:?}, settled were {expected:?}", reader.ids.keys()));
    }
    if protocol == Protocol::Slots {
        tally.late_slots +=
            settled.keys().filter(|path| path.as_str().ends_with("-s001.parquet")).count() as u64;
        tally.files += settled.keys().filter(|path| path.as_str().starts_with("parquet/")).count() as u64;
        complete(&store, &upstream, layout)?;
    }
    Ok(())
}

/// Opens the dataset without faults.
fn opened(store: &MemoryStore, layout: &Layout) -> std::result::Result<Dataset, String> {
    let mut opening = Box::pin(Dataset::open(Arc::new(store.handle()), spec_of(layout.clone())));
    let mut context = Context::from_waker(noop_waker_ref());
    loop {
        if let Poll::Ready(dataset) = opening.as_mut().poll(&mut context) {
            return dataset.map_err(|error| format!("the log does not open: {error:?}"));
        }
    }
}

/// A run that says it is done has every window in the log.
fn claimed(store: &MemoryStore, layout: &Layout) -> std::result::Result<(), String> {
    let covered = opened(store, layout)?.coverage(Format::Parquet);
    match (1..=WINDOWS).find(|number| !covered.contains_key(&day(*number))) {
        Some(number) => Err(format!("a run is done and day {number} is not in the log")),
        None => Ok(()),
    }
}

/// The log is linear, names every file once, and covers every window with every event.
fn complete(store: &MemoryStore, upstream: &Upstream, layout: &Layout) -> std::result::Result<(), String> {
    let dataset = opened(store, layout)?;
    let coverage = dataset.coverage(Format::Parquet);
    let mut named = BTreeSet::new();
    for number in 1..=WINDOWS {
        let covered = coverage.get(&day(number)).ok_or("a window is not covered")?;
        let events = settle(upstream, number).len() as u64;
        if covered.rows != events {
            return Err(format!("the log says {} rows of {events}", covered.rows));
        }
        named.extend(covered.files.iter().map(|file| file.path.clone()));
    }
    let objects = store.objects();
    let files: BTreeSet<String> =
        objects.keys().map(ToString::to_string).filter(|path| path.starts_with("parquet/")).collect();
    if named != files {
        return Err(format!("the log names {named:?}, there are {files:?}"));
    }
    Ok(())
}

#[test]
fn no_schedule_shows_a_row_twice_or_leaves_the_log_incomplete() {
    for (position, layout) in layouts().iter().enumerate() {
        let count = if position == 0 { schedules() } else { schedules() / 8 };
        let mut tally = Tally::default();
        let name = format!("{} in parts of {:?} s", layout.partitioning.name(), layout.part);
        for seed in 0..count {
            if let Err(why) = schedule(Protocol::Slots, layout, seed, &mut tally) {
                panic!("{name}, seed {seed}: {why}");
            }
        }
        // A schedule in which nothing goes wrong proves nothing.
        assert!(tally.crashes > count / 10, "{tally:?}");
        assert!(tally.landed > count / 10, "{tally:?}");
        assert!(tally.late > count / 10, "{tally:?}");
        assert!(tally.late_slots > count / 40, "{tally:?}");
        assert!(tally.completed > count / 2, "{tally:?}");
        println!("{name}: {count} schedules, 0 bad, {tally:?}");
        let allowed = [Kind::Storage, Kind::Contradiction, Kind::Verification, Kind::Usage].map(Kind::name);
        assert!(tally.failed.keys().all(|kind| allowed.contains(kind)), "{tally:?}");
    }
}

#[test]
fn the_checker_catches_protocols_that_are_wrong() {
    for (protocol, sign) in
        [(Protocol::ContentAddressed, "is visible in"), (Protocol::Overwrite, "changed or vanished")]
    {
        let mut tally = Tally::default();
        let caught =
            (0..500).filter_map(|seed| schedule(protocol, &Layout::default(), seed, &mut tally).err());
        let caught = caught.filter(|why| why.contains(sign)).count();
        assert!(caught > 10, "{protocol:?} was caught {caught} times");
    }
}
