//! `vonage-audit export --dest -`: from flags to a stream on standard output.
//!
//! What lives here: what a stream may be asked for, and its run. There is no dataset, no state and no lock; the exit code
//! is the proof. What this file must not know: how a run works.

use std::time::Instant;

use vonage_audit::encode::{Settings as Files, StreamFormat};
use vonage_audit::model::{Grid, Layout};
use vonage_audit::pipeline::{Stream, stream};
use vonage_audit::{Error, Result};

use crate::accounts::Account;
use crate::args::ExportArgs;
use crate::connection::{Connection, connect};
use crate::environment::Environment;
use crate::export::{finish, first_question, job, parse_grid, selection};
use crate::moments::{Held, Moments};
use crate::operations::Operations;
use crate::progress::Meter;
use crate::schema::table;
use crate::summary::Run;
use crate::terminal::Terminal;
use crate::traces::{About, Spans, Watched};

/// The destination that is standard output.
pub(crate) const STANDARD_OUTPUT: &str = "-";

/// Runs the command for an account.
pub(crate) async fn run(
    args: &ExportArgs,
    account: &Account,
    environment: &Environment,
    terminal: &Terminal,
    operations: &Operations,
) -> Result<u8> {
    let name = account.name.as_deref().unwrap_or(&account.credentials.key);
    let spans = operations.traces.begin(About { account: name, dest: STANDARD_OUTPUT, base: &account.base });
    let outcome = within(&spans, args, account, environment, terminal, operations).await;
    spans.end(outcome.as_ref());
    outcome
}

async fn within(
    spans: &Spans,
    args: &ExportArgs,
    account: &Account,
    environment: &Environment,
    terminal: &Terminal,
    operations: &Operations,
) -> Result<u8> {
    let started = Instant::now();
    let grid = args.range.grid.as_deref().map(parse_grid).transpose()?.unwrap_or(Grid::Day);
    let format = format(args)?;
    let moments = Moments::parse(&args.range)?;
    moments.without_dataset()?;
    let selection = selection(args)?;
    let range = moments.resolve(environment, grid, &Held::default())?;
    let Connection { client, key, .. } = &connect(&args.api, account, environment)?;
    let table = table(&args.table)?;
    let ways = (Vec::new(), Files::new(Layout::default()), args.memory.scratch(environment)?);
    let job = job(args, range, grid, selection, ways, environment)?;
    let source = &Watched { client, spans };
    operations.before(first_question(source, &job, moments.settle, environment, terminal)).await?;

    let out = Stream::new(format, &table, terminal.data())?;
    let stop = operations.stop();
    let meter = Meter::new(client, terminal);
    let observe = |progress| {
        spans.tell(progress);
        meter.tell(progress);
    };
    let mut report = meter.watch(stream(&job, &table, source, &out, stop, &observe)).await;
    let stopped = operations.stopped(&mut report);
    let outcome = Run {
        dest: STANDARD_OUTPUT,
        account: account.name.as_deref().unwrap_or(key),
        report: &report,
        usage: client.usage(),
        took: started.elapsed(),
        fail_on_drift: args.fail_on_drift,
        stream: true,
        stopped,
    };
    spans.figures(&outcome);
    Ok(finish(&outcome, terminal, operations))
}

/// The one format of a stream.
fn format(args: &ExportArgs) -> Result<StreamFormat> {
    if let Some(flag) = args.layout.of_files() {
        return Err(Error::usage(format!("{flag} is about files, and --dest - writes none"))
            .hint("compress the stream on its way, for example with | zstd"));
    }
    let wishes = args.layout.resolve(&[])?;
    match args.formats.format.as_slice() {
        [name] => match name.as_str() {
            "ndjson" => Ok(StreamFormat::Ndjson(wishes.lines.unwrap_or_default())),
            "csv" => Ok(StreamFormat::Csv(wishes.formulas.unwrap_or_default())),
            "arrow" => Ok(StreamFormat::Arrow),
            other => Err(Error::usage(format!("not a format of a stream: {other:?}"))),
        },
        _ => Err(Error::usage("a stream has one format")),
    }
    .map_err(|error| error.hint("with --dest -, give --format ndjson, csv or arrow"))
}
