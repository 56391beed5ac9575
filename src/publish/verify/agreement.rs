//! Whether the formats of one window say the same, event by event, as far as the log says that they must.
//!
//! What lives here: [`Agreement`]. A record is about the formats that it names, and each of them then holds at least the
//! rows that it counts. A format that was not named since may be behind; an id that the API no longer listed may be
//! missing in a format that was filled later; and one that the API changed meanwhile has two contents. What this file must not know: files' bytes, storage.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::examine::Fact;
use super::finding::{Code, Findings};
use super::ids;
use super::meaning::Digest;
use crate::model::{Format, Level, UndatedRecord, WindowRecord};

/// An event of a format.
#[derive(Clone, Debug)]
struct Held {
    fact: Fact,
    /// The commit of its file, and the formats that were committed together.
    commit: u64,
    together: Arc<BTreeSet<Format>>,
}

/// What a record says of the formats that it names.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    formats: &'a [Format],
    /// Rows that each of them holds at least.
    least: u64,
    vanished: &'a [String],
    /// Whether nobody settled the events, so that it says nothing of ids that it lacks.
    silent: bool,
}

impl<'a> From<&'a WindowRecord> for Claim<'a> {
    fn from(record: &'a WindowRecord) -> Self {
        Self {
            formats: &record.formats,
            least: record.counts.rows.saturating_add(record.counts.known),
            vanished: &record.vanished,
            silent: record.certificate.level == Level::None,
        }
    }
}

impl<'a> From<&'a UndatedRecord> for Claim<'a> {
    fn from(record: &'a UndatedRecord) -> Self {
        Self {
            formats: &record.formats,
            least: record.counts.rows.saturating_add(record.counts.known),
            vanished: &record.vanished,
            silent: record.level == Level::None,
        }
    }
}

/// The events of one window, by format.
#[derive(Debug, Default)]
pub(super) struct Agreement {
    held: BTreeMap<Format, Vec<Held>>,
    /// Formats of which a file is missing or damaged: they are not compared.
    damaged: BTreeSet<Format>,
}

impl Agreement {
    pub(super) fn add(&mut self, format: Format, facts: &[Fact], commit: u64, together: &[Format]) {
        let together = Arc::new(together.iter().copied().collect());
        let held = |fact: &Fact| Held { fact: *fact, commit, together: Arc::clone(&together) };
        self.held.entry(format).or_default().extend(facts.iter().map(held));
    }

    pub(super) fn damage(&mut self, format: Format) {
        self.damaged.insert(format);
    }

    /// Compares the formats. `excused` are ids whose contents may differ, since the log has them in quarantine.
    pub(super) fn check(
        mut self,
        window: &str,
        claims: &[Claim<'_>],
        excused: &HashSet<Digest>,
        findings: &mut Findings,
    ) {
        for damaged in &self.damaged {
            self.held.remove(damaged);
        }
        for events in self.held.values_mut() {
            events.sort_unstable_by_key(|held| held.fact);
        }
        self.count(window, claims, findings);
        let formats: Vec<Format> = claims
            .iter()
            .flat_map(|claim| claim.formats)
            .copied()
            .filter(|format| !self.damaged.contains(format))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        for (position, one) in formats.iter().enumerate() {
            for other in formats.iter().skip(position + 1) {
                self.compare(window, *one, *other, claims, excused, findings);
            }
        }
    }

    /// Each record's rows are in each of its formats.
    fn count(&self, window: &str, claims: &[Claim<'_>], findings: &mut Findings) {
        for format in Format::ALL {
            if self.damaged.contains(&format) {
                continue;
            }
            let about = claims.iter().filter(|claim| claim.formats.contains(&format));
            let least = about.map(|claim| claim.least).max();
            let held = self.held.get(&format).map_or(0, Vec::len);
            let held = u64::try_from(held).unwrap_or(u64::MAX);
            if least.is_some_and(|least| held < least) {
                let least = least.unwrap_or(0);
                let detail = format!("{} holds {held} rows, the log counts at least {least}", format.name());
                findings.add(Code::FormatsIds, window, detail);
            }
        }
    }

    fn compare(
        &self,
        window: &str,
        one: Format,
        other: Format,
        claims: &[Claim<'_>],
        excused: &HashSet<Digest>,
        findings: &mut Findings,
    ) {
        let none = Vec::new();
        let (ours, theirs) = (self.held.get(&one).unwrap_or(&none), self.held.get(&other).unwrap_or(&none));
        let (mut ours, mut theirs) = (ours.iter().peekable(), theirs.iter().peekable());
        let mut lacking = BTreeMap::<Format, Vec<&Held>>::new();
        let (mut together, mut apart) = (0_u64, 0_u64);
        loop {
            let order = match (ours.peek(), theirs.peek()) {
                (None, None) => break,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(own), Some(their)) => own.fact.id.cmp(&their.fact.id),
            };
            match order {
                std::cmp::Ordering::Less => lacking.entry(other).or_default().extend(ours.next()),
                std::cmp::Ordering::Greater => lacking.entry(one).or_default().extend(theirs.next()),
                std::cmp::Ordering::Equal => {
                    let (Some(own), Some(their)) = (ours.next(), theirs.next()) else { break };
                    let (one, other) = (own.fact.event, their.fact.event);
                    if one.is_none() || other.is_none() || one == other || excused.contains(&own.fact.id) {
                        continue;
                    }
                    // One record's files were made of the same events.
                    *(if own.commit == their.commit { &mut together } else { &mut apart }) += 1;
                }
            }
        }
        for (code, events) in [(Code::FormatsContent, together), (Code::FormatsApart, apart)] {
            if events > 0 {
                let detail = format!("{events} events, {} against {}", one.name(), other.name());
                findings.add(code, window, detail);
            }
        }
        for (lacks, events) in lacking {
            self.lacking(window, lacks, &events, claims, findings);
        }
    }

    /// Events that a format lacks and another holds.
    fn lacking(
        &self,
        window: &str,
        lacks: Format,
        events: &[&Held],
        claims: &[Claim<'_>],
        findings: &mut Findings,
    ) {
        let about = || claims.iter().filter(|claim| claim.formats.contains(&lacks));
        let vanished: HashSet<Digest> =
            about().flat_map(|claim| claim.vanished).map(|id| ids::digest(id)).collect();
        let silent = about().any(|claim| claim.silent);
        let (mut together, mut alone) = (0_u64, 0_u64);
        for held in events {
            if held.together.contains(&lacks) {
                together += 1;
            } else if !vanished.contains(&held.fact.id) && !silent {
                alone += 1;
            }
        }
        if together > 0 {
            let detail = format!("{} lacks {together} events", lacks.name());
            findings.add(Code::FormatsIds, window, detail);
        }
        if alone > 0 {
            let detail = format!("{} lacks {alone} events", lacks.name());
            findings.add(Code::FormatBehind, window, detail);
        }
    }
}
