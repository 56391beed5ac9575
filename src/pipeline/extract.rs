//! Settled units in ascending order, each held back until its neighbour agrees with it.
//!
//! What lives here: [`Extraction`]. Several units are settled at the same time; what comes out is in order. What this
//! file must not know: rows, files.

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};

use crate::error::{Error, Kind, Result};
use crate::model::Window;
use crate::settle::{Settled, Settler, Source};

/// Most times that two neighbours are settled again because they disagree at their border: once for events that
/// arrived meanwhile, then with wide padding, then once more for arrivals.
const AGREEMENT_ROUNDS: u32 = 3;

/// A unit's outcome: its range, and its events or why they are not certain.
pub type Unit = (Window, Result<Settled>);

/// Settles units ahead and gives them out in order.
pub struct Extraction<'a, S> {
    settler: &'a Settler<'a, S>,
    ahead: BoxStream<'a, Unit>,
    held: Option<Settled>,
    /// A unit that failed, to be given out after the one that is held.
    failed: Option<(Window, Error)>,
}

impl<'a, S: Source> Extraction<'a, S> {
    /// Settles `units`, which ascend in time, at most `in_flight` at the same time.
    pub fn new(settler: &'a Settler<'a, S>, units: Vec<Window>, in_flight: usize) -> Self {
        let settle = move |unit: Window| -> BoxFuture<'a, Unit> {
            Box::pin(async move { (unit, settler.settle(unit).await) })
        };
        let ahead = stream::iter(units).map(settle).buffered(in_flight.max(1)).boxed();
        Self { settler, ahead, held: None, failed: None }
    }

    /// The next unit in order; `None` when all have been given out.
    pub async fn next(&mut self) -> Option<Unit> {
        loop {
            if self.held.is_none()
                && let Some((range, error)) = self.failed.take()
            {
                return Some((range, Err(error)));
            }
            match self.ahead.next().await {
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
    async fn agree(&mut self, held: Settled, next: Settled) -> Unit {
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
            match self.settler.settle(held.certificate.range).await {
                Ok(again) => held = again,
                Err(error) => {
                    let range = held.certificate.range;
                    self.held = Some(next);
                    return (range, Err(error));
                }
            }
            match self.settler.settle(next.certificate.range).await {
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

fn given(settled: Settled) -> Unit {
    (settled.certificate.range, Ok(settled))
}
