//! The server: connections, and requests as the HTTP library hands them over.
//!
//! What lives here: [`serve`]. A request that a fault spoils below HTTP ends the library's part of the connection: the
//! service fails, the library gives the socket back, and the reply is written by hand. What this file must not know:
//! routes and events.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

use super::clock;
use super::route::{Head, answer};
use super::spoil::{Sent, finish, spoil};
use super::switches::DateHeader;
use super::wire::{Spoiled, play};
use super::world::World;

/// Connections served at once; further ones wait in the listener's queue.
const CONNECTIONS: usize = 1024;
/// How long requests in progress may take after the shutdown.
const GRACE: Duration = Duration::from_secs(1);

/// Serves a world on a socket that the caller bound, until `shutdown` completes; then finishes what is in progress
/// for at most a second.
///
/// # Errors
/// None at present: a connection that fails concerns its client alone, and a failure to accept is waited out.
pub async fn serve(
    listener: TcpListener,
    world: Arc<World>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let (stopping, stop) = watch::channel(false);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, place)) => {
                let (world, stop) = (Arc::clone(&world), stop.clone());
                connections.spawn(async move {
                    connection(stream, world, stop).await;
                    drop(place);
                });
            }
            // Out of descriptors, or a client that left already: neither ends the sandbox.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
    drop(listener);
    stopping.send_replace(true);
    let finished = async { while connections.join_next().await.is_some() {} };
    if timeout(GRACE, finished).await.is_err() {
        connections.shutdown().await;
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, place))
}

/// Where a request leaves the reply that the library cannot write.
type Slot = Arc<Mutex<Option<Spoiled>>>;

async fn connection(stream: TcpStream, world: Arc<World>, mut stop: watch::Receiver<bool>) {
    let slot: Slot = Arc::default();
    let mut builder = http1::Builder::new();
    // No timer: idle connections cost a place, and tests that move the clock must not lose theirs.
    builder.auto_date_header(world.behaviour.date == DateHeader::Now).header_read_timeout(None);
    let service = {
        let slot = Arc::clone(&slot);
        service_fn(move |request| Box::pin(respond(Arc::clone(&world), Arc::clone(&slot), request)))
    };
    let mut served = builder.serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ = poll_fn(|context| served.poll_without_shutdown(context)) => {}
        () = stopped(&mut stop) => {
            std::pin::Pin::new(&mut served).graceful_shutdown();
            // An error here is the client's: it is gone.
            let _gone = poll_fn(|context| served.poll_without_shutdown(context)).await;
        }
    }
    let stream = served.into_parts().io.into_inner();
    let spoiled = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(spoiled) = spoiled {
        tokio::select! {
            _ = play(stream, spoiled) => {}
            () = stopped(&mut stop) => {}
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The sender is gone only after the server is: that is a stop too.
    let _stopped = stop.wait_for(|stopped| *stopped).await;
}

fn accepts_gzip(parts: &Parts) -> bool {
    let accepted = parts.headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|value| value.contains("gzip"))
}

/// Why a request has no reply of the library's: one written by hand is in the slot, or none can be had.
#[derive(Debug)]
struct TakenOver;

impl std::fmt::Display for TakenOver {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("the connection was taken over by a fault")
    }
}

impl std::error::Error for TakenOver {}

async fn respond(
    world: Arc<World>,
    slot: Slot,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, TakenOver> {
    let index = world.log.next();
    let (parts, _body) = request.into_parts();
    let query = parts.uri.query().unwrap_or("");
    let scans = query.contains("event_type=") || query.contains("search_text=");
    let line = format!("{} {}", parts.method, parts.uri);
    let compress = world.behaviour.gzip && accepts_gzip(&parts);
    let answered = {
        let world = Arc::clone(&world);
        move || {
            let head = Head {
                method: parts.method.as_str(),
                path: parts.uri.path(),
                query: parts.uri.query().unwrap_or(""),
                authorization: parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()),
            };
            answer(&world, &head, index)
        }
    };
    // A range is a search of microseconds; a scan may take long and leaves the connections' threads.
    let (reply, route) =
        if scans { spawn_blocking(answered).await.map_err(|_| TakenOver)? } else { answered() };
    let date = world.date().map(clock::http_date);
    let mut reply = finish(reply, index, date);
    if compress {
        reply = reply.compressed();
    }
    let fault = world.faults.get(index);
    let sent = match fault {
        Some(fault) => spoil(reply, fault),
        None => Sent::Whole(reply, Duration::ZERO),
    };
    let status = match &sent {
        Sent::Whole(reply, _) => reply.status,
        Sent::Spoiled(_) => 0,
    };
    world.log.note(index, line, route, status, fault.is_some());
    let usual = Duration::from_millis(world.behaviour.delay_ms);
    match sent {
        Sent::Whole(reply, delay) => {
            if !(usual + delay).is_zero() {
                sleep(usual + delay).await;
            }
            let mut response = Response::new(Full::new(reply.body));
            *response.status_mut() =
                hyper::StatusCode::from_u16(reply.status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
            for (name, value) in reply.headers {
                // A value that no header can have is left out: faults are checked when they are read.
                if let Ok(value) = HeaderValue::from_str(&value) {
                    response.headers_mut().insert(HeaderName::from_static(name), value);
                }
            }
            Ok(response)
        }
        Sent::Spoiled(spoiled) => {
            sleep(usual).await;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(spoiled);
            Err(TakenOver)
        }
    }
}
