//! From a request to what is answered: routes, credentials, throttling, and the true replies.
//!
//! What lives here: [`answer`], a function of the world and a request head. What this file must not know: sockets,
//! and how faults are carried out.

use super::log::Route;
use super::query::{Query, decode};
use super::reply::{Page, Reply, list};
use super::select::{Selected, View, select};
use super::switches::{Beyond, Depth, Family, RetryAfter};
use super::world::World;

/// What the server needs of a request.
pub(super) struct Head<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) authorization: Option<&'a str>,
}

/// The reply to the request of this index, and the route it took.
pub(super) fn answer(world: &World, head: &Head<'_>, index: u64) -> (Reply, Route) {
    let family = world.behaviour.errors;
    let Some(place) = head.path.strip_prefix(world.base.as_str()) else {
        return (Reply::error(Family::Service, 404, "No message available"), Route::Other);
    };
    let single = place.strip_prefix("/events/").filter(|id| !id.is_empty() && !id.contains('/'));
    let route = match (head.method, place, single) {
        ("GET", "/events", _) => Route::List,
        ("OPTIONS", "/events", _) => Route::Types,
        ("GET", _, Some(_)) => Route::Single,
        _ => Route::Other,
    };
    if let Some(refusal) = refused(world, head, family) {
        return (refusal, route);
    }
    let reply = match (route, single) {
        (Route::List, _) => events(world, head.query, index),
        (Route::Types, _) => Reply::types(),
        (Route::Single, Some(id)) => event(world, &decode(id), index),
        _ if place == "/events" => {
            Reply::error(family, 405, &format!("Request method '{}' not supported", head.method))
                .with("allow", "GET, OPTIONS")
        }
        _ if single.is_some() => {
            Reply::error(family, 405, &format!("Request method '{}' not supported", head.method))
                .with("allow", "GET")
        }
        _ => Reply::error(family, 404, "No message available"),
    };
    (reply, route)
}

/// Whether the request gets no further: credentials, quota, throttle.
fn refused(world: &World, head: &Head<'_>, family: Family) -> Option<Reply> {
    if !head.authorization.is_some_and(|value| authorized(world, value)) {
        let detail = match family {
            Family::Service => "Full authentication is required to access this resource",
            Family::Gateway => "You did not provide correct credentials.",
        };
        return Some(Reply::error(family, 401, detail).with("www-authenticate", "Basic realm=\"Realm\""));
    }
    if world.behaviour.no_quota {
        return Some(quota());
    }
    world.throttled().map(|seconds| throttled(world, seconds))
}

/// The 401 that is no matter of credentials (documented).
pub(super) fn quota() -> Reply {
    Reply::problem(
        401,
        "Quota Exceeded",
        "Your request was rejected because your account has no balance.",
        "",
    )
}

fn throttled(world: &World, seconds: u64) -> Reply {
    let status = if world.behaviour.throttle_403 { 403 } else { 429 };
    let more = match world.behaviour.retry_after {
        RetryAfter::Body => format!(",\"retry_after\":{seconds}"),
        _ => String::new(),
    };
    let reply = Reply::problem(status, "Too many requests", "You have exceeded your request limit.", &more);
    match world.behaviour.retry_after {
        RetryAfter::Seconds => reply.with("retry-after", seconds.to_string()),
        RetryAfter::Date => {
            let (now, later) = world.dates_apart(seconds);
            reply.with("date", now).with("retry-after", later)
        }
        RetryAfter::Body | RetryAfter::None => reply,
    }
}

fn authorized(world: &World, value: &str) -> bool {
    let Some((scheme, encoded)) = value.split_once(' ') else {
        return false;
    };
    if !scheme.eq_ignore_ascii_case("basic") {
        return false;
    }
    let encoded = encoded.trim();
    world.secrets.iter().any(|secret| base64(format!("{}:{secret}", world.key).as_bytes()) == encoded)
}

/// Base64 with padding (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let number =
            part.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - part.len()));
        for place in 0..4 {
            let letter = usize::try_from(number >> (18 - 6 * place) & 63).ok().and_then(|at| LETTERS.get(at));
            out.push(if place <= part.len() {
                letter.map_or('=', |letter| char::from(*letter))
            } else {
                '='
            });
        }
    }
    out
}

fn events(world: &World, query: &str, index: u64) -> Reply {
    let behaviour = &world.behaviour;
    let query = match Query::read(query, behaviour) {
        Ok(query) => query,
        Err(detail) => return Reply::error(behaviour.errors, 400, &detail),
    };
    let offset = (query.page - 1).saturating_mul(query.size);
    let end = offset.saturating_add(query.size);
    let limit = match behaviour.depth {
        Depth::Unlimited => query.size,
        Depth::Silent(rows) => query.size.min(rows.saturating_sub(offset)),
        Depth::Refused { rows, .. } if end <= rows => query.size,
        Depth::Refused { rows, status } => {
            return Reply::error(
                behaviour.errors,
                status,
                &format!("Result window is too large: {end} > {rows}"),
            );
        }
    };
    let view = View {
        population: &world.population,
        timeline: &world.timeline,
        at: world.seen_by(index),
        turn: index,
    };
    let Selected { total, mut rows } = select(&view, &query, behaviour, offset, limit);
    if query.page > 1 && offset >= total && behaviour.beyond == Beyond::NotFound {
        return Reply::error(behaviour.errors, 404, "Page not found");
    }
    if behaviour.short_page == Some(query.page) && end < total {
        rows.pop();
    }
    let mut bytes = Vec::with_capacity(rows.len() * 700);
    for (place, k) in rows.iter().enumerate() {
        if place > 0 {
            bytes.push(b',');
        }
        write(world, *k, view.at, &mut bytes);
    }
    let page = Page { query: &query, total, returned: rows.len() as u64, index };
    Reply::json(200, list(&page, &bytes, behaviour))
}

fn event(world: &World, id: &str, index: u64) -> Reply {
    let at = world.seen_by(index);
    match world.population.find(id).filter(|k| world.timeline.visible(*k, at)) {
        Some(k) => {
            let mut bytes = Vec::with_capacity(700);
            write(world, k, at, &mut bytes);
            Reply::json(200, bytes)
        }
        None => Reply::error(world.behaviour.errors, 404, "Event not found"),
    }
}

/// Appends event `k` as the request sees it.
fn write(world: &World, k: u32, at: u64, out: &mut Vec<u8>) {
    match world.timeline.rewritten(k, at, || world.population.event_json(k).into_owned()) {
        Some(other) => out.extend_from_slice(&other),
        None => world.population.write_event(k, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_agrees_with_the_rfc() {
        let pairs = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
            ("a:\u{ff}?", "YTrDvz8="),
        ];
        for (plain, encoded) in pairs {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn rendered_events_are_answered_as_those_that_are_made_for_each_reply() {
        use super::super::behaviour::Behaviour;
        use super::super::population::{Population, Spec};
        use chrono::NaiveDate;

        let day = |day| NaiveDate::from_ymd_opt(2026, 1, day).unwrap();
        let population = || {
            let spec =
                Spec { seed: 5, events: 900, from: day(1), to: day(5), account: "abcd1234".to_owned() };
            Population::seeded(spec).unwrap()
        };
        let login = format!("Basic {}", base64(b"abcd1234:sandbox-secret"));
        let mut replies = 0;
        for behaviour in
            ["", "order=shuffled", "rewrite=40@3,vanish=50@2,arrive=60@4", "totals=off:-1,replicas=2,lag=1"]
        {
            let world =
                |population| World::new(population).behaviour(behaviour.parse::<Behaviour>().unwrap());
            let (made, rendered) = (world(population()), world(population().rendered()));
            let id = format!("/beta/audit/events/{}", population().id(7));
            for (index, (path, query)) in [
                ("/beta/audit/events", "page=1&size=1"),
                ("/beta/audit/events", "page=3&size=100"),
                ("/beta/audit/events", "page=99&size=100"),
                (
                    "/beta/audit/events",
                    "date_from=2026-01-02T00:00:00Z&date_to=2026-01-03T00:00:00Z&page=1&size=100",
                ),
                ("/beta/audit/events", "event_type=USER_LOGIN&page=1&size=100"),
                ("/beta/audit/events", "search_text=a&page=2&size=20"),
                (id.as_str(), ""),
            ]
            .into_iter()
            .cycle()
            .take(21)
            .enumerate()
            {
                let head = Head { method: "GET", path, query, authorization: Some(&login) };
                let one = answer(&made, &head, index as u64).0;
                let other = answer(&rendered, &head, index as u64).0;
                assert_eq!(
                    (one.status, &one.body),
                    (other.status, &other.body),
                    "{behaviour} {path} {query}"
                );
                replies += usize::from(one.status == 200 && one.body.len() > 300);
            }
        }
        assert!(replies > 60, "{replies}");
    }
}
