//! What does not fit into memory: events, and bytes of files, in files without a name.
//!
//! What lives here: [`Scratch`], which says how much may be held and where the rest goes; [`Events`], [`Pool`]
//! and [`Sorter`], sequences of events; [`Lent`], an event where it is held; [`Blob`], bytes; [`Distinct`], numbers. Everything is the same whether it was held or spilled: how much memory there
//! is decides about no result. What is spilled holds events as they were received: its files have no name, are
//! readable by this user alone and are gone when the process is.
//! What this module must not know: stages, columns, formats, what becomes of the events.

mod blob;
mod distinct;
mod events;
mod file;
mod lent;
mod pool;
mod record;
mod scratch;
mod sort;

pub use blob::{Blob, BlobReader, BlobWriter, SharedFile};
pub use distinct::{Distinct, Numbers};
pub use events::{Cuts, Events, EventsIter, EventsWriter};
pub use file::SpillFile;
pub use lent::Lent;
pub use pool::Pool;
pub use scratch::{Scratch, StayingFiles};
pub use sort::{Order, Sorted, SortedIter, Sorter};
