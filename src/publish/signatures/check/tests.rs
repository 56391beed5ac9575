use super::*;
use crate::model::{Commit, KeyRecord};
use crate::publish::record::tests::commit;
use crate::publish::signatures::private::tests::private;
use crate::publish::signatures::{PrivateKey, Signer as _, rotation_text};
use futures::FutureExt as _;

const DESCRIPTOR: &[u8] = b"{}";

type Files = Vec<(u64, Vec<u8>)>;

fn sign(key: &PrivateKey, text: &str) -> [u8; 64] {
    key.sign(text).now_or_never().unwrap().unwrap()
}

fn signed(key: &PrivateKey, number: u64, bytes: &[u8]) -> (u64, Vec<u8>) {
    (number, sign(key, &commit_text(&sha256(DESCRIPTOR), number, &sha256(bytes))).to_vec())
}

/// A log of four commits: the first from before there was a key, then key 1, a plain one, key 2.
fn log(endorsing: &PrivateKey) -> (Files, Files) {
    let (one, two) = (private(1), private(2));
    let dataset = sha256(DESCRIPTOR);
    let mut previous = dataset.clone();
    let (mut commits, mut signatures): (Files, Files) = Default::default();
    for number in 0..4 {
        let key = match number {
            1 => Some(KeyRecord { public_key: one.public_key().raw(), endorsement: None }),
            3 => {
                let text = rotation_text(&dataset, &previous, &two.public_key().hex());
                let endorsement = Some(sign(endorsing, &text));
                Some(KeyRecord { public_key: two.public_key().raw(), endorsement })
            }
            _ => None,
        };
        let windows = if key.is_some() { Vec::new() } else { commit().windows };
        let bytes = record::write(&Commit { number, previous, key, windows, ..commit() }).unwrap();
        signatures.push(signed(if number == 3 { &two } else { &one }, number, &bytes));
        previous = sha256(&bytes);
        commits.push((number, bytes));
    }
    (commits, signatures)
}

fn found(commits: &Files, signatures: &Files, expected: Option<PublicKey>) -> Vec<Finding> {
    check(DESCRIPTOR, commits, signatures, expected).findings
}

#[test]
fn a_log_with_a_rotation_is_good_under_each_of_its_keys() {
    let (commits, mut signatures) = log(&private(1));
    for expected in [None, Some(private(1).public_key()), Some(private(2).public_key())] {
        let checked = check(DESCRIPTOR, &commits, &signatures, expected);
        assert_eq!(checked.findings, []);
        assert_eq!(checked.good, [0, 1, 2, 3]);
        let named: Vec<_> = checked.keys.iter().map(|(from, key)| (from, key.id())).collect();
        assert_eq!(named, [(1, private(1).public_key().id()), (3, private(2).public_key().id())]);
    }
    signatures.reverse();
    assert_eq!(found(&commits, &signatures, None), [], "order does not matter");
}

#[test]
fn an_unexpected_key_vouches_for_nothing() {
    let (commits, signatures) = log(&private(1));
    let checked = check(DESCRIPTOR, &commits, &signatures, Some(private(3).public_key()));
    assert_eq!(checked.findings[0], Finding::NotExpected);
    assert_eq!(checked.findings[1..], [0, 1, 2, 3].map(Finding::WrongKey));
    assert!(checked.good.is_empty());
}

#[test]
fn an_unsigned_log_is_fine_until_a_key_is_expected() {
    let (commits, signatures) = log(&private(1));
    let plain = vec![commits[0].clone()];
    assert_eq!(found(&plain, &Vec::new(), None), []);
    assert_eq!(found(&plain, &Vec::new(), Some(private(1).public_key())), [Finding::NotSigned]);
    assert_eq!(found(&plain, &signatures, None), [0, 1, 2, 3].map(Finding::Stray));
}

#[test]
fn each_change_is_found_and_named() {
    let (commits, signatures) = log(&private(1));
    let without: Files = signatures.iter().filter(|(number, _)| *number != 2).cloned().collect();
    assert_eq!(found(&commits, &without, None), [Finding::Missing(2)]);

    for cut in [0, 63, 65] {
        let mut bad = signatures.clone();
        bad[2].1.resize(cut, 0);
        assert_eq!(found(&commits, &bad, None), [Finding::Bad(2)]);
    }
    let mut swapped = signatures.clone();
    (swapped[0].1, swapped[2].1) = (signatures[2].1.clone(), signatures[0].1.clone());
    assert_eq!(found(&commits, &swapped, None), [Finding::Bad(0), Finding::Bad(2)]);

    let mut other = signatures.clone();
    other[2] = signed(&private(3), 2, &commits[2].1);
    assert_eq!(found(&commits, &other, None), [Finding::Bad(2)]);
    // A retired key signs nothing any more, and a later one nothing of the past.
    other = signatures.clone();
    other[3] = signed(&private(1), 3, &commits[3].1);
    other[0] = signed(&private(2), 0, &commits[0].1);
    assert_eq!(found(&commits, &other, None), [Finding::WrongKey(0), Finding::WrongKey(3)]);

    let fewer: Files = commits[..3].to_vec();
    assert_eq!(found(&fewer, &signatures, None), [Finding::Stray(3)]);
    let other_dataset = check(b"{ }", &commits, &signatures, None);
    assert_eq!(other_dataset.findings[0], Finding::NotEndorsed(3));
    assert!(other_dataset.good.is_empty());
}

#[test]
fn every_flipped_bit_of_commits_and_signatures_is_found() {
    let (commits, signatures) = log(&private(1));
    let expected = Some(private(1).public_key());
    let mut flips = 0;
    for at in 0..commits.len() {
        // A bit of each byte: the signature is over the digest, so that none is special.
        for byte in 0..commits[at].1.len() {
            let mut changed = commits.clone();
            changed[at].1[byte] ^= 1 << (byte % 8);
            assert!(!found(&changed, &signatures, expected).is_empty(), "commit {at}, byte {byte}");
            flips += 1;
        }
        for byte in 0..64 {
            let mut changed = signatures.clone();
            changed[at].1[byte] ^= 1 << (byte % 8);
            assert_eq!(found(&commits, &changed, expected), [Finding::Bad(at as u64)]);
            flips += 1;
        }
    }
    println!("{flips} flipped bits, all found");
}

#[test]
fn a_key_that_the_old_one_has_not_signed_vouches_for_nothing() {
    // Signed by the new key itself, and by a stranger.
    for endorsing in [private(2), private(3)] {
        let (commits, signatures) = log(&endorsing);
        let checked = check(DESCRIPTOR, &commits, &signatures, None);
        assert_eq!(checked.findings, [Finding::NotEndorsed(3), Finding::WrongKey(3)]);
        assert_eq!(checked.good, [0, 1, 2]);
        let later = found(&commits, &signatures, Some(private(2).public_key()));
        assert!(later.contains(&Finding::NotExpected));
    }
}

#[test]
fn a_whole_rewrite_is_found_by_the_expected_key_alone() {
    let (commits, _) = log(&private(1));
    let thief = private(9);
    let mut previous = sha256(DESCRIPTOR);
    let (mut forged, mut signatures): (Files, Files) = Default::default();
    for (number, bytes) in &commits {
        let read = record::read(bytes).unwrap();
        let record = KeyRecord { public_key: thief.public_key().raw(), endorsement: None };
        let key = (*number == 1).then_some(record);
        let bytes = record::write(&Commit { previous, key, windows: commit().windows, ..read }).unwrap();
        signatures.push(signed(&thief, *number, &bytes));
        previous = sha256(&bytes);
        forged.push((*number, bytes));
    }
    assert_eq!(found(&forged, &signatures, None), []);
    let expected = found(&forged, &signatures, Some(private(1).public_key()));
    assert!(expected.contains(&Finding::NotExpected));
}
