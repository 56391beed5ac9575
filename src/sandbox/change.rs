//! Changes as text: how many events change at which request.
//!
//! What lives here: [`Change`]. What this file must not know: which events they are.

use std::str::FromStr;

use super::words::{BadText, number};

/// `COUNT@REQUEST`: this many events change when the request of this index (from 0) is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// How many events.
    pub count: u32,
    /// The index of the first request that sees the change.
    pub at: u64,
}

impl FromStr for Change {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let (count, at) = text
            .split_once('@')
            .ok_or_else(|| BadText::new(format!("a change is COUNT@REQUEST, got {text:?}")))?;
        Ok(Self {
            count: number("the count of a change", count)?,
            at: number("the request of a change", at)?,
        })
    }
}
