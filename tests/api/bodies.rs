//! Bodies of 200: what is a page, what is refused, and at what price.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use vonage_audit::api::Limits;
use vonage_audit::error::Kind;
use vonage_audit::model::{Query, Timestamp};

use super::{client, first, printed, quick};
use crate::server::{After, Server, json, page, reply};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn once() -> Limits {
    Limits { tries: 1, ..quick() }
}

#[tokio::test]
async fn a_page_comes_with_its_total_its_events_and_the_servers_time() {
    let headers = "Content-Type: application/json\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let server = Server::replies(vec![reply("200 OK", headers, page(3, 120))]);
    let client = client(&server, quick());
    let query = Query {
        from: Timestamp::from_date(2026, 3, 1),
        to: Timestamp::from_date(2026, 3, 2),
        event_types: vec!["USER_STATUS".to_owned(), "APP_CREATE".to_owned()],
        search_text: Some("a b&page=9#".to_owned()),
    };
    let page = client.page(&query, 2, 50).await.unwrap();
    assert_eq!((page.total, page.events.len(), page.server_time), (120, 3, Some(784_111_777)));
    let head = &server.heads()[0];
    assert!(
        head.starts_with(
            "GET /beta/audit/events?page=2&size=50&date_from=2026-03-01T00:00:00&date_to=2026-03-02T00:00:00\
         &event_type=USER_STATUS,APP_CREATE&search_text=a%20b%26page%3D9%23 HTTP/1.1\r\n"
        ),
        "{head}"
    );
    let headers = head.to_lowercase();
    assert!(headers.contains("\r\nauthorization: basic ywjjzdeymzq6"), "{headers}");
    assert!(
        headers.contains("\r\naccept-encoding: gzip\r\n")
            && headers.contains("\r\naccept: application/json\r\n")
    );
    for (number, size) in [(0, 1), (1, 0), (1, 101)] {
        assert_eq!(client.page(&query, number, size).await.unwrap_err().kind(), Kind::Bug);
    }
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn one_event_is_its_bytes_and_an_unknown_one_is_none() {
    let text = "{ \"id\" : \"a/b\",\"n\":1E2 }";
    let server = Server::replies(vec![json(format!("{text}\n")), reply("404 x", "", "<html>"), json("[]")]);
    let client = client(&server, once());
    assert_eq!(client.event("a/b ?").await.unwrap().unwrap(), text);
    assert_eq!(client.event("gone").await.unwrap(), None);
    assert_eq!(client.event("list").await.unwrap_err().kind(), Kind::Malformed);
    assert!(server.heads()[0].starts_with("GET /beta/audit/events/a%2Fb%20%3F HTTP/1.1\r\n"));
    assert_eq!(client.event("..").await.unwrap_err().kind(), Kind::Usage);
    assert_eq!((server.requests(), server.connections()), (3, 1));
}

#[tokio::test]
async fn types_come_by_options() {
    let server = Server::replies(vec![json(r#"{"eventTypes":[{"type":"A","description":"a"}]}"#)]);
    let types = client(&server, quick()).types().await.unwrap();
    assert_eq!((types[0].name.as_str(), types[0].description.as_str()), ("A", "a"));
    assert!(server.heads()[0].starts_with("OPTIONS /beta/audit/events HTTP/1.1\r\n"));
    // A proxy that answers OPTIONS itself.
    let server = Server::replies(vec![reply("200 OK", "Allow: GET\r\n", "")]);
    assert_eq!(client(&server, once()).types().await.unwrap_err().kind(), Kind::Malformed);
}

#[tokio::test]
async fn what_is_no_page_is_asked_for_again_and_never_empty() {
    for body in ["", "null", "[]", "{}", "<html>", r#"{"error":"x"}"#, r#"{"page":{"totalElements":-1}}"#] {
        let server = Server::replies(vec![json(body)]);
        let error = first(&client(&server, quick())).await.map(|_| ()).unwrap_err();
        assert_eq!((error.kind(), server.requests()), (Kind::Malformed, 4), "{body}");
        assert!(printed(&error).contains("attempts 4"));
    }
    let server = Server::replies(vec![json("{}"), json(page(1, 1))]);
    assert_eq!(first(&client(&server, quick())).await.unwrap().events.len(), 1);
}

#[tokio::test]
async fn the_content_type_must_be_json() {
    for (header, good) in [
        ("Content-Type: application/json\r\n", true),
        ("Content-Type: application/json;charset=UTF-8\r\n", true),
        ("content-type:  APPLICATION/JSON ; charset=x\r\n", true),
        ("Content-Type: application/hal+json\r\n", true),
        ("Content-Type: application/vnd.nexmo.v1+json; v=1\r\n", true),
        ("", false),
        ("Content-Type: \r\n", false),
        ("Content-Type: text/html\r\n", false),
        ("Content-Type: text/json\r\n", false),
        ("Content-Type: application/jsonp\r\n", false),
        ("Content-Type: application/json-seq\r\n", false),
        ("Content-Type: application/+json\r\n", false),
        ("Content-Type: application/x y+json\r\n", false),
        ("Content-Type: application/octet-stream\r\n", false),
        ("Content-Type: application/json\r\nContent-Type: text/html\r\n", false),
    ] {
        let server = Server::replies(vec![reply("200 OK", header, page(1, 1))]);
        let outcome = first(&client(&server, once())).await;
        assert_eq!(outcome.is_ok(), good, "{header}");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), Kind::Malformed);
            assert!(printed(&error).contains("body {\"_embedded"), "{error}");
        }
    }
    let server =
        Server::replies(vec![reply("200 OK", "Content-Type: text/html\r\n", "<b>\x1b\r\n".repeat(99))]);
    let error = first(&client(&server, once())).await.map(|_| ()).unwrap_err();
    let excerpt = &error.context().iter().find(|(name, _)| *name == "body").unwrap().1;
    assert!(excerpt.chars().count() <= 65 && excerpt.starts_with("<b>\\u{1b}\\u{d}\\u{a}<b>"), "{excerpt}");
}

#[tokio::test]
async fn gzip_is_read_and_other_encodings_are_refused() {
    let body = gzip(page(100, 100).as_bytes());
    for (header, good) in [
        ("Content-Encoding: gzip\r\n", true),
        ("Content-Encoding: GZIP\r\n", true),
        ("Content-Encoding: br\r\n", false),
        ("Content-Encoding: gzip, gzip\r\n", false),
        ("Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", false),
        ("", false),
    ] {
        let headers = format!("Content-Type: application/json\r\n{header}");
        let server = Server::replies(vec![reply("200 OK", &headers, &body)]);
        let client = client(&server, once());
        assert_eq!(first(&client).await.is_ok_and(|page| page.events.len() == 100), good, "{header}");
        if good {
            assert_eq!(client.usage().bytes, body.len() as u64);
        }
    }
}

#[tokio::test]
async fn a_gzip_bomb_is_bounded_in_bytes_and_asked_for_once() {
    // Zeros without end, a thousand to one: as much as the client is willing to take.
    let server = Server::start(|_, stream| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut encoder = GzEncoder::new(stream, Compression::best());
        let zeros = vec![0; 1 << 20];
        for _ in 0..10_000 {
            if encoder.write_all(&zeros).is_err() {
                return After::Close;
            }
        }
        After::Close
    });
    let client = client(&server, quick());
    let begin = Instant::now();
    assert_eq!(first(&client).await.unwrap_err().kind(), Kind::Malformed);
    assert!(begin.elapsed() < Duration::from_secs(5));
    assert!(client.usage().bytes < 1 << 20, "{}", client.usage().bytes);
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_not_read() {
    let limits = || Limits { page_bytes: 10_000, ..quick() };
    // Announced.
    let server = Server::start(|_, stream| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10001\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        After::Keep
    });
    let error = first(&client(&server, limits())).await.unwrap_err();
    assert_eq!((error.kind(), server.requests()), (Kind::Malformed, 1));
    assert!(error.to_string().contains("larger than 10000 bytes"), "{error}");
    // Not announced, and without end.
    let server = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
        while stream.write_all(&[b' '; 1000]).is_ok() {}
        After::Close
    });
    let error = first(&client(&server, limits())).await.unwrap_err();
    assert_eq!((error.kind(), server.requests()), (Kind::Malformed, 1));
    // Exactly the limit.
    let mut body = page(1, 1);
    body.push_str(&" ".repeat(10_000 - body.len()));
    let server = Server::replies(vec![json(body)]);
    assert!(first(&client(&server, limits())).await.is_ok());
}
