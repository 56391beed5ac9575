//! Who acts and from where: users, addresses, phone numbers, all from ranges reserved for documentation.
//!
//! What lives here: pure functions of a seed. What this file must not know: events.

use super::super::random::Random;

const FIRST: [&str; 20] = [
    "ada",
    "grace",
    "alan",
    "edsger",
    "barbara",
    "donald",
    "katherine",
    "linus",
    "margaret",
    "dennis",
    "frances",
    "ken",
    "radia",
    "tim",
    "hedy",
    "emmy",
    "joan",
    "john",
    "mary",
    "niklaus",
];
const LAST: [&str; 17] = [
    "byron", "hopper", "turing", "dijkstra", "liskov", "knuth", "johnson", "torvalds", "hamilton", "ritchie",
    "allen", "thompson", "perlman", "lee", "lamarr", "shannon", "clarke",
];
const COUNTRIES: [&str; 12] = ["GB", "US", "DE", "ES", "FR", "NL", "SG", "JP", "BR", "IN", "NA", "NO"];
/// Users of the seeded account; the first ones do most of the work.
const USERS: u64 = 60;

/// A user of the account.
pub(super) struct User {
    pub(super) email: String,
    pub(super) id: u64,
    /// The user's usual address and its country.
    pub(super) ip: String,
    pub(super) country: &'static str,
}

/// One of the users, the busy ones more often.
pub(super) fn user(seed: u64, random: &mut Random) -> User {
    let number = random.busy(USERS);
    let mut own = Random::new(seed ^ 0x0075_7365_7200, number);
    let first = own.word(&FIRST);
    let last = own.word(&LAST);
    let email = match number % 11 {
        10 => format!("{first}+{last}@sub.example.org"),
        7 => format!("{first}.{last}@müller.example"),
        _ => format!("{first}.{last}{number}@example.com"),
    };
    let id = 1_000_000 + number * 7919 + own.below(7919);
    User { email, id, ip: ip(&mut own), country: country(&mut own) }
}

/// An address: IPv4 (RFC 5737) mostly, IPv6 (RFC 3849) now and then.
pub(super) fn ip(random: &mut Random) -> String {
    let last = random.below(254) + 1;
    match random.below(10) {
        0 => format!("2001:db8::{last:x}"),
        1 => format!("2001:db8:{:x}:{:x}:0:0:0:{last:x}", random.below(65_536), random.below(65_536)),
        2..5 => format!("198.51.100.{last}"),
        5..7 => format!("203.0.113.{last}"),
        _ => format!("192.0.2.{last}"),
    }
}

/// An ISO 3166-1 code; `NA` and `NO` are among them because readers take them for null and false.
pub(super) fn country(random: &mut Random) -> &'static str {
    random.word(&COUNTRIES)
}

/// A phone number: digits as text, some with leading zeros.
pub(super) fn msisdn(random: &mut Random) -> String {
    match random.below(12) {
        0 => format!("00447700900{:03}", random.below(1000)),
        1..4 => format!("1201555{:04}", 100 + random.below(100)),
        4 => format!("{:05}", random.below(100_000)),
        _ => format!("447700900{:03}", random.below(1000)),
    }
}
