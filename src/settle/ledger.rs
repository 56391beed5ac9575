//! Finding what has changed among many settled ranges, for a handful of requests.
//!
//! What lives here: [`Settler::changed`]. Between two quiet borders (no event within a second of them) the API's count
//! must equal the number of events that were settled, whatever its bounds mean; so one request vouches for ten years,
//! and where it does not, a search by halves finds the ranges that differ. Ranges beside busy borders are counted
//! one by one. An arrival and a removal that cancel each other within one count are not seen; settling again sees
//! them.
//! What this file must not know: the destination, why a range is old.

use futures::stream::{self, StreamExt, TryStreamExt};

use super::{Settler, Source};
use crate::error::{Error, Result};
use crate::model::{Certificate, Query, Window};

impl<S: Source> Settler<'_, S> {
    /// The ones among `settled` whose count differs now. `settled` ascends in time without overlap.
    ///
    /// # Errors
    /// What [`Source::page`] gives up with.
    pub async fn changed(&self, settled: &[Certificate]) -> Result<Vec<Certificate>> {
        let stretches = self.stretches(settled).into_iter();
        let mut changed: Vec<Certificate> = stream::iter(stretches)
            .map(|stretch| async move {
                match stretch {
                    Stretch::Alone(certificate) => self.differing(vec![certificate]).await,
                    Stretch::Between(groups) => self.search(&groups).await,
                }
            })
            .buffered(self.settings.in_flight.max(1))
            .try_concat()
            .await?;
        changed.sort_by_key(|certificate| certificate.range.from);
        Ok(changed)
    }

    /// The ones whose own question counts something else now, in order.
    async fn differing(&self, certificates: Vec<&Certificate>) -> Result<Vec<Certificate>> {
        let counted = stream::iter(certificates)
            .map(|certificate| async move {
                Ok::<_, Error>((!self.unchanged(certificate).await?).then(|| certificate.clone()))
            })
            .buffered(self.settings.in_flight.max(1));
        counted.try_filter_map(|changed| async move { Ok(changed) }).try_collect().await
    }

    /// Searches by halves, those of one size side by side. Each group lies between two quiet borders.
    async fn search(&self, groups: &[&[Certificate]]) -> Result<Vec<Certificate>> {
        let (mut changed, mut blurred) = (Vec::new(), Vec::new());
        let mut open = vec![groups];
        while !open.is_empty() {
            let counts: Vec<(&[&[Certificate]], bool)> = stream::iter(open)
                .map(|groups| async move { Ok::<_, Error>((groups, self.adds_up(groups).await?)) })
                .buffered(self.settings.in_flight.max(1))
                .try_collect()
                .await?;
            open = Vec::new();
            for groups in counts.into_iter().filter_map(|(groups, adds_up)| (!adds_up).then_some(groups)) {
                match groups {
                    [[certificate]] => changed.push(certificate.clone()),
                    [group] => blurred.extend(group.iter()),
                    _ => open.extend(<[_; 2]>::from(groups.split_at(groups.len() / 2))),
                }
            }
        }
        changed.extend(self.differing(blurred).await?);
        Ok(changed)
    }

    /// Whether the API counts as many events between two quiet borders as were settled there.
    async fn adds_up(&self, groups: &[&[Certificate]]) -> Result<bool> {
        let (Some(first), Some(last)) = (groups.first().and_then(|group| group.first()), last(groups)) else {
            return Ok(true);
        };
        let events: u64 = groups.iter().copied().flatten().map(|certificate| certificate.events).sum();
        let query = Query {
            from: Some(first.range.from),
            to: Some(last.range.to),
            ..self.query(Window::new(first.range.from, last.range.to))
        };
        Ok(self.count(&query).await? == events)
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
