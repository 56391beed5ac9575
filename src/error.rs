//! The one error type of the crate.
//!
//! What lives here: what went wrong, as a [`Kind`] that says what the caller does next (the exit code follows
//! it), a sentence, context pairs (`window`, `page`, `path`, …), a hint and the cause.
//! What this file must not know: any stage, any library's error type by name, and how an error is printed.

use std::error::Error as StdError;
use std::fmt;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it is, which is what the caller does next.
///
/// The exit code of the program is a function of the kind alone: see [`Kind::exit_code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Our own mistake: an invariant of the program does not hold.
    Bug,
    /// The request itself is wrong: flag, configuration, destination. Nothing was requested or written.
    Usage,
    /// A window's set of events could not be proven complete.
    Unproven,
    /// The API contradicts itself: one id with two contents, a foreign account, a filter that is ignored.
    Contradiction,
    /// The API refused the credentials, or the account has no quota left.
    Credentials,
    /// The API could not be reached, throttled or failed until the retry budget was spent.
    Unavailable,
    /// The API answered that it does not serve this request (400, 404, …); repeating it is pointless.
    Refused,
    /// The API answered something that is not the documented reply, again and again.
    Malformed,
    /// The destination failed.
    Storage,
    /// Another run holds the dataset.
    Busy,
    /// The dataset is not what its log says.
    Verification,
    /// The run was asked to stop, by a signal or by its own deadline.
    Interrupted,
}

impl Kind {
    /// The program's exit code for this kind, as `design` and the README document it.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Bug => 1,
            Self::Usage => 2,
            Self::Unproven => 3,
            Self::Contradiction => 4,
            Self::Credentials => 5,
            Self::Unavailable | Self::Refused | Self::Malformed => 6,
            Self::Storage => 7,
            Self::Busy => 8,
            Self::Verification => 9,
            Self::Interrupted => 130,
        }
    }

    /// A short name for logs and machine-readable output; stable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bug => "bug",
            Self::Usage => "usage",
            Self::Unproven => "unproven",
            Self::Contradiction => "contradiction",
            Self::Credentials => "credentials",
            Self::Unavailable => "unavailable",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Storage => "storage",
            Self::Busy => "busy",
            Self::Verification => "verification",
            Self::Interrupted => "interrupted",
        }
    }
}

/// An error: kind, sentence, where, what to do, cause.
///
/// The sentence starts in lower case and has no final period. No part of an error ever holds a secret: callers
/// put in names, paths, numbers and sanitised text only.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    context: Vec<(&'static str, String)>,
    hint: Option<String>,
    own: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind with this sentence.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Inner { kind, message, context: Vec::new(), hint: None, own: false, source: None }))
    }

    /// Our own mistake.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, message)
            .hint("this is a defect of vonage-audit: please report it with this text")
    }

    /// A wrong request; nothing was requested or written.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Adds where it happened. The first value given for a name stays.
    #[must_use]
    pub fn at(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        if !self.0.context.iter().any(|(known, _)| *known == name) {
            self.0.context.push((name, value.to_string()));
        }
        self
    }

    /// Says what to do next. The hint nearest to the cause stays.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Says that it happened on our own side of a question that may be asked again: asking again does not help.
    #[must_use]
    pub fn on_our_side(mut self) -> Self {
        self.0.own = true;
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What the caller does next.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Whether it happened on our own side of a question: see [`Error::on_our_side`].
    pub fn is_on_our_side(&self) -> bool {
        self.0.own
    }

    /// The sentence alone.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it happened, in the order in which it was added.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// What to do next, if the place of the error knew.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    /// One line: sentence, context in parentheses, causes after colons. The hint is for the caller to place.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.message)?;
        for (position, (name, value)) in self.0.context.iter().enumerate() {
            let opening = if position == 0 { " (" } else { ", " };
            write!(out, "{opening}{name} {value}")?;
        }
        if !self.0.context.is_empty() {
            out.write_str(")")?;
        }
        let mut cause: Option<&(dyn StdError + 'static)> = self.source();
        while let Some(inner) = cause {
            write!(out, ": {inner}")?;
            cause = inner.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {self}", self.0.kind.name())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_sentence_context_and_cause_on_one_line() {
        let error = Error::new(Kind::Storage, "cannot write")
            .at("path", "a/b")
            .at("window", "2026-03-01")
            .at("path", "later values do not replace the first")
            .because(std::io::Error::other("disk full"));
        assert_eq!(error.to_string(), "cannot write (path a/b, window 2026-03-01): disk full");
        assert_eq!(error.kind().exit_code(), 7);
    }

    #[test]
    fn the_hint_nearest_to_the_cause_stays() {
        let error = Error::usage("no").hint("first").hint("second");
        assert_eq!(error.hint_text(), Some("first"));
    }
}
