//! One event's JSON text becomes one row; nothing is lost.
//!
//! What lives here: [`Flattener`], which fills column builders, and the way back: [`Rebuilder`] makes the event from
//! its row and [`same()`] tells whether two JSON texts say the same. The law: an event can be rebuilt, value for value
//! and number text for number text, from its source columns, the context's text and the remainder.
//! What this module must not know: pages, windows, files, time, threads.

mod coerce;
mod columns;
mod derive;
mod flattener;
mod found;
mod issues;
mod patterns;
mod proof;
mod rebuild;
mod redact;
mod remainder;
mod route;

pub use crate::model::json::same;
pub use flattener::{Flattener, MAX_BATCH_BYTES, Refusal, RowNotes};
pub use issues::ColumnIssues;
pub use proof::{Proof, not_rebuilt};
pub use rebuild::{Rebuilder, rebuild};
pub use redact::{redact, redact_foreign, redact_read};
