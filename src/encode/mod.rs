//! Rows to the bytes of a data file, and back.
//!
//! What lives here: [`encode`] and [`read`], one file per format behind them, the rules about columns that all
//! formats share, and the fixed cut of rows that makes the bytes a function of the rows alone. Synchronous, to a
//! byte sink; a format's library is named in that format's file and nowhere else.
//! What this module must not know: events, columns' meaning beyond their names, storage, async.

mod columns;
mod csv;
mod csvw;
mod file;
mod flat;
mod held;
mod key;
mod ndjson;
mod packed;
mod packing;
mod parquet;
mod recut;
mod settings;
mod stream;
mod threads;
mod values;

pub use csvw::csvw_table;
pub use file::{Encoded, FileMetadata, ReadLimits, Table, encode, encode_from, read, read_typed};
pub use held::{HeldRows, RowsWriter};
pub use key::FooterKey;
pub use ndjson::EVENT_TEXT;
pub use packed::{unpacked, unzstd, zstd};
pub use recut::{BATCH_ROWS, Batches};
pub use settings::{Codec, Settings};
pub use stream::{RowStream, StreamFormat};
pub use threads::Threads;

#[cfg(test)]
mod tests;
