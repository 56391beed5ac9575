//! How files are written: what the dataset fixes and what a run chooses.
//!
//! What lives here: [`Settings`] and [`Codec`]. What this file must not know: any format's library.

use crate::model::Layout;

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
    /// Level of gzip for text files, 0 to 9.
    pub gzip_level: u32,
    /// Level of Zstandard for text files, 1 to 22.
    pub zstd_level: i32,
    /// Rows of a Parquet row group at most.
    pub row_group_rows: usize,
    /// Partitions that one window's rows may fall into, at most.
    pub partition_limit: usize,
}

impl Settings {
    /// The defaults for a dataset of this layout: Zstandard 3, gzip 6, row groups of 131,072 rows: about 70 MB of events
    /// before compression, so that writing stays well below 200 MB and a reader with several threads still finds work
    /// in a large day. 1,024 partitions: ten times the event types that are known.
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            parquet: Codec::Zstd(3),
            gzip_level: 6,
            zstd_level: 3,
            row_group_rows: 131_072,
            partition_limit: 1_024,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new(Layout::default())
    }
}
