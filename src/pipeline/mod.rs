//! The only place that knows the stages: extract, flatten, encode, publish, in that order, ascending in time.
//!
//! What lives here: the run, the conversion of what is there already, and the check of kept replies. What this module must not know: HTTP, files, the command line, the clock.

mod audit;
mod convert;
mod deliver;
mod extract;
mod in_order;
mod input;
mod law;
mod names;
mod outlook;
mod progress;
mod replay;
mod report;
mod reshape;
mod rows;
mod run;
mod stored;
mod stream;
mod transform;

pub use audit::{RawCheck, check_raw};
pub use convert::{Conversion, Converted, convert};
pub use extract::{Extraction, Outcome};
pub use in_order::{Inputs, Open, Taken, take};
pub use input::{Input, Limits, Lines};
pub use law::law;
pub use outlook::{Outlook, Stretch, outlook};
pub use progress::Progress;
pub use replay::replay;
pub use report::Report;
pub use reshape::{Source, reshape};
pub use run::{Job, asked_to_stop, known, run};
pub use stream::{Stream, stream};
