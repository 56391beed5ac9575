//! What verification finds: stable codes, their weight, and a bounded list.
//!
//! What lives here: [`Code`], [`Finding`] and [`Findings`]. Codes are never given another meaning; V30 to V39 belong to
//! signatures. What this file must not know: how anything is found.

use std::collections::BTreeMap;

/// Letters of a text from outside that a finding shows.
const SHOWN: usize = 300;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The dataset is not what its log says, or not what was asked for.
    Error,
    /// Something to know that a sound dataset can have, for example while a run is in flight.
    Warning,
}

impl Severity {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $severity:ident, $meaning:literal;)*) => {
        /// The kind of a finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// Every code, ascending.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable name: `V` and two digits.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Its weight.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What it means, as one clause.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

codes! {
    FileMissing = "V01", Error, "a file that the log names is missing";
    FileLength = "V02", Error, "a file has another length than the log says";
    FileDigest = "V03", Error, "a file has another SHA-256 than the log says";
    Unreadable = "V04", Error, "something cannot be read, so that it is not checked";
    Copy = "V05", Error, "a slot that the log does not name holds a copy of a committed file";
    Foreign = "V06", Error, "something is where only the dataset's own files belong";
    NotAFile = "V07", Error, "a symbolic link, a device or the like, which is never followed";
    Quarantine = "V08", Error, "quarantine is not what the log says";
    Raw = "V09", Error, "kept replies are not what the log says";
    Descriptor = "V10", Error, "dataset.json is missing or not readable";
    CommitMissing = "V11", Error, "a commit is missing although a later one is there";
    CommitUnreadable = "V12", Error, "a commit is damaged or does not agree with itself";
    Chain = "V13", Error, "a commit does not continue the one before it";
    Misplaced = "V14", Error, "a commit says what it cannot say: number, window, slot or a file named twice";
    HeadMissing = "V15", Error, "the log ends before the expected commit";
    HeadDiffers = "V16", Error, "the expected commit has another SHA-256";
    Uncommitted = "V20", Warning, "a slot that the log does not name: a run is in flight or was interrupted";
    Gap = "V24", Warning, "windows between the first and the last are not committed";
    NotCovered = "V25", Error, "a range that must be covered is not, or not at the level asked for";
    NotSigned = "V30", Error, "a key was expected and the log is not signed";
    KeyNotExpected = "V31", Error, "the expected key is none of the log's";
    KeyNotEndorsed = "V32", Error, "a commit names a key that the key before it has not signed";
    SignatureMissing = "V33", Error, "a commit of a signed log has no signature";
    SignatureBad = "V34", Error, "what stands beside a commit is no signature of it";
    SignatureKey = "V35", Error, "a commit is signed with a key that is not in force there";
    SignatureStray = "V36", Error, "a signature stands there without a commit or a key";
    NotYetSigned = "V37", Warning, "the newest commit is not signed: a run is in flight or was interrupted";
    Undecodable = "V40", Error, "a file cannot be decoded as rows of a dataset";
    Rows = "V41", Error, "a file holds another number of rows than the log says";
    Extent = "V42", Error, "a file's smallest or largest created_at is not what the log says";
    OutOfWindow = "V43", Error, "a row lies outside the window or slice of its file";
    Order = "V44", Error, "rows are not sorted by created_at and id";
    WrongPartition = "V45", Error, "a row lies in the folder of another value";
    Twice = "V46", Error, "an id occurs twice in one format";
    FormatsIds = "V47", Error, "formats that were committed together do not hold the same events";
    FormatsContent = "V48", Error, "formats that were committed together hold an event with different contents";
    Columns = "V49", Error, "typed columns do not agree with the event that the row gives back";
    FormatBehind = "V50", Warning, "a format lacks events that were committed for another one alone";
    Limit = "V51", Error, "a limit was reached before everything was checked";
    FormatsApart = "V52", Warning, "formats that were committed apart hold an event with different contents";
    Evidence = "V53", Error, "kept replies do not give what the log and the files say";
    Description = "V54", Warning, "the description of CSV files is not the one that this version writes";
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub code: Code,
    /// Path below the destination, window or commit; printable.
    pub place: String,
    /// What was found there; printable.
    pub detail: String,
}

/// All findings, of which so many are kept.
#[derive(Debug)]
pub(super) struct Findings {
    limit: usize,
    pub(super) kept: Vec<Finding>,
    pub(super) counts: BTreeMap<Code, u64>,
}

impl Findings {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, kept: Vec::new(), counts: BTreeMap::new() }
    }

    /// Takes one in; counted even if the list is full.
    pub(super) fn add(&mut self, code: Code, place: impl AsRef<str>, detail: impl AsRef<str>) {
        *self.counts.entry(code).or_default() += 1;
        if self.kept.len() < self.limit {
            let (place, detail) = (printable(place.as_ref()), printable(detail.as_ref()));
            self.kept.push(Finding { code, place, detail });
        }
    }

    pub(super) fn has(&self, code: Code) -> bool {
        self.counts.contains_key(&code)
    }
}

/// Names and ids come from outside: nothing in them may drive a terminal or fill it.
pub(super) fn printable(text: &str) -> String {
    let plain = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
    let mut shown: String = text.chars().take(SHOWN).map(plain).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend() {
        let names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert!(names.is_sorted(), "{names:?}");
    }

    #[test]
    fn the_list_is_bounded_and_the_counts_are_not() {
        let mut findings = Findings::new(2);
        for _ in 0..5 {
            findings.add(Code::Foreign, "a\u{1b}[2J", "x".repeat(2_000));
        }
        assert_eq!((findings.kept.len(), findings.counts[&Code::Foreign]), (2, 5));
        assert!(!findings.kept[0].place.contains('\u{1b}') && findings.kept[0].detail.len() < 400);
    }
}
