//! The range of a run: what was asked for, on the grid, and settled.
//!
//! What lives here: [`resolve`]. A window is settled when it ended long enough ago that late arrivals have become
//! rare (no lag is documented; the time is an option). What this file must not know: coverage, the API.

use super::moment::Moment;
use crate::error::{Error, Result};
use crate::model::{Grid, Timestamp, Window};

/// What a run may settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Whole windows of the grid; empty only when no end was given and nothing has settled since the start.
    pub windows: Window,
    /// The latest point of the grid that has settled at the time of the run.
    pub edge: Timestamp,
}

/// Resolves `--from` and `--to` (half-open) against the clock, the grid and the settling time in seconds.
///
/// `watermark` is where the destination's coverage ends, for [`Moment::Last`]. An absent `to` means the latest
/// settled point.
///
/// # Errors
/// [`crate::error::Kind::Usage`], before anything is requested: a reversed or empty range, ends off the grid, an
/// end in the future or not settled yet, `last` without coverage.
pub fn resolve(
    from: Moment,
    to: Option<Moment>,
    now: Timestamp,
    settle: u32,
    grid: Grid,
    watermark: Option<Timestamp>,
) -> Result<Range> {
    let edge = grid.floor(now.plus_seconds(-i64::from(settle)));
    let point = |moment: Moment, name: &str| {
        moment.resolve(now).or(watermark).ok_or_else(|| {
            Error::usage(format!("{name} last: the destination holds no window yet"))
                .hint("give a first date, for example --from 2026-01-01")
        })
    };
    let from = point(from, "--from")?;
    let explicit = to.is_some();
    let to = to.map_or(Ok(edge), |to| point(to, "--to"))?;
    for (name, at) in [("--from", from), ("--to", to)] {
        if grid.floor(at) != at {
            let hint = format!("nearest: {} or {}", grid.window(at).from, grid.window(at).to);
            let message = format!("{name} {at} lies inside a window of the dataset's grid ({})", grid.name());
            return Err(Error::usage(message).hint(hint));
        }
    }
    if from >= to && explicit {
        return Err(Error::usage(format!("the range is empty: --from {from} is not before --to {to}")).hint(
            "--to is exclusive: for the first of March alone write --from 2026-03-01 --to 2026-03-02",
        ));
    }
    if to > now {
        return Err(Error::usage(format!("--to {to} lies in the future (now {now} UTC)"))
            .hint(format!("the latest settled end is --to {edge}Z")));
    }
    if to > edge {
        return Err(Error::usage(format!(
            "--to {to} has not settled: events of its last window may still arrive"
        ))
        .hint(format!("use --to {edge}Z, or wait, or lower --settle (now {settle} seconds)")));
    }
    Ok(Range { windows: Window::new(from, to), edge })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(from: &str, to: Option<&str>, settle: u32) -> Result<String> {
        let now = Timestamp::from_date(2026, 3, 15).unwrap().plus_seconds(1800);
        let to = to.map(|text| Moment::parse(text).unwrap());
        let range = resolve(
            Moment::parse(from).unwrap(),
            to,
            now,
            settle,
            Grid::Day,
            Timestamp::from_date(2026, 3, 9),
        )?;
        Ok(format!("{}..{}", range.windows.from, range.windows.to))
    }

    #[test]
    fn resolves_to_whole_settled_windows() {
        assert_eq!(
            ask("2026-03-01", Some("2026-03-08"), 3600).unwrap(),
            "2026-03-01T00:00:00..2026-03-08T00:00:00"
        );
        assert_eq!(ask("7d", None, 3600).unwrap(), "2026-03-08T00:00:00..2026-03-14T00:00:00");
        assert_eq!(ask("last", Some("today"), 0).unwrap(), "2026-03-09T00:00:00..2026-03-15T00:00:00");
    }

    #[test]
    fn refuses_reversed_future_unsettled_and_uneven_ranges() {
        for (from, to, expected) in [
            ("2026-03-08", "2026-03-01", "the range is empty"),
            ("2026-03-08", "2026-03-08", "the range is empty"),
            ("2026-03-08", "2026-03-16", "lies in the future"),
            ("2026-03-08", "today", "has not settled"),
            ("2026-03-08T01:00:00Z", "today", "lies inside a window"),
        ] {
            let error = ask(from, Some(to), 3600).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.hint_text().is_some());
        }
        let none = resolve(Moment::Last, None, Timestamp::from_seconds(0), 0, Grid::Day, None).unwrap_err();
        assert!(none.to_string().contains("holds no window yet"));
    }
}
