//! Which events answer a query, in which order.
//!
//! What lives here: [`select`]. A date range is two binary searches, whatever its size; a filter by type reads one
//! number for each event of the range; a search renders them. What this file must not know: JSON around events, HTTP.

use super::behaviour::Behaviour;
use super::population::Population;
use super::query::{Edge, Query};
use super::random::mix;
use super::switches::{HiddenTime, Order, Search};
use super::timeline::Timeline;

/// What a query selects.
pub(super) struct Selected {
    /// All matching events.
    pub(super) total: u64,
    /// The positions of those asked for, in the order of the reply.
    pub(super) rows: Vec<u32>,
}

/// What is looked at: the events, and which of them can be seen.
pub(super) struct View<'a> {
    pub(super) population: &'a Population,
    pub(super) timeline: &'a Timeline,
    /// The request whose world is seen; a lagging replica sees an older one.
    pub(super) at: u64,
    /// Changes with every request: what unstable orders follow.
    pub(super) turn: u64,
}

/// The matching events from `offset` on, at most `limit`.
pub(super) fn select(
    view: &View<'_>,
    query: &Query,
    behaviour: &Behaviour,
    offset: u64,
    limit: u64,
) -> Selected {
    let (low, high) = range(view.population, query, behaviour.hidden);
    let hidden = view.timeline.hidden(low..high, view.at);
    let sequence = Sequence::new(view, behaviour.order, low, high);
    if query.types.is_none() && query.search.is_none() && (hidden.is_empty() || !sequence.is_unstable()) {
        return direct(&sequence, &hidden, offset, limit);
    }
    let mut filter = Filter::new(view, query, behaviour.search);
    let mut selected = Selected { total: 0, rows: Vec::new() };
    for rank in 0..sequence.count {
        let k = sequence.at(rank);
        if !filter.accepts(k) || hidden.binary_search(&k).is_ok() {
            continue;
        }
        if selected.total >= offset && selected.total - offset < limit {
            selected.rows.push(k);
        }
        selected.total += 1;
    }
    selected
}

/// Without a filter the rows are computed, not searched for.
fn direct(sequence: &Sequence<'_>, hidden: &[u32], offset: u64, limit: u64) -> Selected {
    let total = sequence.count - hidden.len() as u64;
    let end = offset.saturating_add(limit).min(total);
    let rows = (offset.min(end)..end)
        .map(|rank| {
            if hidden.is_empty() {
                return sequence.at(rank);
            }
            // Ranks count visible events; every hidden one at or before the place moves it on by one.
            let rank = if sequence.order == Order::Oldest { rank } else { total - 1 - rank };
            let mut place = sequence.low.saturating_add(u32::try_from(rank).unwrap_or(u32::MAX));
            for k in hidden {
                if *k > place {
                    break;
                }
                place += 1;
            }
            place
        })
        .collect();
    Selected { total, rows }
}

/// The positions `[low, high)` that the date filter lets through.
fn range(population: &Population, query: &Query, hidden: HiddenTime) -> (u32, u32) {
    if query.from.is_none() && query.to.is_none() {
        return (0, population.len());
    }
    let dated = population.dated();
    let before = |edge: Edge, included: bool| {
        first(dated, |k| {
            let time = true_millis(population, k, hidden);
            if included { time >= edge.millis } else { time > edge.millis }
        })
    };
    let low = query.from.map_or(0, |edge| before(edge, edge.inclusive));
    let high = query.to.map_or(dated, |edge| before(edge, !edge.inclusive));
    (low, high.max(low))
}

/// The first of `0..count` for which the test holds, if it holds for all later ones.
fn first(count: u32, test: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if test(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// The time the filter sees. Hidden milliseconds rise with the position inside a second, so that order is kept.
fn true_millis(population: &Population, k: u32, hidden: HiddenTime) -> i64 {
    let shown = population.created_at(k).unwrap_or(i64::MAX / 1000) * 1000;
    if hidden == HiddenTime::None {
        return shown;
    }
    let second = population.second_of(k);
    let share = i64::from(k - second.start) * 1000 / i64::from((second.end - second.start).max(1));
    match hidden {
        HiddenTime::None => shown,
        HiddenTime::Floor => shown + share,
        HiddenTime::Round => shown + share - 500,
        HiddenTime::Ceil => shown + share - 999,
    }
}

/// The order of a range: which position has which rank.
struct Sequence<'a> {
    population: &'a Population,
    order: Order,
    low: u32,
    count: u64,
    turn: u64,
    stride: u64,
}

impl<'a> Sequence<'a> {
    fn new(view: &View<'a>, order: Order, low: u32, high: u32) -> Self {
        let count = u64::from(high - low);
        let turn = mix(view.turn.wrapping_add(0x0074_7572_6e00));
        let stride = if order == Order::Shuffled { coprime(turn, count) } else { 1 };
        Self { population: view.population, order, low, count, turn, stride }
    }

    fn is_unstable(&self) -> bool {
        matches!(self.order, Order::UnstableTies | Order::Shuffled)
    }

    fn at(&self, rank: u64) -> u32 {
        let place = match self.order {
            Order::Oldest => rank,
            Order::Newest | Order::UnstableTies => self.count.saturating_sub(1).saturating_sub(rank),
            Order::Shuffled => {
                let turned =
                    u128::from(rank) * u128::from(self.stride) + u128::from(self.turn % self.count.max(1));
                u64::try_from(turned % u128::from(self.count.max(1))).unwrap_or(0)
            }
        };
        let k = self.low.saturating_add(u32::try_from(place).unwrap_or(u32::MAX));
        if self.order == Order::UnstableTies { self.tie(k) } else { k }
    }

    /// Another event of the same second within the range: each second is rotated by an amount of its own.
    fn tie(&self, k: u32) -> u32 {
        let second = self.population.second_of(k);
        let high = u64::from(self.low) + self.count;
        let start = second.start.max(self.low);
        let end = u64::from(second.end).min(high);
        let length = end.saturating_sub(u64::from(start)).max(1);
        let turned = (u64::from(k - start) + mix(self.turn ^ u64::from(start)) % length) % length;
        start + u32::try_from(turned).unwrap_or(0)
    }
}

/// A number without a common divisor with `count`, so that its multiples visit every place once.
fn coprime(seed: u64, count: u64) -> u64 {
    let mut stride = (seed % count.max(1)) | 1;
    while divisor(stride, count.max(1)) != 1 {
        stride += 2;
    }
    stride
}

const fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// The filters that look at one event.
struct Filter<'a> {
    view: &'a View<'a>,
    kinds: Option<Vec<u16>>,
    search: Option<Needle>,
    buffer: Vec<u8>,
}

impl<'a> Filter<'a> {
    fn new(view: &'a View<'a>, query: &Query, search: Search) -> Self {
        Self {
            view,
            kinds: query.types.as_ref().map(|names| view.population.kinds_named(names)),
            search: query.search.as_deref().map(|text| Needle::new(text, search)),
            buffer: Vec::new(),
        }
    }

    fn accepts(&mut self, k: u32) -> bool {
        if self.kinds.as_ref().is_some_and(|kinds| !kinds.contains(&self.view.population.kind(k))) {
            return false;
        }
        let Some(needle) = &self.search else {
            return true;
        };
        self.buffer.clear();
        self.view.population.write_event(k, &mut self.buffer);
        needle.is_in(&self.buffer)
    }
}

/// A text to be found in an event's JSON: as sent, or with the documented escapes of quotes and braces taken out.
struct Needle {
    search: Search,
    texts: [Vec<u8>; 2],
}

impl Needle {
    fn new(text: &str, search: Search) -> Self {
        let mut plain = text.replace("\\\"", "\"").replace("\\{", "{").replace("\\}", "}").into_bytes();
        let mut sent = text.as_bytes().to_vec();
        if search == Search::Insensitive {
            plain.make_ascii_lowercase();
            sent.make_ascii_lowercase();
        }
        Self { search, texts: [sent, plain] }
    }

    fn is_in(&self, event: &[u8]) -> bool {
        let lowered;
        let event = if self.search == Search::Insensitive {
            lowered = event.to_ascii_lowercase();
            &lowered
        } else {
            event
        };
        let inside_word = |place: Option<usize>| {
            place.and_then(|place| event.get(place)).is_some_and(u8::is_ascii_alphanumeric)
        };
        self.texts.iter().any(|text| {
            event.windows(text.len().max(1)).enumerate().any(|(start, part)| {
                part == text.as_slice()
                    && (self.search != Search::Word
                        || !(inside_word(start.checked_sub(1)) || inside_word(Some(start + text.len()))))
            })
        })
    }
}

#[cfg(test)]
mod tests;
