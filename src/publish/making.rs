//! Rows as one file: encoded, digested.
//!
//! What lives here: [`Making`], which is how files are made whatever their rows, and [`PreparedFile`]. Pure computation.
//! What this file must not know: which rows a file has, slots, storage.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::digest::{Digesting, sha256_of};
use super::rows::Extent;
use super::texts::{RowReader, lines, lines_schema, without_texts};
use crate::encode::{Batches, FileMetadata, ReadLimits, Settings, encode_from, read_typed};
use crate::error::{Error, Result};
use crate::model::Format;
use crate::spool::{Blob, BlobWriter, Scratch};

/// Files of a window stay in memory up to this part of the budget.
pub(super) const FILES_SHARES: u64 = 16;

/// How files are made from rows, whatever the window.
#[derive(Clone, Debug)]
pub(super) struct Making {
    pub(super) formats: Vec<Format>,
    pub(super) schema: SchemaRef,
    pub(super) metadata: FileMetadata,
    pub(super) settings: Settings,
    /// There if rows have the events' texts as one more column.
    pub(super) reader: Option<RowReader>,
    pub(super) scratch: Scratch,
}

/// One file's bytes and what the log says of them.
#[derive(Clone, Debug)]
pub(super) struct PreparedFile {
    pub(super) content: Blob,
    pub(super) sha256: String,
    pub(super) extent: Extent,
}

impl PreparedFile {
    /// Bytes that stay in memory.
    pub(super) fn in_memory(&self) -> u64 {
        if matches!(self.content, Blob::Memory(_)) { self.content.len() } else { 0 }
    }
}

impl Making {
    /// The file of some rows; it has no bytes if there are none.
    pub(super) fn file(
        &self,
        format: Format,
        batches: &mut Batches<'_>,
        out: BlobWriter,
    ) -> Result<PreparedFile> {
        let texts = self.settings.layout.holds_texts(format);
        let mut extent = Extent::default();
        let mut out = Digesting::new(out);
        let mut own = batches
            .filter(|batch| batch.as_ref().is_ok_and(|batch| batch.num_rows() > 0) || batch.is_err())
            .map(|batch| {
                let batch = batch?;
                extent.add(&batch)?;
                match texts {
                    true => lines(&batch),
                    false if self.reader.is_some() => without_texts(&batch),
                    false => Ok(batch),
                }
            })
            .peekable();
        let mut encoded = Ok(());
        if own.peek().is_some() {
            let schema = if texts { lines_schema() } else { Arc::clone(&self.schema) };
            encoded =
                encode_from(format, &schema, &mut own, &self.metadata, &self.settings, &mut out).map(drop);
        }
        drop(own);
        let (out, sha256) = out.finish();
        if let Err(cause) = encoded {
            return Err(out.failure().unwrap_or(cause));
        }
        Ok(PreparedFile { content: out.finish()?, sha256, extent })
    }

    /// The rows of a file's bytes, whatever the format.
    pub(super) fn read(&self, format: Format, bytes: Bytes) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        let table = read_typed(format, bytes, &self.schema, &self.settings, ReadLimits::default())?;
        if self.settings.layout.holds_texts(format) {
            return Ok((Arc::clone(&self.schema), self.reader()?.rows(&table.batches)?));
        }
        Ok((table.schema, table.batches))
    }

    /// Rows as a file of this format gives them back: the rows of a text on one line differ from the rows of the text
    /// as received, in the white space of its context.
    pub(super) fn as_read(&self, format: Format, batches: &[RecordBatch]) -> Result<Vec<RecordBatch>> {
        if self.settings.layout.holds_texts(format) {
            return self.reader()?.rows(&batches.iter().map(lines).collect::<Result<Vec<_>>>()?);
        }
        Ok(batches.to_vec())
    }

    fn reader(&self) -> Result<&RowReader> {
        self.reader.as_ref().ok_or_else(|| Error::bug("NDJSON needs the events' texts"))
    }
}

/// What the log says of a file that has these bytes and these rows.
pub(super) fn described(content: Blob, batches: &[RecordBatch]) -> Result<PreparedFile> {
    let mut extent = Extent::default();
    batches.iter().try_for_each(|batch| extent.add(batch))?;
    Ok(PreparedFile { sha256: sha256_of(&content)?, content, extent })
}
