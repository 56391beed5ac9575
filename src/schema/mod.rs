//! The table: which columns there are, where their values come from, and what event types mean.
//!
//! What lives here: the documents under `schemas/` (embedded), a user's additions to them, their validation, and
//! [`Table`], the compiled form that the stages use. Columns depend on the version alone, never on data. Beside it what
//! helps the documents to follow the API: [`Survey`], [`Proposal`], [`diff()`]. What this module must not know: how a row
//! is filled, how a file is written, and where anything is kept.

mod check;
mod column;
mod compile;
mod ddl;
mod derived;
mod diff;
mod document;
mod grow;
mod infer;
mod layer;
mod naming;
mod registry;
mod survey;
mod table;
#[cfg(test)]
mod tests;
mod tree;

pub use column::{Column, DataType, Json, Kind};
pub use ddl::{Engine, ddl};
pub use derived::{Condition, Derived, Pattern, RegistryField, Rule, Term};
pub use diff::{Change, continues, diff};
pub use grow::{LayerTexts, grow};
pub use infer::{Proposal, Proposed};
pub use layer::Layer;
pub use naming::column_name;
pub use registry::{EventType, Registry};
pub use survey::{Survey, Trace};
pub use table::{Documents, Table};
pub use tree::{MAX_SEGMENTS, Node, NodeId, Tree};
