//! Finding what has changed among many settled ranges, for a handful of requests.
//!
//! What lives here: [`Settler::changed`]. Between two quiet borders (no event within a second of them) the API's count
//! must equal the number of events that were settled, whatever its bounds mean; so one request vouches for ten years,
//! and where it does not, a search by halves finds the ranges that differ. Ranges beside busy borders are counted
//! one by one. An arrival and a removal that cancel each other within one count are not seen; settling again sees
//! them.
//! What this file must not know: the destination, why a range is old.

use super::{Settler, Source};
use crate::error::Result;
use crate::model::{Certificate, Query, Window};

impl<S: Source> Settler<'_, S> {
    /// The ones among `settled` whose count differs now. `settled` ascends in time without overlap.
    ///
    /// # Errors
    /// What [`Source::page`] gives up with.
    pub async fn changed(&self, settled: &[Certificate]) -> Result<Vec<Certificate>> {
        let mut changed = Vec::new();
        for stretch in self.stretches(settled) {
            match stretch {
                Stretch::Alone(certificate) => {
                    if !self.unchanged(certificate).await? {
                        changed.push(certificate.clone());
                    }
                }
                Stretch::Between(groups) => self.search(&groups, &mut changed).await?,
            }
        }
        changed.sort_by_key(|certificate| certificate.range.from);
        Ok(changed)
    }

    /// Searches by halves. Each group lies between two quiet borders.
    async fn search(&self, groups: &[&[Certificate]], changed: &mut Vec<Certificate>) -> Result<()> {
        let mut open = vec![groups];
        while let Some(groups) = open.pop() {
            let (Some(first), Some(last)) = (groups.first().and_then(|group| group.first()), last(groups))
            else {
                continue;
            };
            let events: u64 = groups.iter().copied().flatten().map(|certificate| certificate.events).sum();
            let query = Query {
                from: Some(first.range.from),
                to: Some(last.range.to),
                ..self.query(Window::new(first.range.from, last.range.to))
            };
            if self.count(&query).await? == events {
                continue;
            }
            if let [group] = groups {
                for certificate in *group {
                    if group.len() == 1 || !self.unchanged(certificate).await? {
                        changed.push(certificate.clone());
                    }
                }
                continue;
            }
            let (before, after) = groups.split_at(groups.len() / 2);
            open.push(after);
            open.push(before);
        }
        Ok(())
    }

    /// Cuts adjacent certificates at their quiet borders.
    fn stretches<'c>(&self, settled: &'c [Certificate]) -> Vec<Stretch<'c>> {
        let mut stretches = Vec::new();
        let adjacent = |one: &Certificate, other: &Certificate| {
            one.range.to == other.range.from && self.is_sharp(one) && self.is_sharp(other)
        };
        for run in settled.chunk_by(adjacent) {
            if !run.iter().all(|certificate| self.is_sharp(certificate)) {
                stretches.extend(run.iter().map(Stretch::Alone));
                continue;
            }
            let mut groups: Vec<&[Certificate]> =
                run.chunk_by(|one, other| !(one.quiet_to && other.quiet_from)).collect();
            // The run's own ends are borders only when they are quiet themselves.
            let mut alone = Vec::new();
            if run.first().is_some_and(|first| !first.quiet_from) && !groups.is_empty() {
                alone.extend(groups.remove(0));
            }
            if run.last().is_some_and(|last| !last.quiet_to) {
                alone.extend(groups.pop().into_iter().flatten());
            }
            stretches.extend(alone.into_iter().map(Stretch::Alone));
            if !groups.is_empty() {
                stretches.push(Stretch::Between(groups));
            }
        }
        stretches
    }

    /// Whether the certificate was made with a filter that was seen to be sharp; a wide one blurs every border.
    fn is_sharp(&self, certificate: &Certificate) -> bool {
        certificate.padding < super::WIDE_PADDING
    }
}

/// How a stretch of certificates is counted again.
enum Stretch<'a> {
    /// By its own question.
    Alone(&'a Certificate),
    /// In groups between quiet borders.
    Between(Vec<&'a [Certificate]>),
}

fn last<'a>(groups: &[&'a [Certificate]]) -> Option<&'a Certificate> {
    groups.last().and_then(|group| group.last())
}
