//! The only place that knows the stages: extract, flatten, encode, publish, in that order, ascending in time.
//!
//! What lives here: the run. What this module must not know: HTTP, files, the command line, the clock.

mod extract;
mod outlook;
mod report;
mod rows;
mod run;
mod transform;

pub use extract::{Extraction, Unit};
pub use outlook::{Outlook, Stretch, outlook};
pub use report::Report;
pub use run::{Job, Progress, known, run};
