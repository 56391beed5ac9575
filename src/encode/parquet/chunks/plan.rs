//! How one column is to be written.
//!
//! What lives here: [`Plan`], read from the library's settings, so that there is one place that decides about bytes. What this file must
//! not know: values.

use ::parquet::basic::{Compression, Encoding, Type};
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::schema::types::ColumnDescPtr;

use super::slots::DICTIONARY_BYTES;
use crate::error::{Error, Result};

/// What holds for all pages of a column.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// What the file's schema says of it.
    pub(super) descr: ColumnDescPtr,
    pub(super) compression: Compression,
    /// Of Zstandard, if pages are compressed.
    pub(super) level: Option<i32>,
    pub(super) dictionary: bool,
    /// Of values that are in no dictionary.
    pub(super) encoding: Encoding,
    /// Whether smallest and largest values are kept.
    pub(super) statistics: bool,
    /// Rows from which on a page ends.
    pub(super) page_rows: usize,
    /// Bytes of values from which on a page ends.
    pub(super) page_bytes: usize,
    /// Bytes from which on there is no dictionary any more.
    pub(super) dictionary_bytes: usize,
    /// Rows after which it is asked whether a page ends.
    pub(super) batch_rows: usize,
    /// Bytes of a text in statistics, and in the index of pages.
    pub(super) statistics_bytes: usize,
    pub(super) index_bytes: usize,
}

impl Plan {
    pub(super) fn new(descr: &ColumnDescPtr, properties: &WriterProperties) -> Result<Self> {
        let path = descr.path();
        let compression = properties.compression(path);
        let level = match compression {
            Compression::UNCOMPRESSED => None,
            Compression::ZSTD(level) => Some(level.compression_level()),
            _ => return Err(Error::bug("a column has a codec that belongs to the library's writer")),
        };
        let plan = Self {
            descr: descr.clone(),
            compression,
            level,
            dictionary: properties.dictionary_enabled(path) && descr.physical_type() != Type::BOOLEAN,
            encoding: properties.encoding(path).unwrap_or(Encoding::PLAIN),
            statistics: properties.statistics_enabled(path) != EnabledStatistics::None,
            page_rows: properties.column_data_page_row_count_limit(path),
            page_bytes: properties.column_data_page_size_limit(path),
            dictionary_bytes: properties.column_dictionary_page_size_limit(path),
            batch_rows: properties.write_batch_size(),
            statistics_bytes: properties.statistics_truncate_length().unwrap_or(usize::MAX),
            index_bytes: properties.column_index_truncate_length().unwrap_or(usize::MAX),
        };
        let longest = plan.page_rows.max(plan.batch_rows).saturating_mul(size_of::<i64>());
        let texts = descr.physical_type() == Type::BYTE_ARRAY;
        if plan.dictionary_bytes > DICTIONARY_BYTES
            || !texts && longest > plan.page_bytes.min(plan.dictionary_bytes)
        {
            return Err(Error::bug("a column's pages or dictionary are longer than its encoder is made for"));
        }
        Ok(plan)
    }

    /// Whether rows may have no value.
    pub(super) fn nullable(&self) -> bool {
        self.descr.max_def_level() > 0
    }
}
