//! A network that fails on request, between the program and a real server.
//!
//! What lives here: a proxy that hands requests on byte for byte, so that signatures stay good, and does one thing wrong.
//! What this file must not know: what is stored, what must come of a fault.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Carried out; then the connection is reset instead of an answer.
    LostReset,
    /// Carried out; then this status.
    LostStatus(u16),
    /// Carried out; then silence until the client gives up.
    LostSilence,
    /// Carried out; the answer is cut in the middle.
    Cut,
    /// Not carried out: the connection closes before anything is said.
    Closed,
    /// Not carried out: this status and code.
    Refused(u16, &'static str),
    /// Not carried out: 200 with the document of an error.
    OkWithError,
}

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Never,
    Once(usize),
    From(usize),
}

struct Script {
    when: When,
    fault: Fault,
    /// The heads of requests so far.
    seen: Vec<String>,
    /// Faults that were done.
    done: usize,
}

/// Whether `If-None-Match` reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conditions {
    Kept,
    /// As on a server that takes the header and overwrites.
    Ignored,
}

pub(crate) struct Proxy {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub(crate) async fn start(server: &str, conditions: Conditions) -> Self {
        let server: SocketAddr = server.strip_prefix("http://").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(Script {
            when: When::Never,
            fault: Fault::Closed,
            seen: Vec::new(),
            done: 0,
        }));
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&script);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let script = Arc::clone(&shared);
                connections.spawn(async move {
                    // A connection that breaks is what this is for.
                    let _ = serve(client, server, &script, conditions).await;
                });
            }
        });
        Self { address, script, _tasks: tasks }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Forgets what was seen, and does this from now on.
    pub(crate) fn script(&self, when: When, fault: Fault) {
        let mut script = self.script.lock().unwrap();
        *script = Script { when, fault, seen: Vec::new(), done: 0 };
    }

    /// The heads of the requests since then.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.script.lock().unwrap().seen.clone()
    }

    /// How many faults were done since then.
    pub(crate) fn done(&self) -> usize {
        self.script.lock().unwrap().done
    }
}

async fn serve(
    mut client: TcpStream,
    server: SocketAddr,
    script: &Mutex<Script>,
    conditions: Conditions,
) -> std::io::Result<()> {
    let Some((head, body)) = request(&mut client).await? else { return Ok(()) };
    let fault = {
        let mut script = script.lock().unwrap();
        let index = script.seen.len();
        script.seen.push(head.clone());
        let due = match script.when {
            When::Never => false,
            When::Once(at) => index == at,
            When::From(at) => index >= at,
        };
        script.done += usize::from(due);
        due.then_some(script.fault)
    };
    if let Some(Fault::Closed) = fault {
        return Ok(());
    }
    if let Some(Fault::Refused(status, code)) = fault {
        return client.write_all(answer(status, code).as_bytes()).await;
    }
    if fault == Some(Fault::OkWithError) {
        return client.write_all(answer(200, "InternalError").as_bytes()).await;
    }
    let reply = forward(server, &head, &body, conditions).await?;
    match fault {
        None => client.write_all(&reply).await?,
        Some(Fault::LostReset) => client.set_zero_linger()?,
        Some(Fault::LostStatus(status)) => {
            client.write_all(answer(status, "InternalError").as_bytes()).await?
        }
        // Until the client closes.
        Some(Fault::LostSilence) => drop(client.read(&mut [0]).await?),
        Some(Fault::Cut) => client.write_all(&reply[..reply.len() * 2 / 3]).await?,
        Some(Fault::Closed | Fault::Refused(..) | Fault::OkWithError) => {}
    }
    client.shutdown().await
}

/// One request: its head as text, its body.
pub(crate) async fn request(client: &mut TcpStream) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let body = bytes.split_off(end + 4);
            let head = String::from_utf8(bytes).unwrap();
            let length = length(&head);
            let mut body = body;
            while body.len() < length.unwrap_or(0) {
                if client.read_buf(&mut body).await? == 0 {
                    return Ok(None);
                }
            }
            return Ok(Some((head, body)));
        }
        if client.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
}

/// Hands a request on, on a connection of its own, and reads the whole answer.
async fn forward(
    server: SocketAddr,
    head: &str,
    body: &[u8],
    conditions: Conditions,
) -> std::io::Result<Vec<u8>> {
    let kept = head.trim_end().split("\r\n").filter(|line| {
        let ignored = line.to_ascii_lowercase().starts_with("if-none-match:");
        !(ignored && conditions == Conditions::Ignored)
    });
    let mut bytes = kept.collect::<Vec<_>>().join("\r\n").into_bytes();
    bytes.extend_from_slice(b"\r\nconnection: close\r\n\r\n");
    bytes.extend_from_slice(body);
    let mut upstream = TcpStream::connect(server).await?;
    upstream.write_all(&bytes).await?;
    let mut reply = Vec::new();
    // The server lingers before it closes.
    while !is_whole(&reply) && upstream.read_buf(&mut reply).await? > 0 {}
    Ok(reply)
}

/// Whether an answer has all the bytes that it announces.
fn is_whole(reply: &[u8]) -> bool {
    let Some(end) = reply.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    length(&String::from_utf8_lossy(&reply[..end])).is_some_and(|length| reply.len() >= end + 4 + length)
}

fn length(head: &str) -> Option<usize> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
    })
}

fn answer(status: u16, code: &str) -> String {
    let body =
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>scripted</Message></Error>");
    format!(
        "HTTP/1.1 {status} Scripted\r\ncontent-type: application/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
