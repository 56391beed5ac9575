//! The wire format: bytes of a reply to values, without loss.
//!
//! What lives here: [`page()`], [`event()`] and [`Reader`], [`types`] and [`object`]. What this module must not know: HTTP, repetitions
//! and what a value is used for. A page that is not the documented object is an error; an event that is not what it
//! should be is data: it is cut out exactly and carries its [`crate::model::Flaw`]. Links are never read.

mod event;
mod page;
mod places;
#[cfg(test)]
mod tests;

pub use event::{Reader, Sound, event};
pub use page::{EventType, object, page, types};
