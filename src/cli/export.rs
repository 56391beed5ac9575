//! `vonage-audit export`: from flags to a run.
//!
//! What lives here: the order of checks (everything that can be wrong is found before the first request) and the
//! run's outcome. What this file must not know: how a run works.

use std::time::Instant;

use vonage_audit::model::{Format, Grid, Level};
use vonage_audit::pipeline::{Job, Progress, run as run_job};
use vonage_audit::plan::{Moment, Range, parse_duration, resolve};
use vonage_audit::publish::Dataset;
use vonage_audit::schema::Table;
use vonage_audit::settle::Settings;
use vonage_audit::{Error, Result};

use crate::accounts::{Account, resolve as resolve_accounts};
use crate::args::{ExportArgs, RangeArgs};
use crate::connection::{Connection, connect};
use crate::environment::Environment;
use crate::summary::{self, Run};
use crate::terminal::Terminal;

/// Everything about one account that is checked before the first request.
pub(crate) struct Prepared {
    pub(crate) job: Job,
    pub(crate) table: Table,
    pub(crate) dataset: Dataset,
    pub(crate) connection: Connection,
    name: Option<String>,
    dest: String,
}

/// The accounts that the command is for.
pub(crate) fn accounts(args: &ExportArgs, environment: &Environment) -> Result<Vec<Account>> {
    resolve_accounts(&args.accounts, &args.api, args.dest.as_deref(), environment)
}

impl Prepared {
    /// Checks flags, credentials, destination and range, in this order. Nothing is requested or written.
    pub(crate) async fn new(args: &ExportArgs, account: &Account, environment: &Environment) -> Result<Self> {
        let grid = Grid::parse(&args.range.grid)
            .ok_or_else(|| Error::usage(format!("not a grid: {:?}", args.range.grid)).hint("write P1D or PT1H"))?;
        let moments = Moments::parse(&args.range)?;
        let lookback = parse_duration(&args.lookback)?;
        if !moments.need_watermark() {
            moments.resolve(environment, grid, None)?;
        }
        let connection = connect(&args.api, account, environment.jitter)?;
        let dest = account.dest.clone().ok_or_else(|| {
            Error::usage("no destination is given").hint("add --dest PATH, or dest = \"…\" to the configuration")
        })?;
        let table = Table::builtin()?;
        let dataset = open(&dest, &connection.key, grid, &table).await?;
        let range = moments.resolve(environment, grid, dataset.watermark())?;
        let job = Job {
            range: range.windows,
            grid,
            read_again: range.edge.plus_seconds(-i64::from(lookback)),
            settle: Settings {
                padding: args.padding,
                walk_limit: args.walk_limit,
                level: if args.evidence { Level::Double } else { Level::Bracketed },
                double_from: Some(range.edge.plus_seconds(-i64::from(lookback))),
                in_flight: args.api.concurrency,
                ..Settings::default()
            },
            units_in_flight: args.api.concurrency.clamp(1, 4),
            formats: vec![Format::Parquet],
            recorded_at: environment.now.seconds(),
        };
        Ok(Self { job, table, dataset, connection, name: account.name.clone(), dest })
    }

    /// Runs the job and says its outcome; gives the exit code.
    pub(crate) async fn run(mut self, terminal: &Terminal) -> u8 {
        let started = Instant::now();
        let Connection { client, key, .. } = &self.connection;
        let observe = |progress| show(progress, terminal);
        let report = run_job(&self.job, &self.table, client, &mut self.dataset, stop_signal(), &observe).await;
        let account = self.name.as_deref().unwrap_or(key);
        let outcome = Run { dest: &self.dest, account, report: &report, usage: client.usage(), took: started.elapsed() };
        finish(&outcome, terminal)
    }
}

/// Runs the command for each account, one after the other: one account's failure does not stop the others. The exit
/// code is the first that is not 0.
pub(crate) async fn run(args: Box<ExportArgs>, environment: &Environment, terminal: &Terminal) -> Result<u8> {
    let accounts = accounts(&args, environment)?;
    if let [account] = accounts.as_slice() {
        return Ok(Prepared::new(&args, account, environment).await?.run(terminal).await);
    }
    let mut code = 0;
    for account in &accounts {
        let own = match Prepared::new(&args, account, environment).await {
            Ok(prepared) => prepared.run(terminal).await,
            Err(error) => {
                let error = error.at("account", account.name.as_deref().unwrap_or_default());
                terminal.error(&error);
                error.kind().exit_code()
            }
        };
        code = if code == 0 { own } else { code };
    }
    Ok(code)
}

/// Opens the dataset at a path, or finds out that there can be one; writes nothing.
pub(crate) async fn open(dest: &str, account: &str, grid: Grid, table: &Table) -> Result<Dataset> {
    todo!("{dest}{account}{}{}", grid.name(), table.version())
}

/// Says the outcome and gives the exit code.
pub(crate) fn finish(outcome: &Run<'_>, terminal: &Terminal) -> u8 {
    let report = outcome.report;
    for (_, error) in &report.unproven {
        terminal.error(error);
    }
    if report.quarantined > 0 {
        let events = summary::count(report.quarantined, "event");
        terminal.note(format!("{events} could not become rows; they are kept under _audit/quarantine"));
    }
    if let Some(failure) = &report.failure {
        terminal.error(failure);
    }
    if terminal.is_json() {
        terminal.result(summary::json(outcome));
    } else {
        let verdict = match report.exit_code() {
            0 => "complete and proven",
            3 | 4 => "NOT COMPLETE: see the errors above",
            10 => "complete and proven, with events in quarantine",
            _ => "ended early: what is committed stays, start again to go on",
        };
        terminal.result(format!("{verdict}\n{}", summary::human(outcome).trim_end()));
    }
    report.exit_code()
}

/// Shows what a run does.
pub(crate) fn show(progress: Progress, terminal: &Terminal) {
    match progress {
        Progress::Recounting { windows: 0 } => {}
        Progress::Recounting { windows } => {
            terminal.progress(format!("counting {} again", summary::count(windows, "committed window")));
        }
        Progress::Planned { windows } => terminal.progress(format!("{} to settle", summary::count(windows, "window"))),
        Progress::Committed { window, events } => {
            terminal.progress(format!("{window}  {} committed", summary::count(events, "event")));
        }
        Progress::Unproven { window } => terminal.note(format!("{window} could not be proven; going on")),
    }
}

/// Completes at the first SIGINT or SIGTERM. A second one ends the program as the system does.
pub(crate) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// The range as typed.
struct Moments {
    from: Moment,
    to: Option<Moment>,
    settle: u32,
}

impl Moments {
    fn parse(args: &RangeArgs) -> Result<Self> {
        let to = args.to.as_deref().map(Moment::parse).transpose()?;
        Ok(Self { from: Moment::parse(&args.from)?, to, settle: parse_duration(&args.settle)? })
    }

    fn need_watermark(&self) -> bool {
        self.from == Moment::Last || self.to == Some(Moment::Last)
    }

    fn resolve(
        &self,
        environment: &Environment,
        grid: Grid,
        watermark: Option<vonage_audit::model::Timestamp>,
    ) -> Result<Range> {
        resolve(self.from, self.to, environment.now, self.settle, grid, watermark)
    }
}
