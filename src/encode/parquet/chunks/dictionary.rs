//! A dictionary of texts.
//!
//! What lives here: [`Dictionary`]. Codes follow the order in which texts come first. A text is looked up once for each run of rows that
//! have it, and compared with a page's smallest and largest once for each page. What this file must not know: pages' levels, when a
//! dictionary ends.

use super::bounds;
use super::hybrid::{indices, most, width};
use super::slots::{Hash, Slots, same};

/// Texts, and the codes of the page that has not ended.
#[derive(Debug)]
pub(super) struct Dictionary {
    hash: Hash,
    slots: Slots,
    /// All texts, each behind its length.
    page: Vec<u8>,
    texts: Vec<Text>,
    codes: Vec<u32>,
    /// Of the page that has not ended; from 1.
    number: u32,
}

/// Where a text is, and the last page that has it. A batch has 64 MiB of texts and one more, at most, so that places are short.
#[derive(Clone, Copy, Debug)]
struct Text {
    start: u32,
    end: u32,
    page: u32,
}

impl Dictionary {
    pub(super) fn new() -> Self {
        Self {
            hash: Hash::new(),
            slots: Slots::default(),
            page: Vec::new(),
            texts: Vec::new(),
            codes: Vec::new(),
            number: 1,
        }
    }

    /// Adds a text to the page; one that is new there goes to `bounds`.
    #[inline]
    pub(super) fn add(&mut self, text: &[u8], bounds: &mut bounds::Texts) {
        let hash = self.hash.of(text);
        let is_it = |code: u32| {
            let there = self.texts.get(code as usize).and_then(|place| place.of(&self.page));
            there.is_some_and(|there| same(there, text))
        };
        let code = match self.slots.find(hash, is_it) {
            Ok(code) => code,
            Err(place) => {
                self.page.extend_from_slice(&(text.len() as u32).to_le_bytes());
                let start = self.page.len() as u32;
                self.page.extend_from_slice(text);
                self.texts.push(Text { start, end: self.page.len() as u32, page: 0 });
                self.slots.put(place, hash)
            }
        };
        if let Some(place) = self.texts.get_mut(code as usize)
            && place.page != self.number
        {
            place.page = self.number;
            bounds.add(text, 0);
        }
        self.codes.push(code);
    }

    /// Adds the text that was added last once more.
    #[inline]
    pub(super) fn again(&mut self) {
        if let Some(code) = self.codes.last().copied() {
            self.codes.push(code);
        }
    }

    /// Bytes of all texts.
    pub(super) fn bytes(&self) -> usize {
        self.page.len()
    }

    fn width(&self) -> u32 {
        width(self.texts.len().saturating_sub(1) as u64)
    }

    /// Bytes of the page's codes, as the library estimates them.
    pub(super) fn page_bytes(&self) -> usize {
        1 + most(self.width(), self.codes.len())
    }

    /// Appends the page's codes; the next page begins.
    pub(super) fn end_page(&mut self, out: &mut Vec<u8>) {
        out.push(self.width() as u8);
        indices(&self.codes, self.width(), out);
        self.codes.clear();
        self.number += 1;
    }

    /// The page of the dictionary itself, and how many texts it has.
    pub(super) fn texts(&self) -> (&[u8], usize) {
        (&self.page, self.texts.len())
    }
}

impl Text {
    fn of<'a>(&self, page: &'a [u8]) -> Option<&'a [u8]> {
        page.get(self.start as usize..self.end as usize)
    }
}
