//! What events hold that the table does not say.
//!
//! What lives here: [`Survey`], for which each event is walked once along the table's tree. It counts event types, pointers and
//! JSON types; no value is kept. Names of object members are kept, since a pointer is made of them.
//! What this file must not know: what is done with the findings.

use std::collections::HashMap;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;

use self::walk::Walk;
use super::table::Table;
use super::tree::{NodeId, Tree};
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::model::json::Value;
use crate::model::{Difference, Drift, Finding};

mod walk;

/// Segments of a pointer that is told apart: one for the context and four below it. A deeper object is one finding.
pub(super) const MAX_DEPTH: usize = 5;

/// A longer pointer or event type is counted without its name.
const MAX_NAME: usize = 256;

/// Findings told apart in one survey, and event types.
const MAX_KEPT: usize = crate::model::drift::MAX_FINDINGS;

/// Counts what events hold beyond the table.
#[derive(Debug, Default)]
pub struct Survey {
    types: HashMap<String, OfType>,
    /// How often each type and each finding was met, by the number that it got.
    counts: Vec<u64>,
    findings: usize,
    unnamed: u64,
    pointer: String,
    /// The numbers counted for the event that was added last.
    last: Vec<usize>,
}

/// What was counted for one event, so that the same can be counted again for an event of the same type, keys and JSON
/// types without walking it. Of use for the survey that gave it, alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace(Box<[usize]>);

/// What events of one type hold.
#[derive(Debug, Default)]
struct OfType {
    /// The number of its count.
    events: usize,
    known: bool,
    pointers: Pointers,
}

/// Numbers of counts by pointer, then by kind of difference and JSON type.
type Pointers = HashMap<String, Vec<(Difference, &'static str, usize)>>;

impl Survey {
    /// Counts one event, which must be an object.
    pub fn add(&mut self, table: &Table, event: Value<'_>) {
        let code =
            event.member("event_type").and_then(|value| value.as_text()).and_then(|text| text.decode());
        self.add_parts(table, code.as_deref().unwrap_or_default(), [(None, event)]);
    }

    /// Counts one event, an object of this type, and says how to count the like of it again; `None` if something of it was
    /// too much to be told apart.
    pub fn add_first(&mut self, table: &Table, event_type: &str, event: Value<'_>) -> Option<Trace> {
        let unnamed = self.unnamed;
        self.add_parts(table, event_type, [(None, event)]);
        (self.unnamed == unnamed).then(|| Trace(self.last.as_slice().into()))
    }

    /// Counts one event more of which this trace was made by this survey.
    pub fn add_again(&mut self, trace: &Trace) {
        for number in &trace.0 {
            if let Some(times) = self.counts.get_mut(*number) {
                *times = times.saturating_add(1);
            }
        }
    }

    /// Counts one event of this type that is given in parts: objects, each with the node of the tree at which it
    /// stands, or none for the event itself.
    pub fn add_parts<'a>(
        &mut self,
        table: &Table,
        event_type: &str,
        parts: impl IntoIterator<Item = (Option<NodeId>, Value<'a>)>,
    ) {
        let full = self.types.len() >= MAX_KEPT;
        let of_type = match self.types.get_mut(event_type) {
            Some(known) => known,
            None if event_type.len() > MAX_NAME || full => {
                self.unnamed = self.unnamed.saturating_add(1);
                return;
            }
            None => {
                let known = table.registry().find(event_type).is_some();
                let events = uncounted(&mut self.counts);
                let new = OfType { known, events, pointers: Pointers::new() };
                self.types.entry(event_type.to_owned()).or_insert(new)
            }
        };
        self.last.clear();
        count(&mut self.counts, &mut self.last, of_type.events);
        let mut walk = Walk {
            table,
            pointers: &mut of_type.pointers,
            counts: &mut self.counts,
            counted: &mut self.last,
            findings: &mut self.findings,
            unnamed: &mut self.unnamed,
            pointer: &mut self.pointer,
        };
        for (node, part) in parts {
            walk.pointer.clear();
            if node == Some(table.context_node()) {
                walk.pointer.push_str("/context");
            }
            walk.known(node.unwrap_or(Tree::ROOT), part);
        }
    }

    /// Counts exported rows, and gives their number. What an event held beyond the table of that time is in the text of
    /// its context and in the remainder.
    ///
    /// # Errors
    /// Verification: the rows are not of a table of this program.
    pub fn add_rows(&mut self, table: &Table, rows: &RecordBatch) -> Result<u64> {
        let column = |name: &'static str| {
            rows.column_by_name(name).and_then(|column| column.as_string_opt::<i32>()).ok_or_else(|| {
                Error::new(ErrorKind::Verification, "the file is not one of vonage-audit's")
                    .at("column", name)
            })
        };
        let (types, contexts) = (column("event_type")?, column("context_json")?);
        for ((event_type, context), remainder) in types.iter().zip(contexts).zip(column("unmapped_json")?) {
            let parts = [(Some(table.context_node()), context), (None, remainder)];
            let parts = parts.into_iter().filter_map(|(node, text)| Some((node, Value::parse(text?).ok()?)));
            self.add_parts(table, event_type.unwrap_or_default(), parts);
        }
        Ok(u64::try_from(rows.num_rows()).unwrap_or(u64::MAX))
    }

    /// Adds what another survey of the same table has counted. False if it is not what one survey of all events would have
    /// counted, whatever their order: something was too much to be told apart, or may have been.
    #[must_use]
    pub fn merge(&mut self, other: &Self) -> bool {
        for (name, theirs) in &other.types {
            let (counts, findings) = (&mut self.counts, &mut self.findings);
            let own = self.types.entry(name.clone()).or_insert_with(|| OfType {
                events: uncounted(counts),
                known: theirs.known,
                pointers: Pointers::new(),
            });
            let mut add = vec![(own.events, theirs.events)];
            for (pointer, kinds) in &theirs.pointers {
                let known = own.pointers.entry(pointer.clone()).or_default();
                for (difference, json, their) in kinds {
                    let same = known.iter().find(|(kind, own, _)| (kind, own) == (difference, json));
                    let mine = same.map(|(_, _, mine)| *mine).unwrap_or_else(|| {
                        *findings += 1;
                        let mine = uncounted(counts);
                        known.push((*difference, json, mine));
                        mine
                    });
                    add.push((mine, *their));
                }
            }
            for (mine, their) in add {
                if let Some(times) = self.counts.get_mut(mine) {
                    *times = times.saturating_add(other.times(their));
                }
            }
        }
        self.unnamed = self.unnamed.saturating_add(other.unnamed);
        self.unnamed == 0 && self.counts.len() <= MAX_KEPT
    }

    /// What was counted since the last time, as a survey of its own. What was told apart is known on, and traces stay of use.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let mut taken = Self { unnamed: std::mem::take(&mut self.unnamed), ..Self::default() };
        let mut own = |counts: &mut Vec<u64>, number: usize| {
            let times = counts.get_mut(number).map(std::mem::take).filter(|times| *times > 0)?;
            taken.counts.push(times);
            Some(taken.counts.len() - 1)
        };
        for (name, of_type) in &self.types {
            let Some(events) = own(&mut self.counts, of_type.events) else { continue };
            let mut pointers = Pointers::new();
            for (pointer, kinds) in &of_type.pointers {
                let met = kinds.iter().filter_map(|(difference, json, number)| {
                    Some((*difference, *json, own(&mut self.counts, *number)?))
                });
                let met: Vec<_> = met.collect();
                if !met.is_empty() {
                    taken.findings += met.len();
                    pointers.insert(pointer.clone(), met);
                }
            }
            taken.types.insert(name.clone(), OfType { events, known: of_type.known, pointers });
        }
        taken
    }

    /// How many event types and findings are told apart.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether no event was counted.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Event types with their number of events, by name.
    pub fn types(&self) -> Vec<(&str, u64)> {
        let mut types: Vec<_> =
            self.types.iter().map(|(name, of_type)| (name.as_str(), self.times(of_type.events))).collect();
        types.sort_unstable();
        types
    }

    fn times(&self, number: usize) -> u64 {
        self.counts.get(number).copied().unwrap_or(0)
    }

    /// The findings. An object of whose members some are findings themselves is left out.
    pub fn into_drift(self) -> Drift {
        let mut drift = Drift { unnamed: self.unnamed, ..Drift::default() };
        let mut types: Vec<_> = self.types.iter().collect();
        types.sort_unstable_by_key(|(name, _)| *name);
        for (event_type, of_type) in types {
            let finding = |difference, pointer: &str, json| Finding {
                difference,
                event_type: event_type.clone(),
                pointer: pointer.to_owned(),
                json,
            };
            if !of_type.known {
                drift.count(finding(Difference::EventType, "", ""), self.times(of_type.events));
            }
            let mut pointers: Vec<_> = of_type.pointers.iter().collect();
            pointers.sort_unstable();
            for (pointer, kinds) in &pointers {
                for (difference, json, number) in *kinds {
                    let inside = || {
                        // '/' may stand behind other pointers that begin alike.
                        let first = format!("{pointer}/");
                        let at = pointers.partition_point(|(other, _)| **other < first);
                        pointers.get(at).is_some_and(|(other, _)| other.starts_with(&first))
                    };
                    if *json == "object" && *difference == Difference::Pointer && inside() {
                        continue;
                    }
                    drift.count(finding(*difference, pointer, json), self.times(*number));
                }
            }
        }
        drift
    }
}

/// The number of a count that begins.
fn uncounted(counts: &mut Vec<u64>) -> usize {
    counts.push(0);
    counts.len() - 1
}

fn count(counts: &mut [u64], counted: &mut Vec<usize>, number: usize) {
    if let Some(times) = counts.get_mut(number) {
        *times = times.saturating_add(1);
    }
    counted.push(number);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drift(events: &[&str]) -> Vec<(String, u64)> {
        let table = Table::builtin().unwrap();
        let mut survey = Survey::default();
        for event in events {
            survey.add(&table, Value::parse(event).unwrap());
        }
        let drift = survey.into_drift();
        assert_eq!(drift.unnamed, 0);
        let text = |finding: &Finding| {
            let Finding { difference, event_type, pointer, json } = finding;
            format!("{} {event_type} {pointer} {json}", difference.name())
        };
        drift.findings.iter().map(|(finding, times)| (text(finding), *times)).collect()
    }

    fn found(events: &[&str]) -> Vec<String> {
        drift(events).into_iter().map(|(text, times)| format!("{text} {times}")).collect()
    }

    #[test]
    fn parts_together_are_the_whole() {
        let table = Table::builtin().unwrap();
        let events = [
            r#"{"event_type":"APP_CREATE","context":{"unheard":{}}}"#,
            r#"{"event_type":"APP_CREATE","context":{"unheard":{"of":1}},"user_id":"u"}"#,
            r#"{"event_type":"NEW","context":{"unheard":{"of":"x"}},"user_id":1.5}"#,
            r#"{"context":7}"#,
        ];
        let survey = |events: &[&str]| {
            let mut survey = Survey::default();
            events.iter().for_each(|event| survey.add(&table, Value::parse(event).unwrap()));
            survey
        };
        for cut in 0..=events.len() {
            let (head, tail) = events.split_at(cut);
            let mut merged = survey(tail);
            assert!(merged.merge(&survey(head)));
            assert_eq!(merged.len(), survey(&events).len());
            assert_eq!(merged.into_drift(), survey(&events).into_drift());
        }
        // One more than is told apart, in two parts that are not full.
        let many = |from: usize| -> Vec<String> {
            let key = |number| format!(r#"{{"event_type":"APP_CREATE","k{number}":1}}"#);
            (from..from + MAX_KEPT / 2).map(key).collect()
        };
        let (one, other) = (many(0), many(MAX_KEPT));
        let of = |events: &[String]| survey(&events.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(of(&one).merge(&of(&one)) && !of(&one).merge(&of(&other)));
    }

    #[test]
    fn what_is_taken_is_what_a_new_survey_counts() {
        let table = Table::builtin().unwrap();
        let parts: [&[&str]; 4] = [
            &[
                r#"{"event_type":"APP_CREATE","context":{"unheard":{"of":1}}}"#,
                r#"{"event_type":"NEW","user_id":1.5}"#,
                r#"{"event_type":"APP_CREATE","context":{"unheard":{"of":1}}}"#,
            ],
            &[r#"{"event_type":"APP_CREATE","context":{"unheard":{"of":"x"}}}"#],
            &[],
            &[r#"{"event_type":"NEW","user_id":1.5}"#, r#"{"event_type":"APP_CREATE"}"#],
        ];
        let mut lasting = Survey::default();
        let mut traces = HashMap::new();
        // Twice, so that each is known, and counted by its trace.
        for events in parts.iter().chain(&parts) {
            let mut fresh = Survey::default();
            for text in *events {
                let event = Value::parse(text).unwrap();
                fresh.add(&table, event);
                match traces.get(text) {
                    Some(trace) => lasting.add_again(trace),
                    None => {
                        let code = if text.contains("APP_CREATE") { "APP_CREATE" } else { "NEW" };
                        traces.insert(*text, lasting.add_first(&table, code, event).unwrap());
                    }
                }
            }
            let taken = lasting.take();
            assert_eq!((taken.len(), taken.types()), (fresh.len(), fresh.types()));
            assert_eq!(taken.into_drift(), fresh.into_drift());
        }
        assert_eq!(traces.len(), 4);
    }

    #[test]
    fn which_findings_are_named_beyond_the_limit_is_no_matter_of_chance() {
        let table = Table::builtin().unwrap();
        let drift = || {
            let mut survey = Survey::default();
            for number in 0..3_000 {
                let text = format!(r#"{{"event_type":"T{number}","context":{{"k":1}}}}"#);
                survey.add(&table, Value::parse(&text).unwrap());
            }
            survey.into_drift()
        };
        let first = drift();
        assert_eq!((first.findings.len(), first.unnamed), (MAX_KEPT, 6_000 - MAX_KEPT as u64));
        assert_eq!(drift(), first);
    }

    #[test]
    fn what_the_table_says_is_no_drift() {
        let files = [
            include_str!("../../tests/data/events-published.ndjson"),
            r#"{"event_type":"APP_CREATE","user_id":7,"context":null,"user_email":null,"_links":{"self":{"href":"x"}}}"#,
        ];
        for line in files.iter().flat_map(|text| text.lines()) {
            let found = found(&[line]);
            let unexpected: Vec<_> =
                found.iter().filter(|finding| !finding.contains("/context/appId string")).collect();
            assert!(unexpected.is_empty(), "{line}: {unexpected:?}");
        }
    }

    #[test]
    fn each_kind_of_difference_is_found_and_counted() {
        let new = r#"{"event_type":"TRUNK_CREATE","context":{"trunk":{"id":"t","channels":4,"tags":[],"more":{}}}}"#;
        assert_eq!(
            found(&[new, new]),
            [
                "event_type TRUNK_CREATE   2",
                "pointer TRUNK_CREATE /context/trunk/channels integer 2",
                "pointer TRUNK_CREATE /context/trunk/id string 2",
                "pointer TRUNK_CREATE /context/trunk/more object 2",
                "pointer TRUNK_CREATE /context/trunk/tags array 2",
            ]
        );
        assert_eq!(
            found(&[
                r#"{"event_type":"APP_CREATE","user_id":"u","region":"eu","context":{"created":7,"voice-type":{}}}"#,
                r#"{"event_type":"APP_CREATE","context":[],"user_id":1.5}"#,
            ]),
            [
                "pointer APP_CREATE /region string 1",
                "json_type APP_CREATE /context array 1",
                "json_type APP_CREATE /context/created integer 1",
                "json_type APP_CREATE /context/voice-type object 1",
                "json_type APP_CREATE /user_id number 1",
                "json_type APP_CREATE /user_id string 1",
            ]
        );
    }

    #[test]
    fn pointers_are_escaped_and_end_at_a_depth() {
        assert_eq!(
            found(&[
                r#"{"event_type":"APP_CREATE","context":{"a/b":{"c~":1},"x":{"1":{"2":{"3":{"4":true}}}}}}"#
            ]),
            [
                "pointer APP_CREATE /context/a~1b/c~0 integer 1",
                "pointer APP_CREATE /context/x/1/2/3 object 1",
            ]
        );
    }

    #[test]
    fn free_keys_do_not_fill_the_memory() {
        let table = Table::builtin().unwrap();
        let mut survey = Survey::default();
        for number in 0..MAX_KEPT + 10 {
            let event = format!(r#"{{"event_type":"APP_CREATE","context":{{"k{number}":1}}}}"#);
            survey.add(&table, Value::parse(&event).unwrap());
        }
        let long = "a".repeat(MAX_NAME + 1);
        survey.add(&table, Value::parse(&format!(r#"{{"event_type":"{long}"}}"#)).unwrap());
        survey.add(&table, Value::parse(&format!(r#"{{"event_type":"APP_CREATE","{long}":1}}"#)).unwrap());
        let drift = survey.into_drift();
        assert_eq!((drift.findings.len(), drift.unnamed), (MAX_KEPT, 12));
    }
}
