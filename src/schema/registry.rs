//! What event types mean.
//!
//! What lives here: [`Registry`], compiled from `registry.json`. The set of event types is open: a type that is not
//! here is ordinary. What this file must not know: events, columns.

/// What one event type means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventType {
    /// The code (documented; 29 names over all published lists).
    pub name: String,
    /// Area: `number`, `application`, `secret`, …
    pub category: String,
    /// What was done: `create`, `update`, …
    pub action: String,
    /// Kind of object that it was done to.
    pub target_type: String,
    /// One sentence for readers.
    pub description: String,
}

/// The known event types, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    types: Vec<EventType>,
    unknown_category: String,
    unknown_action: String,
    /// Pointers that a schema directory leaves without a column on purpose.
    untyped: Vec<String>,
}

impl Registry {
    /// `types` must be sorted by name without duplicates.
    pub(super) fn new(types: Vec<EventType>, unknown_category: String, unknown_action: String) -> Self {
        Self { types, unknown_category, unknown_action, untyped: Vec::new() }
    }

    /// Adds the types of a schema directory and the pointers that it leaves untyped. What a newer
    /// version of the program knows itself it knows better.
    pub(super) fn extend(&mut self, types: impl IntoIterator<Item = EventType>, untyped: Vec<String>) {
        let known = self.types.len();
        for own in types {
            if self.types.iter().take(known).all(|builtin| builtin.name != own.name) {
                self.types.push(own);
            }
        }
        self.types.sort_by(|one, other| one.name.cmp(&other.name));
        self.untyped = untyped;
    }

    /// Whether a pointer has no column on purpose: it, or an object around it, is listed so.
    pub fn is_untyped(&self, pointer: &str) -> bool {
        self.untyped.iter().any(|listed| {
            pointer.strip_prefix(listed.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// All known types, by name.
    pub fn types(&self) -> &[EventType] {
        &self.types
    }

    /// Position of a type; by its exact code.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.types.binary_search_by(|known| known.name.as_str().cmp(name)).ok()
    }

    /// The type of this exact code.
    pub fn find(&self, name: &str) -> Option<&EventType> {
        self.types.get(self.position(name)?)
    }

    /// Category of a type that is not known.
    pub fn unknown_category(&self) -> &str {
        &self.unknown_category
    }

    /// Action of a type that is not known.
    pub fn unknown_action(&self) -> &str {
        &self.unknown_action
    }
}
