use super::*;
use crate::error::Kind;

const ONE: &str = r#"{"id":"a","created_at":"2026-03-01T10:00:00","n":1}"#;
const SPELLED: &str = r#"{ "n" : 1, "created_at":"2026-03-01T10:00:00", "\u0069d":"a","_links":{"self":{}}}"#;
const OTHER: &str = r#"{"id":"a","created_at":"2026-03-01T10:00:00","n":1.0}"#;

fn input(lines: &[&str]) -> Input {
    let mut input = Input::new(Limits::default());
    input.take("test", lines.join("\n").as_bytes()).unwrap();
    input
}

fn flaws(sorted: &Sorted) -> Vec<(String, Option<Flaw>)> {
    let placed = sorted.windows.iter().flat_map(|(_, events)| events);
    let named = |event: &Event| (String::from_utf8_lossy(&event.text).into_owned(), event.flaw);
    placed.chain(&sorted.unplaced).map(named).collect()
}

#[test]
fn an_event_counts_once_however_it_is_spelled_and_the_order_does_not_matter() {
    let smaller = ONE.min(SPELLED);
    for lines in [[ONE, SPELLED, ONE], [SPELLED, ONE, ONE]] {
        let sorted = input(&lines).sort(Grid::Day);
        assert_eq!((sorted.lines, sorted.repeated), (3, 2));
        assert!(sorted.contradictions.is_empty());
        assert_eq!(flaws(&sorted), [(smaller.to_owned(), None)]);
    }
}

#[test]
fn two_contents_of_one_id_are_both_kept_and_the_order_does_not_matter() {
    for lines in [[ONE, OTHER, OTHER], [OTHER, ONE, OTHER]] {
        let sorted = input(&lines).sort(Grid::Day);
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
    let sorted = input(&lines).sort(Grid::Day);
    assert_eq!(sorted.lines, 5);
    assert_eq!(sorted.windows.len(), 1);
    assert_eq!(sorted.unplaced.len(), 4);
    let times = sorted.unplaced.iter().filter(|event| event.flaw == Some(Flaw::NoTime)).count();
    // A time that cannot be read makes a row without one.
    assert_eq!(times, 1);
}

#[test]
fn marks_and_line_ends_are_no_part_of_an_event() {
    let mut input = Input::new(Limits::default());
    input.take("test", format!("\u{feff}{ONE}\r\n\r\n\u{feff}{OTHER}").as_bytes()).unwrap();
    let sorted = input.sort(Grid::Day);
    assert_eq!(sorted.lines, 2);
    assert_eq!(sorted.windows[0].1[0].text, ONE.as_bytes());
    // Within a stream a mark is not white space.
    assert_eq!(sorted.unplaced[0].flaw, Some(Flaw::NotAnObject));
}

#[test]
fn limits_are_said_with_their_place() {
    let take = |limits: Limits, text: &str| Input::new(limits).take("name", text.as_bytes());
    let length = ONE.len() as u64;
    let line = |line| Limits { line, ..Limits::default() };
    let total = |total| Limits { total, ..Limits::default() };
    let text = format!("{ONE}\n{OTHER}\n");
    assert!(take(line(length + 2), &text).is_ok());
    assert!(take(line(length), ONE).is_ok());
    assert!(take(line(length), &format!("{ONE}\n")).is_ok());
    for (limits, number) in [(line(length), 2), (total(length), 2), (line(length - 1), 1)] {
        let error = take(limits, &text).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.to_string().contains(&format!("line {number}")), "{error}");
    }
    // Repetitions take no room.
    assert!(take(total(length), &format!("{ONE}\n{ONE}\n")).is_ok());
}
