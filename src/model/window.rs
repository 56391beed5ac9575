//! Windows: half-open intervals of `created_at` on a dataset's fixed grid.
//!
//! What lives here: [`Window`] and [`Grid`]. What this file must not know: what was asked for or proven.

use std::fmt;

use super::time::Timestamp;

/// A half-open interval `[from, to)` of `created_at`, on whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window {
    /// First second that belongs to the window.
    pub from: Timestamp,
    /// First second after it.
    pub to: Timestamp,
}

impl Window {
    /// The window of this interval.
    pub const fn new(from: Timestamp, to: Timestamp) -> Self {
        Self { from, to }
    }

    /// Whether a point lies in the window.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }

    /// Length in whole seconds; 0 for an empty or reversed interval.
    pub fn seconds(&self) -> i64 {
        (self.to.seconds() - self.from.seconds()).max(0)
    }
}

impl fmt::Display for Window {
    /// `2026-03-01` for a whole day, else `from..to`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_day = self.seconds() == Grid::Day.seconds() && Grid::Day.floor(self.from) == self.from;
        if is_day {
            let (year, month, day) = self.from.date();
            return write!(out, "{year:04}-{month:02}-{day:02}");
        }
        write!(out, "{}..{}", self.from, self.to)
    }
}

/// The fixed grid on which a dataset commits; chosen when the dataset is created, never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grid {
    /// One window a day (`P1D`).
    Day,
    /// One window an hour (`PT1H`), for large accounts.
    Hour,
}

impl Grid {
    /// The grid's ISO 8601 name, as it stands in `dataset.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "P1D",
            Self::Hour => "PT1H",
        }
    }

    /// The grid of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Day, Self::Hour].into_iter().find(|grid| grid.name() == name)
    }

    /// Length of one window, in seconds.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Day => 86_400,
            Self::Hour => 3_600,
        }
    }

    /// The latest point of the grid that is not after `at`.
    pub fn floor(self, at: Timestamp) -> Timestamp {
        Timestamp::from_seconds(at.seconds().div_euclid(self.seconds()) * self.seconds())
    }

    /// The grid's window that holds `at`.
    pub fn window(self, at: Timestamp) -> Window {
        let from = self.floor(at);
        Window::new(from, from.plus_seconds(self.seconds()))
    }

    /// The grid's windows that cover `range`, ascending. Both ends of `range` must lie on the grid.
    pub fn windows(self, range: Window) -> impl Iterator<Item = Window> {
        let count = range.seconds() / self.seconds();
        (0..count).map(move |position| {
            let from = range.from.plus_seconds(position * self.seconds());
            Window::new(from, from.plus_seconds(self.seconds()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_tile_a_range_without_gap_or_overlap() {
        let from = Timestamp::from_date(2024, 2, 28).unwrap();
        let to = Timestamp::from_date(2024, 3, 2).unwrap();
        let windows: Vec<_> = Grid::Day.windows(Window::new(from, to)).collect();
        assert_eq!(
            windows.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["2024-02-28", "2024-02-29", "2024-03-01"]
        );
        assert!(windows.windows(2).all(|pair| pair[0].to == pair[1].from));
        assert_eq!(Grid::Hour.windows(Window::new(from, to)).count(), 72);
        assert_eq!(Grid::Day.windows(Window::new(to, from)).count(), 0);
    }

    #[test]
    fn the_grid_holds_before_1970() {
        let at = Timestamp::from_seconds(-1);
        assert_eq!(Grid::Day.window(at).to_string(), "1969-12-31");
    }
}
