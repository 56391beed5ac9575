//! Rows one window after the other on one stream, instead of files.
//!
//! What lives here: [`RowStream`]. Each call gives a window's bytes as a whole; what comes once (a header, a schema, an
//! end) comes with the first window and at the end. What this file must not know: windows, where the bytes go.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, SchemaRef};

use super::recut::{Batches, recut};
use super::{columns, csv, flat, ndjson};
use crate::error::{Error, Kind, Result};
use crate::model::{Formulas, Lines};

/// What a stream consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamFormat {
    /// One JSON object a line.
    Ndjson(Lines),
    /// RFC 4180 text, one header.
    Csv(Formulas),
    /// The Arrow IPC streaming format.
    Arrow,
}

/// Encodes batches as they come.
pub struct RowStream(Kinds);

enum Kinds {
    Ndjson(SchemaRef, Lines),
    /// Whether the header is still to come.
    Csv(SchemaRef, Formulas, bool),
    Arrow(SchemaRef, Box<StreamWriter<Vec<u8>>>),
}

impl RowStream {
    /// A stream of rows with these columns; of events it takes the one column [`super::EVENT_TEXT`].
    ///
    /// # Errors
    /// [`Kind::Bug`] for a column type that readers do not share.
    pub fn new(format: StreamFormat, schema: &SchemaRef) -> Result<Self> {
        columns::check(schema)?;
        let schema = Arc::clone(schema);
        Ok(Self(match format {
            StreamFormat::Ndjson(lines) => Kinds::Ndjson(schema, lines),
            StreamFormat::Csv(formulas) => Kinds::Csv(schema, formulas, true),
            StreamFormat::Arrow => {
                let writer = StreamWriter::try_new(Vec::new(), &schema).map_err(unwritten)?;
                Kinds::Arrow(schema, Box::new(writer))
            }
        }))
    }

    /// Hands the bytes of these rows to `take`, batch after batch, with what comes before the first.
    ///
    /// # Errors
    /// [`Kind::Bug`] for a batch with other columns; what `batches` and `take` give.
    pub fn rows(
        &mut self,
        batches: &mut Batches<'_>,
        take: &mut dyn FnMut(Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let (Kinds::Ndjson(schema, ..) | Kinds::Csv(schema, ..) | Kinds::Arrow(schema, _)) = &self.0;
        let schema = Arc::clone(schema);
        if let Kinds::Csv(schema, formulas, first) = &mut self.0
            && std::mem::take(first)
        {
            let mut bytes = Vec::new();
            csv::header(schema, *formulas, &mut bytes)?;
            take(bytes)?;
        }
        for batch in recut(&schema, batches) {
            take(self.batch(batch?)?)?;
        }
        Ok(())
    }

    fn batch(&mut self, batch: RecordBatch) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match &mut self.0 {
            Kinds::Arrow(_, writer) => {
                writer.write(&batch).map_err(unwritten)?;
                bytes = std::mem::take(writer.get_mut());
            }
            Kinds::Ndjson(schema, lines) => {
                let only: &mut Batches<'_> = &mut std::iter::once(Ok(batch));
                match lines {
                    Lines::Events => ndjson::write(schema, only, &mut bytes)?,
                    Lines::Flat => flat::write(schema, only, &mut bytes)?,
                };
            }
            Kinds::Csv(schema, formulas, _) => {
                csv::rows(schema, &mut std::iter::once(Ok(batch)), *formulas, &mut bytes)?;
            }
        }
        Ok(bytes)
    }

    /// What comes after the last rows, or instead of rows.
    ///
    /// # Errors
    /// As [`RowStream::rows`].
    pub fn end(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.rows(&mut std::iter::empty(), &mut |more| {
            bytes.extend(more);
            Ok(())
        })?;
        if let Kinds::Arrow(_, writer) = &mut self.0 {
            writer.finish().map_err(unwritten)?;
            bytes.append(writer.get_mut());
        }
        Ok(bytes)
    }
}

fn unwritten(cause: ArrowError) -> Error {
    Error::new(Kind::Bug, "rows do not make an Arrow stream").because(cause)
}
