//! The laws of a population.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::*;

fn spec(seed: u64, events: u32) -> Spec {
    let date = |text: &str| text.parse().unwrap();
    Spec { seed, events, from: date("2026-01-01"), to: date("2026-03-01"), account: "abcd1234".to_owned() }
}

fn value(population: &Population, k: u32) -> Value {
    serde_json::from_slice(&population.event_json(k)).unwrap()
}

#[test]
fn has_exactly_the_events_asked_for_in_order_and_in_range() {
    for events in [0, 1, 2, 28, 29, 1000, 12_345] {
        let population = Population::seeded(spec(3, events)).unwrap();
        assert_eq!(population.len(), events);
        assert_eq!(population.events().count(), usize::try_from(events).unwrap());
        let times: Vec<i64> = (0..events).map(|k| population.created_at(k).unwrap()).collect();
        assert!(times.is_sorted());
        assert!(times.iter().all(|time| (1_767_225_600..1_772_323_200).contains(time)));
    }
}

#[test]
fn every_event_is_valid_json_and_says_what_the_index_says() {
    let population = Population::seeded(spec(5, 5000)).unwrap();
    for k in 0..population.len() {
        let event = value(&population, k);
        assert_eq!(event["id"], population.id(k).as_str());
        assert_eq!(event["event_type"], population.event_type(k));
        let time = clock_parse(event["created_at"].as_str().unwrap());
        assert_eq!(Some(time), population.created_at(k));
        assert_eq!(event["account_id"], "abcd1234");
        assert_eq!(population.find(&population.id(k)), Some(k));
        let link = event["_links"]["self"]["href"].as_str().unwrap();
        assert!(link.ends_with(event["id"].as_str().unwrap()));
    }
}

fn clock_parse(text: &str) -> i64 {
    chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").unwrap().and_utc().timestamp()
}

#[test]
fn ids_are_unique_version_4_uuids_and_differ_between_seeds() {
    let mut ids = HashSet::new();
    for seed in [1, 2] {
        let population = Population::seeded(spec(seed, 50_000)).unwrap();
        for k in 0..population.len() {
            let id = population.id(k);
            let bytes = id.as_bytes();
            assert_eq!((bytes.len(), bytes[14]), (36, b'4'));
            assert!(b"89ab".contains(&bytes[19]));
            assert!(ids.insert(id));
        }
    }
    let population = Population::seeded(spec(1, 10)).unwrap();
    for unknown in ["", "x", "00000000-0000-4000-8000-000000000001", &"é".repeat(18)] {
        assert_eq!(population.find(unknown), None);
    }
    assert_eq!(population.find(&population.id(3).to_uppercase()), None);
}

#[test]
fn all_types_appear_as_soon_as_they_can() {
    for events in [29, 30, 57, 58, 1000] {
        let population = Population::seeded(spec(9, events)).unwrap();
        let types: BTreeSet<&str> = (0..events).map(|k| population.event_type(k)).collect();
        assert_eq!(types.len(), 29, "{events}");
    }
}

#[test]
fn an_event_is_a_pure_function_of_spec_and_position() {
    let (one, two) = (Population::seeded(spec(4, 3000)).unwrap(), Population::seeded(spec(4, 3000)).unwrap());
    let backwards: Vec<Vec<u8>> = (0..3000).rev().map(|k| two.event_json(k).into_owned()).collect();
    let forwards: Vec<Vec<u8>> = one.events().map(Cow::into_owned).collect();
    assert!(forwards.iter().eq(backwards.iter().rev()));
    let other = Population::seeded(spec(6, 3000)).unwrap();
    assert!(other.events().zip(&forwards).all(|(theirs, ours)| *theirs != **ours));
}

#[test]
fn has_what_is_hard_to_carry() {
    let population = Population::seeded(spec(1, 20_000)).unwrap();
    let all: Vec<Value> = (0..population.len()).map(|k| value(&population, k)).collect();
    let some = |test: &dyn Fn(&Value) -> bool| all.iter().filter(|event| test(event)).count();
    assert!(some(&|event| event.get("context").is_none()) > 10);
    assert!(some(&|event| event["context"] == serde_json::json!({})) > 10);
    assert!(some(&|event| event.get("context") == Some(&Value::Null)) > 10);
    assert!(some(&|event| event.get("user_email").is_none()) > 10);
    assert!(some(&|event| event.get("user_email") == Some(&Value::Null)) > 10);
    assert!(some(&|event| event["user_id"].is_string()) > 10);
    assert!(some(&|event| event["source_ip"].as_str().is_some_and(|ip| ip.contains("::"))) > 10);
    let text: String =
        population.events().map(|event| String::from_utf8_lossy(&event).into_owned()).collect();
    for part in [
        "\"=HYPERLINK(",
        "電話",
        "line one\\nline two",
        "\"00042\"",
        "\\u0007",
        "100.50",
        "https://api",
        "http://api",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn has_the_shape_of_an_office() {
    let population = Population::seeded(spec(1, 100_000)).unwrap();
    let (mut weekend, mut night, mut most_in_a_second) = (0, 0, 0);
    let mut k = 0;
    while k < population.len() {
        let second = population.second_of(k);
        let time = population.created_at(k).unwrap();
        let count = second.end - second.start;
        most_in_a_second = most_in_a_second.max(count);
        weekend += if clock::weekday(time.div_euclid(86_400)) >= 5 { count } else { 0 };
        night += if time.rem_euclid(86_400) < 5 * 3600 { count } else { 0 };
        k = second.end;
    }
    assert!(weekend > 0 && weekend < 10_000, "{weekend}");
    assert!(night > 0 && night < 5_000, "{night}");
    assert!(most_in_a_second > 100, "{most_in_a_second}");
}

use super::super::clock;

#[test]
fn given_lines_are_kept_exactly_and_ordered_by_time() {
    let lines: [&[u8]; 6] = [
        b"{\"id\" : \"b\", \"created_at\":\"2026-01-02T00:00:00\",\"event_type\":\"X\",\"n\":1.00}",
        b"{\"id\":\"none\",\"created_at\":\"yesterday\"}",
        b"{\"id\":\"a\",\"created_at\":\"2026-01-01T00:00:00Z\",\"event_type\":\"Y\"}",
        b"not json at all",
        b"{\"id\":\"bytes\",\"created_at\":\"2026-01-01T12:00:00\",\"x\":\"\xff\"}",
        b"{\"id\":\"b\",\"created_at\":\"2026-01-03T00:00:00\",\"event_type\":\"X\"}",
    ];
    let population = Population::from_ndjson(lines.join(&b"\r\n\n"[..])).unwrap();
    let ids: Vec<String> = (0..population.len()).map(|k| population.id(k)).collect();
    assert_eq!(ids, ["a", "bytes", "b", "b", "none", ""]);
    assert_eq!(population.dated(), 4);
    assert_eq!(population.event_json(2), lines[0]);
    assert_eq!(population.event_json(1), lines[4]);
    assert_eq!(population.event_type(0), "Y");
    assert_eq!(population.find("b"), Some(2));
    assert_eq!(population.created_at(4), None);
}

#[test]
fn refuses_what_it_cannot_hold() {
    let mut backwards = spec(1, 1);
    std::mem::swap(&mut backwards.from, &mut backwards.to);
    assert!(Population::seeded(backwards).is_err());
    assert!(Population::seeded(spec(1, 50_000_001)).is_err());
}
