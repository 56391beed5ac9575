use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::error::Kind;
use crate::model::{Event, EventId, Flaw, Timestamp, Window};

mod oracle;

const ONE: &str = r#"{"id":"a","created_at":"2026-03-01T10:00:00","n":1}"#;
const SPELLED: &str = r#"{ "n" : 1, "created_at":"2026-03-01T10:00:00", "\u0069d":"a","_links":{"self":{}}}"#;
const OTHER: &str = r#"{"id":"a","created_at":"2026-03-01T10:00:00","n":1.0}"#;

fn input(lines: &[&str]) -> Input {
    let mut input = Input::new(Limits::default(), Scratch::default(), Grid::Day);
    input.take("test", lines.join("\n").as_bytes()).unwrap();
    input
}

/// All that is known of the lines.
#[derive(Debug, Default, PartialEq)]
struct Known {
    windows: Vec<(Window, Vec<Event>)>,
    unplaced: Vec<Event>,
    contradictions: Vec<EventId>,
    lines: u64,
    repeated: u64,
}

fn known(lines: &Lines) -> Known {
    let windows: Vec<_> = lines
        .windows()
        .map(|next| next.and_then(|(window, events)| Ok((window, events.to_vec()?))).unwrap())
        .collect();
    assert_eq!(lines.windows, windows.len() as u64);
    Known {
        windows,
        unplaced: lines.unplaced.to_vec().unwrap(),
        contradictions: lines.contradictions.clone(),
        lines: lines.lines,
        repeated: lines.repeated,
    }
}

fn flaws(known: &Known) -> Vec<(String, Option<Flaw>)> {
    let placed = known.windows.iter().flat_map(|(_, events)| events);
    let named = |event: &Event| (String::from_utf8_lossy(&event.text).into_owned(), event.flaw);
    placed.chain(&known.unplaced).map(named).collect()
}

#[test]
fn an_event_counts_once_however_it_is_spelled_and_the_order_does_not_matter() {
    let smaller = ONE.min(SPELLED);
    for lines in [[ONE, SPELLED, ONE], [SPELLED, ONE, ONE]] {
        let sorted = known(&input(&lines).finish().unwrap());
        assert_eq!((sorted.lines, sorted.repeated), (3, 2));
        assert!(sorted.contradictions.is_empty());
        assert_eq!(flaws(&sorted), [(smaller.to_owned(), None)]);
    }
}

#[test]
fn two_contents_of_one_id_are_both_kept_and_the_order_does_not_matter() {
    for lines in [[ONE, OTHER, OTHER], [OTHER, ONE, OTHER]] {
        let sorted = known(&input(&lines).finish().unwrap());
        assert_eq!(sorted.contradictions, [EventId::new("a")]);
        assert_eq!(sorted.repeated, 1);
        let mut found = flaws(&sorted);
        found.sort_by_key(|(_, flaw)| *flaw);
        assert_eq!(found, [(OTHER.to_owned(), None), (ONE.to_owned(), Some(Flaw::OtherContent))]);
    }
}

#[test]
fn what_no_window_holds_is_told_apart() {
    let lines = [
        r#"{"id":"none"}"#,
        r#"{"id":"null","created_at":null}"#,
        r#"{"id":"late","created_at":"9999-12-31T23:00:00"}"#,
        r#"{"id":"early","created_at":"0001-01-01T00:00:00"}"#,
        "not json",
        "",
        " \t\r",
    ];
    let sorted = known(&input(&lines).finish().unwrap());
    assert_eq!(sorted.lines, 5);
    assert_eq!(sorted.windows.len(), 1);
    assert_eq!(sorted.unplaced.len(), 4);
    let times = sorted.unplaced.iter().filter(|event| event.flaw == Some(Flaw::NoTime)).count();
    // A time that cannot be read makes a row without one.
    assert_eq!(times, 1);
}

#[test]
fn marks_and_line_ends_are_no_part_of_an_event() {
    let mut input = Input::new(Limits::default(), Scratch::default(), Grid::Day);
    input.take("test", format!("\u{feff}{ONE}\r\n\r\n\u{feff}{OTHER}").as_bytes()).unwrap();
    let sorted = known(&input.finish().unwrap());
    assert_eq!(sorted.lines, 2);
    assert_eq!(sorted.windows[0].1[0].text, ONE.as_bytes());
    // Within a stream a mark is not white space.
    assert_eq!(sorted.unplaced[0].flaw, Some(Flaw::NotAnObject));
}

#[test]
fn limits_are_said_with_their_place() {
    let length = ONE.len() as u64;
    let take = |line, text: &str| {
        Input::new(Limits { line }, Scratch::default(), Grid::Day).take("name", text.as_bytes())
    };
    assert!(take(length + 2, &format!("{ONE}\n{OTHER}\n")).is_ok());
    assert!(take(length, ONE).is_ok());
    assert!(take(length, &format!("{ONE}\n")).is_ok());
    for (line, number) in [(length, 2), (length - 1, 1)] {
        let error = take(line, &format!("{ONE}\n{OTHER}\n")).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.to_string().contains(&format!("line {number}")), "{error}");
    }

    // Repetitions take no room, and what takes too much is refused where it does.
    let place = tempfile::tempdir().unwrap();
    let input = |share| {
        let scratch = Scratch::new(place.path().to_owned(), share, 100);
        Input::new(Limits::default(), scratch, Grid::Day)
    };
    let again = format!("{ONE}\n").repeat(1_000);
    assert!(input(2_000).take("name", again.as_bytes()).is_ok());
    let many: String = (0..10_000).map(|id| format!("{{\"id\":\"{id}\"}}\n")).collect();
    let error = input(2_000).take("name", many.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), Kind::Storage);
    assert!(error.to_string().contains("file name") && error.to_string().contains("line "), "{error}");
}

#[test]
fn an_id_has_at_most_a_thousand_contents_held_or_spilled() {
    let place = tempfile::tempdir().unwrap();
    // Two times: compared as bytes.
    let line = |n| format!("{{\"id\":\"a\",\"created_at\":0,\"created_at\":{n}}}\n");
    let lines = |count: u32| -> String { (0..count).map(line).collect() };
    for memory in [0, u64::MAX] {
        let all = |count| {
            let scratch = Scratch::new(place.path().to_owned(), memory, u64::MAX);
            let mut input = Input::new(Limits::default(), scratch, Grid::Day);
            input.take("name", lines(count).as_bytes())?;
            input.finish()
        };
        assert_eq!(known(&all(1_000).unwrap()).unplaced.len(), 1_000);
        let error = all(1_001).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.to_string().contains("contents"), "{error}");
    }
}

/// Lines of few ids, many of which say the same in another spelling, or nearly the same.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let id = prop_oneof![
        4 => prop::sample::select(vec![r#""id":"a""#, r#""id":"b""#, r#""id":"c""#, r#""\u0069d":"a""#]),
        1 => prop::sample::select(vec![r#""id":"""#, r#""id":"a","id":"a""#, r#""x":0"#]),
    ];
    let time = prop::sample::select(vec![
        r#""created_at":"2026-03-01T10:00:00""#,
        r#""created_at":"2026-03-01T10:0\u0030:00""#,
        r#""created_at":"2026-03-01T10:00:00Z""#,
        r#""created_at":"2026-03-02T23:59:59""#,
        r#""created_at":"2026-03-05T00:00:00""#,
        r#""created_at":"9999-12-31T23:00:00""#,
        r#""created_at":"soon""#,
        r#""y":null"#,
    ]);
    let rest = prop::sample::select(vec![
        "",
        r#","n":1"#,
        r#", "n" : 1"#,
        r#","n":1.0"#,
        r#","n":10e-1"#,
        r#","n":{"p":1,"q":2}"#,
        r#","n":{"q":2,"p":1}"#,
        r#","n":"\u00e9""#,
        r#","n":"é""#,
        r#","_links":{"self":1}"#,
        r#","n":1,"n":1"#,
    ]);
    let object =
        (id, time, rest, any::<bool>(), any::<bool>()).prop_map(|(id, time, rest, turned, spaced)| {
            let (one, other) = if turned { (time, id) } else { (id, time) };
            let space = if spaced { " " } else { "" };
            format!("{{{one},{space}{other}{rest}}}").into_bytes()
        });
    prop_oneof![
        20 => object,
        1 => Just(b"not json".to_vec()),
        1 => Just(b"[\"a\"]".to_vec()),
        1 => Just(b"{\"id\":\"a\",\"n\":\"\xff\"}".to_vec()),
        1 => Just(b" \t".to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn neither_the_order_of_lines_nor_the_memory_decides_anything(
        lines in prop::collection::vec(line(), 0..60),
        turn in any::<prop::sample::Index>(),
        hours in any::<bool>(),
    ) {
        let grid = if hours { Grid::Hour } else { Grid::Day };
        let mut turned = lines.clone();
        turned.rotate_left(if lines.is_empty() { 0 } else { turn.index(lines.len()) });
        turned.reverse();
        let expected = oracle::sorted(&lines, grid);
        prop_assert_eq!(&oracle::sorted(&turned, grid), &expected);
        let place = tempfile::tempdir().unwrap();
        for memory in [0, 1_000, 10_000, u64::MAX] {
            for lines in [&lines, &turned] {
                let scratch = Scratch::new(place.path().to_owned(), memory, u64::MAX);
                let mut input = Input::new(Limits::default(), scratch.clone(), grid);
                input.take("generated", lines.join(&b'\n').as_slice()).unwrap();
                let found = input.finish().unwrap();
                prop_assert_eq!(&known(&found), &expected, "{} bytes", memory);
                // As often as asked for.
                prop_assert_eq!(&known(&found), &expected);
                match memory {
                    0 => prop_assert_eq!(scratch.most_spilled() > 0, found.lines > 0),
                    u64::MAX => prop_assert_eq!(scratch.most_spilled(), 0),
                    _ => {}
                }
            }
        }
    }
}
