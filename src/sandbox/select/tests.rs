//! Selection against a reading of the same rules one event at a time.

use std::collections::BTreeSet;

use super::*;
use crate::sandbox::Spec;

fn population(events: u32) -> Population {
    let date = |text: &str| text.parse().unwrap();
    let (from, to) = (date("2026-03-02"), date("2026-03-04"));
    Population::seeded(Spec { seed: 11, events, from, to, account: "abcd1234".to_owned() }).unwrap()
}

fn run(
    population: &Population,
    timeline: &Timeline,
    text: &str,
    switches: &str,
    turn: u64,
    page: (u64, u64),
) -> Selected {
    let behaviour: Behaviour = switches.parse().unwrap();
    let query = Query::read(text, &behaviour).unwrap();
    let view = View { population, timeline, at: turn, turn };
    select(&view, &query, &behaviour, page.0, page.1)
}

/// All rows of a query, page by page, every page with another turn.
fn walk(population: &Population, timeline: &Timeline, text: &str, switches: &str) -> Vec<u32> {
    let mut rows = Vec::new();
    for page in 0.. {
        let part = run(population, timeline, text, switches, 0, (page * 7, 7));
        if part.rows.is_empty() {
            assert_eq!(part.total, rows.len() as u64);
            break;
        }
        rows.extend(part.rows);
    }
    rows
}

#[test]
fn every_order_visits_every_visible_event_once() {
    let population = population(500);
    let timeline = Timeline::default().appear(0, 9).vanish(250, 0).vanish(251, 0).vanish(499, 0);
    for order in ["newest", "oldest", "unstable-ties", "shuffled"] {
        for (hidden, timeline) in [(0, &Timeline::default()), (4, &timeline)] {
            let rows = walk(&population, timeline, "", &format!("order={order}"));
            let distinct: BTreeSet<u32> = rows.iter().copied().collect();
            assert_eq!((rows.len(), distinct.len()), (500 - hidden, 500 - hidden), "{order}");
            assert!(rows.iter().all(|k| timeline.visible(*k, 0)));
        }
    }
    assert!(walk(&population, &timeline, "", "order=oldest").is_sorted());
    assert!(walk(&population, &timeline, "", "").iter().rev().is_sorted());
}

#[test]
fn unstable_ties_change_with_the_turn_and_keep_the_seconds() {
    let population = population(5000);
    let quiet = Timeline::default();
    let times = |rows: &[u32]| rows.iter().map(|k| population.created_at(*k)).collect::<Vec<_>>();
    let one = run(&population, &quiet, "", "order=unstable-ties", 1, (0, 5000)).rows;
    let two = run(&population, &quiet, "", "order=unstable-ties", 2, (0, 5000)).rows;
    assert_ne!(one, two);
    assert_eq!(times(&one), times(&two));
}

#[test]
fn unstable_ties_stay_inside_a_range_that_cuts_a_second() {
    let population = population(5000);
    let quiet = Timeline::default();
    let busy = (0..5000).max_by_key(|k| population.second_of(*k).len()).unwrap();
    let mut text = Vec::new();
    super::super::clock::write(population.created_at(busy).unwrap(), &mut text);
    let text = String::from_utf8(text).unwrap();
    // Rounded times put half of a second's events on either side of the second itself.
    for bound in ["date_from", "date_to"] {
        let query = format!("{bound}={text}");
        let expected = walk(&population, &quiet, &query, "hidden=round,order=oldest");
        let mut rows =
            run(&population, &quiet, &query, "hidden=round,order=unstable-ties", 3, (0, 5000)).rows;
        rows.sort_unstable();
        assert_eq!(rows, expected);
    }
}

#[test]
fn bounds_agree_with_a_test_of_each_event() {
    let population = population(3000);
    let quiet = Timeline::default();
    let on = population.created_at(1500).unwrap();
    let mut text = Vec::new();
    super::super::clock::write(on, &mut text);
    let text = String::from_utf8(text).unwrap();
    for hidden in ["none", "floor", "round", "ceil"] {
        let kind: HiddenTime = hidden.parse().unwrap();
        for (lower, upper) in [
            ("inclusive", "inclusive"),
            ("inclusive", "exclusive"),
            ("exclusive", "inclusive"),
            ("exclusive", "exclusive"),
        ] {
            let switches = format!("hidden={hidden},lower={lower},upper={upper},order=oldest");
            let from = walk(&population, &quiet, &format!("date_from={text}"), &switches);
            let to = walk(&population, &quiet, &format!("date_to={text}"), &switches);
            let millis = |k: u32| true_millis(&population, k, kind);
            let expected: Vec<u32> = (0..3000)
                .filter(|k| millis(*k) > on * 1000 || (lower == "inclusive" && millis(*k) == on * 1000))
                .collect();
            assert_eq!(from, expected, "{switches}");
            let expected: Vec<u32> = (0..3000)
                .filter(|k| millis(*k) < on * 1000 || (upper == "inclusive" && millis(*k) == on * 1000))
                .collect();
            assert_eq!(to, expected, "{switches}");
        }
    }
}

#[test]
fn filters_by_type_and_text_count_what_they_return() {
    let population = population(2000);
    let quiet = Timeline::default();
    let rows = walk(&population, &quiet, "event_type=USER_LOGIN,APP_CREATE,NOBODY", "");
    let expected: Vec<u32> = (0..2000)
        .rev()
        .filter(|k| ["USER_LOGIN", "APP_CREATE"].contains(&population.event_type(*k)))
        .collect();
    assert_eq!(rows, expected);
    assert!(!rows.is_empty());
    assert!(walk(&population, &quiet, "event_type=NOBODY", "").is_empty());

    let id = population.id(77);
    assert_eq!(walk(&population, &quiet, &format!("search_text={id}"), ""), [77]);
    assert_eq!(walk(&population, &quiet, &format!("search_text={}", id.to_uppercase()), ""), [] as [u32; 0]);
    assert_eq!(
        walk(&population, &quiet, &format!("search_text={}", id.to_uppercase()), "search=insensitive"),
        [77]
    );
    let part = id.get(..7).unwrap();
    assert!(walk(&population, &quiet, &format!("search_text={part}"), "").contains(&77));
    assert_eq!(walk(&population, &quiet, &format!("search_text={part}"), "search=word"), [] as [u32; 0]);
    let quoted = format!("search_text=%5C%22{id}%5C%22");
    assert_eq!(walk(&population, &quiet, &quoted, ""), [77]);
}

#[test]
fn undated_events_match_no_date_filter() {
    let population = Population::from_ndjson(
        "{\"id\":\"a\",\"created_at\":\"2026-01-01T00:00:00\"}\n{\"id\":\"b\",\"created_at\":null}",
    )
    .unwrap();
    let quiet = Timeline::default();
    assert_eq!(walk(&population, &quiet, "", "").len(), 2);
    assert_eq!(walk(&population, &quiet, "date_from=0001-01-01", ""), [0]);
    assert_eq!(walk(&population, &quiet, "date_to=9999-12-31", ""), [0]);
}
