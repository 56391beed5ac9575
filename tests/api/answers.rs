//! Statuses: what is repeated, what is final, what is said.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use vonage_audit::api::Limits;
use vonage_audit::error::Kind;

use super::{client, first, printed, quick};
use crate::server::{After, Server, json, page, reply};
use std::io::Write;

#[tokio::test]
async fn passing_troubles_are_repeated_until_the_page_comes() {
    for status in ["408 x", "425 x", "429 x", "500 x", "502 x", "503 x", "504 x", "599 x", "204 x", "206 x"] {
        let trouble = reply(status, "Content-Type: text/html\r\n", "<html>");
        let trouble = if status.starts_with("204") { b"HTTP/1.1 204 x\r\n\r\n".to_vec() } else { trouble };
        let server = Server::replies(vec![trouble.clone(), trouble, json(page(2, 2))]);
        let client = client(&server, quick());
        assert_eq!(first(&client).await.unwrap().events.len(), 2, "{status}");
        let usage = client.usage();
        assert_eq!((usage.requests, usage.retries), (3, 2), "{status}");
        assert_eq!(usage.throttled, if status.starts_with("429") { 2 } else { 0 });
    }
}

#[tokio::test]
async fn lasting_trouble_ends_after_the_attempts_allowed() {
    let server = Server::replies(vec![reply("503 Down", "X-Nexmo-Trace-Id: t-1\r\n", "")]);
    let error = first(&client(&server, quick())).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    let text = printed(&error);
    for part in ["status 503", "attempts 4", "page 1", "request GET /events", "trace t-1", "resumes"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(server.requests(), 4);
}

#[tokio::test]
async fn final_answers_are_not_repeated_and_shown_sanitised() {
    for status in [400, 402, 404, 405, 406, 409, 410, 414, 418, 422, 431, 451] {
        let escaped = super::SECRET.replace('/', "\\/");
        let body = format!("bad \x1b[2J {} {escaped} joe@example.com {}", super::SECRET, "x".repeat(5000));
        let server = Server::replies(vec![reply(&format!("{status} x"), "", body)]);
        let error = first(&client(&server, quick())).await.map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{status}");
        let text = printed(&error);
        assert!(text.contains(&format!("status {status}")) && text.contains("[redacted]"), "{text}");
        assert!(!text.contains('\x1b') && !text.contains("joe@"), "{text}");
        let excerpt = &error.context().iter().find(|(name, _)| *name == "body").unwrap().1;
        assert!(excerpt.chars().count() <= 201);
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn refused_credentials_are_tried_twice_at_most_and_never_again() {
    for (status, body, says) in [
        ("401 x", r#"{"status":401,"error":"Unauthorized","message":"Full authentication"}"#, "credentials"),
        ("401 x", r#"{"type":"x","title":"Unauthorized","detail":"bad"}"#, "credentials"),
        ("401 x", r#"{"title":"Quota Exceeded","detail":"balance"}"#, "no quota left"),
        ("403 x", r#"{"title":"Forbidden","detail":"operation of a corporate account"}"#, "credentials"),
        ("401 x", "<html>", "credentials"),
    ] {
        let server = Server::replies(vec![reply(status, "", body)]);
        let client = client(&server, quick());
        let error = first(&client).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Credentials, "{body}");
        assert!(error.message().contains(says), "{error}");
        printed(&error);
        assert_eq!(server.requests(), 2);
        // The client is done.
        assert_eq!(first(&client).await.unwrap_err().kind(), Kind::Credentials);
        assert_eq!(client.types().await.unwrap_err().kind(), Kind::Credentials);
        assert_eq!(server.requests(), 2);
    }
}

#[tokio::test]
async fn one_refusal_that_is_not_confirmed_is_forgotten() {
    let refusal = || reply("401 x", "", "{}");
    let server = Server::replies(vec![refusal(), json(page(1, 1)), refusal(), json(page(1, 1))]);
    let client = client(&server, quick());
    assert!(first(&client).await.is_ok());
    assert!(first(&client).await.is_ok());
    assert_eq!(server.requests(), 4);
    // A refusal, other trouble, a refusal: that is confirmed.
    let server = Server::replies(vec![refusal(), reply("500 x", "", ""), refusal(), json(page(1, 1))]);
    assert_eq!(first(&super::client(&server, quick())).await.unwrap_err().kind(), Kind::Credentials);
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn a_revoked_secret_is_confirmed_once_for_all_callers() {
    // All four requests in flight are answered 401 together; only one of them may ask again.
    let arrived = Arc::new(AtomicUsize::new(0));
    let seen = arrived.clone();
    let server = Server::start(move |_, stream| {
        seen.fetch_add(1, Ordering::SeqCst);
        while seen.load(Ordering::SeqCst) < 4 {
            std::thread::yield_now();
        }
        stream.write_all(&reply("401 x", "", "{}")).unwrap();
        After::Keep
    });
    let client = client(&server, Limits { concurrency: 4, ..quick() });
    let outcomes = futures::future::join_all((0..20).map(|_| first(&client))).await;
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap_err().kind() == Kind::Credentials));
    assert_eq!(server.requests(), 5);
}

#[tokio::test]
async fn nobody_starts_while_a_refusal_is_being_confirmed() {
    // The second caller waits for its turn when the first one is refused, and its turn comes before the confirmation.
    let server = Server::replies(vec![reply("401 x", "", "{}")]);
    let client = client(&server, Limits { rate_per_second: Some(4.0), ..quick() });
    let outcomes = futures::future::join_all((0..2).map(|_| first(&client))).await;
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap_err().kind() == Kind::Credentials));
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn redirects_are_never_followed_and_shown_by_host_alone() {
    let trap = Server::replies(vec![json(page(1, 1))]);
    for status in [301, 302, 303, 307, 308, 300, 304, 399] {
        for (location, shown) in [
            (format!("http://127.0.0.1:{}/p4th?t0ken", trap.port), "http://127.0.0.1"),
            (format!("http://user:p4ss@127.0.0.1:{}/", trap.port), "http://127.0.0.1"),
            ("https://evil.example/p4th".to_owned(), "https://evil.example"),
            ("/p4th".to_owned(), "http://127.0.0.1"),
            ("//evil.example/p4th".to_owned(), "http://evil.example"),
            ("file:///p4th".to_owned(), "file://"),
            ("http://[".to_owned(), "unreadable place"),
        ] {
            let header = format!("Location: {location}\r\n");
            let server = Server::replies(vec![reply(&format!("{status} Moved"), &header, "")]);
            let error = first(&client(&server, quick())).await.map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), Kind::Refused);
            let text = printed(&error);
            assert!(text.contains(shown), "{text}");
            assert!(!text.contains("p4th") && !text.contains("p4ss") && !text.contains("t0ken"), "{text}");
            assert_eq!(server.requests(), 1);
        }
    }
    let server = Server::replies(vec![reply("302 Moved", "", "")]);
    assert!(first(&client(&server, quick())).await.unwrap_err().to_string().contains("to nowhere"));
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn links_in_a_page_are_never_followed() {
    let trap = Server::replies(vec![json(page(1, 1))]);
    let href = format!("http://127.0.0.1:{}/", trap.port);
    let body = format!(
        r#"{{"_links":{{"self":{{"href":"{href}"}},"next":{{"href":"{href}"}}}},"page":{{"totalElements":0}}}}"#
    );
    let server = Server::replies(vec![json(body)]);
    assert!(first(&client(&server, quick())).await.is_ok());
    assert_eq!((trap.connections(), server.requests()), (0, 1));
}

#[tokio::test]
async fn throttling_by_403_waits_and_goes_on() {
    let throttled = reply("403 x", "", r#"{"title":"Too many requests","retry_after":0}"#);
    let server = Server::replies(vec![throttled.clone(), throttled, json(page(1, 1))]);
    let client = client(&server, quick());
    assert!(first(&client).await.is_ok());
    assert_eq!(client.usage().throttled, 2);
}

#[tokio::test]
async fn throttling_without_end_stops_at_the_budget_of_waiting() {
    let server = Server::replies(vec![reply("429 x", "Retry-After: 0\r\n", "")]);
    let limits = Limits { retry_wall: Duration::from_millis(40), tries: 2, ..quick() };
    let client = client(&server, limits);
    let error = first(&client).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(printed(&error).contains("waiting-budget"), "{error}");
    // Throttled answers are bounded by time, not by attempts.
    assert!(server.requests() > 2);
    let usage = client.usage();
    assert_eq!(usage.throttled, server.requests() as u64);
    assert!(usage.waited <= Duration::from_millis(40));
}

#[tokio::test]
async fn a_wait_that_the_budget_does_not_cover_is_not_begun() {
    for headers in [
        "Retry-After: 86400\r\n",
        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 09:49:37 GMT\r\n",
    ] {
        for status in ["429 x", "503 x"] {
            let server = Server::replies(vec![reply(status, headers, "")]);
            let limits = Limits { retry_wall: Duration::from_secs(299), ..quick() };
            let error = first(&client(&server, limits)).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Unavailable);
            assert_eq!(server.requests(), 1);
        }
    }
}

#[tokio::test]
async fn waits_are_read_from_headers_and_body_and_the_longer_counts() {
    for (headers, body, least) in [
        ("Retry-After: 1\r\n", "", 1),
        ("", r#"{"retry_after":1}"#, 1),
        ("Retry-After: 0\r\n", r#"{"retry_after":"1"}"#, 1),
        ("Retry-After: 1\r\n", r#"{"retry_after":0}"#, 1),
        ("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:38 GMT\r\n", "", 1),
        ("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 07:49:38 GMT\r\n", "", 0),
        ("Retry-After: Sun, 06 Nov 1994 08:49:38 GMT\r\n", "", 0),
        ("Retry-After: soon\r\n", "", 0),
    ] {
        let server = Server::replies(vec![reply("429 x", headers, body), json(page(1, 1))]);
        let client = client(&server, quick());
        let begin = std::time::Instant::now();
        assert!(first(&client).await.is_ok());
        let waited = client.usage().waited;
        let range = Duration::from_secs(least)..Duration::from_secs(least) + Duration::from_millis(3);
        assert!(range.contains(&waited), "{headers}{body}: {waited:?}");
        assert!(begin.elapsed() >= waited);
    }
}
