use std::collections::BTreeSet;

use bytes::Bytes;
use proptest::prelude::*;

use super::inside as inside_of;
use super::*;
use crate::error::Kind;
use crate::model::{EventId, Timestamp, Window};
use crate::settle::Settled;
use crate::settle::order::settled;

const FROM: i64 = 1_000;
const SECONDS: i64 = 60;

/// One event as a part of the range may show it.
#[derive(Clone, Debug)]
struct Shown {
    id: u8,
    spelling: u8,
}

/// The id says time, border and flaw; the spelling which bytes tell it. 0 to 4 have one content, 5 another one, 6 is
/// not UTF-8.
fn event(shown: &Shown) -> Event {
    let Shown { id, spelling } = *shown;
    let at = match id % 5 {
        0 => FROM + i64::from(id) % SECONDS,
        1 => FROM + SECONDS / 2,
        2 => FROM - 1,
        3 => FROM + SECONDS + 1,
        _ => FROM + SECONDS - 3,
    };
    let created_at = (id % 11 != 10).then(|| Timestamp::from_seconds(at));
    let text: Vec<u8> = match spelling {
        0 => format!(r#"{{"id":"{id}","a":1}}"#).into(),
        1 => format!(r#"{{"a":1,"id":"{id}"}}"#).into(),
        2 => format!(r#"{{ "a":1,"id":"{id}" }}"#).into(),
        3 => format!(r#"{{"a":1,"id":"{id}","_links":{{}}}}"#).into(),
        4 => format!(r#"{{"a":1,"id":"{id}","_links":{{"self":0}}}}"#).into(),
        5 => format!(r#"{{"id":"{id}","a":2}}"#).into(),
        _ => [br#"{"a":"#.as_slice(), &[0xff], b"}"].concat(),
    };
    let flaw = (spelling == 6).then_some(Flaw::NotUtf8);
    Event { id: EventId::new(&id.to_string()), created_at, text: Bytes::from(text), flaw }
}

/// Parts as walks give them, `rare` in 200 events of another content.
fn parts(rare: u32) -> impl Strategy<Value = Vec<Vec<Shown>>> {
    let spelling = (0..200_u32, 0..5_u8).prop_map(move |(draw, plain)| match draw {
        draw if draw < rare => 5,
        draw if draw < 10 => 6,
        _ => plain,
    });
    let shown = (any::<u8>(), spelling).prop_map(|(id, spelling)| Shown { id, spelling });
    prop::collection::vec(prop::collection::vec(shown, 0..40), 0..7)
}

fn part(events: &[Shown]) -> Part {
    let mut seen = BTreeSet::new();
    let mut walked = Collection::default();
    for shown in events.iter().filter(|shown| seen.insert(shown.id)) {
        walked.add(event(shown)).unwrap();
    }
    let level = if events.len().is_multiple_of(3) { Level::Bracketed } else { Level::Double };
    let (total, distinct) = (walked.len(), walked.len());
    Part { certain: Certain { level, total, distinct, events: walked.into(), proofs: Vec::new() }, parts: 1 }
}

/// What parts are said to have inside of them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    Nothing,
    /// Each what the whole would have if it were cut into equal parts.
    Cut,
    /// Each the whole, and more.
    All,
}

/// How a union is made.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// Of unions of two parts each.
    nested: bool,
    told: Told,
}

fn ways() -> [Way; 6] {
    let way = |nested, told| Way { nested, told };
    [
        way(false, Told::Nothing),
        way(true, Told::Nothing),
        way(false, Told::Cut),
        way(true, Told::Cut),
        way(false, Told::All),
        way(true, Told::All),
    ]
}

fn union(parts: &[Vec<Shown>], scratch: &Scratch, Way { nested, told }: Way) -> Result<Part> {
    let step = SECONDS / i64::try_from(parts.len().max(1)).unwrap();
    let window = |from: i64, to: i64| Window::new(Timestamp::from_seconds(from), Timestamp::from_seconds(to));
    let inside = |number: usize| match told {
        Told::Nothing => None,
        Told::Cut => {
            let from = FROM + step * i64::try_from(number).unwrap();
            inside_of(window(from, from + step), 0)
        }
        Told::All => Some(window(FROM - 5, FROM + SECONDS + 5)),
    };
    let pool = pool(scratch);
    let mut whole = Union::new(scratch, &pool, 0);
    let all: Vec<_> = parts.iter().enumerate().collect();
    if nested {
        for two in all.chunks(2) {
            let mut inner = Union::new(scratch, &pool, 1);
            two.iter().try_for_each(|(number, events)| inner.take(part(events), inside(*number)))?;
            whole.take(inner.finish()?, inside(two[0].0))?;
        }
    } else {
        all.iter().try_for_each(|(number, events)| whole.take(part(events), inside(*number)))?;
    }
    whole.finish()
}

fn whole(parts: &[Vec<Shown>], scratch: &Scratch, way: Way) -> Result<Settled> {
    let from = Timestamp::from_seconds(FROM);
    let range = Window::new(from, from.plus_seconds(SECONDS));
    settled(range, 2, union(parts, scratch, way)?, scratch)
}

/// What everything in one map says, part after part.
fn expected(parts: &[Vec<Shown>]) -> Result<Vec<Event>> {
    let mut all = Collection::default();
    for events in parts {
        part(events).certain.events.each(|event| all.add(event))?;
    }
    let mut events: Vec<_> = all.into_events().collect();
    events.sort_unstable_by(|one, other| one.sort_key().cmp(&other.sort_key()));
    Ok(events)
}

fn all(settled: &Settled) -> Vec<Event> {
    let mut events = settled.events.to_vec().unwrap();
    assert!(events.is_sorted_by_key(|event| (event.created_at, event.id.clone())));
    assert_eq!(settled.certificate.events, settled.events.len());
    events.extend(settled.outside.iter().chain(&settled.strays).cloned());
    assert_eq!(settled.certificate.distinct, u64::try_from(events.len()).unwrap());
    events.sort_unstable_by(|one, other| one.sort_key().cmp(&other.sort_key()));
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn neither_memory_nor_what_parts_are_said_to_have_inside_decides_about_a_union(parts in prop_oneof![Just(0), Just(2)].prop_flat_map(parts)) {
        let place = tempfile::tempdir().unwrap();
        let expected = expected(&parts);
        for memory in [0, 1_000, 10_000, 100_000, u64::MAX] {
            for way in ways() {
                let scratch = Scratch::new(place.path().to_owned(), memory, u64::MAX);
                match (&expected, whole(&parts, &scratch, way)) {
                    (Ok(expected), Ok(found)) => {
                        prop_assert_eq!(&all(&found), expected);
                        let one = whole(&parts, &Scratch::default(), way).unwrap();
                        prop_assert_eq!(&found.certificate, &one.certificate);
                        prop_assert_eq!(&found.outside, &one.outside);
                        prop_assert_eq!(&found.strays, &one.strays);
                    }
                    (Err(expected), Err(found)) => {
                        prop_assert_eq!(expected.kind(), Kind::Contradiction);
                        prop_assert_eq!(found.kind(), Kind::Contradiction);
                    }
                    (expected, found) => prop_assert!(false, "{expected:?}, then {found:?}"),
                }
            }
        }
    }
}

/// Parts as an API shows them that keeps to what is asked, but for a few events: those of its cut, two seconds more on both
/// sides; and whether there are no such few.
fn dealt() -> impl Strategy<Value = (Vec<Vec<Shown>>, bool)> {
    let few = prop::collection::vec((0..4_usize, any::<u8>(), 0..5_u8), 0..3);
    (1..4_i64, any::<u64>(), prop_oneof![2 => Just(Vec::new()), 1 => few]).prop_map(|(count, seed, few)| {
        let step = SECONDS / count;
        let mut parts: Vec<Vec<Shown>> = Vec::new();
        for from in (0..count).map(|number| FROM + step * number) {
            let asked = from - 2..from + step + 3;
            let shown = |id: u8| Shown { id, spelling: ((seed >> (id % 60)) % 3) as u8 };
            let own = (0..=u8::MAX)
                .map(shown)
                .filter(|shown| event(shown).created_at.is_some_and(|at| asked.contains(&at.seconds())));
            parts.push(own.collect());
        }
        let exact = few.is_empty();
        for (part, id, spelling) in few {
            if let Some(part) = parts.get_mut(part) {
                part.push(Shown { id, spelling });
            }
        }
        (parts, exact)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn parts_that_follow_on_each_other_are_joined_without_looking_into_them((parts, exact) in dealt()) {
        let place = tempfile::tempdir().unwrap();
        let expected = expected(&parts).unwrap();
        for memory in [0, 10_000, u64::MAX] {
            for way in ways() {
                let scratch = Scratch::new(place.path().to_owned(), memory, u64::MAX);
                let joined = union(&parts, &scratch, way).unwrap().certain.events;
                let Distinct::Joined(Joined { inner, border, .. }) = &joined else {
                    return Err(TestCaseError::fail("not joined"));
                };
                let usual = exact && way.told == Told::Cut;
                prop_assert!(!usual || (inner.len() == parts.len() && border.len() < joined.len()));
                prop_assert_eq!(&all(&whole(&parts, &scratch, way).unwrap()), &expected);
            }
        }
    }
}

/// One id in as many texts as there are, each in a part of its own.
fn texts(texts: &[&'static [u8]]) -> Result<Vec<Event>> {
    let scratch = Scratch::default();
    let mut union = Union::new(&scratch, &pool(&scratch), 0);
    for text in texts {
        let flaw = std::str::from_utf8(text).is_err().then_some(Flaw::NotUtf8);
        let (id, text) = (EventId::new("a"), Bytes::from_static(text));
        let mut walked = Collection::default();
        walked.add(Event { id, created_at: None, text, flaw }).unwrap();
        let events = walked.into();
        let certain = Certain { level: Level::Double, total: 1, distinct: 1, events, proofs: Vec::new() };
        union.take(Part { certain, parts: 1 }, None)?;
    }
    let mut found = Vec::new();
    union.finish()?.certain.events.each(|event| {
        found.push(event);
        Ok(())
    })?;
    Ok(found)
}

#[test]
fn a_text_that_is_whole_stays_and_broken_ones_need_one() {
    let (whole, low, high) = (&br#"{"id":"a"}"#[..], &b"\x21\xff"[..], &b"\xfe"[..]);
    for order in [[low, high, whole], [whole, low, high], [high, whole, low]] {
        let found = texts(&order).unwrap();
        assert_eq!(found.iter().map(|event| &event.text[..]).collect::<Vec<_>>(), [whole]);
    }
    assert_eq!(texts(&[low, low]).unwrap().len(), 1);
    assert_eq!(texts(&[low, high, low]).unwrap_err().kind(), Kind::Contradiction);
}
