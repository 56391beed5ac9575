//! Values of a column of booleans.
//!
//! What lives here: [`Booleans`], one bit each. What this file must not know: pages' levels, when a page ends.

use std::ops::Range;

use ::parquet::basic::Encoding;
use ::parquet::file::statistics::{Statistics, ValueStatistics};
use arrow_array::BooleanArray;

use super::bounds::Bounds;
use super::column::{Ended, Values};
use super::pages::Value;
use super::plan::Plan;
use super::rows::each_value;
use crate::error::{Error, Result};

/// Booleans of the page that has not ended.
#[derive(Debug)]
pub(super) struct Booleans {
    bits: Vec<u8>,
    /// How many there are.
    values: usize,
    statistics: bool,
    bounds: Option<Bounds<bool>>,
}

impl Values for Booleans {
    type Array = BooleanArray;
    type Value = bool;

    fn new(plan: &Plan) -> Result<Self> {
        if plan.encoding != Encoding::PLAIN {
            return Err(Error::bug("a column of booleans has an encoding that is none of booleans"));
        }
        Ok(Self { bits: Vec::new(), values: 0, statistics: plan.statistics, bounds: None })
    }

    fn add(&mut self, array: &BooleanArray, rows: Range<usize>) {
        each_value(array, rows, |row| {
            let value = array.values().value(row);
            if self.values.is_multiple_of(8) {
                self.bits.push(0);
            }
            if let Some(last) = self.bits.last_mut() {
                *last |= u8::from(value) << (self.values % 8);
            }
            self.values += 1;
            if self.statistics {
                Bounds::include_one(&mut self.bounds, value);
            }
        });
    }

    fn page_bytes(&self) -> usize {
        self.bits.len()
    }

    fn end_page<'a>(&'a mut self, front: &'a mut Vec<u8>) -> Ended<'a, bool> {
        front.append(&mut self.bits);
        self.values = 0;
        Ended { page: front, encoding: Encoding::PLAIN, bounds: self.bounds.take(), text_bytes: None }
    }
}

impl Value for bool {
    fn of_page(bounds: &Bounds<Self>, _: &Plan) -> (Vec<u8>, Vec<u8>) {
        (vec![u8::from(bounds.min)], vec![u8::from(bounds.max)])
    }

    fn of_column(bounds: Option<&Bounds<Self>>, nulls: u64, _: &Plan) -> Statistics {
        let (min, max) = (bounds.map(|bounds| bounds.min), bounds.map(|bounds| bounds.max));
        ValueStatistics::new(min, max, None, Some(nulls), false).into()
    }
}
