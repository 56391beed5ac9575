//! How much to settle at once.
//!
//! What lives here: [`Settler::survey`]. A quiet year takes a few requests instead of three a day; a busy account is
//! settled window by window. Only an economy: whatever the counts say, each unit is proven by itself.
//! What this file must not know: how a unit is proven.

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
        while let Some(stretch) = open.pop() {
            let windows = u64::try_from(stretch.seconds() / grid.seconds()).unwrap_or(0);
            if windows <= 1 || limit == 0 {
                units.extend(grid.windows(stretch));
                continue;
            }
            let total = self.count(&self.query(stretch)).await?;
            if total <= limit {
                units.push(stretch);
            } else if total / windows >= limit.div_ceil(4) {
                units.extend(grid.windows(stretch));
            } else {
                let half = i64::try_from(windows / 2).unwrap_or(1) * grid.seconds();
                let middle = stretch.from.plus_seconds(half);
                open.push(Window::new(middle, stretch.to));
                open.push(Window::new(stretch.from, middle));
            }
        }
        Ok(units)
    }
}
