//! `vonage-audit export`: from flags to a run.
//!
//! What lives here: the order of checks (everything that can be wrong is found before the first request) and the
//! run's outcome. What this file must not know: how a run works.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use vonage_audit::encode::Settings as Files;
use vonage_audit::error::Kind;
use vonage_audit::model::{Format, Grid, Level, Query, Secrets, Selection, Timestamp};
use vonage_audit::pipeline::{Job, run as run_job};
use vonage_audit::plan::{Range, parse_duration};
use vonage_audit::publish::{Dataset, account_fingerprint};
use vonage_audit::schema::Table;
use vonage_audit::settle::{Settings, Source};
use vonage_audit::spool::Scratch;
use vonage_audit::{Error, Result};

use crate::accounts::{Account, resolve as resolve_accounts};
use crate::args::ExportArgs;
use crate::connection::{Connection, connect_keeping};
use crate::destination::{Destination, Place, Wanted};
use crate::drift;
use crate::environment::Environment;
use crate::moments::{Held, Moments};
use crate::operations::{OUT_OF_TIME, Operations};
use crate::progress::Meter;
use crate::schema::table;
use crate::signing::heal;
use crate::stream;
use crate::summary::{self, Run};
use crate::terminal::Terminal;
use crate::traces::{About, Spans, Watched};

/// Everything about one account that is checked before the first request.
pub(crate) struct Prepared {
    pub(crate) job: Job,
    pub(crate) table: Table,
    pub(crate) dataset: Dataset,
    pub(crate) connection: Connection,
    place: Place,
    name: Option<String>,
    dest: String,
    settle: u32,
    fail_on_drift: bool,
}

/// The accounts that the command is for.
pub(crate) fn accounts(args: &ExportArgs, environment: &Environment) -> Result<Vec<Account>> {
    resolve_accounts(&args.accounts, &args.api, args.dest.as_deref(), environment)
}

impl Prepared {
    /// Checks flags, credentials, destination and range, in this order. Nothing is requested or written.
    pub(crate) async fn new(args: &ExportArgs, account: &Account, environment: &Environment) -> Result<Self> {
        let wanted_grid = args.range.grid.as_deref().map(parse_grid).transpose()?;
        let moments = Moments::parse(&args.range)?;
        parse_duration(&args.lookback)?;
        let selection = selection(args)?;
        let formats = args.formats.resolve()?;
        let wishes = args.layout.resolve(&formats)?;
        moments.check(environment, wanted_grid.unwrap_or(Grid::Day))?;
        check_raw(args)?;
        let scratch = args.memory.scratch(environment)?;
        let connection = connect_keeping(&args.api, account, environment, args.keep_raw)?;
        let dest = account.dest.clone().ok_or_else(|| {
            Error::usage("no destination is given")
                .hint("add --dest PATH, or dest = \"…\" to the configuration")
        })?;
        let table = table(&args.table)?;
        let secrets = secrets(args);
        let wanted = Wanted {
            account: account_fingerprint(&connection.key),
            grid: wanted_grid,
            table: &table,
            selection: selection.by_name(),
            secrets,
            files: wishes,
        };
        let place = Place::open(&dest, &args.storage, environment).await?;
        let Destination { dataset, grid, files } = Destination::open(&place, wanted).await?;
        let files = Files { threads: args.threads.threads(), ..files };
        let dataset = args.signing.attach(dataset).await?;
        let range = moments.resolve(environment, grid, &Held::of(&dataset, &formats))?;
        let job = job(args, range, grid, selection, (formats, files, place.scratch(scratch)), environment)?;
        let name = account.name.clone();
        let (settle, fail_on_drift) = (moments.settle, args.fail_on_drift);
        Ok(Self { job, table, dataset, connection, place, name, dest, settle, fail_on_drift })
    }

    /// Runs the job and says its outcome; gives the exit code.
    pub(crate) async fn run(
        self,
        environment: &Environment,
        terminal: &Terminal,
        operations: &Operations,
    ) -> Result<u8> {
        let Connection { key, base, .. } = &self.connection;
        let account = self.name.as_deref().unwrap_or(key);
        let spans = operations.traces.begin(About { account, dest: &self.dest, base });
        let outcome = self.run_within(&spans, environment, terminal, operations).await;
        spans.end(outcome.as_ref());
        outcome
    }

    async fn run_within(
        &self,
        spans: &Spans,
        environment: &Environment,
        terminal: &Terminal,
        operations: &Operations,
    ) -> Result<u8> {
        let started = Instant::now();
        let Connection { client, key, .. } = &self.connection;
        let source = &Watched { client, spans };
        let begin = async {
            first_question(source, &self.job, self.settle, environment, terminal).await?;
            // Only now, so that credentials that are refused leave nothing behind.
            let lock = self.place.begin(&self.dataset, terminal).await?;
            heal(&self.dataset, environment, terminal).await?;
            Ok(lock)
        };
        let _lock = operations.before(begin).await?;
        let stop = operations.stop();
        let meter = Meter::new(client, terminal);
        let observe = |progress| {
            spans.tell(progress);
            meter.tell(progress);
        };
        let work = run_job(&self.job, &self.table, source, &self.dataset, stop, &observe);
        let mut report = meter.watch(work).await;
        let stopped = operations.stopped(&mut report);
        let account = self.name.as_deref().unwrap_or(key);
        let outcome = Run {
            dest: &self.dest,
            account,
            report: &report,
            usage: client.usage(),
            took: started.elapsed(),
            fail_on_drift: self.fail_on_drift,
            stream: false,
            stopped,
        };
        spans.figures(&outcome);
        Ok(finish(&outcome, terminal, operations))
    }
}

/// One request that shows whether the credentials are good and what time it is at the API.
pub(crate) async fn first_question(
    source: &impl Source,
    job: &Job,
    settle: u32,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<()> {
    if !job.selection.event_types.is_empty() {
        check_types(source, &job.selection.event_types).await?;
    }
    let Some(server) = source.page(&Query::default(), 1, 1).await?.server_time else { return Ok(()) };
    let ahead = environment.now.seconds() - server;
    if ahead.abs() > 300 {
        terminal
            .note(format!("warning: this machine's clock and the API's differ by {} seconds", ahead.abs()));
    }
    let settled = Timestamp::from_seconds(server).plus_seconds(-i64::from(settle));
    if job.range.to > settled {
        return Err(Error::usage(format!("--to {} has not settled by the API's clock", job.range.to))
            .at("API's clock", Timestamp::from_seconds(server))
            .hint("set this machine's clock, or wait"));
    }
    Ok(())
}

fn secrets(args: &ExportArgs) -> Secrets {
    if args.keep_secrets { Secrets::Kept } else { Secrets::Redacted }
}

/// The job of these flags.
pub(crate) fn job(
    args: &ExportArgs,
    range: Range,
    grid: Grid,
    selection: Selection,
    (formats, files, scratch): (Vec<Format>, Files, Scratch),
    environment: &Environment,
) -> Result<Job> {
    let young = range.edge.plus_seconds(-i64::from(parse_duration(&args.lookback)?));
    Ok(Job {
        range: range.windows,
        grid,
        read_again: young,
        settle: Settings {
            padding: args.padding,
            scratch: scratch.clone(),
            walk_limit: args.walk_limit,
            allowance: args.window_requests,
            level: if args.evidence { Level::Double } else { Level::Bracketed },
            double_from: Some(young),
            in_flight: args.api.concurrency,
            event_types: selection.event_types.clone(),
            search_text: selection.search_text.clone(),
            evidence_limit: args.raw_limit << 20,
            ..Settings::default()
        },
        selection,
        secrets: secrets(args),
        units_in_flight: args.api.concurrency,
        formats,
        files,
        scratch,
        recorded_at: environment.now.seconds(),
    })
}

/// Event types are checked against what the API names, since a misspelt one would be an empty, proven export.
async fn check_types(source: &impl Source, wanted: &[String]) -> Result<()> {
    let known = source.event_types().await?;
    match wanted.iter().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Error::usage(format!("the API has no event type {:?}", name.as_str()))
            .hint(format!("it has: {}", known.join(", ")))),
    }
}

pub(crate) fn parse_grid(text: &str) -> Result<Grid> {
    Grid::parse(text).ok_or_else(|| Error::usage(format!("not a grid: {text:?}")).hint("write P1D or PT1H"))
}

/// Replies are kept as received or not at all: a copy without secrets, or without some users, is no evidence.
fn check_raw(args: &ExportArgs) -> Result<()> {
    if args.keep_raw && !args.keep_secrets {
        return Err(Error::usage(
            "--keep-raw keeps what this dataset leaves out: secrets that appear in events",
        )
        .hint("add --keep-secrets, with a destination of its own, or leave --keep-raw out"));
    }
    if args.keep_raw && !(args.user_id.is_empty() && args.user_email.is_empty()) {
        return Err(Error::usage("--keep-raw keeps what this dataset leaves out: events of other users")
            .hint("leave --user-id and --user-email out, with a destination of its own, or leave --keep-raw out"));
    }
    Ok(())
}

pub(crate) fn selection(args: &ExportArgs) -> Result<Selection> {
    let selection = Selection {
        event_types: args.event_type.clone(),
        search_text: args.search_text.clone(),
        user_ids: args.user_id.clone(),
        user_emails: args.user_email.clone(),
    };
    let lists = [&selection.event_types, &selection.user_ids, &selection.user_emails];
    if lists.into_iter().flatten().any(String::is_empty) || selection.search_text.as_deref() == Some("") {
        return Err(Error::usage("a filter is empty").hint("leave the flag out to select everything"));
    }
    Ok(selection)
}

/// Runs the command for each account, one after the other: one account's failure does not stop the others. The exit
/// code is the first that is not 0.
pub(crate) async fn run(args: Box<ExportArgs>, environment: &Environment, terminal: &Terminal) -> Result<u8> {
    let operations = args.operations.start(environment, terminal)?;
    let code = each(&args, environment, terminal, &operations).await;
    operations.traces.end(terminal).await;
    code
}

async fn each(
    args: &ExportArgs,
    environment: &Environment,
    terminal: &Terminal,
    operations: &Operations,
) -> Result<u8> {
    let accounts = accounts(args, environment)?;
    let streamed = |account: &Account| account.dest.as_deref() == Some(stream::STANDARD_OUTPUT);
    if accounts.len() > 1 && accounts.iter().any(streamed) {
        return Err(
            Error::usage("several accounts cannot share one stream").hint("choose one with --account")
        );
    }
    let mut code = 0;
    for account in &accounts {
        let outcome = if streamed(account) {
            stream::run(args, account, environment, terminal, operations).await
        } else {
            one(args, account, environment, terminal, operations).await
        };
        let own = outcome.unwrap_or_else(|error| {
            let error = match &account.name {
                Some(name) => error.at("account", name),
                None => error,
            };
            terminal.error(&error);
            let code = operations.code_of(&error);
            if let Some(metrics) = &operations.metrics {
                let name = account.name.as_deref().unwrap_or(&account.credentials.key);
                let dest = account.dest.as_deref().unwrap_or_default();
                let _ = metrics.failure(name, dest, code).inspect_err(|error| terminal.error(error));
            }
            code
        });
        code = if code == 0 { own } else { code };
        // Who wants the run to end means all of it.
        if matches!(own, OUT_OF_TIME | 130 | 143) {
            break;
        }
    }
    Ok(code)
}

async fn one(
    args: &ExportArgs,
    account: &Account,
    environment: &Environment,
    terminal: &Terminal,
    operations: &Operations,
) -> Result<u8> {
    let prepared = operations.before(Prepared::new(args, account, environment)).await?;
    prepared.run(environment, terminal, operations).await
}

/// Says the outcome and gives the exit code.
pub(crate) fn finish(outcome: &Run<'_>, terminal: &Terminal, operations: &Operations) -> u8 {
    let report = outcome.report;
    for (_, error) in &report.unproven {
        terminal.error(error);
    }
    for (id, flaw) in &report.unkept {
        let error = Error::new(Kind::Verification, "an event cannot be a row, and is not in the stream");
        terminal.error(&error.at("id", id.as_str().escape_debug()).at("flaw", flaw.name()));
    }
    if report.quarantined > 0 && !outcome.stream {
        let events = summary::count(report.quarantined, "event");
        terminal.note(format!("{events} could not become rows; they are kept under _audit/quarantine"));
    }
    if report.not_rebuilt > 0 {
        let events = summary::count(report.not_rebuilt, "event");
        terminal.note(format!(
            "{events} of them did not come back from their rows: this is a defect of vonage-audit, please report it"
        ));
    }
    if let Some(text) = drift::human(&report.drift) {
        terminal.note(text);
    }
    if let Some(failure) = &report.failure {
        terminal.error(failure);
    }
    let code = outcome.exit_code();
    let say = |text: String| if outcome.stream { terminal.aside(text) } else { terminal.result(text) };
    if terminal.is_json() {
        say(summary::json(outcome));
    } else {
        let verdict = match code {
            0 => "complete and proven",
            3 | 4 => "NOT COMPLETE: see the errors above",
            10 if outcome.stream => "complete and proven, but for events that cannot be rows",
            10 => "complete and proven, with events in quarantine",
            OUT_OF_TIME => "out of time: what is committed stays, start again to go on",
            11 => "complete and proven, with events that hold more than the table says",
            _ if outcome.stream => "ended early: the stream is not complete",
            _ => "ended early: what is committed stays, start again to go on",
        };
        say(format!("{verdict}\n{}", summary::human(outcome).trim_end()));
    }
    let written = operations.metrics.as_ref().map_or(Ok(()), |metrics| metrics.run(outcome));
    match written {
        Err(error) => {
            terminal.error(&error);
            if code == 0 { error.kind().exit_code() } else { code }
        }
        Ok(()) => code,
    }
}

/// Completes at the first SIGINT or SIGTERM, with the exit code that tells which.
pub(crate) async fn stop_signal() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => 130,
        _ = terminate.recv() => 143,
    }
}

/// The same, with the code kept beside it.
pub(crate) fn stop_signal_shared() -> (impl Future<Output = ()> + Send, Arc<AtomicU8>) {
    let code = Arc::new(AtomicU8::new(130));
    let shared = Arc::clone(&code);
    let stop = async move {
        shared.store(stop_signal().await, Ordering::Relaxed);
    };
    (stop, code)
}
