//! Rows that wait to be written, group by group.
//!
//! What lives here: [`RowsWriter`] and [`HeldRows`]. What does not fit into the share of memory goes to one file without a
//! name, as Arrow IPC. How much that is decides about no row. What this file must not know: what a group is.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use arrow_select::concat::concat_batches;

use crate::error::{Error, Result};
use crate::spool::{Scratch, SpillFile};

/// Rows of more bytes are not held, whatever the share: one column of them must fit into an array.
const MOST: u64 = 1 << 30;

/// Rows from which on a batch is spilled as it is.
const LONG: usize = 256;

/// Some rows of one group.
#[derive(Debug)]
enum Piece {
    Memory(RecordBatch),
    File { at: u64, bytes: u64 },
}

/// Takes batches of one table, each for a group.
#[derive(Debug)]
pub struct RowsWriter {
    scratch: Scratch,
    share: u64,
    schema: Option<SchemaRef>,
    groups: Vec<Vec<Piece>>,
    /// Groups with rows in memory.
    waiting: BTreeSet<usize>,
    held: u64,
    file: Option<SpillFile>,
}

/// Rows by group; given out as often as asked for.
#[derive(Debug)]
pub struct HeldRows {
    schema: Option<SchemaRef>,
    groups: Vec<Vec<Piece>>,
    file: Option<Arc<SpillFile>>,
}

impl RowsWriter {
    /// No rows yet; at most `share` bytes of them in memory.
    pub fn new(scratch: &Scratch, share: u64) -> Self {
        let (scratch, groups) = (scratch.clone(), Vec::new());
        let (share, waiting) = (share.min(MOST), BTreeSet::new());
        Self { scratch, share, schema: None, groups, waiting, held: 0, file: None }
    }

    /// Groups that have rows; the number of the next one.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Appends rows to a group; groups are numbered from 0.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: they cannot be spilled.
    pub fn push(&mut self, group: usize, batch: RecordBatch) -> Result<()> {
        if self.groups.len() <= group {
            self.groups.resize_with(group + 1, Vec::new);
        }
        self.schema.get_or_insert_with(|| batch.schema());
        self.held =
            self.held.saturating_add(u64::try_from(batch.get_array_memory_size()).unwrap_or(u64::MAX));
        if let Some(pieces) = self.groups.get_mut(group) {
            pieces.push(Piece::Memory(batch));
            self.waiting.insert(group);
        }
        if self.held > self.share { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(self.scratch.file()?),
        };
        self.held = 0;
        let Some(schema) = &self.schema else { return Ok(()) };
        let plain = plain(schema);
        for group in std::mem::take(&mut self.waiting) {
            let Some(pieces) = self.groups.get_mut(group) else { continue };
            // Those in memory stand last.
            let first =
                pieces.iter().rposition(|piece| matches!(piece, Piece::File { .. })).map_or(0, |at| at + 1);
            let memory: Vec<RecordBatch> = pieces
                .drain(first..)
                .filter_map(|piece| match piece {
                    Piece::Memory(batch) => Some(batch),
                    Piece::File { .. } => None,
                })
                .collect();
            let bytes = stream(&plain, &joined(schema, memory)?)?;
            let at = file.append(&bytes)?;
            pieces.push(Piece::File { at, bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX) });
        }
        Ok(())
    }

    /// All rows.
    ///
    /// # Errors
    /// As [`RowsWriter::push`].
    pub fn finish(self) -> Result<HeldRows> {
        let file = match self.file {
            Some(mut file) => {
                file.flush()?;
                Some(Arc::new(file))
            }
            None => None,
        };
        Ok(HeldRows { schema: self.schema, groups: self.groups, file })
    }
}

impl HeldRows {
    /// The rows of a group, in the order in which they came.
    ///
    /// # Errors
    /// Each item may be one of [`crate::error::Kind::Storage`].
    pub fn group(&self, group: usize) -> impl Iterator<Item = Result<RecordBatch>> + '_ {
        self.groups.get(group).into_iter().flatten().flat_map(|piece| match piece {
            Piece::Memory(batch) => vec![Ok(batch.clone())],
            Piece::File { at, bytes } => match self.read(*at, *bytes) {
                Ok(batches) => batches.into_iter().map(Ok).collect(),
                Err(cause) => vec![Err(cause)],
            },
        })
    }

    fn read(&self, at: u64, bytes: u64) -> Result<Vec<RecordBatch>> {
        let (Some(file), Some(schema)) = (&self.file, &self.schema) else {
            return Err(Error::bug("spilled rows have no file"));
        };
        // The columns are slices of what was read.
        let mut bytes = file.read(at, bytes)?.into();
        let (mut decoder, mut batches) = (StreamDecoder::new(), Vec::new());
        while let Some(batch) = decoder.decode(&mut bytes).map_err(unspilled)? {
            let batch = RecordBatch::try_new(Arc::clone(schema), batch.columns().to_vec());
            batches.push(batch.map_err(unspilled)?);
        }
        decoder.finish().map_err(unspilled)?;
        Ok(batches)
    }
}

/// Many short batches as one: each has a head of its own.
fn joined(schema: &SchemaRef, batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>> {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if rows >= batches.len().saturating_mul(LONG) {
        return Ok(batches);
    }
    Ok(vec![concat_batches(schema, &batches).map_err(unspilled)?])
}

fn stream(plain: &SchemaRef, batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let size: usize = batches.iter().map(RecordBatch::get_array_memory_size).sum();
    let mut writer = StreamWriter::try_new(Vec::with_capacity(size), plain).map_err(unspilled)?;
    for batch in batches {
        let batch = RecordBatch::try_new(Arc::clone(plain), batch.columns().to_vec()).map_err(unspilled)?;
        writer.write(&batch).map_err(unspilled)?;
    }
    writer.into_inner().map_err(unspilled)
}

/// Without what describes the columns: it stands before each piece.
fn plain(schema: &Schema) -> SchemaRef {
    let bare = |field: &Arc<Field>| Field::new(field.name(), field.data_type().clone(), field.is_nullable());
    Arc::new(Schema::new(schema.fields().iter().map(bare).collect::<Vec<_>>()))
}

fn unspilled(cause: ArrowError) -> Error {
    Error::bug("rows cannot be spilled and read again").because(cause)
}
