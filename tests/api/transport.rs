//! Connections: cuts, silence, reuse.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use vonage_audit::api::{Client, Limits};
use vonage_audit::error::Kind;

use super::{client, first, printed, quick, settings};
use crate::server::{After, Server, json, page};

#[tokio::test]
async fn a_reply_cut_at_any_byte_is_asked_for_again() {
    let whole = json(page(2, 2));
    for length in 0..whole.len() {
        let (cut, good) = (whole[..length].to_vec(), whole.clone());
        let server = Server::start(move |number, stream| {
            let is_first = number == 0;
            stream.write_all(if is_first { &cut } else { &good }).unwrap();
            if is_first { After::Close } else { After::Keep }
        });
        let client = client(&server, quick());
        assert_eq!(first(&client).await.unwrap().events.len(), 2, "{length}");
        assert_eq!(server.requests(), 2, "{length}");
    }
}

#[tokio::test]
async fn a_chunked_reply_without_its_end_is_no_reply() {
    let body = page(2, 2);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let whole = format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).into_bytes();
    // All of the JSON, and the last chunk's mark is missing: it cannot be known whether more was to come.
    for missing in 1..8 {
        let cut = whole[..whole.len() - missing].to_vec();
        let server = Server::start(move |_, stream| {
            stream.write_all(&cut).unwrap();
            After::Close
        });
        let error = first(&client(&server, quick())).await.map(|_| ()).unwrap_err();
        assert_eq!((error.kind(), server.requests()), (Kind::Unavailable, 4), "{missing}");
    }
    let server = Server::replies(vec![whole]);
    assert!(first(&client(&server, quick())).await.is_ok());
}

#[tokio::test]
async fn nobody_at_home_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/s3gment", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(settings(&url, quick())).unwrap();
    let query = vonage_audit::model::Query { search_text: Some("needle".to_owned()), ..Default::default() };
    let error = client.page(&query, 1, 1).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    let text = printed(&error);
    assert!(text.contains("cannot connect to the API") && !text.contains("needle"), "{text}");
    assert_eq!(client.usage().requests, 4);
}

#[tokio::test]
async fn what_is_not_http_is_unavailable() {
    for answer in [&b"SSH-2.0-x\r\n"[..], b"HTTP/1.1 OK\r\n\r\n", b"\x15\x03\x03\0\x02\x02\x46", b"\0"] {
        let server = Server::replies(vec![answer.to_vec()]);
        let error = first(&client(&server, quick())).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
    }
}

/// Runs one attempt against a server that stalls, and checks that the stall is what ended it, in time.
async fn stalls(
    limits: Limits,
    waited_for: &str,
    write: impl Fn(&mut std::net::TcpStream) + Send + Sync + 'static,
) {
    let server = Server::start(move |_, stream| {
        write(stream);
        // Holds the connection until the client closes it.
        let _ = std::io::Read::read(stream, &mut [0]);
        After::Close
    });
    let client = client(&server, Limits { tries: 1, ..limits });
    let begin = Instant::now();
    let error = first(&client).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.message().contains(waited_for), "{error}");
    assert!((Duration::from_millis(40)..Duration::from_secs(3)).contains(&begin.elapsed()));
}

const TINY: Duration = Duration::from_millis(50);
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";

#[tokio::test]
async fn silence_ends_at_the_limit_of_its_phase() {
    let first_byte = Limits { first_byte: Duration::ZERO, connect_timeout: TINY, ..quick() };
    stalls(first_byte.clone(), "no reply", |_| {}).await;
    stalls(first_byte, "no reply", |stream| stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").unwrap()).await;
    let idle = Limits { idle: TINY, ..quick() };
    stalls(idle.clone(), "more of the body", |stream| stream.write_all(HEAD).unwrap()).await;
    stalls(idle, "more of the body", |stream| {
        stream.write_all(HEAD).unwrap();
        stream.write_all(b"{\"page\":").unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_trickle_ends_at_the_limit_of_the_whole() {
    let limits = Limits { request: TINY * 2, ..quick() };
    stalls(limits.clone(), "whole reply", |stream| {
        stream.write_all(HEAD).unwrap();
        while stream.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(5));
        }
    })
    .await;
    stalls(limits, "whole reply", |stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").unwrap();
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(5));
        }
    })
    .await;
}

#[tokio::test]
async fn endless_headers_are_bounded_in_bytes() {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let server = Server::start(move |_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while count.fetch_add(1024, Ordering::SeqCst) < 1 << 28 && stream.write_all(&[b'x'; 1024]).is_ok() {}
        After::Close
    });
    let begin = Instant::now();
    let error = first(&client(&server, Limits { tries: 1, ..quick() })).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(begin.elapsed() < Duration::from_secs(5));
    // What the sockets' buffers hold comes on top of the client's 408 KiB.
    let taken = taken.load(Ordering::SeqCst);
    assert!(taken < 16 << 20, "{taken}");
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = Server::replies(vec![
        json(page(1, 1)),
        crate::server::reply("500 x", "", "trouble"),
        json("{}"),
        json(page(1, 1)),
    ]);
    let client = client(&server, quick());
    for _ in 0..20 {
        assert!(first(&client).await.is_ok());
    }
    assert_eq!((server.connections(), server.requests()), (1, 22));
}

#[tokio::test]
async fn the_name_localhost_never_leaves_the_machine() {
    let server = Server::replies(vec![json(page(1, 1))]);
    let client = Client::new(settings(&format!("http://localhost:{}", server.port), quick())).unwrap();
    assert!(first(&client).await.is_ok());
    assert!(server.heads()[0].contains("GET /events?"));
}

#[test]
fn proxies_named_by_the_environment_are_not_used() {
    let trap = Server::replies(vec![json(page(1, 1))]);
    let proxy = format!("http://127.0.0.1:{}", trap.port);
    // Variables belong to a process: the same tests run again, in one that has them.
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "api::transport::one_connection_serves_many_requests"])
        .envs(
            ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, &proxy)),
        )
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert_eq!(trap.connections(), 0);
}
