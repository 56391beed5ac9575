//! A scripted server behind a real socket: raw bytes in, raw bytes out, every request recorded.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What became of the connection after an answer.
#[derive(PartialEq)]
pub(crate) enum After {
    Keep,
    Close,
}

/// Given the number of the request at this server, from 0, writes an answer.
type Script = dyn Fn(usize, &mut TcpStream) -> After + Send + Sync;

pub(crate) struct Server {
    pub(crate) port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    heads: Mutex<Vec<String>>,
    connections: AtomicUsize,
}

impl Server {
    pub(crate) fn start(script: impl Fn(usize, &mut TcpStream) -> After + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        let script: Arc<Script> = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (state, script) = (shared.clone(), script.clone());
                state.connections.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || serve(stream.unwrap(), &state, &*script));
            }
        });
        Self { port, state }
    }

    /// Answers request number n with the nth text, and with the last one from then on.
    pub(crate) fn replies(replies: Vec<Vec<u8>>) -> Self {
        Self::start(move |number, stream| {
            let reply = &replies[number.min(replies.len() - 1)];
            match stream.write_all(reply) {
                Ok(()) if reply.starts_with(b"HTTP/1.1") => After::Keep,
                _ => After::Close,
            }
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/beta/audit", self.port)
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.state.heads.lock().unwrap().clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.heads().len()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, state: &State, script: &Script) {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    while let Some(head) = read_head(&mut stream) {
        let number = {
            let mut heads = state.heads.lock().unwrap();
            heads.push(head);
            heads.len() - 1
        };
        if script(number, &mut stream) == After::Close {
            return;
        }
    }
}

fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    Some(String::from_utf8(head).unwrap())
}

/// A reply with these headers (each ended by CRLF) and a length.
pub(crate) fn reply(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

pub(crate) fn json(body: impl AsRef<[u8]>) -> Vec<u8> {
    reply("200 OK", "Content-Type: application/json;charset=UTF-8\r\n", body)
}

/// A page of `count` events out of `total`.
pub(crate) fn page(count: usize, total: u64) -> String {
    let events: Vec<String> = (0..count)
        .map(|number| format!(r#"{{"id":"event-{number}","created_at":"2018-08-13T10:15:31"}}"#))
        .collect();
    format!(r#"{{"_embedded":{{"events":[{}]}},"page":{{"totalElements":{total}}}}}"#, events.join(","))
}
