//! Counts of values that a typed column does not hold as they were.
//!
//! What lives here: [`ColumnIssues`], for the drift report. No value is kept, only numbers. What this file must not
//! know: why a value did not fit.

use super::coerce::Fit;

/// What one source column met since the flattener was made. Nothing counted here is lost: the value stands in the
/// remainder or in the context's text as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColumnIssues {
    /// Values that the column holds converted.
    pub coerced: u64,
    /// Values whose type could not be converted; the column is null.
    pub type_mismatch: u64,
    /// Strings with U+0000 or a lone surrogate; the column is null.
    pub unrepresentable: u64,
    /// Events in which the key occurred more than once; the last value is typed.
    pub repeated: u64,
}

impl ColumnIssues {
    /// Whether there is nothing to report.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn count(&mut self, fit: Fit, repeated: bool) {
        match fit {
            Fit::Exact | Fit::Null => {}
            Fit::Coerced => self.coerced += 1,
            Fit::TypeMismatch => self.type_mismatch += 1,
            Fit::Unrepresentable => self.unrepresentable += 1,
        }
        self.repeated += u64::from(repeated);
    }
}
