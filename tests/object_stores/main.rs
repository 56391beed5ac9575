//! Object stores: real servers, the whole program, and a network between them that fails.
//!
//! moto is the S3 server (it checks every signature), azurite the Azure server; both are started on free ports of this
//! machine. `OBJECT_STORES_EVERY=1` runs the whole matrix of faults, the default a sample of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test program"
)]

#[path = "../harness/extraction.rs"]
#[allow(dead_code, reason = "shared with tests that write to disk")]
mod extraction;
#[path = "../harness/folder.rs"]
mod folder;
#[path = "../harness/program.rs"]
mod program;
#[path = "../harness/python.rs"]
#[allow(dead_code, reason = "shared with tests that run readers")]
mod python;
#[path = "../harness/sandbox.rs"]
mod sandbox;
#[path = "../harness/conformance.rs"]
mod suite;

mod capability;
mod export;
mod external;
mod faults;
mod google;
mod lock;
mod policy;
mod proxy;
mod servers;
mod settings;
mod stores;
