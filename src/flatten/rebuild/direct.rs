//! A row held against its event without building the event first.
//!
//! What lives here: [`Rebuilder::gives_back`]. Nearly every row has no remainder, and each member of its event stands in
//! one column as it is; then the members are compared with the columns where they are. A "yes" here implies that the
//! rebuilt event is the same; anything else, defects and mere rarities alike, is left to the rebuild itself.
//! What this file must not know: how a row came to be.

use super::{Column, Held, Rebuilder};
use crate::flatten::coerce::is_canonical_integer;
use crate::model::Timestamp;
use crate::model::json::{Kind, MAX_DEPTH, Value, same};
use crate::schema::{NodeId, Tree};

/// Members of an object that are told apart by one bit each.
const MAX_CHILDREN: usize = 64;

impl Rebuilder<'_> {
    /// Whether the row gives this event back, as [`same()`] understands it; never for a row that cannot be rebuilt.
    /// `scratch` is only a place to work in.
    pub(in crate::flatten) fn gives_back(&self, row: usize, event: Value<'_>, scratch: &mut String) -> bool {
        if self.says(row, event) {
            return true;
        }
        scratch.clear();
        self.write(row, scratch).is_ok() && same(scratch, event.text())
    }

    /// Whether each member of the event is a column's value, each of these columns has its member, and there is nothing
    /// else. False does not mean that the event is another one.
    pub(super) fn says(&self, row: usize, event: Value<'_>) -> bool {
        if row >= self.rows || self.text(self.table.remainder_column(), row).is_some() {
            return false;
        }
        event.depth() <= MAX_DEPTH && self.object_says(Tree::ROOT, event, row).is_some()
    }

    /// The number of members, all of them columns' values; none where it is not so. Recursion follows the tree.
    fn object_says(&self, node: NodeId, object: Value<'_>, row: usize) -> Option<usize> {
        let place = self.table.tree().node(node).filter(|place| place.children.len() <= MAX_CHILDREN)?;
        if object.kind() != Kind::Object {
            return None;
        }
        let (mut seen, mut members, mut hint) = (0_u64, 0_usize, 0_usize);
        for (key, member) in object.members() {
            // A name with an escape is no child's name as it stands.
            let child = place.child(key.raw(), &mut hint)?;
            let bit = 1_u64 << hint.checked_sub(1)?;
            // A name of the table may itself hold a backslash; a key that occurs twice is a list.
            if seen & bit != 0 || !key.is_plain() || !self.value_says(child, member, row) {
                return None;
            }
            seen |= bit;
            members += 1;
        }
        let mut unseen = place.children.iter().enumerate().filter(|(position, _)| seen >> position & 1 == 0);
        unseen.all(|(_, (_, child))| !self.holds(*child, row)).then_some(members)
    }

    /// Whether the column at this node, which must hold something, gives exactly this value.
    fn value_says(&self, node: NodeId, value: Value<'_>, row: usize) -> bool {
        let column = self.table.tree().node(node).and_then(|place| place.column);
        if self.is_inner(node) {
            // An empty object leaves no trace in columns, and a column of the object itself is not looked at.
            return column.is_none() && self.object_says(node, value, row).is_some_and(|members| members > 0);
        }
        column.is_some_and(|column| self.column_says(column, value, row))
    }

    /// Whether the column holds something here, and gives exactly this value.
    pub(super) fn column_says(&self, column: usize, value: Value<'_>, row: usize) -> bool {
        if self.is_null(column, row) {
            return false;
        }
        let raw = || value.as_text().map(|text| text.raw());
        match self.columns.get(column) {
            Some(Column::Time(array)) => {
                let at = Timestamp::from_micros(array.value(row));
                raw().is_some_and(|text| at.is_spelled(text))
            }
            Some(Column::Integer(array)) => {
                let number = is_canonical_integer(value.text()).then(|| value.text().parse().ok()).flatten();
                number == Some(array.value(row))
            }
            Some(Column::Boolean(array)) => value.text() == if array.value(row) { "true" } else { "false" },
            Some(Column::Text(array)) => {
                let text = array.value(row);
                match self.held.get(column) {
                    Some(Held::Integer) => is_canonical_integer(text) && value.text() == text,
                    // The value is JSON, so the column's text is.
                    Some(Held::Text) => value.text() == text,
                    Some(Held::Meaning) => value.as_text().is_some_and(|string| {
                        let same = string.raw() == text;
                        if string.is_plain() {
                            same
                        } else {
                            string.decode().is_some_and(|meant| meant == text)
                        }
                    }),
                    None => false,
                }
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{Check, Ways};
    use super::*;
    use crate::flatten::Flattener;
    use crate::model::json::Outline;
    use crate::schema::Table;
    use proptest::prelude::*;
    use std::cell::Cell;

    fn event() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
        let member = prop::sample::select(vec![
            ("id", r#""a""#),
            ("id", r#""b""#),
            (r"\u0069d", r#""a""#),
            ("id", r#""\u0061""#),
            ("id", r#""a\\u0061""#),
            ("created_at", r#""2026-03-01T00:00:00""#),
            ("created_at", r#""2026-03-01T00:00:00Z""#),
            ("created_at", r#""2026-03-01T00:00:00.500000""#),
            ("user_id", "1"),
            ("user_id", r#""1""#),
            ("user_id", "1.0"),
            ("user_email", r#""é""#),
            ("user_email", r#""\u00e9""#),
            ("user_email", "null"),
            ("source", "true"),
            ("context", r#"{"a":1}"#),
            ("context", r#"{"a": 1}"#),
            ("context", r#""a""#),
            ("context", "null"),
            ("context", r#"{"country":"GB","msisdn":"1"}"#),
            ("_links", "{}"),
            ("_links", r#"{"self":{"href":"x"}}"#),
            ("_links", r#"{"self":{"href":"y"}}"#),
            ("_links", r#"{"self":{}}"#),
            ("_links", r#"{"self":{"href":"x","href":"x"}}"#),
            ("other", "1"),
            ("event_type", r#""USER_LOGIN""#),
        ]);
        prop::collection::vec(member, 0..7)
    }

    fn text(members: &[(&str, &str)]) -> String {
        let members: Vec<_> = members.iter().map(|(key, value)| format!(r#""{key}":{value}"#)).collect();
        format!("{{{}}}", members.join(","))
    }

    #[test]
    fn a_yes_is_never_said_where_the_rebuilt_event_is_another_one() {
        let table = Table::builtin().unwrap();
        let (yes, no, left) = (Cell::new(0_u32), Cell::new(0_u32), Cell::new(0_u32));
        let shaped = Cell::new(0_u32);
        let config = ProptestConfig { cases: 6_000, failure_persistence: None, ..ProptestConfig::default() };
        let mut runner = proptest::test_runner::TestRunner::new(config);
        let pair = (event(), event(), 0_usize..8);
        let result = runner.run(&pair, |(row, other, kept)| {
            // The other event is mostly the row's own with something exchanged.
            let mixed: Vec<_> =
                row.iter().take(kept).chain(other.iter().take(usize::from(kept < 5))).copied().collect();
            let mut flattener = Flattener::new(&table);
            flattener.push(&text(&row)).unwrap();
            let batch = flattener.finish().unwrap();
            let rebuilder = Rebuilder::new(&batch, &table).unwrap();
            let rebuilt = rebuilder.row(0).unwrap();
            for event in [text(&row), text(&mixed), text(&other)] {
                let value = Value::parse(&event).unwrap();
                let (mut outline, mut ways) = (Outline::default(), Ways::default());
                let mut check = Check::new(&rebuilder, &mut ways);
                let noted = outline.read(&event).unwrap();
                // No room is left for some shapes of so many.
                let expected = noted.noted().is_some() && rebuilder.says(0, value);
                shaped.set(shaped.get() + u32::from(expected));
                prop_assert_eq!(check.says(0, noted), expected, "{} {}", rebuilt, event);
                prop_assert_eq!(check.gives_back(0, noted), same(&rebuilt, &event));
                let (said, truth) = (rebuilder.says(0, value), same(&rebuilt, &event));
                prop_assert!(truth || !said, "{} {}", rebuilt, event);
                prop_assert_eq!(rebuilder.gives_back(0, value, &mut String::new()), truth);
                let counter = if said {
                    &yes
                } else if truth {
                    &left
                } else {
                    &no
                };
                counter.set(counter.get() + 1);
            }
            Ok(())
        });
        result.unwrap();
        println!("{} said at once, {} left to the rebuild, {} refused", yes.get(), left.get(), no.get());
        assert!(yes.get() > 100 && left.get() > 100 && no.get() > 1_000 && shaped.get() > 100);
    }

    #[test]
    fn the_common_event_needs_no_rebuild() {
        let table = Table::builtin().unwrap();
        let events = include_str!("../../../tests/data/events-plausible.ndjson");
        let mut flattener = Flattener::new(&table);
        for event in events.lines() {
            flattener.push(event).unwrap();
        }
        let batch = flattener.finish().unwrap();
        let rebuilder = Rebuilder::new(&batch, &table).unwrap();
        let (mut outline, mut ways) = (Outline::default(), Ways::default());
        let mut check = Check::new(&rebuilder, &mut ways);
        let mut says = |row, event: &str| {
            let said = rebuilder.says(row, Value::parse(event).unwrap());
            assert_eq!(said, check.says(row, outline.read(event).unwrap()));
            said
        };
        for (row, event) in events.lines().enumerate() {
            assert!(says(row, event), "{event}");
            assert!(!says(row, &event.replacen('1', "2", 1)), "{event}");
            assert!(!says(row + 1, event), "{event}");
        }
    }
}
