//! Ranges whose events do not fit into memory: how much there is decides about no result.

use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use vonage_audit::Result as Outcome;
use vonage_audit::model::{Event, EventId, Page, Query, Timestamp, Window};
use vonage_audit::settle::{Settings, Settled, Settler, Source, repeat};
use vonage_audit::spool::Scratch;

use crate::certificates::{History, history};
use crate::evidence::Recorder;
use crate::{block_on, number, seeds};

/// So many bytes of memory, and files in `place`.
pub fn tiny(place: &TempDir, memory: u64) -> Scratch {
    Scratch::new(place.path().to_owned(), memory, u64::MAX)
}

fn settle(seed: u64, scratch: &Scratch) -> Result<Settled, String> {
    let History { world, range, settings } = history(seed);
    let source = Recorder(&world);
    let settler = Settler::new(&source, Settings { scratch: scratch.clone(), ..settings });
    block_on(async {
        settler.probe(range).await?;
        settler.settle(range).await
    })
    .map_err(|error| error.to_string())
}

fn sorted(events: &[Event]) -> Vec<&Event> {
    let mut events: Vec<_> = events.iter().collect();
    events.sort_unstable_by_key(|event| event.sort_key());
    events
}

fn same(one: &Settled, other: &Settled) -> bool {
    (&one.certificate, &one.strays) == (&other.certificate, &other.strays)
        && one.events.to_vec().unwrap() == other.events.to_vec().unwrap()
        && sorted(&one.outside) == sorted(&other.outside)
}

#[test]
fn how_much_memory_there_is_decides_about_no_set() {
    let place = tempfile::tempdir().unwrap();
    let (mut certified, mut refused, mut parts, mut spilled) = (0, 0, 0, 0);
    for seed in seeds("SIMULATION_MEMORY", 300) {
        let expected = settle(seed, &Scratch::default());
        for memory in [0, 1_000, 1_000_000] {
            let scratch = tiny(&place, memory);
            match (&expected, settle(seed, &scratch)) {
                (Ok(expected), Ok(found)) => {
                    certified += 1;
                    parts += u64::from(found.certificate.parts > 1);
                    spilled += u64::from(scratch.most_spilled() > 0);
                    assert!(same(expected, &found), "seed {seed}, {memory} bytes");
                    let evidence = expected.evidence.as_ref().unwrap();
                    assert_eq!(found.evidence.as_ref(), Some(evidence), "seed {seed}, {memory} bytes");
                    assert!(same(expected, &repeat(evidence, &scratch).unwrap()), "seed {seed}, repeated");
                }
                (Err(expected), Err(found)) => {
                    refused += 1;
                    assert_eq!(*expected, found, "seed {seed}, {memory} bytes");
                }
                (expected, found) => {
                    panic!("seed {seed}, {memory} bytes: {:?}, then {:?}", expected.is_ok(), found.is_ok())
                }
            }
        }
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "a file has a name");
    }
    println!(
        "memory: {certified} sets as with unlimited memory ({parts} in parts, {spilled} spilled), {refused} refused alike"
    );
    assert!(parts > 0 && spilled > 0 && spilled < certified && refused > 0);
}

const FROM: i64 = 1_772_323_200;
const DAY: i64 = 86_400;

/// A day of so many events, spread over it, newest first.
struct Busy(u64);

impl Busy {
    fn at(&self, number: u64) -> i64 {
        FROM + (number * DAY as u64 / self.0) as i64
    }

    /// The first event that is not before a time.
    fn first(&self, from: i64) -> u64 {
        let seconds = (from - FROM).clamp(0, DAY) as u64;
        (seconds * self.0).div_ceil(DAY as u64).min(self.0)
    }

    fn event(&self, number: u64) -> Event {
        let (id, at) =
            (EventId::new(&format!("{:016x}", mixed(number))), Timestamp::from_seconds(self.at(number)));
        let text = format!(r#"{{"id":"{}","created_at":"{at}","context":"{number:0500}"}}"#, id.as_str());
        Event { id, created_at: Some(at), text: Bytes::from(text), flaw: None }
    }
}

/// Another number for each number, in another order.
fn mixed(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Source for Busy {
    async fn page(&self, query: &Query, number: u32, size: u32) -> Outcome<Page> {
        tokio::task::yield_now().await;
        let from = query.from.map_or(0, |from| self.first(from.seconds()));
        let to = query.to.map_or(self.0, |to| self.first(to.seconds() + 1));
        let skipped = u64::from(number - 1) * u64::from(size);
        let events = (from..to).rev().skip(skipped as usize).take(size as usize);
        let events = events.map(|number| self.event(number)).collect();
        Ok(Page { total: to - from, events, number: None, server_time: None, attempts: 1, exchange: None })
    }

    async fn event_types(&self) -> Outcome<Vec<String>> {
        Ok(Vec::new())
    }

    async fn pause(&self, _: Duration) {}
}

#[test]
fn a_busy_day_takes_no_more_memory_than_it_may() {
    let place = tempfile::tempdir().unwrap();
    let source = Busy(number("SIMULATION_EVENTS").unwrap_or(60_000));
    let memory = number("SIMULATION_BYTES").unwrap_or(1 << 20);
    let scratch = tiny(&place, memory);
    let walk_limit = number("SIMULATION_WALK").unwrap_or(100);
    let settings = Settings { walk_limit, scratch: scratch.clone(), ..Settings::default() };
    let from = Timestamp::from_seconds(FROM);
    let range = Window::new(from, from.plus_seconds(DAY));
    let settled = block_on(Settler::new(&source, settings).settle(range)).unwrap();
    assert_eq!(settled.certificate.events, source.0);
    assert_eq!(settled.events.len(), source.0);
    // Events of one second are in order of their ids.
    let mut expected: Vec<u64> = (0..source.0).collect();
    expected.sort_unstable_by_key(|number| (source.at(*number), mixed(*number)));
    for (event, number) in settled.events.iter().zip(expected) {
        assert_eq!(event.unwrap(), source.event(number));
    }
    println!(
        "memory: {} events in {} parts with {memory} bytes: {} spilled at most{}",
        source.0,
        settled.certificate.parts,
        scratch.most_spilled(),
        peak().map_or(String::new(), |peak| format!("; the process held {peak}"))
    );
    assert!(scratch.most_spilled() > 500 * source.0 || memory > 500 * source.0, "{}", scratch.most_spilled());
}

/// The most memory that this process has held, where the system tells.
fn peak() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().collect::<Vec<_>>().join(" "))
}
