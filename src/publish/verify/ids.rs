//! The ids of a whole dataset, compact: sixteen bytes of digest and the file, for each row.
//!
//! What lives here: [`Ids`]. What this file must not know: rows, decoding.

use std::collections::BTreeMap;

use ring::digest::{Context, SHA256};

use super::finding::{Code, Findings};
use super::meaning::{Digest, cut};
use crate::model::Format;

/// Bytes of an entry.
const ENTRY: usize = 20;

/// Every id of every format.
#[derive(Debug)]
pub(super) struct Ids {
    /// Entries of all formats together, at most.
    limit: usize,
    held: usize,
    left_out: u64,
    files: Vec<String>,
    entries: BTreeMap<Format, Vec<[u8; ENTRY]>>,
}

/// The digest by which an id is known.
pub(super) fn digest(id: &str) -> Digest {
    let mut digest = Context::new(&SHA256);
    digest.update(id.as_bytes());
    cut(digest)
}

impl Ids {
    /// None yet; `memory` is bytes.
    pub(super) fn new(memory: u64) -> Self {
        let limit = usize::try_from(memory).unwrap_or(usize::MAX) / ENTRY;
        Self { limit, held: 0, left_out: 0, files: Vec::new(), entries: BTreeMap::new() }
    }

    /// Takes in the ids of a file.
    pub(super) fn add(&mut self, format: Format, path: &str, ids: impl Iterator<Item = Digest>) {
        let number = u32::try_from(self.files.len()).unwrap_or(u32::MAX).to_le_bytes();
        self.files.push(path.to_owned());
        let entries = self.entries.entry(format).or_default();
        for id in ids {
            if self.held >= self.limit {
                self.left_out += 1;
                continue;
            }
            let mut entry = [0; ENTRY];
            entry.iter_mut().zip(id.into_iter().chain(number)).for_each(|(to, from)| *to = from);
            entries.push(entry);
            self.held += 1;
        }
    }

    /// Finds the ids that occur twice; says how many were held against each other.
    pub(super) fn finish(mut self, findings: &mut Findings) -> u64 {
        for entries in self.entries.values_mut() {
            entries.sort_unstable();
            for (one, next) in entries.iter().zip(entries.iter().skip(1)) {
                let (Some((id, file)), Some((other, again))) =
                    (one.split_at_checked(16), next.split_at_checked(16))
                else {
                    continue;
                };
                if id == other {
                    let (file, again) = (name(&self.files, file), name(&self.files, again));
                    let detail = if file == again {
                        "an id occurs twice in this file".to_owned()
                    } else {
                        format!("an id of this file occurs in {file} too")
                    };
                    findings.add(Code::Twice, again, detail);
                }
            }
        }
        if self.left_out > 0 {
            let detail = format!("{} ids did not fit into the memory for ids", self.left_out);
            findings.add(Code::Limit, "ids", detail);
        }
        u64::try_from(self.held).unwrap_or(u64::MAX)
    }
}

fn name<'a>(files: &'a [String], number: &[u8]) -> &'a str {
    let number = number
        .try_into()
        .map_or(usize::MAX, |bytes| usize::try_from(u32::from_le_bytes(bytes)).unwrap_or(usize::MAX));
    files.get(number).map_or("?", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_occurs_twice_in_a_format_is_found_and_across_formats_it_is_not() {
        let mut ids = Ids::new(1 << 20);
        ids.add(Format::Parquet, "p0", ["a", "b"].into_iter().map(digest));
        ids.add(Format::Csv, "c0", ["a", "b"].into_iter().map(digest));
        ids.add(Format::Parquet, "p1", ["c", "b", "d", "d"].into_iter().map(digest));
        let mut findings = Findings::new(9);
        assert_eq!(ids.finish(&mut findings), 8);
        let mut places: Vec<_> = findings.kept.iter().map(|found| found.detail.as_str()).collect();
        places.sort_unstable();
        assert_eq!(places, ["an id occurs twice in this file", "an id of this file occurs in p0 too"]);
    }

    #[test]
    fn the_limit_is_said() {
        let mut ids = Ids::new(40);
        ids.add(Format::Parquet, "p0", ["a", "b", "c"].into_iter().map(digest));
        let mut findings = Findings::new(9);
        assert_eq!(ids.finish(&mut findings), 2);
        assert!(findings.has(Code::Limit));
    }
}
