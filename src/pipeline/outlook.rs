//! What a run would do, for a few requests and without a write.
//!
//! What lives here: [`outlook`], the estimate behind `plan`. What this file must not know: how a run does it.

use crate::error::Result;
use crate::model::{Grid, Level, Timestamp, Window};
use crate::plan::{Known, todo};
use crate::settle::{Settings, Settler, Source};

/// A stretch of adjacent windows that a run would settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The stretch.
    pub range: Window,
    /// Its windows of the grid.
    pub windows: u64,
    /// Events that the API counts in it, padding included.
    pub events: u64,
    /// Requests that settling it takes when nothing moves.
    pub requests: u64,
}

/// What a run would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// What was asked for.
    pub range: Window,
    /// Windows of the grid in it.
    pub windows: u64,
    /// Committed windows that a run would only count again.
    pub committed: u64,
    /// What it would settle, ascending.
    pub stretches: Vec<Stretch>,
    /// Requests in all, when nothing moves.
    pub requests: u64,
}

/// Requests of the probes at the start of a run, about.
const PROBE_REQUESTS: u64 = 8;

/// Counts what there is to do: one request for each stretch, or for each window if `each_window`.
///
/// # Errors
/// What [`Source::page`] gives up with.
pub async fn outlook<S: Source>(
    source: &S,
    settings: &Settings,
    range: Window,
    grid: Grid,
    known: &Known,
    read_again: Timestamp,
    each_window: bool,
) -> Result<Outlook> {
    let settler = Settler::new(source, settings.clone());
    let todo = todo(range, grid, known, read_again);
    let mut stretches = Vec::new();
    for whole in &todo.settle {
        let parts: Vec<Window> = if each_window { grid.windows(*whole).collect() } else { vec![*whole] };
        for part in parts {
            let windows = u64::try_from(part.seconds() / grid.seconds()).unwrap_or(0);
            let events = settler.counted(part).await?;
            stretches.push(Stretch {
                range: part,
                windows,
                events,
                requests: requests(events, windows, settings),
            });
        }
    }
    let settled: u64 = stretches.iter().map(|stretch| stretch.windows).sum();
    let recounts = u64::try_from(todo.recount.len()).unwrap_or(u64::MAX);
    let probes = if stretches.is_empty() { 0 } else { PROBE_REQUESTS };
    let requests = stretches.iter().map(|stretch| stretch.requests).sum::<u64>() + recounts + probes;
    Ok(Outlook { range, windows: todo.windows, committed: todo.windows - settled, stretches, requests })
}

/// Requests to settle a stretch, if its events are spread evenly: every page once or twice, two or three counts for
/// each unit.
fn requests(events: u64, windows: u64, settings: &Settings) -> u64 {
    let page = u64::from(settings.page_size.max(1));
    let units = if events <= settings.coarse_limit {
        1
    } else {
        let by_size = events.div_ceil(settings.walk_limit.max(2) / 2);
        windows.min(events.div_ceil(settings.coarse_limit.max(1)) * 2).max(by_size)
    };
    let walks = if settings.level == Level::Double { 2 } else { 1 };
    let survey = if windows > 1 { 1 } else { 0 };
    events.div_ceil(page) * walks + units * 3 + survey
}
