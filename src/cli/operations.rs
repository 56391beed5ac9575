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
use tokio::sync::watch;
use tokio::task::JoinSet;
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
    /// The exit code of whatever has stopped the command; 0 before. None where signals alone stop it, while somebody listens.
    why: Option<watch::Receiver<u8>>,
    /// Whoever tells it.
    #[expect(dead_code, reason = "it ends with this")]
    listening: JoinSet<()>,
    /// The exit code of what was stopped before its run; 0 for nothing.
    early: AtomicU8,
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

    /// Time begins to count, and signals end the command in good order. Within a runtime.
    pub(crate) fn start(&self, environment: &Environment, terminal: &Terminal) -> Result<Operations> {
        let deadline = self.check()?.and_then(|limit| Instant::now().checked_add(limit));
        let (tell, why) = watch::channel(0);
        // From now on, so that no signal is lost between one step and the next, or one account and the next.
        let mut listening = JoinSet::new();
        listening.spawn(async move {
            let over = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            let code = tokio::select! {
                code = stop_signal() => code,
                () = over => OUT_OF_TIME,
            };
            let _ = tell.send(code);
        });
        Ok(Operations {
            why: Some(why),
            listening,
            early: AtomicU8::new(0),
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
        let why = self.why.clone();
        let stop = async move {
            let told = match why {
                None => Some(stop_signal().await),
                Some(mut why) => why.wait_for(|code| *code > 0).await.ok().map(|code| *code),
            };
            match told {
                Some(code) => shared.store(code, Ordering::Relaxed),
                // Nobody will tell any more: the command ends.
                None => std::future::pending().await,
            }
        };
        (stop, code)
    }

    /// Does what comes before a run, unless it is stopped meanwhile: a destination or an API may let one wait for long.
    ///
    /// # Errors
    /// What `work` gives; Interrupted, with [`Operations::code_of`] its exit code.
    pub(crate) async fn before<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let (stop, why) = self.stop();
        tokio::select! {
            biased;
            outcome = work => outcome,
            () = stop => {
                let code = why.load(Ordering::Relaxed);
                self.early.store(code, Ordering::Relaxed);
                Err(match code {
                    OUT_OF_TIME => out_of_time(),
                    _ => Error::new(Kind::Interrupted, "the run was asked to stop")
                        .hint("what was committed stays; start the same command again to go on"),
                })
            }
        }
    }

    /// The exit code of an error.
    pub(crate) fn code_of(&self, error: &Error) -> u8 {
        match self.early.load(Ordering::Relaxed) {
            code @ 1.. if error.kind() == Kind::Interrupted => code,
            _ => error.kind().exit_code(),
        }
    }
}

fn out_of_time() -> Error {
    Error::new(Kind::Interrupted, "the time of --max-duration is over")
        .hint("what was committed stays; start the same command again to go on")
}

/// The exit code of a run that was stopped, if this one was; says so where its time was over.
pub(crate) fn stopped(report: &mut Report, code: &AtomicU8) -> Option<u8> {
    let interrupted = report.failure.as_ref().is_some_and(|failure| failure.kind() == Kind::Interrupted);
    let code = interrupted.then(|| code.load(Ordering::Relaxed))?;
    if code == OUT_OF_TIME {
        report.failure = Some(out_of_time());
    }
    Some(code)
}
