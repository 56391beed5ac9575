//! What is asked of the API and what one reply says.
//!
//! What lives here: [`Query`] and [`Page`]. What this file must not know: URLs, parameters' names, HTTP.

use std::sync::Arc;

use super::event::Event;
use super::evidence::Exchange;
use super::time::Timestamp;

/// A question to the list of events. The bounds are what is *sent*; how the API understands them is not known
/// (inclusive or exclusive, day or second), so that the client filters again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Query {
    /// Lower bound as sent, whole seconds; none asks from the beginning.
    pub from: Option<Timestamp>,
    /// Upper bound as sent, whole seconds; none asks to the end.
    pub to: Option<Timestamp>,
    /// Event types to list; empty asks for all.
    pub event_types: Vec<String>,
    /// Text that the events' JSON must contain.
    pub search_text: Option<String>,
}

/// One reply of the list.
#[derive(Clone, Debug)]
pub struct Page {
    /// `page.totalElements`: how many events the API says the query has.
    pub total: u64,
    /// The events of this page, in the reply's order; the API may send more or fewer than asked.
    pub events: Vec<Event>,
    /// `page.number` as it says; only of interest to whoever studies the API, since pages are counted by ourselves.
    pub number: Option<u64>,
    /// The reply's `Date` header, seconds since 1970, if it had a readable one.
    pub server_time: Option<i64>,
    /// How often the question was sent until this reply came; 1 where nothing was repeated.
    pub attempts: u32,
    /// The question and the reply themselves, where they are kept as evidence.
    pub exchange: Option<Arc<Exchange>>,
}
