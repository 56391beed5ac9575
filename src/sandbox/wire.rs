//! What HTTP libraries refuse to do: heads and bodies that lie, trickle, never end or break off.
//!
//! What lives here: [`Spoiled`], a reply to be written byte by byte on a connection taken over from the HTTP library,
//! and [`play`], which does so. What this file must not know: which request it answers.

use std::io::{self, ErrorKind};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::reply::{Reply, gzip, reason};

/// A reply written by hand.
#[derive(Debug)]
pub(super) struct Spoiled {
    pub(super) head: Vec<u8>,
    pub(super) head_pace: Option<u64>,
    pub(super) body: Body,
    pub(super) body_pace: Option<u64>,
    pub(super) end: End,
}

#[derive(Debug)]
pub(super) enum Body {
    Bytes(Bytes),
    /// These bytes again and again, this many times; for ever if absent.
    Repeated(Bytes, Option<u64>),
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Close,
    Reset,
    Hang,
}

impl Spoiled {
    pub(super) fn new(head: Vec<u8>, body: Bytes, end: End) -> Self {
        Self { head, head_pace: None, body: Body::Bytes(body), body_pace: None, end }
    }

    /// Nothing, then this.
    pub(super) fn nothing(end: End) -> Self {
        Self::new(Vec::new(), Bytes::new(), end)
    }

    /// A compressed body of this many MiB of white space, in gzip members of 1 MiB; it ends with the connection.
    pub(super) fn bomb(reply: &Reply, mebibytes: u64) -> Self {
        let member = gzip(&vec![b' '; 1 << 20]).into();
        let reply = reply.clone().with("content-encoding", "gzip");
        let mut spoiled = Self::new(head(&reply, None), Bytes::new(), End::Close);
        spoiled.body = Body::Repeated(member, Some(mebibytes));
        spoiled
    }
}

/// The head of a reply as bytes; without a length the body ends with the connection.
pub(super) fn head(reply: &Reply, length: Option<u64>) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", reply.status, reason(reply.status));
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(length) = length {
        head.push_str(&format!("content-length: {length}\r\n"));
    }
    head.push_str("connection: close\r\n\r\n");
    head.into_bytes()
}

/// Writes a spoiled reply and ends the connection. Never ends if the reply never does: the caller keeps the right to
/// drop it.
pub(super) async fn play(stream: TcpStream, spoiled: Spoiled) -> io::Result<()> {
    write(&stream, &spoiled.head, spoiled.head_pace).await?;
    match &spoiled.body {
        Body::Bytes(bytes) => write(&stream, bytes, spoiled.body_pace).await?,
        Body::Repeated(bytes, times) => {
            let mut done = 0;
            while times.is_none_or(|times| done < times) {
                write(&stream, bytes, spoiled.body_pace).await?;
                done += 1;
            }
        }
    }
    match spoiled.end {
        End::Close => Ok(()),
        // Without lingering the kernel answers a close with a reset.
        End::Reset => stream.set_zero_linger(),
        End::Hang => until_gone(&stream).await,
    }
}

/// Writes all bytes, at this many a second if a pace is given.
async fn write(stream: &TcpStream, bytes: &[u8], pace: Option<u64>) -> io::Result<()> {
    let Some(pace) = pace else {
        return write_now(stream, bytes).await;
    };
    // About twenty parts a second keep the pace even without waking for every byte.
    let size = pace.div_ceil(20).max(1);
    let pause = Duration::from_millis(size.saturating_mul(1000) / pace.max(1));
    let part = usize::try_from(size).unwrap_or(usize::MAX);
    for part in bytes.chunks(part) {
        write_now(stream, part).await?;
        sleep(pause).await;
    }
    Ok(())
}

async fn write_now(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits until the client closes the connection.
async fn until_gone(stream: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
