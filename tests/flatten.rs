//! The law of flattening, from outside: every event can be rebuilt from its row, value for value and number text for
//! number text; and what the rows of the published examples are.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed; helpers of tests are tests too"
)]

#[path = "flatten/derived.rs"]
mod derived;
#[path = "flatten/events.rs"]
mod events;
#[path = "flatten/law.rs"]
mod law;
#[path = "flatten/limits.rs"]
mod limits;
#[path = "flatten/published.rs"]
mod published;
#[path = "flatten/row.rs"]
mod row;
