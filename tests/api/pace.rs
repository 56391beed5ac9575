//! What all callers of a client share.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;
use vonage_audit::api::Limits;

use super::{client, first, quick};
use crate::server::{After, Server, json, page, reply};

#[tokio::test]
async fn as_many_requests_are_in_flight_as_allowed_and_no_more() {
    for concurrency in [1, 3] {
        // Each answer waits until as many requests are there as may be: fewer would never be answered. A request
        // counts as running until just before its answer, so that the client cannot have sent the next one yet.
        let together = Barrier::new(concurrency);
        let (running, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let highest = most.clone();
        let server = Server::start(move |_, stream| {
            highest.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            together.wait();
            running.fetch_sub(1, Ordering::SeqCst);
            stream.write_all(&json(page(1, 1))).unwrap();
            After::Keep
        });
        let client = client(&server, Limits { concurrency, ..quick() });
        let outcomes = join_all((0..24).map(|_| first(&client))).await;
        assert!(outcomes.iter().all(Result::is_ok));
        assert_eq!(most.load(Ordering::SeqCst), concurrency);
        assert_eq!((server.requests(), server.connections()), (24, concurrency));
    }
}

#[tokio::test]
async fn requests_start_at_the_rate() {
    let starts = Arc::new(Mutex::new(Vec::new()));
    let seen = starts.clone();
    let server = Server::start(move |_, stream| {
        seen.lock().unwrap().push(Instant::now());
        stream.write_all(&json(page(1, 1))).unwrap();
        After::Keep
    });
    let client = client(&server, Limits { rate_per_second: Some(50.0), ..quick() });
    let begin = Instant::now();
    assert!(join_all((0..8).map(|_| first(&client))).await.iter().all(Result::is_ok));
    // Eight starts are seven intervals of 20 ms apart, whatever the concurrency.
    assert!(begin.elapsed() >= Duration::from_millis(140));
    assert_eq!(starts.lock().unwrap().len(), 8);
}

#[tokio::test]
async fn one_throttled_answer_holds_back_everybody() {
    let starts = Arc::new(Mutex::new(Vec::new()));
    let seen = starts.clone();
    let server = Server::start(move |number, stream| {
        seen.lock().unwrap().push(Instant::now());
        let answer = match number {
            0 => reply("429 x", "Retry-After: 1\r\n", ""),
            _ => json(page(1, 1)),
        };
        stream.write_all(&answer).unwrap();
        After::Keep
    });
    let client = client(&server, Limits { concurrency: 1, ..quick() });
    assert!(join_all((0..6).map(|_| first(&client))).await.iter().all(Result::is_ok));
    let starts = starts.lock().unwrap();
    assert_eq!(starts.len(), 7);
    assert!(starts[1] - starts[0] >= Duration::from_secs(1));
    // The wait is paid once, not by each caller.
    assert!(client.usage().waited < Duration::from_millis(1010));
}

#[tokio::test]
async fn calls_may_be_made_from_any_thread() {
    let server = Server::replies(vec![json(page(1, 1))]);
    let client = Arc::new(client(&server, quick()));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let client = client.clone();
        tasks.spawn(async move { first(&client).await.is_ok() });
    }
    assert_eq!(tasks.join_all().await, [true; 3]);
}

#[tokio::test]
async fn who_waits_to_repeat_leaves_its_place_to_others() {
    let server = Server::replies(vec![reply("503 x", "Retry-After: 1\r\n", ""), json(page(1, 1))]);
    let client = client(&server, Limits { concurrency: 1, ..quick() });
    let query = vonage_audit::model::Query::default();
    let begin = Instant::now();
    let late = async {
        let page = client.page(&query, 2, 1).await;
        (page, begin.elapsed())
    };
    let (early, (late, after)) = futures::join!(client.page(&query, 1, 1), late);
    assert!(early.is_ok() && late.is_ok());
    assert!(after < Duration::from_secs(1), "{after:?}");
    assert!(server.heads().iter().map(|head| head.contains("page=2")).eq([false, true, false]));
}
