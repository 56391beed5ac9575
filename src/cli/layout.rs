//! What files look like: the flags that make a dataset's layout, and those that a run chooses.
//!
//! What lives here: [`LayoutFlags`] and what they resolve to. A flag that is left out means the dataset's own choice, else
//! the default. What this file must not know: how files are written.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use vonage_audit::encode::{Codec, FooterKey, Settings as Files};
use vonage_audit::model::{Format, Formulas, Grid, Layout, Lines, Packing};
use vonage_audit::{Error, Result};

use crate::environment::footer_key_from_file;
use crate::folders::{FolderFlags, Folders};

/// How files are written.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct LayoutFlags {
    #[command(flatten)]
    pub(crate) folders: FolderFlags,
    /// Compression: zstd, or for each format, like parquet=zstd:9,csv=gzip,ndjson=zstd:3. Parquet: zstd (1 to 22; default
    /// zstd:3), snappy, gzip (0 to 9), none. CSV and NDJSON: none (default), gzip, zstd, fixed when the dataset is created,
    /// but for the level
    #[arg(long, value_name = "CODECS", value_delimiter = ',', help_heading = "Files")]
    pub(crate) compression: Vec<String>,
    /// In CSV, an apostrophe before a text that a spreadsheet could take for a formula (default: on); fixed when the
    /// dataset is created
    #[arg(long, value_enum, value_name = "on|off", help_heading = "Files")]
    pub(crate) csv_formula_guard: Option<Guard>,
    /// Lines of NDJSON: events, as received (default), or flat, the table's columns; fixed when the dataset is created
    #[arg(long, value_enum, value_name = "SHAPE", help_heading = "Files")]
    pub(crate) ndjson_shape: Option<Shape>,
    /// Most rows of a Parquet row group (default: 131072)
    #[arg(long, value_name = "ROWS", help_heading = "Files",
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1_000..=100_000_000))]
    pub(crate) row_group_rows: Option<usize>,
    /// File with a key of 16 or 32 bytes (raw, hexadecimal or base64), readable by its owner alone: encrypts Parquet
    /// files, with their footer; fixed when the dataset is created
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) parquet_key_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Guard {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    Events,
    Flat,
}

/// What the flags ask for; `None` where they say nothing.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    folders: Folders,
    parquet: Option<Codec>,
    csv: Option<(Packing, Option<u32>)>,
    ndjson: Option<(Packing, Option<u32>)>,
    pub(crate) formulas: Option<Formulas>,
    pub(crate) lines: Option<Lines>,
    row_group_rows: Option<usize>,
    key: Option<FooterKey>,
}

impl LayoutFlags {
    /// What they say for these formats; reads the key's file.
    pub(crate) fn resolve(&self, formats: &[Format]) -> Result<Wishes> {
        let mut wishes = Wishes {
            folders: self.folders.resolve()?,
            formulas: self.csv_formula_guard.map(|guard| match guard {
                Guard::On => Formulas::Guarded,
                Guard::Off => Formulas::Plain,
            }),
            lines: self.ndjson_shape.map(|shape| match shape {
                Shape::Events => Lines::Events,
                Shape::Flat => Lines::Flat,
            }),
            row_group_rows: self.row_group_rows,
            ..Wishes::default()
        };
        let named = |item: &&String| item.contains('=');
        if self.compression.iter().filter(|item| !named(item)).count() > 1 {
            return Err(not_a_codec("two codecs without a format"));
        }
        // First for every format of the run, then what is said of one alone.
        for item in self.compression.iter().filter(|item| !named(item)) {
            for format in formats {
                wishes.compress(*format, item)?;
            }
        }
        let mut said = Vec::new();
        for (name, codec) in self.compression.iter().filter_map(|item| item.split_once('=')) {
            let format = Format::parse(name).filter(|format| !said.contains(format));
            let format = format.ok_or_else(|| not_a_codec(name))?;
            wishes.compress(format, codec)?;
            said.push(format);
        }
        wishes.key = self.parquet_key_file.as_deref().map(footer_key_from_file).transpose()?;
        Ok(wishes)
    }

    /// The flags that make no sense where no files are written.
    pub(crate) fn of_files(&self) -> Option<&'static str> {
        [
            (!self.compression.is_empty(), "--compression"),
            (self.row_group_rows.is_some(), "--row-group-rows"),
            (self.parquet_key_file.is_some(), "--parquet-key-file"),
            (self.folders.partition_by.is_some(), "--partition-by"),
            (self.folders.part.is_some(), "--part"),
        ]
        .into_iter()
        .find_map(|(given, name)| given.then_some(name))
    }
}

impl Wishes {
    fn compress(&mut self, format: Format, text: &str) -> Result<()> {
        let (name, level) = match text.split_once(':') {
            Some((name, level)) => (name, Some(level.parse::<u32>().map_err(|_| not_a_codec(text))?)),
            None => (text, None),
        };
        let range = match name {
            "gzip" => 0..=9,
            "zstd" => 1..=22,
            _ if level.is_some() => return Err(not_a_codec(text)),
            _ => 0..=0,
        };
        if level.is_some_and(|level| !range.contains(&level)) {
            return Err(not_a_codec(text));
        }
        if format == Format::Parquet {
            self.parquet = Some(match name {
                "none" => Codec::Plain,
                "snappy" => Codec::Snappy,
                "gzip" => Codec::Gzip(level.unwrap_or(Files::GZIP_LEVEL)),
                "zstd" => Codec::Zstd(level.unwrap_or(Files::ZSTD_LEVEL).try_into().unwrap_or(i32::MAX)),
                _ => return Err(not_a_codec(text)),
            });
            return Ok(());
        }
        let packing = Packing::parse(name).ok_or_else(|| not_a_codec(text).at("format", format.name()))?;
        match format {
            Format::Parquet => {}
            Format::Csv => self.csv = Some((packing, level)),
            Format::Ndjson => self.ndjson = Some((packing, level)),
        }
        Ok(())
    }

    /// The layout of a dataset, given its own if it is there.
    pub(crate) fn layout(&self, stored: Option<Layout>, grid: Grid) -> Result<Layout> {
        let key = self.key.as_ref().map(FooterKey::id);
        if let (Some(Layout { footer_key: Some(id), .. }), None) = (&stored, &key) {
            return Err(Error::usage("the dataset's Parquet files are encrypted, and no key is given")
                .at("key", id)
                .hint("name the key's file with --parquet-key-file"));
        }
        let own = self.folders.over(stored.unwrap_or_default(), grid)?;
        Ok(Layout {
            csv: self.csv.map_or(own.csv, |(packing, _)| packing),
            formulas: self.formulas.unwrap_or(own.formulas),
            ndjson: self.ndjson.map_or(own.ndjson, |(packing, _)| packing),
            lines: self.lines.unwrap_or(own.lines),
            footer_key: key,
            ..own
        })
    }

    /// How files of this layout are written.
    pub(crate) fn files(self, layout: Layout) -> Files {
        let defaults = Files::new(layout);
        Files {
            parquet: self.parquet.unwrap_or(defaults.parquet),
            csv_level: self.csv.and_then(|(_, level)| level),
            ndjson_level: self.ndjson.and_then(|(_, level)| level),
            row_group_rows: self.row_group_rows.unwrap_or(defaults.row_group_rows),
            key: self.key,
            partition_limit: self.folders.limit(),
            ..defaults
        }
    }
}

fn not_a_codec(text: &str) -> Error {
    Error::usage(format!("not a compression: {text:?}")).hint(
        "write a codec, or FORMAT=CODEC with commas between: parquet has zstd (1 to 22), snappy, gzip (0 to 9) and none; \
         csv and ndjson have none, gzip and zstd; a level follows a colon, like zstd:9",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(compression: &[&str], formats: &[Format]) -> Result<Files> {
        let compression = compression.iter().map(|item| (*item).to_owned()).collect();
        let wishes = LayoutFlags { compression, ..LayoutFlags::default() }.resolve(formats)?;
        let layout = wishes.layout(None, Grid::Day)?;
        Ok(wishes.files(layout))
    }

    #[test]
    fn a_codec_alone_is_for_the_runs_formats_and_a_named_one_for_its_own() {
        let all = files(&["zstd:7"], &Format::ALL).unwrap();
        assert_eq!((all.parquet, all.csv_level, all.ndjson_level), (Codec::Zstd(7), Some(7), Some(7)));
        assert_eq!((all.layout.csv, all.layout.ndjson), (Packing::Zstd, Packing::Zstd));
        let some = files(&["csv=gzip", "parquet=snappy"], &[Format::Parquet]).unwrap();
        assert_eq!((some.parquet, some.layout.csv, some.csv_level), (Codec::Snappy, Packing::Gzip, None));
        assert_eq!(some.layout.ndjson, Packing::Plain);
        let one = files(&["none", "csv=gzip:0"], &[Format::Parquet, Format::Csv]).unwrap();
        assert_eq!((one.parquet, one.layout.csv, one.csv_level), (Codec::Plain, Packing::Gzip, Some(0)));
        assert_eq!(files(&[], &Format::ALL).unwrap(), Files::default());
    }

    #[test]
    fn everything_else_is_refused() {
        for wrong in [
            &["lz4"][..],
            &["zstd:0"],
            &["zstd:23"],
            &["gzip:10"],
            &["gzip:-1"],
            &["snappy:1"],
            &["none:0"],
            &[""],
            &["zstd:"],
            &["zstd", "gzip"],
            &["csv=snappy"],
            &["arrow=zstd"],
            &["csv=gzip", "csv=zstd"],
            &["csv="],
        ] {
            assert!(files(wrong, &Format::ALL).is_err(), "{wrong:?}");
        }
        // Not every format of the run has it.
        assert!(files(&["snappy"], &[Format::Csv]).is_err());
        assert!(files(&["snappy"], &[Format::Parquet]).is_ok());
    }
}
