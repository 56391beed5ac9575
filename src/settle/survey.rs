//! How much to settle at once.
//!
//! What lives here: [`Settler::survey`]. A quiet year takes a few requests instead of three a day; a busy account is
//! settled window by window. Only an economy: whatever the counts say, each unit is proven by itself.
//! What this file must not know: how a unit is proven.

use std::collections::VecDeque;

use futures::stream::{FuturesUnordered, StreamExt};

use super::{Settler, Source};
use crate::error::{Error, Result};
use crate::model::{Grid, Window};

/// Most pieces that a stretch is cut into at once.
const MOST_PIECES: u64 = 64;

/// Adjacent windows that are settled at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The windows.
    pub range: Window,
    /// About how many events to expect; no proof rests on it.
    pub events: u64,
}

impl<S: Source> Settler<'_, S> {
    /// Cuts `range`, whose ends lie on the grid, into units of whole windows, ascending.
    ///
    /// # Errors
    /// What [`Source::page`] gives up with.
    pub async fn survey(&self, range: Window, grid: Grid) -> Result<Vec<Unit>> {
        let limit = self.settings.coarse_limit;
        let mut units = Vec::new();
        // Counted side by side, and each cut as soon as it is known: one after the other, a busy decade would wait for
        // thousands of replies. Not in all places: probes asked beside it wait for one reply after the other.
        let in_flight = self.settings.in_flight;
        let places = in_flight.saturating_sub((in_flight / 8).max(1)).max(1);
        let (mut open, mut counts) = (VecDeque::from([(range, limit)]), FuturesUnordered::new());
        loop {
            while counts.len() < places
                && let Some((stretch, most)) = open.pop_front()
            {
                if limit == 0 || stretch.seconds() <= grid.seconds() {
                    units.extend(uncounted(stretch, grid, most));
                    continue;
                }
                counts
                    .push(async move { Ok::<_, Error>((stretch, self.count(&self.query(stretch)).await?)) });
            }
            let Some(counted) = counts.next().await else { break };
            let (stretch, total) = counted?;
            let windows = u64::try_from(stretch.seconds() / grid.seconds()).unwrap_or(0).max(1);
            if total <= limit {
                units.push(Unit { range: stretch, events: total });
            } else if total / windows >= limit.div_ceil(4) {
                // Days differ.
                units.extend(uncounted(stretch, grid, (total / windows).saturating_mul(3) / 2));
            } else {
                // So many that most need not be cut again if events are spread evenly: each further round waits.
                let pieces = total.saturating_mul(5).div_ceil(limit.saturating_mul(4));
                let pieces = cut(stretch, grid, windows, pieces.clamp(2, MOST_PIECES).min(windows));
                open.extend(pieces.map(|piece| (piece, total)));
            }
        }
        units.sort_unstable_by_key(|unit| unit.range.from);
        Ok(units)
    }
}

/// Each window of a stretch as a unit.
fn uncounted(stretch: Window, grid: Grid, events: u64) -> impl Iterator<Item = Unit> {
    grid.windows(stretch).map(move |range| Unit { range, events })
}

/// Pieces of whole windows that tile a stretch of so many, and differ by one window at most.
fn cut(stretch: Window, grid: Grid, windows: u64, pieces: u64) -> impl Iterator<Item = Window> {
    let border = move |number: u64| {
        let before = i64::try_from(windows.saturating_mul(number) / pieces.max(1)).unwrap_or(0);
        stretch.from.plus_seconds(before.saturating_mul(grid.seconds()))
    };
    (0..pieces).map(move |number| Window::new(border(number), border(number + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn pieces_are_whole_windows_and_tile_the_stretch() {
        let from = Timestamp::from_date(2026, 3, 1).unwrap();
        for (windows, pieces) in [(2, 2), (3, 2), (17, 16), (90, 7), (3_650, 16), (5, 5)] {
            for grid in [Grid::Day, Grid::Hour] {
                let stretch = Window::new(from, from.plus_seconds(windows as i64 * grid.seconds()));
                let cut: Vec<Window> = cut(stretch, grid, windows, pieces).collect();
                assert_eq!(cut.len() as u64, pieces);
                assert_eq!((cut[0].from, cut.last().unwrap().to), (stretch.from, stretch.to));
                assert!(cut.windows(2).all(|pair| pair[0].to == pair[1].from));
                let sizes = cut.iter().map(|piece| grid.windows(*piece).count() as u64);
                assert!(sizes.clone().all(|size| size == windows / pieces || size == windows / pieces + 1));
                assert_eq!(sizes.sum::<u64>(), windows);
            }
        }
    }
}
