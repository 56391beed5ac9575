//! Values of a column of numbers: integers of 32 or 64 bits, and times.
//!
//! What lives here: [`Numbers`]: a dictionary as long as there is one, then one of two encodings. What this file must not know: pages'
//! levels, when a page ends.

use std::fmt::Debug;
use std::ops::Range;

use ::parquet::basic::Encoding;
use ::parquet::file::statistics::{Statistics, ValueStatistics};
use arrow_array::{ArrowPrimitiveType, PrimitiveArray};

use super::body::Body;
use super::bounds::Bounds;
use super::column::{Ended, Values};
use super::delta::Deltas;
use super::hybrid::{indices, most, width};
use super::pages::Value;
use super::plan::Plan;
use super::rows::each_value;
use super::slots::{Hash, Slots};
use crate::error::{Error, Result};

/// An integer of a file.
pub(super) trait Number: Value + Copy + Debug + Send {
    /// Whether it has 32 bits.
    const NARROW: bool;

    fn wide(self) -> i64;

    fn append(self, out: &mut Vec<u8>);
}

/// Numbers of the page that has not ended.
#[derive(Debug)]
pub(super) struct Numbers<T: ArrowPrimitiveType<Native: Number>> {
    dictionary: Option<Dictionary<T::Native>>,
    deltas: Option<Deltas>,
    body: Body,
    statistics: bool,
    bounds: Option<Bounds<T::Native>>,
}

/// Numbers in the order in which they come first, and the codes of the page.
#[derive(Debug)]
struct Dictionary<N> {
    hash: Hash,
    slots: Slots,
    numbers: Vec<N>,
    codes: Vec<u32>,
}

impl<N: Number> Dictionary<N> {
    fn new() -> Self {
        Self { hash: Hash::new(), slots: Slots::default(), numbers: Vec::new(), codes: Vec::new() }
    }

    fn add(&mut self, number: N) {
        let hash = self.hash.of_number(number.wide() as u64);
        let code = match self.slots.find(hash, |code| self.numbers.get(code as usize) == Some(&number)) {
            Ok(code) => code,
            Err(place) => {
                self.numbers.push(number);
                self.slots.put(place, hash)
            }
        };
        self.codes.push(code);
    }

    fn width(&self) -> u32 {
        width(self.numbers.len().saturating_sub(1) as u64)
    }
}

impl<T: ArrowPrimitiveType<Native: Number>> Values for Numbers<T> {
    type Array = PrimitiveArray<T>;
    type Value = T::Native;

    fn new(plan: &Plan) -> Result<Self> {
        let deltas = match plan.encoding {
            Encoding::PLAIN => None,
            Encoding::DELTA_BINARY_PACKED => Some(Deltas::new(T::Native::NARROW)),
            _ => return Err(Error::bug("a column of numbers has an encoding that is none of numbers")),
        };
        Ok(Self {
            dictionary: plan.dictionary.then(Dictionary::new),
            deltas,
            body: Body::default(),
            statistics: plan.statistics,
            bounds: None,
        })
    }

    fn add(&mut self, array: &PrimitiveArray<T>, rows: Range<usize>) {
        let Self { dictionary, deltas, body, statistics, bounds } = self;
        let numbers = array.values();
        each_value(array, rows, |row| {
            let Some(number) = numbers.get(row).copied() else { return };
            if *statistics {
                Bounds::include_one(bounds, number);
            }
            match (&mut *dictionary, &mut *deltas) {
                (Some(dictionary), _) => dictionary.add(number),
                (None, Some(deltas)) => deltas.add(number.wide()),
                (None, None) => number.append(body.end()),
            }
        });
    }

    fn page_bytes(&self) -> usize {
        match (&self.dictionary, &self.deltas) {
            (Some(dictionary), _) => most(dictionary.width(), dictionary.codes.len()),
            (None, Some(deltas)) => deltas.size(),
            (None, None) => self.body.len(),
        }
    }

    fn dictionary_bytes(&self) -> Option<usize> {
        self.dictionary.as_ref().map(|dictionary| dictionary.numbers.len() * size_of::<T::Native>())
    }

    fn end_page<'a>(&'a mut self, front: &'a mut Vec<u8>) -> Ended<'a, T::Native> {
        let (bounds, text_bytes) = (self.bounds.take(), None);
        if let Some(dictionary) = &mut self.dictionary {
            let width = dictionary.width();
            front.push(width as u8);
            indices(&dictionary.codes, width, front);
            dictionary.codes.clear();
            return Ended { page: front, encoding: Encoding::RLE_DICTIONARY, bounds, text_bytes };
        }
        let encoding = match &mut self.deltas {
            Some(deltas) => {
                deltas.take(front);
                Encoding::DELTA_BINARY_PACKED
            }
            None => Encoding::PLAIN,
        };
        Ended { page: self.body.behind(front), encoding, bounds, text_bytes }
    }

    fn begin_page(&mut self) {
        self.body.clear();
    }

    fn end_dictionary<R>(&mut self, each: impl FnOnce(&[u8], usize) -> R) -> Option<R> {
        let dictionary = self.dictionary.take()?;
        let mut page = Vec::with_capacity(dictionary.numbers.len() * size_of::<T::Native>());
        dictionary.numbers.iter().for_each(|number| number.append(&mut page));
        Some(each(&page, dictionary.numbers.len()))
    }
}

macro_rules! number {
    ($type:ty, $narrow:expr) => {
        impl Number for $type {
            const NARROW: bool = $narrow;

            fn wide(self) -> i64 {
                self.into()
            }

            fn append(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        }

        impl Value for $type {
            fn of_page(bounds: &Bounds<Self>, _: &Plan) -> (Vec<u8>, Vec<u8>) {
                (bounds.min.to_le_bytes().to_vec(), bounds.max.to_le_bytes().to_vec())
            }

            fn of_column(bounds: Option<&Bounds<Self>>, nulls: u64, _: &Plan) -> Statistics {
                let (min, max) = (bounds.map(|bounds| bounds.min), bounds.map(|bounds| bounds.max));
                // Their order is the one that old readers expect.
                ValueStatistics::new(min, max, None, Some(nulls), false)
                    .with_backwards_compatible_min_max(true)
                    .into()
            }
        }
    };
}

number!(i32, true);
number!(i64, false);
