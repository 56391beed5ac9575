//! Values of a column of text.
//!
//! What lives here: [`Texts`]: a dictionary as long as there is one, then one of three encodings. What this file must not know: pages'
//! levels, when a page ends.

use std::ops::Range;

use ::parquet::basic::Encoding;
use ::parquet::data_type::ByteArray;
use ::parquet::file::statistics::{Statistics, ValueStatistics};
use arrow_array::StringArray;

use super::body::Body;
use super::bounds::{self, Bounds, above, below};
use super::column::{Ended, Values, Window};
use super::delta::Deltas;
use super::dictionary::Dictionary;
use super::pages::Value;
use super::plan::Plan;
use super::rows::{Rows, each_text, letters};
use super::slots::same;
use crate::error::{Error, Result};

/// Bytes of a text's length.
const LENGTH: usize = 4;

/// Texts of the page that has not ended.
#[derive(Debug)]
pub(super) struct Texts {
    dictionary: Option<Dictionary>,
    layout: Layout,
    body: Body,
    /// Bytes of the page's texts.
    bytes: usize,
    statistics: bool,
    bounds: bounds::Texts,
}

/// How texts stand in a page without a dictionary.
#[derive(Debug)]
enum Layout {
    /// Each behind its length.
    Plain,
    /// Behind all lengths.
    Lengths(Deltas),
    /// What differs from the one before, behind the lengths of what does not and of what does.
    Chained { before: Vec<u8>, common: Deltas, rest: Deltas },
}

impl Texts {
    fn layout_of(encoding: Encoding) -> Result<Layout> {
        let lengths = || Deltas::new(true);
        Ok(match encoding {
            Encoding::PLAIN => Layout::Plain,
            Encoding::DELTA_LENGTH_BYTE_ARRAY => Layout::Lengths(lengths()),
            Encoding::DELTA_BYTE_ARRAY => {
                Layout::Chained { before: Vec::new(), common: lengths(), rest: lengths() }
            }
            _ => return Err(Error::bug("a column of text has an encoding that is none of text")),
        })
    }

    /// Whether a text takes less behind another one.
    fn chained(&self) -> bool {
        self.dictionary.is_none() && matches!(self.layout, Layout::Chained { .. })
    }
}

impl Values for Texts {
    type Array = StringArray;
    type Value = Vec<u8>;

    fn new(plan: &Plan) -> Result<Self> {
        Ok(Self {
            dictionary: plan.dictionary.then(Dictionary::new),
            layout: Self::layout_of(plan.encoding)?,
            body: Body::default(),
            bytes: 0,
            statistics: plan.statistics,
            bounds: bounds::Texts::default(),
        })
    }

    fn add(&mut self, texts: &StringArray, rows: Range<usize>) {
        let Self { dictionary, layout, body, bytes, statistics, bounds } = self;
        if let Some(dictionary) = dictionary {
            let mut before = None;
            each_text(texts, rows, |text| {
                *bytes += text.len();
                if before.is_some_and(|before| same(before, text)) {
                    dictionary.again();
                } else {
                    dictionary.add(text, bounds);
                    before = Some(text);
                }
            });
            return;
        }
        match layout {
            Layout::Plain => each_text(texts, rows, |text| {
                *bytes += text.len();
                let body = body.end();
                body.extend_from_slice(&(text.len() as u32).to_le_bytes());
                body.extend_from_slice(text);
                if *statistics {
                    bounds.add(text, 0);
                }
            }),
            Layout::Lengths(lengths) => each_text(texts, rows, |text| {
                *bytes += text.len();
                lengths.add(i64::from(text.len() as i32));
                body.end().extend_from_slice(text);
                if *statistics {
                    bounds.add(text, 0);
                }
            }),
            Layout::Chained { before: last, common, rest } => {
                let mut before = last.as_slice();
                each_text(texts, rows, |text| {
                    *bytes += text.len();
                    let same = alike(before, text);
                    let other = text.get(same..).unwrap_or_default();
                    common.add(i64::from(same as i32));
                    rest.add(i64::from(other.len() as i32));
                    body.end().extend_from_slice(other);
                    before = text;
                    if *statistics {
                        bounds.add(text, same);
                    }
                });
                *last = before.to_vec();
            }
        }
    }

    fn page_bytes(&self) -> usize {
        match (&self.dictionary, &self.layout) {
            (Some(dictionary), _) => dictionary.page_bytes(),
            (None, Layout::Plain) => self.body.len(),
            (None, Layout::Lengths(lengths)) => self.body.len() + lengths.size(),
            (None, Layout::Chained { common, rest, .. }) => self.body.len() + common.size() + rest.size(),
        }
    }

    fn exempt(&self) -> bool {
        self.chained()
    }

    fn dictionary_bytes(&self) -> Option<usize> {
        self.dictionary.as_ref().map(Dictionary::bytes)
    }

    fn window(&self, plan: &Plan, all: &Rows<'_, StringArray>, rows: Range<usize>) -> Option<Window> {
        let some = rows.len();
        let values = some - all.nulls(rows.clone());
        let most = match &self.dictionary {
            Some(dictionary) => plan.dictionary_bytes.saturating_sub(dictionary.bytes()),
            None => plan.page_bytes,
        };
        let bytes: usize = all.parts(rows.clone()).map(|(array, rows)| letters(array, &rows)).sum();
        if values == 0 || bytes + values * LENGTH <= most {
            return None;
        }
        let (mut fit, mut bytes) = (0, 0);
        for (array, rows) in all.parts(rows) {
            each_text(array, rows, |text| {
                if bytes <= most {
                    bytes += text.len() + LENGTH;
                    fit += 1;
                }
            });
        }
        if fit >= values {
            return None;
        }
        Some(match self.chained() {
            true => Window::Values(fit),
            // Of as many rows as values are in, on average.
            false => Window::Rows((fit * some).div_ceil(values).min(some)),
        })
    }

    fn end_page<'a>(&'a mut self, front: &'a mut Vec<u8>) -> Ended<'a, Vec<u8>> {
        let text_bytes = i64::try_from(std::mem::take(&mut self.bytes)).ok();
        let bounds = self.bounds.take();
        if let Some(dictionary) = &mut self.dictionary {
            dictionary.end_page(front);
            return Ended { page: front, encoding: Encoding::RLE_DICTIONARY, bounds, text_bytes };
        }
        let encoding = match &mut self.layout {
            Layout::Plain => Encoding::PLAIN,
            Layout::Lengths(lengths) => {
                lengths.take(front);
                Encoding::DELTA_LENGTH_BYTE_ARRAY
            }
            Layout::Chained { before, common, rest } => {
                before.clear();
                common.take(front);
                rest.take(front);
                Encoding::DELTA_BYTE_ARRAY
            }
        };
        Ended { page: self.body.behind(front), encoding, bounds, text_bytes }
    }

    fn begin_page(&mut self) {
        self.body.clear();
    }

    fn end_dictionary<R>(&mut self, each: impl FnOnce(&[u8], usize) -> R) -> Option<R> {
        let dictionary = self.dictionary.take()?;
        let (page, texts) = dictionary.texts();
        Some(each(page, texts))
    }
}

/// Letters that two texts begin with alike.
#[inline]
fn alike(one: &[u8], other: &[u8]) -> usize {
    let (words, _) = one.as_chunks::<8>();
    let (others, _) = other.as_chunks::<8>();
    let mut at = 0;
    for (word, other) in words.iter().zip(others) {
        let differ = u64::from_le_bytes(*word) ^ u64::from_le_bytes(*other);
        if differ != 0 {
            return at + differ.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let (one, other) = (one.get(at..).unwrap_or_default(), other.get(at..).unwrap_or_default());
    at + one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

impl Value for Vec<u8> {
    fn of_page(bounds: &Bounds<Self>, plan: &Plan) -> (Vec<u8>, Vec<u8>) {
        (below(&bounds.min, plan.index_bytes).0, above(&bounds.max, plan.index_bytes).0)
    }

    fn of_column(bounds: Option<&Bounds<Self>>, nulls: u64, plan: &Plan) -> Statistics {
        let Some(bounds) = bounds else {
            return ValueStatistics::<ByteArray>::new(None, None, None, Some(nulls), false).into();
        };
        let (min, lower) = below(&bounds.min, plan.statistics_bytes);
        let (max, higher) = above(&bounds.max, plan.statistics_bytes);
        ValueStatistics::<ByteArray>::new(Some(min.into()), Some(max.into()), None, Some(nulls), false)
            .with_min_is_exact(!lower)
            .with_max_is_exact(!higher)
            .into()
    }
}
