//! The table: which columns there are, where their values come from, and what event types mean.
//!
//! What lives here: the documents under `schemas/` (embedded), their validation, and [`Table`], the compiled form
//! that the stages use. Columns depend on the version alone, never on data. What this module must not know: how an
//! event is read, how a file is written, and any event.

mod check;
mod column;
mod compile;
mod derived;
mod document;
mod naming;
mod registry;
mod table;
#[cfg(test)]
mod tests;
mod tree;

pub use column::{Column, DataType, Json, Kind};
pub use derived::{Condition, Derived, Pattern, RegistryField, Rule, Term};
pub use naming::column_name;
pub use registry::{EventType, Registry};
pub use table::{Documents, Table};
pub use tree::{MAX_SEGMENTS, Node, NodeId, Tree};
