//! Events in, a batch of rows out.
//!
//! What lives here: [`Flattener`], which owns the builders and follows a plan made from the table. An event is
//! examined before anything is appended, so that a refused one leaves no trace. What this file must not know: where
//! events come from and where rows go.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use super::coerce::Fit;
use super::columns::Builder;
use super::derive::Meaning;
use super::found::{Found, Memory};
use super::issues::ColumnIssues;
use super::remainder;
use super::route::Routes;
use crate::error::{Error, Result};
use crate::model::json::{Kind as JsonKind, MAX_DEPTH, Noted, Outline, Value};
use crate::model::{Drift, Flaw};
use crate::schema::{Json, Kind, NodeId, Rule, Survey, Table, Tree};

/// Most bytes of events in one batch, and most bytes of one event. Offsets of texts are 32-bit; no column of a row
/// is longer than its event and the names that the registry adds.
pub const MAX_BATCH_BYTES: usize = 1 << 30;
/// Most event types and findings that are known on when a survey is taken.
const MAX_LASTING: usize = 1_024;
/// What a row may take beside its event's text: the registry's names, offsets.
const ROW_OVERHEAD: usize = 256;

/// Turns events into rows of the table, in the order in which they come.
///
/// Identity is not judged here: an event without a usable `id` becomes a row if it is pushed. Whoever read the page
/// has marked it (see [`Flaw`]).
#[derive(Debug)]
pub struct Flattener {
    table: Table,
    plan: Vec<Step>,
    builders: Vec<Builder>,
    issues: Vec<ColumnIssues>,
    survey: Survey,
    routes: Routes,
    /// Whether batches have a column, for each of the table, and their schema.
    kept: Vec<bool>,
    schema: SchemaRef,
    rows: usize,
    /// Bytes of the events in this batch, with [`ROW_OVERHEAD`] each.
    taken: usize,
    memory: Memory,
    outline: Outline,
    scratch: String,
}

/// How one column is filled.
#[derive(Clone, Copy, Debug)]
enum Step {
    Source {
        node: NodeId,
        json: Option<Json>,
        envelope: bool,
    },
    Context {
        node: NodeId,
    },
    Derived {
        rule: usize,
    },
    /// Filled last, when it is known what the others hold.
    Remainder,
}

/// Why an event did not become a row. The batch is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It never can: it belongs in quarantine.
    Flaw(Flaw),
    /// The batch is full ([`MAX_BATCH_BYTES`]): finish it, then push again. Never for an empty batch.
    Full,
}

/// What is worth knowing about a row; counts, no values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowNotes {
    /// Columns that hold a converted value.
    pub coerced: u32,
    /// Columns that are null although the event has a value there.
    pub mismatched: u32,
    /// Whether anything remains in the remainder.
    pub remainder: bool,
    /// Whether the registry knows the event type.
    pub known_type: bool,
}

impl RowNotes {
    fn fits(&mut self, fit: Fit) {
        self.coerced += u32::from(fit == Fit::Coerced);
        self.mismatched += u32::from(matches!(fit, Fit::TypeMismatch | Fit::Unrepresentable));
    }
}

impl Flattener {
    /// A flattener for this table, without rows.
    pub fn new(table: &Table) -> Self {
        let plan = plan(table);
        let builders = table.columns().iter().map(|column| Builder::new(column.data_type)).collect();
        Self {
            table: table.clone(),
            issues: vec![ColumnIssues::default(); plan.len()],
            plan,
            builders,
            survey: Survey::default(),
            routes: Routes::default(),
            kept: vec![true; table.columns().len()],
            schema: table.arrow_schema(),
            rows: 0,
            taken: 0,
            memory: Memory::default(),
            outline: Outline::default(),
            scratch: String::new(),
        }
    }

    /// The same whose batches have these columns alone, in the table's order. Events are examined as ever: the same are
    /// refused, and what they hold beyond the table is surveyed. Notes and issues may tell of the other columns or not.
    pub fn of_columns(table: &Table, names: &[&str]) -> Self {
        let kept: Vec<bool> =
            table.columns().iter().map(|column| names.contains(&column.name.as_str())).collect();
        let own = Self::new(table);
        let fields = own.schema.fields().iter().zip(&kept).filter(|(_, kept)| **kept);
        let fields: Vec<_> = fields.map(|(field, _)| Arc::clone(field)).collect();
        Self { kept, schema: Arc::new(Schema::new(fields)), ..own }
    }

    /// Appends one event, given as its JSON text.
    ///
    /// # Errors
    /// [`Refusal::Flaw`]: not JSON or not an object, nested deeper than [`MAX_DEPTH`], or longer than
    /// [`MAX_BATCH_BYTES`]. [`Refusal::Full`]: the batch must be finished first.
    pub fn push(&mut self, text: &str) -> Result<RowNotes, Refusal> {
        if text.len() > MAX_BATCH_BYTES {
            return Err(Refusal::Flaw(Flaw::TooLong));
        }
        let mut outline = std::mem::take(&mut self.outline);
        let pushed = match outline.read(text) {
            Ok(event) => self.push_value(event),
            Err(_) => Err(Refusal::Flaw(Flaw::NotAnObject)),
        };
        self.outline = outline;
        pushed
    }

    /// The same for an event that is read already.
    ///
    /// # Errors
    /// As [`Flattener::push`].
    pub fn push_value(&mut self, event: Value<'_>) -> Result<RowNotes, Refusal> {
        let text = event.text();
        if text.len() > MAX_BATCH_BYTES {
            return Err(Refusal::Flaw(Flaw::TooLong));
        }
        let taken = self.taken.saturating_add(text.len()).saturating_add(ROW_OVERHEAD);
        if self.rows > 0 && taken > MAX_BATCH_BYTES {
            return Err(Refusal::Full);
        }
        if event.kind() != JsonKind::Object {
            return Err(Refusal::Flaw(Flaw::NotAnObject));
        }
        if event.depth() > MAX_DEPTH {
            return Err(Refusal::Flaw(Flaw::TooDeep));
        }
        let routed = event.noted().and_then(|noted| self.append_routed(event, noted));
        let notes = routed.unwrap_or_else(|| self.append(event));
        self.rows += 1;
        self.taken = taken;
        Ok(notes)
    }

    /// Appends an event of a kind that was met before, or is now; `None`, with nothing done, where it is no such event.
    fn append_routed(&mut self, event: Value<'_>, noted: Noted<'_>) -> Option<RowNotes> {
        let table = &self.table;
        let known = self.routes.find(&noted).or_else(|| self.routes.learn(table, &self.kept, &noted))?;
        let route = self.routes.get(known)?;
        let mut notes = RowNotes { known_type: route.known, ..RowNotes::default() };
        let (mut irregular, mut inexact) = (route.irregular, 0_u64);
        for (number, step) in route.steps.iter().enumerate() {
            let Some(builder) = self.builders.get_mut(step.column) else { continue };
            if step.whole {
                builder.text(self.rows, noted.text(step.member));
                continue;
            }
            if step.string
                && let Some(text) = noted.plain_string(step.member)
            {
                builder.text(self.rows, text);
                continue;
            }
            let fit = builder.member(self.rows, &noted, step.member, step.json);
            if fit != Fit::Exact {
                inexact |= 1 << number;
                notes.fits(fit);
                irregular |= step.envelope && route.remains;
            }
            if (fit != Fit::Exact || step.repeated)
                && let Some(issues) = self.issues.get_mut(step.column)
            {
                issues.count(fit, step.repeated);
            }
        }
        for derived in &route.derived {
            if let Some((builder, text)) =
                derived.value(&noted).and_then(|text| Some((self.builders.get_mut(derived.column)?, text)))
            {
                builder.text(self.rows, &text);
            }
        }
        match &route.trace {
            Some(trace) => self.survey.add_again(trace),
            None => route.trace = self.survey.add_first(table, route.code(), event),
        }
        if irregular {
            let mut found = Found::read(table.tree(), event, std::mem::take(&mut self.memory));
            let exact = route.steps.iter().enumerate().filter(|(number, _)| inexact >> number & 1 == 0);
            exact.for_each(|(_, step)| found.set_exact(step.node));
            self.scratch.clear();
            remainder::write(table, &found, &mut self.scratch);
            self.memory = found.into_memory();
            notes.remainder = self.write_remainder();
        }
        Some(notes)
    }

    /// Writes what the scratch holds into its column, unless it is nothing.
    fn write_remainder(&mut self) -> bool {
        if self.scratch.is_empty() {
            return false;
        }
        if let Some(builder) = self.builders.get_mut(self.table.remainder_column()) {
            builder.text(self.rows, &self.scratch);
        }
        true
    }

    /// Appends any event.
    fn append(&mut self, event: Value<'_>) -> RowNotes {
        let table = &self.table;
        let mut found = Found::read(table.tree(), event, std::mem::take(&mut self.memory));
        let meaning = Meaning::of(table, &found);
        let mut notes = RowNotes { known_type: meaning.known(), ..RowNotes::default() };

        let columns = self.plan.iter().zip(&mut self.builders).zip(&mut self.issues);
        for ((step, builder), issues) in columns {
            let (node, envelope, fit) = match *step {
                Step::Source { node, json, envelope } => {
                    let Some(value) = found.value(node) else { continue };
                    (node, envelope, builder.coerced(self.rows, &value, json))
                }
                Step::Context { node } => {
                    if let Some(value) = found.value(node) {
                        builder.text(self.rows, value.text());
                    }
                    continue;
                }
                Step::Derived { rule } => {
                    let rule = table.derived().get(rule).map(|derived| &derived.rule);
                    if let Some(text) = rule.and_then(|rule: &Rule| meaning.derive(rule, &found)) {
                        builder.text(self.rows, &text);
                    }
                    continue;
                }
                Step::Remainder => continue,
            };
            let repeated = found.entry(node).is_some_and(|entry| entry.repeated);
            if fit == Fit::Exact {
                found.set_exact(node);
            } else {
                notes.fits(fit);
                found.irregular |= envelope;
            }
            if fit != Fit::Exact || repeated {
                issues.count(fit, repeated);
            }
        }

        survey(table, &found, event, &mut self.survey);
        self.scratch.clear();
        if found.irregular {
            remainder::write(table, &found, &mut self.scratch);
        }
        self.memory = found.into_memory();
        notes.remainder = self.write_remainder();
        notes
    }

    /// Rows of the batch so far.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether the batch has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Bytes of the rows so far; what the builders have reserved beyond it is at most as much again.
    pub fn memory(&self) -> usize {
        self.builders.iter().map(|builder| builder.bytes(self.rows)).sum::<usize>() + self.scratch.capacity()
    }

    /// The columns that met values they do not hold as they were, over all batches so far, by position in the table.
    pub fn issues(&self) -> impl Iterator<Item = (&str, ColumnIssues)> {
        self.table
            .columns()
            .iter()
            .zip(&self.issues)
            .filter(|(_, issues)| !issues.is_empty())
            .map(|(column, issues)| (column.name.as_str(), *issues))
    }

    /// What the rows so far, over all batches, hold beyond the table; forgets it.
    pub fn take_drift(&mut self) -> Drift {
        self.take_survey().into_drift()
    }

    /// The same before it is decided what of it is told, so that it can be put together with that of other rows. Where much
    /// is told apart, the next survey begins anew, so that it has room for as much.
    pub fn take_survey(&mut self) -> Survey {
        // Alone what was met since the last time: what was told apart before is known still.
        let taken = self.survey.take();
        if self.survey.len() > MAX_LASTING {
            self.routes.forget_traces();
            self.survey = Survey::default();
        }
        taken
    }

    /// The rows so far as one batch; the flattener is empty again.
    ///
    /// # Errors
    /// Bug: the columns do not make a batch of the table's schema.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        let mut arrays = Vec::with_capacity(self.schema.fields().len());
        for (builder, kept) in self.builders.iter_mut().zip(&self.kept) {
            if *kept {
                arrays.push(builder.finish(self.rows));
            } else {
                builder.forget();
            }
        }
        self.rows = 0;
        self.taken = 0;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|error| Error::bug("the columns do not make a batch").because(error))
    }
}

/// Counts what the event holds beyond the table. An envelope that went into its columns exactly needs no second look, so
/// that mostly the context alone is walked.
fn survey(table: &Table, found: &Found<'_>, event: Value<'_>, survey: &mut Survey) {
    let code = table.event_type_node().and_then(|node| found.value(node));
    let code = code.and_then(|value| value.as_text()).and_then(|text| text.decode());
    let context = found.value(table.context_node());
    let plain = match context.map(|context| context.kind()) {
        None | Some(JsonKind::Null | JsonKind::Object) => !found.irregular,
        Some(_) => false,
    };
    let whole = (!plain).then_some((None, event));
    let context = context.filter(|_| plain).map(|context| (Some(table.context_node()), context));
    survey.add_parts(table, code.as_deref().unwrap_or_default(), whole.into_iter().chain(context));
}

/// Derived columns take their rules in order, since the table compiles them in the order of the columns.
fn plan(table: &Table) -> Vec<Step> {
    let mut places = vec![(Tree::ROOT, true); table.columns().len()];
    for (node, place) in table.tree().nodes().iter().enumerate() {
        if let Some(slot) = place.column.and_then(|column| places.get_mut(column)) {
            *slot = (node, !place.in_context);
        }
    }
    let mut rules = 0..table.derived().len();
    let mut steps = Vec::with_capacity(places.len());
    for (position, (column, (node, envelope))) in table.columns().iter().zip(places).enumerate() {
        steps.push(match column.kind {
            Kind::Source => Step::Source { node, json: column.json, envelope },
            Kind::Copy if position == table.remainder_column() => Step::Remainder,
            Kind::Copy => Step::Context { node },
            Kind::Derived => Step::Derived { rule: rules.next().unwrap_or(usize::MAX) },
        });
    }
    steps
}
