//! From a row back to its event.
//!
//! What lives here: [`Rebuilder`], the inverse of flattening. It reads the source columns of the envelope, the
//! context's text and the remainder, and nothing else; where the remainder has a value, it wins. What this file must
//! not know: how a row came to be.

use arrow_array::{Array, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};

use super::coerce::is_canonical_integer;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::model::Timestamp;
use crate::model::json::{Kind, Value, push_string};
use crate::schema::{Json, Node, NodeId, Table, Tree};

mod check;
mod direct;

pub(super) use check::{Check, Ways};

/// Rebuilds one event; for many rows of a batch use a [`Rebuilder`].
///
/// # Errors
/// As [`Rebuilder::new`] and [`Rebuilder::row`].
pub fn rebuild(batch: &RecordBatch, row: usize, table: &Table) -> Result<String> {
    Rebuilder::new(batch, table)?.row(row)
}

/// Rebuilds the events of a batch.
#[derive(Debug)]
pub struct Rebuilder<'a> {
    table: &'a Table,
    columns: Vec<Column<'a>>,
    /// What the columns of texts hold.
    held: Vec<Held>,
    rows: usize,
}

/// What a column of texts holds of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// What a string means.
    Meaning,
    /// The text as it stands, of a value of any type.
    Text,
    /// The text of an integer.
    Integer,
}

#[derive(Debug)]
enum Column<'a> {
    Text(&'a StringArray),
    Time(&'a TimestampMicrosecondArray),
    Integer(&'a Int64Array),
    Boolean(&'a BooleanArray),
}

impl<'a> Rebuilder<'a> {
    /// For a batch that has the table's columns.
    ///
    /// # Errors
    /// Verification: a column is missing, has another name or another type.
    pub fn new(batch: &'a RecordBatch, table: &'a Table) -> Result<Self> {
        let wrong = |name: &str| {
            Error::new(ErrorKind::Verification, "the rows do not have the table's columns").at("column", name)
        };
        let mut columns = Vec::with_capacity(table.columns().len());
        for (position, column) in table.columns().iter().enumerate() {
            let named =
                batch.schema_ref().fields().get(position).is_some_and(|field| *field.name() == column.name);
            let array = batch.columns().get(position).filter(|_| named).ok_or_else(|| wrong(&column.name))?;
            let array = array.as_any();
            columns.push(if let Some(text) = array.downcast_ref() {
                Column::Text(text)
            } else if let Some(numbers) = array.downcast_ref() {
                Column::Integer(numbers)
            } else if let Some(truths) = array.downcast_ref() {
                Column::Boolean(truths)
            } else {
                Column::Time(array.downcast_ref().ok_or_else(|| wrong(&column.name))?)
            });
        }
        let held = table.columns().iter().map(|column| match column.json {
            Some(Json::String) | None => Held::Meaning,
            Some(Json::Any | Json::Number | Json::Boolean) => Held::Text,
            Some(Json::Integer) => Held::Integer,
        });
        Ok(Self { table, columns, held: held.collect(), rows: batch.num_rows() })
    }

    /// The JSON text of the event of this row, equal to what was received as [`super::same()`] understands it.
    ///
    /// # Errors
    /// Verification: a column that holds JSON text does not, or an integer column holds no integer. Bug: no such row.
    pub fn row(&self, row: usize) -> Result<String> {
        let mut out = String::new();
        self.write(row, &mut out)?;
        Ok(out)
    }

    /// The same, appended to `out`.
    ///
    /// # Errors
    /// As [`Rebuilder::row`].
    pub fn write(&self, row: usize, out: &mut String) -> Result<()> {
        if row >= self.rows {
            return Err(Error::bug("no such row").at("row", row));
        }
        let remainder = match self.text(self.table.remainder_column(), row) {
            None => None,
            Some(text) => {
                let value = Value::parse(text)
                    .map_err(|error| self.not_json(self.table.remainder_column(), row).because(error))?;
                if value.kind() != Kind::Object {
                    return Err(self.not_json(self.table.remainder_column(), row));
                }
                Some(value)
            }
        };
        self.object(Tree::ROOT, remainder, row, out)
    }

    /// Recursion follows the tree, whose depth is bounded.
    fn object(&self, node: NodeId, remainder: Option<Value<'_>>, row: usize, out: &mut String) -> Result<()> {
        out.push('{');
        let start = out.len();
        let Some(place) = self.table.tree().node(node) else { return Ok(()) };
        let times = remainder.map(|remainder| occurrences(place, remainder));
        for (position, (name, child)) in place.children.iter().enumerate() {
            let in_remainder = times.as_ref().and_then(|times| times.get(position)).copied().unwrap_or(0);
            if in_remainder > 0 || !self.holds(*child, row) {
                continue;
            }
            if out.len() > start {
                out.push(',');
            }
            push_string(out, name);
            out.push(':');
            self.value(*child, row, out)?;
        }
        let mut hint = 0;
        for (key, member) in remainder.iter().flat_map(Value::members) {
            if out.len() > start {
                out.push(',');
            }
            out.push('"');
            out.push_str(key.raw());
            out.push_str("\":");
            let child = key.decode().and_then(|name| position_of(place, &name, &mut hint));
            let once = child.is_some_and(|(position, _)| {
                times.as_ref().and_then(|times| times.get(position)) == Some(&1)
            });
            match child {
                // Some of the object may stand in columns; where it came whole, they add nothing.
                Some((_, child)) if once && member.kind() == Kind::Object && self.is_inner(child) => {
                    self.object(child, Some(member), row, out)?;
                }
                _ => out.push_str(member.text()),
            }
        }
        out.push('}');
        Ok(())
    }

    /// An object of the envelope whose members stand in columns of their own.
    fn is_inner(&self, node: NodeId) -> bool {
        self.table.tree().node(node).is_some_and(|place| !place.in_context && !place.children.is_empty())
    }

    /// Whether the columns hold anything at or below this node.
    fn holds(&self, node: NodeId, row: usize) -> bool {
        let Some(place) = self.table.tree().node(node) else { return false };
        if place.column.is_some_and(|column| !self.is_null(column, row)) {
            return true;
        }
        self.is_inner(node) && place.children.iter().any(|(_, child)| self.holds(*child, row))
    }

    fn value(&self, node: NodeId, row: usize, out: &mut String) -> Result<()> {
        if self.is_inner(node) {
            return self.object(node, None, row, out);
        }
        let column = self.table.tree().node(node).and_then(|place: &Node| place.column).unwrap_or(usize::MAX);
        match self.columns.get(column) {
            Some(Column::Time(array)) => {
                let at = Timestamp::from_micros(array.value(row));
                push_string(out, &at.to_string());
            }
            Some(Column::Integer(array)) => out.push_str(&array.value(row).to_string()),
            Some(Column::Boolean(array)) => out.push_str(if array.value(row) { "true" } else { "false" }),
            Some(Column::Text(array)) => {
                let text = array.value(row);
                match self.table.columns().get(column).and_then(|column| column.json) {
                    Some(Json::Integer) if is_canonical_integer(text) => out.push_str(text),
                    Some(Json::Integer) => return Err(self.broken("not an integer", column, row)),
                    Some(Json::Any | Json::Number | Json::Boolean) => {
                        Value::parse(text).map_err(|error| self.not_json(column, row).because(error))?;
                        out.push_str(text);
                    }
                    Some(Json::String) | None => push_string(out, text),
                }
            }
            None => {}
        }
        Ok(())
    }

    fn text(&self, column: usize, row: usize) -> Option<&'a str> {
        match self.columns.get(column)? {
            Column::Text(array) => (!array.is_null(row)).then(|| array.value(row)),
            Column::Time(_) | Column::Integer(_) | Column::Boolean(_) => None,
        }
    }

    fn is_null(&self, column: usize, row: usize) -> bool {
        match self.columns.get(column) {
            Some(Column::Text(array)) => array.is_null(row),
            Some(Column::Time(array)) => array.is_null(row),
            Some(Column::Integer(array)) => array.is_null(row),
            Some(Column::Boolean(array)) => array.is_null(row),
            None => true,
        }
    }

    fn not_json(&self, column: usize, row: usize) -> Error {
        self.broken("a column of JSON text holds something else", column, row)
    }

    fn broken(&self, sentence: &str, column: usize, row: usize) -> Error {
        let name = self.table.columns().get(column).map_or("?", |column| column.name.as_str());
        Error::new(ErrorKind::Verification, sentence).at("column", name).at("row", row)
    }
}

/// How often each child of a node occurs in an object.
fn occurrences(place: &Node, object: Value<'_>) -> Vec<u32> {
    let mut times = vec![0; place.children.len()];
    let mut hint = 0;
    for (key, _) in object.members() {
        let child = key.decode().and_then(|name| position_of(place, &name, &mut hint));
        if let Some(count) = child.and_then(|(position, _)| times.get_mut(position)) {
            *count += 1;
        }
    }
    times
}

fn position_of(place: &Node, name: &str, hint: &mut usize) -> Option<(usize, NodeId)> {
    let node = place.child(name, hint)?;
    // The hint stands behind the child found.
    Some((hint.checked_sub(1)?, node))
}
