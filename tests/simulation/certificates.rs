//! Certificates under churn: every certified set must be one that was really visible.

use std::collections::{BTreeMap, BTreeSet};

use vonage_audit::error::Kind;
use vonage_audit::model::{EventId, Level, Timestamp, Window};
use vonage_audit::settle::{Settings, Settled, Settler};

use crate::random::Random;
use crate::semantics::Semantics;
use crate::world::{Behaviour, Churn, Fact, Order, World, facts};
use crate::{block_on, seeds, vendor};

const FROM: i64 = 1_772_323_200;
const SECONDS: i64 = 7_200;
const PAGE: u32 = 4;

/// One history: world, what is asked, at which level.
pub struct History {
    pub world: World,
    pub range: Window,
    pub settings: Settings,
}

pub fn history(seed: u64) -> History {
    let mut random = Random::new(seed);
    let churn = *random.pick(&[
        Churn::None,
        Churn::Arrivals,
        Churn::LateArrivals,
        Churn::Removals,
        Churn::ArrivalsAndRemovals,
        Churn::ArrivalsAndRemovals,
    ]);
    let order = *random.pick(&[Order::Newest, Order::Oldest, Order::UnstableTies, Order::Shuffled]);
    let count = random.below(30);
    let busy = 1 + random.below(80);
    let facts = facts(&mut random, count, FROM - 600, SECONDS + 1200, churn, busy);
    let walk_limit = *random.pick(&[8, 8, 16, 1_000]);
    // A count and a list that stop together at one limit would be a perfect lie, but for the count without dates.
    let limited = random.once_in(6);
    // A count that lies is outside of what can be promised while events come and go; while nothing moves it must be
    // noticed. A count that is cut off above the walk limit must always be.
    let total_error = if churn == Churn::None && !limited { *random.pick(&[0, 0, 1, -1]) } else { 0 };
    let capped = limited || (random.once_in(5) && (churn == Churn::None || walk_limit == 8));
    let behaviour = Behaviour {
        order,
        atomic: random.once_in(2),
        semantics: Semantics {
            from_inclusive: random.once_in(2),
            to_inclusive: random.once_in(2),
            ..Semantics::documented()
        },
        fault_in: *random.pick(&[0, 0, 0, 25]),
        depth: (random.once_in(4) && total_error == 0).then_some(12),
        listed: limited.then_some(9),
        total_cap: capped.then_some(9),
        total_error,
        lag: *random.pick(&[0, 0, 0, 0, 5]),
    };
    let monotone = churn.monotone() && behaviour.lag == 0;
    let level = if monotone && random.once_in(2) { Level::Bracketed } else { Level::Double };
    let settings = Settings {
        page_size: PAGE,
        walk_limit,
        smallest_limit: 5,
        attempts: 1 + random.below(3) as u32,
        level,
        in_flight: 1 + random.below(4) as usize,
        ..Settings::default()
    };
    let from = Timestamp::from_seconds(FROM);
    let range = Window::new(from, from.plus_seconds(SECONDS));
    History { world: World::new(facts, behaviour, random.next()), range, settings }
}

fn inside(range: Window, fact: &Fact) -> bool {
    range.contains(Timestamp::from_seconds(fact.shown))
}

/// Events of the range that were visible from the first instant to the last.
fn throughout(world: &World, range: Window, first: u64, last: u64) -> BTreeSet<EventId> {
    let stays = |fact: &&Fact| fact.appears <= first && fact.vanishes > last && inside(range, fact);
    world.facts.iter().filter(stays).map(Fact::event_id).collect()
}

/// Why a certified set is not one that was visible; `None` when it is sound.
fn unsound(world: &World, range: Window, settled: &Settled, first: u64, last: u64) -> Option<String> {
    let ids: BTreeSet<EventId> = settled.events.iter().map(|event| event.unwrap().id).collect();
    if ids.len() as u64 != settled.events.len() {
        return Some("an event is doubled".to_owned());
    }
    let first = first.saturating_sub(2 * world.behaviour.lag);
    let lost: Vec<_> = throughout(world, range, first, last).difference(&ids).cloned().collect();
    if !lost.is_empty() {
        return Some(format!("events visible throughout are missing: {lost:?}"));
    }
    let facts: BTreeMap<EventId, &Fact> = world.facts.iter().map(|fact| (fact.event_id(), fact)).collect();
    for id in &ids {
        let fact = facts.get(id)?;
        if !inside(range, fact) || fact.appears > last || fact.vanishes <= first {
            return Some(format!("an event was never visible in the range: {id:?}"));
        }
    }
    if settled.certificate.parts == 1 {
        // One certificate: there must be one instant whose whole set it holds.
        let holds = |instant: u64| {
            world
                .facts
                .iter()
                .filter(|fact| fact.visible(instant) && inside(range, fact))
                .all(|fact| ids.contains(&fact.event_id()))
        };
        if !(first..=last).any(holds) {
            return Some("the set was not visible at any one instant".to_owned());
        }
    }
    None
}

#[test]
fn no_certificate_is_unsound_whatever_the_server_does() {
    let (mut certified, mut refused, mut bracketed, mut split, mut vendor_runs, mut vendor_lost) =
        (0, 0, 0, 0, 0, 0);
    let (mut stale, mut stale_unsound) = (0, 0);
    for seed in seeds("SIMULATION_SEEDS", 5_000) {
        let History { world, range, settings } = history(seed);
        let first = world.instant();
        let outcome = block_on(async {
            let settler = Settler::new(&world, settings);
            settler.probe(range).await?;
            settler.settle(range).await
        });
        let last = world.instant();
        match outcome {
            Ok(settled) => {
                certified += 1;
                bracketed += u64::from(settled.certificate.level == Level::Bracketed);
                split += u64::from(settled.certificate.parts > 1);
                assert_ne!(settled.certificate.level, Level::None, "seed {seed}");
                let finding = unsound(&world, range, &settled, first, last);
                if world.behaviour.lag > 0 {
                    // Replicas that lag make ids hide and return. No certificate can promise anything then, which the
                    // documentation says; how often it matters is printed.
                    stale += 1;
                    stale_unsound += u64::from(finding.is_some());
                } else if let Some(reason) = finding {
                    panic!("seed {seed}: {reason}; {:?} {:?}", settled.certificate, world.behaviour);
                }
            }
            Err(error) => {
                refused += 1;
                let expected = [Kind::Unproven, Kind::Unavailable, Kind::Refused, Kind::Contradiction];
                assert!(expected.contains(&error.kind()), "seed {seed}: {error}");
            }
        }

        // The control, on the same history from its start, where no fault ends it.
        let History { world, range, .. } = history(seed);
        let first = world.instant();
        if let Ok(ids) = block_on(vendor::walk(&world, range, PAGE)) {
            vendor_runs += 1;
            let lost = throughout(&world, range, first, world.instant()).difference(&ids).count();
            vendor_lost += u64::from(lost > 0);
        }
    }
    println!(
        "certificates: {certified} certified ({bracketed} bracketed, {split} in parts), {refused} refused, 0 unsound; \
         control: the vendor's walk lost events in {vendor_lost} of {vendor_runs} runs"
    );
    println!("outside the promise: replicas that lag, {stale} certified, {stale_unsound} of them unsound");
    assert!(certified > 0 && bracketed > 0 && split > 0 && refused > 0);
    assert!(
        vendor_lost * 20 > vendor_runs,
        "the simulation does not bite: the control lost {vendor_lost} of {vendor_runs}"
    );
}
