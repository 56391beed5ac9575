//! What a scheduler asks of a run: an end in time, figures for a monitor, spans for a tracer.
//!
//! What lives here: these flags, and what ends a run early: a signal, or its own deadline. What this file must not know:
//! what the run does.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use clap::Args as ClapArgs;
use tokio::time::Instant;
use vonage_audit::error::{Error, Kind, Result};
use vonage_audit::pipeline::Report;
use vonage_audit::plan::parse_duration;

use crate::environment::Environment;
use crate::export::stop_signal;
use crate::metrics::Metrics;
use crate::terminal::Terminal;
use crate::traces::Traces;

/// Exit code of a run that `--max-duration` ended. Not 3, which says that a window could not be proven and may want a
/// person: this one only wants to be started again.
pub(crate) const OUT_OF_TIME: u8 = 12;

/// For schedulers and monitors.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Operations")]
pub(crate) struct OperationArgs {
    /// Stop before the next publication when this time is over, with exit code 12; what is committed stays, and the next
    /// run goes on there
    #[arg(long, value_name = "DURATION")]
    max_duration: Option<String>,
    /// Write the run's figures to this file in Prometheus' text format, for a textfile collector; replaced as a whole
    #[arg(long, value_name = "FILE")]
    metrics_file: Option<PathBuf>,
}

/// The same, resolved: one for a command, whatever the number of its accounts.
#[derive(Default)]
pub(crate) struct Operations {
    deadline: Option<Instant>,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) traces: Traces,
}

impl OperationArgs {
    /// Whether the flags are right; nothing is touched.
    pub(crate) fn check(&self) -> Result<Option<Duration>> {
        if let Some(path) = &self.metrics_file {
            Metrics::check(path)?;
        }
        let limit = self.max_duration.as_deref().map(parse_duration).transpose();
        let limit = limit.map_err(|error| error.at("flag", "--max-duration"))?;
        Ok(limit.map(|seconds| Duration::from_secs(u64::from(seconds))))
    }

    /// Time begins to count.
    pub(crate) fn start(&self, environment: &Environment, terminal: &Terminal) -> Result<Operations> {
        let limit = self.check()?;
        Ok(Operations {
            deadline: limit.and_then(|limit| Instant::now().checked_add(limit)),
            metrics: self.metrics_file.clone().map(Metrics::new),
            traces: Traces::start(environment, terminal),
        })
    }
}

impl Operations {
    /// Completes at the first signal or when time is over; the code beside it says which.
    pub(crate) fn stop(&self) -> (impl Future<Output = ()> + Send + use<>, Arc<AtomicU8>) {
        let code = Arc::new(AtomicU8::new(130));
        let shared = Arc::clone(&code);
        let deadline = self.deadline;
        let stop = async move {
            let over = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            let why = tokio::select! {
                code = stop_signal() => code,
                () = over => OUT_OF_TIME,
            };
            shared.store(why, Ordering::Relaxed);
        };
        (stop, code)
    }
}

/// The exit code of a run that was stopped, if this one was; says so where its time was over.
pub(crate) fn stopped(report: &mut Report, code: &AtomicU8) -> Option<u8> {
    let interrupted = report.failure.as_ref().is_some_and(|failure| failure.kind() == Kind::Interrupted);
    let code = interrupted.then(|| code.load(Ordering::Relaxed))?;
    if code == OUT_OF_TIME {
        report.failure = Some(
            Error::new(Kind::Interrupted, "the time of --max-duration is over")
                .hint("what was committed stays; start the same command again to go on"),
        );
    }
    Some(code)
}
