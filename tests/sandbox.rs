//! The sandbox as a client meets it: raw bytes in, raw bytes out, over a real socket.
//!
//! No HTTP library stands between these tests and the sandbox, so that what is compared is what was sent.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what a test cannot have is a failed test; helpers beside the test functions say so too"
)]

#[path = "../src/cli/sandbox.rs"]
mod command;

#[path = "sandbox/support.rs"]
mod support;

use std::collections::BTreeSet;
use std::time::Instant;

use support::{Answer, Sandbox, get, get_as, seeded};
use vonage_audit::sandbox::{FaultScript, Population, Timeline, World};

const TWO: &str = concat!(
    r#"{"id":"a","event_type":"USER_LOGIN","created_at":"2026-03-01T00:00:00","n":1.00}"#,
    "\n",
    r#"{"id":"b","event_type":"APP_CREATE","created_at":"2026-03-01T00:00:01","context":{}}"#,
);

fn two(switches: &str) -> World {
    World::new(Population::from_ndjson(TWO).unwrap()).behaviour(switches.parse().unwrap())
}

/// `count` events, one each second from midnight, with ids 0, 1, 2, …
fn seconds(count: u32) -> Population {
    let lines: Vec<String> = (0..count)
        .map(|k| {
            let (minute, second) = (k / 60, k % 60);
            format!(r#"{{"id":"{k}","event_type":"T","created_at":"2026-03-01T00:{minute:02}:{second:02}"}}"#)
        })
        .collect();
    Population::from_ndjson(lines.join("\n")).unwrap()
}

#[tokio::test]
async fn a_list_is_byte_for_byte_the_documented_envelope() {
    let sandbox = Sandbox::start(two("date=2026-03-02T00:00:00")).await;
    let answer = sandbox.get("/events?event_type=USER_LOGIN,APP_CREATE&size=1").await;
    let body = concat!(
        r#"{"_embedded":{"events":[{"id":"b","event_type":"APP_CREATE","created_at":"2026-03-01T00:00:01","context":{}}]},"#,
        r#""_links":{"self":{"href":"http://api.nexmo.com/beta/audit/events?event_type=USER_LOGIN,APP_CREATE&page=1&size=1"},"#,
        r#""first":{"href":"http://api.nexmo.com/beta/audit/events?event_type=USER_LOGIN,APP_CREATE&page=1&size=1"},"#,
        r#""next":{"href":"http://api.nexmo.com/beta/audit/events?event_type=USER_LOGIN,APP_CREATE&page=2&size=1"},"#,
        r#""last":{"href":"http://api.nexmo.com/beta/audit/events?event_type=USER_LOGIN,APP_CREATE&page=2&size=1"}},"#,
        r#""page":{"size":1,"totalElements":2,"totalPages":2,"number":1}}"#,
    );
    assert_eq!(answer.text(), body);
    assert_eq!(
        answer.head,
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json;charset=UTF-8\r\n\
             x-nexmo-trace-id: {}\r\ndate: Mon, 02 Mar 2026 00:00:00 GMT\r\nconnection: close\r\n\
             content-length: {}\r\n",
            answer.header("x-nexmo-trace-id").unwrap(),
            body.len(),
        )
    );
}

#[tokio::test]
async fn an_empty_list_has_no_embedded() {
    let sandbox = Sandbox::start(two("")).await;
    let answer = sandbox.get("/events?date_from=2030-01-01").await;
    assert!(answer.json().get("_embedded").is_none());
    assert_eq!(answer.json()["page"]["totalElements"], 0);
    assert_eq!(answer.json()["page"]["totalPages"], 0);
    let sandbox = Sandbox::start(two("empty=array")).await;
    assert!(
        sandbox.get("/events?date_from=2030-01-01").await.text().contains(r#""_embedded":{"events":[]}"#)
    );
}

#[tokio::test]
async fn pages_add_up_to_the_total() {
    let sandbox = Sandbox::start(World::new(seconds(250))).await;
    for (size, pages) in [(100, 3), (30, 9), (1, 250), (99, 3)] {
        let mut ids = Vec::new();
        for page in 1..=pages {
            let answer = sandbox.get(&format!("/events?size={size}&page={page}")).await;
            let json = answer.json();
            assert_eq!(json["page"]["totalElements"], 250);
            assert_eq!(json["page"]["totalPages"], pages);
            assert_eq!(json["page"]["number"], page);
            assert_eq!(json["_links"].get("next").is_some(), page < pages);
            ids.extend(answer.ids());
        }
        let newest_first: Vec<String> = (0..250).rev().map(|k| k.to_string()).collect();
        assert_eq!(ids, newest_first);
    }
    let beyond = sandbox.get("/events?size=100&page=4").await;
    assert_eq!((beyond.status, beyond.ids().len()), (200, 0));
    assert!(beyond.json().get("_embedded").is_none());
    assert_eq!(sandbox.get("/events").await.ids().len(), 30);
    assert_eq!(sandbox.get("/events?size=1000").await.ids().len(), 100);
}

#[tokio::test]
async fn bounds_include_or_exclude_as_switched() {
    for (switches, expected) in [
        ("", vec!["12", "11", "10"]),
        ("lower=exclusive", vec!["12", "11"]),
        ("upper=exclusive", vec!["11", "10"]),
        ("lower=exclusive,upper=exclusive", vec!["11"]),
        ("order=oldest", vec!["10", "11", "12"]),
        ("zone=-1", vec!["11", "10", "9"]),
        ("granularity=day", vec!["0"]),
    ] {
        let world = World::new(seconds(60)).behaviour(switches.parse().unwrap());
        let sandbox = Sandbox::start(world).await;
        let answer = sandbox.get("/events?date_from=2026-03-01T00:00:10&date_to=2026-03-01T00:00:12Z").await;
        assert_eq!(answer.ids(), expected, "{switches}");
    }
    let day = "/events?date_from=2026-03-01&date_to=2026-03-01&size=1";
    for (switches, total) in [("", 1), ("date-to=end", 60), ("filter=ignored", 60), ("upper=exclusive", 0)] {
        let sandbox = Sandbox::start(World::new(seconds(60)).behaviour(switches.parse().unwrap())).await;
        assert_eq!(sandbox.get(day).await.json()["page"]["totalElements"], total, "{switches}");
    }
}

#[tokio::test]
async fn options_lists_the_29_types_and_needs_credentials() {
    let sandbox = Sandbox::start(two("")).await;
    let answer = sandbox.ask("OPTIONS", "/events").await;
    let types = answer.json()["eventTypes"].as_array().unwrap().clone();
    assert_eq!(types.len(), 29);
    assert!(types.contains(&serde_json::json!({"type":"USER_STATUS","description":"User status updated"})));
    assert_eq!(get_as(sandbox.address, "/beta/audit/events", None).await.status, 401);
}

#[tokio::test]
async fn single_events_other_paths_and_methods() {
    let sandbox = Sandbox::start(two("")).await;
    assert_eq!(sandbox.get("/events/a").await.text(), TWO.lines().next().unwrap());
    assert_eq!(sandbox.get("/events/c").await.status, 404);
    assert_eq!(sandbox.get("/event").await.status, 404);
    assert_eq!(get(sandbox.address, "/elsewhere").await.status, 404);
    let post = sandbox.ask("POST", "/events").await;
    assert_eq!((post.status, post.header("allow")), (405, Some("GET, OPTIONS")));
    let requests = sandbox.world.requests();
    assert_eq!((requests.total, requests.singles, requests.others, requests.faults), (5, 2, 3, 0));
    assert_eq!(requests.seen[1].line, "GET /beta/audit/events/c");
    assert_eq!(requests.seen[1].status, 404);
}

#[tokio::test]
async fn wrong_credentials_are_refused_in_both_families() {
    // abcd1234:sandbox-secret, abcd1234:other, not Basic, nothing.
    let good = "Basic YWJjZDEyMzQ6c2FuZGJveC1zZWNyZXQ=";
    let path = "/beta/audit/events";
    for (switches, member, text) in [
        ("", "message", "Full authentication is required to access this resource"),
        ("errors=gateway", "title", "Unauthorized"),
    ] {
        let sandbox = Sandbox::start(two(switches)).await;
        assert_eq!(get_as(sandbox.address, path, Some(good)).await.status, 200);
        for bad in [Some("Basic YWJjZDEyMzQ6b3RoZXI="), Some("Bearer x"), Some("Basic"), None] {
            let answer = get_as(sandbox.address, path, bad).await;
            assert_eq!((answer.status, answer.json()[member].as_str()), (401, Some(text)), "{bad:?}");
        }
    }
    let sandbox = Sandbox::start(two("no-quota=on")).await;
    let answer = sandbox.get("/events").await;
    assert_eq!((answer.status, answer.json()["title"].as_str()), (401, Some("Quota Exceeded")));
    let both = two("").credentials("abcd1234", &["old", "sandbox-secret"]);
    assert_eq!(get_as(Sandbox::start(both).await.address, path, Some(good)).await.status, 200);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_bytes() {
    let mut answers: Vec<Answer> = Vec::new();
    for seed in [7, 7, 8] {
        let world = World::new(seeded(seed, 5000)).behaviour("date=2026-05-01".parse().unwrap());
        answers.push(Sandbox::start(world).await.get("/events?size=100&page=3").await);
    }
    assert_eq!((&answers[0].head, &answers[0].body), (&answers[1].head, &answers[1].body));
    assert_ne!(answers[0].body, answers[2].body);
}

#[tokio::test]
async fn a_million_events_are_counted_exactly_and_at_once() {
    let population = seeded(1, 1_000_000);
    let sandbox = Sandbox::start(World::new(population)).await;
    let count = async |query: String| {
        sandbox.get(&format!("/events?size=1&{query}")).await.json()["page"]["totalElements"]
            .as_u64()
            .unwrap()
    };
    let start = Instant::now();
    let mut sum = 0;
    for day in 1..=31 {
        sum += count(format!("date_from=2026-03-{day:02}T00:00:00&date_to=2026-03-{day:02}T23:59:59")).await;
    }
    assert_eq!(sum, 1_000_000);
    assert_eq!(count(String::new()).await, 1_000_000);
    let deep = sandbox.get("/events?size=100&page=10000").await;
    assert_eq!(deep.ids().len(), 100);
    // 33 requests, unoptimised: a scan of the events in each would take far longer.
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

#[tokio::test]
async fn unknowns_of_the_envelope_are_switches() {
    let page = |answer: &Answer| answer.json()["page"].clone();
    let ask = async |switches: &str, path: &str| {
        let world = World::new(seconds(60)).behaviour(switches.parse().unwrap());
        Sandbox::start(world).await.get(path).await
    };
    assert_eq!(page(&ask("zero-based=on", "/events?page=2").await)["number"], 1);
    assert_eq!(page(&ask("page-size=returned", "/events?size=50&page=2").await)["size"], 10);
    assert_eq!(ask("page=ignored", "/events?page=2&size=1").await.ids(), ["59"]);
    assert_eq!(ask("beyond=404", "/events?page=3&size=30").await.status, 404);
    assert_eq!(ask("beyond=404", "/events?page=2&size=30").await.status, 200);
    assert_eq!(ask("size=fixed:40", "/events?size=10").await.ids().len(), 40);
    assert_eq!(ask("size=capped:5", "/events?size=10&page=2").await.ids()[0], "54");
    assert_eq!(ask("short-page=2", "/events?size=20&page=2").await.ids().len(), 19);
    assert_eq!(ask("short-page=3", "/events?size=20&page=3").await.ids().len(), 20);
    assert_eq!(ask("depth=40:400", "/events?size=20&page=3").await.status, 400);
    assert_eq!(ask("depth=40:500", "/events?size=20&page=2").await.status, 200);
    assert_eq!(ask("depth=30:empty", "/events?size=20&page=2").await.ids().len(), 10);
    assert_eq!(ask("invalid-date=400", "/events?date_from=soon").await.status, 400);
    assert!(ask("links=https", "/events").await.text().contains("\"https://api.nexmo.com/beta"));
    assert!(ask("links=file:///etc", "/events").await.text().contains("\"href\":\"file:///etc/events?"));
    assert!(ask("links=none", "/events").await.json().get("_links").is_none());
    for (totals, text) in [
        ("true", r#""totalElements":60,"#),
        ("capped:50", r#""totalElements":50,"#),
        ("off:-1", r#""totalElements":59,"#),
        ("off:-99", r#""totalElements":0,"#),
        ("constant:7", r#""totalElements":7,"#),
        ("string", r#""totalElements":"60","#),
        ("null", r#""totalElements":null,"#),
        ("negative", r#""totalElements":-61,"#),
        ("fraction", r#""totalElements":60.5,"#),
        ("huge", r#""totalElements":340282366920938463463374607431768211456,"#),
    ] {
        let answer = ask(&format!("totals={totals}"), "/events").await;
        assert!(answer.text().contains(text), "{totals}");
    }
    assert!(!ask("totals=absent", "/events").await.text().contains("totalElements"));
}

#[tokio::test]
async fn events_appear_vanish_and_change_with_the_requests() {
    let timeline = Timeline::default().appear(0, 1).vanish(1, 2).rewrite(2, 3, None);
    let sandbox = Sandbox::start(World::new(seconds(3)).timeline(timeline)).await;
    assert_eq!(sandbox.get("/events").await.ids(), ["2", "1"]);
    assert_eq!(sandbox.get("/events").await.ids(), ["2", "1", "0"]);
    let third = sandbox.get("/events").await;
    assert_eq!(
        (third.ids(), third.text().contains("revised")),
        (vec!["2".to_owned(), "0".to_owned()], false)
    );
    assert!(sandbox.get("/events").await.text().contains(r#","revised":true}"#));
    assert_eq!(sandbox.get("/events/1").await.status, 404);

    let switches = "arrive=5@1,vanish=2@2,rewrite=3@3,arrive-newest=1@4";
    let sandbox = Sandbox::start(World::new(seconds(60)).behaviour(switches.parse().unwrap())).await;
    let mut totals = Vec::new();
    for _ in 0..5 {
        totals.push(sandbox.get("/events").await.json()["page"]["totalElements"].as_u64().unwrap());
    }
    assert_eq!(totals, [54, 59, 57, 57, 58]);

    // Changes never meet the same event twice, so their counts add up however many there are.
    let many = "arrive=30@1,vanish=25@2".parse().unwrap();
    let sandbox = Sandbox::start(World::new(seconds(60)).behaviour(many)).await;
    let mut totals = Vec::new();
    for _ in 0..3 {
        totals.push(sandbox.get("/events").await.json()["page"]["totalElements"].as_u64().unwrap());
    }
    assert_eq!(totals, [30, 60, 35]);

    let lagging = "arrive=1@3,replicas=1,lag=3".parse().unwrap();
    let sandbox = Sandbox::start(World::new(seconds(10)).behaviour(lagging)).await;
    let mut totals = Vec::new();
    for _ in 0..8 {
        totals.push(sandbox.get("/events").await.json()["page"]["totalElements"].as_u64().unwrap());
    }
    assert_eq!(totals, [9, 9, 9, 9, 10, 9, 10, 10]);
}

#[tokio::test]
async fn a_throttle_says_where_and_how_long() {
    for (switches, status, header, body) in [
        ("", 429, Some("60"), false),
        ("throttle-403=on", 403, Some("60"), false),
        ("retry-after=body", 429, None, true),
        ("retry-after=none", 429, None, false),
        ("retry-after=date,date=2026-03-01T23:59:30", 429, Some("Mon, 02 Mar 2026 00:00:30 GMT"), false),
    ] {
        let sandbox = Sandbox::start(two(&format!("throttle=2/60s,{switches}"))).await;
        for _ in 0..2 {
            assert_eq!(sandbox.get("/events").await.status, 200);
        }
        let answer = sandbox.get("/events").await;
        assert_eq!(answer.status, status, "{switches}");
        let approximate = |text: &str| text.replace(":31 ", ":30 ").replace("59", "60");
        assert_eq!(answer.header("retry-after").map(approximate).as_deref(), header, "{switches}");
        assert_eq!(answer.json().get("retry_after").is_some(), body, "{switches}");
    }
}

#[tokio::test]
async fn compresses_only_for_those_who_accept_it() {
    let sandbox = Sandbox::start(two("gzip=on")).await;
    let plain = sandbox.get("/events").await;
    assert_eq!(plain.header("content-encoding"), None);
    let request = support::request("GET", "/beta/audit/events", "Accept-Encoding: br, gzip\r\n");
    let packed = Answer::read(&support::exchange(sandbox.address, &request).await.unwrap());
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut unpacked = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed.body[..]), &mut unpacked)
        .unwrap();
    assert_eq!(unpacked, plain.text());
}

#[tokio::test]
async fn keeps_connections_alive_and_stops_when_told() {
    let sandbox = Sandbox::start(two("")).await;
    let request = support::request("GET", "/beta/audit/events/a", "").replace("Connection: close\r\n", "");
    let twice = request.clone() + &support::request("GET", "/beta/audit/events/b", "");
    let bytes = support::exchange(sandbox.address, &twice).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2);
    assert!(text.ends_with(TWO.lines().last().unwrap()));

    let address = sandbox.address;
    let hanging = tokio::net::TcpStream::connect(address).await.unwrap();
    let start = Instant::now();
    sandbox.stop().await;
    assert!(start.elapsed().as_millis() < 900, "an idle connection does not hold the sandbox up");
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    drop(hanging);
}

#[tokio::test]
async fn faults_meet_their_request_and_no_other() {
    let script = ["1:status=503/html/retry-after=soon", "3:quota"]
        .into_iter()
        .try_fold(FaultScript::default(), FaultScript::with)
        .unwrap();
    let sandbox = Sandbox::start(two("").faults(script)).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(sandbox.get("/events").await.status);
    }
    assert_eq!(statuses, [200, 503, 200, 401, 200]);
    assert_eq!(sandbox.world.requests().faults, 2);
}

#[tokio::test]
async fn faults_in_http() {
    let truth = Sandbox::start(two("")).await.get("/events").await;
    let ask = async |fault: &str| {
        let script = FaultScript::default().with(&format!("0:{fault}")).unwrap();
        Sandbox::start(two("").faults(script)).await.get("/events").await
    };
    let throttled = ask("status=429/gateway/retry-after=1e30").await;
    assert_eq!((throttled.status, throttled.header("retry-after")), (429, Some("1e30")));
    assert_eq!(throttled.json()["title"], "Too many requests");
    assert_eq!(ask("status=502/empty").await.body, b"");
    assert!(ask("status=500/html").await.text().starts_with("<html>"));
    let html = ask("html").await;
    assert_eq!((html.status, html.header("content-type")), (200, Some("text/html")));
    for body in ["null", "[]", "{}", ""] {
        let answer = ask(&if body.is_empty() { "empty".to_owned() } else { format!("body={body}") }).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, body));
    }
    let wrong = ask("error-body").await;
    assert_eq!((wrong.status, wrong.json()["status"].as_u64()), (200, Some(500)));
    let elsewhere = ask("redirect=307/http://example.com/x").await;
    assert_eq!((elsewhere.status, elsewhere.header("location")), (307, Some("http://example.com/x")));
    assert_eq!(ask("redirect=301/").await.header("location"), None);
    assert_eq!(ask("truncate=40").await.body, truth.body[..40]);
    assert_eq!(ask("content-type=text/plain").await.header("content-type"), Some("text/plain"));
    assert_eq!(ask("content-type=").await.header("content-type"), None);
    assert_eq!(ask("content-encoding=br").await.header("content-encoding"), Some("br"));
    assert!(String::from_utf8(ask("invalid-utf8").await.body).is_err());
    let flipped = ask("flip=17").await.body;
    let different: Vec<usize> = (0..truth.body.len()).filter(|at| flipped[*at] != truth.body[*at]).collect();
    assert_eq!((different, flipped[2] ^ truth.body[2]), (vec![2], 2));
    let start = Instant::now();
    assert_eq!(ask("delay=120").await.body, truth.body);
    assert!(start.elapsed().as_millis() >= 120);
}

#[tokio::test]
async fn faults_below_http() {
    let request = support::request("GET", "/beta/audit/events", "");
    let truth = Sandbox::start(two("")).await.get("/events").await;
    let ask = async |fault: &str| {
        let script = FaultScript::default().with(&format!("0:{fault}")).unwrap();
        let sandbox = Sandbox::start(two("").faults(script)).await;
        let answer = support::exchange(sandbox.address, &request).await;
        assert_eq!(sandbox.world.requests().seen[0].status, 0);
        answer
    };
    let reset = ask("reset").await.unwrap_err();
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(ask("reset=10").await.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(ask("cut-raw=0").await.unwrap(), b"");
    assert_eq!(ask("cut-raw=17").await.unwrap(), b"HTTP/1.1 200 OK\r\n");
    let cut = Answer::read(&ask("cut=25").await.unwrap());
    assert_eq!(cut.header("content-length"), Some(truth.body.len().to_string().as_str()));
    assert_eq!(cut.body, truth.body[..25]);
    for (fault, by) in [("length=+10", 10), ("length=-10", -10)] {
        let wrong = Answer::read(&ask(fault).await.unwrap());
        let claimed: i64 = wrong.header("content-length").unwrap().parse().unwrap();
        assert_eq!(claimed, i64::try_from(truth.body.len()).unwrap() + by);
        assert_eq!(wrong.body, truth.body);
    }
    let start = Instant::now();
    let slow = Answer::read(&ask("slow-body=1000").await.unwrap());
    assert_eq!(slow.body, truth.body);
    let least = truth.body.len() as f64 / 1000.0 * 0.8;
    assert!(start.elapsed().as_secs_f64() > least, "{:?}", start.elapsed());
    let start = Instant::now();
    assert_eq!(Answer::read(&ask("slow-head=600").await.unwrap()).body, truth.body);
    assert!(start.elapsed().as_millis() > 150, "{:?}", start.elapsed());
}

#[tokio::test]
async fn faults_that_never_end_and_bombs() {
    let request = support::request("GET", "/beta/audit/events", "");
    for (fault, least) in [("endless-body", 1 << 20), ("endless-head", 1 << 20), ("hang", 0)] {
        let script = FaultScript::default().with(&format!("0..:{fault}")).unwrap();
        let sandbox = Sandbox::start(two("").faults(script)).await;
        let (open, bytes) = support::exchange_some(sandbox.address, &request, least, 200).await;
        assert!(bytes.len() >= least, "{fault}: {}", bytes.len());
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(text.contains("\r\n\r\n"), fault == "endless-body", "{fault}");
        // A reply that never ends does not keep the sandbox from stopping.
        let start = Instant::now();
        sandbox.stop().await;
        assert!(start.elapsed().as_millis() < 900, "{fault}: {:?}", start.elapsed());
        drop(open);
    }
    let script = FaultScript::default().with("0:bomb=20").unwrap();
    let sandbox = Sandbox::start(two("").faults(script)).await;
    let bomb = sandbox.get("/events").await;
    assert_eq!(bomb.header("content-encoding"), Some("gzip"));
    assert!(bomb.body.len() < 200_000, "{}", bomb.body.len());
    let mut decoder = flate2::read::MultiGzDecoder::new(&bomb.body[..]);
    assert_eq!(std::io::copy(&mut decoder, &mut std::io::sink()).unwrap(), 20 << 20);
}

#[tokio::test]
async fn unstable_orders_lose_and_double_what_stable_ones_do_not() {
    for (order, complete) in [("newest", true), ("oldest", true), ("shuffled", false)] {
        let world = World::new(seeded(2, 500)).behaviour(format!("order={order}").parse().unwrap());
        let sandbox = Sandbox::start(world).await;
        let mut distinct = BTreeSet::new();
        for page in 1..=5 {
            let ids = sandbox.get(&format!("/events?size=100&page={page}")).await.ids();
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 100);
            distinct.extend(ids);
        }
        assert_eq!(distinct.len() == 500, complete, "{order}");
    }
}

mod cli {
    use super::*;
    use clap::Parser;
    use vonage_audit::error::Kind;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        args: command::Args,
    }

    async fn run(flags: &[&str], secret: Option<&str>) -> Result<String, vonage_audit::Error> {
        let program = Program::try_parse_from(std::iter::once(&"sandbox").chain(flags)).unwrap();
        let mut out = Vec::new();
        command::run(&program.args, secret.map(str::to_owned), &mut out, std::future::ready(())).await?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[tokio::test]
    async fn says_where_it_listens_and_what_to_export() {
        let text = run(&["--port", "0", "--events", "10"], None).await.unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let url = lines[0].strip_prefix("listening on ").unwrap();
        assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/beta/audit") && !url.contains(":0/"));
        assert_eq!(lines[1], format!("export VONAGE_AUDIT_API_URL={url}"));
        assert_eq!(lines[2..], ["export VONAGE_API_KEY=abcd1234", "export VONAGE_API_SECRET=sandbox-secret"]);
    }

    #[tokio::test]
    async fn never_repeats_a_secret_of_the_environment() {
        let text = run(&["--port", "0", "--events", "1"], Some("hunter2")).await.unwrap();
        assert!(!text.contains("hunter2"));
    }

    #[tokio::test]
    async fn wrong_flags_are_usage_errors_that_name_the_part() {
        for (flags, part) in [
            (&["--host", "0.0.0.0"][..], "0.0.0.0"),
            (&["--behaviour", "order=oldest,odrer=x"], "odrer"),
            (&["--fault", "3:explode"], "explode"),
            (&["--data", "no/such/file"], "no/such/file"),
            (&["--from", "2026-03-01", "--to", "2026-03-01"], "range"),
            (&["--key", "a b"], "a b"),
        ] {
            let error = run(&[&["--port", "0"], flags].concat(), None).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Usage);
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn data_excludes_what_makes_seeded_events() {
        let parsed = Program::try_parse_from(["sandbox", "--data", "x", "--seed", "2"]);
        assert!(parsed.is_err());
    }
}
