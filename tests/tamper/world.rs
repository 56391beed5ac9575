//! Datasets with a past: nights of an honest API, late events, removals, several formats, quarantine, killed runs.
//!
//! What lives here: [`dataset`], made from one seed, and what verification says of a copy.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use vonage_audit::api;
use vonage_audit::encode::Settings as Files;
use vonage_audit::model::json::Value;
use vonage_audit::model::{
    Event, Format, Grid, Head, Layout, Level, Page, Partitioning, Query, Secrets, Selection, Timestamp,
    Window,
};
use vonage_audit::pipeline::{Conversion, Input, Job, Limits, convert, law, run};
use vonage_audit::publish::verify::{Depth, Law, Verification, Verified, verify};
use vonage_audit::publish::{Dataset, Spec, account_fingerprint};
use vonage_audit::schema::Table;
use vonage_audit::settle::{Settings, Source};
use vonage_audit::store::{Fault, MemoryStore, ObjectPath, Store};

use crate::events::event;
use crate::random::Random;

pub(crate) const FROM: i64 = 1_772_323_200;
pub(crate) const DAY: i64 = 86_400;

/// The partitionings that are tried.
pub(crate) const PARTITIONINGS: [&str; 8] = [
    "event_date",
    "event_month",
    "event_year,event_date",
    "event_type",
    "none",
    "event_date,event_type",
    "account,event_month",
    "event_type,account",
];

pub(crate) type Objects = BTreeMap<ObjectPath, Bytes>;

/// An event of the vendor's.
struct Fact {
    event: Event,
    /// The first night that shows it, and the first that does not any more.
    shown: std::ops::Range<u64>,
}

/// An API that tells the truth about one night.
struct Vendor {
    events: Vec<Event>,
}

impl Source for Vendor {
    async fn page(&self, query: &Query, number: u32, size: u32) -> vonage_audit::Result<Page> {
        let asked = |event: &&Event| {
            event.created_at.is_none_or(|at| {
                query.from.is_none_or(|from| from <= at) && query.to.is_none_or(|to| at <= to)
            })
        };
        let listed: Vec<&Event> = self.events.iter().filter(asked).collect();
        let (skip, size) = ((number as usize - 1) * size as usize, size as usize);
        Ok(Page {
            total: listed.len() as u64,
            events: listed.into_iter().skip(skip).take(size).cloned().collect(),
            number: Some(u64::from(number)),
            server_time: None,
            attempts: 1,
            exchange: None,
        })
    }

    async fn event_types(&self) -> vonage_audit::Result<Vec<String>> {
        Ok(["NUMBER_RELEASE", "USER_LOGIN", "ACCOUNT_SECRET_CREATE"].map(str::to_owned).to_vec())
    }

    async fn pause(&self, _: Duration) {}
}

pub(crate) fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| Table::builtin().unwrap())
}

pub(crate) fn the_law() -> &'static Arc<Law> {
    static LAW: OnceLock<Arc<Law>> = OnceLock::new();
    LAW.get_or_init(|| Arc::new(law(table())))
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub(crate) fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).unwrap()
}

/// What is settled about a dataset before its first night.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) grid: Grid,
    pub(crate) layout: Layout,
    pub(crate) formats: Vec<Format>,
    pub(crate) days: i64,
    pub(crate) events: u64,
    pub(crate) nights: u64,
    /// Whether formats vary from night to night, runs are killed, and contents change.
    pub(crate) eventful: bool,
}

impl Shape {
    /// A quiet dataset of this partitioning, in these formats.
    pub(crate) fn quiet(partitioning: &str, formats: &[Format]) -> Self {
        Self {
            grid: Grid::Day,
            layout: Layout { partitioning: Partitioning::parse(partitioning).unwrap(), ..Layout::default() },
            formats: formats.to_vec(),
            days: 3,
            events: 14,
            nights: 2,
            eventful: false,
        }
    }
}

fn texts(random: &mut Random, shape: &Shape) -> Vec<(String, i64)> {
    let seed: Vec<u8> = (0..4).flat_map(|_| random.next().to_le_bytes()).collect();
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let strategy = event();
    let mut texts = Vec::new();
    for number in 0..shape.events {
        let second = random.below((shape.days * DAY) as u64) as i64;
        // The last day but one stays empty.
        let second = if second / DAY == shape.days - 2 { second % 7 } else { second };
        let at = Timestamp::from_seconds(FROM + second);
        let kind = *random.pick(&["NUMBER_RELEASE", "USER_LOGIN", "ACCOUNT_SECRET_CREATE", "NEW/../KIND"]);
        let mut line = format!(r#"{{"id":"{number:04}","created_at":"{at}","event_type":"{kind}""#);
        let generated = strategy.new_tree(&mut runner).unwrap().current();
        for (key, value) in Value::parse(&generated).unwrap().members() {
            if !["id", "created_at", "event_type"].iter().any(|name| key.is(name)) {
                line.push_str(&format!(",\"{}\": {}", key.raw(), value.text()));
            }
        }
        line.push('}');
        texts.push((line, second));
    }
    // What cannot be a row, in a window.
    for second in [5, 5 + DAY * (shape.days - 1)] {
        let at = Timestamp::from_seconds(FROM + second);
        texts.push((format!(r#"{{"created_at":"{at}","event_type":"nameless {second}"}}"#), second));
    }
    texts
}

pub(crate) fn spec(shape: &Shape) -> Spec {
    Spec {
        account_fingerprint: account_fingerprint("abcd1234"),
        grid: shape.grid,
        schema: table().identity(),
        lineage: table().lineage().to_vec(),
        selection: BTreeMap::new(),
        secrets: Secrets::Redacted,
        layout: shape.layout.clone(),
    }
}

/// A dataset after all its nights.
pub(crate) fn dataset(seed: u64, shape: &Shape) -> Objects {
    let mut random = Random::new(seed);
    let mut facts: Vec<Fact> = Vec::new();
    for (text, _) in texts(&mut random, shape) {
        let first = if random.once_in(4) { 1 + random.below(shape.nights) } else { 0 };
        let last = if random.once_in(8) { first + 1 + random.below(2) } else { u64::MAX };
        let changes = shape.eventful && random.once_in(25);
        let event = api::event(Bytes::from(text.clone()));
        if changes {
            let other = text.replacen("\"event_type\"", "\"added\":1,\"event_type\"", 1);
            facts.push(Fact { event: event.clone(), shown: first..first + 1 });
            facts.push(Fact { event: api::event(Bytes::from(other)), shown: first + 1..last });
        } else {
            facts.push(Fact { event, shown: first..last });
        }
    }
    let store = MemoryStore::new();
    for night in 0..shape.nights {
        let mut events: Vec<Event> =
            facts.iter().filter(|fact| fact.shown.contains(&night)).map(|fact| fact.event.clone()).collect();
        events.sort_by(|one, other| one.sort_key().cmp(&other.sort_key()));
        let formats =
            if shape.eventful { subset(&mut random, &shape.formats) } else { shape.formats.clone() };
        let files = Files::new(shape.layout.clone());
        if shape.eventful && random.once_in(6) {
            converted(&store, shape, &events, formats, files, random.below(1 << 20));
            continue;
        }
        let killed = shape.eventful && random.once_in(3);
        let dies = if killed { random.below(60) } else { u64::MAX };
        let handle = store
            .handle()
            .with_faults(move |operation| if operation.index >= dies { Fault::Fail } else { Fault::None });
        let level = if random.once_in(3) { Level::Double } else { Level::Bracketed };
        let end = FROM + DAY * shape.days;
        let job = Job {
            range: Window::new(Timestamp::from_seconds(FROM), Timestamp::from_seconds(end)),
            grid: shape.grid,
            read_again: Timestamp::from_seconds(FROM),
            selection: Selection::default(),
            secrets: Secrets::Redacted,
            settle: Settings { page_size: 7, coarse_limit: 6, level, ..Settings::default() },
            units_in_flight: 1,
            formats,
            files,
            scratch: Default::default(),
            recorded_at: FROM + DAY * (shape.days + night as i64),
        };
        block_on(async {
            let Ok(dataset) = Dataset::open(Arc::new(handle), spec(shape)).await else { return };
            run(&job, table(), &Vendor { events }, &dataset, std::future::pending(), &|_| {}).await;
        });
    }
    store.objects()
}

fn subset(random: &mut Random, formats: &[Format]) -> Vec<Format> {
    let chosen: Vec<Format> = formats.iter().copied().filter(|_| random.once_in(2)).collect();
    if chosen.is_empty() { formats[..1].to_vec() } else { chosen }
}

/// Some of the events from a file, without the API.
fn converted(
    store: &MemoryStore,
    shape: &Shape,
    events: &[Event],
    formats: Vec<Format>,
    files: Files,
    some: u64,
) {
    let mut input = Input::new(Limits::default(), Default::default(), shape.grid);
    for (number, event) in events.iter().enumerate() {
        if some >> (number % 20) & 1 == 1 && !event.text.contains(&b'\n') {
            input.take("generated", &event.text[..]).unwrap();
        }
    }
    let job = Conversion {
        grid: shape.grid,
        formats,
        files,
        secrets: Secrets::Redacted,
        keep_raw: false,
        scratch: Default::default(),
        recorded_at: FROM,
    };
    block_on(async {
        let Ok(dataset) = Dataset::open(Arc::new(store.handle()), spec(shape)).await else { return };
        convert(&job, table(), input.finish().unwrap(), &dataset, std::future::pending()).await;
    });
}

/// A store that holds these objects.
pub(crate) fn store(objects: &Objects) -> MemoryStore {
    let store = MemoryStore::new();
    block_on(async {
        for (path, bytes) in objects {
            store.create(path, bytes.clone()).await.unwrap();
        }
    });
    store
}

/// What verification says of these objects.
pub(crate) fn verified(objects: &Objects, depth: Depth, head: Option<&Head>) -> Verified {
    let request = Verification { depth, head: head.cloned(), ..Verification::default() };
    block_on(verify(&store(objects), &request, the_law())).unwrap()
}

/// The newest commit of a sound dataset.
pub(crate) fn head(objects: &Objects) -> Head {
    verified(objects, Depth::Quick, None).head.unwrap()
}
