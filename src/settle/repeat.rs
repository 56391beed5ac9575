//! A certificate's counting, repeated from the replies that were kept.
//!
//! What lives here: [`repeat`]. It shares with the making of certificates only what reads a reply, what tells two
//! contents of one id apart and how far an event may lie from its question; the counting is written a second time. What this file must not know: where the replies were
//! kept, what became of the events.

use std::collections::HashSet;

use super::Settled;
use super::certify::Certain;
use super::collect::Collection;
use super::order::settled;
use super::split::{Part, farthest, is_believed};
use super::union::{Union, inside, pool};
use crate::api::wire;
use crate::error::{Error, Kind, Result};
use crate::model::{Claim, Evidence, Exchange, Level, Page, Proof, Step, Timestamp, Window};
use crate::spool::{Pool, Scratch};

/// The documented default of a page; how many events a reply may have follows from it.
const PAGE: u32 = 100;

/// Repeats the counting of a certificate and gives what it proves. Nothing is believed but the replies. They are in
/// memory, so are the single proofs, whose events are slices of them; sums and the result keep to `scratch`.
///
/// # Errors
/// Verification: the replies do not prove the set of the range that they are said to be about. Contradiction: one id
/// has two contents in them. Storage: what does not fit into memory cannot be spilled.
pub fn repeat(evidence: &Evidence, scratch: &Scratch) -> Result<Settled> {
    let wrong = |why: String| wrong(&why).at("window", evidence.range);
    let pool = pool(scratch);
    let mut open: Vec<Proven> = Vec::new();
    for (number, proof) in evidence.proofs.iter().enumerate() {
        let proven = match proof.claim {
            Claim::Bracketed | Claim::Double => single(proof, evidence.padding),
            Claim::TimeSum | Claim::TypeSum => sum(proof, &mut open, evidence.padding, (scratch, &pool)),
        };
        open.push(proven.map_err(|error| error.at("window", evidence.range).at("proof", number))?);
    }
    match (open.pop(), open.is_empty()) {
        (Some(whole), true) if whole.question.range == evidence.range => {
            let settled = settled(evidence.range, evidence.padding, whole.part, scratch)?;
            match farthest(&settled, evidence.padding) {
                Some((event, beyond)) if !is_believed(beyond, evidence.padding) => {
                    Err(wrong("an event lies far from what was asked for".to_owned())
                        .at("id", event.id.as_str().escape_debug()))
                }
                _ => Ok(settled),
            }
        }
        (Some(whole), true) => Err(wrong(format!("they are about {}", whole.question.range))),
        (Some(_), false) => Err(wrong("parts are left that no sum holds".to_owned())),
        (None, _) => Err(wrong("there are none".to_owned())),
    }
}

/// A set that replies prove, and the question that it answers.
struct Proven {
    part: Part,
    question: Question,
}

/// What was asked, page and size aside.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    /// What is left of the bounds without the padding.
    range: Window,
    event_type: Option<String>,
    /// All other parameters, as they were sent.
    rest: Vec<String>,
}

/// Bracketed or double.
fn single(proof: &Proof, padding: u32) -> Result<Proven> {
    if proof.parts != 1 {
        return Err(wrong("a proof by itself has parts"));
    }
    let (question, replies) = read(proof, padding)?;
    let (mut counts, mut order) = (Vec::new(), Vec::new());
    let (mut one, mut other) = (Walked::default(), Walked::default());
    for (step, page) in replies {
        if order.last() != Some(&step) || step == Step::Count {
            order.push(step);
        }
        match step {
            Step::Count => counts.push((page.total, page.events.is_empty())),
            Step::Walk => one.add(page)?,
            Step::Again => other.add(page)?,
        }
    }
    let certain = match (proof.claim, order.as_slice(), counts.as_slice()) {
        (Claim::Bracketed, [Step::Count, Step::Walk, Step::Count], [(before, ..), (after, ..)]) => {
            let distinct = one.events.len();
            if (*before, *after) != (distinct, distinct) || one.rows != distinct {
                return Err(wrong("counts and walk of a bracketed proof differ")
                    .at("before", before)
                    .at("after", after)
                    .at("walked", distinct));
            }
            Certain {
                level: Level::Bracketed,
                total: distinct,
                distinct,
                events: one.events.into(),
                proofs: Vec::new(),
            }
        }
        (Claim::Double, [Step::Walk, Step::Count, Step::Again], [(total, ..)]) => {
            let distinct = one.events.common(&other.events);
            let unstable = one.rows > one.events.len() && other.rows > other.events.len();
            if *total != distinct || unstable {
                return Err(wrong("counts and walks of a double proof differ")
                    .at("count", total)
                    .at("in both walks", distinct));
            }
            let mut events = one.events;
            events.merge(other.events)?;
            let events = events.into();
            Certain { level: Level::Double, total: *total, distinct, events, proofs: Vec::new() }
        }
        (Claim::Double, [Step::Count, Step::Count], [(0, true), (0, _)]) => Certain {
            level: Level::Double,
            total: 0,
            distinct: 0,
            events: Collection::default().into(),
            proofs: Vec::new(),
        },
        _ => return Err(wrong("a proof does not have its steps").at("claim", proof.claim.name())),
    };
    Ok(Proven { part: Part { certain, parts: 1 }, question })
}

/// The parts before it, held against one count.
fn sum(
    proof: &Proof,
    open: &mut Vec<Proven>,
    padding: u32,
    (scratch, pool): (&Scratch, &Pool),
) -> Result<Proven> {
    let (question, replies) = read(proof, padding)?;
    let [(Step::Count, page)] = replies.as_slice() else {
        return Err(wrong("a sum is not held against one count"));
    };
    let total = page.total;
    let mut parts = Vec::new();
    let mut left = proof.parts;
    while left > 0 {
        let part = open.pop().filter(|part| part.part.parts <= left);
        let part = part.ok_or_else(|| wrong("a sum is not about whole parts"))?;
        left -= part.part.parts;
        parts.push(part);
    }
    parts.reverse();
    let whole = match proof.claim {
        Claim::TimeSum => in_time(&parts, &question),
        _ => by_type(&parts, &question),
    };
    whole?;
    let mut union = Union::new(scratch, pool, 0);
    parts.into_iter().try_for_each(|Proven { part, question }| {
        // Parts by type share all times.
        let inside = (proof.claim == Claim::TimeSum).then(|| inside(question.range, padding)).flatten();
        union.take(part, inside)
    })?;
    let Part { certain, parts } = union.finish()?;
    let agrees = match proof.claim {
        // Fewer: the count is cut off at a limit, or events vanished since; each part is certain by itself.
        Claim::TimeSum => total <= certain.distinct,
        _ => total == certain.distinct,
    };
    if !agrees {
        return Err(wrong("parts and count of the whole differ")
            .at("count", total)
            .at("in the parts", certain.distinct));
    }
    Ok(Proven { part: Part { certain: Certain { total, ..certain }, parts }, question })
}

/// Parts in time follow on each other, and ask the same otherwise.
fn in_time(parts: &[Proven], whole: &Question) -> Result<()> {
    let mut at = whole.range.from;
    for Proven { question, .. } in parts {
        let same = (&question.event_type, &question.rest) == (&whole.event_type, &whole.rest);
        if question.range.from != at || !same {
            return Err(wrong("parts leave a gap, overlap or ask otherwise"));
        }
        at = question.range.to;
    }
    if at == whole.range.to { Ok(()) } else { Err(wrong("parts end before the whole")) }
}

/// Parts by type each ask for one type, and the same otherwise.
fn by_type(parts: &[Proven], whole: &Question) -> Result<()> {
    let mut types: Vec<_> = parts.iter().map(|part| part.question.event_type.as_deref()).collect();
    types.sort_unstable();
    let twice = types.iter().zip(types.iter().skip(1)).any(|(one, next)| one == next);
    let same = |part: &Proven| (part.question.range, &part.question.rest) == (whole.range, &whole.rest);
    if twice || types.first() == Some(&None) || !parts.iter().all(same) {
        return Err(wrong("parts by event type overlap or ask otherwise"));
    }
    Ok(())
}

/// The rows of one walk, whose pages must be different ones.
#[derive(Default)]
struct Walked {
    events: Collection,
    rows: u64,
}

impl Walked {
    fn add(&mut self, page: Page) -> Result<()> {
        self.rows += u64::try_from(page.events.len()).unwrap_or(u64::MAX);
        page.events.into_iter().try_for_each(|event| self.events.add(event))
    }
}

/// Reads the replies of a proof, which must all answer the same question.
fn read(proof: &Proof, padding: u32) -> Result<(Question, Vec<(Step, Page)>)> {
    let mut question: Option<Question> = None;
    let mut replies = Vec::new();
    let mut walked = HashSet::new();
    for (step, exchange) in &proof.replies {
        let (asked, page_number) = asked(exchange, padding)?;
        if question.as_ref().is_some_and(|known| *known != asked) {
            return Err(wrong("replies of one proof answer different questions"));
        }
        // A page that was put in twice would make up for one that was taken out.
        if *step != Step::Count && !walked.insert((*step, page_number)) {
            return Err(wrong("a page occurs twice in one walk").at("page", page_number));
        }
        question = Some(asked);
        if exchange.status != 200 {
            return Err(wrong("a reply has a status that is none of a page").at("status", exchange.status));
        }
        let page = wire::page(&exchange.body, PAGE)
            .map_err(|cause| wrong("a reply is no page of events").because(cause))?;
        replies.push((*step, page));
    }
    let question = question.ok_or_else(|| wrong("a proof has no replies"))?;
    Ok((question, replies))
}

/// What a request asked: the question, and the number of the page.
fn asked(exchange: &Exchange, padding: u32) -> Result<(Question, u32)> {
    let refused = || wrong("a request is not one to the list of events");
    let (_, query) = exchange.request.split_once('?').ok_or_else(refused)?;
    let padding = i64::from(padding);
    let (mut from, mut to, mut page) = (None, None, None);
    let (mut event_type, mut rest) = (None, Vec::new());
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').ok_or_else(refused)?;
        match name {
            "page" => page = value.parse().ok(),
            "size" => {}
            "date_from" => from = time(value).map(|at| at.plus_seconds(padding)),
            "date_to" => to = time(value).map(|at| at.plus_seconds(-padding)),
            "event_type" => event_type = Some(value.to_owned()),
            _ => rest.push(parameter.to_owned()),
        }
    }
    match (from, to, page) {
        (Some(from), Some(to), Some(page)) => {
            Ok((Question { range: Window::new(from, to), event_type, rest }, page))
        }
        _ => Err(refused()),
    }
}

fn time(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).filter(|parsed| parsed.canonical).map(|parsed| parsed.at)
}

fn wrong(why: &str) -> Error {
    Error::new(Kind::Verification, "the kept replies do not prove their range").at("why", why)
}
