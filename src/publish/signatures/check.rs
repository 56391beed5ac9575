//! All signatures of a log, held against its commits, without a network.
//!
//! What lives here: [`check()`] and its findings. What this file must not know: a store, and the chain itself, which
//! whoever calls has checked: a signature covers the commits before its own only through the chain.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::chain::Keys;
use super::key::PublicKey;
use super::texts::commit_text;
use crate::publish::digest::sha256;
use crate::publish::record;

/// What is wrong with the signatures of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// A key was expected, and the log names none.
    NotSigned,
    /// The expected key is none of the log's: somebody else vouches for it, or nobody.
    NotExpected,
    /// This commit names a key that the key before it has not signed. No commit from here on counts as signed.
    NotEndorsed(u64),
    /// The commit has no signature.
    Missing(u64),
    /// What stands beside the commit is no signature of it.
    Bad(u64),
    /// The commit is signed with a key of the log that is not in force there, or not vouched for.
    WrongKey(u64),
    /// A signature of a commit that is not there, or in a log without keys.
    Stray(u64),
}

impl Finding {
    /// The commit that it is about.
    pub fn commit(&self) -> Option<u64> {
        match *self {
            Self::NotSigned | Self::NotExpected => None,
            Self::NotEndorsed(number)
            | Self::Missing(number)
            | Self::Bad(number)
            | Self::WrongKey(number)
            | Self::Stray(number) => Some(number),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::NotSigned => "the log is not signed",
            Self::NotExpected => "the expected key is not one of the log's",
            Self::NotEndorsed(_) => "its key is not signed by the key before it",
            Self::Missing(_) => "it has no signature",
            Self::Bad(_) => "its signature is bad",
            Self::WrongKey(_) => "it is signed with a key that is not in force there",
            Self::Stray(_) => "a signature stands there without a commit or a key",
        };
        match self.commit() {
            Some(number) => write!(out, "commit {number}: {what}"),
            None => out.write_str(what),
        }
    }
}

/// What [`check()`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The log's keys as far as each is signed by the one before, each with the commit that names it; empty for a log
    /// that is not signed.
    pub keys: Keys,
    /// The commits whose signature is good, ascending.
    pub good: Vec<u64>,
    /// Everything else; empty if every commit is signed as it must be, or none is and no key was expected.
    pub findings: Vec<Finding>,
}

/// Holds all signatures of a log against its commits.
///
/// `descriptor` is `dataset.json`; `commits` and `signatures` are files of `_audit/commits` by the number of their
/// name, in any order; the chain of the commits has been checked. `expected` is the key that the auditor trusts, from
/// elsewhere: any one that the log has had, since what came after it is signed over to, and what came before is in the
/// chain of what it signed. Without it, whoever can write the whole dataset can sign it, with a key of their own.
pub fn check(
    descriptor: &[u8],
    commits: &[(u64, impl AsRef<[u8]>)],
    signatures: &[(u64, impl AsRef<[u8]>)],
    expected: Option<PublicKey>,
) -> Checked {
    let dataset = sha256(descriptor);
    let commits: BTreeMap<u64, &[u8]> =
        commits.iter().map(|(number, bytes)| (*number, bytes.as_ref())).collect();
    let signatures: BTreeMap<u64, &[u8]> =
        signatures.iter().map(|(number, bytes)| (*number, bytes.as_ref())).collect();
    let mut findings = BTreeSet::new();
    let mut keys = Keys::default();
    let mut broken = None;
    let mut foreign = Vec::new();
    for (number, bytes) in &commits {
        // A commit that cannot be read is the log's matter; its signature is over bytes.
        let Some((record, previous)) =
            record::read(bytes).ok().and_then(|read| Some((read.key?, read.previous)))
        else {
            continue;
        };
        if broken.is_some() || keys.take(*number, &record, &dataset, &previous).is_err() {
            foreign.extend(PublicKey::new(record.public_key));
            broken.get_or_insert(*number);
        }
    }
    findings.extend(broken.map(Finding::NotEndorsed));
    let trusted = expected.is_none_or(|expected| keys.iter().any(|(_, key)| key == expected));
    if !trusted {
        let unsigned = keys.current().is_none();
        findings.insert(if unsigned { Finding::NotSigned } else { Finding::NotExpected });
    }
    foreign.extend(keys.iter().map(|(_, key)| key));
    foreign.extend(expected);
    let mut good = Vec::new();
    for (number, bytes) in &commits {
        let Some(key) = keys.of(*number) else { continue };
        let text = commit_text(&dataset, *number, &sha256(bytes));
        let in_force = trusted && broken.is_none_or(|broken| *number < broken);
        match signatures.get(number) {
            None => {
                findings.insert(Finding::Missing(*number));
            }
            Some(signature) if in_force && key.verifies(&text, signature) => good.push(*number),
            Some(signature) => {
                let known = foreign.iter().any(|key| key.verifies(&text, signature));
                findings.insert(if known { Finding::WrongKey(*number) } else { Finding::Bad(*number) });
            }
        }
    }
    let signed = keys.current().is_some();
    let stray = |number: &&u64| !signed || !commits.contains_key(number);
    findings.extend(signatures.keys().filter(stray).map(|number| Finding::Stray(*number)));
    Checked { keys, good, findings: findings.into_iter().collect() }
}

#[cfg(test)]
mod tests;
