//! Settled units in ascending order, each held back until its neighbour agrees with it.
//!
//! What lives here: [`Extraction`]. Several units are settled at the same time; what comes out is in order. What this
//! file must not know: rows, files.

use std::collections::VecDeque;
use std::future::Future;
use std::iter::Peekable;
use std::pin::pin;

use futures::future::{BoxFuture, Either, select};
use futures::stream::{FuturesOrdered, StreamExt};

use super::progress::Progress;
use crate::error::{Error, Kind, Result};
use crate::model::Window;
use crate::settle::{Settled, Settler, Source, Unit};

/// Most times that two neighbours are settled again because they disagree at their border: once for events that
/// arrived meanwhile, then with wide padding, then once more for arrivals.
const AGREEMENT_ROUNDS: u32 = 3;

/// Events that the units ahead may have together, as far as their counts and those before them tell; about 20 MB. Two
/// units are always settled at the same time.
const EVENTS_AHEAD: u64 = 16_000;

/// No unit counts as smaller.
const SMALLEST: u64 = 250;

/// A unit's outcome: its range, and its events or why they are not certain.
pub type Outcome = (Window, Result<Settled>);

/// Settles units ahead and gives them out in order.
pub struct Extraction<'a, S> {
    settler: &'a Settler<'a, S>,
    observe: &'a (dyn Fn(Progress) + Sync),
    units: Peekable<std::vec::IntoIter<Unit>>,
    /// Those that are settled now; what each is expected to have is at the same place in `expected`.
    running: FuturesOrdered<BoxFuture<'a, Outcome>>,
    expected: VecDeque<u64>,
    /// Units that were done before anybody asked for them.
    ready: VecDeque<Outcome>,
    in_flight: usize,
    /// By how much, in percent, a unit has had more events than expected at most.
    excess: u64,
    held: Option<Settled>,
    /// A unit that failed, to be given out after the one that is held.
    failed: Option<(Window, Error)>,
}

impl<'a, S: Source> Extraction<'a, S> {
    /// Settles `units`, which ascend in time, at most `in_flight` at the same time.
    pub fn new(settler: &'a Settler<'a, S>, units: Vec<Unit>, in_flight: usize) -> Self {
        Self {
            settler,
            observe: &|_| {},
            units: units.into_iter().peekable(),
            running: FuturesOrdered::new(),
            expected: VecDeque::new(),
            ready: VecDeque::new(),
            in_flight: in_flight.max(1),
            excess: 100,
            held: None,
            failed: None,
        }
    }

    /// Tells `observe` when a unit begins and ends to be settled.
    #[must_use]
    pub fn told_to(mut self, observe: &'a (dyn Fn(Progress) + Sync)) -> Self {
        self.observe = observe;
        self
    }

    /// Does some work while the units ahead go on. Whatever waits longer must wait here: a unit that nobody drives keeps
    /// its requests in flight, and others would wait for their places.
    pub async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            self.fill();
            if self.running.is_empty() {
                return work.await;
            }
            let unit = match select(work.as_mut(), self.running.next()).await {
                Either::Left((done, _)) => return done,
                Either::Right((unit, _)) => unit,
            };
            if let Some(unit) = unit {
                let unit = self.measured(unit);
                self.ready.push_back(unit);
            }
        }
    }

    /// The next unit in order as it was settled.
    async fn ahead(&mut self) -> Option<Outcome> {
        self.fill();
        match self.ready.pop_front() {
            Some(unit) => Some(unit),
            None => self.running.next().await.map(|unit| self.measured(unit)),
        }
    }

    /// Starts as many units as may be ahead: many small ones, since each waits for its own counts; few large ones.
    fn fill(&mut self) {
        while let Some(unit) = self.units.peek() {
            let running =
                self.expected.iter().fold(unit.events.max(SMALLEST), |all, one| all.saturating_add(*one));
            let ready = self
                .ready
                .iter()
                .map(|(_, outcome)| events(outcome).max(SMALLEST))
                .fold(0, u64::saturating_add);
            let fits = (running.saturating_mul(self.excess) / 100).saturating_add(ready) <= EVENTS_AHEAD;
            let few = self.running.len() + self.ready.len() < self.in_flight.min(2);
            if self.running.len() >= self.in_flight || !(fits || few) {
                return;
            }
            let (settler, observe, range) = (self.settler, self.observe, unit.range);
            self.running.push_back(Box::pin(async move { (range, settle(settler, observe, range).await) }));
            self.expected.push_back(unit.events.max(SMALLEST));
            self.units.next();
        }
    }

    fn measured(&mut self, unit: Outcome) -> Outcome {
        let expected = self.expected.pop_front().unwrap_or(SMALLEST);
        self.excess = self.excess.max(events(&unit.1).saturating_mul(100) / expected.max(1));
        unit
    }

    /// The next unit in order; `None` when all have been given out.
    pub async fn next(&mut self) -> Option<Outcome> {
        loop {
            if self.held.is_none()
                && let Some((range, error)) = self.failed.take()
            {
                return Some((range, Err(error)));
            }
            match self.ahead().await {
                None => return self.held.take().map(given),
                Some((range, Err(error))) => match self.held.take() {
                    Some(held) => {
                        self.failed = Some((range, error));
                        return Some(given(held));
                    }
                    None => return Some((range, Err(error))),
                },
                Some((_, Ok(next))) => match self.held.take() {
                    None => self.held = Some(next),
                    Some(held) => return Some(self.agree(held, next).await),
                },
            }
        }
    }

    /// Gives out `held` once it and `next` agree where their questions overlap.
    async fn agree(&mut self, held: Settled, next: Settled) -> Outcome {
        let (mut held, mut next) = (held, next);
        for round in 0..=AGREEMENT_ROUNDS {
            let lost = async { Ok((held.misses(&next).await?, next.misses(&held).await?)) };
            let (lost_here, lost_there) = match lost.await {
                Ok(lost) => lost,
                Err(error) => {
                    let range = held.certificate.range;
                    self.held = Some(next);
                    return (range, Err(error));
                }
            };
            if lost_here == 0 && lost_there == 0 {
                self.held = Some(next);
                return given(held);
            }
            if round == AGREEMENT_ROUNDS {
                let (at_fault, lost) = if lost_here > 0 { (&held, lost_here) } else { (&next, lost_there) };
                let error = Error::new(Kind::Contradiction, "the API's date filter loses events at a border")
                    .at("window", at_fault.certificate.range)
                    .at("events", lost)
                    .hint("its windows cannot be told apart, so they cannot be proven; run `vonage-audit probe`");
                if lost_here > 0 {
                    self.held = Some(next);
                    return (held.certificate.range, Err(error));
                }
                self.failed = Some((next.certificate.range, error));
                return given(held);
            }
            if round > 0 {
                self.settler.widen();
            }
            // Both, so that neither certificate is older than what the other has seen.
            let (settler, observe) = (self.settler, self.observe);
            match self.beside(settle(settler, observe, held.certificate.range)).await {
                Ok(again) => held = again,
                Err(error) => {
                    let range = held.certificate.range;
                    self.held = Some(next);
                    return (range, Err(error));
                }
            }
            match self.beside(settle(settler, observe, next.certificate.range)).await {
                Ok(again) => next = again,
                Err(error) => {
                    self.failed = Some((next.certificate.range, error));
                    return given(held);
                }
            }
        }
        given(held)
    }
}

async fn settle<S: Source>(
    settler: &Settler<'_, S>,
    observe: &(dyn Fn(Progress) + Sync),
    range: Window,
) -> Result<Settled> {
    observe(Progress::Settling { range });
    let outcome = settler.settle(range).await;
    observe(match &outcome {
        Ok(Settled { certificate, events, .. }) => {
            Progress::Settled { range, events: events.len(), level: certificate.level }
        }
        Err(error) => Progress::Unsettled { range, kind: error.kind() },
    });
    outcome
}

fn given(settled: Settled) -> Outcome {
    (settled.certificate.range, Ok(settled))
}

fn events(outcome: &Result<Settled>) -> u64 {
    outcome.as_ref().map_or(0, |settled| settled.events.len())
}
