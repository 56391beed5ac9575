//! The log, read to its end whatever is wrong with it.
//!
//! What lives here: [`Chain`]. A run refuses a broken log at its first flaw; an auditor wants all of them, and whatever
//! can still be read. What this file must not know: data files' content, what is covered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use super::finding::{Code, Findings};
use super::tree::Tree;
use crate::error::Result;
use crate::model::{
    Commit, FileRecord, Format, Head, RawRecord, SchemaRef, Slot, UndatedRecord, Window, WindowRecord,
};
use crate::publish::dataset::{DESCRIPTOR, MAX_CONTROL};
use crate::publish::descriptor::Spec;
use crate::publish::digest::sha256;
use crate::publish::{log, record, register};
use crate::store::{ObjectPath, Store};

/// A data file as the log names it.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) file: FileRecord,
    /// Its window; `None` for rows without a time.
    pub(super) window: Option<Window>,
    pub(super) commit: u64,
    pub(super) schema: Arc<SchemaRef>,
    /// The formats that were committed together with it.
    pub(super) formats: Vec<Format>,
}

/// What could be read of the log.
#[derive(Debug, Default)]
pub(super) struct Chain {
    pub(super) spec: Option<Spec>,
    /// Commits that were read.
    pub(super) commits: u64,
    pub(super) head: Option<Head>,
    /// Digests of the commits that an anchor may name.
    digests: BTreeMap<u64, String>,
    pub(super) files: BTreeMap<String, Named>,
    pub(super) windows: BTreeMap<Window, Vec<WindowRecord>>,
    /// What the commits say of rows without a time.
    pub(super) undated: Vec<UndatedRecord>,
    /// The files of kept replies.
    pub(super) raw: BTreeMap<String, RawRecord>,
    /// `dataset.json`, and the commits' bytes: what signatures are over.
    pub(super) descriptor: Bytes,
    pub(super) texts: Vec<(u64, Bytes)>,
    /// Files of quarantine that a commit names.
    kept: BTreeSet<String>,
}

impl Chain {
    /// Reads the descriptor and every commit. Errors are findings.
    pub(super) async fn read(store: &dyn Store, tree: &Tree, findings: &mut Findings) -> Result<Self> {
        let mut chain = Self::default();
        let mut tip = None;
        if let Some(bytes) = control(store, tree, DESCRIPTOR, findings).await? {
            match Spec::parse(&bytes) {
                Ok(spec) => chain.spec = Some(spec),
                Err(cause) => findings.add(Code::Descriptor, DESCRIPTOR, cause.to_string()),
            }
            tip = Some(sha256(&bytes));
            chain.descriptor = bytes;
        } else if !tree.bars(DESCRIPTOR) {
            findings.add(Code::Descriptor, DESCRIPTOR, "it is missing");
        }
        let numbers: BTreeSet<u64> = tree.below(log::FOLDER).filter_map(log::number).collect();
        let mut next = 0;
        for number in numbers {
            if number > next {
                let last = number - 1;
                let which =
                    if last == next { format!("commit {next}") } else { format!("commits {next} to {last}") };
                findings.add(Code::CommitMissing, log::FOLDER, which);
                tip = None;
            }
            tip = chain.take(store, tree, number, tip, findings).await?;
            next = number + 1;
        }
        // A listing may be incomplete, or another run may have committed since.
        loop {
            let path = log::path(next)?;
            if tree.bars(path.as_str()) {
                return Ok(chain);
            }
            match register::read(store, &path, MAX_CONTROL).await {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(chain),
                Err(cause) => {
                    findings.add(Code::Unreadable, path.as_str(), cause.to_string());
                    return Ok(chain);
                }
            }
            tip = chain.take(store, tree, next, tip, findings).await?;
            next += 1;
        }
    }

    /// Reads one commit; gives what the next one chains to.
    async fn take(
        &mut self,
        store: &dyn Store,
        tree: &Tree,
        number: u64,
        tip: Option<String>,
        findings: &mut Findings,
    ) -> Result<Option<String>> {
        let path = log::path(number)?;
        let Some(bytes) = control(store, tree, path.as_str(), findings).await? else {
            findings.add(Code::CommitMissing, path.as_str(), "it cannot be read");
            return Ok(None);
        };
        self.commits += 1;
        let digest = sha256(&bytes);
        self.digests.insert(number, digest.clone());
        self.head = Some(Head { number, sha256: digest.clone() });
        match record::read(&bytes) {
            Err(cause) => findings.add(Code::CommitUnreadable, path.as_str(), cause.to_string()),
            Ok(commit) => {
                if commit.number != number {
                    let detail = format!("it says that it is commit {}", commit.number);
                    findings.add(Code::Misplaced, path.as_str(), detail);
                }
                if tip.is_some_and(|tip| tip != commit.previous) {
                    let detail = format!("it continues {}", commit.previous);
                    findings.add(Code::Chain, path.as_str(), detail);
                }
                self.enter(commit, number, path.as_str(), findings);
            }
        }
        self.texts.push((number, bytes));
        Ok(Some(digest))
    }

    fn enter(&mut self, commit: Commit, number: u64, path: &str, findings: &mut Findings) {
        let schema = Arc::new(commit.schema);
        for record in commit.windows {
            if self.spec.as_ref().is_some_and(|spec| spec.grid.window(record.window.from) != record.window) {
                let detail = format!("{} is no window of the grid", record.window);
                findings.add(Code::Misplaced, path, detail);
            }
            for file in &record.files {
                self.enter_file(file, Some(record.window), number, &schema, &record.formats, findings);
            }
            if let Some(raw) = &record.raw {
                let path = raw.path.clone();
                let known = self.raw.entry(path).or_insert_with(|| raw.clone());
                if known != raw {
                    findings.add(Code::Misplaced, &raw.path, "another commit says something else of it");
                }
            }
            for kept in &record.quarantine {
                if !self.kept.insert(kept.path.clone()) {
                    findings.add(Code::Misplaced, &kept.path, "an earlier commit names it too");
                }
            }
            self.windows.entry(record.window).or_default().push(record);
        }
        if let Some(record) = commit.undated {
            for file in &record.files {
                self.enter_file(file, None, number, &schema, &record.formats, findings);
            }
            for kept in &record.quarantine {
                if !self.kept.insert(kept.path.clone()) {
                    findings.add(Code::Misplaced, &kept.path, "an earlier commit names it too");
                }
            }
            self.undated.push(record);
        }
    }

    fn enter_file(
        &mut self,
        file: &FileRecord,
        window: Option<Window>,
        commit: u64,
        schema: &Arc<SchemaRef>,
        formats: &[Format],
        findings: &mut Findings,
    ) {
        let mut misplaced = |why: &str| {
            findings.add(Code::Misplaced, &file.path, format!("{why}; named by commit {commit}"));
        };
        if ObjectPath::new(file.path.as_str()).is_err() {
            return misplaced("not a path below the destination");
        }
        if let Some(spec) = &self.spec {
            let fits = Slot::parse(&file.path, &spec.layout, spec.grid).is_some_and(|slot| {
                let within = match (slot.span, window) {
                    (Some(span), Some(window)) => window.from <= span.from && span.to <= window.to,
                    (None, None) => true,
                    _ => false,
                };
                within && slot.format == file.format && slot.sequence == file.sequence
            });
            if !fits {
                return misplaced("not the slot of its window, format and sequence number");
            }
        }
        if self.files.contains_key(&file.path) {
            return misplaced("an earlier commit names it too");
        }
        let (file, schema, formats) = (file.clone(), Arc::clone(schema), formats.to_vec());
        self.files.insert(file.path.clone(), Named { file, window, commit, schema, formats });
    }

    /// Holds the log against a commit that was noted down elsewhere.
    pub(super) fn check_head(&self, expected: &Head, findings: &mut Findings) {
        let place = format!("commit {}", expected.number);
        match self.digests.get(&expected.number) {
            Some(digest) if *digest == expected.sha256 => {}
            Some(digest) => findings.add(Code::HeadDiffers, place, format!("it is {digest}")),
            None => {
                let end = self.head.as_ref().map_or_else(
                    || "the log is empty".to_owned(),
                    |head| format!("the last commit is {}", head.number),
                );
                findings.add(Code::HeadMissing, place, end);
            }
        }
    }
}

/// A control file's bytes; `None` if it is absent or cannot be read, which is then a finding.
pub(super) async fn control(
    store: &dyn Store,
    tree: &Tree,
    path: &str,
    findings: &mut Findings,
) -> Result<Option<Bytes>> {
    if tree.bars(path) {
        return Ok(None);
    }
    match register::read(store, &ObjectPath::new(path)?, MAX_CONTROL).await {
        Ok(found) => Ok(found),
        Err(cause) => {
            findings.add(Code::Unreadable, path, cause.to_string());
            Ok(None)
        }
    }
}
