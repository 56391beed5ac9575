//! Lines into batches of rows, each row held against its line before it counts.
//!
//! What lives here: [`Building`] and [`Line`]. It does what [`Rows`](crate::pipeline::rows::Rows) does for lines that all can be
//! rows, and nothing for others: no line is copied or becomes an event of its own. What this file must not know: windows, the
//! order of lines, threads.

use std::borrow::Cow;

use arrow_array::RecordBatch;

use crate::api::wire::{Reader, Sound};
use crate::error::{Error, Result};
use crate::flatten::{Flattener, Proof, Refusal, redact};
use crate::model::json::{Outline, Value};
use crate::model::{Secrets, Timestamp};
use crate::pipeline::rows::{BYTES_A_BATCH, Holding, ROWS_A_BATCH};
use crate::pipeline::transform::Recipe;
use crate::schema::Survey;

/// An event, read and sound.
#[derive(Debug)]
pub(super) struct Line<'l> {
    pub(super) id: Cow<'l, str>,
    text: Cow<'l, str>,
    /// The number of its outline.
    outline: usize,
}

/// Makes lines rows, with memory to work in.
pub(super) struct Building<'a> {
    recipe: &'a Recipe,
    holding: Holding,
    reader: Reader,
    flattener: Flattener,
    proof: Proof<'a>,
    outlines: Vec<Outline>,
    /// The numbers of those that no line needs.
    spare: Vec<usize>,
    /// Bytes of the lines whose rows are being built.
    bytes: usize,
    batches: Vec<RecordBatch>,
    redacted: u64,
}

/// What lines became.
pub(super) struct Built {
    pub(super) batches: Vec<RecordBatch>,
    /// Rows whose events had secrets.
    pub(super) redacted: u64,
    pub(super) survey: Survey,
}

impl<'a> Building<'a> {
    pub(super) fn new(recipe: &'a Recipe) -> Self {
        let holding = recipe.holding();
        Self {
            recipe,
            holding,
            reader: Reader::default(),
            flattener: holding.flattener(&recipe.table),
            proof: Proof::new(&recipe.table),
            outlines: Vec::new(),
            spare: Vec::new(),
            bytes: 0,
            batches: Vec::new(),
            redacted: 0,
        }
    }

    /// Forgets what was not taken.
    pub(super) fn clear(&mut self) -> Result<()> {
        self.spare.clear();
        self.spare.extend(0..self.outlines.len());
        if !self.flattener.is_empty() {
            self.flattener.finish()?;
        }
        (self.bytes, self.redacted) = (0, 0);
        self.batches.clear();
        Ok(())
    }

    /// The line and its time; `None` if it has a flaw or no time.
    pub(super) fn read<'l>(&mut self, line: &'l [u8]) -> Option<(Timestamp, Line<'l>)> {
        let text = std::str::from_utf8(line).ok()?;
        let number = self.spare.pop().unwrap_or(self.outlines.len());
        if number == self.outlines.len() {
            self.outlines.push(Outline::default());
        }
        let Sound { id, created_at } = self.reader.sound(text, self.outlines.get_mut(number)?)?;
        Some((created_at?, Line { id, text: Cow::Borrowed(text), outline: number }))
    }

    /// Makes a line a row; `pending` are those before it that are in no batch yet. False if it cannot be one.
    pub(super) fn push<'l>(&mut self, mut line: Line<'l>, pending: &mut Vec<Line<'l>>) -> Result<bool> {
        if !self.redact(&mut line)? {
            return Ok(false);
        }
        let pushed = match self.flatten(&line) {
            Err(Refusal::Full) => {
                if !self.close(pending)? {
                    return Ok(false);
                }
                self.flatten(&line)
            }
            pushed => pushed,
        };
        if pushed.is_err() {
            return Ok(false);
        }
        self.bytes += line.text.len();
        pending.push(line);
        let whole = self.flattener.len() >= ROWS_A_BATCH || self.bytes >= BYTES_A_BATCH;
        if whole { self.close(pending) } else { Ok(true) }
    }

    fn flatten(&mut self, line: &Line<'_>) -> Result<(), Refusal> {
        let value = value(&self.outlines, line).ok_or(Refusal::Flaw(crate::model::Flaw::NotAnObject))?;
        self.flattener.push_value(value).map(|_| ())
    }

    /// Takes the secrets out of a line. False if it is no event afterwards.
    fn redact(&mut self, line: &mut Line<'_>) -> Result<bool> {
        let outline =
            self.outlines.get_mut(line.outline).ok_or_else(|| Error::bug("a line has no outline"))?;
        if self.recipe.secrets == Secrets::Kept || self.recipe.keeps(&line.text, outline) {
            return Ok(true);
        }
        let Cow::Owned(clean) = redact(line.text.as_bytes()) else { return Ok(true) };
        let Ok(clean) = String::from_utf8(clean) else { return Ok(false) };
        if outline.read(&clean).is_err() {
            return Ok(false);
        }
        line.text = Cow::Owned(clean);
        self.redacted += 1;
        Ok(true)
    }

    /// Ends a batch. False if a row does not give its line back.
    fn close(&mut self, pending: &mut Vec<Line<'_>>) -> Result<bool> {
        self.bytes = 0;
        let batch = self.flattener.finish()?;
        let values = pending.iter().map(|line| value(&self.outlines, line));
        let (batch, wrong) = self.holding.checked(batch, &mut self.proof, values)?;
        if !wrong.is_empty() {
            return Ok(false);
        }
        self.batches.push(batch);
        self.spare.extend(pending.drain(..).map(|line| line.outline));
        Ok(true)
    }

    /// The rows of all lines that were pushed since the last time; `None` if one does not give its line back.
    pub(super) fn take(&mut self, pending: &mut Vec<Line<'_>>) -> Result<Option<Built>> {
        if !self.flattener.is_empty() && !self.close(pending)? {
            return Ok(None);
        }
        let batches = std::mem::take(&mut self.batches);
        let redacted = std::mem::take(&mut self.redacted);
        Ok(Some(Built { batches, redacted, survey: self.flattener.take_survey() }))
    }
}

fn value<'v>(outlines: &'v [Outline], line: &'v Line<'_>) -> Option<Value<'v>> {
    outlines.get(line.outline)?.value(&line.text)
}
