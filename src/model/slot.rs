//! The place of one data file.
//!
//! What lives here: [`Format`], [`Slot`] and the names that follow from them. A slot's name comes from its time slice,
//! partition and sequence number alone: no content hash, clock, host or run. What this file must not know: storage.

use super::layout::Layout;
use super::partition::Partition;
use super::time::Timestamp;
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

/// (time slice, partition, format, sequence number): written once, complete, never replaced or deleted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// The window, or the part of it that one file holds; `None` for events whose time cannot be read.
    pub span: Option<Window>,
    /// The values of the row keys.
    pub partition: Partition,
    /// The format.
    pub format: Format,
    /// 0 for the first file; later ones hold events that became visible after it.
    pub sequence: u32,
}

impl Slot {
    /// Path below the destination, for example `parquet/event_date=2026-03-01/events-20260301-s000.parquet`.
    pub fn path(&self, layout: &Layout) -> String {
        let folders = layout.partitioning.folders(self.span.map(|span| span.from), &self.partition);
        let (format, name) = (self.format.name(), name(self.span));
        format!("{format}/{folders}{name}-s{:03}.{}", self.sequence, layout.extension(self.format))
    }

    /// The slot of a path in a dataset of this layout and grid; `None` for a path that no slot has.
    pub fn parse(path: &str, layout: &Layout, grid: Grid) -> Option<Self> {
        let (folder, file) = path.rsplit_once('/')?;
        let mut folders = folder.split('/');
        let format = Format::parse(folders.next()?)?;
        let mut values = Vec::new();
        for key in layout.partitioning.keys() {
            let value = folders.next()?.strip_prefix(key.folder())?.strip_prefix('=')?;
            if key.column().is_some() {
                values.push(value.to_owned());
            }
        }
        let stem = file.strip_suffix(layout.extension(format).as_str())?.strip_suffix('.')?;
        let (name, sequence) = stem.rsplit_once("-s")?;
        let seconds = layout.part.map_or(grid.seconds(), i64::from);
        let span = match name.strip_prefix("events-")? {
            UNDATED => None,
            digits => {
                let from = start(digits)?;
                Some(Window::new(from, from.plus_seconds(seconds)))
            }
        };
        let partition = Partition::from_spelled(values);
        let slot = Self { span, partition, format, sequence: sequence.parse().ok()? };
        let on_grid = slot.span.is_none_or(|span| span.from.seconds().rem_euclid(seconds.max(1)) == 0);
        let partition = layout.partitioning.has(&slot.partition);
        // One spelling only, and the folders that follow from the window.
        (on_grid && partition && slot.path(layout) == path).then_some(slot)
    }
}

/// The name of events whose time cannot be read.
const UNDATED: &str = "undated";

/// A file's name without its sequence number: `events-20260301`, `events-20260301T06`, `events-20260301T0615`,
/// `events-undated`. The length of the slice is the dataset's.
pub fn name(span: Option<Window>) -> String {
    let Some(span) = span else { return format!("events-{UNDATED}") };
    let (year, month, day) = span.from.date();
    let mut name = format!("events-{year:04}{month:02}{day:02}");
    if span.seconds() < Grid::Day.seconds() {
        let minutes = span.from.seconds().rem_euclid(Grid::Day.seconds()) / 60;
        name.push_str(&format!("T{:02}", minutes / 60));
        if span.seconds() % Grid::Hour.seconds() != 0 {
            name.push_str(&format!("{:02}", minutes % 60));
        }
    }
    name
}

/// The start of a slice by the digits of its name.
fn start(digits: &str) -> Option<Timestamp> {
    let (date, time) = digits.split_once('T').unwrap_or((digits, ""));
    let number = |text: Option<&str>| text?.parse::<u32>().ok();
    let (year, month, day) = (number(date.get(..4))?, number(date.get(4..6))?, number(date.get(6..))?);
    let (hour, minute) = match time.len() {
        0 => (0, 0),
        2 => (number(Some(time))?, 0),
        4 => (number(time.get(..2))?, number(time.get(2..))?),
        _ => return None,
    };
    let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60;
    Some(Timestamp::from_date(i32::try_from(year).ok()?, month, day)?.plus_seconds(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::layout::Packing;
    use crate::model::partition::Partitioning;

    fn slot(span: Window, format: Format, sequence: u32) -> Slot {
        Slot { span: Some(span), partition: Partition::default(), format, sequence }
    }

    #[test]
    fn a_slots_path_follows_from_window_format_and_sequence() {
        let at = Timestamp::from_date(2026, 3, 1).unwrap().plus_seconds(5 * 3600 + 900);
        let layout = Layout::default();
        let day = Grid::Day.window(at);
        for (span, grid, format, sequence, path) in [
            (
                day,
                Grid::Day,
                Format::Parquet,
                1,
                "parquet/event_date=2026-03-01/events-20260301-s001.parquet",
            ),
            (
                Grid::Hour.window(at),
                Grid::Hour,
                Format::Parquet,
                0,
                "parquet/event_date=2026-03-01/events-20260301T05-s000.parquet",
            ),
            (day, Grid::Day, Format::Csv, 0, "csv/event_date=2026-03-01/events-20260301-s000.csv"),
        ] {
            let slot = slot(span, format, sequence);
            assert_eq!(slot.path(&layout), path);
            assert_eq!(Slot::parse(path, &layout, grid), Some(slot));
        }
        let layout = Layout {
            part: Some(900),
            ndjson: Packing::Zstd,
            partitioning: Partitioning::parse("event_type,event_month").unwrap(),
            ..Layout::default()
        };
        let partition = Partition::of(&layout.partitioning, [Some("a/../B")], |_| String::new());
        let part = Some(Window::new(at, at.plus_seconds(900)));
        let slot = Slot { span: part, partition, format: Format::Ndjson, sequence: 0 };
        let path = "ndjson/type=%61%2F%2E%2E%2FB/event_month=2026-03/events-20260301T0515-s000.ndjson.zst";
        assert_eq!(slot.path(&layout), path);
        assert_eq!(Slot::parse(path, &layout, Grid::Day), Some(slot));
        for format in Format::ALL {
            assert_eq!(Format::parse(format.name()), Some(format));
        }
    }

    #[test]
    fn no_other_spelling_is_a_slot() {
        let layout = Layout::default();
        for path in [
            "parquet/event_date=2026-03-02/events-20260301-s000.parquet",
            "parquet/event_date=2026-03-01/events-20260301-s0000.parquet",
            "parquet/event_date=2026-03-01/events-20260301-s+00.parquet",
            "parquet/event_date=2026-03-01/events-20260301T00-s000.parquet",
            "parquet/event_date=2026-03-01/events-20260301-s000.csv",
            "parquet/event_date=2026-03-01/x/events-20260301-s000.parquet",
            "parquet/events-20260301-s000.parquet",
            "parquet",
            "csv/event_date=2026-02-30/events-20260230-s000.csv",
            "parquet/event_date=2026-03-01/events-undated-s000.parquet",
        ] {
            assert_eq!(Slot::parse(path, &layout, Grid::Day), None, "{path}");
        }
        let partitioning = Partitioning::parse("event_type").unwrap();
        let layout = Layout { part: Some(3_600), partitioning, ..Layout::default() };
        assert!(Slot::parse("csv/type=A/events-20260301T05-s000.csv", &layout, Grid::Day).is_some());
        for path in [
            "csv/type=A/events-20260301T0530-s000.csv",
            "csv/type=A/events-20260301T24-s000.csv",
            "csv/type=A/events-20260301-s000.csv",
            "csv/type=a/events-20260301T05-s000.csv",
            "csv/type=/events-20260301T05-s000.csv",
            "csv/type=../events-20260301T05-s000.csv",
            "csv/type=%41/events-20260301T05-s000.csv",
            "csv/type=%2f/events-20260301T05-s000.csv",
            "csv/type=A~aa/events-20260301T05-s000.csv",
        ] {
            assert_eq!(Slot::parse(path, &layout, Grid::Day), None, "{path}");
        }
    }

    #[test]
    fn events_without_a_time_have_a_place_of_their_own() {
        let slot = Slot { span: None, partition: Partition::default(), format: Format::Csv, sequence: 2 };
        let path = "csv/event_date=__HIVE_DEFAULT_PARTITION__/events-undated-s002.csv";
        assert_eq!(slot.path(&Layout::default()), path);
        assert_eq!(Slot::parse(path, &Layout::default(), Grid::Day), Some(slot));
    }
}
