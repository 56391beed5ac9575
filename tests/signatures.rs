//! Signed logs as their user, their auditor and a thief see them: the program against the sandbox, keys and signatures
//! of OpenSSL, and the shell script that ships.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test program")]

#[path = "harness/program.rs"]
mod program;
#[path = "harness/sandbox.rs"]
mod sandbox;

#[path = "signatures/keys.rs"]
mod keys;
#[path = "signatures/lifecycle.rs"]
mod lifecycle;
#[path = "signatures/programs.rs"]
mod programs;
#[path = "signatures/script.rs"]
mod script;
