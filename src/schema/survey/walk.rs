//! The walk over one event along the table's tree.
//!
//! What lives here: [`Walk`], which counts what no column holds or what has another JSON type than its column. What this file must
//! not know: how counts become findings.

use super::{MAX_DEPTH, MAX_KEPT, MAX_NAME, Pointers, count, uncounted};
use crate::model::Difference;
use crate::model::json::{Kind as JsonKind, Text, Value};
use crate::schema::column::{Column, Json, Kind};
use crate::schema::table::Table;
use crate::schema::tree::NodeId;

/// The walk over one event.
pub(super) struct Walk<'a> {
    pub(super) table: &'a Table,
    pub(super) pointers: &'a mut Pointers,
    pub(super) counts: &'a mut Vec<u64>,
    /// The numbers that were counted.
    pub(super) counted: &'a mut Vec<usize>,
    pub(super) findings: &'a mut usize,
    pub(super) unnamed: &'a mut u64,
    /// Where the walk is.
    pub(super) pointer: &'a mut String,
}

impl Walk<'_> {
    /// An object at a place that the tree knows. Recursion follows the tree, whose depth is bounded.
    pub(super) fn known(&mut self, node: NodeId, object: Value<'_>) {
        let table = self.table;
        let Some(place) = table.tree().node(node) else { return };
        let mut hint = 0;
        let here = self.pointer.len();
        for (key, member) in object.members() {
            let child = key.decode().and_then(|name| place.child(&name, &mut hint));
            let Some((id, child)) = child.and_then(|id| Some((id, table.tree().node(id)?))) else {
                self.enter(key, |walk| walk.unknown(member));
                self.pointer.truncate(here);
                continue;
            };
            let column = child.column.and_then(|column| table.columns().get(column));
            match column.filter(|column| column.kind == Kind::Source) {
                Some(column) if fits(column, &member) => {}
                Some(_) => self.enter(key, |walk| walk.count(Difference::JsonType, json_type(&member))),
                None if !child.children.is_empty() => match member.kind() {
                    JsonKind::Object => self.enter(key, |walk| walk.known(id, member)),
                    JsonKind::Null => {}
                    _ => self.enter(key, |walk| walk.count(Difference::JsonType, json_type(&member))),
                },
                // A derived column may look at a place that no column holds.
                None => self.enter(key, |walk| walk.unknown(member)),
            }
            self.pointer.truncate(here);
        }
    }

    /// Steps to a member; the caller steps back.
    fn enter(&mut self, key: Text<'_>, then: impl FnOnce(&mut Self)) {
        self.pointer.push('/');
        // A lone surrogate has no place in a pointer; its escape stands for it.
        let name = key.decode().unwrap_or_else(|| key.raw().into());
        for letter in name.chars() {
            match letter {
                '~' => self.pointer.push_str("~0"),
                '/' => self.pointer.push_str("~1"),
                other => self.pointer.push(other),
            }
        }
        then(self);
    }

    /// A value at a place that no column holds.
    fn unknown(&mut self, value: Value<'_>) {
        if self.table.registry().is_untyped(self.pointer) {
            return;
        }
        self.count(Difference::Pointer, json_type(&value));
        if self.pointer.bytes().filter(|byte| *byte == b'/').count() >= MAX_DEPTH {
            return;
        }
        let here = self.pointer.len();
        for (key, member) in value.members() {
            self.enter(key, |walk| walk.unknown(member));
            self.pointer.truncate(here);
        }
    }

    fn count(&mut self, difference: Difference, json: &'static str) {
        let known = self.pointers.get(self.pointer.as_str());
        let same =
            |(other, kind, _): &&(Difference, &'static str, usize)| (*other, *kind) == (difference, json);
        let found = known.and_then(|kinds| kinds.iter().find(same)).map(|(_, _, number)| *number);
        if found.is_none() && (*self.findings >= MAX_KEPT || self.pointer.len() > MAX_NAME) {
            *self.unnamed = self.unnamed.saturating_add(1);
            return;
        }
        let number = found.unwrap_or_else(|| {
            *self.findings += 1;
            let number = uncounted(self.counts);
            self.pointers.entry(self.pointer.clone()).or_default().push((difference, json, number));
            number
        });
        count(self.counts, self.counted, number);
    }
}

/// Whether a column is declared for values of this type; null is absence for every column.
fn fits(column: &Column, value: &Value<'_>) -> bool {
    match (value.kind(), column.json) {
        (JsonKind::Null, _) | (_, Some(Json::Any) | None) => true,
        (JsonKind::String, Some(Json::String)) | (JsonKind::Boolean, Some(Json::Boolean)) => true,
        (JsonKind::Number, Some(Json::Number)) => true,
        (JsonKind::Number, Some(Json::Integer)) => json_type(value) == "integer",
        _ => false,
    }
}

/// The value's type as JSON Schema names it.
fn json_type(value: &Value<'_>) -> &'static str {
    match value.kind() {
        JsonKind::Number if value.is_integer() => "integer",
        other => other.name(),
    }
}
