//! Events that the API's answers hold where nobody expects them: without a readable time among dated ones, far from the
//! dates that were asked for, or behind arrivals.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking; its numbers are small"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use vonage_audit::api::event;
use vonage_audit::encode::Settings as Files;
use vonage_audit::error::Kind;
use vonage_audit::model::{
    Event, Format, Grid, Layout, Page, Query, SchemaRef, Secrets, Selection, Timestamp, Window,
};
use vonage_audit::pipeline::{Job, Report, run};
use vonage_audit::publish::{Dataset, Spec, account_fingerprint};
use vonage_audit::schema::Table;
use vonage_audit::settle::{Settings, Source};
use vonage_audit::store::MemoryStore;

/// An API that files each event under a time of its own choice, or under none.
struct Api {
    events: Mutex<Vec<(Option<Timestamp>, Event)>>,
    /// Whether an event arrives after each question without dates.
    arriving: bool,
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap().at
}

fn of(id: &str, created_at: &str) -> Event {
    event(Bytes::from(format!(r#"{{"id":"{id}","event_type":"APP_CREATE","created_at":{created_at}}}"#)))
}

impl Api {
    /// A thousand events of a day, one more, and one of another month.
    fn with(filed: Option<&str>, odd: Event) -> Self {
        let mut events: Vec<_> = (0..1_000)
            .map(|number| {
                let time = at("2026-03-01T00:00:00").plus_seconds(number * 86);
                (Some(time), of(&format!("e{number:04}"), &format!("\"{time}\"")))
            })
            .collect();
        events.push((filed.map(at), odd));
        events.push((Some(at("2026-01-01T00:00:00")), of("other", "\"2026-01-01T00:00:00\"")));
        events.sort_by_key(|(time, _)| *time);
        Self { events: Mutex::new(events), arriving: false }
    }
}

impl Source for Api {
    async fn page(&self, query: &Query, number: u32, size: u32) -> vonage_audit::Result<Page> {
        let mut all = self.events.lock().unwrap();
        let asked = |(time, _): &&(Option<Timestamp>, Event)| match time {
            Some(at) => query.from.is_none_or(|from| from <= *at) && query.to.is_none_or(|to| *at <= to),
            None => query.from.is_none() && query.to.is_none(),
        };
        let listed: Vec<Event> = all.iter().filter(asked).map(|(_, event)| event.clone()).collect();
        if self.arriving && query.from.is_none() {
            let number = all.len();
            let time = at("2026-06-01T00:00:00").plus_seconds(number as i64);
            all.push((Some(time), of(&format!("n{number}"), &format!("\"{time}\""))));
        }
        let skip = (number as usize - 1) * size as usize;
        Ok(Page {
            total: listed.len() as u64,
            events: listed.into_iter().skip(skip).take(size as usize).collect(),
            number: None,
            server_time: None,
            attempts: 1,
            exchange: None,
        })
    }

    async fn event_types(&self) -> vonage_audit::Result<Vec<String>> {
        Ok(vec!["APP_CREATE".to_owned()])
    }

    async fn pause(&self, _: Duration) {}
}

fn day(number: u32) -> Window {
    Grid::Day.window(Timestamp::from_date(2026, 3, number).unwrap())
}

/// One run over some days of a dataset.
fn night(api: &Api, days: std::ops::RangeInclusive<u32>, store: &Arc<MemoryStore>) -> (Report, Dataset) {
    night_as(api, days, store, false)
}

/// The same; maybe it reads days again that are committed.
fn night_as(
    api: &Api,
    days: std::ops::RangeInclusive<u32>,
    store: &Arc<MemoryStore>,
    read_again: bool,
) -> (Report, Dataset) {
    let table = Table::builtin().unwrap();
    let layout = Layout::default();
    let spec = Spec {
        account_fingerprint: account_fingerprint("abcd1234"),
        grid: Grid::Day,
        schema: SchemaRef {
            version: table.version().to_owned(),
            fingerprint: table.fingerprint().to_owned(),
        },
        lineage: Vec::new(),
        selection: BTreeMap::new(),
        secrets: Secrets::Redacted,
        layout: layout.clone(),
    };
    let range = Window::new(day(*days.start()).from, day(*days.end()).to);
    let job = Job {
        range,
        grid: Grid::Day,
        read_again: if read_again { range.from } else { range.to },
        selection: Selection::default(),
        secrets: Secrets::Redacted,
        settle: Settings::default(),
        units_in_flight: 2,
        formats: vec![Format::Ndjson],
        files: Files::new(layout),
        scratch: vonage_audit::spool::Scratch::default(),
        recorded_at: at("2026-07-01T00:00:00").seconds(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let dataset = Dataset::open(Arc::<MemoryStore>::clone(store), spec).await.unwrap();
        let report = run(&job, &table, api, &dataset, std::future::pending(), &|_| {}).await;
        assert!(report.failure.is_none(), "{report:?}");
        (report, dataset)
    })
}

fn undated_rows(dataset: &Dataset) -> u64 {
    dataset.undated().iter().map(|record| record.counts.rows + record.counts.quarantined).sum()
}

#[test]
fn an_unreadable_time_among_dated_answers_loses_nothing() {
    let odd = [
        of("odd", r#""2026-03-01T10:00:60""#),
        of("odd", "1772359259"),
        of("odd", "null"),
        event(Bytes::from_static(
            br#"{"id":"odd","created_at":"2026-03-01T10:00:59","created_at":"2026-03-02T10:00:59"}"#,
        )),
        event(Bytes::from_static(br#"["odd"]"#)),
    ];
    for odd in odd {
        let api = Api::with(Some("2026-03-01T10:00:59"), odd.clone());
        let store = Arc::default();
        for read_again in [false, true, true] {
            let (report, dataset) = night_as(&api, 1..=1, &store, read_again);
            assert!(report.unproven.is_empty(), "{report:?}");
            assert_eq!(undated_rows(&dataset), 1, "{odd:?}");
            // A night that reads the day again and finds the same writes nothing.
            assert_eq!(dataset.undated().len(), 1, "{odd:?}");
        }
        // At the border of two days it comes with the answers of both.
        let api = Api::with(Some("2026-03-02T00:00:00"), odd.clone());
        let (report, dataset) = night(&api, 1..=3, &Arc::default());
        assert!(report.unproven.is_empty());
        assert_eq!(undated_rows(&dataset), 1, "{odd:?}");
    }
}

#[test]
fn an_event_that_is_filed_far_from_its_time_is_no_proof() {
    for time in ["2026-03-05T10:00:00", "2026-02-20T10:00:00"] {
        let api = Api::with(Some("2026-03-01T12:00:00"), of("odd", &format!("\"{time}\"")));
        let (report, _) = night(&api, 1..=1, &Arc::default());
        let kinds: Vec<_> = report.unproven.iter().map(|(_, error)| error.kind()).collect();
        assert_eq!(kinds, [Kind::Contradiction], "{time}");
    }
    // A day beside it is what the wide question is for: it is found in the one that it says.
    let api = Api::with(Some("2026-03-01T12:00:00"), of("odd", "\"2026-03-02T20:00:00\""));
    let (report, _) = night(&api, 1..=2, &Arc::default());
    assert!(report.unproven.is_empty(), "{report:?}");
    assert_eq!(report.events, 1_001);
}

#[test]
fn arrivals_hide_no_event_without_a_time() {
    for arriving in [false, true] {
        let api = Api { arriving, ..Api::with(None, of("odd", "null")) };
        let (report, dataset) = night(&api, 1..=1, &Arc::default());
        let told = report.unproven.iter().any(|(_, error)| error.kind() == Kind::Unproven);
        assert!(undated_rows(&dataset) == 1 || told, "{report:?}");
        assert_eq!(report.events, 1_000);
    }
}
