//! Extracts the Vonage Audit API completely, provably and losslessly.
//!
//! Data moves one way: a date range is planned into windows, each window is settled into a complete set of events,
//! the events are flattened into typed columns, encoded, and published into write-once slots with a commit log.
//! The stages meet in the values of [`model`] and never import each other; `pipeline` alone knows them.

pub mod api;
pub mod encode;
pub mod error;
pub mod flatten;
pub mod model;
pub mod pipeline;
pub mod plan;
pub mod publish;
pub mod report;
pub mod sandbox;
pub mod schema;
pub mod secret;
pub mod settle;
pub mod spool;
pub mod store;

pub use error::{Error, Result};
