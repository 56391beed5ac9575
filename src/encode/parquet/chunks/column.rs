//! One column of a row group: when its pages end.
//!
//! What lives here: [`Column`], and [`Values`], which it asks how long a page is. Pages end where the library's writer ends them: it
//! takes the rows of a batch by [`Plan::batch_rows`], or all at once where they all have a value or none has, fewer where texts are
//! long, and asks after each such step. What this file must not know: how values are encoded, what the footer says.

use std::ops::Range;

use ::parquet::basic::Encoding;
use arrow_array::Array;

use super::bounds::Bounds;
use super::hybrid::Levels;
use super::packer::Packer;
use super::pages::{About, Chunk, Pages, Value};
use super::plan::Plan;
use super::rows::{Rows, add_levels};
use crate::error::{Error, Result};

/// Values of the page that has not ended, of a column of one type.
pub(super) trait Values: Sized {
    /// The arrays in which they come.
    type Array: Array;
    type Value: Value;

    fn new(plan: &Plan) -> Result<Self>;

    /// Adds the values of some rows; rows without one are left out.
    fn add(&mut self, array: &Self::Array, rows: Range<usize>);

    /// Bytes that they take, as the library estimates them.
    fn page_bytes(&self) -> usize;

    /// Whether a first value that is too long by itself does not end the page.
    fn exempt(&self) -> bool {
        false
    }

    /// Bytes of the dictionary, if there is one.
    fn dictionary_bytes(&self) -> Option<usize> {
        None
    }

    /// The steps in which these rows are added, if not all at once. Numbers are never so long: [`Plan::new`] sees to it.
    fn window(&self, _: &Plan, _: &Rows<'_, Self::Array>, _: Range<usize>) -> Option<Window> {
        None
    }

    /// The page with what it begins with, which is in `front`.
    fn end_page<'a>(&'a mut self, front: &'a mut Vec<u8>) -> Ended<'a, Self::Value>;

    /// After [`Values::end_page`]: leaves no value.
    fn begin_page(&mut self) {}

    /// Hands over the page of the dictionary and how many values it has; later values are in none.
    fn end_dictionary<R>(&mut self, _: impl FnOnce(&[u8], usize) -> R) -> Option<R> {
        None
    }
}

/// A page whose values are complete.
#[derive(Debug)]
pub(super) struct Ended<'a, T> {
    pub(super) page: &'a [u8],
    pub(super) encoding: Encoding,
    pub(super) bounds: Option<Bounds<T>>,
    pub(super) text_bytes: Option<i64>,
}

/// How many rows make a step.
#[derive(Clone, Copy, Debug)]
pub(super) enum Window {
    Rows(usize),
    /// As many as have so many values; the rows without one that follow belong to the next step.
    Values(usize),
}

/// A column, as far as its rows have come.
pub(super) struct Column<V: Values> {
    plan: Plan,
    levels: Levels,
    values: V,
    /// Of the page that has not ended.
    rows: usize,
    nulls: usize,
    /// Bytes of a first value that do not count.
    exempt: usize,
    pages: Pages<V::Value>,
}

impl<V: Values> Column<V> {
    pub(super) fn new(plan: Plan) -> Result<Self> {
        let (values, pages) = (V::new(&plan)?, Pages::new(&plan));
        Ok(Self { plan, levels: Levels::default(), values, rows: 0, nulls: 0, exempt: 0, pages })
    }

    /// Adds rows of a batch, or all of them; `full`: no row of the whole batch is null.
    pub(super) fn push(&mut self, rows: &Rows<'_, V::Array>, full: bool) -> Result<()> {
        let nulls = rows.nulls(0..rows.len());
        if nulls > 0 && !self.plan.nullable() {
            return Err(Error::bug("a column that has a value in each row has none in one"));
        }
        let alike = self.plan.nullable() && (full || nulls == rows.len());
        let most = if alike { self.plan.page_rows } else { self.plan.batch_rows };
        let mut from = 0;
        while from < rows.len() {
            let to = rows.len().min(from + most);
            match self.values.window(&self.plan, rows, from..to) {
                None => self.step(rows, from..to)?,
                Some(window) => self.steps(rows, from..to, window)?,
            }
            from = to;
        }
        Ok(())
    }

    fn steps(&mut self, all: &Rows<'_, V::Array>, rows: Range<usize>, window: Window) -> Result<()> {
        let mut from = rows.start;
        while from < rows.end {
            let to = match window {
                Window::Rows(some) => rows.end.min(from + some.max(1)),
                Window::Values(values) => all.end_of_values(from..rows.end, values.max(1)),
            };
            self.step(all, from..to)?;
            from = to;
        }
        Ok(())
    }

    /// Adds rows, and ends what is long enough.
    fn step(&mut self, all: &Rows<'_, V::Array>, rows: Range<usize>) -> Result<()> {
        let some = rows.len();
        let mut nulls = 0;
        for (array, rows) in all.parts(rows) {
            let before = nulls;
            let length = rows.len();
            if self.plan.nullable() {
                nulls += add_levels(array, rows.clone(), &mut self.levels);
            }
            if nulls - before < length {
                self.values.add(array, rows);
            }
        }
        let first = self.rows == 0;
        self.rows += some;
        self.nulls += nulls;
        let bytes = self.values.page_bytes();
        if first && some - nulls == 1 && self.values.exempt() && bytes >= self.plan.page_bytes {
            self.exempt = bytes;
        }
        if self.rows >= self.plan.page_rows || bytes.saturating_sub(self.exempt) >= self.plan.page_bytes {
            self.end_page()?;
        }
        if self.values.dictionary_bytes().is_some_and(|bytes| bytes >= self.plan.dictionary_bytes) {
            if self.rows > 0 {
                self.end_page()?;
            }
            self.end_dictionary()?;
        }
        Ok(())
    }

    fn end_page(&mut self) -> Result<()> {
        let mut packer = Packer::new(self.plan.level)?;
        let mut front = std::mem::take(&mut packer.front);
        if self.plan.nullable() {
            self.levels.take(&mut front);
        }
        let Ended { page, encoding, bounds, text_bytes } = self.values.end_page(&mut front);
        let bounds = bounds.filter(|_| self.plan.statistics);
        let about = About { rows: self.rows, nulls: self.nulls, encoding, bounds, text_bytes };
        self.pages.data(page, &about, &mut packer, &self.plan)?;
        self.values.begin_page();
        packer.front = front;
        packer.give_back();
        self.rows = 0;
        self.nulls = 0;
        self.exempt = 0;
        Ok(())
    }

    fn end_dictionary(&mut self) -> Result<()> {
        let Self { values, pages, plan, .. } = self;
        let mut packer = Packer::new(plan.level)?;
        let page = |page: &[u8], values: usize| pages.dictionary(page, values, &mut packer);
        values.end_dictionary(page).transpose()?;
        packer.give_back();
        Ok(())
    }

    /// All its pages.
    pub(super) fn close(mut self) -> Result<Chunk> {
        if self.rows > 0 {
            self.end_page()?;
        }
        if self.values.dictionary_bytes().is_some() {
            self.end_dictionary()?;
        }
        self.pages.close(&self.plan)
    }
}
