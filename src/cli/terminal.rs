//! What the program says: results on standard output, everything else on standard error.
//!
//! What lives here: the only prints of the program. What this file must not know: what is being said.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;

use vonage_audit::Error;

use crate::args::{Global, Output};

/// Where and how to speak.
pub(crate) struct Terminal {
    quiet: bool,
    json: bool,
    progress: bool,
    /// Whether a progress line stands on the screen, to be wiped before the next line.
    line: Mutex<bool>,
}

impl Terminal {
    /// As the flags ask.
    pub(crate) fn new(global: &Global) -> Self {
        let json = global.output == Output::Json;
        let progress = !global.quiet && io::stderr().is_terminal();
        Self { quiet: global.quiet, json, progress, line: Mutex::new(false) }
    }

    /// Whether the result is to be one JSON object.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// The result, on standard output. A closed pipe is no error.
    pub(crate) fn result(&self, text: impl Display) {
        self.wipe();
        let mut out = io::stdout().lock();
        // Whoever closed the pipe has what they wanted.
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    /// Standard output, for a command whose result is data.
    pub(crate) fn data(&self) -> Box<dyn Write + Send> {
        Box::new(io::stdout())
    }

    /// The result of a command whose data is on standard output: on standard error, unless quiet and for people.
    pub(crate) fn aside(&self, text: impl Display) {
        if self.json || !self.quiet {
            self.say(&text.to_string());
        }
    }

    /// Something to know, unless quiet.
    pub(crate) fn note(&self, text: impl Display) {
        if !self.quiet {
            self.say(&text.to_string());
        }
    }

    /// Something that went wrong, always, with its hint on a line of its own.
    pub(crate) fn error(&self, error: &Error) {
        self.say(&format!("error: {}", printable(&error.to_string())));
        if let Some(hint) = error.hint_text() {
            self.say(&format!("  hint: {}", printable(hint)));
        }
    }

    /// One line that replaces itself, on a terminal only.
    pub(crate) fn progress(&self, text: impl Display) {
        if !self.progress {
            return;
        }
        if let Ok(mut standing) = self.line.lock() {
            let _ = write!(io::stderr().lock(), "\r\x1b[2K{text}");
            *standing = true;
        }
    }

    fn say(&self, text: &str) {
        self.wipe();
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    fn wipe(&self) {
        if let Ok(mut standing) = self.line.lock()
            && *standing
        {
            let _ = write!(io::stderr().lock(), "\r\x1b[2K");
            *standing = false;
        }
    }
}

/// Text from outside without control characters, so that nothing can drive the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
