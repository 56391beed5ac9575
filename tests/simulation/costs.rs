//! What proof costs in requests, and how few find a change of any age.

use vonage_audit::model::{Certificate, Grid, Level, Timestamp, Window};
use vonage_audit::pipeline::Extraction;
use vonage_audit::settle::{Settings, Settler};

use crate::block_on;
use crate::random::Random;
use crate::world::{Behaviour, Fact, World};

const DAY: i64 = 86_400;
const FROM: i64 = 1_735_689_600;

fn spread(events: u64, days: i64) -> Vec<Fact> {
    let mut random = Random::new(events);
    (0..events)
        .map(|id| {
            let shown = FROM + random.below(days as u64 * DAY as u64) as i64;
            Fact { id, shown, hidden: shown * 1000, kind: 0, appears: 0, vanishes: u64::MAX }
        })
        .collect()
}

fn days(count: i64) -> Window {
    let from = Timestamp::from_seconds(FROM);
    Window::new(from, from.plus_seconds(count * DAY))
}

/// Settles everything as a run does; gives the certificates and the requests it took.
fn extract(world: &World, range: Window, level: Level) -> (Vec<Certificate>, u64) {
    let settler = Settler::new(world, Settings { level, ..Settings::default() });
    let before = world.requests();
    let certificates = block_on(async {
        settler.probe(range).await.unwrap();
        let units = settler.survey(range, Grid::Day).await.unwrap();
        let mut extraction = Extraction::new(&settler, units, 4);
        let mut certificates = Vec::new();
        while let Some((_, outcome)) = extraction.next().await {
            certificates.push(outcome.unwrap().certificate);
        }
        certificates
    });
    (certificates, world.requests() - before)
}

#[test]
fn a_quiet_year_takes_a_few_requests() {
    let world = World::new(spread(300, 365), Behaviour::still(), 1);
    let (certificates, requests) = extract(&world, days(365), Level::Bracketed);
    assert_eq!(certificates.iter().map(|certificate| certificate.events).sum::<u64>(), 300);
    println!("costs: a year with 300 events: {requests} requests in {} units", certificates.len());
    assert!(requests < 20, "{requests}");
}

#[test]
fn each_level_costs_what_the_documentation_says() {
    // 10 days of about 1,200 events: 12 pages a day, so that the rest of the last page is seen as overhead too.
    let events = 12_000;
    for (level, walks) in [(Level::Bracketed, 1), (Level::Double, 2)] {
        let world = World::new(spread(events, 10), Behaviour::still(), 1);
        let (certificates, requests) = extract(&world, days(10), level);
        assert_eq!(certificates.iter().map(|certificate| certificate.events).sum::<u64>(), events);
        let units = certificates.len() as u64;
        let pages = events / 100 * walks;
        let overhead = (requests - pages) as f64 / units as f64;
        println!(
            "costs: {events} events in {units} windows, {}: {requests} requests, {pages} full pages and {overhead:.1} more a window",
            level.name()
        );
        assert!(requests <= pages + units * (3 + walks) + 10, "{requests}");
    }
}

#[test]
fn a_change_of_any_age_is_found_by_few_counts() {
    let range = days(3_650);
    let quiet = World::new(spread(4_000, 3_650), Behaviour::still(), 1);
    let settings = Settings { coarse_limit: 100, ..Settings::default() };
    let settler = Settler::new(&quiet, settings.clone());
    let certificates = block_on(async {
        let mut certificates = Vec::new();
        for unit in settler.survey(range, Grid::Day).await.unwrap() {
            certificates.push(settler.settle(unit.range).await.unwrap().certificate);
        }
        certificates
    });
    let before = quiet.requests();
    assert!(block_on(settler.changed(&certificates)).unwrap().is_empty());
    let unchanged = quiet.requests() - before;

    let mut worst = 0;
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let mut facts = quiet.facts.clone();
        let shown = FROM + random.below(3_650 * DAY as u64) as i64;
        if random.once_in(3) {
            facts.remove(random.below(4_000) as usize);
        } else {
            facts.push(Fact {
                id: 1 << 30,
                shown,
                hidden: shown * 1000,
                kind: 0,
                appears: 0,
                vanishes: u64::MAX,
            });
        }
        let moved: Vec<i64> = {
            let ids = |facts: &[Fact]| {
                facts.iter().map(|fact| (fact.id, fact.shown)).collect::<std::collections::BTreeSet<_>>()
            };
            ids(&quiet.facts).symmetric_difference(&ids(&facts)).map(|(_, shown)| *shown).collect()
        };
        let world = World::new(facts, Behaviour::still(), seed);
        let settler = Settler::new(&world, settings.clone());
        let found = block_on(settler.changed(&certificates)).unwrap();
        let at = Timestamp::from_seconds(moved[0]);
        assert!(found.iter().any(|certificate| certificate.range.contains(at)), "seed {seed}");
        assert!(found.len() <= 2, "seed {seed}: {}", found.len());
        worst = worst.max(world.requests());
    }
    println!(
        "costs: ten years in {} certificates: {unchanged} requests when nothing changed, at most {worst} to find a change",
        certificates.len()
    );
    assert!(unchanged <= 6, "{unchanged}");
    assert!(worst <= 30, "{worst}");
}
