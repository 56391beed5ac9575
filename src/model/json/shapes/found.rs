//! From what a scanner found to what is noted of every text of its shape.
//!
//! What lives here: [`Found`], which follows a text's items in order and knows how deep each object was and how many
//! members it had when it ends. What this file must not know: how texts are read by it.

use super::{Key, Keyed, Note};
use crate::model::json::Kind;

/// What was found between two scalars, by position in the text.
#[derive(Debug, Default)]
pub(super) struct Found {
    members: usize,
    /// The key whose value is due.
    due: Option<((usize, usize), bool)>,
    /// The objects and arrays that have not ended: the member that each is the value of, and the depth inside.
    open: Vec<(Option<usize>, usize)>,
    items: Vec<Item>,
}

#[derive(Debug)]
enum Item {
    Open { key: (usize, usize), plain: bool, from: usize, kind: Kind },
    Close { member: usize, to: usize, depth: usize, inside: usize },
}

impl Found {
    pub(super) fn key(&mut self, key: (usize, usize), plain: bool) {
        self.due = Some((key, plain));
        self.members += 1;
    }

    pub(super) fn open(&mut self, from: usize, kind: Kind) {
        let member = self.due.take().map(|(key, plain)| {
            self.items.push(Item::Open { key, plain, from, kind });
            self.members - 1
        });
        self.open.push((member, 0));
    }

    pub(super) fn close(&mut self, to: usize) -> Option<()> {
        let (member, inside) = self.open.pop()?;
        let depth = inside + 1;
        if let Some((_, outer)) = self.open.last_mut() {
            *outer = depth.max(*outer);
        }
        if let Some(member) = member {
            self.items.push(Item::Close { member, to, depth, inside: self.members - 1 - member });
        }
        Some(())
    }

    /// The key of the scalar that follows and the other notes, by their distance from a piece; forgets them. `None` if
    /// a number is too large to be kept.
    pub(super) fn take(&mut self, piece: usize) -> Option<(Key, Vec<Note>)> {
        let distance = |at: usize| i16::try_from(i64::try_from(at).ok()? - i64::try_from(piece).ok()?).ok();
        let both = |(from, to): (usize, usize)| Some((distance(from)?, distance(to)?));
        let key = match self.due.take() {
            None => (Keyed::No, (0, 0)),
            Some((key, plain)) => (if plain { Keyed::Plain } else { Keyed::Escaped }, both(key)?),
        };
        let note = |item: Item| {
            Some(match item {
                Item::Open { key, plain, from, kind } => {
                    Note::Open { key: both(key)?, plain, from: distance(from)?, kind }
                }
                Item::Close { member, to, depth, inside } => Note::Close {
                    member: u8::try_from(member).ok()?,
                    to: distance(to)?,
                    depth: u8::try_from(depth).ok()?,
                    inside: u8::try_from(inside).ok()?,
                },
            })
        };
        let notes = self.items.drain(..).map(note).collect::<Option<Vec<_>>>()?;
        Some((key, notes))
    }
}
