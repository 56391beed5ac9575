//! A sandbox on a free port, and HTTP by hand.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;
use vonage_audit::sandbox::{Population, Spec, World, serve};

/// Longer than anything here takes; a test that hangs fails instead.
const LIMIT: Duration = Duration::from_secs(30);
/// `abcd1234:sandbox-secret`.
const CREDENTIALS: &str = "Basic YWJjZDEyMzQ6c2FuZGJveC1zZWNyZXQ=";

/// A running sandbox; it ends with the value.
pub(crate) struct Sandbox {
    pub(crate) address: SocketAddr,
    pub(crate) world: Arc<World>,
    stop: oneshot::Sender<()>,
    server: JoinSet<io::Result<()>>,
}

impl Sandbox {
    pub(crate) async fn start(world: World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let world = Arc::new(world);
        let (stop, stopped) = oneshot::channel();
        let mut server = JoinSet::new();
        let shutdown = async {
            // A dropped sender is a stop too.
            let _stopped = stopped.await;
        };
        server.spawn(serve(listener, Arc::clone(&world), shutdown));
        Self { address, world, stop, server }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path).await
    }

    pub(crate) async fn ask(&self, method: &str, path: &str) -> Answer {
        let request = request(method, &format!("/beta/audit{path}"), "");
        Answer::read(&exchange(self.address, &request).await.unwrap())
    }

    /// Tells it to stop and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.stop.send(()).unwrap();
        timeout(LIMIT, self.server.join_next()).await.unwrap().unwrap().unwrap().unwrap();
    }
}

/// Events of March 2026.
pub(crate) fn seeded(seed: u64, events: u32) -> Population {
    let date = |text: &str| text.parse().unwrap();
    let (from, to) = (date("2026-03-01"), date("2026-04-01"));
    Population::seeded(Spec { seed, events, from, to, account: "abcd1234".to_owned() }).unwrap()
}

/// A request with the right credentials; `more` are further header lines.
pub(crate) fn request(method: &str, target: &str, more: &str) -> String {
    format!(
        "{method} {target} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: {CREDENTIALS}\r\nConnection: close\r\n{more}\r\n"
    )
}

pub(crate) async fn get(address: SocketAddr, target: &str) -> Answer {
    get_as(address, target, Some(CREDENTIALS)).await
}

pub(crate) async fn get_as(address: SocketAddr, target: &str, authorization: Option<&str>) -> Answer {
    let line = authorization.map_or(String::new(), |value| format!("Authorization: {value}\r\n"));
    let request = format!("GET {target} HTTP/1.1\r\nHost: sandbox\r\n{line}Connection: close\r\n\r\n");
    Answer::read(&exchange(address, &request).await.unwrap())
}

/// Sends these bytes and reads until the connection ends.
pub(crate) async fn exchange(address: SocketAddr, request: &str) -> io::Result<Vec<u8>> {
    let talk = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Ok(bytes)
    };
    timeout(LIMIT, talk).await.expect("the sandbox did not end the connection")
}

/// Sends these bytes and reads at least so many; if there are none to wait for, expects silence for so many
/// milliseconds. The connection stays open.
pub(crate) async fn exchange_some(
    address: SocketAddr,
    request: &str,
    least: usize,
    millis: u64,
) -> (TcpStream, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    while bytes.len() < least {
        let count = timeout(LIMIT, stream.read_buf(&mut bytes)).await.unwrap().unwrap();
        assert!(count > 0, "the connection ended after {} bytes", bytes.len());
    }
    if least == 0 {
        let silence = timeout(Duration::from_millis(millis), stream.read_buf(&mut bytes)).await;
        assert!(silence.is_err(), "the connection was not silent");
    }
    (stream, bytes)
}

/// A reply, cut into head and body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The status line and the header lines, each with its line end.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|part| part == b"\r\n\r\n").expect("a head with an end");
        let head = String::from_utf8(bytes[..end + 2].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The ids of a list, in its order.
    pub(crate) fn ids(&self) -> Vec<String> {
        let json = self.json();
        let events = json["_embedded"]["events"].as_array().cloned().unwrap_or_default();
        events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    }
}
