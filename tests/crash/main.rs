//! The real program on the real disk, ended or refused at each of its system calls.
//!
//! The program runs under `ptrace`: every call of every thread that touches the destination is stopped in the order
//! in which it is made, numbered, and passed on, answered with an error, or never made because the program is killed
//! there. An undisturbed run says which calls there are, so that "at every call" is a count, not a hope.
//!
//! `cargo test` takes a sample; `VONAGE_AUDIT_FULL=1 cargo test --test crash -- --nocapture` takes every call.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test program"
)]

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod calls;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod controls;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod errors;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[path = "../harness/folder.rs"]
mod folder;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod kills;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod oracle;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[path = "../harness/program.rs"]
mod program;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[path = "../harness/python.rs"]
mod python;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[path = "../harness/sandbox.rs"]
mod sandbox;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod signals;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod together;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod tracer;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
#[test]
fn crashes_are_tested_where_calls_can_be_stopped() {
    panic!("the crash tests stop the program's system calls; that is written for Linux on x86-64 only");
}
