//! The values that cross stage borders.
//!
//! What lives here: time, windows, queries, pages, events, certificates, evidence, layouts, slots, commits, and JSON as raw text.
//! What this module must not know: I/O, HTTP, storage, serialisation libraries, and every stage.

pub mod certificate;
pub mod commit;
pub mod drift;
pub mod event;
pub mod evidence;
pub mod json;
pub mod layout;
pub mod page;
pub mod partition;
pub mod selection;
pub mod sensitive;
pub mod slot;
pub mod time;
pub mod window;

pub use certificate::{Certificate, Level};
pub use commit::{
    Commit, Counts, FileRecord, Head, KeptRecord, KeyRecord, RawRecord, SchemaRef, UndatedRecord,
    WindowRecord,
};
pub use drift::{Difference, Drift, Finding, JSON_TYPES};
pub use event::{Event, EventId, Flaw, fingerprint};
pub use evidence::{Claim, Evidence, Exchange, Proof, Step};
pub use layout::{Formulas, Layout, Lines, Packing};
pub use page::{Page, Query};
pub use partition::{Partition, Partitioning};
pub use selection::Selection;
pub use sensitive::Secrets;
pub use slot::{Format, Slot};
pub use time::{Day, Timestamp};
pub use window::{Grid, Window};
