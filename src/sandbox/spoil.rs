//! Faults applied to true replies.
//!
//! What lives here: [`spoil`], from a reply and a fault to what is sent instead. What this file must not know: how
//! requests are answered and how bytes are sent.

use std::time::Duration;

use hyper::body::Bytes;

use super::fault::{ErrorBody, Fault};
use super::reply::Reply;
use super::route::quota;
use super::switches::Family;
use super::wire::{Body, End, Spoiled, head};

/// What is sent.
#[derive(Debug)]
pub(super) enum Sent {
    /// A sound reply, after a while.
    Whole(Reply, Duration),
    /// One that HTTP does not allow.
    Spoiled(Spoiled),
}

/// What a fault makes of a reply.
pub(super) fn spoil(reply: Reply, fault: &Fault) -> Sent {
    let length = reply.body.len() as u64;
    let first = |count: u64| reply.body.slice(..usize::try_from(count.min(length)).unwrap_or(0));
    let true_head = || head(&reply, Some(length));
    let sent = match fault {
        Fault::Status { status, body, retry_after } => {
            return Sent::Whole(error(&reply, *status, *body, retry_after.as_deref()), Duration::ZERO);
        }
        Fault::Quota => return whole(traced(quota(), &reply)),
        Fault::Html => return whole(traced(Reply::html(200), &reply)),
        Fault::Body(body) => return whole(traced(Reply::json(200, body.clone()), &reply)),
        Fault::ErrorBody => {
            let mut error = Reply::error(Family::Service, 500, "No message available");
            error.status = 200;
            return whole(traced(error, &reply));
        }
        Fault::Redirect { status, location } => {
            let redirect = traced(Reply::empty(*status), &reply);
            return whole(if location.is_empty() { redirect } else { redirect.with("location", location) });
        }
        Fault::Truncate(count) => return whole(Reply { body: first(*count), ..reply }),
        Fault::ContentType(value) if value.is_empty() => return whole(reply.without("content-type")),
        Fault::ContentType(value) => return whole(reply.with("content-type", value)),
        Fault::ContentEncoding(value) => return whole(reply.with("content-encoding", value)),
        Fault::InvalidUtf8 => return whole(Reply { body: invalid_utf8(&reply.body), ..reply }),
        Fault::Flip(bit) => return whole(Reply { body: flipped(&reply.body, *bit), ..reply }),
        Fault::Delay(millis) => return Sent::Whole(reply, Duration::from_millis(*millis)),
        Fault::Reset => Spoiled::nothing(End::Reset),
        Fault::Hang => Spoiled::nothing(End::Hang),
        Fault::ResetAfter(count) => Spoiled::new(true_head(), first(*count), End::Reset),
        Fault::Cut(count) => Spoiled::new(true_head(), first(*count), End::Close),
        Fault::CutRaw(count) => {
            let mut bytes = true_head();
            bytes.extend_from_slice(&reply.body);
            bytes.truncate(usize::try_from(*count).unwrap_or(usize::MAX));
            Spoiled::new(bytes, Bytes::new(), End::Close)
        }
        Fault::Length(by) => Spoiled::new(
            head(&reply, Some(length.saturating_add_signed(*by))),
            reply.body.clone(),
            End::Close,
        ),
        Fault::SlowHead(pace) => {
            Spoiled { head_pace: Some(*pace), ..Spoiled::new(true_head(), reply.body.clone(), End::Close) }
        }
        Fault::SlowBody(pace) => {
            Spoiled { body_pace: Some(*pace), ..Spoiled::new(true_head(), reply.body.clone(), End::Close) }
        }
        Fault::EndlessBody => Spoiled {
            body: Body::Repeated(Bytes::from(vec![b' '; 16 * 1024]), None),
            ..Spoiled::new(head(&reply, None), Bytes::new(), End::Close)
        },
        Fault::EndlessHead => {
            let mut start = true_head();
            // The head is left open: without its last line end it goes on.
            start.truncate(start.len().saturating_sub(2));
            let header = Bytes::from(format!("x-more: {}\r\n", "0123456789abcdef".repeat(64)));
            Spoiled { body: Body::Repeated(header, None), ..Spoiled::new(start, Bytes::new(), End::Close) }
        }
        Fault::Bomb(mebibytes) => Spoiled::bomb(&reply, *mebibytes),
    };
    Sent::Spoiled(sent)
}

fn whole(reply: Reply) -> Sent {
    Sent::Whole(reply, Duration::ZERO)
}

fn error(reply: &Reply, status: u16, body: ErrorBody, retry_after: Option<&str>) -> Reply {
    let detail = "No message available";
    let error = match body.family() {
        Some(Family::Gateway) if status == 429 => Reply::problem(status, "Too many requests", detail, ""),
        Some(family) => Reply::error(family, status, detail),
        None if body == ErrorBody::Html => Reply::html(status),
        None => Reply::empty(status),
    };
    let error = traced(error, reply);
    match retry_after {
        Some(value) => error.with("retry-after", value),
        None => error,
    }
}

/// Takes the headers over that every reply of the service has.
fn traced(mut error: Reply, reply: &Reply) -> Reply {
    for (name, value) in &reply.headers {
        if matches!(*name, "x-nexmo-trace-id" | "date") {
            error = error.with(name, value.as_str());
        }
    }
    error
}

/// A byte that no UTF-8 text has, inside the first event's description; inside the first text if there is none.
fn invalid_utf8(body: &Bytes) -> Bytes {
    let mut bytes = body.to_vec();
    let key = b"\"event_type_description\":\"";
    let place = bytes
        .windows(key.len())
        .position(|part| part == key)
        .map(|start| start + key.len())
        .or_else(|| bytes.iter().position(|byte| *byte == b'"').map(|start| start + 1));
    if let Some(byte) = place.and_then(|place| bytes.get_mut(place)) {
        *byte = 0xff;
    }
    bytes.into()
}

fn flipped(body: &Bytes, bit: u64) -> Bytes {
    let mut bytes = body.to_vec();
    let bits = (bytes.len() as u64 * 8).max(1);
    let place = usize::try_from(bit % bits / 8).unwrap_or(0);
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1 << (bit % 8);
    }
    bytes.into()
}

/// What every reply gets in the end: a trace id that follows from the index, and the date.
pub(super) fn finish(reply: Reply, index: u64, date: Option<String>) -> Reply {
    let trace = super::random::mix(index.wrapping_add(0x0074_7261_6365));
    let reply = reply.with("x-nexmo-trace-id", format!("{trace:016x}{:016x}", trace.rotate_left(29)));
    match date {
        Some(date) if !reply.headers.iter().any(|(name, _)| *name == "date") => reply.with("date", date),
        _ => reply,
    }
}
