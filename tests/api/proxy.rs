//! The API behind a proxy that tunnels: who is reached through it, what it sees, and what is said when it refuses.

use std::io::{Read, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

use vonage_audit::api::{Client, Proxy};
use vonage_audit::error::Kind;
use vonage_audit::secret::Secret;

use super::tls::{CA, start};
use super::{SECRET, first, printed, quick, settings};

/// `us@er` and `hunter:2`, as an address holds them.
const LOGIN: &str = "us%40er:hunter%3A2";
/// The same in HTTP Basic.
const BASIC: &str = "dXNAZXI6aHVudGVyOjI=";

/// A proxy whose tunnels all lead to one port of this machine, or that refuses them all.
struct Tunnel {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    /// What clients sent through tunnels.
    passed: Arc<Mutex<Vec<u8>>>,
}

impl Tunnel {
    fn start(to: Result<u16, &'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let tunnel = Self { port, heads: Arc::default(), passed: Arc::default() };
        let (heads, passed) = (tunnel.heads.clone(), tunnel.passed.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                let (heads, passed) = (heads.clone(), passed.clone());
                thread::spawn(move || {
                    // A client that leaves concerns nobody.
                    let _left = serve(client.unwrap(), to, &heads, &passed);
                });
            }
        });
        tunnel
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    fn proxy(&self, around: Option<&str>) -> Option<Proxy> {
        let address = Secret::new(format!("http://{LOGIN}@127.0.0.1:{}", self.port));
        Some(Proxy::new(&address, around).unwrap())
    }
}

fn serve(
    mut client: TcpStream,
    to: Result<u16, &'static str>,
    heads: &Mutex<Vec<String>>,
    passed: &Mutex<Vec<u8>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    heads.lock().unwrap().push(String::from_utf8(head).unwrap());
    let port = match to {
        Ok(port) => port,
        Err(refusal) => return client.write_all(format!("HTTP/1.1 {refusal}\r\n\r\n").as_bytes()),
    };
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut back, mut from) = (client.try_clone()?, server.try_clone()?);
    let replies = thread::spawn(move || {
        let _ended = copy(&mut from, &mut back);
        let _gone = back.shutdown(Shutdown::Both);
    });
    let mut bytes = [0; 4096];
    while let Ok(length @ 1..) = client.read(&mut bytes) {
        passed.lock().unwrap().extend_from_slice(&bytes[..length]);
        server.write_all(&bytes[..length])?;
    }
    let _gone = server.shutdown(Shutdown::Both);
    replies.join().unwrap();
    Ok(())
}

fn other() -> (u16, Arc<Mutex<Vec<u8>>>) {
    start(include_bytes!("tls/other.pem"), include_bytes!("tls/other.key"))
}

#[tokio::test]
async fn the_proxy_sees_the_host_and_its_own_login_and_the_api_sees_neither_proxy_nor_login() {
    let (port, received) = other();
    let tunnel = Tunnel::start(Ok(port));
    let settings = settings("https://other.example/beta", quick()).extra_ca(CA).proxy(tunnel.proxy(None));
    first(&Client::new(settings).unwrap()).await.unwrap();
    let heads = tunnel.heads();
    assert_eq!(heads.len(), 1);
    assert!(heads[0].starts_with("CONNECT other.example:443 HTTP/1.1\r\n"), "{}", heads[0]);
    let head = heads[0].to_ascii_lowercase();
    assert!(
        head.contains(&format!("proxy-authorization: basic {}\r\n", BASIC.to_ascii_lowercase())),
        "{head}"
    );
    assert!(!head.contains("\r\nauthorization"), "{head}");
    let request = String::from_utf8(received.lock().unwrap().clone()).unwrap().to_ascii_lowercase();
    assert!(
        request.starts_with("get /beta/events?") && request.contains("\r\nauthorization: basic"),
        "{request}"
    );
    assert!(!request.contains("proxy"), "{request}");
    let passed = String::from_utf8_lossy(&tunnel.passed.lock().unwrap()).into_owned();
    assert!(passed.len() > 100 && !passed.contains(SECRET) && !passed.contains("/beta/events"));
}

#[tokio::test]
async fn a_certificate_is_checked_through_the_proxy_too() {
    let (port, received) = other();
    let tunnel = Tunnel::start(Ok(port));
    let settings = settings("https://another.example", quick()).extra_ca(CA).proxy(tunnel.proxy(None));
    let error = first(&Client::new(settings).unwrap()).await.unwrap_err();
    assert!(printed(&error).contains("certificate"), "{error}");
    assert!(received.lock().unwrap().is_empty());
}

#[tokio::test]
async fn loopback_and_the_hosts_that_are_left_out_are_reached_directly() {
    // The address of "any host", which connects to this machine and is not loopback by its name.
    for (host, around, proxied) in [
        ("0.0.0.0", None, true),
        ("0.0.0.0", Some("10.0.0.0/8, example"), true),
        ("0.0.0.0", Some("10.0.0.0/8, 0.0.0.0"), false),
        ("0.0.0.0", Some("0.0.0.0/8"), false),
        ("localhost", None, false),
        ("127.0.0.1", None, false),
        ("[::1]", None, false),
    ] {
        let (port, _) = other();
        let tunnel = Tunnel::start(Ok(port));
        let limits = vonage_audit::api::Limits { tries: 1, ..quick() };
        let settings = settings(&format!("https://{host}:{port}"), limits).extra_ca(CA);
        let client = Client::new(settings.proxy(tunnel.proxy(around))).unwrap();
        // The certificate is for another name: who is asked is what counts here.
        printed(&first(&client).await.unwrap_err());
        assert_eq!(!tunnel.heads().is_empty(), proxied, "{host} {around:?}");
    }
    // A suffix counts, and only at a dot.
    for (around, proxied) in [("ther.example", true), (".example", false), ("example", false), ("*", false)] {
        let tunnel = Tunnel::start(Err("502 Bad Gateway"));
        let limits = vonage_audit::api::Limits { tries: 1, ..quick() };
        let settings = settings("https://other.example", limits).proxy(tunnel.proxy(Some(around)));
        first(&Client::new(settings).unwrap()).await.unwrap_err();
        assert_eq!(!tunnel.heads().is_empty(), proxied, "{around}");
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_without_its_login() {
    for refusal in
        ["407 Proxy Authentication Required", "403 Forbidden", "302 Found\r\nLocation: http://login.example/"]
    {
        let tunnel = Tunnel::start(Err(refusal));
        let settings = settings("https://other.example", quick()).proxy(tunnel.proxy(None));
        let error = first(&Client::new(settings).unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
        let text = printed(&error);
        assert!(text.contains(&format!("127.0.0.1:{}", tunnel.port)), "{text}");
        assert!(!text.contains("hunter") && !text.contains(BASIC) && !text.contains("us%40er"), "{text}");
        assert_eq!(tunnel.heads().len(), 4, "every attempt asks once");
    }
}

/// `vonage-audit types` with these variables and no others.
fn types(variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vonage-audit"))
        .args(["types", "--tries", "1"])
        .env_clear()
        .envs([("VONAGE_API_KEY", "abcd1234"), ("VONAGE_API_SECRET", SECRET)])
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn the_program_takes_the_proxy_from_its_environment() {
    let (here, there) = (Tunnel::start(Err("403 Forbidden")), Tunnel::start(Err("403 Forbidden")));
    let address = |tunnel: &Tunnel| format!("http://{LOGIN}@127.0.0.1:{}", tunnel.port);
    let (one, other) = (address(&here), address(&there));
    let url = ("VONAGE_AUDIT_API_URL", "https://0.0.0.0:1");
    for (variables, asked) in [
        (&[("HTTPS_PROXY", one.as_str())][..], (1, 0)),
        (&[("https_proxy", &one)], (1, 0)),
        (&[("https_proxy", &one), ("HTTPS_PROXY", &other)], (1, 0)),
        (&[("HTTPS_PROXY", &one), ("NO_PROXY", "0.0.0.0")], (0, 0)),
        (&[("HTTPS_PROXY", &one), ("no_proxy", "0.0.0.0"), ("NO_PROXY", "elsewhere")], (0, 0)),
        (&[("HTTP_PROXY", &one), ("ALL_PROXY", &other)], (0, 0)),
        (&[("HTTPS_PROXY", "")], (0, 0)),
    ] {
        let before = (here.heads().len(), there.heads().len());
        let output = types(&[&[url], variables].concat());
        let told =
            String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success(), "{told}");
        assert_eq!(
            (here.heads().len() - before.0, there.heads().len() - before.1),
            asked,
            "{variables:?} {told}"
        );
        assert!(asked.0 == 0 || told.contains(&format!("127.0.0.1:{}", here.port)), "{variables:?} {told}");
        assert!(!told.contains("hunter") && !told.contains(BASIC), "{told}");
    }
    // Loopback does not care for it: here nobody listens.
    let output =
        types(&[("VONAGE_AUDIT_API_URL", "http://127.0.0.1:1"), ("HTTPS_PROXY", "socks5://127.0.0.1:1")]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() != Some(2) && told.contains("connect"), "{told}");
    let output = types(&[url, ("HTTPS_PROXY", "socks5://user:hunter@127.0.0.1:1080")]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("proxy") && !told.contains("hunter"), "{told}");
}
