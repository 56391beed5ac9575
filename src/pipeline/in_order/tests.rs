use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::Cursor;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::encode::{Settings, Threads};
use crate::model::{EventId, Format, Grid, Layout, Lines as Shape, Secrets};
use crate::pipeline::convert;
use crate::publish::{Dataset, Spec, account_fingerprint};
use crate::spool::Scratch;
use crate::store::MemoryStore;

/// How lines are read.
#[derive(Clone, Copy, Debug)]
struct Way {
    again: bool,
    block: usize,
    threads: usize,
    memory: u64,
    hold: bool,
    formats: &'static [Format],
}

impl Way {
    /// Windows whose rows are held: none, or all that there are.
    fn standing(self) -> HashSet<Window> {
        let at = |text| crate::model::Timestamp::parse(text).unwrap().at;
        let days = Window::new(at("2026-03-01T00:00:00"), at("2026-03-05T00:00:00"));
        if self.hold { Grid::Hour.windows(days).collect() } else { HashSet::new() }
    }
}

const SORTED: Way =
    Way { again: false, block: 0, threads: 1, memory: u64::MAX, hold: false, formats: &Format::ALL };

fn job(way: Way, folder: &std::path::Path) -> Conversion {
    Conversion {
        grid: Grid::Hour,
        formats: way.formats.to_vec(),
        files: Settings { threads: Threads::new(way.threads), ..Settings::default() },
        secrets: Secrets::Redacted,
        keep_raw: false,
        scratch: Scratch::new(folder.to_owned(), way.memory, u64::MAX),
        recorded_at: 0,
    }
}

fn taken(way: Way, job: &Conversion, table: &Table, texts: &[String]) -> Result<Taken> {
    let stream = |(number, text): (usize, &String)| {
        let text = text.clone();
        let open =
            move || -> Result<Box<dyn BufRead>> { Ok(Box::new(Cursor::new(text.clone().into_bytes()))) };
        (format!("stream {number}"), Box::new(open) as Open)
    };
    let inputs = Inputs { streams: texts.iter().enumerate().map(stream).collect(), again: way.again };
    take_by(way.block, job, table, Limits::default(), Arc::new(inputs), &way.standing())
}

/// Everything that is known of some conversions, one after the other into one dataset; and how many came in order.
type Known = (Vec<String>, BTreeMap<String, Bytes>);

fn converted(way: Way, folder: &std::path::Path, inputs: &[Vec<String>]) -> (Known, usize) {
    let (table, job) = (Table::builtin().unwrap(), job(way, folder));
    let store = MemoryStore::new();
    let spec = Spec {
        account_fingerprint: account_fingerprint("abcd1234"),
        grid: job.grid,
        schema: table.identity(),
        lineage: table.lineage().to_vec(),
        selection: BTreeMap::new(),
        secrets: job.secrets,
        layout: Layout { lines: Shape::Events, ..Layout::default() },
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (mut reports, mut ordered) = (Vec::new(), 0);
    for texts in inputs {
        let taken = taken(way, &job, &table, texts).unwrap();
        ordered += usize::from(matches!(taken.0, Kept::InOrder(_)));
        let report = runtime.block_on(async {
            let dataset = Dataset::open(Arc::new(store.handle()), spec.clone()).await.unwrap();
            convert(&job, &table, taken, &dataset, std::future::pending()).await
        });
        reports.push(format!("{report:?}"));
    }
    let objects = store.objects().into_iter().map(|(path, bytes)| (path.to_string(), bytes));
    ((reports, objects.collect()), ordered)
}

/// What is known of events whatever the formats: their NDJSON files, those in quarantine, what commits tell of them.
fn of_events((_, objects): &Known) -> BTreeMap<&str, Vec<serde_json::Value>> {
    let mut known = BTreeMap::new();
    for (path, bytes) in objects {
        let told = if path.starts_with("_audit/commits/") {
            let commit: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            let windows = commit["windows"].as_array().unwrap().iter();
            windows
                .flat_map(|window| ["certificate", "counts", "drift"].map(|key| window[key].clone()))
                .collect()
        } else if path.starts_with("ndjson/") || path.starts_with("_audit/quarantine/") {
            vec![String::from_utf8_lossy(bytes).into()]
        } else {
            continue;
        };
        known.insert(path.as_str(), told);
    }
    known
}

/// Lines mostly in the order of their rows, with ties, and now and then something that is not.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let rest = prop::sample::select(vec![
        r#","event_type":"USER_LOGIN","context":{"email":"a@example.org"}"#,
        r#","event_type":"NUMBER_ASSIGN","context":{"country":"GB","msisdn":"1"}"#,
        r#","event_type":"NEW","context":{"unheard":{"of":[1]}}"#,
        // Which of the two is told depends on whether both were met in one window.
        r#","event_type":"NEW","context":{"unheard":{}}"#,
        r#","context":{"api_secret":"s3cr3t-value-of-a-kind"}"#,
        "",
    ]);
    let line = (prop::sample::select(vec![0, 0, 1, 2, 400, 3_700]), 0_u32..4, rest, any::<bool>());
    let odd = prop::sample::select(vec![
        "not json",
        r#"{"created_at":"2026-03-01T10:00:00"}"#,
        r#"{"id":"late","created_at":"soon"}"#,
        r#"{"id":"early","created_at":"2020-01-01T00:00:00"}"#,
        r#"{"id":"secret","created_at":"2026-03-01T00:00:00","context":{"password":"hunter2 hunter2"}}"#,
        "",
        " \t",
    ]);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), odd, 0..3_u8), 0..2);
    (prop::collection::vec(line, 0..40), changes).prop_map(|(lines, changes)| {
        let mut second = 0;
        let mut all: Vec<String> = Vec::new();
        for (number, (step, odd, rest, spaced)) in (0_u32..).zip(lines) {
            second += step;
            // Each once, in no order, and in every input the same: what it says may be something else.
            let id = number * 37 % 101 + odd / 3 * 200;
            let at = crate::model::Timestamp::from_micros((1_772_323_200 + second) * 1_000_000).to_string();
            let space = if spaced { " " } else { "" };
            all.push(format!(
                r#"{space}{{"id":"{id:04}",{space}"created_at":"{}"{rest}}}"#,
                at.trim_end_matches('Z')
            ));
        }
        for (place, odd, kind) in changes {
            let place = place.index(all.len() + 1);
            let line = match kind {
                0 => odd.to_owned(),
                1 => all.first().cloned().unwrap_or_default(),
                _ => all.last().cloned().unwrap_or_default(),
            };
            all.insert(place, line);
        }
        all
    })
}

#[test]
fn which_way_lines_take_decides_about_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (ordered, sorted, contradicted) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let config = Config { cases: 70, failure_persistence: None, ..Config::default() };
    let cases = (lines(), lines(), any::<prop::sample::Index>(), 1_usize..300, 1_usize..4);
    let result = TestRunner::new(config).run(&cases, |(first, second, cut, block, threads)| {
        // In two streams, and once more with other lines, some of which say something else of an id.
        let cut = cut.index(first.len() + 1);
        let (head, tail) = first.split_at(cut);
        let inputs = vec![vec![head.join("\n"), tail.join("\r\n")], vec![second.join("\n")]];
        let (expected, none) = converted(SORTED, folder.path(), &inputs);
        prop_assert_eq!(none, 0);
        for (memory, hold) in [(0, false), (0, true), (100_000, false)] {
            let way = Way { again: true, block, threads, memory, hold, formats: &Format::ALL };
            let (found, came) = converted(way, folder.path(), &inputs);
            ordered.set(ordered.get() + came);
            sorted.set(sorted.get() + inputs.len() - came);
            prop_assert_eq!(&found, &expected, "{:?}", way);
            let conflict = found.0.get(1).is_some_and(|report| report.contains("contradictions: [\""));
            contradicted.set(contradicted.get() + usize::from(conflict && came == 2));
        }
        // Rows for files of events alone have few columns: they are the same events, and what is told of them is the same.
        let alone = |way| converted(Way { formats: &[Format::Ndjson], ..way }, folder.path(), &inputs);
        let (sorted, _) = alone(SORTED);
        prop_assert_eq!(of_events(&sorted), of_events(&expected));
        for (memory, hold) in [(0, false), (0, true), (100_000, false)] {
            let way = Way { again: true, block, threads, memory, hold, formats: &Format::ALL };
            prop_assert_eq!(&alone(way).0, &sorted, "{:?}", way);
        }
        Ok(())
    });
    result.unwrap();
    let (ordered, sorted, contradicted) = (ordered.get(), sorted.get(), contradicted.get());
    println!(
        "{ordered} inputs came in order, {sorted} were sorted; {contradicted} datasets held something else"
    );
    assert!(ordered > 50 && sorted > 50 && contradicted > 5);
}

fn line(id: &str, at: &str, rest: &str) -> String {
    format!("{{\"id\":\"{id}\",\"created_at\":\"2026-03-01T{at}\"{rest}}}\n")
}

#[test]
fn rows_of_one_time_are_put_in_order_across_blocks_and_none_is_taken_twice() {
    let folder = tempfile::tempdir().unwrap();
    let tie: String = (0..200_u32).rev().map(|id| line(&format!("{id:03}"), "10:00:00", "")).collect();
    let text = line("x", "09:00:00", "") + &tie + &line("a", "10:00:01", "");
    let twice = text.clone() + &line("007", "10:00:01", "");
    for (text, came) in [(text, 1), (twice, 0)] {
        let (expected, _) = converted(SORTED, folder.path(), &[vec![text.clone()]]);
        for block in [1, 100, 3_000, 1 << 20] {
            for threads in [1, 3] {
                let way = Way {
                    again: true,
                    block,
                    threads,
                    memory: 1_000,
                    hold: threads == 3,
                    formats: &Format::ALL,
                };
                assert_eq!(converted(way, folder.path(), &[vec![text.clone()]]), (expected.clone(), came));
            }
        }
    }
}

#[test]
fn event_types_of_one_window_are_not_told_of_another_however_many_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..1_800_u32)
        .map(|number| {
            let (hour, second) = (10 + number / 600, number % 600);
            let at = format!("{hour}:{:02}:{:02}", second / 60, second % 60);
            line(&format!("{number}"), &at, &format!(",\"event_type\":\"NEW_{number}\""))
        })
        .collect();
    let (expected, _) = converted(SORTED, folder.path(), &[vec![text.clone()]]);
    for threads in [1, 2] {
        let way = Way { again: true, block: 30_000, threads, ..SORTED };
        let (found, ordered) = converted(way, folder.path(), &[vec![text.clone()]]);
        assert!(found == expected && ordered == 1, "{threads}");
    }
}

#[test]
fn a_line_that_is_too_long_is_named_whichever_way() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        line("a", "10:00:00", "") + &line("b", "10:00:01", r#","x":"0123456789012345678901234567890""#);
    for again in [true, false] {
        for threads in [1, 2] {
            let way = Way { again, block: 20, threads, memory: u64::MAX, hold: false, formats: &Format::ALL };
            let job = job(way, folder.path());
            let stream: Open = Box::new({
                let text = text.clone();
                move || Ok(Box::new(Cursor::new(text.clone().into_bytes())))
            });
            let inputs = Inputs { streams: vec![("f".to_owned(), stream)], again };
            let table = Table::builtin().unwrap();
            let error =
                take_by(way.block, &job, &table, Limits { line: 60 }, Arc::new(inputs), &way.standing())
                    .unwrap_err();
            assert!(error.to_string().contains("file f, line 2"), "{error}");
        }
    }
}

#[test]
fn an_input_that_changed_in_between_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let way =
        Way { again: true, block: 100, threads: 1, memory: u64::MAX, hold: false, formats: &Format::ALL };
    let (table, job) = (Table::builtin().unwrap(), job(way, folder.path()));
    let Kept::InOrder(rows) = taken(way, &job, &table, &[line("a", "10:00:00", "")]).unwrap().0 else {
        panic!("it is in order");
    };
    let own = Grid::Hour.window(crate::model::Timestamp::parse("2026-03-01T10:00:00").unwrap().at);
    let other = Grid::Hour.window(crate::model::Timestamp::parse("2026-03-01T11:00:00").unwrap().at);
    let ids = |events: Events| events.to_vec().unwrap().into_iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(ids(rows.again.events(own).unwrap()), [EventId::new("a")]);
    let error = rows.again.events(other).unwrap_err();
    assert!(error.to_string().contains("changed"), "{error}");
}

#[test]
fn an_input_that_says_something_else_the_second_time_is_no_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::builtin().unwrap();
    let way =
        Way { again: true, block: 100, threads: 1, memory: u64::MAX, hold: false, formats: &Format::ALL };
    let job = job(way, folder.path());
    let first = line("a", "10:00:00", r#","source":"x""#) + &line("b", "10:00:01", "");
    let own = Grid::Hour.window(crate::model::Timestamp::parse("2026-03-01T10:00:00").unwrap().at);
    for (second, same) in [
        (first.clone(), true),
        (line("b", "10:00:01", "") + &line("a", "10:00:00", r#","source":"x""#), true),
        (first.replace(r#""x""#, r#""y""#), false),
        (first.replace(r#""x""#, "7"), false),
        (first.clone() + &line("c", "10:00:02", ""), false),
        (first.clone() + &line("a", "10:00:00", r#","source":"Y""#), false),
        (first.clone() + "{\"id\":7,\"created_at\":\"2026-03-01T10:00:03\"}", false),
    ] {
        let left = Mutex::new(vec![second, first.clone()]);
        let open: Open = Box::new(move || {
            let text = left.lock().unwrap().pop().unwrap();
            Ok(Box::new(Cursor::new(text.into_bytes())))
        });
        let inputs = Inputs { streams: vec![("twice".to_owned(), open)], again: true };
        let taken =
            take_by(way.block, &job, &table, Limits::default(), Arc::new(inputs), &way.standing()).unwrap();
        let Kept::InOrder(rows) = taken.0 else { panic!("it is in order") };
        let (window, events, make) = rows.windows(&recipe(&job, &table)).next().unwrap();
        assert_eq!((window, events), (own, 2));
        assert_eq!(make().unwrap().events.events().is_ok(), same);
    }
}

#[test]
fn what_would_take_memory_is_sorted_instead() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::builtin().unwrap();
    let way =
        Way { again: true, block: BLOCK, threads: 2, memory: u64::MAX, hold: false, formats: &Format::ALL };
    let job = job(way, folder.path());
    let padded = |id: u32, at: &str, length: usize| {
        line(&format!("{id:04}"), at, &format!(",\"x\":\"{}\"", "y".repeat(length)))
    };
    let one_time =
        |lines: u32, length| (0..lines).map(|id| padded(id, "10:00:00", length)).collect::<String>();
    let keys: String =
        (0..3_000).map(|id| line(&format!("{id:04}"), "10:00:00", &format!(",\"k{id}\":1"))).collect();
    for (text, ordered) in [
        (one_time(100, 1_000), true),
        (one_time(60, 100_000), false),
        (padded(1, "10:00:00", LONG - 100), true),
        (padded(1, "10:00:00", LONG), false),
        (keys.clone(), true),
        (
            keys.clone()
                + &keys.replace("T10", "T11").replace("\"id\":\"", "\"id\":\"x").replace("\"k", "\"l"),
            true,
        ),
        (keys.clone() + &keys.replace("\"id\":\"", "\"id\":\"x").replace("\"k", "\"l"), false),
    ] {
        let taken = taken(way, &job, &table, &[text]).unwrap();
        assert_eq!(matches!(taken.0, Kept::InOrder(_)), ordered);
    }
}

#[test]
fn rows_that_do_not_fit_into_temporary_files_are_no_reason_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::builtin().unwrap();
    let text: String = (100..300).map(|id| line(&format!("{id}"), &format!("10:00:00.{id}"), "")).collect();
    for (limit, ordered, hold) in
        [(u64::MAX, true, true), (60_000, false, true), (u64::MAX, true, false), (20_000, false, false)]
    {
        let way = Way { again: true, block: 1 << 10, threads: 2, memory: 0, hold, formats: &Format::ALL };
        let mut job = job(way, folder.path());
        job.scratch = Scratch::new(folder.path().to_owned(), 0, limit);
        let Taken(kept) = taken(way, &job, &table, std::slice::from_ref(&text)).unwrap();
        assert_eq!(matches!(kept, Kept::InOrder(_)), ordered);
    }
}

#[test]
fn a_limit_that_only_the_last_rows_reach_leaves_what_came_before() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::builtin().unwrap();
    let way =
        Way { again: true, block: 1 << 20, threads: 1, memory: u64::MAX, hold: false, formats: &Format::ALL };
    let mut job = job(way, folder.path());
    job.files.partition_limit = 1;
    job.files.layout.partitioning = crate::model::Partitioning::parse("event_type").unwrap();
    let typed = |id, at, name: &str| line(id, at, &format!(",\"event_type\":\"{name}\""));
    let text = typed("a", "10:00:00", "A") + &typed("b", "11:00:00", "A") + &typed("c", "11:00:01", "B");
    assert!(matches!(taken(way, &job, &table, &[text]).unwrap().0, Kept::Sorted(_)));
}

#[test]
fn a_stream_that_gives_less_the_second_time_is_not_taken_for_all_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::builtin().unwrap();
    for threads in [1, 2] {
        let way =
            Way { again: true, block: 100, threads, memory: u64::MAX, hold: false, formats: &Format::ALL };
        let left = Mutex::new(vec![line("a", "10:00:01", "") + &line("b", "10:00:00", "")]);
        let open: Open = Box::new(move || {
            let text = left.lock().unwrap().pop().unwrap_or_default();
            Ok(Box::new(Cursor::new(text.into_bytes())))
        });
        let inputs = Inputs { streams: vec![("once".to_owned(), open)], again: true };
        let job = job(way, folder.path());
        let error = take_by(way.block, &job, &table, Limits::default(), Arc::new(inputs), &way.standing())
            .unwrap_err();
        assert!(error.to_string().contains("changed"), "{error}");
    }
}
