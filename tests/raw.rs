//! Kept replies and conversions of datasets, from outside: what an auditor can repeat, what a changed byte does, and
//! that a converted dataset holds the same rows and claims no more.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; helpers of tests are tests too"
)]

#[path = "harness/folder.rs"]
mod folder;
#[path = "raw/kept.rs"]
mod kept;
#[path = "harness/program.rs"]
mod program;
#[path = "raw/reshape.rs"]
mod reshape;
#[path = "harness/sandbox.rs"]
mod sandbox;
#[path = "raw/support.rs"]
mod support;
#[path = "raw/tamper.rs"]
mod tamper;
#[path = "formats/tree.rs"]
mod tree;
