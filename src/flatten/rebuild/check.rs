//! Rows held against their events, one after the other, with what is alike in all events of a shape found out once.
//!
//! What lives here: [`Check`], and [`Ways`], which outlive a batch. It goes by the table and by the shapes that the reader of the events saw, and by nothing that
//! the rows were made with: members and columns are matched here a second time. Whether the columns that no member stands
//! in are null is a count for each row, made for the whole batch at once. What this file must not know: how a row came to
//! be, the remainder.

use arrow_array::Array;

use super::{Column, Held, Rebuilder};
use crate::model::Timestamp;
use crate::model::json::{Kind, MAX_DEPTH, Noted, Value};
use crate::schema::{NodeId, Tree};

/// Ways that are kept.
const SLOTS: usize = 256;
const MICROS_A_SECOND: i64 = 1_000_000;
const MICROS_A_DAY: i64 = 86_400 * MICROS_A_SECOND;
/// Bytes of a date.
const DATE: usize = 10;

/// Holds the rows of one batch against their events.
#[derive(Debug)]
pub(in crate::flatten) struct Check<'r, 'a> {
    rebuilder: &'r Rebuilder<'a>,
    /// For each row, in how many columns an event may find something: those of the envelope, the context's text and the
    /// remainder.
    held: Vec<u32>,
    ways: &'r mut Ways,
}

/// What is known of shapes, for rows of one table, and memory to work in.
#[derive(Debug, Default)]
pub(in crate::flatten) struct Ways {
    /// By shape: a way, or none where rows of such events need another look.
    known: Vec<(u64, Option<Way>)>,
    day: Day,
    scratch: String,
}

/// The day of the time that was spelled last. Times of one day begin alike, and most of a batch are of one day.
#[derive(Debug, Default)]
struct Day {
    number: i64,
    /// How it is spelled; empty if there is none.
    text: String,
}

impl Day {
    /// Whether this text is how the time is spelled.
    fn is_spelled(&mut self, micros: i64, text: &str) -> bool {
        let (number, within) = (micros.div_euclid(MICROS_A_DAY), micros.rem_euclid(MICROS_A_DAY));
        let (seconds, fraction) = (within / MICROS_A_SECOND, within % MICROS_A_SECOND);
        if number == self.number
            && fraction == 0
            && text
                .strip_prefix(self.text.as_str())
                .is_some_and(|rest| is_time_of_day(seconds, rest.as_bytes()))
        {
            return true;
        }
        let spelled = Timestamp::from_micros(micros).is_spelled(text);
        if let Some(date) = text.get(..DATE).filter(|_| spelled) {
            self.number = number;
            self.text.clear();
            self.text.push_str(date);
        }
        spelled
    }
}

/// Whether this text is `T`, hour, minute and second of so many seconds.
fn is_time_of_day(seconds: i64, text: &[u8]) -> bool {
    let &[b'T', h1, h2, b':', m1, m2, b':', s1, s2] = text else { return false };
    let two = |tens: u8, ones: u8| i64::from(tens) * 10 + i64::from(ones) - 11 * i64::from(b'0');
    let digits = [h1, h2, m1, m2, s1, s2].iter().all(u8::is_ascii_digit);
    let (minutes, second) = (two(m1, m2), two(s1, s2));
    digits && minutes < 60 && second < 60 && two(h1, h2) * 3_600 + minutes * 60 + second == seconds
}

/// The members of an event, each with the column that must give it back. No column occurs twice.
type Way = Vec<(usize, usize)>;

impl<'r, 'a> Check<'r, 'a> {
    /// `ways` are known of the same table, if any are.
    pub(in crate::flatten) fn new(rebuilder: &'r Rebuilder<'a>, ways: &'r mut Ways) -> Self {
        ways.known.resize(SLOTS, (0, None));
        let mut columns = vec![rebuilder.table.remainder_column()];
        rebuilder.columns_below(Tree::ROOT, &mut columns);
        let mut held = vec![0; rebuilder.rows];
        for column in columns {
            match rebuilder.columns.get(column).map(|column| column.array().nulls()) {
                None => {}
                Some(None) => held.iter_mut().for_each(|count| *count += 1),
                Some(Some(nulls)) => nulls.valid_indices().for_each(|row| {
                    if let Some(count) = held.get_mut(row) {
                        *count += 1;
                    }
                }),
            }
        }
        Self { rebuilder, held, ways }
    }

    /// Whether the row gives this event back; see [`Rebuilder::gives_back`].
    pub(in crate::flatten) fn gives_back(&mut self, row: usize, event: Value<'_>) -> bool {
        self.says(row, event) || self.rebuilder.gives_back(row, event, &mut self.ways.scratch)
    }

    /// Whether the event is of a known shape and the columns hold each of its members and nothing else.
    pub(super) fn says(&mut self, row: usize, event: Value<'_>) -> bool {
        let Some(noted) = event.noted().filter(|_| event.depth() <= MAX_DEPTH) else { return false };
        let (rebuilder, shape) = (self.rebuilder, noted.shape().get());
        let slot = usize::try_from(shape % SLOTS as u64).unwrap_or(0);
        let Ways { known, day, .. } = &mut *self.ways;
        let Some((known, way)) = known.get_mut(slot) else { return false };
        if *known != shape {
            *known = shape;
            *way = rebuilder.way(&noted);
        }
        let (Some(way), Some(held)) = (way, self.held.get(row)) else { return false };
        // As many columns hold something as there are members, and each member has one of its own: so there is none more.
        usize::try_from(*held) == Ok(way.len())
            && way.iter().all(|(member, column)| rebuilder.member_says(&noted, *member, *column, row, day))
    }
}

impl Rebuilder<'_> {
    /// The columns that [`Rebuilder::holds`] looks at below a node. Recursion follows the tree.
    fn columns_below(&self, node: NodeId, out: &mut Vec<usize>) {
        let Some(place) = self.table.tree().node(node) else { return };
        for (_, child) in &place.children {
            out.extend(self.table.tree().node(*child).and_then(|place| place.column));
            if self.is_inner(*child) {
                self.columns_below(*child, out);
            }
        }
    }

    /// Where each member of such an event must stand; none where a row is not made of columns alone.
    fn way(&self, noted: &Noted<'_>) -> Option<Way> {
        let mut way = Way::new();
        self.object_way(Tree::ROOT, noted, (0, noted.len()), &mut way)?;
        Some(way)
    }

    /// Recursion follows the tree.
    fn object_way(
        &self,
        node: NodeId,
        noted: &Noted<'_>,
        (from, to): (usize, usize),
        way: &mut Way,
    ) -> Option<()> {
        let tree = self.table.tree();
        let place = tree.node(node)?;
        let (mut at, mut hint) = (from, 0);
        let mut seen = Vec::new();
        while at < to {
            let key = noted.key(at)?;
            // A name with an escape is no child's name as it stands, and a key that occurs twice is a list.
            let child = place.child(key.raw(), &mut hint).filter(|_| key.is_plain())?;
            if seen.contains(&child) {
                return None;
            }
            seen.push(child);
            let column = tree.node(child)?.column;
            let behind = at + 1 + noted.inside(at);
            if self.is_inner(child) {
                // An empty object leaves no trace in columns, and a column of the object itself is not looked at.
                if column.is_some() || noted.value(at)?.kind() != Kind::Object || behind == at + 1 {
                    return None;
                }
                self.object_way(child, noted, (at + 1, behind), way)?;
            } else {
                way.push((at, column?));
            }
            at = behind;
        }
        Some(())
    }

    /// Whether the column holds something here, and gives exactly this member's value.
    #[inline]
    fn member_says(
        &self,
        noted: &Noted<'_>,
        member: usize,
        column: usize,
        row: usize,
        day: &mut Day,
    ) -> bool {
        match self.columns.get(column) {
            Some(Column::Text(array)) => match self.held.get(column) {
                Some(Held::Text) => return !array.is_null(row) && array.value(row) == noted.text(member),
                Some(Held::Meaning) => {
                    if let Some(text) = noted.plain_bytes(member) {
                        return !array.is_null(row) && array.value(row).as_bytes() == text;
                    }
                }
                _ => {}
            },
            Some(Column::Time(array)) => {
                if let Some(text) = noted.plain_string(member) {
                    return !array.is_null(row) && day.is_spelled(array.value(row), text);
                }
            }
            _ => {}
        }
        noted.value(member).is_some_and(|value| self.column_says(column, value, row))
    }
}

impl Column<'_> {
    fn array(&self) -> &dyn Array {
        match self {
            Self::Text(array) => *array,
            Self::Time(array) => *array,
            Self::Integer(array) => *array,
            Self::Boolean(array) => *array,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_time_is_spelled_as_it_is_without_the_day_before(
            times in prop::collection::vec((0_i64..3, 0_i64..MICROS_A_DAY, any::<bool>(), -2_i64..3), 1..8),
            place in any::<prop::sample::Index>(),
            byte in prop::sample::select(b"0123456789T:.-Z ".to_vec()),
        ) {
            let mut day = Day::default();
            for (number, within, whole, off) in times {
                let within = if whole { within - within % MICROS_A_SECOND } else { within };
                let micros = (number - 1) * MICROS_A_DAY + within;
                let text = Timestamp::from_micros(micros).to_string();
                prop_assert!(day.is_spelled(micros, &text));
                prop_assert!(day.is_spelled(micros, &text));
                let mut other = text.clone().into_bytes();
                other[place.index(text.len())] = byte;
                let other = String::from_utf8(other).unwrap();
                prop_assert_eq!(day.is_spelled(micros, &other), other == text);
                prop_assert_eq!(day.is_spelled(micros + off * MICROS_A_SECOND, &text), off == 0);
                prop_assert_eq!(day.is_spelled(micros + off * MICROS_A_DAY, &text), off == 0);
                prop_assert!(!day.is_spelled(micros, text.get(..DATE).unwrap()) && !day.is_spelled(micros, ""));
            }
        }
    }
}
