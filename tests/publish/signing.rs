//! A signed log under faults and rivals: every operation of the store answered wrongly, every run ended at every
//! operation, and others who commit at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use vonage_audit::error::{Kind, Result};
use vonage_audit::publish::signatures::{Finding, PrivateKey, PublicKey, Signer, check};
use vonage_audit::publish::{Dataset, Signing};
use vonage_audit::store::{Fault, MemoryStore, Store};

use crate::support::{NOW, certificate, day, path, ready, row, spec};

/// A key of this seed, as `openssl genpkey -outform DER` writes it.
fn key(seed: u8) -> Arc<PrivateKey> {
    let mut file =
        vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    file.extend([seed; 32]);
    Arc::new(PrivateKey::parse(&file).unwrap())
}

async fn open(store: impl Store + 'static, key: &Arc<PrivateKey>) -> Result<Dataset> {
    Dataset::open(Arc::new(store), spec()).await?.signed_by(Signing::Now(Arc::clone(key) as Arc<dyn Signer>))
}

async fn commit(dataset: &Dataset, number: u32) -> Result<()> {
    let window = day(number);
    let published = dataset.publish(ready(window, &[row(5, &format!("event-{number}"))])).await?;
    dataset.commit(vec![published.record(certificate(window, 1), 0, 0)], NOW).await?;
    Ok(())
}

/// Two nights of one signer.
async fn nights(store: impl Store + 'static, key: &Arc<PrivateKey>) -> Result<()> {
    let dataset = open(store, key).await?;
    dataset.heal_signatures(NOW).await?;
    commit(&dataset, 1).await?;
    commit(&dataset, 2).await
}

fn findings(store: &MemoryStore, expected: PublicKey) -> Vec<Finding> {
    let objects = store.objects();
    let files = |ending: &str| -> Vec<_> {
        let number =
            |path: &str| path.strip_prefix("_audit/commits/")?.strip_suffix(ending)?.parse::<u64>().ok();
        objects.iter().filter_map(|(path, bytes)| Some((number(path.as_str())?, bytes.clone()))).collect()
    };
    let descriptor = &objects[&path("_audit/dataset.json")];
    check(descriptor, &files(".json"), &files(".json.sig"), Some(expected)).findings
}

/// A commit without its signature is all that may be wrong at any moment, and only at the end of the log.
fn is_an_unsigned_end(findings: &[Finding], commits: u64) -> bool {
    matches!(findings, []) || *findings == [Finding::Missing(commits - 1)]
}

#[tokio::test]
async fn every_fault_at_every_operation_ends_in_the_same_signed_log() {
    let key = key(1);
    let undisturbed = MemoryStore::new();
    let operations = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&operations);
    let counting = undisturbed.handle().with_faults(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Fault::None
    });
    nights(counting, &key).await.unwrap();
    assert_eq!(findings(&undisturbed, key.public_key()), []);
    let operations = operations.load(Ordering::Relaxed);
    let (mut runs, mut ended) = (0, 0);
    for at in 0..operations {
        for (fault, from) in [
            (Fault::Fail, at),
            (Fault::ReplyLost, at),
            (Fault::Delayed, at),
            // From here on nothing works: the run ends as if it had been killed, before the operation or after it.
            (Fault::Fail, u64::MAX),
            (Fault::ReplyLost, u64::MAX),
        ] {
            let store = MemoryStore::new();
            let faulty = store.handle().with_faults(move |operation| match operation.index {
                index if index == at => fault,
                index if index > at && from == u64::MAX => Fault::Fail,
                _ => Fault::None,
            });
            let outcome = nights(faulty, &key).await;
            runs += 1;
            ended += u64::from(outcome.is_err());
            let names: Vec<_> = store.objects().into_keys().collect();
            let commits = names
                .iter()
                .filter(|name| {
                    name.as_str().starts_with("_audit/commits/") && name.as_str().ends_with(".json")
                })
                .count() as u64;
            if commits > 0 {
                let left = findings(&store, key.public_key());
                let unnamed = left.iter().all(|finding| matches!(finding, Finding::NotSigned));
                assert!(unnamed || is_an_unsigned_end(&left, commits), "operation {at}, {fault:?}: {left:?}");
            }
            while store.land() {}
            nights(store.handle(), &key).await.unwrap();
            assert_eq!(store.objects(), undisturbed.objects(), "operation {at}, {fault:?}");
        }
    }
    assert!(ended > operations, "the control: most of those that stop working end with an error");
    println!(
        "{operations} operations, {runs} runs with a fault, {ended} ended: all reached the same signed log"
    );
}

#[tokio::test]
async fn who_does_not_sign_cannot_go_on_once_somebody_does() {
    let (store, key) = (MemoryStore::new(), key(1));
    let plain = Dataset::open(Arc::new(store.handle()), spec()).await.unwrap();
    commit(&plain, 1).await.unwrap();
    nights(store.handle(), &key).await.unwrap();
    let before = store.objects();
    let refused = commit(&plain, 3).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Usage);
    let commits = |objects: &std::collections::BTreeMap<_, _>| {
        let control = |path: &&vonage_audit::store::ObjectPath| path.as_str().starts_with("_audit/commits/");
        objects.keys().filter(control).count()
    };
    assert_eq!(commits(&store.objects()), commits(&before), "a commit that nobody signs");
    assert_eq!(findings(&store, key.public_key()), []);
}

#[tokio::test]
async fn a_retired_key_cannot_go_on_in_a_run_that_had_begun() {
    let (store, old, new) = (MemoryStore::new(), key(1), key(2));
    let running = open(store.handle(), &old).await.unwrap();
    commit(&running, 1).await.unwrap();
    let rotating = Dataset::open_stored(Arc::new(store.handle())).await.unwrap();
    rotating.rotate(old.as_ref(), new.as_ref(), NOW).await.unwrap();
    assert_eq!(commit(&running, 2).await.unwrap_err().kind(), Kind::Usage);
    commit(&open(store.handle(), &new).await.unwrap(), 2).await.unwrap();
    for trusted in [&old, &new] {
        assert_eq!(findings(&store, trusted.public_key()), []);
    }
    // Back to a key of the past.
    let back = rotating.rotate(new.as_ref(), old.as_ref(), NOW).await;
    assert!(back.is_ok(), "{back:?}");
    assert_eq!(findings(&store, old.public_key()), []);
}

#[tokio::test]
async fn two_runs_with_one_key_make_one_signed_log() {
    let (store, key) = (MemoryStore::new(), key(1));
    let one = open(store.handle(), &key).await.unwrap();
    let other = open(store.handle(), &key).await.unwrap();
    let (first, second) = tokio::join!(
        async {
            commit(&one, 1).await?;
            commit(&one, 2).await
        },
        async {
            commit(&other, 2).await?;
            commit(&other, 1).await
        }
    );
    first.unwrap();
    second.unwrap();
    assert_eq!(findings(&store, key.public_key()), []);
}

#[tokio::test]
async fn two_first_keys_do_not_both_come_into_force() {
    let (store, one, two) = (MemoryStore::new(), key(1), key(2));
    let first = open(store.handle(), &one).await.unwrap();
    let second = open(store.handle(), &two).await.unwrap();
    commit(&first, 1).await.unwrap();
    assert_eq!(commit(&second, 2).await.unwrap_err().kind(), Kind::Usage);
    assert_eq!(findings(&store, one.public_key()), []);
}
