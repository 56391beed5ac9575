//! The Audit API served a second time, from its documentation, on loopback.
//!
//! A [`Population`] holds the events, a [`World`] what a server does with them ([`Behaviour`]: one switch for each
//! thing the documentation leaves open; [`Timeline`]: what changes while a client reads; [`FaultScript`]: what
//! breaks), and [`serve`] puts it on a socket that the caller bound. It exists to judge the client, so it shares
//! nothing with it: this module imports nothing of the crate and must not know that a client exists.

mod behaviour;
mod change;
mod clock;
mod fault;
mod log;
mod population;
mod query;
mod random;
mod reply;
mod route;
mod select;
mod server;
mod spoil;
mod switches;
mod timeline;
mod wire;
mod words;
mod world;

pub use behaviour::Behaviour;
pub use change::Change;
pub use fault::{ErrorBody, Fault, FaultScript};
pub use log::{Requests, Seen};
pub use population::{Population, Spec};
pub use server::serve;
pub use switches::{
    Beyond, Bound, DateHeader, Depth, Empty, EndOf, Family, Granularity, HiddenTime, Honour, Invalid, Links,
    Order, PageSize, RetryAfter, Search, Size, Throttle, Totals,
};
pub use timeline::Timeline;
pub use words::BadText;
pub use world::World;
