//! The place of one data file.
//!
//! What lives here: [`Format`], [`Slot`] and the names that follow from them. A slot's name comes from its window,
//! partition and sequence number alone: no content hash, clock, host or run. What this file must not know: storage.

use std::fmt;

use super::window::{Grid, Window};

/// A file format; also the name of its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// RFC 4180 text, one row a line.
    Csv,
    /// The original events, one JSON object a line.
    Ndjson,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Parquet, Self::Csv, Self::Ndjson];

    /// Folder and file extension.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    /// The format of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// (window, format, sequence number): written once, complete, never replaced or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// A window of the dataset's grid.
    pub window: Window,
    /// The format.
    pub format: Format,
    /// 0 for the first file of the window; later ones hold events that became visible after it.
    pub sequence: u32,
}

impl Slot {
    /// Path below the destination, for example `parquet/event_date=2026-03-01/events-20260301-s000.parquet`.
    pub fn path(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.window.from.date();
        let format = self.format.name();
        write!(out, "{format}/event_date={year:04}-{month:02}-{day:02}/events-{year:04}{month:02}{day:02}")?;
        if self.window.seconds() < Grid::Day.seconds() {
            let hour = self.window.from.seconds().rem_euclid(Grid::Day.seconds()) / Grid::Hour.seconds();
            write!(out, "T{hour:02}")?;
        }
        write!(out, "-s{:03}.{format}", self.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn a_slots_path_follows_from_window_format_and_sequence() {
        let at = Timestamp::from_date(2026, 3, 1).unwrap().plus_seconds(5 * 3600);
        let slot = |grid: Grid, sequence| Slot { window: grid.window(at), format: Format::Parquet, sequence };
        assert_eq!(slot(Grid::Day, 1).path(), "parquet/event_date=2026-03-01/events-20260301-s001.parquet");
        assert_eq!(
            slot(Grid::Hour, 0).path(),
            "parquet/event_date=2026-03-01/events-20260301T05-s000.parquet"
        );
        let csv = Slot { format: Format::Csv, ..slot(Grid::Day, 0) };
        assert_eq!(csv.path(), "csv/event_date=2026-03-01/events-20260301-s000.csv");
        for format in Format::ALL {
            assert_eq!(Format::parse(format.name()), Some(format));
        }
    }
}
