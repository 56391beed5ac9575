//! The range as typed, and what it becomes.
//!
//! What lives here: [`Moments`] and what they need to know of a destination. What this file must not know: flags of any
//! other kind, what is done with the range.

use vonage_audit::model::{Format, Grid, Timestamp};
use vonage_audit::pipeline::known;
use vonage_audit::plan::{Moment, Range, parse_duration, resolve};
use vonage_audit::publish::Dataset;
use vonage_audit::{Error, Result};

use crate::args::RangeArgs;
use crate::environment::Environment;

/// What a destination holds, as far as the range depends on it.
#[derive(Default)]
pub(crate) struct Held {
    /// Its first proven window, whatever the format: a format that is new is filled from there.
    first: Option<Timestamp>,
    /// Its last window that is proven in every format of the run.
    last: Option<Timestamp>,
}

impl Held {
    pub(crate) fn of(dataset: &Dataset, formats: &[Format]) -> Self {
        let any =
            Format::ALL.into_iter().filter_map(|format| known(dataset, &[format]).keys().next().copied());
        Self { first: any.min(), last: known(dataset, formats).keys().next_back().copied() }
    }
}

/// The range as typed.
pub(crate) struct Moments {
    /// None for an incremental run of a dataset that exists.
    from: Option<Moment>,
    to: Option<Moment>,
    incremental: bool,
    pub(crate) settle: u32,
}

impl Moments {
    pub(crate) fn parse(args: &RangeArgs) -> Result<Self> {
        let moment = |text: &Option<String>, flag: &str| {
            text.as_deref().map(Moment::parse).transpose().map_err(|error| error.at("flag", flag))
        };
        if args.from.is_none() && !args.incremental {
            return Err(Error::usage("no first day is given").hint("add --from DATE, or --incremental"));
        }
        Ok(Self {
            from: moment(&args.from, "--from")?,
            to: moment(&args.to, "--to")?,
            incremental: args.incremental,
            settle: parse_duration(&args.settle)?,
        })
    }

    /// What can be wrong with the range is said before anything else is looked at.
    pub(crate) fn check(&self, environment: &Environment, grid: Grid) -> Result<()> {
        let any = Some(Grid::Day.floor(environment.now));
        let Some(from) = self.from else { return Ok(()) };
        if from != Moment::Last && self.to != Some(Moment::Last) {
            resolve(from, self.to, environment.now, self.settle, grid, any)?;
        }
        Ok(())
    }

    /// A stream goes on from nowhere.
    pub(crate) fn without_dataset(&self) -> Result<()> {
        if self.incremental || self.from == Some(Moment::Last) || self.to == Some(Moment::Last) {
            return Err(Error::usage("a stream keeps no state: --incremental and `last` need a dataset")
                .hint("give --from and --to, or a --dest that is a dataset"));
        }
        Ok(())
    }

    pub(crate) fn resolve(&self, environment: &Environment, grid: Grid, held: &Held) -> Result<Range> {
        let watermark = held.last.map(|last| grid.window(last).to);
        let from = match (held.first, self.from) {
            (Some(first), _) if self.incremental => Moment::At(first),
            (_, Some(from)) => from,
            (_, None) => {
                return Err(Error::usage(
                    "the destination holds no window yet, so --incremental needs a start",
                )
                .hint("add --from DATE the first time"));
            }
        };
        resolve(from, self.to, environment.now, self.settle, grid, watermark)
    }
}
