//! Extracts the Vonage Audit API completely, provably and losslessly.
//!
//! Data moves one way: a date range is planned into windows, each window is settled into a complete set of events,
//! the events are flattened into typed columns, encoded, and published into write-once slots with a commit log.
//! The stages meet in the values of [`model`] and never import each other; `pipeline` alone knows them.

pub mod encode;
pub mod error;
pub mod model;
pub mod publish;
pub mod secret;
pub mod store;

pub use error::{Error, Result};
