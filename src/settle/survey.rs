//! How much to settle at once.
//!
//! What lives here: [`Settler::survey`]. A quiet year takes a few requests instead of three a day; a busy account is
//! settled window by window. Only an economy: whatever the counts say, each unit is proven by itself.
//! What this file must not know: how a unit is proven.

use futures::stream::{self, StreamExt, TryStreamExt};

use super::{Settler, Source};
use crate::error::Result;
use crate::model::{Grid, Window};

impl<S: Source> Settler<'_, S> {
    /// Cuts `range`, whose ends lie on the grid, into units of whole windows, ascending.
    ///
    /// # Errors
    /// What [`Source::page`] gives up with.
    pub async fn survey(&self, range: Window, grid: Grid) -> Result<Vec<Window>> {
        let limit = self.settings.coarse_limit;
        let mut units = Vec::new();
        let mut open = vec![range];
        while !open.is_empty() {
            let (counted, single): (Vec<Window>, Vec<Window>) =
                open.into_iter().partition(|stretch| limit > 0 && stretch.seconds() > grid.seconds());
            units.extend(single.into_iter().flat_map(|stretch| grid.windows(stretch)));
            // Halves are counted side by side: one after the other, a busy decade would wait for thousands of replies.
            let counts: Vec<(Window, u64)> = stream::iter(counted)
                .map(|stretch| async move { Ok((stretch, self.count(&self.query(stretch)).await?)) })
                .buffered(self.settings.in_flight.max(1))
                .try_collect()
                .await?;
            open = Vec::new();
            for (stretch, total) in counts {
                let windows = u64::try_from(stretch.seconds() / grid.seconds()).unwrap_or(0);
                if total <= limit {
                    units.push(stretch);
                } else if total / windows.max(1) >= limit.div_ceil(4) {
                    units.extend(grid.windows(stretch));
                } else {
                    let half = i64::try_from(windows / 2).unwrap_or(1) * grid.seconds();
                    let middle = stretch.from.plus_seconds(half);
                    open.extend([Window::new(stretch.from, middle), Window::new(middle, stretch.to)]);
                }
            }
        }
        units.sort_unstable_by_key(|unit| unit.from);
        Ok(units)
    }
}
