//! The rows of one window, checked as they come and held by group.
//!
//! What lives here: [`Grouping`], which knows where the rows of each group are, not the rows. What this file must not know:
//! files, what is stored.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

use arrow_array::RecordBatch;

use super::groups::{Group, split};
use super::prepare::named;
use super::rows;
use super::writing::Writing;
use crate::encode::Settings;
use crate::error::{Error, Kind, Result};
use crate::model::{Partition, Timestamp, Window, fingerprint};
use crate::spool::Distinct;

/// Files that the record of a window names at most: a commit has room for somewhat more.
const MAX_FILES: usize = 4_096;

/// What is known of a window's rows.
#[derive(Debug)]
pub(super) struct Grouping {
    /// None for rows without a time.
    pub(super) window: Option<Window>,
    /// Whether files may be made while rows come.
    at_once: bool,
    /// Where the rows of each group are held, and how many they are.
    pub(super) groups: BTreeMap<Group, (usize, u64)>,
    partitions: HashSet<Partition>,
    before: Option<(Option<Timestamp>, String)>,
    pub(super) total: u64,
}

impl Grouping {
    /// No rows yet.
    pub(super) fn new(window: Option<Window>, at_once: bool) -> Self {
        Self { window, at_once, groups: BTreeMap::new(), partitions: HashSet::new(), before: None, total: 0 }
    }

    /// Takes the next rows: they go to `rows`, and their ids' numbers to `ids`, which others may share.
    ///
    /// # Errors
    /// As [`super::Preparation::push`].
    pub(super) fn push(
        &mut self,
        batch: RecordBatch,
        settings: &Settings,
        formats: usize,
        rows: &mut Writing,
        ids: &mut Distinct,
    ) -> Result<()> {
        let window = self.window;
        self.take(batch, settings, formats, rows, ids).map_err(|cause| named(cause, window))
    }

    fn take(
        &mut self,
        batch: RecordBatch,
        settings: &Settings,
        formats: usize,
        held: &mut Writing,
        ids: &mut Distinct,
    ) -> Result<()> {
        self.check(&batch, ids)?;
        let known = self.groups.len();
        for (group, batch) in split(batch, self.window, &settings.layout)? {
            if !self.groups.contains_key(&group) {
                self.partitions.insert(group.partition.clone());
            }
            let (place, rows) = self.groups.entry(group).or_insert((held.groups(), 0));
            *rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
            held.take(*place, batch, self.at_once)?;
        }
        if self.groups.len() > known { self.limit(settings, formats) } else { Ok(()) }
    }

    /// Refuses what would become more folders or files than anybody meant.
    fn limit(&self, settings: &Settings, formats: usize) -> Result<()> {
        let (found, partitions) = (self.partitions.len(), settings.partition_limit);
        if found > partitions {
            return Err(Error::new(Kind::Unproven, "a window's events fall into more partitions than the limit")
                .at("partitions so far", found)
                .at("limit", partitions)
                .hint("nothing of it was written; raise --partition-limit, or use a destination with fewer keys in --partition-by"));
        }
        let files = self.groups.len().saturating_mul(formats);
        if files > MAX_FILES {
            return Err(Error::new(Kind::Unproven, "a window would have more files than one record can name")
                .at("files so far", files)
                .at("limit", MAX_FILES)
                .hint("nothing of it was written; use a destination with longer parts, fewer keys in --partition-by, or --grid PT1H"));
        }
        Ok(())
    }

    /// Holds rows against the window and those before them; the ids are told apart when all are there.
    fn check(&mut self, batch: &RecordBatch, ids: &mut Distinct) -> Result<()> {
        let mut before = self.before.as_ref().map(|(at, id)| (*at, id.as_str()));
        for (id, at) in rows::keys(batch)? {
            let within = match (self.window, at) {
                (Some(window), Some(at)) => window.contains(at),
                (None, None) => true,
                _ => false,
            };
            if !within {
                return Err(Error::bug("a row lies outside its window").at("id", id));
            }
            match before.cmp(&Some((at, id))) {
                Ordering::Less => {}
                Ordering::Equal => return Err(twice(id)),
                Ordering::Greater => {
                    return Err(Error::bug("rows are not sorted by created_at and id").at("id", id));
                }
            }
            ids.push(fingerprint(id))?;
            self.total += 1;
            before = Some((at, id));
        }
        self.before = before.map(|(at, id)| (at, id.to_owned()));
        Ok(())
    }
}

pub(super) fn twice(id: &str) -> Error {
    Error::bug("an event occurs twice in a window").at("id", id)
}
