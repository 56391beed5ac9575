//! Switches as text: enums whose variants have one word each, and the error for a word nobody knows.
//!
//! What lives here: [`BadText`] and the `words!` macro. What this file must not know: any particular switch.

use std::fmt;

/// A text that is not a behaviour, a fault or a population; says which part and what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadText(String);

impl BadText {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    pub(super) fn unknown(what: &str, text: &str, known: &[&str]) -> Self {
        Self(format!("unknown {what} {text:?}, expected one of: {}", known.join(", ")))
    }
}

impl fmt::Display for BadText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for BadText {}

/// Reads a number, naming what it was for.
pub(super) fn number<T: std::str::FromStr>(what: &str, text: &str) -> Result<T, BadText> {
    text.parse().map_err(|_| BadText::new(format!("{what} needs a whole number, got {text:?}")))
}

/// Defines an enum of switch positions; the first is the default, and each has one word.
macro_rules! words {
    ($(#[$about:meta])* $name:ident {
        $(#[$first_about:meta])* $first:ident = $first_word:literal,
        $($(#[$case_about:meta])* $case:ident = $word:literal),+ $(,)?
    }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name {
            $(#[$first_about])* #[default] $first,
            $($(#[$case_about])* $case),+
        }

        impl std::str::FromStr for $name {
            type Err = $crate::sandbox::words::BadText;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $first_word => Ok(Self::$first),
                    $($word => Ok(Self::$case),)+
                    _ => Err($crate::sandbox::words::BadText::unknown(stringify!($name), text, &[$first_word, $($word),+])),
                }
            }
        }
    };
}

pub(super) use words;
