//! The remainder: what neither a source column of the envelope nor the context's text holds exactly.
//!
//! What lives here: its assembly from raw slices, in the order of the event. Objects emptied by this only are
//! dropped; objects that came empty stay. A key that occurs more than once stays with all its values. What this file
//! must not know: types.

use super::found::{Entry, Found};
use crate::model::json::{Kind, Text, Value};
use crate::schema::{NodeId, Table, Tree};

/// Appends the remainder of the event to `out`; leaves `out` as it is if nothing remains.
pub(super) fn write(table: &Table, found: &Found<'_>, out: &mut String) {
    if let Some(event) = found.value(Tree::ROOT) {
        object(table, found, Tree::ROOT, event, out);
    }
}

/// Recursion follows the tree, whose depth is bounded, never the event.
fn object(table: &Table, found: &Found<'_>, node: NodeId, value: Value<'_>, out: &mut String) {
    let Some(place) = table.tree().node(node) else { return };
    let start = out.len();
    let mut hint = 0;
    for (key, member) in value.members() {
        let child = key.decode().and_then(|name| place.child(&name, &mut hint));
        let before = out.len();
        open(out, start, key);
        match child.and_then(|child| found.entry(child).map(|entry| (child, entry))) {
            Some((child, entry)) if !entry.repeated => match part(table, child, entry, member) {
                Part::Held => out.truncate(before),
                Part::Inside => {
                    let inside = out.len();
                    object(table, found, child, member, out);
                    if out.len() == inside {
                        out.truncate(before);
                    }
                }
                Part::Whole => out.push_str(member.text()),
            },
            _ => out.push_str(member.text()),
        }
    }
    if out.len() > start {
        out.push('}');
    }
}

enum Part {
    /// A column gives the value back.
    Held,
    /// Columns hold some of what is inside.
    Inside,
    /// No column gives it back.
    Whole,
}

fn part(table: &Table, node: NodeId, entry: &Entry<'_>, member: Value<'_>) -> Part {
    if entry.exact || node == table.context_node() {
        return Part::Held;
    }
    let has_children = table.tree().node(node).is_some_and(|place| !place.children.is_empty());
    if has_children && member.kind() == Kind::Object && member.members().next().is_some() {
        return Part::Inside;
    }
    Part::Whole
}

fn open(out: &mut String, start: usize, key: Text<'_>) {
    out.push(if out.len() == start { '{' } else { ',' });
    out.push('"');
    out.push_str(key.raw());
    out.push_str("\":");
}
