//! Events into batches of rows, each row held against its event before it counts, with the events' texts beside them
//! where a format needs those.
//!
//! What lives here: [`Rows`], which takes events one by one or, where others hold them, by the block. An event whose row does not
//! give it back goes to quarantine and takes its row with it, so that our own mistake costs a row and never a value.
//! What this file must not know: windows, files, secrets.

use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;

use super::transform::readable;
use crate::error::{Error, Result};
use crate::flatten::{Flattener, Proof, Refusal};
use crate::model::json::{Outline, Value};
use crate::model::{Drift, Event, Flaw};
use crate::schema::Table;
use crate::spool::Lent;

mod holding;
mod texts;

pub(super) use holding::Holding;
pub(super) use texts::row_reader;

/// Rows that are built before they become a batch: bounds the builders, decides nothing about the bytes.
/// They and their events stay in the processor's cache until they are checked.
pub(super) const ROWS_A_BATCH: usize = 1_024;

/// Bytes of events after which a batch ends all the same.
pub(super) const BYTES_A_BATCH: usize = 4 << 20;

/// Takes batches of rows.
pub(super) trait Sink {
    fn batch(&mut self, batch: RecordBatch) -> Result<()>;
}

impl<F: FnMut(RecordBatch) -> Result<()>> Sink for F {
    fn batch(&mut self, batch: RecordBatch) -> Result<()> {
        self(batch)
    }
}

/// Rows being made.
pub(super) struct Rows<'a, S> {
    /// Takes each batch.
    pub(super) sink: S,
    flattener: Flattener,
    proof: Proof<'a>,
    holding: Holding,
    /// The events of the batch that is being built, in the order of its rows; none while a block is lent.
    pending: Vec<Read<'static>>,
    /// Bytes of the texts of all events of that batch.
    bytes: usize,
    /// Memory to read with.
    spare: Vec<Outline>,
    done: Done,
}

/// An event whose text is read.
#[derive(Debug)]
struct Read<'b> {
    event: Held<'b>,
    outline: Outline,
}

/// An event, and its text if it may become a row.
#[derive(Debug)]
enum Held<'b> {
    Own(Event),
    Lent(Lent<'b>, Option<&'b str>),
}

impl Held<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Own(event) => readable(event),
            Self::Lent(_, text) => *text,
        }
    }

    fn into_event(self) -> Event {
        match self {
            Self::Own(event) => event,
            Self::Lent(event, _) => event.event(),
        }
    }
}

impl Read<'_> {
    /// What it says; `None` for one that cannot become a row.
    fn value(&self) -> Option<Value<'_>> {
        self.outline.value(self.event.text()?)
    }
}

/// What has become of the events.
#[derive(Default)]
pub(super) struct Done {
    /// How many are rows.
    pub(super) rows: u64,
    /// The events that are no rows.
    pub(super) quarantine: Vec<Event>,
    /// What the events hold beyond the table.
    pub(super) drift: Drift,
}

impl<'a, S: Sink> Rows<'a, S> {
    /// No rows yet; they go to `sink`, batch by batch.
    pub(super) fn new(table: &'a Table, holding: Holding, sink: S) -> Self {
        Self {
            sink,
            flattener: holding.flattener(table),
            proof: Proof::new(table),
            holding,
            pending: Vec::new(),
            bytes: 0,
            spare: Vec::new(),
            done: Done::default(),
        }
    }

    /// Makes the event a row, or keeps it apart.
    pub(super) fn push(&mut self, event: Event) -> Result<()> {
        let mut pending = std::mem::take(&mut self.pending);
        let pushed = match self.read(Held::Own(event), |_, _| true) {
            Ok(read) => self.flatten(read, &mut pending),
            Err(event) => {
                self.quarantine(event.into_event(), None);
                Ok(())
            }
        };
        self.pending = pending;
        pushed
    }

    /// Makes the events of a block rows. One that cannot be one, or to whose text, which the outline has read, `may` says no,
    /// goes through `otherwise` and is pushed then.
    pub(super) fn take<'b>(
        &mut self,
        block: impl IntoIterator<Item = (Lent<'b>, Option<&'b str>)>,
        may: impl Fn(&str, &Outline) -> bool,
        mut otherwise: impl FnMut(Event) -> Event,
    ) -> Result<()> {
        self.end()?;
        let mut pending = Vec::new();
        for (event, text) in block {
            let read = match self.read(Held::Lent(event, text), &may) {
                Ok(read) => Ok(read),
                Err(event) => self.read(Held::Own(otherwise(event.into_event())), |_, _| true),
            };
            match read {
                Ok(read) => self.flatten(read, &mut pending)?,
                Err(event) => self.quarantine(event.into_event(), None),
            }
        }
        // The block may be gone afterwards.
        if pending.is_empty() { Ok(()) } else { self.close(&mut pending) }
    }

    /// Reads the event if it can be a row, unless `may` says no; else it comes back.
    fn read<'b>(
        &mut self,
        event: Held<'b>,
        may: impl FnOnce(&str, &Outline) -> bool,
    ) -> Result<Read<'b>, Held<'b>> {
        let mut outline = self.spare.pop().unwrap_or_default();
        if event.text().is_some_and(|text| outline.read(text).is_ok() && may(text, &outline)) {
            return Ok(Read { event, outline });
        }
        self.spare.push(outline);
        Err(event)
    }

    /// Makes a row of it, behind those of the events in `pending`.
    fn flatten<'b>(&mut self, read: Read<'b>, pending: &mut Vec<Read<'b>>) -> Result<()> {
        let value = read.value().ok_or_else(|| Error::bug("an event that was read has no value"))?;
        let length = value.text().len();
        let pushed = match self.flattener.push_value(value) {
            Err(Refusal::Full) => {
                self.close(pending)?;
                self.flattener.push_value(value)
            }
            pushed => pushed,
        };
        match pushed {
            Ok(_) => {
                self.bytes += length;
                pending.push(read);
            }
            Err(Refusal::Flaw(flaw)) => {
                let Read { event, outline } = read;
                self.spare.push(outline);
                self.quarantine(event.into_event(), Some(flaw));
            }
            Err(Refusal::Full) => {
                let event = read.event.into_event();
                return Err(Error::bug("an empty batch is full").at("id", event.id.as_str()));
            }
        }
        let whole = self.flattener.len() >= ROWS_A_BATCH || self.bytes >= BYTES_A_BATCH;
        if whole { self.close(pending) } else { Ok(()) }
    }

    fn quarantine(&mut self, event: Event, flaw: Option<Flaw>) {
        let flaw = flaw.or(event.flaw).or(Some(Flaw::NotAnObject));
        self.done.quarantine.push(Event { flaw, ..event.alone() });
    }

    /// Everything that was pushed.
    pub(super) fn finish(mut self) -> Result<Done> {
        self.end()?;
        Ok(Done { drift: self.flattener.take_drift(), ..self.done })
    }

    /// Ends the batch of the events that were pushed one by one.
    fn end(&mut self) -> Result<()> {
        let mut pending = std::mem::take(&mut self.pending);
        if self.flattener.is_empty() { Ok(()) } else { self.close(&mut pending) }
    }

    /// Ends a batch.
    fn close(&mut self, pending: &mut Vec<Read<'_>>) -> Result<()> {
        self.bytes = 0;
        let batch = self.flattener.finish()?;
        let batch = check(batch, pending, &mut self.proof, self.holding, &mut self.done)?;
        self.spare.extend(pending.drain(..).map(|read| read.outline));
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.done.rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        self.sink.batch(batch)
    }
}

/// Holds each row of a batch against its event; gives those that are right, and takes the others' events away.
fn check(
    batch: RecordBatch,
    events: &mut Vec<Read<'_>>,
    proof: &mut Proof<'_>,
    holding: Holding,
    done: &mut Done,
) -> Result<RecordBatch> {
    // Once for each event: it may take a look at each byte.
    let values: Vec<Option<Value<'_>>> = events.iter().map(Read::value).collect();
    let (batch, wrong) = holding.checked(batch, proof, values.iter().copied())?;
    if wrong.is_empty() {
        return Ok(batch);
    }
    let mut right = vec![true; batch.num_rows()];
    for row in wrong {
        if let Some(place) = right.get_mut(row) {
            *place = false;
        }
    }
    let lost = events.drain(..).zip(&right).filter(|(_, right)| !**right);
    let lost =
        lost.map(|(read, _)| Event { flaw: Some(Flaw::NotRebuilt), ..read.event.into_event().alone() });
    done.quarantine.extend(lost);
    filter_record_batch(&batch, &BooleanArray::from(right))
        .map_err(|cause| Error::bug("rows cannot be chosen").because(cause))
}

#[cfg(test)]
mod tests {
    use arrow_select::concat::concat_batches;

    use super::*;
    use crate::api;

    fn event(text: &str) -> Event {
        api::event(text.to_owned().into())
    }

    fn read(event: Event) -> Read<'static> {
        let mut outline = Outline::default();
        outline.read(readable(&event).unwrap()).unwrap();
        Read { event: Held::Own(event), outline }
    }

    #[test]
    fn an_event_that_its_row_does_not_give_back_loses_the_row_and_is_kept() {
        let table = Table::builtin().unwrap();
        let texts = [r#"{"id":"a","x":1}"#, r#"{"id":"b","x":1}"#, r#"{"id":"c","x":1}"#];
        for wrong in [vec![1], vec![0, 2], vec![0, 1, 2], vec![]] {
            let mut flattener = Flattener::new(&table);
            for text in texts {
                flattener.push(text).unwrap();
            }
            // The planted defect: as if the flattener had read another number.
            let events = texts.iter().enumerate().map(|(row, text)| {
                read(event(&if wrong.contains(&row) { text.replace('1', "2") } else { (*text).to_owned() }))
            });
            let mut events: Vec<_> = events.collect();
            let mut done = Done::default();
            let (mut proof, holding) = (Proof::new(&table), Holding::Columns);
            let batch =
                check(flattener.finish().unwrap(), &mut events, &mut proof, holding, &mut done).unwrap();
            assert_eq!(batch.num_rows(), 3 - wrong.len());
            assert_eq!(done.quarantine.len(), wrong.len());
            assert!(done.quarantine.iter().all(|event| event.flaw == Some(Flaw::NotRebuilt)));
            assert!(done.quarantine.iter().all(|event| event.text.ends_with(b":2}")));
        }
    }

    #[test]
    fn every_event_is_in_exactly_one_place() {
        let table = Table::builtin().unwrap();
        let mut batches = Vec::new();
        let mut rows = Rows::new(&table, Holding::Columns, |batch| {
            batches.push(batch);
            Ok(())
        });
        let deep = format!(r#"{{"id":"deep","a":{}1{}}}"#, "[".repeat(70), "]".repeat(70));
        for number in 0..ROWS_A_BATCH + 3 {
            rows.push(event(&format!(r#"{{"id":"{number}"}}"#))).unwrap();
        }
        rows.push(event(&deep)).unwrap();
        rows.push(event("[]")).unwrap();
        rows.push(event("{}")).unwrap();
        let done = rows.finish().unwrap();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [ROWS_A_BATCH, 3]);
        assert_eq!(done.rows, u64::try_from(ROWS_A_BATCH).unwrap() + 3);
        let flaws: Vec<_> = done.quarantine.iter().map(|event| event.flaw).collect();
        assert_eq!(flaws, [Some(Flaw::TooDeep), Some(Flaw::NotAnObject), Some(Flaw::NoId)]);
    }

    #[test]
    fn events_that_are_lent_become_what_events_do() {
        let table = Table::builtin().unwrap();
        let deep = format!(r#"{{"id":"deep","a":{}1{}}}"#, "[".repeat(70), "]".repeat(70));
        let many = (0..2 * ROWS_A_BATCH + 9).map(|number| match number % 97 {
            0 => deep.clone(),
            1 => "[]".to_owned(),
            2 => "{}".to_owned(),
            3 => format!(r#"{{"id":"{number}","secret":1}}"#),
            _ => format!(r#"{{"id":"{number}","event_type":"{}"}}"#, "t".repeat(number)),
        });
        let events: Vec<Event> = many.map(|text| event(&text)).collect();
        let may = |text: &str| !text.contains("secret");
        let otherwise = |event: Event| {
            api::event(match event.flaw {
                None => event
                    .text
                    .iter()
                    .map(|byte| if *byte == b'1' { b'2' } else { *byte })
                    .collect::<Vec<_>>()
                    .into(),
                Some(_) => event.text,
            })
        };
        for holding in [Holding::Columns, Holding::Both, Holding::Texts] {
            let made = |lent: usize| {
                let mut batches = Vec::new();
                let mut rows = Rows::new(&table, holding, |batch| {
                    batches.push(batch);
                    Ok(())
                });
                if lent == 0 {
                    for event in &events {
                        let kept = readable(event).is_some_and(may);
                        rows.push(if kept { event.clone() } else { otherwise(event.clone()) }).unwrap();
                    }
                } else {
                    for (number, block) in events.chunks(lent).enumerate() {
                        if number % 5 == 4 {
                            // One by one between blocks.
                            for event in block {
                                let kept = readable(event).is_some_and(may);
                                rows.push(if kept { event.clone() } else { otherwise(event.clone()) })
                                    .unwrap();
                            }
                            continue;
                        }
                        let block = block.iter().map(|event| (Lent::from(event), readable(event)));
                        rows.take(block, |text, _| may(text), otherwise).unwrap();
                    }
                }
                let done = rows.finish().unwrap();
                assert!(batches.iter().all(|batch| (1..=ROWS_A_BATCH).contains(&batch.num_rows())));
                let schema = batches[0].schema();
                (concat_batches(&schema, &batches).unwrap(), done.rows, done.quarantine, done.drift)
            };
            let plain = made(0);
            assert!(plain.1 > 1_900 && plain.2.len() > 60);
            for lent in [1, 7, 1_000, events.len()] {
                assert_eq!(made(lent), plain, "{lent}");
            }
        }
    }
}
