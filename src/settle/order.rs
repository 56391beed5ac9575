//! The events of a range in the order of rows.
//!
//! What lives here: [`settled`], which says of a certain set what belongs to its range, and puts it in order: what parts had
//! inside of them stands in order already, and the few that parts may have shared are put in between.
//! What this file must not know: how the set became certain.

use super::Settled;
use super::split::Part;
use super::union::{self, Distinct, Inner, Joined};
use crate::error::Result;
use crate::model::{Certificate, Event, Evidence, Timestamp, Window};
use crate::spool::{Events, Order, Scratch, Sorted, Sorter};

/// What a certain set says of its range.
pub(super) fn settled(range: Window, padding: u32, whole: Part, scratch: &Scratch) -> Result<Settled> {
    let Part { certain, parts } = whole;
    let share = union::share(scratch, 0);
    let mut sifted = Sifted::new(range, padding);
    let events = match certain.events {
        Distinct::Walked(events) => {
            let mut within = Vec::new();
            for event in events.into_events() {
                within.extend(sifted.own(event));
            }
            Order::Time.sort(&mut within);
            union::pool(scratch).keep(within)?
        }
        Distinct::Joined(Joined { inner, border, .. }) if in_order(range, &inner) => {
            let mut within = Sorter::new(scratch, share, Order::Time);
            for event in border.iter() {
                sifted.own(event?).map_or(Ok(()), |event| within.push(event))?;
            }
            let within = within.finish()?.into_events(scratch, share)?;
            woven(inner, &within, scratch, share)?
        }
        // As parts may be that somebody else has put together.
        events @ Distinct::Joined(_) => {
            let mut within = Sorter::new(scratch, share, Order::Time);
            events.each(|event| sifted.own(event).map_or(Ok(()), |event| within.push(event)))?;
            within.finish()?.into_events(scratch, share)?
        }
    };
    let Sifted { outside, mut strays, quiet_from, quiet_to, .. } = sifted;
    strays.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    let certificate = Certificate {
        level: certain.level,
        range,
        padding,
        total: certain.total,
        distinct: certain.distinct,
        events: events.len(),
        quiet_from,
        quiet_to,
        parts,
    };
    let proofs = certain.proofs;
    let evidence = (!proofs.is_empty()).then_some(Evidence { range, padding, proofs });
    Ok(Settled { certificate, events, outside, strays, evidence })
}

/// What does not belong to the range, and whether its borders are quiet.
struct Sifted {
    range: Window,
    outside: Vec<Event>,
    strays: Vec<Event>,
    quiet_from: bool,
    quiet_to: bool,
}

impl Sifted {
    fn new(range: Window, padding: u32) -> Self {
        let quiet = padding >= 2;
        Self { range, outside: Vec::new(), strays: Vec::new(), quiet_from: quiet, quiet_to: quiet }
    }

    /// The event, if it belongs to the range.
    fn own(&mut self, event: Event) -> Option<Event> {
        let Some(at) = event.created_at else {
            self.strays.push(event.alone());
            return None;
        };
        self.quiet_from &= !near(self.range.from, at);
        self.quiet_to &= !near(self.range.to, at);
        if self.range.contains(at) {
            return Some(event);
        }
        self.outside.push(event.alone());
        None
    }
}

/// Whether a time is within a second of a border, which is then not quiet. The padding shows what lies beyond it.
fn near(border: Timestamp, at: Timestamp) -> bool {
    (at.seconds() - border.seconds()).abs() <= 1
}

/// Whether what is inside of parts ascends in time and lies well within the range.
fn in_order(range: Window, inner: &[Inner]) -> bool {
    let within = |at| range.contains(at) && !near(range.from, at) && !near(range.to, at);
    inner.is_sorted_by(|one, next| one.last < next.first)
        && inner.iter().all(|inner| within(inner.first) && within(inner.last))
}

/// What is inside of parts, with what they may have shared in between.
fn woven(inner: Vec<Inner>, border: &Events, scratch: &Scratch, share: u64) -> Result<Events> {
    let (mut border, mut parts) = (border.cuts(), Vec::new());
    for Inner { events, first, last } in inner {
        let before = |at: Option<Timestamp>| at.is_some_and(|at| at < first);
        let among = |at: Option<Timestamp>| at.is_some_and(|at| at <= last);
        if border.time()?.is_some_and(before) {
            parts.push(border.part(before)?);
        }
        if border.time()?.is_some_and(among) {
            // Some that were expected in other parts alone.
            let both = vec![border.part(among)?, events];
            parts.push(Sorted::of(Order::Time, both).into_events(scratch, share)?);
        } else {
            parts.push(events);
        }
    }
    if border.time()?.is_some() {
        parts.push(border.part(|_| true)?);
    }
    Ok(Events::joined(parts))
}
