//! Quarantine held against what the log says of it.
//!
//! What lives here: [`Kept`], the lines of a window's files, and their checks. What this file must not know: why an
//! event cannot be a row.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::chain::Chain;
use super::finding::{Code, Findings};
use super::ids;
use super::meaning::Digest;
use super::tree::Tree;
use crate::error::Result;
use crate::model::{Flaw, Window, slot};
use crate::publish::digest::sha256;
use crate::publish::quarantine::{FOLDER, MAX_FILE, UNDATED, parse};
use crate::publish::{canonical, register};
use crate::store::{ObjectPath, Store};

/// What quarantine holds.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) files: u64,
    pub(super) lines: u64,
    /// Files whose digest the log does not name.
    pub(super) unnamed: u64,
    /// Ids by the name of their window's files, of events whose other content is in a data file.
    contents: BTreeMap<String, HashSet<Digest>>,
}

impl Kept {
    /// Ids of a window of which two contents are known.
    pub(super) fn other_contents(&self, window: Option<Window>) -> HashSet<Digest> {
        self.contents.get(&slot::name(window)).cloned().unwrap_or_default()
    }
}

/// Checks every file: read with `contents`, else for being there alone.
pub(super) async fn check(
    store: &dyn Store,
    tree: &Tree,
    chain: &Chain,
    contents: bool,
    findings: &mut Findings,
) -> Result<Kept> {
    let mut kept = Kept::default();
    let mut named: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    let mut wanted: BTreeMap<String, Window> = BTreeMap::new();
    for (window, records) in &chain.windows {
        for record in records {
            for file in &record.quarantine {
                named.insert(&file.path, (file.bytes, &file.sha256));
            }
            if record.counts.quarantined > 0 {
                wanted.insert(slot::name(Some(*window)), *window);
            }
        }
    }
    for file in chain.undated.iter().flat_map(|record| &record.quarantine) {
        named.insert(&file.path, (file.bytes, &file.sha256));
    }
    for path in named.keys() {
        if !tree.files.contains(*path) && !tree.bars(path) {
            findings.add(Code::Quarantine, path, "the log names it and it is missing");
        }
    }
    let mut present: BTreeSet<String> = BTreeSet::new();
    let mut seen: (String, HashSet<Digest>) = (String::new(), HashSet::new());
    for name in tree.below(FOLDER) {
        let Some((stem, _)) = parse(name) else { continue };
        let path = format!("{FOLDER}/{name}");
        present.insert(stem.to_owned());
        kept.files += 1;
        let known = named.get(path.as_str());
        if known.is_none() {
            kept.unnamed += 1;
        }
        if known.is_none() && stem != UNDATED && !wanted.contains_key(stem) {
            findings.add(Code::Uncommitted, &path, "no commit counts events of this window in quarantine");
        }
        if !contents {
            continue;
        }
        if seen.0 != stem {
            seen = (stem.to_owned(), HashSet::new());
        }
        let bytes = match register::read(store, &ObjectPath::new(path.as_str())?, MAX_FILE).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => continue,
            Err(cause) => {
                findings.add(Code::Unreadable, &path, cause.to_string());
                continue;
            }
        };
        if known.is_some_and(|(length, digest)| {
            u64::try_from(bytes.len()).ok() != Some(*length) || sha256(&bytes) != *digest
        }) {
            findings.add(Code::Quarantine, &path, "it is not the file that the log names");
            continue;
        }
        match lines(&bytes, &mut seen.1) {
            Err(why) => findings.add(Code::Quarantine, &path, why),
            Ok((lines, contents)) => {
                kept.lines += lines;
                kept.contents.entry(stem.to_owned()).or_default().extend(contents);
            }
        }
    }
    for (stem, window) in wanted {
        if !present.contains(&stem) {
            let detail = "the log counts events in quarantine and there is no file of them";
            findings.add(Code::Quarantine, window.to_string(), detail);
        }
    }
    Ok(kept)
}

/// Reads a file's lines: how many, and the ids whose other content is in a data file.
fn lines(bytes: &[u8], seen: &mut HashSet<Digest>) -> Result<(u64, HashSet<Digest>), String> {
    let (mut count, mut contents) = (0, HashSet::new());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        count += 1;
        let refused = |why: &str| format!("line {count}: {why}");
        let text = line.strip_suffix(b"\n").ok_or_else(|| refused("it has no end"))?;
        let members: BTreeMap<String, String> =
            canonical::read_long(text).map_err(|_| refused("no such record"))?;
        let mut keys = members.keys().map(String::as_str);
        let shape = (keys.next(), keys.next(), keys.next(), keys.next());
        if !matches!(
            shape,
            (Some("flaw"), Some("id"), Some("text"), None) | (Some("base64"), Some("flaw"), Some("id"), None)
        ) {
            return Err(refused("other members"));
        }
        let id = members.get("id").map(|id| ids::digest(id)).unwrap_or_default();
        if members.get("flaw").map(String::as_str) == Some(Flaw::OtherContent.name()) {
            contents.insert(id);
        }
        if !seen.insert(ids::digest(&String::from_utf8_lossy(text))) {
            return Err(refused("it stands here twice"));
        }
    }
    if count == 0 { Err("it is empty".to_owned()) } else { Ok((count, contents)) }
}
