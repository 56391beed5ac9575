//! Every fault of the network to an object store at every request of a run.
//!
//! A three-window export to S3 through a proxy meets one fault, once or from some request on. It must be proven or end
//! with a storage error; then a clean run must reach the very tree of a run that met no fault, its log in one chain.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use vonage_audit::error::Kind;
use vonage_audit::sandbox::{Population, Spec, World};
use vonage_audit::store::{StorageLimits, Store, creates_if_absent};
use vonage_audit::{Error, Result};

use crate::extraction::{KEY, export_to, three_days};
use crate::proxy::{Conditions, Fault, Proxy, When};
use crate::servers::{fresh, limits, objects, s3, store};

/// Carried out, and the answer lost.
const LOST: [Fault; 5] =
    [Fault::LostReset, Fault::LostStatus(500), Fault::LostStatus(503), Fault::LostSilence, Fault::Cut];

/// Not carried out, and another attempt is in the way, or seems to be.
const IN_THE_WAY: [Fault; 4] = [
    Fault::Closed,
    Fault::Refused(409, "ConditionalRequestConflict"),
    Fault::Refused(412, "PreconditionFailed"),
    Fault::Refused(400, "RequestTimeout"),
];

/// Not carried out.
const REFUSED: [Fault; 5] = [
    Fault::Refused(500, "InternalError"),
    Fault::Refused(503, "SlowDown"),
    Fault::Refused(403, "ExpiredToken"),
    Fault::Refused(403, "AccessDenied"),
    Fault::OkWithError,
];

/// Every how manieth place is taken, unless all are.
const SAMPLE: usize = 31;

fn world() -> World {
    let date = |text: &str| text.parse().unwrap();
    let spec = Spec {
        seed: 5,
        events: 240,
        from: date("2026-03-01"),
        to: date("2026-03-04"),
        account: KEY.to_owned(),
    };
    World::new(Population::seeded(spec).unwrap())
}

/// One run as the program does it: open, show that the store creates only if absent, export.
async fn attempt(
    place: &str,
    variables: &BTreeMap<&'static str, String>,
    limits: StorageLimits,
) -> Result<()> {
    let opened: Arc<dyn Store> = Arc::new(store(place, variables, limits).await?);
    assert!(
        creates_if_absent(opened.as_ref()).await?,
        "a store that keeps its promise was taken for another"
    );
    let (report, _) = export_to(world(), &three_days(), opened).await?;
    assert!(report.unproven.is_empty(), "{:?}", report.unproven);
    report.failure.map_or(Ok(()), Err)
}

/// Short enough for a test, long enough for an answer of a busy machine.
fn impatient() -> StorageLimits {
    StorageLimits { request: Duration::from_secs(2), ..limits() }
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_at_every_request_are_survived_or_said_and_a_rerun_heals() {
    matrix(&LOST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicts_at_every_request_are_survived_or_said_and_a_rerun_heals() {
    matrix(&IN_THE_WAY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_at_every_request_are_survived_or_said_and_a_rerun_heals() {
    matrix(&REFUSED).await;
}

async fn matrix(kinds: &[Fault]) {
    let server = s3(None);
    let proxy = Proxy::start(&server.text("/url"), Conditions::Kept).await;
    let direct = server.s3_as("admin");
    let mut through = direct.clone();
    through.insert("AWS_ENDPOINT_URL", proxy.url());

    let undisturbed = fresh("s3");
    proxy.script(When::Never, Fault::Closed);
    attempt(&undisturbed, &through, limits()).await.unwrap();
    let requests = proxy.heads().len();
    let expected = tree(&undisturbed, &direct).await;
    assert_eq!(
        expected.keys().filter(|path| path.starts_with("parquet/")).count(),
        3,
        "{:?}",
        expected.keys()
    );

    let every = std::env::var("OBJECT_STORES_EVERY").map_or(SAMPLE, |text| text.parse().unwrap());
    let places = kinds.iter().flat_map(|fault| {
        (0..requests).flat_map(move |at| [(When::Once(at), *fault), (When::From(at), *fault)])
    });
    let (mut runs, mut done, mut survived, mut said) = (0, 0, 0, 0);
    for (number, (when, fault)) in places.enumerate() {
        // Silence for ever takes the patience of every request; once is the same path.
        let slow = fault == Fault::LostSilence && matches!(when, When::From(_));
        if number % every != 0 || slow {
            continue;
        }
        let place = fresh("s3");
        let context = || format!("{fault:?} {when:?} in {place}");
        proxy.script(when, fault);
        let outcome = attempt(&place, &through, impatient()).await;
        runs += 1;
        done += proxy.done();
        match &outcome {
            Ok(()) => survived += 1,
            Err(error) => {
                said += 1;
                good_error(error, when, fault);
            }
        }
        proxy.script(When::Never, Fault::Closed);
        if outcome.is_err() {
            attempt(&place, &through, limits())
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", context()));
        }
        let found = tree(&place, &direct).await;
        assert!(found == expected, "{}: {:?} and {:?}", context(), found.keys(), expected.keys());
    }
    assert!(runs > 0 && done >= runs, "{runs} runs met {done} faults");
    println!(
        "{runs} runs of {requests} requests, {} kinds of fault, {done} faults: {survived} proven, {said} ended with a \
         storage error and were healed by a rerun; every tree as the undisturbed one",
        kinds.len()
    );
}

/// A fault that happens once is survived, except where nothing has been written yet or permission is denied.
fn good_error(error: &Error, when: When, fault: Fault) {
    let denied = matches!(fault, Fault::Refused(403, _));
    let opening = matches!(when, When::Once(0) | When::From(0..=2));
    let kind = error.kind();
    let allowed = kind == Kind::Storage || (kind == Kind::Usage && (denied || opening));
    assert!(allowed, "{fault:?} {when:?}: {error:?}");
    let survivable = matches!(when, When::Once(at) if at > 0) && !denied;
    assert!(!survivable, "{fault:?} {when:?}: {error:?}");
    let text = format!("{error:?} {:?}", error.hint_text()).to_ascii_lowercase();
    assert!(!text.contains("authorization") && !text.contains("x-amz-") && text.len() < 1500, "{text}");
}

/// Everything below a destination; the log must be one chain, which a dataset that is opened has checked.
async fn tree(place: &str, variables: &BTreeMap<&'static str, String>) -> BTreeMap<String, Bytes> {
    let opened = store(place, variables, limits()).await.unwrap();
    let found = objects(&opened, &["_audit", "parquet"]).await;
    let top = opened.children(None).await.unwrap();
    assert_eq!(
        top.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(),
        ["_audit", "parquet"],
        "{place}"
    );
    let commits: Vec<_> = found.keys().filter_map(|path| path.strip_prefix("_audit/commits/")).collect();
    for (position, name) in commits.iter().enumerate() {
        assert_eq!(*name, format!("{position:016}.json"), "{place}");
    }
    found
}
