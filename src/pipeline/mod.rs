//! The only place that knows the stages: extract, flatten, encode, publish, in that order, ascending in time.
//!
//! What lives here: the run. What this module must not know: HTTP, files, the command line, the clock.

mod extract;

pub use extract::{Extraction, Unit};
