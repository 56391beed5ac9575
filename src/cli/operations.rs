//! What a scheduler asks of a run: an end in time, figures for a monitor, spans for a tracer.
//!
//! What lives here: these flags, and what ends a run early: a signal, or its own deadline. What this file must not know:
//! what the run does.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use vonage_audit::error::{Error, Kind, Result};
use vonage_audit::pipeline::{Report, asked_to_stop};
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
pub(crate) struct Operations {
    /// The exit code of whatever has stopped the command; 0 before.
    why: watch::Receiver<u8>,
    /// Whoever tells it.
    #[expect(dead_code, reason = "it ends with this")]
    listening: JoinSet<()>,
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
        let metrics = self.metrics_file.clone().map(Metrics::new);
        Ok(Operations {
            metrics,
            traces: Traces::start(environment, terminal),
            ..Operations::until(deadline)
        })
    }
}

impl Operations {
    /// Signals alone end the command. Within a runtime.
    pub(crate) fn of_signals() -> Self {
        Self::until(None)
    }

    /// Listens from now on, so that no signal is lost between one step and the next, or one account and the next.
    fn until(deadline: Option<Instant>) -> Self {
        let (tell, why) = watch::channel(0);
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
        Self { why, listening, metrics: None, traces: Default::default() }
    }

    /// Completes at the first signal or when time is over; [`Operations::code`] says which.
    pub(crate) fn stop(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut why = self.why.clone();
        async move {
            if why.wait_for(|code| *code > 0).await.is_err() {
                // Nobody will tell any more: the command ends.
                std::future::pending().await
            }
        }
    }

    /// The exit code of whatever has stopped the command; 0 before.
    fn code(&self) -> u8 {
        *self.why.borrow()
    }

    /// Does what comes before a run, unless it is stopped meanwhile: a destination or an API may let one wait for long.
    ///
    /// # Errors
    /// What `work` gives; Interrupted, with [`Operations::code_of`] its exit code.
    pub(crate) async fn before<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            outcome = work => outcome,
            () = self.stop() => Err(if self.code() == OUT_OF_TIME { out_of_time() } else { asked_to_stop() }),
        }
    }

    /// The exit code of an error.
    pub(crate) fn code_of(&self, error: &Error) -> u8 {
        match self.code() {
            code @ 1.. if error.kind() == Kind::Interrupted => code,
            _ => error.kind().exit_code(),
        }
    }

    /// The exit code of a run that was stopped, if this one was; says so where its time was over.
    pub(crate) fn stopped(&self, report: &mut Report) -> Option<u8> {
        let failure = report.failure.as_mut().filter(|failure| failure.kind() == Kind::Interrupted)?;
        if self.code() == OUT_OF_TIME {
            *failure = out_of_time();
        }
        Some(self.code_of(failure))
    }
}

fn out_of_time() -> Error {
    Error::new(Kind::Interrupted, "the time of --max-duration is over")
        .hint("what was committed stays; start the same command again to go on")
}
