//! A dataset as its log tells it, for whoever shows it: windows, what is known of each, and the rows of one file.
//!
//! What lives here: [`Overview`]. The chain is checked first; rows are given only of a file whose digest is what the log
//! says, so that nothing is counted that nobody committed. What this file must not know: what is shown.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;

use super::descriptor::Spec;
use super::digest::sha256;
use super::log::{Coverage, covered};
use super::open::{Stored, read_stored};
use super::slots::compute;
use super::verify::Law;
use super::{record, register};
use crate::encode::{ReadLimits, Settings};
use crate::error::{Error, Kind, Result};
use crate::model::{FileRecord, Format, Head, Timestamp, UndatedRecord, Window, WindowRecord};
use crate::store::{ObjectPath, Store};

/// What the log says.
#[derive(Clone, Debug)]
pub struct Overview {
    /// What the dataset is.
    pub spec: Spec,
    /// The newest commit; `None` for a log without any.
    pub head: Option<Head>,
    /// When the newest commit was recorded, by its writer's clock.
    pub recorded_at: Option<Timestamp>,
    /// Version of the program that wrote it.
    pub tool: String,
    /// Version of the table of its files.
    pub table: String,
    /// Whether any commit says that its store overwrites.
    pub single_writer: bool,
    /// The records of each window, in the order of their commits.
    pub windows: BTreeMap<Window, Vec<WindowRecord>>,
    /// What is recorded of events without a time, in the order of the commits.
    pub undated: Vec<UndatedRecord>,
}

impl Overview {
    /// Reads the log of the dataset at a destination.
    ///
    /// # Errors
    /// [`Kind::Usage`] when there is no dataset; [`Kind::Verification`] when its log is broken; [`Kind::Storage`].
    pub async fn read(store: &dyn Store) -> Result<Self> {
        let (mut recorded_at, mut tool, mut table, mut single_writer) = (None, String::new(), None, false);
        let (mut windows, mut undated) = (BTreeMap::<_, Vec<_>>::new(), Vec::new());
        let Stored { spec, log, .. } = read_stored(store, |bytes| {
            let commit = record::read(bytes)?;
            recorded_at = Some(Timestamp::from_seconds(commit.recorded_at));
            tool = commit.tool;
            table = Some(commit.schema.version);
            single_writer |= commit.single_writer;
            for record in commit.windows {
                windows.entry(record.window).or_default().push(record);
            }
            undated.extend(commit.undated);
            Ok(())
        })
        .await?;
        let table = table.unwrap_or_else(|| spec.schema.version.clone());
        Ok(Self { spec, head: log.head(), recorded_at, tool, table, single_writer, windows, undated })
    }

    /// The windows that are committed in this format.
    pub fn coverage(&self, format: Format) -> Coverage {
        let known =
            |(window, records): (&Window, &Vec<WindowRecord>)| Some((*window, covered(records, format)?));
        self.windows.iter().filter_map(known).collect()
    }

    /// The files of this format with their windows, ascending; those of rows without a time come last.
    pub fn files(&self, format: Format) -> Vec<(Option<Window>, &FileRecord)> {
        let dated = self.windows.iter().flat_map(|(window, records)| {
            records.iter().flat_map(|record| &record.files).map(|file| (Some(*window), file))
        });
        let undated = self.undated.iter().flat_map(|record| &record.files).map(|file| (None, file));
        dated.chain(undated).filter(|(_, file)| file.format == format).collect()
    }
}

/// The rows of one file that the log names. `bytes` is the most that a file may have, `memory` what it may take decoded.
///
/// # Errors
/// [`Kind::Verification`] when it is missing, not what the log says, or beyond a limit; [`Kind::Storage`].
pub async fn committed_rows(
    store: &dyn Store,
    file: &FileRecord,
    settings: &Settings,
    (bytes, memory): (u64, u64),
    law: &Law,
) -> Result<Vec<RecordBatch>> {
    let refused = |why: &'static str| {
        Error::new(Kind::Verification, "a data file is not what the log says")
            .at("path", &file.path)
            .at("why", why)
    };
    if file.bytes > bytes {
        return Err(refused("it is longer than the limit for a file"));
    }
    let found = register::read_known(store, &ObjectPath::new(file.path.as_str())?, bytes).await?;
    let found = found.ok_or_else(|| refused("it is missing"))?;
    let limits = ReadLimits { rows: file.rows, memory };
    let (settings, law) = (settings.clone(), law.clone());
    let (format, digest) = (file.format, file.sha256.clone());
    // Decoding makes about eight times the bytes.
    let size = found.len().saturating_mul(8);
    let rows = compute(size, move || {
        if sha256(&found) != digest {
            return Ok(None);
        }
        law.read(format, found, &settings, limits).map(Some)
    });
    let batches = rows.await.map_err(|cause| cause.at("path", &file.path))?;
    let batches = batches.ok_or_else(|| refused("it has another SHA-256"))?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if u64::try_from(rows).ok() != Some(file.rows) {
        return Err(refused("it holds another number of rows"));
    }
    Ok(batches)
}
