//! How far a run is, for whoever looks on.
//!
//! What lives here: [`Meter`], which takes what the run tells and what the client counts, and says both: several times a
//! second on a terminal, every ten seconds elsewhere. What this file must not know: how it is printed.

use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use vonage_audit::api::{Client, Usage};
use vonage_audit::pipeline::Progress;

use crate::summary::{count, grouped};
use crate::terminal::Terminal;

const LIVE: Duration = Duration::from_millis(200);
const LINES: Duration = Duration::from_secs(10);

/// Watches one run.
pub(crate) struct Meter<'a> {
    client: &'a Client,
    terminal: &'a Terminal,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Windows to settle, once that is known.
    planned: Option<u64>,
    /// Windows committed, or given up.
    done: u64,
    /// Distinct events committed.
    events: u64,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(client: &'a Client, terminal: &'a Terminal) -> Self {
        Self { client, terminal, started: Instant::now(), state: Mutex::default() }
    }

    /// Takes what the run tells.
    pub(crate) fn tell(&self, progress: Progress) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Recounting { windows: 0 }
            | Progress::Settling { .. }
            | Progress::Settled { .. }
            | Progress::Unsettled { .. }
            | Progress::Publishing { .. }
            | Progress::Committing { .. }
            | Progress::Logged { .. }
            | Progress::Published { .. } => {}
            Progress::Recounting { windows } => {
                self.terminal.detail(format!("counting {} again", count(windows, "committed window")));
            }
            Progress::Planned { windows } => {
                state.planned = Some(windows);
                self.terminal.detail(format!("{} to settle", count(windows, "window")));
            }
            Progress::Committed { window, events } => {
                state.done += 1;
                state.events += events;
                self.terminal.detail(format!("{window}  {} committed", count(events, "event")));
            }
            Progress::Unproven { window } => {
                state.done += 1;
                self.terminal.note(format!("warning: {window} could not be proven; going on"));
            }
        }
    }

    /// Does the work and shows how far it is meanwhile.
    pub(crate) async fn watch<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let every = if self.terminal.is_live() { LIVE } else { LINES };
        let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let outcome = loop {
            tokio::select! {
                outcome = &mut work => break outcome,
                _ = tick.tick() => self.show(),
            }
        };
        self.terminal.progress_ended();
        outcome
    }

    fn show(&self) {
        let state = *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = Seen {
            state,
            usage: self.client.usage(),
            elapsed: self.started.elapsed(),
            waiting: self.client.waiting(),
        };
        if self.terminal.is_live() {
            self.terminal.progress(state.done, state.planned, seen.beside_the_bar(), seen.below_the_bar());
        } else {
            self.terminal.note(seen.line());
        }
    }
}

/// What there is to say at one moment.
struct Seen {
    state: State,
    usage: Usage,
    elapsed: Duration,
    waiting: Duration,
}

impl Seen {
    /// Windows, events, requests, their rate, the time left, and what is being waited for.
    fn line(&self) -> String {
        let mut text = format!("{}, {}", self.windows(), self.below_the_bar());
        if let Some(left) = self.left() {
            text += &format!(", about {left} left");
        }
        if let Some(waiting) = self.waiting() {
            text += &format!("; {waiting}");
        }
        text
    }

    /// What matters most comes first: a narrow terminal cuts the end.
    fn beside_the_bar(&self) -> String {
        let windows = self.windows();
        match (self.waiting(), self.left()) {
            (Some(waiting), _) => format!("{waiting}, {windows}"),
            (None, Some(left)) => format!("{windows}, {left} left"),
            (None, None) => windows,
        }
    }

    fn below_the_bar(&self) -> String {
        let seconds = self.elapsed.as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = self.usage.requests as f64 / seconds;
        let (events, requests) = (count(self.state.events, "event"), count(self.usage.requests, "request"));
        format!("{events}, {requests}, {rate:.1}/s")
    }

    fn windows(&self) -> String {
        match self.state.planned {
            Some(planned) => format!("{} of {}", grouped(self.state.done), count(planned, "window")),
            None => "counting".to_owned(),
        }
    }

    fn left(&self) -> Option<String> {
        let State { planned, done, .. } = self.state;
        let left = planned?.saturating_sub(done);
        if done == 0 || left == 0 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
        let remaining = self.elapsed.as_secs_f64() * left as f64 / done as f64;
        Some(duration(Duration::from_secs_f64(remaining)))
    }

    fn waiting(&self) -> Option<String> {
        let reason = if self.usage.throttled > 0 { "the API's limit" } else { "a repetition" };
        (!self.waiting.is_zero()).then(|| format!("waiting {} for {reason}", duration(self.waiting)))
    }
}

/// `40 s`, `12 min`, `3 h 5 min`.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_done_what_is_left_and_what_is_waited_for() {
        let seen = Seen {
            usage: Usage { requests: 400, throttled: 1, ..Usage::default() },
            state: State { planned: Some(90), done: 30, events: 12_345 },
            elapsed: Duration::from_secs(100),
            waiting: Duration::from_millis(27_500),
        };
        assert_eq!(
            seen.line(),
            "30 of 90 windows, 12,345 events, 400 requests, 4.0/s, about 3 min left; waiting 28 s for the API's limit"
        );
        assert_eq!(seen.beside_the_bar(), "waiting 28 s for the API's limit, 30 of 90 windows");
        assert_eq!(seen.below_the_bar(), "12,345 events, 400 requests, 4.0/s");
        let going = Seen { waiting: Duration::ZERO, ..seen };
        assert_eq!(going.beside_the_bar(), "30 of 90 windows, 3 min left");
        let early =
            Seen { usage: Usage::default(), state: State::default(), elapsed: Duration::ZERO, ..going };
        assert_eq!(early.line(), "counting, 0 events, 0 requests, 0.0/s");
        assert_eq!(early.beside_the_bar(), "counting");
        assert_eq!(duration(Duration::from_secs(11_100)), "3 h 5 min");
    }
}
