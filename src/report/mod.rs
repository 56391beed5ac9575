//! One page about a dataset: what is proven, what happened in it, and what the page does not say.
//!
//! What lives here: [`report`], which reads the log, has it verified, counts the rows of the files that the log names,
//! one file at a time, and renders one self-contained HTML page. The page is a function of the dataset, the options and
//! the version of the program: no clock, no place. What this module must not know: flags, where the page goes, how
//! events become rows.

mod calendar;
mod changes;
mod hours;
mod html;
mod log;
mod rows;
mod summary;
mod tally;

use std::sync::Arc;

pub use hours::{Hours, Zone};

use crate::encode::Settings;
use crate::error::{Error, Kind, Result};
use crate::model::{Format, Head};
use crate::publish::verify::{Law, Verification, Verified, verify};
use crate::publish::{Overview, committed_rows};
use crate::store::Store;

use self::calendar::Calendar;
use self::log::Told;
use self::summary::Summary;

/// Files that could not be counted and are named on the page.
const UNCOUNTED_SHOWN: usize = 20;

/// What the page is to show.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its title.
    pub title: String,
    /// When work is expected; changes at other times are listed.
    pub hours: Hours,
    /// Numbers that one actor released within one clock hour from which on it is a bulk release.
    pub bulk: u64,
    /// Events in each list of changes, the newest.
    pub listed: usize,
    /// Actors, addresses, event types and countries that are shown.
    pub top: usize,
    /// Actors (and addresses, event types, countries) that are told apart; what comes after is counted together.
    pub told_apart: usize,
    /// How the dataset is verified; its limits are those of reading rows too.
    pub verification: Verification,
}

impl Default for Options {
    /// Monday to Friday, 08:00 to 18:00 UTC; 10 numbers; 25 events; 20 actors; 100,000 told apart.
    fn default() -> Self {
        Self {
            title: "Vonage audit log".to_owned(),
            hours: Hours::default(),
            bulk: 10,
            listed: 25,
            top: 20,
            told_apart: 100_000,
            verification: Verification::default(),
        }
    }
}

/// The page and what it is about.
#[derive(Clone, Debug)]
pub struct Page {
    /// The whole document, UTF-8.
    pub html: String,
    /// The newest commit when the log was read: what the numbers are about.
    pub head: Option<Head>,
    /// Events counted.
    pub events: u64,
    /// Files that the log names and that could not be counted.
    pub uncounted: u64,
    /// What verification found.
    pub verified: Verified,
}

impl Page {
    /// As [`Verified::exit_code`]; 9 as well when a file could not be counted.
    pub fn exit_code(&self) -> u8 {
        match self.verified.exit_code() {
            0 if self.uncounted > 0 => Kind::Verification.exit_code(),
            code => code,
        }
    }
}

/// Everything that is rendered.
struct Content<'a> {
    options: &'a Options,
    overview: &'a Overview,
    format: Format,
    calendar: Calendar,
    told: Told,
    summary: Summary,
    uncounted: Vec<(String, String)>,
    uncounted_files: u64,
    uncounted_rows: u64,
    verified: &'a Verified,
}

/// Makes the page of the dataset at a destination; writes nothing. Without a format, that of the most events is read.
///
/// # Errors
/// [`Kind::Usage`] when there is no dataset, or it lacks the format; [`Kind::Verification`] when its log is broken, since
/// nothing can be said then; [`Kind::Storage`]. A damaged data file is a finding on the page.
pub async fn report(
    store: &dyn Store,
    options: &Options,
    format: Option<Format>,
    law: &Arc<Law>,
) -> Result<Page> {
    let overview = Overview::read(store).await.map_err(|cause| match cause.kind() {
        Kind::Verification => cause.hint("`vonage-audit verify` lists what is wrong with the log"),
        _ => cause,
    })?;
    let verified = verify(store, &options.verification, law).await?;
    let format = chosen(&overview, format)?;
    let key = options.verification.key.clone();
    let settings = Settings { key, ..Settings::new(overview.spec.layout.clone()) };
    let limits = (options.verification.file_limit, options.verification.memory);
    let mut summary = Summary::new(options);
    let (mut uncounted, mut uncounted_files, mut uncounted_rows) = (Vec::new(), 0_u64, 0_u64);
    for (window, file) in overview.files(format) {
        match committed_rows(store, file, &settings, limits, law).await {
            Ok(batches) => {
                let counting = tokio::task::spawn_blocking(move || {
                    let counted = summary.take(window, &batches);
                    (summary, counted)
                });
                let (back, counted) =
                    counting.await.map_err(|cause| Error::bug("counting did not end").because(cause))?;
                counted.map_err(|cause| cause.at("path", &file.path))?;
                summary = back;
            }
            Err(cause) => {
                uncounted_files += 1;
                uncounted_rows = uncounted_rows.saturating_add(file.rows);
                if uncounted.len() < UNCOUNTED_SHOWN {
                    uncounted.push((file.path.clone(), cause.to_string()));
                }
            }
        }
    }
    summary.finish();
    let events = summary.events;
    let content = Content {
        options,
        calendar: Calendar::new(&overview.coverage(format)),
        told: Told::new(&overview),
        overview: &overview,
        format,
        summary,
        uncounted,
        uncounted_files,
        uncounted_rows,
        verified: &verified,
    };
    let html = html::page(&content);
    Ok(Page { html, head: overview.head, events, uncounted: uncounted_files, verified })
}

/// The format that is read: the one asked for, else the one of the most rows and then of the most windows; of equals
/// the first, which is Parquet.
fn chosen(overview: &Overview, wanted: Option<Format>) -> Result<Format> {
    let weight = |format: Format| {
        let rows = overview.files(format).iter().map(|(_, file)| file.rows).fold(0, u64::saturating_add);
        (rows, overview.coverage(format).len())
    };
    match wanted {
        Some(format) if weight(format) == (0, 0) && !overview.windows.is_empty() => {
            Err(Error::usage("the dataset has no files of this format").at("format", format.name()))
        }
        Some(format) => Ok(format),
        None => {
            Ok(Format::ALL.into_iter().rev().max_by_key(|format| weight(*format)).unwrap_or(Format::Parquet))
        }
    }
}
