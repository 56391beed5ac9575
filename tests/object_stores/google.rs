//! A stand-in for Google Cloud Storage: no server of it can be had for tests.
//!
//! What lives here: as much of its documented XML interface as a store needs, in memory: a PUT that creates only at
//! generation 0, GET, and listing in pages. It shows that our requests are those that the documentation asks for; it
//! checks no signature. What this file must not know: what is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::proxy::request;

const BUCKET: &str = "/test";

/// Entries of one page.
const PAGE: usize = 5;

type Objects = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

pub(crate) struct Google {
    url: String,
    _tasks: JoinSet<()>,
}

impl Google {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let objects = Objects::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let objects = Arc::clone(&objects);
                connections.spawn(async move {
                    let _ = serve(client, &objects).await;
                });
            }
        });
        Self { url, _tasks: tasks }
    }

    pub(crate) fn variables(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("GOOGLE_BASE_URL", self.url.clone()),
            ("GOOGLE_BEARER_TOKEN", "canary-token".to_owned()),
        ])
    }
}

async fn serve(mut client: TcpStream, objects: &Objects) -> std::io::Result<()> {
    let Some((head, body)) = request(&mut client).await? else { return Ok(()) };
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let key = decoded(path.strip_prefix(BUCKET).unwrap_or("/").trim_start_matches('/'));
    let (status, text) = match method {
        _ if !path.starts_with(BUCKET) => (404, error("NoSuchBucket")),
        "PUT" => put(objects, &head, key, body),
        "GET" if key.is_empty() => (200, page(objects, query).into_bytes()),
        "GET" => {
            objects.lock().unwrap().get(&key).map_or((404, error("NoSuchKey")), |bytes| (200, bytes.clone()))
        }
        _ => (405, error("MethodNotAllowed")),
    };
    let tag =
        if key_is_object(method, status, query) { "etag: \"1\"\r\nx-goog-generation: 1\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {status} Said\r\n{tag}last-modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        text.len()
    );
    client.write_all(&[head.as_bytes(), &text].concat()).await?;
    client.shutdown().await
}

fn key_is_object(method: &str, status: u16, query: &str) -> bool {
    status == 200 && (method == "PUT" || !query.contains("list-type"))
}

fn put(objects: &Objects, head: &str, key: String, body: Vec<u8>) -> (u16, Vec<u8>) {
    let head = head.to_ascii_lowercase();
    assert!(head.contains("x-goog-if-generation-match: 0\r\n"), "a PUT that could overwrite: {head}");
    let mut objects = objects.lock().unwrap();
    if objects.contains_key(&key) {
        return (412, error("PreconditionFailed"));
    }
    objects.insert(key, body);
    (200, Vec::new())
}

fn error(code: &str) -> Vec<u8> {
    format!("<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>no</Message></Error>")
        .into()
}

/// One page of a listing; the token is the last entry of the page before.
fn page(objects: &Objects, query: &str) -> String {
    let value = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| decoded(&value.replace('+', " ")))
    };
    let (prefix, after) =
        (value("prefix").unwrap_or_default(), value("continuation-token").unwrap_or_default());
    let delimited = value("delimiter").is_some();
    let objects = objects.lock().unwrap();
    let mut entries = BTreeSet::new();
    for key in objects.keys().filter(|key| key.starts_with(&prefix)) {
        let below = &key[prefix.len()..];
        entries.insert(match below.split_once('/') {
            Some((folder, _)) if delimited => format!("{prefix}{folder}/"),
            _ => key.clone(),
        });
    }
    let mut rest = entries.into_iter().filter(|entry| *entry > after);
    let shown: Vec<_> = rest.by_ref().take(PAGE).collect();
    let more = rest.next().is_some();
    let mut text = "<?xml version='1.0' encoding='UTF-8'?><ListBucketResult>".to_owned();
    for entry in &shown {
        let name = entry.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = if delimited && entry.ends_with('/') {
            write!(text, "<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>")
        } else {
            let size = objects[entry].len();
            write!(
                text,
                "<Contents><Key>{name}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>{size}</Size>\
                 <ETag>\"1\"</ETag></Contents>"
            )
        };
    }
    if let Some(last) = shown.last().filter(|_| more) {
        let _ = write!(text, "<NextContinuationToken>{}</NextContinuationToken>", last.replace('&', "&amp;"));
    }
    text + "</ListBucketResult>"
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        if *first == b'%' {
            let hex = std::str::from_utf8(&more[..2]).unwrap();
            bytes.push(u8::from_str_radix(hex, 16).unwrap());
            rest = &more[2..];
        } else {
            bytes.push(*first);
            rest = more;
        }
    }
    String::from_utf8(bytes).unwrap()
}
