//! The events of a sandbox: seeded ones, derived on demand, or given ones, kept byte for byte.
//!
//! What lives here: [`Population`], events addressed by their position in ascending order of `created_at`. Only the
//! times and the types are held (6 bytes for each seeded event); JSON is rendered when asked for, or once
//! for all. What this file must not know: queries, pages and requests.

mod app;
mod context;
mod given;
mod json;
mod kinds;
mod people;
mod render;
mod rendered;
mod seeded;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

pub use seeded::Spec;

use super::words::BadText;
use given::Given;
use rendered::Rendered;
use seeded::Seeded;

pub(super) use kinds::KINDS;

/// The most events a population may hold.
const MOST: usize = 50_000_000;

/// A set of events, ascending by `created_at`; events whose `created_at` cannot be read come last.
///
/// Position `k` names an event; its bytes are a pure function of the population and `k`.
pub struct Population {
    times: Times,
    kinds: Vec<u16>,
    names: Vec<String>,
    origin: Origin,
    rendered: Option<Rendered>,
}

enum Origin {
    Seeded(Seeded),
    Given(Given),
}

/// Seconds since 1970, ascending. Seeded populations need half the memory of given ones.
enum Times {
    Compact { base: i64, offsets: Vec<u32> },
    Wide(Vec<i64>),
}

impl Population {
    /// Exactly `spec.events` events over `[spec.from, spec.to)`; the same spec gives the same bytes.
    ///
    /// # Errors
    /// If the range is empty or longer than 100 years, or more than 50 million events are asked for.
    pub fn seeded(spec: Spec) -> Result<Self, BadText> {
        let seeded = Seeded::new(spec)?;
        let offsets = seeded.offsets();
        let kinds = (0..seeded.count()).map(|k| seeded.kind(k)).collect();
        let names = KINDS.iter().map(|kind| kind.name.to_owned()).collect();
        Ok(Self {
            times: Times::Compact { base: seeded.base(), offsets },
            kinds,
            names,
            origin: Origin::Seeded(seeded),
            rendered: None,
        })
    }

    /// The events of a text with one JSON object per line, each kept exactly as its line; empty lines are skipped.
    ///
    /// Lines need not be valid JSON or UTF-8, so that hostile replies can be served too; what cannot be read has no
    /// id, no type and no time.
    ///
    /// # Errors
    /// If there are more than 50 million lines.
    pub fn from_ndjson(text: impl Into<Vec<u8>>) -> Result<Self, BadText> {
        let (given, times, kinds, names) = Given::read(text.into(), MOST)?;
        Ok(Self { times: Times::Wide(times), kinds, names, origin: Origin::Given(given), rendered: None })
    }

    /// The same events with the JSON of all of them made now and held in memory (about 600 bytes for each seeded event), so
    /// that a reply costs a copy: what a client costs is measured against such a population.
    #[must_use]
    pub fn rendered(mut self) -> Self {
        if matches!(self.origin, Origin::Seeded(_)) {
            self.rendered = Some(Rendered::new(self.len(), |k, out| self.write_event(k, out)));
        }
        self
    }

    /// The number of events.
    pub fn len(&self) -> u32 {
        u32::try_from(self.kinds.len()).unwrap_or(u32::MAX)
    }

    /// True if there is no event.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The number of events whose `created_at` can be read; they are the first ones.
    pub fn dated(&self) -> u32 {
        let count = match &self.times {
            Times::Compact { offsets, .. } => offsets.len(),
            Times::Wide(times) => times.len(),
        };
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The `created_at` of event `k` in seconds since 1970; `None` if it cannot be read or there is no such event.
    pub fn created_at(&self, k: u32) -> Option<i64> {
        let place = usize::try_from(k).ok()?;
        match &self.times {
            Times::Compact { base, offsets } => offsets.get(place).map(|offset| base + i64::from(*offset)),
            Times::Wide(times) => times.get(place).copied(),
        }
    }

    /// The `event_type` of event `k`; empty if it cannot be read.
    pub fn event_type(&self, k: u32) -> &str {
        self.names.get(usize::from(self.kind(k))).map_or("", String::as_str)
    }

    /// The `id` of event `k`; empty if it cannot be read.
    pub fn id(&self, k: u32) -> String {
        match &self.origin {
            Origin::Seeded(seeded) => seeded.id(k).to_string(),
            Origin::Given(given) => given.id(k).to_owned(),
        }
    }

    /// The JSON of event `k`; empty if there is no such event.
    pub fn event_json(&self, k: u32) -> Cow<'_, [u8]> {
        match &self.origin {
            Origin::Given(given) => Cow::Borrowed(given.line(k)),
            Origin::Seeded(_) => {
                let mut out = Vec::with_capacity(640);
                self.write_event(k, &mut out);
                Cow::Owned(out)
            }
        }
    }

    /// The JSON of all events, ascending by `created_at`.
    pub fn events(&self) -> impl Iterator<Item = Cow<'_, [u8]>> {
        (0..self.len()).map(|k| self.event_json(k))
    }

    /// The position of the event with this id; the first one if a given population repeats an id.
    pub fn find(&self, id: &str) -> Option<u32> {
        match &self.origin {
            Origin::Seeded(seeded) => seeded.find(id),
            Origin::Given(given) => given.find(id),
        }
    }

    /// Appends the JSON of event `k`.
    pub(super) fn write_event(&self, k: u32, out: &mut Vec<u8>) {
        if let Some(rendered) = &self.rendered {
            return out.extend_from_slice(rendered.event(k));
        }
        match &self.origin {
            Origin::Given(given) => out.extend_from_slice(given.line(k)),
            Origin::Seeded(seeded) => {
                if let Some(seconds) = self.created_at(k) {
                    render::event(seeded, k, seconds, self.kind(k), out);
                }
            }
        }
    }

    pub(super) fn kind(&self, k: u32) -> u16 {
        usize::try_from(k).ok().and_then(|place| self.kinds.get(place)).copied().unwrap_or(u16::MAX)
    }

    /// The numbers of the types with these names; names nobody has are left out.
    pub(super) fn kinds_named(&self, wanted: &[String]) -> Vec<u16> {
        let numbers: HashMap<&str, u16> =
            self.names.iter().zip(0..).map(|(name, number)| (name.as_str(), number)).collect();
        wanted.iter().filter_map(|name| numbers.get(name.as_str()).copied()).collect()
    }

    /// The positions that share the second of event `k`.
    pub(super) fn second_of(&self, k: u32) -> Range<u32> {
        let Some(at) = self.created_at(k) else {
            return k..k.saturating_add(1);
        };
        let before = |limit: i64| {
            let count = match &self.times {
                Times::Compact { base, offsets } => {
                    offsets.partition_point(|offset| base + i64::from(*offset) < limit)
                }
                Times::Wide(times) => times.partition_point(|time| *time < limit),
            };
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        before(at)..before(at + 1)
    }
}

#[cfg(test)]
mod tests;
