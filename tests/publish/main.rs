//! What the stores, the slots and the log promise, tested through the library's public API.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests are not marked as tests"
)]

mod conformance;
mod dataset;
mod local;
mod partitions;
mod schedules;
mod signing;
#[path = "../harness/conformance.rs"]
mod suite;
mod support;
