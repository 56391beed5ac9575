//! The commit log in memory: what is proven.
//!
//! What lives here: the chain's check, which slots and windows are recorded, and what a new record would add.
//! What this file must not know: storage.

use std::collections::{BTreeMap, HashMap};

use super::digest::sha256;
use super::record;
use super::signatures::{Keys, NotEndorsed, commit_text};
use crate::error::{Error, Kind, Result};
use crate::model::{
    Certificate, Commit, Counts, FileRecord, Format, Grid, Head, Layout, Level, SchemaRef, Slot,
    UndatedRecord, Window, WindowRecord,
};
use crate::store::ObjectPath;

pub(super) const FOLDER: &str = "_audit/commits";

/// Where commit `number` is.
pub(super) fn path(number: u64) -> Result<ObjectPath> {
    ObjectPath::new(format!("{FOLDER}/{number:016}.json"))
}

/// Where the signature of commit `number` is.
pub(super) fn signature_path(number: u64) -> Result<ObjectPath> {
    ObjectPath::new(format!("{FOLDER}/{number:016}.json.sig"))
}

/// The number of a commit's file name; `None` for a name that is none.
pub(super) fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".json")?;
    let plain = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok())?
}

/// What the log says of one window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    /// How the events became certain, by the newest proven record about this format; by the newest if none is proven.
    pub certificate: Certificate,
    /// Events that became rows, over all records.
    pub rows: u64,
    /// Events in quarantine, by the record that has most.
    pub quarantined: u64,
    /// The files, sorted by path: by partition, part and sequence number; none for an empty window.
    pub files: Vec<FileRecord>,
}

/// The windows that are committed in one format, in ascending order.
pub type Coverage = BTreeMap<Window, Covered>;

/// Whether each file stands where its window, format and sequence number put it, and holds rows of its part alone;
/// without a window, where rows without a time belong.
pub(super) fn in_their_slots(
    window: Option<Window>,
    files: &[FileRecord],
    layout: &Layout,
    grid: Grid,
) -> bool {
    files.iter().all(|file| {
        Slot::parse(&file.path, layout, grid).is_some_and(|slot| {
            let within = match (slot.span, window) {
                (Some(span), Some(window)) => window.from <= span.from && span.to <= window.to,
                (None, None) => true,
                _ => false,
            };
            let (from, to) = (slot.span.map(|span| span.from), slot.span.map(|span| span.to));
            let in_part = file.created_at.is_none_or(|(min, max)| Some(min) >= from && Some(max) < to);
            within && in_part && slot.format == file.format && slot.sequence == file.sequence
        })
    })
}

/// All commits, checked.
#[cfg_attr(test, derive(Clone))]
#[derive(Debug)]
pub(super) struct Log {
    grid: Grid,
    layout: Layout,
    /// Digest of the newest commit; of `dataset.json` before the first.
    tip: String,
    /// Digest of `dataset.json`, then of each commit: what signatures are over.
    digests: Vec<String>,
    keys: Keys,
    commits: u64,
    schema: Option<SchemaRef>,
    files: HashMap<String, FileRecord>,
    /// The files of quarantine, with their digests.
    kept: HashMap<String, String>,
    windows: BTreeMap<Window, Vec<WindowRecord>>,
    /// What is recorded of events without a time, with the number of the commit.
    undated: Vec<(u64, UndatedRecord)>,
    /// The windows of all commits, in order.
    order: Vec<Window>,
    /// The commit that recorded each window last.
    latest: HashMap<Window, u64>,
    /// Commits from here on were made after this run had read the log.
    read_until: u64,
}

impl Log {
    /// An empty log of the dataset whose descriptor has this digest.
    pub(super) fn new(grid: Grid, layout: Layout, descriptor: String) -> Self {
        Self {
            grid,
            layout,
            tip: descriptor.clone(),
            digests: vec![descriptor],
            keys: Keys::default(),
            commits: 0,
            schema: None,
            files: HashMap::new(),
            kept: HashMap::new(),
            windows: BTreeMap::new(),
            undated: Vec::new(),
            order: Vec::new(),
            latest: HashMap::new(),
            read_until: 0,
        }
    }

    /// The number of the commit that would come next.
    pub(super) fn next(&self) -> u64 {
        self.commits
    }

    /// What the next commit chains to.
    pub(super) fn tip(&self) -> &str {
        &self.tip
    }

    /// The newest commit.
    pub(super) fn head(&self) -> Option<Head> {
        let number = self.commits.checked_sub(1)?;
        Some(Head { number, sha256: self.tip.clone() })
    }

    /// The keys that the commits name.
    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Digest of `dataset.json`.
    pub(super) fn dataset(&self) -> &str {
        self.digests.first().map(String::as_str).unwrap_or_default()
    }

    /// The text that the signature of a commit is over; none for a commit that is not there.
    pub(super) fn text_to_sign(&self, number: u64) -> Option<String> {
        let digest = self.digests.get(usize::try_from(number).ok()?.checked_add(1)?)?;
        Some(commit_text(self.dataset(), number, digest))
    }

    /// Marks what is known now as what the run that begins starts from.
    pub(super) fn begin(&mut self) {
        self.read_until = self.commits;
    }

    /// The table of the newest commit's files.
    pub(super) fn schema(&self) -> Option<&SchemaRef> {
        self.schema.as_ref()
    }

    /// Takes the next commit in.
    ///
    /// # Errors
    /// [`Kind::Verification`] when it is damaged, does not continue the chain, or records what is recorded.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let number = self.next();
        let broken = |why: &'static str| {
            Error::new(Kind::Verification, "the commit log is broken")
                .at("commit", number)
                .at("why", why)
                .hint("the log was changed after it was written: compare it with a copy")
        };
        let commit = record::read(bytes).map_err(|cause| cause.at("commit", number))?;
        if commit.number != number {
            return Err(broken("it has another number than its name"));
        }
        if commit.previous != self.tip {
            return Err(broken("it does not continue the commit before it"));
        }
        for window in &commit.windows {
            if self.grid.window(window.window.from) != window.window {
                return Err(broken("a window is not on the dataset's grid"));
            }
        }
        let windows = commit.windows.iter().map(|record| (Some(record.window), &record.files));
        for (window, files) in windows.chain(commit.undated.iter().map(|record| (None, &record.files))) {
            if !in_their_slots(window, files, &self.layout, self.grid) {
                return Err(broken("a file is not where its slot is"));
            }
            if files.iter().any(|file| self.files.contains_key(&file.path)) {
                return Err(broken("it records a file that is recorded before"));
            }
        }
        let mut kept = commit.windows.iter().flat_map(|window| &window.quarantine);
        if kept.any(|kept| self.kept.contains_key(&kept.path)) {
            return Err(broken("it records a file of quarantine that is recorded before"));
        }
        if let Some(key) = &commit.key {
            let dataset = self.dataset().to_owned();
            let taken = self.keys.take(number, key, &dataset, &commit.previous);
            taken.map_err(|NotEndorsed| broken("its key is not signed by the key before it"))?;
        }
        self.take(commit);
        self.tip = sha256(bytes);
        self.digests.push(self.tip.clone());
        Ok(())
    }

    fn take(&mut self, commit: Commit) {
        self.commits += 1;
        self.schema = Some(commit.schema);
        for record in commit.windows {
            self.files.extend(record.files.iter().map(|file| (file.path.clone(), file.clone())));
            self.kept.extend(record.quarantine.iter().map(|kept| (kept.path.clone(), kept.sha256.clone())));
            self.latest.insert(record.window, commit.number);
            self.order.push(record.window);
            self.windows.entry(record.window).or_default().push(record);
        }
        if let Some(record) = commit.undated {
            self.files.extend(record.files.iter().map(|file| (file.path.clone(), file.clone())));
            self.undated.push((commit.number, record));
        }
    }

    /// Every record, in the order of the commits.
    pub(super) fn records(&self) -> impl Iterator<Item = &WindowRecord> {
        let mut given: HashMap<Window, usize> = HashMap::new();
        self.order.iter().filter_map(move |window| {
            let place = given.entry(*window).or_default();
            *place += 1;
            self.windows.get(window)?.get(*place - 1)
        })
    }

    /// The recorded file at this path.
    pub(super) fn file(&self, path: &str) -> Option<&FileRecord> {
        self.files.get(path)
    }

    /// The recorded slots of a window, or of rows without a time, in this format.
    pub(super) fn slots(&self, window: Option<Window>, format: Format) -> Vec<Slot> {
        let files: Vec<&FileRecord> = match window {
            Some(window) => {
                let records = self.windows.get(&window).into_iter().flatten();
                records.flat_map(|record| &record.files).collect()
            }
            None => self.undated.iter().flat_map(|(_, record)| &record.files).collect(),
        };
        let own = files.into_iter().filter(|file| file.format == format);
        own.filter_map(|file| Slot::parse(&file.path, &self.layout, self.grid)).collect()
    }

    /// What is recorded of events without a time, in the order of the commits.
    pub(super) fn undated(&self) -> impl Iterator<Item = &UndatedRecord> {
        self.undated.iter().map(|(_, record)| record)
    }

    /// Leaves out what somebody else has recorded meanwhile: its rows are known.
    fn keep_new(&self, files: &mut Vec<FileRecord>, counts: &mut Counts) -> Result<()> {
        for file in files.iter() {
            if self.files.get(&file.path).is_some_and(|recorded| recorded.sha256 != file.sha256) {
                return Err(Error::new(Kind::Verification, "a file is recorded with another content")
                    .at("path", &file.path));
            }
        }
        files.retain(|file| !self.files.contains_key(&file.path));
        let sum = |format: Format| -> u64 {
            files.iter().filter(|file| file.format == format).map(|file| file.rows).sum()
        };
        let rows = Format::ALL.into_iter().map(sum).max().unwrap_or(0);
        counts.known = counts.known.saturating_add(counts.rows.saturating_sub(rows));
        counts.rows = rows;
        Ok(())
    }

    /// What a record still adds to this log; `None` if nothing. Files that somebody else has recorded meanwhile are
    /// left out, and their rows are known.
    pub(super) fn rebase(&self, mut record: WindowRecord) -> Result<Option<WindowRecord>> {
        self.keep_new(&mut record.files, &mut record.counts)?;
        for kept in &record.quarantine {
            if self.kept.get(&kept.path).is_some_and(|digest| *digest != kept.sha256) {
                return Err(Error::new(
                    Kind::Verification,
                    "a file of quarantine is recorded with another content",
                )
                .at("path", &kept.path));
            }
        }
        record.quarantine.retain(|kept| !self.kept.contains_key(&kept.path));

        let earlier = self.windows.get(&record.window);
        let quarantined = earlier.into_iter().flatten().map(|record| record.counts.quarantined).max();
        // Where another run has recorded the window meanwhile, its certificate may be the newer one.
        let ours = self.latest.get(&record.window).is_none_or(|commit| *commit < self.read_until);
        let renewed = |format: &Format| {
            let about = |earlier: &&WindowRecord| earlier.formats.contains(format);
            let newest = earlier.into_iter().flatten().rev().find(about);
            newest.is_none_or(|newest| ours && renews(&record, newest))
        };
        // What claims nothing says nothing new of a window that is known.
        let claims = record.certificate.level != Level::None || earlier.is_none();
        // Evidence is kept once: what a later run reads again shows the same set.
        let evident =
            record.raw.is_some() && earlier.into_iter().flatten().all(|record| record.raw.is_none());
        let adds = !record.files.is_empty()
            || !record.quarantine.is_empty()
            || evident
            || quarantined.is_none_or(|known| record.counts.quarantined > known)
            || (claims && record.formats.iter().any(renewed));
        Ok(adds.then_some(record))
    }

    /// The same for events without a time.
    pub(super) fn rebase_undated(&self, mut record: UndatedRecord) -> Result<Option<UndatedRecord>> {
        self.keep_new(&mut record.files, &mut record.counts)?;
        let ours = self.undated.last().is_none_or(|(commit, _)| *commit < self.read_until);
        let surplus = |record: &UndatedRecord| record.total.saturating_sub(record.dated);
        let renewed = |format: &Format| {
            let newest = self.undated.iter().rev().map(|(_, record)| record);
            newest.into_iter().find(|earlier| earlier.formats.contains(format)).is_none_or(|newest| {
                ours && (surplus(&record) != surplus(newest)
                    || record.counts.settled != newest.counts.settled
                    || record.level > newest.level
                    || record.vanished != newest.vanished)
            })
        };
        let claims = record.level != Level::None || self.undated.is_empty();
        let most = self.undated().map(|record| record.counts.quarantined).max().unwrap_or(0);
        let adds = !record.files.is_empty()
            || record.counts.quarantined > most
            || (claims && record.formats.iter().any(renewed));
        Ok(adds.then_some(record))
    }

    /// The windows committed in this format. A window without rows is covered in every format.
    pub(super) fn coverage(&self, format: Format) -> Coverage {
        self.windows
            .iter()
            .filter_map(|(window, records)| Some((*window, covered(records, format)?)))
            .collect()
    }
}

/// Whether a record without files still says something new: another count, another range or a higher level, or ids
/// that are gone. Otherwise a rerun would count against numbers that no longer hold, and settle again for ever.
fn renews(record: &WindowRecord, newest: &WindowRecord) -> bool {
    let (now, then) = (&record.certificate, &newest.certificate);
    now.total != then.total
        || now.range != then.range
        || now.events != then.events
        || now.level > then.level
        || record.vanished != newest.vanished
}

pub(super) fn covered(records: &[WindowRecord], format: Format) -> Option<Covered> {
    let mut files: Vec<FileRecord> = records
        .iter()
        .flat_map(|record| &record.files)
        .filter(|file| file.format == format)
        .cloned()
        .collect();
    // A window without rows is the same in every format; of others, a record is about the formats that it names.
    let empty = records.iter().all(|record| record.files.is_empty());
    let mut about: Vec<_> = records.iter().filter(|record| record.formats.contains(&format)).collect();
    if about.is_empty() && empty {
        about = records.iter().collect();
    }
    // What was added later without a proof does not undo one.
    let proven = about.iter().rev().find(|record| record.certificate.level != Level::None);
    let newest = proven.or(about.last())?;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Some(Covered {
        certificate: newest.certificate.clone(),
        rows: files.iter().map(|file| file.rows).sum(),
        quarantined: records.iter().map(|record| record.counts.quarantined).max().unwrap_or(0),
        files,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::KeyRecord;
    use crate::publish::record::tests::commit;
    use crate::publish::signatures::private::tests::private;
    use crate::publish::signatures::{PrivateKey, Signer as _, rotation_text};
    use futures::FutureExt as _;

    fn next(log: &Log, change: impl FnOnce(&mut Commit)) -> Vec<u8> {
        let mut commit = commit();
        commit.number = log.next();
        commit.previous = log.tip().to_owned();
        change(&mut commit);
        record::write(&commit).unwrap()
    }

    fn without_files(record: &mut WindowRecord) {
        record.files.clear();
        record.counts = Counts { settled: 1, quarantined: 1, ..Counts::default() };
    }

    fn log() -> Log {
        let mut log = Log::new(Grid::Day, Layout::default(), sha256(b"dataset.json"));
        let bytes = next(&log, |_| {});
        log.append(&bytes).unwrap();
        log
    }

    #[test]
    fn a_chain_is_read_and_its_head_is_the_last_digest() {
        let mut log = log();
        let bytes = next(&log, |commit| without_files(&mut commit.windows[0]));
        log.append(&bytes).unwrap();
        assert_eq!(log.head().unwrap(), Head { number: 1, sha256: sha256(&bytes) });
        assert_eq!(log.coverage(Format::Parquet).len(), 1);
    }

    #[test]
    fn every_break_of_the_chain_is_found() {
        let mut log = log();
        for (bytes, why) in [
            (next(&log, |_| {}), "recorded before"),
            (next(&log, |commit| commit.number = 7), "another number"),
            (next(&log, |commit| commit.previous = sha256(b"other")), "does not continue"),
            (
                next(&log, |commit| {
                    without_files(&mut commit.windows[0]);
                    commit.windows[0].window.to = commit.windows[0].window.to.plus_seconds(1);
                }),
                "grid",
            ),
            (next(&log, |commit| commit.windows[0].files[0].path = "../secret".to_owned()), "slot"),
            (
                next(&log, |commit| {
                    commit.windows[0].files[0].path =
                        "parquet/event_date=2026-03-01/events-20260301-s007.parquet".to_owned();
                }),
                "slot",
            ),
            (
                next(&log, |commit| {
                    commit.windows[0].files[0].path =
                        "parquet/event_date=2026-03-02/events-20260302-s000.parquet".to_owned();
                }),
                "slot",
            ),
        ] {
            let error = log.append(&bytes).unwrap_err();
            assert_eq!(error.kind(), Kind::Verification);
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn a_key_is_followed_by_one_that_it_has_signed() {
        let mut log = log();
        let (one, two) = (private(1), private(2));
        let key = |new: &PrivateKey, endorsement| {
            let record = KeyRecord { public_key: new.public_key().raw(), endorsement };
            move |commit: &mut Commit| {
                commit.windows.clear();
                commit.key = Some(record);
            }
        };
        let first = next(&log, key(&one, None));
        log.append(&first).unwrap();
        assert_eq!(log.keys().of(0), Some(one.public_key()));
        let endorsed = |by: &PrivateKey, new: &PrivateKey, previous: &str| {
            let text = rotation_text(log.dataset(), previous, &new.public_key().hex());
            Some(by.sign(&text).now_or_never().unwrap().unwrap())
        };
        let (tip, before) = (log.tip().to_owned(), log.dataset().to_owned());
        for bytes in [
            next(&log, key(&two, None)),
            next(&log, key(&two, endorsed(&two, &two, &tip))),
            next(&log, key(&two, endorsed(&one, &two, &before))),
            next(&log, key(&one, endorsed(&one, &one, &tip))),
        ] {
            let error = log.clone().append(&bytes).unwrap_err();
            assert_eq!(error.kind(), Kind::Verification);
            assert!(error.to_string().contains("not signed by the key before"), "{error}");
        }
        let good = next(&log, key(&two, endorsed(&one, &two, &tip)));
        log.append(&good).unwrap();
        assert_eq!(log.keys().current(), Some(two.public_key()));
        assert_eq!(log.keys().of(1), Some(one.public_key()));
    }

    #[test]
    fn a_record_adds_only_what_nobody_recorded() {
        let log = log();
        let record = commit().windows.remove(0);
        assert_eq!(log.rebase(record.clone()).unwrap(), None);

        let mut more = record.clone();
        more.counts.quarantined = 2;
        more.counts.settled = 4;
        let added = log.rebase(more).unwrap().unwrap();
        assert_eq!(added.counts, Counts { settled: 4, rows: 0, known: 2, quarantined: 2, ..added.counts });
        assert!(added.files.is_empty());

        let mut other = record;
        other.files[0].sha256 = sha256(b"other content");
        assert_eq!(log.rebase(other).unwrap_err().kind(), Kind::Verification);
    }

    #[test]
    fn names_of_commits_are_exact() {
        assert_eq!(path(42).unwrap().as_str(), "_audit/commits/0000000000000042.json");
        assert_eq!(number("0000000000000042.json"), Some(42));
        for name in ["42.json", "0000000000000042.json.sig", "000000000000004x.json", "+000000000000042.json"]
        {
            assert_eq!(number(name), None, "{name}");
        }
    }
}
