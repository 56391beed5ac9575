//! What the program says: results on standard output, everything else on standard error.
//!
//! What lives here: the only prints of the program, as text for people or as one JSON object a line. What this file must
//! not know: what is being said.

use std::error::Error as _;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value, json};
use vonage_audit::Error;

use crate::args::{Global, LogFormat, Output};
use crate::environment::clock;

/// Where and how to speak.
pub(crate) struct Terminal {
    quiet: bool,
    verbose: bool,
    json: bool,
    log: LogFormat,
    /// Whether somebody looks on, so that lines may replace each other.
    live: bool,
    /// Drawn where somebody looks on, else nowhere. It has no colours, with or without `NO_COLOR`.
    bar: ProgressBar,
}

impl Terminal {
    /// As the flags ask.
    pub(crate) fn new(global: &Global) -> Self {
        let live = !global.quiet && global.log_format == LogFormat::Human && io::stderr().is_terminal();
        Self {
            quiet: global.quiet,
            verbose: global.verbose,
            json: global.output == Output::Json,
            log: global.log_format,
            live,
            bar: ProgressBar::hidden(),
        }
    }

    /// For errors that come before the flags are known.
    pub(crate) fn early(as_json: bool) -> Self {
        let (quiet, verbose, json, live) = (false, false, false, false);
        let log = if as_json { LogFormat::Json } else { LogFormat::Human };
        Self { quiet, verbose, json, log, live, bar: ProgressBar::hidden() }
    }

    /// Whether the result is to be one JSON object.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether standard error is a terminal that shows progress as it is made.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// The result, on standard output. A closed pipe is no error.
    pub(crate) fn result(&self, text: impl Display) {
        self.bar.suspend(|| {
            let mut out = io::stdout().lock();
            // Whoever closed the pipe has what they wanted.
            let _ = writeln!(out, "{text}").and_then(|()| out.flush());
        });
    }

    /// Standard output, for a command whose result is data.
    pub(crate) fn data(&self) -> Box<dyn Write + Send> {
        Box::new(io::stdout())
    }

    /// The result of a command whose data is on standard output: on standard error, unless quiet and for people.
    pub(crate) fn aside(&self, text: impl Display) {
        if self.json {
            self.line(&text.to_string());
        } else if !self.quiet {
            self.say("info", &text.to_string());
        }
    }

    /// Something to know, unless quiet.
    pub(crate) fn note(&self, text: impl Display) {
        if !self.quiet {
            self.say("info", &text.to_string());
        }
    }

    /// Something to know with `--verbose` alone.
    pub(crate) fn detail(&self, text: impl Display) {
        if self.verbose {
            self.say("debug", &text.to_string());
        }
    }

    /// Something that went wrong, always, with its hint on a line of its own.
    pub(crate) fn error(&self, error: &Error) {
        if self.log == LogFormat::Json {
            return self.line(&record(error).to_string());
        }
        self.line(&format!("error: {}", printable(&error.to_string())));
        if let Some(hint) = error.hint_text() {
            self.line(&format!("  hint: {}", printable(hint)));
        }
    }

    /// How far the work is, on a terminal that shows it: steps done, of all if that is known, a text that may be cut, and one of
    /// at most 40 columns in a line of its own.
    pub(crate) fn progress(&self, done: u64, of: Option<u64>, beside: String, below: String) {
        if !self.live {
            return;
        }
        if self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let template = match of {
            Some(_) => "{bar:10} {wide_msg}\n{prefix:40!}",
            None => "{spinner} {wide_msg}\n{prefix:40!}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_length(of.unwrap_or_default());
        self.bar.set_position(done);
        self.bar.set_message(beside);
        self.bar.set_prefix(below);
        self.bar.tick();
    }

    /// The work is over: what stands on the screen of it goes.
    pub(crate) fn progress_ended(&self) {
        self.bar.finish_and_clear();
        self.bar.set_draw_target(ProgressDrawTarget::hidden());
        self.bar.reset();
    }

    fn say(&self, level: &str, text: &str) {
        if self.log == LogFormat::Human {
            return self.line(text);
        }
        let (level, text) = match text.strip_prefix("warning: ") {
            Some(rest) => ("warning", rest),
            None => (level, text),
        };
        self.line(&json!({"time": clock(), "level": level, "message": text}).to_string());
    }

    fn line(&self, text: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(io::stderr().lock(), "{text}");
        });
    }
}

/// An error as an object: `docs/output.md` names its keys.
pub(crate) fn record(error: &Error) -> Value {
    let context: Map<String, Value> =
        error.context().iter().map(|(name, value)| ((*name).to_owned(), printable(value).into())).collect();
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        causes.push(printable(&inner.to_string()));
        cause = inner.source();
    }
    json!({
        "time": clock(),
        "level": "error",
        "kind": error.kind().name(),
        "message": printable(error.message()),
        "context": context,
        "causes": causes,
        "hint": error.hint_text().map(printable),
    })
}

/// Text from outside without control characters, so that nothing can drive the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
