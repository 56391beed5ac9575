//! Write-once slots and the commit log.
//!
//! What lives here: [`Dataset`]. A window's rows are [prepared](Preparation) as bytes, [`Dataset::publish`]ed into the next free
//! slot, and then [`Dataset::commit`]ted to a log of numbered, chained records. Three rules carry the proof:
//! a slot or commit is created if absent and never changes; before slot k is written all slots before it have been
//! read, and only rows that none of them holds are written; a commit names only slots that are durable.
//! So a reader of all files never sees a row twice or half a window, whoever crashed or raced, and recovery is
//! nothing but the next run. Any answer of the store but a clear success is followed by reading back.
//! What this module must not know: HTTP, how events were settled, a file format's library, a kind of store.

mod base64;
mod canonical;
mod chains;
mod content;
mod dataset;
mod descriptor;
mod digest;
mod drift;
mod examine;
mod grouped;
mod grouping;
mod groups;
mod log;
mod making;
mod named;
mod open;
mod overview;
mod prepare;
mod quarantine;
mod raw;
mod reading;
mod record;
mod register;
mod rows;
mod sidecar;
mod sign;
pub mod signatures;
mod slots;
mod standing;
mod texts;
mod undated;
pub mod verify;
mod writing;

pub use content::Remake;
pub use dataset::Dataset;
pub use descriptor::Spec;
pub use digest::account_fingerprint;
pub use grouped::Grouped;
pub use log::{Coverage, Covered};
pub use named::{NamedFile, NamedFiles};
pub use overview::{Overview, committed_rows};
pub use prepare::{Preparation, Preparations, Prepared, prepare};
pub use sign::{Signed, Signing};
pub use slots::Published;
pub use texts::RowReader;
pub use undated::Surplus;
