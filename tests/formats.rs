//! Every format, from outside: the rebuild law through real files, formats beside each other in one dataset, and
//! `convert` as a process.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; helpers of tests are tests too"
)]

#[path = "formats/convert.rs"]
mod convert;
#[path = "flatten/events.rs"]
mod events;
#[path = "formats/export.rs"]
mod export;
#[path = "harness/folder.rs"]
mod folder;
#[path = "formats/law.rs"]
mod law;
#[path = "formats/layouts.rs"]
mod layouts;
#[path = "harness/program.rs"]
mod program;
#[path = "harness/python.rs"]
mod python;
#[path = "harness/sandbox.rs"]
mod sandbox;
#[path = "formats/stream.rs"]
mod stream;
#[path = "formats/tree.rs"]
mod tree;
