//! The settling code on a simulated API and clock, one seed for everything.
//!
//! `SIMULATION_SEEDS=1000000 cargo test --release --test simulation -- --nocapture` repeats the long run; a failure
//! names its seed, and `SIMULATION_FIRST=<seed> SIMULATION_SEEDS=1` runs it alone.

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
mod filters;
mod random;
mod semantics;
mod vendor;
mod world;

/// First seed and number of seeds of a run.
fn seeds(default: u64) -> std::ops::Range<u64> {
    let read = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let first = read("SIMULATION_FIRST").unwrap_or(0);
    first..first + read("SIMULATION_SEEDS").unwrap_or(default)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
