//! How files are written: what the dataset fixes and what a run chooses.
//!
//! What lives here: [`Settings`] and [`Codec`]. What this file must not know: any format's library.

use super::key::FooterKey;
use super::threads::Threads;
use crate::model::{Format, Layout, Packing};

/// How the pages of a Parquet file are compressed; a file says it of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Not at all.
    Plain,
    /// Snappy, which old scanners of warehouses read.
    Snappy,
    /// gzip, level 0 to 9.
    Gzip(u32),
    /// Zstandard, level 1 to 22.
    Zstd(i32),
}

/// How files are written and what must be known to read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What the dataset fixes.
    pub layout: Layout,
    /// Of Parquet files.
    pub parquet: Codec,
    /// Level of the compressor for CSV files, in its own scale; `None` for its default.
    pub csv_level: Option<u32>,
    /// Level of the compressor for NDJSON files, in its own scale; `None` for its default.
    pub ndjson_level: Option<u32>,
    /// Rows of a Parquet row group at most.
    pub row_group_rows: usize,
    /// What Parquet files are encrypted with; its id is the layout's.
    pub key: Option<FooterKey>,
    /// Partitions that one window's rows may fall into, at most.
    pub partition_limit: usize,
    /// Threads that encode.
    pub threads: Threads,
}

impl Settings {
    /// Level of gzip where none is chosen.
    pub const GZIP_LEVEL: u32 = 6;

    /// Level of Zstandard where none is chosen.
    pub const ZSTD_LEVEL: u32 = 3;

    /// Rows of a row group where nothing is chosen: about 70 MB of events before compression, so that writing stays well
    /// below 200 MB and a reader with several threads still finds work in a large day.
    pub const ROW_GROUP_ROWS: usize = 131_072;

    /// Partitions of a window where nothing is chosen: thirty times the event types that are known.
    pub const PARTITION_LIMIT: usize = 1_024;

    /// The defaults for a dataset of this layout: Zstandard 3, gzip 6, row groups of 131,072 rows, 1,024 partitions,
    /// one thread.
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            parquet: Codec::Zstd(3),
            csv_level: None,
            ndjson_level: None,
            row_group_rows: Self::ROW_GROUP_ROWS,
            key: None,
            partition_limit: Self::PARTITION_LIMIT,
            threads: Threads::default(),
        }
    }

    /// The level of a text format's compressor.
    pub(super) fn level(&self, format: Format) -> u32 {
        let (packing, chosen) = match format {
            Format::Parquet | Format::Csv => (self.layout.csv, self.csv_level),
            Format::Ndjson => (self.layout.ndjson, self.ndjson_level),
        };
        chosen.unwrap_or(match packing {
            Packing::Plain | Packing::Gzip => Self::GZIP_LEVEL,
            Packing::Zstd => Self::ZSTD_LEVEL,
        })
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new(Layout::default())
    }
}
