//! Tampering: every mutation of a dataset is found, and no sound dataset is accused.
//!
//! The program's own library verifies copies in memory; the program itself a sample of them. By default a sample of
//! positions and seeds; `TAMPER=all` takes all of them.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; helpers of tests are tests too"
)]

mod bytes;
mod clean;
mod cli;
#[path = "../flatten/events.rs"]
mod events;
mod hostile;
mod places;
#[path = "../harness/program.rs"]
mod program;
#[allow(dead_code, unreachable_pub, reason = "shared with the simulation")]
#[path = "../simulation/random.rs"]
mod random;
mod rows;
mod score;
mod world;

/// Whether everything is tried instead of a sample.
pub(crate) fn all() -> bool {
    std::env::var_os("TAMPER").is_some_and(|value| value == "all")
}

/// One number for a sample, another for everything.
pub(crate) fn scale(sample: u64, everything: u64) -> u64 {
    if all() { everything } else { sample }
}
