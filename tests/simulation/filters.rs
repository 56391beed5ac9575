//! The 480 ways to understand the bounds: never a silent loss, never a double.

use std::collections::BTreeSet;

use vonage_audit::error::{Kind, Result};
use vonage_audit::model::{EventId, Grid, Timestamp, Window};
use vonage_audit::pipeline::Extraction;
use vonage_audit::settle::{Settings, Settler, Source};

use crate::random::Random;
use crate::semantics::Semantics;
use crate::world::{Behaviour, Churn, Fact, World, facts};
use crate::{block_on, number};

const DAY: i64 = 86_400;
const FROM: i64 = 1_772_323_200;

fn world(semantics: Semantics, seed: u64) -> World {
    let mut random = Random::new(seed);
    let count = 1 + random.below(24);
    // Two days before and after the three that are asked for, clustered on the borders.
    let mut facts = facts(&mut random, count, FROM - 2 * DAY, 7 * DAY, Churn::None, 1);
    for fact in &mut facts {
        if random.once_in(2) {
            fact.shown = FROM + random.below(4) as i64 * DAY + random.below(9) as i64 - 4;
        } else if random.once_in(2) {
            // Within the reach of a shifted zone.
            fact.shown = FROM + random.below(4) as i64 * DAY + random.below(40_000) as i64 - 20_000;
        }
        fact.hidden = semantics.hidden(fact.shown, random.below(1000) as i64);
    }
    World::new(facts, Behaviour { semantics, ..Behaviour::still() }, random.next())
}

/// All ids of the range, as a run collects them.
async fn run(world: &World, range: Window) -> Result<Vec<EventId>> {
    let settings =
        Settings { page_size: 10, walk_limit: 50, coarse_limit: 0, attempts: 1, ..Settings::default() };
    let settler = Settler::new(world, settings);
    settler.probe(range).await?;
    let units = settler.survey(range, Grid::Day).await?;
    let mut extraction = Extraction::new(&settler, units, 2);
    let mut ids = Vec::new();
    while let Some((_, outcome)) = extraction.next().await {
        ids.extend(outcome?.events.to_vec()?.into_iter().map(|event| event.id));
    }
    Ok(ids)
}

/// The control: one question a day with plain bounds.
async fn plain_tiling(world: &World, range: Window) -> Result<BTreeSet<EventId>> {
    let mut ids = BTreeSet::new();
    for day in Grid::Day.windows(range) {
        let query =
            vonage_audit::model::Query { from: Some(day.from), to: Some(day.to), ..Default::default() };
        ids.extend(world.page(&query, 1, 100).await?.events.into_iter().map(|event| event.id));
    }
    Ok(ids)
}

#[test]
fn no_meaning_of_the_bounds_loses_or_doubles_an_event_silently() {
    let worlds = number("SIMULATION_WORLDS").unwrap_or(5);
    let from = Timestamp::from_seconds(FROM);
    let range = Window::new(from, from.plus_seconds(3 * DAY));
    let (mut exact, mut refused, mut plain_lost, mut requests) = (0_u64, 0_u64, 0_u64, 0_u64);
    for (position, semantics) in Semantics::all().into_iter().enumerate() {
        for repeat in 0..worlds {
            let seed = (position as u64) << 32 | repeat;
            let world = world(semantics, seed);
            let truth: BTreeSet<EventId> = world
                .facts
                .iter()
                .filter(|fact| range.contains(Timestamp::from_seconds(fact.shown)))
                .map(Fact::event_id)
                .collect();
            match block_on(run(&world, range)) {
                Ok(ids) => {
                    exact += 1;
                    let distinct: BTreeSet<_> = ids.iter().cloned().collect();
                    assert_eq!(distinct.len(), ids.len(), "doubled: seed {seed} {semantics:?}");
                    assert_eq!(distinct, truth, "seed {seed} {semantics:?}");
                }
                Err(error) => {
                    refused += 1;
                    assert!(
                        [Kind::Contradiction, Kind::Unproven].contains(&error.kind()),
                        "seed {seed}: {error}"
                    );
                }
            }
            requests += world.requests();
            let plain = block_on(plain_tiling(&world, range)).unwrap();
            plain_lost += u64::from(!truth.is_subset(&plain));
        }
    }
    let runs = exact + refused;
    println!(
        "filters: 480 semantics x {worlds} worlds: {exact} exact, {refused} refused, 0 lost, 0 doubled, {} requests a run; \
         control: plain tiling lost events in {plain_lost} of {runs}",
        requests / runs
    );
    assert!(plain_lost * 10 > runs, "the simulation does not bite");
}

#[test]
fn an_ignored_filter_is_a_contradiction() {
    let world = world(Semantics { ignored: true, ..Semantics::documented() }, 1);
    let from = Timestamp::from_seconds(FROM);
    let error = block_on(run(&world, Window::new(from, from.plus_seconds(DAY)))).unwrap_err();
    assert_eq!(error.kind(), Kind::Contradiction);
    assert!(error.to_string().contains("ignores the date filter"), "{error}");
}
