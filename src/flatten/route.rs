//! What is alike in all events of one shape and type, found out once.
//!
//! What lives here: [`Routes`], kept by shape and type and bounded, and [`Route`]: which member goes into which column,
//! and where derived values come from. A shape says which keys stand where and which types their values have, so that
//! nothing need be looked up again. What depends on a value itself is decided for each event. What this file must not know:
//! builders' insides, the remainder.

use std::borrow::Cow;

use super::coerce;
use super::derive::Meaning;
use super::found::Places;
use super::patterns::{self, One};
use crate::model::json::{Kind as JsonKind, Noted};
use crate::schema::{Condition, DataType, Json, NodeId, Pattern, Rule, Table, Term, Trace};

/// Most routes that are kept.
const MAX_ROUTES: usize = 512;
/// Most routes of shapes that share a slot, and so of one shape.
const MAX_BESIDE: u32 = 32;
/// Slots to find a route by its shape's number.
const SLOTS: usize = 1_024;
/// Most columns that one event fills from its members: one bit each.
const MAX_STEPS: usize = 64;
/// Longest event type that is kept.
const MAX_CODE: usize = 256;

/// The routes that are known, by shape.
#[derive(Debug, Default)]
pub(super) struct Routes {
    routes: Vec<Route>,
    /// The first route of each slot, and how many there are.
    slots: Vec<(Option<usize>, u32)>,
    /// Events that had a route since the last new beginning.
    used: usize,
}

/// The way of one shape and event type into the columns.
#[derive(Debug)]
pub(super) struct Route {
    shape: u64,
    /// The member that holds the event type as a string, if there is one, and the type.
    code_at: Option<usize>,
    code: String,
    /// Whether the registry knows the type.
    pub(super) known: bool,
    /// Whether the envelope holds what no column can.
    pub(super) irregular: bool,
    /// Whether what no column holds is kept.
    pub(super) remains: bool,
    pub(super) steps: Vec<Copied>,
    pub(super) derived: Vec<Derived>,
    /// What the survey counts in such an event, once it has met one.
    pub(super) trace: Option<Trace>,
    beside: Option<usize>,
}

/// A column that is filled from one member.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copied {
    pub(super) column: usize,
    pub(super) node: NodeId,
    pub(super) member: usize,
    pub(super) json: Option<Json>,
    pub(super) envelope: bool,
    /// Whether its key occurs more than once.
    pub(super) repeated: bool,
    /// Whether the column holds the value's text as it stands.
    pub(super) whole: bool,
    /// Whether the column holds what a string means, and the key occurs once.
    pub(super) string: bool,
}

/// A derived column that may have a value.
#[derive(Debug)]
pub(super) struct Derived {
    pub(super) column: usize,
    given: Given,
}

#[derive(Debug)]
enum Given {
    Always(String),
    FirstOf(Vec<Place>),
}

/// A place to look for a derived value, as [`Term`] has it.
#[derive(Debug)]
enum Place {
    Member {
        member: usize,
        when: Option<(usize, String)>,
    },
    /// The strings of the context, or what holds them.
    Only {
        pattern: Pattern,
        strings: Vec<usize>,
    },
}

impl Routes {
    /// The route of an event, if it is known.
    #[inline]
    pub(super) fn find(&mut self, noted: &Noted<'_>) -> Option<usize> {
        let shape = noted.shape().get();
        let (mut next, _) = *self.slots.get(slot(shape))?;
        while let Some((at, route)) = next.and_then(|at| Some((at, self.routes.get(at)?))) {
            if route.shape == shape && route.is_of_type(noted) {
                self.used += 1;
                return Some(at);
            }
            next = route.beside;
        }
        None
    }

    pub(super) fn get(&mut self, at: usize) -> Option<&mut Route> {
        self.routes.get_mut(at)
    }

    /// Forgets what the survey counts, since it begins anew.
    pub(super) fn forget_traces(&mut self) {
        self.routes.iter_mut().for_each(|route| route.trace = None);
    }

    /// Keeps a new route to the columns that are `kept`, if there is room. What is full begins anew, but only after it was of use.
    pub(super) fn learn(&mut self, table: &Table, kept: &[bool], noted: &Noted<'_>) -> Option<usize> {
        if self.routes.len() >= MAX_ROUTES {
            if self.used < MAX_ROUTES * 8 {
                return None;
            }
            *self = Self::default();
        }
        self.slots.resize(SLOTS, (None, 0));
        let (first, beside) = self.slots.get_mut(slot(noted.shape().get()))?;
        if *beside >= MAX_BESIDE {
            return None;
        }
        let mut route = Route::of(table, noted)?;
        route.keep(table, |column| kept.get(column).is_some_and(|kept| *kept));
        route.beside = first.replace(self.routes.len());
        *beside += 1;
        self.routes.push(route);
        *first
    }
}

fn slot(shape: u64) -> usize {
    usize::try_from(shape % SLOTS as u64).unwrap_or(0)
}

impl Route {
    fn is_of_type(&self, noted: &Noted<'_>) -> bool {
        self.code_at.is_none_or(|at| noted.plain_string(at) == Some(self.code.as_str()))
    }

    /// `None` for an event of whose kind too little is the same.
    fn of(table: &Table, noted: &Noted<'_>) -> Option<Self> {
        let places = Places::of(table.tree(), noted)?;
        let member = |node: NodeId| places.at(node).map(|place| place.member);
        let code_at = table.event_type_node().and_then(member);
        let code_at =
            code_at.filter(|at| noted.value(*at).is_some_and(|code| code.kind() == JsonKind::String));
        let code = match code_at {
            None => "",
            Some(at) => noted.plain_string(at).filter(|code| code.len() <= MAX_CODE)?,
        };
        let meaning = Meaning::named(table, code_at.map(|_| code));
        let mut steps = Vec::new();
        for (node, place) in table.tree().nodes().iter().enumerate() {
            let column = place.column.and_then(|at| Some((at, table.columns().get(at)?)));
            let (Some((column, what)), Some(at)) = (column, places.at(node)) else { continue };
            let whole = node == table.context_node();
            let string = what.json == Some(Json::String) && what.data_type == DataType::Utf8 && !at.repeated;
            steps.push(Copied {
                column,
                node,
                member: at.member,
                json: what.json,
                envelope: !place.in_context,
                repeated: at.repeated,
                whole,
                string,
            });
        }
        if steps.len() > MAX_STEPS {
            return None;
        }
        let context = member(table.context_node());
        let strings = context.map(|at| strings(noted, at)).unwrap_or_default();
        let place = |term: &Term| match term {
            Term::Value { node, when } => {
                let when = match when {
                    None => None,
                    Some(Condition { node, equals }) => Some((member(*node)?, equals.clone())),
                };
                Some(Place::Member { member: member(*node)?, when })
            }
            Term::Only(pattern) => {
                (!strings.is_empty()).then(|| Place::Only { pattern: *pattern, strings: strings.clone() })
            }
        };
        let mut derived = Vec::new();
        for rule in table.derived() {
            let given = match &rule.rule {
                Rule::Registry(field) => meaning.field(*field).map(|text| Given::Always(text.to_owned())),
                other => {
                    let places: Vec<_> = meaning.terms(other).iter().filter_map(place).collect();
                    (!places.is_empty()).then_some(Given::FirstOf(places))
                }
            };
            derived.extend(given.map(|given| Derived { column: rule.column, given }));
        }
        Some(Self {
            shape: noted.shape().get(),
            code_at,
            code: code.to_owned(),
            known: meaning.known(),
            irregular: places.irregular,
            remains: true,
            steps,
            derived,
            trace: None,
            beside: None,
        })
    }

    /// Leaves out what goes into other columns.
    fn keep(&mut self, table: &Table, kept: impl Fn(usize) -> bool) {
        let remainder = kept(table.remainder_column());
        // The remainder follows from how the envelope fits its columns.
        self.steps.retain(|step| kept(step.column) || remainder && step.envelope);
        self.derived.retain(|derived| kept(derived.column));
        self.irregular &= remainder;
        self.remains = remainder;
    }

    /// The event's type.
    pub(super) fn code(&self) -> &str {
        &self.code
    }
}

/// What holds the strings of a value, without repetition: members that are strings, and whole arrays.
fn strings(noted: &Noted<'_>, member: usize) -> Vec<usize> {
    let kind = |at: usize| noted.value(at).map(|value| value.kind());
    match kind(member) {
        Some(JsonKind::Object) => {}
        Some(JsonKind::String | JsonKind::Array) => return vec![member],
        _ => return Vec::new(),
    }
    let end = member + noted.inside(member);
    let (mut found, mut at) = (Vec::new(), member + 1);
    while at <= end {
        match kind(at) {
            Some(JsonKind::String) => found.push(at),
            Some(JsonKind::Array) => {
                found.push(at);
                at += noted.inside(at);
            }
            _ => {}
        }
        at += 1;
    }
    found
}

impl Derived {
    /// The value of the column, as [`Meaning::derive`] finds it.
    #[inline]
    pub(super) fn value<'a>(&'a self, noted: &Noted<'a>) -> Option<Cow<'a, str>> {
        match &self.given {
            Given::Always(text) => Some(Cow::Borrowed(text)),
            Given::FirstOf(places) => places.iter().find_map(|place| place.value(noted)),
        }
    }
}

impl Place {
    fn value<'a>(&self, noted: &Noted<'a>) -> Option<Cow<'a, str>> {
        match self {
            Self::Member { member, when } => {
                let text = text(noted, *member).filter(|text| !text.is_empty())?;
                let holds = when.as_ref().is_none_or(|(member, equals)| {
                    self::text(noted, *member).is_some_and(|text| text.eq_ignore_ascii_case(equals))
                });
                holds.then_some(text)
            }
            Self::Only { pattern, strings } => {
                let mut one = One::of(*pattern);
                for at in strings {
                    let more = match noted.plain_string(*at) {
                        Some(plain) => one.offer(Cow::Borrowed(plain)),
                        None => patterns::strings(noted.text(*at)).all(|quoted| one.offer_quoted(quoted)),
                    };
                    if !more {
                        return None;
                    }
                }
                one.found()
            }
        }
    }
}

#[inline]
fn text<'a>(noted: &Noted<'a>, member: usize) -> Option<Cow<'a, str>> {
    match noted.plain_string(member) {
        Some(plain) => Some(Cow::Borrowed(plain)),
        None => coerce::loose_text(&noted.value(member)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flatten::{Flattener, RowNotes};
    use crate::model::Drift;
    use crate::model::json::{Outline, Value};
    use proptest::prelude::*;

    fn event() -> impl Strategy<Value = String> {
        let code = prop::sample::select(vec![
            r#""event_type":"USER_LOGIN","#,
            r#""event_type":"NUMBER_ASSIGN","#,
            r#""event_type":"ACCOUNT_SECRET_CREATE","#,
            r#""event_type":"APP_CREATE","#,
            r#""event_type":"IP_WHITELIST_ADD","#,
            r#""event_type":"NEW","#,
            r#""event_type":"US\u0045R_LOGIN","#,
            r#""event_type":7,"#,
            "",
        ]);
        let envelope = prop::sample::select(vec![
            r#""id":"a","created_at":"2026-03-01T00:00:00""#,
            r#""id":"b","created_at":"2026-03-01T00:00:01Z""#,
            r#""id":"c","created_at":"then","_links":{"self":{"href":"x"}}"#,
            r#""id":"d","id":"e","_links":{"self":{"href":"x"},"n":1}"#,
            r#""id":"f","user_id":7,"user_email":"a@b","source":"DEVAPI","account_id":"z""#,
            r#""id":"g","user_id":7.5,"user_email":"","source":"devapi","account_id":"z""#,
            r#""id":"h","user_id":-0,"user_email":null,"source":"X","account_id":"z""#,
            r#""id":"i\u0000","user_id":8,"source":true,"other":[1]"#,
            r#""id":"j","user_id":"","user_email":"é\u00e9","account_id":5,"_links":{}"#,
            r#""_links":[],"id":"k","source_ip":{},"source_country":[2]"#,
        ]);
        let member = prop::sample::select(vec![
            r#""country":"GB""#,
            r#""country":"""#,
            r#""country":1"#,
            r#""msisdn":"447700900000""#,
            r#""msisdn":null"#,
            r#""msisdn":"44\u0037""#,
            r#""appId":"a","created":{"appId":"b","accountId":"c","answer_url":{"url":"u"},"more":{"x":1}}"#,
            r#""created":[{"appId":"b","ip":"10.0.0.2"}]"#,
            r#""voice-type":"APP","voice-value":"v""#,
            r#""voice-type":"tel","voice-value":"v""#,
            r#""features":["SMS","10.0.0.1"]"#,
            r#""ip":"10.0.0.1""#,
            r#""ip":"10.0.0.\u0031""#,
            r#""block":"10.0.0.0/8""#,
            r#""secretId":"ad6dc56f-07b5-46e1-a527-85530e625800""#,
            r#""x":{"y":{"z":1.5}}"#,
            r#""x":{"y":{"z":2}}"#,
        ]);
        let context = prop_oneof![
            6 => prop::collection::vec(member, 0..5)
                .prop_map(|members| format!(r#","context":{{{}}}"#, members.join(","))),
            1 => prop::sample::select(vec![
                "",
                r#","context":null"#,
                r#","context":"10.0.0.1""#,
                r#","context":["10.0.0.1",{"a":"10.0.0.1"}]"#,
                r#","context":{"a":1},"context":{"country":"GB"}"#,
            ])
            .prop_map(str::to_owned),
        ];
        (code, envelope, context)
            .prop_map(|(code, envelope, context)| format!("{{{code}{envelope}{context}}}"))
    }

    type Outcome =
        (Vec<RowNotes>, arrow_array::RecordBatch, Vec<(String, crate::flatten::ColumnIssues)>, Drift);

    fn outcome(flattener: &mut Flattener, notes: Vec<RowNotes>) -> Outcome {
        let batch = flattener.finish().unwrap();
        let issues = flattener.issues().map(|(name, issues)| (name.to_owned(), issues)).collect();
        (notes, batch, issues, flattener.take_drift())
    }

    proptest! {
        #[test]
        fn columns_that_are_kept_alone_are_those_of_the_whole_row(
            events in prop::collection::vec(event(), 1..24),
            names in prop::sample::subsequence(
                vec!["id", "created_at", "event_type", "user_id", "source", "target_id", "unmapped_json", "context_json"], 1..8),
        ) {
            let table = Table::builtin().unwrap();
            let (mut whole, mut part) = (Flattener::new(&table), Flattener::of_columns(&table, &names));
            let mut outline = Outline::default();
            for routed in [false, true, true] {
                for text in &events {
                    let value = if routed { outline.read(text).unwrap() } else { Value::parse(text).unwrap() };
                    whole.push_value(value).unwrap();
                    part.push_value(value).unwrap();
                }
                prop_assert_eq!(whole.take_drift(), part.take_drift());
                let (whole, part) = (whole.finish().unwrap(), part.finish().unwrap());
                let own = whole.schema_ref().fields().iter().filter(|field| names.contains(&field.name().as_str()));
                prop_assert!(own.clone().eq(part.schema_ref().fields()));
                for (field, column) in own.zip(part.columns()) {
                    prop_assert_eq!(whole.column_by_name(field.name()).unwrap(), column);
                }
            }
        }

        #[test]
        fn a_known_way_leads_where_looking_everything_up_does(events in prop::collection::vec(event(), 1..24)) {
            let table = Table::builtin().unwrap();
            let (mut routed, mut walked) = (Flattener::new(&table), Flattener::new(&table));
            let mut outline = Outline::default();
            // Twice, so that each way is known; the drift that is taken in between begins anew.
            for _ in 0..2 {
                let (mut notes, mut expected) = (Vec::new(), Vec::new());
                for text in events.iter().chain(&events) {
                    notes.push(routed.push_value(outline.read(text).unwrap()).unwrap());
                    expected.push(walked.push_value(Value::parse(text).unwrap()).unwrap());
                }
                let (notes, expected) = (outcome(&mut routed, notes), outcome(&mut walked, expected));
                prop_assert_eq!(notes, expected);
            }
        }
    }

    #[test]
    fn what_is_told_of_some_events_is_of_them_alone_however_many_were_told_apart_before() {
        let table = Table::builtin().unwrap();
        let mut lasting = Flattener::new(&table);
        for (first, types) in [(0, 600), (600, 600), (1_100, 3), (0, 1_500), (0, 2), (5_000, 900)] {
            let mut fresh = Flattener::new(&table);
            let mut outline = Outline::default();
            for number in (first..first + types).chain(first..first + types) {
                let text = format!(r#"{{"event_type":"T{number}","context":{{"k{number}":1}}}}"#);
                let value = outline.read(&text).unwrap();
                lasting.push_value(value).unwrap();
                fresh.push_value(value).unwrap();
            }
            let (lasting, fresh) = (lasting.take_drift(), fresh.take_drift());
            assert_eq!(lasting.findings.len(), 2 * types as usize);
            assert_eq!(lasting, fresh);
        }
    }

    #[test]
    fn ways_are_bounded_and_begin_anew() {
        let table = Table::builtin().unwrap();
        let mut flattener = Flattener::new(&table);
        let mut routes = Routes::default();
        let kept = vec![true; table.columns().len()];
        let mut outline = Outline::default();
        let mut taught = 0;
        for number in 0..3_000_u32 {
            let key = "k".repeat(number as usize % 20 + 1);
            let text = format!(r#"{{"event_type":"T{number}","context":{{"{key}":1}}}}"#);
            let noted = outline.read(&text).unwrap().noted().expect(&text);
            assert!(routes.find(&noted).is_none());
            taught += u32::from(routes.learn(&table, &kept, &noted).is_some());
            flattener.push(&text).unwrap();
        }
        assert!(taught == 512 && routes.routes.len() == 512);
        let text = r#"{"event_type":"T1","context":{"kk":1}}"#;
        for _ in 0..MAX_ROUTES * 8 {
            assert!(routes.find(&outline.read(text).unwrap().noted().unwrap()).is_some());
        }
        let fresh = r#"{"event_type":"T","context":null}"#;
        let value = outline.read(fresh).unwrap();
        assert!(routes.learn(&table, &kept, &value.noted().unwrap()).is_some() && routes.routes.len() == 1);
        assert_eq!(flattener.finish().unwrap().num_rows(), 3_000);
    }
}
