//! The only HTTP of the program: client, authentication, retry, rate limit, wire format of pages and errors.
//!
//! What lives here: [`Client`], which turns a [`crate::model::Query`] into a [`crate::model::Page`] or an error
//! that says what the caller does next; and [`wire`], the reading of bytes. What this module must not know: windows,
//! walks, certificates, columns, files. It never follows a link or a redirect: every URL is built from the
//! configured base. A non-200 answer is never read as "no events".

mod backoff;
mod base;
mod body;
mod client;
mod excerpt;
mod exchange;
mod failure;
mod pace;
mod problem;
mod proxy;
mod retry;
mod retry_after;
mod settings;
mod trust;
mod usage;
pub mod wire;
mod within;

pub use base::DEFAULT_BASE;
pub use client::Client;
pub use proxy::Proxy;
pub use settings::{Limits, Settings};
pub use usage::Usage;
pub use wire::{EventType, event};
