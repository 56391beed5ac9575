//! Kept replies: each certificate follows from them alone, and from nothing that was changed in them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use vonage_audit::Result;
use vonage_audit::model::{Claim, Evidence, Exchange, Page, Query, Step};
use vonage_audit::settle::{Settled, Settler, Source, repeat};
use vonage_audit::spool::Scratch;

use crate::certificates::{History, history};
use crate::memory::tiny;
use crate::random::Random;
use crate::world::World;
use crate::{block_on, seeds};

/// The world with each page's question and reply beside it.
pub struct Recorder<'a>(pub &'a World);

impl Source for Recorder<'_> {
    async fn page(&self, query: &Query, number: u32, size: u32) -> Result<Page> {
        let mut page = self.0.page(query, number, size).await?;
        let texts: Vec<&str> =
            page.events.iter().map(|event| std::str::from_utf8(&event.text).unwrap()).collect();
        let mut request = format!("GET /events?page={number}&size={size}");
        if let (Some(from), Some(to)) = (query.from, query.to) {
            request.push_str(&format!("&date_from={from}&date_to={to}"));
        }
        if !query.event_types.is_empty() {
            request.push_str(&format!("&event_type={}", query.event_types.join(",")));
        }
        let body = body(page.total, &texts);
        page.exchange = Some(Arc::new(Exchange { request, status: 200, date: None, body }));
        Ok(page)
    }

    async fn event_types(&self) -> Result<Vec<String>> {
        self.0.event_types().await
    }

    async fn pause(&self, time: Duration) {
        self.0.pause(time).await;
    }
}

fn body(total: u64, events: &[&str]) -> Bytes {
    format!(r#"{{"page":{{"totalElements":{total}}},"_embedded":{{"events":[{}]}}}}"#, events.join(","))
        .into()
}

/// Total and events of a reply that [`body`] made.
fn parts(exchange: &Exchange) -> (u64, Vec<String>) {
    let page: serde_json::Value = serde_json::from_slice(&exchange.body).unwrap();
    let events = page["_embedded"]["events"].as_array().unwrap();
    let text = std::str::from_utf8(&exchange.body).unwrap();
    let list = text.split_once(r#""events":["#).unwrap().1.strip_suffix("]}}").unwrap();
    let texts: Vec<String> = if list.is_empty() {
        Vec::new()
    } else {
        list.replace("},{", "}\n{").split('\n').map(str::to_owned).collect()
    };
    assert_eq!(texts.len(), events.len());
    (page["page"]["totalElements"].as_u64().unwrap(), texts)
}

/// What is changed in one reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    CountUp,
    CountDown,
    EventOut,
    EventTwice,
    OtherId,
    OtherTime,
    ReplyOut,
    ReplyTwice,
    OtherQuestion,
    OtherStatus,
    OtherStep,
    ProofOut,
}

const CHANGES: [Change; 12] = [
    Change::CountUp,
    Change::CountDown,
    Change::EventOut,
    Change::EventTwice,
    Change::OtherId,
    Change::OtherTime,
    Change::ReplyOut,
    Change::ReplyTwice,
    Change::OtherQuestion,
    Change::OtherStatus,
    Change::OtherStep,
    Change::ProofOut,
];

/// Whether the counting is about this event on a page of this step: what one of two walks shows alone, or again, is not.
fn decides(replies: &[(Step, Arc<Exchange>)], claim: Claim, step: Step, event: &str) -> bool {
    let seen = |step: Step| {
        let own = replies.iter().filter(|reply| reply.0 == step);
        own.flat_map(|(_, exchange)| parts(exchange).1).filter(|text| text == event).count()
    };
    let other = if step == Step::Walk { Step::Again } else { Step::Walk };
    claim != Claim::Double || (seen(step) == 1 && seen(other) > 0)
}

/// The evidence with one thing changed; `None` where the change does not apply to the reply that was drawn.
fn changed(evidence: &Evidence, change: Change, random: &mut Random) -> Option<Evidence> {
    let mut evidence = evidence.clone();
    let proof = random.below(evidence.proofs.len() as u64) as usize;
    // The count of a part of the whole is held against its parts, and the whole's count against all of them: the outer
    // one says as much without the inner one.
    let sum = matches!(evidence.proofs[proof].claim, Claim::TimeSum | Claim::TypeSum);
    let inner = sum && proof + 1 < evidence.proofs.len();
    if inner && matches!(change, Change::ProofOut | Change::CountUp | Change::CountDown) {
        return None;
    }
    if change == Change::ProofOut {
        evidence.proofs.remove(proof);
        return Some(evidence);
    }
    // Pages that move show an event twice to one of two walks: that is no flaw of a double proof.
    if change == Change::EventTwice && evidence.proofs[proof].claim != Claim::Bracketed {
        return None;
    }
    let claim = evidence.proofs[proof].claim;
    let replies = &mut evidence.proofs[proof].replies;
    let place = random.below(replies.len() as u64) as usize;
    let (step, exchange) = replies[place].clone();
    let (total, mut events) = parts(&exchange);
    let mut exchange = Exchange::clone(&exchange);
    let walked = step != Step::Count && !events.is_empty();
    match change {
        Change::CountUp | Change::CountDown if step == Step::Count => {
            let texts: Vec<&str> = events.iter().map(String::as_str).collect();
            let other = if change == Change::CountUp { total + 1 } else { total.checked_sub(1)? };
            exchange.body = body(other, &texts);
        }
        Change::EventOut | Change::EventTwice | Change::OtherId | Change::OtherTime if walked => {
            let last = events.pop()?;
            if !decides(replies, claim, step, &last) {
                return None;
            }
            match change {
                Change::EventTwice => events.extend([last.clone(), last]),
                Change::OtherId => events.push(last.replacen("-4000-", "-4001-", 1)),
                Change::OtherTime => {
                    events.push(last.replacen("\"created_at\":\"2026", "\"created_at\":\"2027", 1))
                }
                _ => {}
            }
            let texts: Vec<&str> = events.iter().map(String::as_str).collect();
            exchange.body = body(total, &texts);
        }
        Change::ReplyOut
            if step == Step::Count || events.iter().any(|text| decides(replies, claim, step, text)) =>
        {
            replies.remove(place);
            return Some(evidence);
        }
        Change::ReplyTwice => {
            replies.insert(place, (step, Arc::new(exchange)));
            return Some(evidence);
        }
        Change::OtherQuestion => {
            exchange.request = exchange.request.replacen("&date_to=2026", "&date_to=2027", 1);
        }
        Change::OtherStatus => exchange.status = 206,
        Change::OtherStep => {
            let other = if step == Step::Count { Step::Walk } else { Step::Count };
            replies[place].0 = other;
            return Some(evidence);
        }
        _ => return None,
    }
    replies[place] = (step, Arc::new(exchange));
    Some(evidence)
}

fn says_the_same(one: &Settled, other: &Settled) -> bool {
    one.certificate == other.certificate && one.events.to_vec().unwrap() == other.events.to_vec().unwrap()
}

#[test]
fn certificates_follow_from_their_kept_replies_alone() {
    let (mut certified, mut replies) = (0, 0);
    let mut claims: BTreeMap<&str, u64> = BTreeMap::new();
    let mut changes: BTreeMap<Change, u64> = BTreeMap::new();
    let place = tempfile::tempdir().unwrap();
    for seed in seeds("SIMULATION_EVIDENCE", 500) {
        // How much memory there is decides about nothing.
        let scratch = if seed % 2 == 0 { Scratch::default() } else { tiny(&place, 0) };
        let History { world, range, settings } = history(seed);
        let source = Recorder(&world);
        let outcome = block_on(async {
            let settler = Settler::new(&source, settings);
            settler.probe(range).await?;
            settler.settle(range).await
        });
        let Ok(settled) = outcome else { continue };
        certified += 1;
        let evidence = settled.evidence.clone().unwrap();
        let again = repeat(&evidence, &scratch).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert!(
            says_the_same(&again, &settled),
            "seed {seed}: {:?} {:?}",
            again.certificate,
            settled.certificate
        );
        for proof in &evidence.proofs {
            *claims.entry(proof.claim.name()).or_default() += 1;
            replies += proof.replies.len();
        }
        let mut random = Random::new(seed);
        for change in CHANGES {
            let Some(altered) = changed(&evidence, change, &mut random) else { continue };
            *changes.entry(change).or_default() += 1;
            if let Ok(other) = repeat(&altered, &scratch) {
                // What still proves something proves something else: the log, or the rows, tell.
                assert!(!says_the_same(&other, &settled), "seed {seed}: {change:?} changes nothing");
            }
        }
    }
    let altered: u64 = changes.values().sum();
    println!(
        "{certified} certificates repeated from {replies} kept replies ({claims:?}); {altered} changed ones found"
    );
    println!("{changes:?}");
    assert_eq!(changes.len(), CHANGES.len());
    for claim in [Claim::Bracketed, Claim::Double, Claim::TimeSum, Claim::TypeSum] {
        assert!(claims.contains_key(claim.name()), "{claim:?} did not occur");
    }
}
