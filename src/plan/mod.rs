//! From what a person asked for to windows of the dataset's grid. Pure: the clock is an argument.
//!
//! What lives here: date expressions ([`Moment`]), durations, and the range that may be settled now ([`Range`]).
//! What this module must not know: the API, the destination, the command line.

mod moment;
mod range;
mod todo;

pub use moment::{Moment, parse_duration};
pub use range::{Range, resolve};
pub use todo::{Known, Todo, todo};
