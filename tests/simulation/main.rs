//! The settling code on a simulated API and clock, one seed for everything.
//!
//! `SIMULATION_SEEDS=1000000 cargo test --release --test simulation -- --nocapture` repeats the long run; a failure
//! names its seed, and `SIMULATION_FIRST=<seed> SIMULATION_SEEDS=1` runs it alone. `SIMULATION_NIGHTS`,
//! `SIMULATION_WORLDS`, `SIMULATION_EVIDENCE` and `SIMULATION_MEMORY` do the same for whole runs, for the meanings of the
//! bounds, for kept replies and for events that do not fit into memory. `SIMULATION_EVENTS`, `SIMULATION_BYTES` and
//! `SIMULATION_WALK` are the events, the memory and the walk limit of a busy day.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test program"
)]

mod certificates;
mod costs;
mod evidence;
mod filters;
mod memory;
mod nights;
mod random;
mod semantics;
mod vendor;
mod world;

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// The seeds of a run: how many, by a variable or the default, from `SIMULATION_FIRST` on.
fn seeds(count: &str, default: u64) -> std::ops::Range<u64> {
    let first = number("SIMULATION_FIRST").unwrap_or(0);
    first..first + number(count).unwrap_or(default)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
