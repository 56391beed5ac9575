//! What one event holds at the places that the table knows.
//!
//! What lives here: one pass over an event that fills [`Found`], one entry a node of the tree, slices only; and the same
//! for all events of a shape, [`Places`]. What this file must not know: types, columns' builders.

use crate::model::json::{Kind, Noted, Value};
use crate::schema::{NodeId, Tree};

/// What stands at one place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry<'a> {
    /// The value; the last one if the key occurs more than once, as most readers of JSON take it.
    pub(super) value: Option<Value<'a>>,
    /// Whether the key occurs more than once in its object.
    pub(super) repeated: bool,
    /// Whether a column gives the value back exactly; set while columns are filled.
    pub(super) exact: bool,
}

/// One entry for each node of the tree.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    entries: Vec<Entry<'a>>,
    /// Whether the envelope holds anything that the tree does not know, or knows but cannot drop without a look.
    pub(super) irregular: bool,
}

impl<'a> Found<'a> {
    /// Finds everything in an event, which must be an object. `memory` is only a place to work in.
    pub(super) fn read(tree: &Tree, event: Value<'a>, memory: Memory) -> Self {
        let mut entries = memory.entries(tree.nodes().len());
        if let Some(root) = entries.get_mut(Tree::ROOT) {
            root.value = Some(event);
        }
        let mut found = Self { entries, irregular: false };
        // Parents stand before their children, so an object's own value is settled before it is entered.
        for (id, node) in tree.nodes().iter().enumerate() {
            if node.children.is_empty() {
                continue;
            }
            let Some(value) = found.value(id) else { continue };
            // Inside the context nothing needs a look: its text is kept whole.
            let envelope = !node.in_context;
            let mut hint = 0;
            let mut entered = false;
            for (key, member) in value.members() {
                entered = true;
                let child = key.decode().and_then(|name| node.child(&name, &mut hint));
                let known = child.and_then(|child| tree.node(child));
                // A place that only derived columns look at holds nothing back.
                let held = known.is_some_and(|place| place.column.is_some() || !place.children.is_empty());
                found.irregular |= envelope && !held;
                if let Some(entry) = child.and_then(|child| found.entries.get_mut(child)) {
                    entry.repeated = entry.value.is_some();
                    entry.value = Some(member);
                    found.irregular |= envelope && entry.repeated;
                }
            }
            // An empty object or a value of another type stands in the remainder, which only a look can tell.
            found.irregular |= envelope && id != Tree::ROOT && !entered;
        }
        found
    }

    /// The entry of a node.
    pub(super) fn entry(&self, node: NodeId) -> Option<&Entry<'a>> {
        self.entries.get(node)
    }

    /// The value at a node.
    pub(super) fn value(&self, node: NodeId) -> Option<Value<'a>> {
        self.entries.get(node)?.value
    }

    /// Says that a column gives the value at this node back.
    pub(super) fn set_exact(&mut self, node: NodeId) {
        if let Some(entry) = self.entries.get_mut(node) {
            entry.exact = true;
        }
    }

    /// Gives the memory back for the next event.
    pub(super) fn into_memory(self) -> Memory {
        Memory(clear(self.entries))
    }
}

/// Where a node's value stands among an event's noted members.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The number of the member; of the last one if the key occurs more than once.
    pub(super) member: usize,
    pub(super) repeated: bool,
}

/// What [`Found::read`] finds, for all events of one shape: numbers of members instead of their values.
#[derive(Debug)]
pub(super) struct Places {
    places: Vec<Option<Place>>,
    /// As [`Found`] has it.
    pub(super) irregular: bool,
}

impl Places {
    /// Finds everything; `None` if what is noted does not hang together.
    pub(super) fn of(tree: &Tree, noted: &Noted<'_>) -> Option<Self> {
        let mut found = Self { places: vec![None; tree.nodes().len()], irregular: false };
        for (id, node) in tree.nodes().iter().enumerate() {
            if node.children.is_empty() {
                continue;
            }
            let (mut at, end) = match (id, found.at(id)) {
                (Tree::ROOT, _) => (0, noted.len()),
                (_, None) => continue,
                (_, Some(Place { member, .. })) => match noted.value(member)?.kind() {
                    Kind::Object => (member + 1, member + 1 + noted.inside(member)),
                    _ => (0, 0),
                },
            };
            let envelope = !node.in_context;
            found.irregular |= envelope && id != Tree::ROOT && at == end;
            let mut hint = 0;
            while at < end {
                let child = noted.key(at)?.decode().and_then(|name| node.child(&name, &mut hint));
                let known = child.and_then(|child| tree.node(child));
                let held = known.is_some_and(|place| place.column.is_some() || !place.children.is_empty());
                found.irregular |= envelope && !held;
                if let Some(place) = child.and_then(|child| found.places.get_mut(child)) {
                    let repeated = place.is_some();
                    *place = Some(Place { member: at, repeated });
                    found.irregular |= envelope && repeated;
                }
                at += 1 + noted.inside(at);
            }
        }
        Some(found)
    }

    /// Where this node's value stands.
    pub(super) fn at(&self, node: NodeId) -> Option<Place> {
        self.places.get(node).copied().flatten()
    }
}

/// The memory of a [`Found`] between two events.
#[derive(Debug, Default)]
pub(super) struct Memory(Vec<Entry<'static>>);

impl Memory {
    fn entries<'a>(self, length: usize) -> Vec<Entry<'a>> {
        let mut entries = self.0;
        entries.resize(length, Entry::default());
        entries
    }
}

/// Empties every entry. The element keeps its size, so the collection reuses the memory; only the lifetime changes.
fn clear<'a>(entries: Vec<Entry<'_>>) -> Vec<Entry<'a>> {
    entries.into_iter().map(|_| Entry::default()).collect()
}
