//! The pages of one column of a row group, and what the file's footer says of them.
//!
//! What lives here: [`Pages`] takes pages as they end, [`Chunk`] is what comes out. Heads of pages, statistics and indices are made
//! by the library. What this file must not know: how values are encoded, when a page ends.

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, Read};

use ::parquet::basic::{BoundaryOrder, Encoding, EncodingMask, PageType};
use ::parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter};
use ::parquet::column::writer::ColumnCloseResult;
use ::parquet::errors::Result as Written;
use ::parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, LevelHistogram, OffsetIndexBuilder, PageEncodingStats,
};
use ::parquet::file::reader::{ChunkReader, Length};
use ::parquet::file::statistics::Statistics;
use ::parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use bytes::{Buf, Bytes};

use super::bounds::Bounds;
use super::packer::Packer;
use super::plan::Plan;
use crate::encode::parquet::unwritten;
use crate::error::Result;

/// Bytes of a page's head, at most.
const HEAD: usize = 64;

/// A value that statistics know.
pub(super) trait Value: Ord + Clone {
    /// Both bounds as the index of pages has them.
    fn of_page(bounds: &Bounds<Self>, plan: &Plan) -> (Vec<u8>, Vec<u8>);

    /// Statistics of a column.
    fn of_column(bounds: Option<&Bounds<Self>>, nulls: u64, plan: &Plan) -> Statistics;
}

/// What is said of a page.
#[derive(Debug)]
pub(super) struct About<T> {
    pub(super) rows: usize,
    pub(super) nulls: usize,
    pub(super) encoding: Encoding,
    /// Of its values, if they are kept and there are any.
    pub(super) bounds: Option<Bounds<T>>,
    /// Bytes of its texts.
    pub(super) text_bytes: Option<i64>,
}

/// Pages that have ended.
pub(super) struct Pages<T> {
    dictionary: Option<Bytes>,
    data: Vec<Bytes>,
    encodings: BTreeSet<Encoding>,
    /// How many pages of which encoding follow each other.
    runs: Vec<(Encoding, i32)>,
    rows: usize,
    nulls: usize,
    uncompressed: usize,
    text_bytes: Option<i64>,
    bounds: Option<Bounds<T>>,
    last: Option<Bounds<T>>,
    ascending: bool,
    descending: bool,
    index: ColumnIndexBuilder,
    offsets: OffsetIndexBuilder,
}

impl<T: Value> Pages<T> {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut index = ColumnIndexBuilder::new(plan.descr.physical_type());
        if !plan.statistics {
            index.to_invalid();
        }
        Self {
            dictionary: None,
            data: Vec::new(),
            encodings: BTreeSet::from([Encoding::RLE]),
            runs: Vec::new(),
            rows: 0,
            nulls: 0,
            uncompressed: 0,
            text_bytes: None,
            bounds: None,
            last: None,
            ascending: true,
            descending: true,
            index,
            offsets: OffsetIndexBuilder::new(),
        }
    }

    /// Adds a page of data: its levels and values.
    pub(super) fn data(
        &mut self,
        page: &[u8],
        about: &About<T>,
        packer: &mut Packer,
        plan: &Plan,
    ) -> Result<()> {
        self.tell_index(about, plan);
        let values = u32::try_from(about.rows).unwrap_or(u32::MAX);
        let head = |buf: Bytes| Page::DataPage {
            buf,
            num_values: values,
            encoding: about.encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let (bytes, spec) = sealed(packer.pack(page)?, page.len(), head)?;
        self.uncompressed += spec.uncompressed_size;
        self.data.push(bytes);
        self.encodings.insert(about.encoding);
        match self.runs.last_mut().filter(|(encoding, _)| *encoding == about.encoding) {
            Some((_, pages)) => *pages += 1,
            None => self.runs.push((about.encoding, 1)),
        }
        self.rows += about.rows;
        self.nulls += about.nulls;
        if let Some(bytes) = about.text_bytes {
            *self.text_bytes.get_or_insert(0) += bytes;
        }
        Ok(())
    }

    /// Adds the page of the dictionary.
    pub(super) fn dictionary(&mut self, page: &[u8], values: usize, packer: &mut Packer) -> Result<()> {
        let head = |buf: Bytes| Page::DictionaryPage {
            buf,
            num_values: u32::try_from(values).unwrap_or(u32::MAX),
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        let (bytes, spec) = sealed(packer.pack(page)?, page.len(), head)?;
        self.uncompressed += spec.uncompressed_size;
        self.encodings.insert(Encoding::PLAIN);
        self.dictionary = Some(bytes);
        Ok(())
    }

    fn tell_index(&mut self, about: &About<T>, plan: &Plan) {
        self.offsets.append_row_count(wide(about.rows));
        self.offsets.append_unencoded_byte_array_data_bytes(about.text_bytes);
        if let Some(bounds) = &about.bounds {
            Bounds::include(&mut self.bounds, bounds);
            if let Some(last) = &self.last {
                self.ascending &= last.min <= bounds.min && last.max <= bounds.max;
                self.descending &= last.min >= bounds.min && last.max >= bounds.max;
            }
            self.last = Some(bounds.clone());
        }
        if plan.statistics {
            let (min, max) = about.bounds.as_ref().map(|bounds| T::of_page(bounds, plan)).unwrap_or_default();
            self.index.append(about.rows == about.nulls, min, max, wide(about.nulls), None);
            self.index.append_histograms(&None, &histogram(about.rows, about.nulls, plan));
        }
    }

    /// All pages.
    pub(super) fn close(mut self, plan: &Plan) -> Result<Chunk> {
        let start = self.dictionary.as_ref().map_or(0, Bytes::len);
        let mut end = start;
        for page in &self.data {
            let length = i32::try_from(page.len()).unwrap_or(i32::MAX);
            self.offsets.append_offset_and_size(wide(end), length);
            end += page.len();
        }
        let stats = |page_type, encoding, count| PageEncodingStats { page_type, encoding, count };
        let dictionary = self.dictionary.iter().map(|_| stats(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1));
        let data = self.runs.iter().map(|(encoding, pages)| stats(PageType::DATA_PAGE, *encoding, *pages));
        let mut metadata = ColumnChunkMetaData::builder(plan.descr.clone())
            .set_compression(plan.compression)
            .set_encodings_mask(EncodingMask::new_from_encodings(self.encodings.iter()))
            .set_page_encoding_stats(dictionary.chain(data).collect())
            .set_total_compressed_size(wide(end))
            .set_total_uncompressed_size(wide(self.uncompressed))
            .set_num_values(wide(self.rows))
            .set_data_page_offset(wide(start))
            .set_dictionary_page_offset(self.dictionary.as_ref().map(|_| 0));
        if plan.statistics {
            let nulls = u64::try_from(self.nulls).unwrap_or(u64::MAX);
            metadata = metadata
                .set_statistics(T::of_column(self.bounds.as_ref(), nulls, plan))
                .set_unencoded_byte_array_data_bytes(self.text_bytes)
                .set_definition_level_histogram(histogram(self.rows, self.nulls, plan));
        }
        self.index.set_boundary_order(match (self.ascending, self.descending) {
            (true, _) => BoundaryOrder::ASCENDING,
            (false, true) => BoundaryOrder::DESCENDING,
            (false, false) => BoundaryOrder::UNORDERED,
        });
        let column_index = plan.statistics.then(|| self.index.build()).transpose().map_err(unwritten)?;
        let close = ColumnCloseResult {
            bytes_written: u64::try_from(end).unwrap_or(u64::MAX),
            rows_written: u64::try_from(self.rows).unwrap_or(u64::MAX),
            metadata: metadata.build().map_err(unwritten)?,
            bloom_filter: None,
            column_index,
            offset_index: Some(self.offsets.build()),
        };
        Ok(Chunk { pages: self.dictionary.into_iter().chain(self.data).collect(), close })
    }
}

/// A page behind its head.
fn sealed(packed: &[u8], length: usize, page: impl FnOnce(Bytes) -> Page) -> Result<(Bytes, PageWriteSpec)> {
    let page = page(Bytes::copy_from_slice(packed));
    let mut out = TrackedWrite::new(Vec::with_capacity(HEAD + packed.len()));
    let spec = SerializedPageWriter::new(&mut out).write_page(CompressedPage::new(page, length));
    let spec = spec.map_err(unwritten)?;
    Ok((out.into_inner().map_err(unwritten)?.into(), spec))
}

/// How many rows have no value, and how many have one; where each has one nothing is said.
fn histogram(rows: usize, nulls: usize, plan: &Plan) -> Option<LevelHistogram> {
    plan.nullable().then(|| LevelHistogram::from(vec![wide(nulls), wide(rows - nulls)]))
}

fn wide(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A column of a row group, as it stands in the file.
pub(super) struct Chunk {
    pages: VecDeque<Bytes>,
    /// What the file's footer says of it.
    pub(super) close: ColumnCloseResult,
}

impl Chunk {
    /// Its bytes, and what the footer says of them.
    pub(super) fn into_parts(self) -> (ChunkBytes, ColumnCloseResult) {
        (ChunkBytes(self.pages), self.close)
    }
}

/// Bytes of a column, page by page.
pub(super) struct ChunkBytes(VecDeque<Bytes>);

impl Length for ChunkBytes {
    fn len(&self) -> u64 {
        self.0.iter().map(|page| u64::try_from(page.len()).unwrap_or(u64::MAX)).sum()
    }
}

impl ChunkReader for ChunkBytes {
    type T = ChunkRead;

    fn get_read(&self, start: u64) -> Written<ChunkRead> {
        let mut read = ChunkRead(self.0.clone());
        io::copy(&mut read.by_ref().take(start), &mut io::sink())?;
        Ok(read)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Written<Bytes> {
        let mut bytes = vec![0; length];
        self.get_read(start)?.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// Reads pages one after the other.
pub(super) struct ChunkRead(VecDeque<Bytes>);

impl Read for ChunkRead {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let Some(page) = self.0.front_mut() {
            if page.has_remaining() {
                let read = page.as_ref().read(out)?;
                page.advance(read);
                return Ok(read);
            }
            self.0.pop_front();
        }
        Ok(0)
    }
}
