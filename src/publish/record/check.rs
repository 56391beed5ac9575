//! What a commit must say of itself, or it is refused.
//!
//! What lives here: the checks between the parts of one record. What this file must not know: other commits, text.

use super::super::digest::is_sha256;
use super::super::{quarantine, raw};
use super::undated;
use crate::model::{Commit, Counts, FileRecord, Format, KeptRecord, WindowRecord};

/// What must hold within one commit.
pub(super) fn check(commit: &Commit) -> Result<(), &'static str> {
    if !is_sha256(&commit.previous) {
        return Err("previous is not a digest");
    }
    if commit.windows.is_empty() && commit.key.is_none() && commit.undated.is_none() {
        return Err("no window");
    }
    let pairs = commit.windows.iter().zip(commit.windows.iter().skip(1));
    if !pairs.into_iter().all(|(one, next)| one.window.to <= next.window.from) {
        return Err("windows are not ascending");
    }
    commit.undated.iter().try_for_each(undated::check)?;
    commit.windows.iter().try_for_each(check_window)
}

/// What must hold within one window's record.
pub(in crate::publish) fn check_window(record: &WindowRecord) -> Result<(), &'static str> {
    if record.window.seconds() == 0 {
        return Err("a window is empty or reversed");
    }
    check_files(record.counts, &record.formats, &record.files)?;
    let within = |at| record.window.contains(at);
    let outside = |file: &FileRecord| {
        !file.created_at.is_some_and(|(min, max)| min <= max && within(min) && within(max))
    };
    if record.files.iter().any(outside) {
        return Err("a file holds rows of another window");
    }
    let strange =
        |kept: &KeptRecord| !is_sha256(&kept.sha256) || !quarantine::is_of(&kept.path, record.window);
    if record.quarantine.iter().any(strange) {
        return Err("a file of quarantine has no digest or is another window's");
    }
    if record.source.as_ref().is_some_and(|head| !is_sha256(&head.sha256)) {
        return Err("the source is not a digest");
    }
    if let Some(raw) = &record.raw
        && !(is_sha256(&raw.sha256) && raw.requests > 0 && raw::is_place(&raw.path, &record.certificate))
    {
        return Err("the kept replies are not where they belong, or have no digest");
    }
    Ok(())
}

/// What must hold of counts and files, whatever the events' times.
pub(in crate::publish) fn check_files(
    counts: Counts,
    formats: &[Format],
    files: &[FileRecord],
) -> Result<(), &'static str> {
    let Counts { settled, rows, known, quarantined, filtered, redacted } = counts;
    let sum = [known, quarantined, filtered].into_iter().try_fold(rows, u64::checked_add);
    if sum != Some(settled) {
        return Err("counts do not add up");
    }
    if redacted > settled - filtered {
        return Err("more events are redacted than there are");
    }
    if formats.is_empty() || !formats.iter().zip(formats.iter().skip(1)).all(|(one, next)| one < next) {
        return Err("formats are not ascending, or there is none");
    }
    if files.iter().any(|file| !formats.contains(&file.format)) {
        return Err("a file has a format that the record is not about");
    }
    let mut most = 0;
    for format in Format::ALL {
        let own = files.iter().filter(|file| file.format == format);
        most = most.max(own.map(|file| file.rows).fold(0, u64::saturating_add));
    }
    if most != rows {
        return Err("files hold other rows than were counted");
    }
    if files.iter().any(|file| !is_sha256(&file.sha256) || file.rows == 0) {
        return Err("a file has no digest or no rows");
    }
    Ok(())
}
