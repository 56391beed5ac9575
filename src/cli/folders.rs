//! The folders and time slices of a dataset's files.
//!
//! What lives here: their flags and how they meet what is stored: a flag that is absent takes the dataset's
//! own setting, else the default. What this file must not know: where the dataset is.

use clap::Args;
use vonage_audit::encode::Settings as Files;
use vonage_audit::model::{Grid, Layout, Partitioning, partition};
use vonage_audit::plan::parse_duration;
use vonage_audit::{Error, Result};

/// How the destination is laid out; fixed when the dataset is created.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FolderFlags {
    /// Folders, outermost first: event_date, event_month, event_year, event_type, account, comma-separated, or none; fixed when the dataset is created (default: the dataset's, else event_date)
    #[arg(long, value_name = "KEYS", help_heading = "Files")]
    pub(crate) partition_by: Option<String>,
    /// Cut windows into files of this time slice, for instance 1h: whole minutes that divide the grid's windows; fixed when the dataset is created (default: the dataset's, else whole windows)
    #[arg(long, value_name = "DURATION", help_heading = "Files")]
    pub(crate) part: Option<String>,
    /// Partitions that one window's events may fall into; a window with more is not written, and the exit
    /// code says so (default: 1024)
    #[arg(long, value_name = "PARTITIONS", help_heading = "Files",
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=4_096))]
    pub(crate) partition_limit: Option<usize>,
}

/// The flags, understood.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folders {
    partitioning: Option<Partitioning>,
    /// Seconds.
    part: Option<u32>,
    partition_limit: Option<usize>,
}

impl FolderFlags {
    /// What the flags say, before anything is known of the dataset.
    pub(crate) fn resolve(&self) -> Result<Folders> {
        let part = self.part.as_deref().map(parse_duration).transpose();
        Ok(Folders {
            partitioning: self.partition_by.as_deref().map(parse_partitioning).transpose()?,
            part: part.map_err(|error| error.at("flag", "--part"))?,
            partition_limit: self.partition_limit,
        })
    }
}

impl Folders {
    /// The layout by the flags, else as the dataset says, else by default.
    pub(crate) fn over(&self, mut layout: Layout, grid: Grid) -> Result<Layout> {
        if let Some(partitioning) = &self.partitioning {
            layout.partitioning = partitioning.clone();
        }
        if let Some(part) = self.part {
            if !Layout::can_part(grid, part) {
                return Err(Error::usage(format!(
                    "--part {part}s does not divide a window of {}",
                    grid.name()
                ))
                .hint("give whole minutes that divide it, like 1h, 15m or 6h"));
            }
            // A part that is the window is the window.
            layout.part = (i64::from(part) != grid.seconds()).then_some(part);
        }
        Ok(layout)
    }

    /// Partitions of one window, at most.
    pub(crate) fn limit(&self) -> usize {
        self.partition_limit.unwrap_or(Files::PARTITION_LIMIT)
    }
}

/// The partitioning of a flag.
pub(crate) fn parse_partitioning(text: &str) -> Result<Partitioning> {
    Partitioning::parse(text).ok_or_else(|| {
        let names: Vec<_> = partition::Key::ALL.iter().map(|key| key.name()).collect();
        Error::usage(format!("not a partitioning: {text:?}"))
            .at("flag", "--partition-by")
            .hint(format!("give none, or some of {}, each once, separated by commas", names.join(", ")))
    })
}
