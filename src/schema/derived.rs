//! How derived columns are computed.
//!
//! What lives here: the rules of `derived.json`, compiled: pointers are nodes of the tree, references to other
//! columns are replaced by their terms, cases are chosen by position in the registry. What this file must not know:
//! values.

use super::tree::NodeId;

/// One derived column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// Position of the column in the table.
    pub column: usize,
    /// How it is computed.
    pub rule: Rule,
}

/// How a derived column is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// What the registry says about the event type.
    Registry(RegistryField),
    /// The first term that gives a string that is not empty.
    FirstOf(Vec<Term>),
    /// The same, with terms that depend on the event type.
    ByType {
        /// The lists of terms.
        lists: Vec<Vec<Term>>,
        /// For each type of the registry the position of its list; none gives null.
        of_type: Vec<Option<usize>>,
    },
}

impl Rule {
    /// The terms for an event type, given by its position in the registry.
    pub fn terms(&self, event_type: Option<usize>) -> &[Term] {
        match self {
            Self::Registry(_) => &[],
            Self::FirstOf(terms) => terms,
            Self::ByType { lists, of_type } => event_type
                .and_then(|position| of_type.get(position).copied().flatten())
                .and_then(|list| lists.get(list))
                .map_or(&[], Vec::as_slice),
        }
    }
}

/// A field of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegistryField {
    /// Its category.
    Category,
    /// Its action.
    Action,
    /// Its kind of target.
    TargetType,
}

/// One place to look for a derived value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// The text of the value at a place, if the condition holds.
    Value {
        /// The place.
        node: NodeId,
        /// When the value counts.
        when: Option<Condition>,
    },
    /// The one distinct string of this form among all strings of the context.
    Only(Pattern),
}

/// Holds when the text at a place equals another, letter case (ASCII) aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The place.
    pub node: NodeId,
    /// The text.
    pub equals: String,
}

/// The form of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// An IPv4 or IPv6 address or CIDR block.
    Ip,
    /// A UUID in its 36-character form.
    Uuid,
}
