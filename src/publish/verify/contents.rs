//! The pass over the data files: every byte read once, one file at a time.
//!
//! What lives here: [`Pass`]. Files are taken window by window, so that what must agree is at hand together and
//! forgotten afterwards. What this file must not know: the log's form, how a file is decoded.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;

use super::agreement::{Agreement, Claim};
use super::chain::{Chain, Named};
use super::examine::{Subject, examine};
use super::finding::{Code, Findings};
use super::ids::Ids;
use super::law::Law;
use super::quarantine::Kept;
use super::{Counted, Depth, Verification};
use crate::encode::{ReadLimits, Settings};
use crate::error::{Error, Result};
use crate::model::{Format, Slot, Window};
use crate::publish::digest::sha256;
use crate::publish::{register, slots::compute};
use crate::store::{ObjectPath, Store};

/// Rows of a slot that no commit counts, at most.
const UNCOUNTED_ROWS: u64 = 50_000_000;

/// A file to read.
struct Place {
    path: String,
    slot: Option<Slot>,
    named: Option<Named>,
}

/// The pass and what it has met.
pub(super) struct Pass<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) chain: &'a Chain,
    pub(super) request: &'a Verification,
    pub(super) law: &'a Arc<Law>,
    pub(super) kept: &'a Kept,
    pub(super) counted: &'a mut Counted,
    pub(super) findings: &'a mut Findings,
}

impl Pass<'_> {
    /// Reads the files that are there with the right length, and the slots that no commit names. `damaged` are files
    /// of which something is wrong already.
    pub(super) async fn run(
        &mut self,
        uncommitted: Vec<(String, Slot)>,
        damaged: &HashSet<String>,
    ) -> Result<()> {
        let mut windows: BTreeMap<Option<Window>, Vec<Place>> = BTreeMap::new();
        for (path, named) in &self.chain.files {
            let slot = self.slot(path);
            let place = Place { path: path.clone(), slot, named: Some(named.clone()) };
            windows.entry(named.window).or_default().push(place);
        }
        for (path, slot) in uncommitted {
            let grid = self.chain.spec.as_ref().map(|spec| spec.grid);
            let window = slot.span.zip(grid).map(|(span, grid)| grid.window(span.from));
            windows.entry(window).or_default().push(Place { path, slot: Some(slot), named: None });
        }
        let digests: HashSet<&str> =
            self.chain.files.values().map(|named| named.file.sha256.as_str()).collect();
        let mut ids = Ids::new(self.request.id_memory);
        for (window, places) in windows {
            let mut agreement = Agreement::default();
            for place in places {
                let sound = !damaged.contains(&place.path)
                    && self.file(&place, &digests, &mut ids, &mut agreement).await?;
                if let (false, Some(named)) = (sound, &place.named) {
                    agreement.damage(named.file.format);
                }
            }
            if self.request.depth == Depth::Deep {
                let claims: Vec<Claim<'_>> = match window {
                    Some(window) => {
                        self.chain.windows.get(&window).into_iter().flatten().map(Claim::from).collect()
                    }
                    None => self.chain.undated.iter().map(Claim::from).collect(),
                };
                let place = window.map_or_else(|| "undated".to_owned(), |window| window.to_string());
                let excused = self.kept.other_contents(window);
                agreement.check(&place, &claims, &excused, self.findings);
            }
        }
        if self.request.depth == Depth::Deep {
            self.counted.ids = ids.finish(self.findings);
        }
        Ok(())
    }

    fn slot(&self, path: &str) -> Option<Slot> {
        let spec = self.chain.spec.as_ref()?;
        Slot::parse(path, &spec.layout, spec.grid)
    }

    /// One file; says whether it is what the log says.
    async fn file(
        &mut self,
        place: &Place,
        digests: &HashSet<&str>,
        ids: &mut Ids,
        agreement: &mut Agreement,
    ) -> Result<bool> {
        if !self.request.takes(&place.path) {
            return Ok(true);
        }
        let bytes = match self.read(&place.path).await {
            Ok(Some(bytes)) => bytes,
            // It was there a moment ago; nobody removes files of a dataset.
            Ok(None) => {
                self.findings.add(Code::FileMissing, &place.path, "it disappeared while it was checked");
                return Ok(false);
            }
            Err(cause) => {
                self.findings.add(Code::Unreadable, &place.path, cause.to_string());
                return Ok(false);
            }
        };
        self.counted.read += 1;
        self.counted.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let hashed = bytes.clone();
        let digest = compute(bytes.len(), move || Ok(sha256(&hashed))).await?;
        match &place.named {
            Some(named) if digest != named.file.sha256 => {
                let detail = format!("it is {digest}; named by commit {}", named.commit);
                self.findings.add(Code::FileDigest, &place.path, detail);
                return Ok(false);
            }
            None if digests.contains(digest.as_str()) => {
                self.findings.add(Code::Copy, &place.path, format!("its SHA-256 is {digest}"));
                return Ok(false);
            }
            _ => {}
        }
        if self.request.depth != Depth::Deep {
            return Ok(true);
        }
        self.deep(place, bytes, ids, agreement).await
    }

    async fn read(&self, path: &str) -> Result<Option<Bytes>> {
        register::read(self.store, &ObjectPath::new(path)?, self.request.file_limit).await
    }

    async fn deep(
        &mut self,
        place: &Place,
        bytes: Bytes,
        ids: &mut Ids,
        agreement: &mut Agreement,
    ) -> Result<bool> {
        let (Some(slot), Some(spec)) = (place.slot.clone(), &self.chain.spec) else {
            self.counted.undecoded += 1;
            return Ok(false);
        };
        let format = slot.format;
        let mut settings = Settings::new(spec.layout.clone());
        settings.key.clone_from(&self.request.key);
        if format == Format::Parquet && spec.layout.footer_key.is_some() && settings.key.is_none() {
            self.counted.locked += 1;
            return Ok(false);
        }
        // One more than the log counts, so that a surplus is seen as such.
        let rows = place.named.as_ref().map_or(UNCOUNTED_ROWS, |named| named.file.rows.saturating_add(1));
        let limits = ReadLimits { rows, memory: self.request.memory };
        let subject = Subject { slot, named: place.named.clone(), settings, limits };
        let law = Arc::clone(self.law);
        // Decoding makes about eight times the bytes.
        let size = bytes.len().saturating_mul(8);
        let examined = compute(size, move || Ok(examine(bytes, &subject, &law))).await;
        let examined = examined.map_err(|cause: Error| cause.at("path", &place.path))?;
        let sound = examined.flaws.is_empty();
        for (code, detail) in &examined.flaws {
            self.findings.add(*code, &place.path, detail);
        }
        self.counted.decoded += 1;
        self.counted.rows += u64::try_from(examined.facts.len()).unwrap_or(u64::MAX);
        self.counted.lawless += u64::from(!examined.lawful);
        self.counted.unread += u64::from(!examined.readable);
        ids.add(format, &place.path, examined.facts.iter().map(|fact| fact.id));
        if let Some(named) = &place.named {
            agreement.add(format, &examined.facts, named.commit, &named.formats);
        }
        Ok(sound
            || !examined.flaws.iter().any(|(code, _)| matches!(code, Code::Undecodable | Code::Unreadable)))
    }
}
