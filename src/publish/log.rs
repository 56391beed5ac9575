//! The commit log in memory: what is proven.
//!
//! What lives here: the chain's check, which slots and windows are recorded, and what a new record would add.
//! What this file must not know: storage.

use std::collections::{BTreeMap, HashMap};

use super::digest::sha256;
use super::record;
use crate::error::{Error, Kind, Result};
use crate::model::{
    Certificate, Commit, Counts, FileRecord, Format, Grid, Head, Layout, Level, SchemaRef, Slot, Window,
    WindowRecord,
};
use crate::store::ObjectPath;

pub(super) const FOLDER: &str = "_audit/commits";

/// Where commit `number` is.
pub(super) fn path(number: u64) -> Result<ObjectPath> {
    ObjectPath::new(format!("{FOLDER}/{number:016}.json"))
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
    /// The files, in the order of their slots; none for an empty window.
    pub files: Vec<FileRecord>,
}

/// The windows that are committed in one format, in ascending order.
pub type Coverage = BTreeMap<Window, Covered>;

/// Whether each file stands where its window, format and sequence number put it.
pub(super) fn in_their_slots(record: &WindowRecord, layout: &Layout, grid: Grid) -> bool {
    record.files.iter().all(|file| {
        Slot::parse(&file.path, layout, grid).is_some_and(|slot| {
            let within =
                slot.span.is_some_and(|span| record.window.from <= span.from && span.to <= record.window.to);
            within && slot.format == file.format && slot.sequence == file.sequence
        })
    })
}

/// All commits, checked.
#[derive(Debug)]
pub(super) struct Log {
    grid: Grid,
    layout: Layout,
    /// Digest of the newest commit; of `dataset.json` before the first.
    tip: String,
    commits: u64,
    schema: Option<SchemaRef>,
    files: HashMap<String, FileRecord>,
    windows: BTreeMap<Window, Vec<WindowRecord>>,
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
            tip: descriptor,
            commits: 0,
            schema: None,
            files: HashMap::new(),
            windows: BTreeMap::new(),
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
            if !in_their_slots(window, &self.layout, self.grid) {
                return Err(broken("a file is not where its slot is"));
            }
            if window.files.iter().any(|file| self.files.contains_key(&file.path)) {
                return Err(broken("it records a file that is recorded before"));
            }
        }
        self.take(commit);
        self.tip = sha256(bytes);
        Ok(())
    }

    fn take(&mut self, commit: Commit) {
        self.commits += 1;
        self.schema = Some(commit.schema);
        for record in commit.windows {
            self.files.extend(record.files.iter().map(|file| (file.path.clone(), file.clone())));
            self.latest.insert(record.window, commit.number);
            self.order.push(record.window);
            self.windows.entry(record.window).or_default().push(record);
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

    /// Whether a file of this window and format is recorded whose sequence number is at least `sequence`.
    pub(super) fn has_file_from(&self, window: Window, format: Format, sequence: u32) -> bool {
        let records = self.windows.get(&window).into_iter().flatten();
        records
            .flat_map(|record| &record.files)
            .any(|file| file.format == format && file.sequence >= sequence)
    }

    /// What a record still adds to this log; `None` if nothing. Files that somebody else has recorded meanwhile are
    /// left out, and their rows are known.
    pub(super) fn rebase(&self, mut record: WindowRecord) -> Result<Option<WindowRecord>> {
        for file in &record.files {
            if self.files.get(&file.path).is_some_and(|recorded| recorded.sha256 != file.sha256) {
                return Err(Error::new(Kind::Verification, "a file is recorded with another content")
                    .at("path", &file.path));
            }
        }
        record.files.retain(|file| !self.files.contains_key(&file.path));
        let sum = |format: Format| -> u64 {
            record.files.iter().filter(|file| file.format == format).map(|file| file.rows).sum()
        };
        let rows = Format::ALL.into_iter().map(sum).max().unwrap_or(0);
        let Counts { rows: before, known, .. } = record.counts;
        record.counts.rows = rows;
        record.counts.known = known.saturating_add(before.saturating_sub(rows));

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
            || evident
            || quarantined.is_none_or(|known| record.counts.quarantined > known)
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

fn covered(records: &[WindowRecord], format: Format) -> Option<Covered> {
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
    files.sort_by_key(|file| file.sequence);
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
    use crate::publish::record::tests::commit;

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
