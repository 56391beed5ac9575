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
use super::scan::{Notes, Scanner};

mod tape;

use tape::Item;
pub(super) use tape::{Tape, Taped};

/// Longest piece, in bytes; what is longer is several of them.
const PIECE: usize = 40;
/// Most bytes between two scalars; a text with more is not learned.
const MAX_BETWEEN: usize = 400;
/// Most pieces that are known at once.
const MAX_PIECES: usize = 4_096;
/// Most pieces that are told apart at one place.
const MAX_BESIDE: usize = 64;
/// No piece.
const NONE: u32 = u32::MAX;

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

/// What stands before a scalar or before a text's end; of a size that fits a processor's line of cache.
#[derive(Debug)]
struct Piece {
    bytes: [u8; PIECE],
    length: u8,
    then: Then,
    /// Where its one key stands, if that is all there is to note.
    key: Option<(u8, u8)>,
    /// Its notes otherwise.
    notes: (u32, u16),
    /// What else may stand at the same place.
    beside: u32,
    /// What may stand behind the scalar; the number of an end.
    behind: u32,
}

/// What a piece stands before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The quote of a string is the piece's last byte.
    String,
    Integer,
    /// A number that is no integer.
    Number,
    Boolean,
    Null,
    /// What stands between two scalars goes on.
    More,
    End,
}

impl Then {
    fn of(kind: Kind, text: &str) -> Self {
        match kind {
            Kind::String => Self::String,
            Kind::Number if is_whole(text) => Self::Integer,
            Kind::Number => Self::Number,
            Kind::Boolean => Self::Boolean,
            _ => Self::Null,
        }
    }
}

/// Whether a number is written without fraction and exponent, and is not `-0`.
pub(super) fn is_whole(text: &str) -> bool {
    text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit()) && text != "-0"
}

/// What a scanner notes between two scalars, by the distance from the beginning of the last piece there.
#[derive(Clone, Copy, Debug)]
enum Note {
    Key(i16, i16, bool),
    Open(i16, Kind),
    Close(i16),
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

/// Reads the text into the outline, which must be empty, if it is like one that was learned. If not, the outline is
/// left in no useful state.
pub(super) fn follow(text: &str, outline: &mut Outline) -> Option<Root> {
    SHAPES.try_with(|shapes| shapes.try_borrow_mut().ok()?.follow(text, outline)).ok().flatten()
}

/// Learns from a text that the scanner has read; gives the number of its shape, 0 for none.
pub(super) fn learn(text: &str, root: &Root, tape: &Tape) -> u64 {
    let learned = SHAPES
        .try_with(|shapes| shapes.try_borrow_mut().ok().and_then(|mut all| all.learn(text, root, tape)));
    learned.ok().flatten().unwrap_or(0)
}

impl Shapes {
    #[inline]
    fn follow(&mut self, text: &str, outline: &mut Outline) -> Option<Root> {
        let bytes = text.as_bytes();
        let (mut at, mut next) = (0, self.first);
        loop {
            let piece = self.pieces.get(next as usize)?;
            let literal = piece.bytes.get(..usize::from(piece.length))?;
            let rest = bytes.get(at..)?;
            if !rest.starts_with(literal) {
                next = piece.beside;
                continue;
            }
            let behind = at + literal.len();
            let (from, to, plain) = match piece.then {
                Then::End if behind == bytes.len() => {
                    self.note(piece, at, outline);
                    let end = *self.ends.get(piece.behind as usize)?;
                    self.followed += 1;
                    return Some(Root {
                        length: bytes.len(),
                        from: end.from,
                        to: bytes.len() - end.trailing,
                        kind: end.kind,
                        depth: end.depth,
                        plain: false,
                        compact: end.compact,
                        shape: end.shape,
                    });
                }
                Then::End => {
                    next = piece.beside;
                    continue;
                }
                Then::More => {
                    (at, next) = (behind, piece.behind);
                    continue;
                }
                Then::String => {
                    let end = plain_end(bytes, behind);
                    if bytes.get(end) == Some(&b'"') {
                        (behind - 1, end + 1, true)
                    } else {
                        let mut scanner = Scanner::from(text, behind - 1);
                        let plain = scanner.string().ok()?;
                        (behind - 1, scanner.at(), plain)
                    }
                }
                then => {
                    // An object or array may stand here, too: that is another piece.
                    let mut scanner = Scanner::from(text, behind);
                    let read = scanner.scalar().ok().map(|(kind, _)| kind);
                    let found = read.and_then(|kind| Some(Then::of(kind, text.get(behind..scanner.at())?)));
                    if found != Some(then) {
                        next = piece.beside;
                        continue;
                    }
                    (behind, scanner.at(), true)
                }
            };
            let kind = match piece.then {
                Then::String => Kind::String,
                Then::Integer | Then::Number => Kind::Number,
                Then::Boolean => Kind::Boolean,
                Then::Null | Then::More | Then::End => Kind::Null,
            };
            match piece.key {
                Some((start, end)) => {
                    outline.pair((at + usize::from(start), at + usize::from(end)), (from, to), kind, plain);
                }
                None => {
                    self.note(piece, at, outline);
                    outline.scalar(from, to, kind, plain);
                }
            }
            // The quote that ends a string begins the next piece.
            at = if piece.then == Then::String { to - 1 } else { to };
            next = piece.behind;
        }
    }

    fn note(&self, piece: &Piece, at: usize, outline: &mut Outline) {
        let (from, count) = (piece.notes.0 as usize, usize::from(piece.notes.1));
        let place = |distance: i16| at.saturating_add_signed(isize::from(distance));
        for note in self.notes.get(from..from + count).unwrap_or_default() {
            match *note {
                Note::Key(from, to, plain) => outline.key(place(from), place(to), plain),
                Note::Open(from, kind) => outline.open(place(from), kind),
                Note::Close(to) => outline.close(place(to)),
            }
        }
    }

    fn learn(&mut self, text: &str, root: &Root, tape: &Tape) -> Option<u64> {
        if root.kind != Kind::Object || !tape.whole || !self.has_room(tape) {
            return None;
        }
        let (mut place, mut from, mut first) = (Place::First, 0, 0);
        for (number, item) in tape.items.iter().enumerate() {
            if let Item::Scalar(start, end, kind) = *item {
                let then = Then::of(kind, text.get(start..end)?);
                let quote = usize::from(then == Then::String);
                let notes = tape.items.get(first..number)?;
                place = self.between(place, text, (from, start + quote), then, notes)?;
                (from, first) = (end - quote, number + 1);
            }
        }
        let notes = tape.items.get(first..)?;
        let place = self.between(place, text, (from, text.len()), Then::End, notes)?;
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
        items: &[Item],
    ) -> Option<Place> {
        if to - from > MAX_BETWEEN {
            return None;
        }
        while to - from > PIECE {
            let behind = from + PIECE;
            place = self.step(place, text.as_bytes().get(from..behind)?, Then::More, &[])?;
            from = behind;
        }
        let notes = items.iter().map(|item| note(item, from)).collect::<Option<Vec<_>>>()?;
        self.step(place, text.as_bytes().get(from..to)?, then, &notes)
    }

    /// The piece at this place, made if it is new.
    fn step(&mut self, place: Place, literal: &[u8], then: Then, notes: &[Note]) -> Option<Place> {
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
        let key = match notes {
            [Note::Key(from, to, true)] if then != Then::End => {
                u8::try_from(*from).ok().zip(u8::try_from(*to).ok())
            }
            _ => None,
        };
        let kept = (u32::try_from(self.notes.len()).ok()?, u16::try_from(notes.len()).ok()?);
        if key.is_none() {
            self.notes.extend_from_slice(notes);
        }
        let new = u32::try_from(self.pieces.len()).ok()?;
        let length = u8::try_from(literal.len()).ok()?;
        self.pieces.push(Piece { bytes, length, then, key, notes: kept, beside: NONE, behind: NONE });
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

/// What is noted of an item, from the beginning of a piece.
fn note(item: &Item, piece: usize) -> Option<Note> {
    let distance = |at: usize| i16::try_from(i64::try_from(at).ok()? - i64::try_from(piece).ok()?).ok();
    Some(match *item {
        Item::Key(from, to, plain) => Note::Key(distance(from)?, distance(to)?, plain),
        Item::Open(from, kind) => Note::Open(distance(from)?, kind),
        Item::Close(to) => Note::Close(distance(to)?),
        Item::Scalar(..) => return None,
    })
}
