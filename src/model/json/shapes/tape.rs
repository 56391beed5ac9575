//! A tape of what the scanner notes, to learn a shape from.
//!
//! What lives here: [`Tape`] and [`Taped`], which hands every note on. What this file must not know: what is learned.

use crate::model::json::Kind;
use crate::model::json::outline::Outline;
use crate::model::json::scan::Notes;

/// What the scanner found, in order: to learn from.
#[derive(Debug)]
pub(in crate::model::json) struct Tape {
    pub(super) items: Vec<Item>,
    /// Whether that is all.
    pub(super) whole: bool,
}

impl Default for Tape {
    fn default() -> Self {
        Self { items: Vec::with_capacity(128), whole: true }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    Key(usize, usize, bool),
    Open(usize, Kind),
    Close(usize),
    Scalar(usize, usize, Kind),
}

/// Most items of a text that is learned.
const MAX_ITEMS: usize = 512;

/// Takes the outline's notes and keeps a tape of them.
pub(in crate::model::json) struct Taped<'a> {
    pub(in crate::model::json) outline: &'a mut Outline,
    pub(in crate::model::json) tape: Tape,
}

impl Taped<'_> {
    #[inline]
    fn keep(&mut self, item: Item) {
        if self.tape.items.len() < MAX_ITEMS {
            self.tape.items.push(item);
        } else {
            self.tape.whole = false;
        }
    }
}

impl Notes for Taped<'_> {
    #[inline]
    fn key(&mut self, from: usize, to: usize, plain: bool) {
        self.keep(Item::Key(from, to, plain));
        self.outline.key(from, to, plain);
    }

    #[inline]
    fn scalar(&mut self, from: usize, to: usize, kind: Kind, plain: bool) {
        self.keep(Item::Scalar(from, to, kind));
        self.outline.scalar(from, to, kind, plain);
    }

    #[inline]
    fn open(&mut self, from: usize, kind: Kind) {
        self.keep(Item::Open(from, kind));
        self.outline.open(from, kind);
    }

    #[inline]
    fn close(&mut self, to: usize) {
        self.keep(Item::Close(to));
        self.outline.close(to);
    }
}
