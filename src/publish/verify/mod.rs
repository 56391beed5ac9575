//! Verification: is a dataset what its log says? Offline, reading alone, trusting nothing that it reads.
//!
//! What lives here: [`verify`], the order of the checks and what their result says, of what was not checked too. A
//! finding never ends it. Paths that the log names are opened only if they are slots below the destination; links are
//! never followed; everything read has a limit. What this module must not know: how it is shown, how events become rows.

mod agreement;
mod chain;
mod contents;
mod coverage;
mod description;
mod examine;
mod finding;
mod ids;
mod law;
mod meaning;
mod omissions;
mod quarantine;
mod raw;
mod signing;
mod tree;

pub use coverage::{Cover, Stretches};
pub use finding::{Code, Finding, Severity};
pub use law::Law;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use self::chain::Chain;
use self::contents::Pass;
use self::finding::Findings;
use self::omissions::not_checked;
use self::tree::{CONTROL, Tree};
use super::digest::sha256;
use super::signatures::PublicKey;
use super::{log, quarantine as kept};
use crate::encode::FooterKey;
use crate::error::{Error, Kind, Result};
use crate::model::{Format, Head, Slot};
use crate::store::{ObjectPath, Store};

/// Names that may stand in the control folder beside the log, the descriptor and quarantine: the lock, what is staged,
/// the trace of a store's probe, kept replies, and descriptions of CSV files.
const CONTROL_NAMES: [&str; 5] = ["lock", "staging", "probe", "raw", "csvw"];

/// How often a store is asked for a file that it does not show.
const ASKED: u32 = 5;

/// How much is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// The log, and every name and length.
    Quick,
    /// The SHA-256 of every file as well.
    Digests,
    /// Every row as well.
    Deep,
}

impl Depth {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Digests => "digests",
            Self::Deep => "deep",
        }
    }
}

/// What is to be checked, and within which limits.
#[derive(Clone, Debug)]
pub struct Verification {
    /// How much.
    pub depth: Depth,
    /// Part `n` of `t` of the files, from 1: which part a file is in follows from its path alone, and the `t` parts
    /// are all of them. `None` for every file. Names, lengths and the log are checked in any case.
    pub part: Option<(u64, u64)>,
    /// A commit that was noted down elsewhere.
    pub head: Option<Head>,
    /// A range that must be covered.
    pub cover: Option<Cover>,
    /// Findings that are kept; all are counted.
    pub findings: usize,
    /// Bytes of a data file, at most.
    pub file_limit: u64,
    /// Bytes that a decoded file may take.
    pub memory: u64,
    /// Bytes for the ids of the dataset; one takes 20.
    pub id_memory: u64,
    /// The key of encrypted Parquet files.
    pub key: Option<FooterKey>,
    /// The key that the auditor trusts.
    pub public_key: Option<PublicKey>,
}

impl Default for Verification {
    /// Digests of every file; 1,000 findings; files of 4 GiB, 4 GiB decoded, 1 GiB for ids.
    fn default() -> Self {
        Self {
            depth: Depth::Digests,
            part: None,
            head: None,
            cover: None,
            findings: 1_000,
            file_limit: 4 << 30,
            memory: 4 << 30,
            id_memory: 1 << 30,
            key: None,
            public_key: None,
        }
    }
}

impl Verification {
    /// Whether a file is in the part that is checked.
    fn takes(&self, path: &str) -> bool {
        let Some((part, parts)) = self.part else { return true };
        let digest = sha256(path.as_bytes());
        let number = digest.get(..15).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0);
        number % parts.max(1) == part.saturating_sub(1)
    }
}

/// How much was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Commits read.
    pub commits: u64,
    /// Windows that they name.
    pub windows: u64,
    /// Data files that they name.
    pub files: u64,
    /// Data files whose bytes were read, with slots that no commit names.
    pub read: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Data files that were decoded.
    pub decoded: u64,
    /// Their rows.
    pub rows: u64,
    /// Ids that were held against each other.
    pub ids: u64,
    /// Files in quarantine.
    pub quarantined: u64,
    /// Slots that no commit names.
    pub uncommitted: u64,
    /// Decoded files whose typed columns were not held against their events: another version of the table.
    pub lawless: u64,
    /// Decoded files whose events could not be compared: the table does not know their columns.
    pub unread: u64,
    /// Files that were not decoded, since their slot cannot be told.
    pub undecoded: u64,
    /// Encrypted files that were not decoded for want of the key.
    pub locked: u64,
    /// Files of kept replies.
    pub raw: u64,
    /// Commits whose signature is good.
    pub signed: u64,
    /// Files in quarantine whose digest no commit names.
    pub undigested: u64,
}

/// The outcome.
#[derive(Clone, Debug)]
pub struct Verified {
    /// How much was asked for.
    pub depth: Depth,
    /// How much was checked.
    pub counted: Counted,
    /// The newest commit that was read.
    pub head: Option<Head>,
    /// The time that each format covers.
    pub coverage: Vec<Stretches>,
    /// The findings that were kept.
    pub findings: Vec<Finding>,
    /// How many there were of each kind.
    pub counts: BTreeMap<Code, u64>,
    /// What this run does not say, as sentences.
    pub not_checked: Vec<String>,
}

impl Verified {
    /// Takes in what was found elsewhere of the same dataset.
    pub fn add(&mut self, code: Code, place: &str, detail: &str) {
        *self.counts.entry(code).or_default() += 1;
        self.findings.push(Finding { code, place: place.to_owned(), detail: finding::printable(detail) });
    }

    /// Findings of this weight.
    pub fn count(&self, severity: Severity) -> u64 {
        self.counts.iter().filter(|(code, _)| code.severity() == severity).map(|(_, count)| count).sum()
    }

    /// 0 for a dataset that is what its log says; 7 if all that is wrong is that something cannot be read; else 9.
    pub fn exit_code(&self) -> u8 {
        let errors: Vec<Code> =
            self.counts.keys().copied().filter(|code| code.severity() == Severity::Error).collect();
        match errors.as_slice() {
            [] => 0,
            [Code::Unreadable] => Kind::Storage.exit_code(),
            _ => Kind::Verification.exit_code(),
        }
    }
}

/// Checks a dataset. The law is what `deep` checks rows by.
///
/// # Errors
/// [`Kind::Usage`] when there is no dataset at all; [`Kind::Storage`] when the destination cannot be listed.
/// Whatever is wrong with the dataset is a finding.
pub async fn verify(store: &dyn Store, request: &Verification, law: &Arc<Law>) -> Result<Verified> {
    let mut findings = Findings::new(request.findings);
    // The tree first: what a run commits meanwhile is in the log and then not taken for uncommitted.
    let tree = Tree::read(store, &mut findings).await?;
    if !tree.control && tree.files.is_empty() && tree.barred.is_empty() {
        return Err(Error::usage("there is no dataset")
            .at("destination", store.describe())
            .hint("give the folder that holds _audit"));
    }
    let chain = Chain::read(store, &tree, &mut findings).await?;
    if let Some(head) = &request.head {
        chain.check_head(head, &mut findings);
    }
    if let (Some(key), Some(spec)) = (&request.key, &chain.spec)
        && spec.layout.footer_key.as_ref() != Some(&key.id())
    {
        return Err(Error::usage("the key is not the one that the dataset is encrypted with")
            .at("dataset", spec.layout.footer_key.as_deref().unwrap_or("not encrypted"))
            .at("key", key.id()));
    }
    let signatures = signing::check(store, &tree, &chain, request.public_key, &mut findings).await?;
    let uncommitted = names(&tree, &chain, &mut findings);
    let damaged = lengths(store, &tree, &chain, request, &mut findings).await?;
    let contents = request.depth > Depth::Quick;
    let kept = quarantine::check(store, &tree, &chain, contents, &mut findings).await?;
    let raw = raw::check(store, &tree, &chain, contents, &mut findings).await?;
    description::check(store, &tree, &chain, law, &mut findings).await?;
    let coverage = coverage::stretches(&chain.windows, &mut findings);
    if let Some(cover) = &request.cover {
        coverage::check(&chain.windows, cover, &mut findings);
    }
    let length = |items: usize| u64::try_from(items).unwrap_or(u64::MAX);
    let mut counted = Counted {
        commits: chain.commits,
        windows: length(chain.windows.len()),
        files: length(chain.files.len()),
        quarantined: kept.files,
        undigested: kept.unnamed,
        raw,
        signed: signatures.good,
        uncommitted: length(uncommitted.len()),
        ..Counted::default()
    };
    if contents {
        let (counted, findings) = (&mut counted, &mut findings);
        Pass { store, chain: &chain, request, law, kept: &kept, counted, findings }
            .run(uncommitted, &damaged)
            .await?;
    }
    Ok(Verified {
        depth: request.depth,
        not_checked: not_checked(request, &chain, &counted, &findings, signatures.keys),
        counted,
        head: chain.head,
        coverage,
        findings: findings.kept,
        counts: findings.counts,
    })
}

/// Holds the names that are there against the log; gives the slots that it does not name.
fn names(tree: &Tree, chain: &Chain, findings: &mut Findings) -> Vec<(String, Slot)> {
    let mut uncommitted = Vec::new();
    for format in Format::ALL {
        for name in tree.below(format.name()) {
            let path = format!("{}/{name}", format.name());
            if chain.files.contains_key(&path) {
                continue;
            }
            let slot = chain.spec.as_ref().and_then(|spec| Slot::parse(&path, &spec.layout, spec.grid));
            match slot {
                Some(slot) => {
                    findings.add(Code::Uncommitted, &path, "no commit names it");
                    uncommitted.push((path, slot));
                }
                None => findings.add(Code::Foreign, &path, "it is no slot of this dataset"),
            }
        }
    }
    for name in tree.below(CONTROL) {
        let (first, rest) = name.split_once('/').unwrap_or((name, ""));
        let known = match first {
            "dataset.json" => rest.is_empty(),
            "commits" => log::number(rest.strip_suffix(".sig").unwrap_or(rest)).is_some(),
            "quarantine" => kept::parse(rest).is_some(),
            other => CONTROL_NAMES.contains(&other),
        };
        if !known {
            findings.add(Code::Foreign, format!("{CONTROL}/{name}"), "no control file has such a name");
        }
    }
    uncommitted
}

/// Holds the lengths of the files against the log; gives those with which something is wrong.
async fn lengths(
    store: &dyn Store,
    tree: &Tree,
    chain: &Chain,
    request: &Verification,
    findings: &mut Findings,
) -> Result<HashSet<String>> {
    let mut damaged = HashSet::new();
    for (path, named) in &chain.files {
        if tree.bars(path) {
            damaged.insert(path.clone());
            continue;
        }
        let object = ObjectPath::new(path.as_str())?;
        let mut found = store.size(&object).await;
        // A listing or an answer may be behind; what several answers say is so.
        for _ in 1..ASKED {
            if matches!(found, Ok(Some(_))) {
                break;
            }
            found = store.size(&object).await;
        }
        let flaw = match found {
            Ok(Some(length)) if length != named.file.bytes => {
                Some((Code::FileLength, format!("{length} bytes instead of {}", named.file.bytes)))
            }
            Ok(Some(length)) if length > request.file_limit && request.depth > Depth::Quick => {
                Some((Code::Limit, format!("{length} bytes are more than the limit for a file")))
            }
            Ok(Some(_)) => None,
            Ok(None) => Some((Code::FileMissing, format!("named by commit {}", named.commit))),
            Err(cause) => Some((Code::Unreadable, cause.to_string())),
        };
        if let Some((code, detail)) = flaw {
            findings.add(code, path, detail);
            damaged.insert(path.clone());
        }
    }
    Ok(damaged)
}
