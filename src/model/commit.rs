//! The log's records.
//!
//! What lives here: [`Commit`] and its parts as values. What this file must not know: their text form, digests'
//! algorithm, storage.

use super::certificate::{Certificate, Level};
use super::drift::Drift;
use super::slot::Format;
use super::time::Timestamp;
use super::window::Window;

/// Which table the files of a commit have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaRef {
    /// Version of the table, for example `1.0.0`.
    pub version: String,
    /// Lower-case hex SHA-256 of the frozen column list.
    pub fingerprint: String,
}

/// One data file as the log names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRecord {
    /// Path below the destination.
    pub path: String,
    /// Its format.
    pub format: Format,
    /// Sequence number of its slot.
    pub sequence: u32,
    /// Length in bytes.
    pub bytes: u64,
    /// Lower-case hex SHA-256 of the whole file.
    pub sha256: String,
    /// Rows.
    pub rows: u64,
    /// Smallest and largest `created_at`; `None` in files of events whose time cannot be read.
    pub created_at: Option<(Timestamp, Timestamp)>,
}

/// A file of quarantine as the log names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRecord {
    /// Path below the destination.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
    /// Lower-case hex SHA-256 of the whole file.
    pub sha256: String,
}

/// A file of kept replies as the log names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRecord {
    /// Path below the destination.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
    /// Lower-case hex SHA-256 of the whole file.
    pub sha256: String,
    /// Questions and replies in it.
    pub requests: u64,
}

/// What became of a window's events. `settled = rows + known + quarantined + filtered`, or the commit is not made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Distinct events of the window that were settled.
    pub settled: u64,
    /// Rows written by this commit, in the format that got most: one that was added later has more to write.
    pub rows: u64,
    /// Events that earlier slots already hold.
    pub known: u64,
    /// Events that cannot become a row.
    pub quarantined: u64,
    /// Events that the dataset's own selection leaves out, since the API has no such filter.
    pub filtered: u64,
    /// Events among the rows, the known and the quarantined in which secrets were replaced: what is kept of them is
    /// not what was received. Not part of the sum.
    pub redacted: u64,
}

/// One window's part of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowRecord {
    /// A window of the grid.
    pub window: Window,
    /// How its events became certain.
    pub certificate: Certificate,
    /// What became of them.
    pub counts: Counts,
    /// The formats whose slots were held against these events, ascending: what the certificate is about. Another
    /// format may hold fewer of the events.
    pub formats: Vec<Format>,
    /// Ids in earlier files of the window that the API no longer lists. Their rows stay.
    pub vanished: Vec<String>,
    /// What its events hold beyond the table, where that is anything.
    pub drift: Drift,
    /// The files of quarantine that no earlier record of the window names.
    pub quarantine: Vec<KeptRecord>,
    /// The files this commit adds; none for an empty window, which is a statement of its own.
    pub files: Vec<FileRecord>,
    /// The replies that the certificate rests on, where they are kept.
    pub raw: Option<RawRecord>,
    /// The newest commit of the dataset that the rows and the certificate were taken from, where they were not asked for
    /// by this one.
    pub source: Option<Head>,
}

/// The key that signs the commits from here on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The raw Ed25519 public key.
    pub public_key: [u8; 32],
    /// The signature of the key before it, which makes it its successor; none for a log's first key.
    pub endorsement: Option<[u8; 64]>,
}

/// What a commit says of events whose time cannot be read: they belong to no window, and no date filter matches them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndatedRecord {
    /// How the set of them became certain: a walk over all events of the account.
    pub level: Level,
    /// Events that the account counted without a date filter.
    pub total: u64,
    /// Events that it counted from the year 2000 to 2100.
    pub dated: u64,
    /// What became of them; `filtered` is 0.
    pub counts: Counts,
    /// The formats whose slots were held against them, ascending.
    pub formats: Vec<Format>,
    /// Ids in earlier files that the API no longer lists without a time. Their rows stay.
    pub vanished: Vec<String>,
    /// The files this commit adds.
    pub files: Vec<FileRecord>,
}

/// One numbered record of the log, chained to the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Position in the log, from 0.
    pub number: u64,
    /// Lower-case hex SHA-256 of the previous commit's bytes; of `dataset.json` for commit 0.
    pub previous: String,
    /// The table of the files.
    pub schema: SchemaRef,
    /// Whether the writer knew that the store overwrites, and was told that nobody else writes.
    pub single_writer: bool,
    /// Version of the program.
    pub tool: String,
    /// The key that comes into force with this commit, where one does.
    pub key: Option<KeyRecord>,
    /// The windows, ascending; none only in a commit about a key.
    pub windows: Vec<WindowRecord>,
    /// Events without a time, where the commit says something of them.
    pub undated: Option<UndatedRecord>,
    /// When it was recorded, by the writer's clock: seconds since 1970. The only part that a rerun may change.
    pub recorded_at: i64,
}

/// The newest commit: what an auditor notes down to detect a shortened log later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// Lower-case hex SHA-256 of its bytes.
    pub sha256: String,
}
