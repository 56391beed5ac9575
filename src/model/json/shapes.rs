//! Texts that differ from one read before in their scalars only are read by what stood between those.
//!
//! What lives here: [`Shapes`], a tree of the pieces of text between scalars, each thread's own and bounded. A text that
//! follows it to an end is valid, since scalars are checked as ever and all else is, byte for byte, what the scanner has
//! found valid; what it holds is noted as the scanner would. Any other text is the scanner's: nothing here ever refuses
//! one. What this file must not know: what keys and values mean.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Kind;
use super::lexical::plain_end;
use super::outline::{Outline, Root};
use super::scan::Scanner;

mod found;
mod piece;
mod tape;

use found::Found;
pub(super) use piece::is_whole;
use piece::{Keyed, NONE, PIECE, Piece, Then};
use tape::Item;
pub(super) use tape::{Tape, Taped};

/// Most bytes between two scalars; a text with more is not learned.
const MAX_BETWEEN: usize = 400;
/// Most pieces that are known at once.
const MAX_PIECES: usize = 4_096;
/// Most pieces that are told apart at one place.
const MAX_BESIDE: usize = 64;
thread_local! {
    static SHAPES: RefCell<Shapes> = RefCell::default();
}

/// The next number of a shape: never used twice, so that whoever keeps something by it need not compare shapes.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// What this thread has learned.
#[derive(Debug)]
struct Shapes {
    pieces: Vec<Piece>,
    notes: Vec<Note>,
    ends: Vec<End>,
    /// The piece to try first.
    first: u32,
    /// Texts that were read by it since it was last empty.
    followed: usize,
    /// Whether something was not learned for want of room.
    full: bool,
}

impl Default for Shapes {
    fn default() -> Self {
        Self {
            pieces: Vec::new(),
            notes: Vec::new(),
            ends: Vec::new(),
            first: NONE,
            followed: 0,
            full: false,
        }
    }
}

/// How the key of a scalar is spelled, and where it stands.
type Key = (Keyed, (i16, i16));

/// What is to be noted between two scalars beside the key of the second, by the distance from the beginning of the last
/// piece there.
#[derive(Clone, Copy, Debug)]
enum Note {
    /// A member whose value, an object or array, begins.
    Open { key: (i16, i16), plain: bool, from: i16, kind: Kind },
    /// The value of the member with this number ends.
    Close { member: u8, to: i16, depth: u8, inside: u8 },
}

/// A text's end.
#[derive(Clone, Copy, Debug)]
struct End {
    shape: u64,
    /// White space before and behind the value.
    from: usize,
    trailing: usize,
    kind: Kind,
    depth: u32,
    compact: bool,
}

impl End {
    /// What is said of a text of this length.
    fn root(self, length: usize) -> Root {
        let Self { shape, from, trailing, kind, depth, compact } = self;
        Root { length, from, to: length - trailing, kind, depth, plain: false, compact, shape }
    }
}

/// Reads the text into the outline, which must be empty, if it is like one that was learned. If not, the outline is
/// left in no useful state.
pub(super) fn follow(text: &str, outline: &mut Outline) -> Option<Root> {
    followed(text, outline, |_, behind| behind == text.len())
}

/// The same for an object with which the text begins, whatever stands behind it.
pub(super) fn follow_first(text: &str, outline: &mut Outline) -> Option<Root> {
    followed(text, outline, |end, _| end.trailing == 0)
}

fn followed(text: &str, outline: &mut Outline, ends: impl Fn(&End, usize) -> bool) -> Option<Root> {
    SHAPES.try_with(|shapes| shapes.try_borrow_mut().ok()?.follow(text, outline, ends)).ok().flatten()
}

/// Learns from a text that the scanner has read; gives the number of its shape, 0 for none.
pub(super) fn learn(text: &str, root: &Root, tape: &Tape) -> u64 {
    let learned = SHAPES
        .try_with(|shapes| shapes.try_borrow_mut().ok().and_then(|mut all| all.learn(text, root, tape)));
    learned.ok().flatten().unwrap_or(0)
}

impl Shapes {
    /// `ends` says whether a text that was learned may end here, so many bytes from the beginning.
    #[inline]
    fn follow(
        &mut self,
        text: &str,
        outline: &mut Outline,
        ends: impl Fn(&End, usize) -> bool,
    ) -> Option<Root> {
        let bytes = text.as_bytes();
        let (mut at, mut next) = (0, self.first);
        loop {
            let piece = self.pieces.get(next as usize)?;
            if !piece.begins(bytes.get(at..)?) {
                next = piece.beside;
                continue;
            }
            let behind = at + usize::from(piece.length);
            let (value, kind, plain) = match piece.then {
                Then::String => {
                    let end = plain_end(bytes, behind);
                    if bytes.get(end) == Some(&b'"') {
                        ((behind - 1, end + 1), Kind::String, true)
                    } else {
                        let mut scanner = Scanner::from(text, behind - 1);
                        let plain = scanner.string().ok()?;
                        ((behind - 1, scanner.at()), Kind::String, plain)
                    }
                }
                Then::More => {
                    (at, next) = (behind, piece.behind);
                    continue;
                }
                Then::End => {
                    let end = *self.ends.get(piece.behind as usize)?;
                    if !ends(&end, behind) {
                        next = piece.beside;
                        continue;
                    }
                    self.note(piece, at, outline);
                    self.followed += 1;
                    return Some(end.root(behind));
                }
                then => {
                    // An object or array may stand here, too: that is another piece.
                    let mut scanner = Scanner::from(text, behind);
                    let kind = scanner.scalar().ok().map(|(kind, _)| kind);
                    let found = kind.filter(|kind| {
                        text.get(behind..scanner.at()).is_some_and(|text| Then::of(*kind, text) == then)
                    });
                    let Some(kind) = found else {
                        next = piece.beside;
                        continue;
                    };
                    ((behind, scanner.at()), kind, true)
                }
            };
            if piece.notes > 0 {
                self.note(piece, at, outline);
            }
            match piece.keyed {
                Keyed::No => outline.element(plain),
                keyed => {
                    let key = (place(at, piece.key.0), place(at, piece.key.1));
                    outline.pair(key, keyed == Keyed::Plain, value, kind, plain);
                }
            }
            // The quote that ends a string begins the next piece.
            at = value.1 - usize::from(kind == Kind::String);
            next = piece.behind;
        }
    }

    #[inline]
    fn note(&self, piece: &Piece, at: usize, outline: &mut Outline) {
        let (from, count) = (piece.noted as usize, usize::from(piece.notes));
        for note in self.notes.get(from..from + count).unwrap_or_default() {
            match *note {
                Note::Open { key, plain, from, kind } => {
                    outline.begin((place(at, key.0), place(at, key.1)), plain, place(at, from), kind);
                }
                Note::Close { member, to, depth, inside } => {
                    outline.end(usize::from(member), place(at, to), u32::from(depth), u32::from(inside));
                }
            }
        }
    }

    fn learn(&mut self, text: &str, root: &Root, tape: &Tape) -> Option<u64> {
        if root.kind != Kind::Object || !tape.whole || !self.has_room(tape) {
            return None;
        }
        let (mut place, mut from, mut found) = (Place::First, 0, Found::default());
        for item in &tape.items {
            match *item {
                Item::Key(from, to, plain) => found.key((from, to), plain),
                Item::Open(from, kind) => found.open(from, kind),
                Item::Close(to) => found.close(to)?,
                Item::Scalar(start, end, kind) => {
                    let then = Then::of(kind, text.get(start..end)?);
                    let quote = usize::from(then == Then::String);
                    place = self.between(place, text, (from, start + quote), then, &mut found)?;
                    from = end - quote;
                }
            }
        }
        let place = self.between(place, text, (from, text.len()), Then::End, &mut found)?;
        let Place::Behind(last) = place else { return None };
        let shape = NEXT.fetch_add(1, Ordering::Relaxed);
        let end = End {
            shape,
            from: root.from,
            trailing: root.length - root.to,
            kind: root.kind,
            depth: root.depth,
            compact: root.compact,
        };
        let number = u32::try_from(self.ends.len()).ok()?;
        let piece = self.pieces.get_mut(last as usize)?;
        if piece.behind != NONE {
            return None;
        }
        piece.behind = number;
        self.ends.push(end);
        Some(shape)
    }

    /// Whether a text may be learned. What is full begins anew, but only after it was of use: where every text is a new
    /// one, learning costs more than it gives.
    fn has_room(&mut self, tape: &Tape) -> bool {
        let fits = |shapes: &Self| shapes.pieces.len() + tape.items.len() < MAX_PIECES;
        self.full |= !fits(self);
        if self.full && self.followed >= MAX_PIECES {
            *self = Self::default();
        }
        fits(self)
    }

    /// The pieces from here to there, before a scalar or the text's end.
    fn between(
        &mut self,
        mut place: Place,
        text: &str,
        (mut from, to): (usize, usize),
        then: Then,
        found: &mut Found,
    ) -> Option<Place> {
        if to - from > MAX_BETWEEN {
            return None;
        }
        while to - from > PIECE {
            let behind = from + PIECE;
            place =
                self.step(place, text.as_bytes().get(from..behind)?, Then::More, (Keyed::No, (0, 0)), &[])?;
            from = behind;
        }
        let (key, notes) = found.take(from)?;
        self.step(place, text.as_bytes().get(from..to)?, then, key, &notes)
    }

    /// The piece at this place, made if it is new.
    fn step(
        &mut self,
        place: Place,
        literal: &[u8],
        then: Then,
        (keyed, key): Key,
        notes: &[Note],
    ) -> Option<Place> {
        let mut last = None;
        let mut next = match place {
            Place::First => self.first,
            Place::Behind(piece) => self.pieces.get(piece as usize)?.behind,
        };
        let mut beside = 0;
        while let Some(piece) = self.pieces.get(next as usize) {
            let same = piece.bytes.get(..usize::from(piece.length)) == Some(literal);
            if same && piece.then == then {
                return Some(Place::Behind(next));
            }
            last = Some(next);
            next = piece.beside;
            beside += 1;
        }
        let mut bytes = [0; PIECE];
        bytes.get_mut(..literal.len())?.copy_from_slice(literal);
        if beside >= MAX_BESIDE {
            self.full = true;
            return None;
        }
        let noted = u32::try_from(self.notes.len()).ok()?;
        let (length, count) = (u8::try_from(literal.len()).ok()?, u8::try_from(notes.len()).ok()?);
        let new = u32::try_from(self.pieces.len()).ok()?;
        self.notes.extend_from_slice(notes);
        let (beside, behind) = (NONE, NONE);
        self.pieces.push(Piece { bytes, length, then, keyed, key, notes: count, noted, beside, behind });
        match (last, place) {
            (Some(last), _) => self.pieces.get_mut(last as usize)?.beside = new,
            (None, Place::First) => self.first = new,
            (None, Place::Behind(piece)) => self.pieces.get_mut(piece as usize)?.behind = new,
        }
        Some(Place::Behind(new))
    }
}

/// Where a piece may stand.
#[derive(Clone, Copy)]
enum Place {
    First,
    Behind(u32),
}

/// A position at this distance from a piece; one that was learned lies in every text that follows.
#[inline]
fn place(piece: usize, distance: i16) -> usize {
    piece.wrapping_add_signed(isize::from(distance))
}
