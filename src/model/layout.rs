//! What a dataset's files look like, for ever.
//!
//! What lives here: [`Layout`], fixed when a dataset is created. It holds what names of files follow from and what a
//! reader must know beforehand, and nothing that a file says of itself (a Parquet file's codec) or that only costs
//! time (a compressor's level): those may differ from run to run. What this file must not know: encoders, storage.

use super::partition::Partitioning;
use super::slot::Format;
use super::time::Timestamp;
use super::window::{Grid, Window};

/// How a text format's files are compressed; part of their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    #[default]
    Plain,
    /// gzip: `.gz`.
    Gzip,
    /// Zstandard: `.zst`.
    Zstd,
}

impl Packing {
    /// The name on the command line and in `dataset.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The packing of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Plain, Self::Gzip, Self::Zstd].into_iter().find(|packing| packing.name() == name)
    }

    /// What stands behind a file's extension.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }
}

/// What CSV does with a text that a spreadsheet could take for a formula.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Formulas {
    /// A `'` in front of it, and of a text that begins with one: taking one away gives the value.
    #[default]
    Guarded,
    /// Nothing.
    Plain,
}

impl Formulas {
    /// The name in `dataset.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Guarded => "guarded",
            Self::Plain => "plain",
        }
    }

    /// The choice of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Guarded, Self::Plain].into_iter().find(|choice| choice.name() == name)
    }
}

/// What stands on a line of NDJSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lines {
    /// The event as received, without insignificant white space.
    #[default]
    Events,
    /// The columns of the table as one flat object, null where there is none.
    Flat,
}

impl Lines {
    /// The name on the command line and in `dataset.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Flat => "flat",
        }
    }

    /// The shape of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Events, Self::Flat].into_iter().find(|shape| shape.name() == name)
    }
}

/// Everything about files that is fixed when a dataset is created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The folders.
    pub partitioning: Partitioning,
    /// Length of the time slice that one file holds, in seconds; it divides the grid's windows. `None`: whole windows.
    pub part: Option<u32>,
    /// Of CSV files.
    pub csv: Packing,
    /// In CSV files.
    pub formulas: Formulas,
    /// Of NDJSON files.
    pub ndjson: Packing,
    /// In NDJSON files.
    pub lines: Lines,
    /// Names the key that Parquet files are encrypted with; `None`: they are not.
    pub footer_key: Option<String>,
}

impl Layout {
    /// Whether a format's files hold the events' texts; the others hold the columns of the table.
    pub fn holds_texts(&self, format: Format) -> bool {
        format == Format::Ndjson && self.lines == Lines::Events
    }

    /// Whether windows of this grid can be cut into parts of so many seconds: whole minutes that divide them.
    pub fn can_part(grid: Grid, seconds: u32) -> bool {
        seconds > 0 && seconds.is_multiple_of(60) && grid.seconds() % i64::from(seconds) == 0
    }

    /// The part of a window that holds `at`; the window itself where it is not cut.
    pub fn part_at(&self, window: Window, at: Timestamp) -> Window {
        let Some(part) = self.part.map(|part| i64::from(part.max(1))) else { return window };
        let passed = (at.seconds() - window.from.seconds()).div_euclid(part) * part;
        let from = window.from.plus_seconds(passed);
        Window::new(from, from.plus_seconds(part))
    }

    /// Whether folders are named by time alone, so that files follow one another in rows that are sorted by it.
    pub fn is_by_time(&self) -> bool {
        self.partitioning.columns().is_empty()
    }

    /// Whether a window has one file at a time, whatever its rows hold.
    pub fn is_whole(&self) -> bool {
        self.part.is_none() && self.is_by_time()
    }

    /// What stands behind the last dot but of a compressed file's name, for example `csv.gz`.
    pub fn extension(&self, format: Format) -> String {
        let packing = match format {
            Format::Parquet => Packing::Plain,
            Format::Csv => self.csv,
            Format::Ndjson => self.ndjson,
        };
        format!("{}{}", format.name(), packing.suffix())
    }
}
