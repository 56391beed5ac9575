//! From what events hold beyond the table to columns that would hold it.
//!
//! What lives here: [`Proposal`]: which columns and event types a schema directory would need, by fixed rules, from
//! counts of JSON types alone. What this file must not know: values, files.

use std::collections::{BTreeMap, BTreeSet};

use super::column::{Column, DataType, Json, Kind};
use super::layer::FIRST_FIELD_ID;
use super::naming::{OWN, column_name_for};
use super::survey::MAX_DEPTH;
use super::table::Table;
use crate::model::{Difference, Drift};

/// Ends of a member's name that say that its values name something: such numbers stay text, since nobody adds them up
/// and a leading zero or a twentieth digit may come.
const IDENTIFIERS: [&str; 9] =
    ["id", "key", "msisdn", "phone", "number", "code", "pin", "account", "version"];

/// What would be added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// New columns, in the order of their pointers.
    pub columns: Vec<Proposed>,
    /// Event types that the registry lacks, with their number of events.
    pub types: BTreeMap<String, u64>,
    /// Pointers that get no column, and why.
    pub left_out: BTreeMap<String, &'static str>,
}

/// One column that would be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// The column; `since` is empty until it is written.
    pub column: Column,
    /// JSON types seen, with the number of values.
    pub json: BTreeMap<&'static str, u64>,
    /// Event types in which it was seen.
    pub event_types: BTreeSet<String>,
}

/// What is known of one pointer.
#[derive(Default)]
struct Place {
    json: BTreeMap<&'static str, u64>,
    event_types: BTreeSet<String>,
    has_members: bool,
}

impl Proposal {
    /// What the table would need to hold what was found.
    pub fn new(table: &Table, drift: &Drift) -> Self {
        let mut proposal = Self::default();
        let mut places: BTreeMap<&str, Place> = BTreeMap::new();
        for (finding, times) in &drift.findings {
            match finding.difference {
                Difference::EventType => {
                    proposal.types.insert(finding.event_type.clone(), *times);
                }
                Difference::Pointer => {
                    let place = places.entry(&finding.pointer).or_default();
                    *place.json.entry(finding.json).or_default() += times;
                    place.event_types.insert(finding.event_type.clone());
                }
                // A column never changes its type; the value is kept whole beside it.
                Difference::JsonType => {}
            }
        }
        let objects = surrounding(places.keys().copied());
        for (pointer, place) in &mut places {
            place.has_members = objects.contains(*pointer);
        }
        let taken: BTreeSet<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
        let mut names: BTreeSet<String> = taken.iter().map(|name| (*name).to_owned()).collect();
        let mut next =
            table.columns().iter().map(|column| column.field_id + 1).fold(FIRST_FIELD_ID, i32::max);
        // In the order of pointers an object stands before its members.
        let mut whole: Vec<&str> = Vec::new();
        for (pointer, place) in &places {
            if whole.iter().any(|around| is_inside(pointer, around)) {
                continue;
            }
            let (data_type, json) = match shape(pointer, place) {
                Ok(shape) => shape,
                Err(why) => {
                    proposal.left_out.insert((*pointer).to_owned(), why);
                    continue;
                }
            };
            if !table.can_hold(pointer) {
                proposal.left_out.insert((*pointer).to_owned(), "a column around or inside it exists");
                continue;
            }
            let Some(name) = name(pointer, json, |name| names.contains(name)) else {
                proposal.left_out.insert((*pointer).to_owned(), "no column can have this pointer");
                continue;
            };
            if json == Json::Any {
                whole.push(pointer);
            }
            names.insert(name.clone());
            let column = Column {
                field_id: next,
                name,
                data_type,
                kind: Kind::Source,
                pointer: Some((*pointer).to_owned()),
                json: Some(json),
                since: String::new(),
                description: format!("Seen in live data at {pointer}."),
            };
            next = next.saturating_add(1);
            proposal.columns.push(Proposed {
                column,
                json: place.json.clone(),
                event_types: place.event_types.clone(),
            });
        }
        proposal
    }

    /// Whether nothing would be added.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.types.is_empty()
    }
}

/// Every object around a pointer of these.
fn surrounding<'a>(pointers: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut around = BTreeSet::new();
    for pointer in pointers {
        let mut rest = pointer;
        while let Some((before, _)) = rest.rsplit_once('/') {
            around.insert(before);
            rest = before;
        }
    }
    around
}

fn is_inside(pointer: &str, object: &str) -> bool {
    pointer.strip_prefix(object).is_some_and(|rest| rest.starts_with('/'))
}

/// Types of the column for what was seen at a pointer, or why there is none.
fn shape(pointer: &str, place: &Place) -> Result<(DataType, Json), &'static str> {
    let seen: BTreeSet<&str> = place.json.keys().copied().filter(|json| *json != "null").collect();
    let deepest = pointer.bytes().filter(|byte| *byte == b'/').count() >= MAX_DEPTH;
    let only = |one: &str| seen.len() == 1 && seen.contains(one);
    if seen.is_empty() {
        return Err("only null was seen");
    }
    if only("object") && !deepest {
        return Err(if place.has_members {
            "its members have columns"
        } else {
            "only empty objects were seen"
        });
    }
    let identifies = || {
        let last = pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        IDENTIFIERS.iter().any(|end| last.ends_with(end))
    };
    let both = place.has_members && seen.iter().any(|json| *json != "object");
    Ok(if both || seen.contains("object") || seen.contains("array") {
        (DataType::Utf8, Json::Any)
    } else if only("integer") {
        (if identifies() { DataType::Utf8 } else { DataType::Int64 }, Json::Integer)
    } else if seen.iter().all(|json| ["integer", "number"].contains(json)) {
        (DataType::Utf8, Json::Number)
    } else if only("boolean") {
        (DataType::Boolean, Json::Boolean)
    } else {
        (DataType::Utf8, Json::String)
    })
}

/// By the pinned rule below the context; elsewhere by the same rule, with `x_` for the context's prefix.
fn name(pointer: &str, json: Json, taken: impl Fn(&str) -> bool) -> Option<String> {
    if pointer.starts_with("/context/") {
        return column_name_for(pointer, Some(json), taken);
    }
    let own = |name: &str| name.strip_prefix("context__").map(|rest| format!("{OWN}{rest}"));
    let name = column_name_for(&format!("/context{pointer}"), Some(json), |name| {
        own(name).is_some_and(|name| taken(&name))
    })?;
    own(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::json::Value;
    use crate::schema::Survey;

    fn proposed(events: &[&str]) -> (Vec<String>, Proposal) {
        let table = Table::builtin().unwrap();
        let mut survey = Survey::default();
        for event in events {
            survey.add(&table, Value::parse(event).unwrap());
        }
        let proposal = Proposal::new(&table, &survey.into_drift());
        let text = |Proposed { column, .. }: &Proposed| {
            let (arrow, json) = (column.data_type.name(), column.json.unwrap().name());
            format!("{} {} {arrow} {json}", column.field_id, column.name)
        };
        (proposal.columns.iter().map(text).collect(), proposal)
    }

    #[test]
    fn types_follow_what_was_seen_and_identifiers_stay_text() {
        let (columns, proposal) = proposed(&[
            r#"{"event_type":"N","region":"eu","context":{"trunkId":17,"channels":4,"price":1.50,"on":true,"tags":["a"]}}"#,
            r#"{"event_type":"APP_CREATE","context":{"channels":null,"price":2,"mixed":1,"deep":{"a":{"b":{"c":{"d":1}}}}}}"#,
            r#"{"event_type":"APP_CREATE","context":{"mixed":"one","nothing":null,"empty":{},"both":{"a":1}}}"#,
            r#"{"event_type":"APP_CREATE","context":{"both":"x","appID":"y","appId":"z"}}"#,
        ]);
        assert_eq!(
            columns,
            [
                "10000 context__app_id__h6fbf41bf utf8 string",
                "10001 context__both_json utf8 any",
                "10002 context__channels int64 integer",
                "10003 context__deep__a__b__c_json utf8 any",
                "10004 context__mixed utf8 string",
                "10005 context__on bool boolean",
                "10006 context__price utf8 number",
                "10007 context__tags_json utf8 any",
                "10008 context__trunk_id utf8 integer",
                "10009 x_region utf8 string",
            ]
        );
        assert_eq!(proposal.types, BTreeMap::from([("N".to_owned(), 1)]));
        let left_out: Vec<_> =
            proposal.left_out.iter().map(|(pointer, why)| format!("{pointer}: {why}")).collect();
        assert_eq!(
            left_out,
            ["/context/empty: only empty objects were seen", "/context/nothing: only null was seen"]
        );
        let channels = &proposal.columns[2];
        assert_eq!(channels.json, BTreeMap::from([("integer", 1), ("null", 1)]));
        assert_eq!(channels.event_types.len(), 2);
    }

    #[test]
    fn what_the_table_holds_needs_nothing() {
        let (_, proposal) =
            proposed(&[r#"{"event_type":"APP_CREATE","user_id":"u","context":{"created":1}}"#]);
        assert!(proposal.is_empty());
    }
}
