//! The rows of one window, all of them there, to its files.
//!
//! What lives here: [`Grouped`], which makes a [`Prepared`]. What this file must not know: how rows are checked, storage.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::RecordBatch;

use super::content::{Content, Remake};
use super::grouping::{Grouping, twice};
use super::groups::{Group, only};
use super::making::{FILES_SHARES, Making, PreparedFile};
use super::prepare::{Prepared, PreparedGroup, named};
use super::rows;
use super::writing::Place;
use crate::encode::HeldRows;
use crate::error::{Error, Result};
use crate::model::{Window, fingerprint};
use crate::spool::{BlobWriter, SharedFile};

/// What is kept of the rows of one window, of which its files are made next unless they are made.
#[derive(Debug)]
pub struct Grouped {
    making: Arc<Making>,
    window: Option<Window>,
    total: u64,
    /// Ascending, with what is kept of each and how many rows it has.
    groups: Vec<(Group, Place, u64)>,
    rows: Arc<HeldRows>,
}

impl Grouped {
    /// Takes a window's groups out of those of all windows, whose rows are held together.
    pub(super) fn new(
        making: &Arc<Making>,
        grouping: Grouping,
        places: &mut [Place],
        rows: &Arc<HeldRows>,
    ) -> Self {
        let Grouping { window, groups, total, .. } = grouping;
        let own = groups.into_iter().map(|(group, (place, rows))| {
            let place = places.get_mut(place).map(|place| std::mem::replace(place, Place::Open));
            (group, place.unwrap_or(Place::Open), rows)
        });
        let mut groups: Vec<_> = own.collect();
        if let Some(only) = only(window, &making.settings.layout).filter(|_| groups.is_empty()) {
            // Also without rows: the slots of the window are looked at in each format.
            groups.push((only, Place::Rows(usize::MAX), 0));
        }
        Self { making: Arc::clone(making), window, total, groups, rows: Arc::clone(rows) }
    }

    /// The files; `remake` gives the rows if they are not held. It computes, as [`super::Preparation::finish`] does.
    ///
    /// # Errors
    /// As [`super::Preparation::push`].
    pub fn finish(self, remake: Remake) -> Result<Prepared> {
        let window = self.window;
        self.prepared(Some(remake), Vec::new()).map_err(|cause| named(cause, window))
    }

    /// `suspects` are fingerprints of ids that occurred more than once.
    pub(super) fn prepared(self, remake: Option<Remake>, suspects: Vec<u64>) -> Result<Prepared> {
        let Self { making, window, total, groups, rows } = self;
        let (formats, counts) =
            (making.formats.clone(), groups.iter().map(|(.., rows)| *rows).collect::<Vec<_>>());
        let made = groups.iter().any(|(_, place, _)| matches!(place, Place::File(_)));
        let (content, files) = if made {
            let mut own = Vec::with_capacity(groups.len());
            let (mut names, shared) = (Vec::with_capacity(groups.len()), SharedFile::default());
            let mut left = making.scratch.share(FILES_SHARES);
            for (group, place, _) in groups {
                own.push(match place {
                    Place::File(file) => vec![file],
                    Place::Rows(place) => all(&making, rows.group(place), (&mut left, &shared))?,
                    Place::Open => return Err(Error::bug("a group was not closed")),
                });
                names.push((group, usize::MAX));
            }
            let digest = |files: &Vec<PreparedFile>| files.iter().map(|file| file.sha256.clone()).collect();
            let digests = own.iter().map(digest).collect();
            let remake = remake.ok_or_else(|| Error::bug("rows are neither held nor made again"))?;
            let content = Content::encoded(making, names, digests, remake);
            apart(suspects, &content)?;
            let files = own.into_iter().map(|files| files.into_iter().map(Some).collect()).collect();
            (content, files)
        } else {
            let places = groups.into_iter().map(|(group, place, _)| match place {
                Place::Rows(place) => Ok((group, place)),
                Place::File(_) | Place::Open => Err(Error::bug("a group was not closed")),
            });
            let content = Content::held(making, places.collect::<Result<_>>()?, rows);
            apart(suspects, &content)?;
            let files = encoded(&content)?;
            (content, files)
        };
        if files.len() != counts.len() || files.iter().any(|files: &Vec<_>| files.len() != formats.len()) {
            return Err(Error::bug("a group has not a file in each format"));
        }
        let groups =
            counts.into_iter().zip(files).map(|(rows, files)| PreparedGroup { rows, files }).collect();
        Ok(Prepared { window, rows: total, formats, content: Arc::new(content), groups })
    }
}

/// The files of a group whose rows are held, beside others of which the files alone are; so many bytes stay in memory.
fn all(
    making: &Making,
    mut rows: impl Iterator<Item = Result<RecordBatch>>,
    (left, shared): (&mut u64, &SharedFile),
) -> Result<Vec<PreparedFile>> {
    let [format] = making.formats.as_slice() else {
        return Err(Error::bug("files of several formats were made while their rows came"));
    };
    let file = making.file(*format, &mut rows, BlobWriter::to_stay(&making.scratch, *left, shared))?;
    *left = left.saturating_sub(file.in_memory());
    Ok(vec![file])
}

/// The files of each group, of rows that are held.
fn encoded(content: &Content) -> Result<Vec<Vec<Option<PreparedFile>>>> {
    let scratch = &content.making.scratch;
    let (mut left, shared) = (scratch.share(FILES_SHARES), SharedFile::default());
    let mut groups = Vec::with_capacity(content.groups.len());
    for position in 0..content.groups.len() {
        let mut files = Vec::new();
        for format in &content.making.formats {
            // One file may be longer than what is left; those after it wait until they are needed.
            let file = match left {
                0 => None,
                _ => {
                    let out = BlobWriter::to_stay(scratch, left, &shared);
                    Some(content.making.file(*format, &mut content.batches(position), out)?)
                }
            };
            left = file.as_ref().map_or(0, |file| left.saturating_sub(file.content.len()));
            files.push(file);
        }
        groups.push(files);
    }
    Ok(groups)
}

/// Refuses an id that occurs twice: `suspects` are fingerprints that did, which two ids may share.
fn apart(suspects: Vec<u64>, content: &Content) -> Result<()> {
    if suspects.is_empty() {
        return Ok(());
    }
    let mut seen: HashMap<u64, HashSet<String>> =
        suspects.into_iter().map(|one| (one, HashSet::new())).collect();
    for batch in content.all() {
        for (id, _) in rows::keys(&batch?)? {
            if seen.get_mut(&fingerprint(id)).is_some_and(|ids| !ids.insert(id.to_owned())) {
                return Err(twice(id));
            }
        }
    }
    Ok(())
}
