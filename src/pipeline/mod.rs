//! The only place that knows the stages: extract, flatten, encode, publish, in that order, ascending in time.
//!
//! What lives here: the run, and the conversion of events that are there already. What this module must not know: HTTP, files, the command line, the clock.

mod convert;
mod deliver;
mod extract;
mod input;
mod law;
mod outlook;
mod report;
mod rows;
mod run;
mod stream;
mod transform;

pub use convert::{Conversion, Converted, convert};
pub use extract::{Extraction, Unit};
pub use input::{Input, Limits};
pub use law::law;
pub use outlook::{Outlook, Stretch, outlook};
pub use report::Report;
pub use run::{Job, Progress, known, run};
pub use stream::{Stream, stream};
