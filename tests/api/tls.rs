//! TLS: what is trusted, and that nothing is sent to what is not.
//!
//! The certificates are made for these tests; their authority's key is thrown away.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use vonage_audit::api::{Client, Limits};
use vonage_audit::error::Kind;

use super::{SECRET, first, printed, quick, settings};
use crate::server::{json, page};

pub(super) const CA: &[u8] = include_bytes!("tls/ca.pem");

/// A TLS server for one name; answers each connection's first request with a page. Gives its port and all the bytes
/// it decrypted.
pub(super) fn start(certificate: &'static [u8], key: &'static [u8]) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let certificate = CertificateDer::from_pem_slice(certificate).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let (config, received) = (Arc::new(config), Arc::new(Mutex::new(Vec::new())));
    let seen = received.clone();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut session = ServerConnection::new(config.clone()).unwrap();
            let mut stream = Stream::new(&mut session, &mut socket);
            let mut bytes = [0; 4096];
            if let Ok(length) = stream.read(&mut bytes) {
                seen.lock().unwrap().extend_from_slice(&bytes[..length]);
                let _ = stream.write_all(&json(page(1, 1)));
            }
        }
    });
    (port, received)
}

#[tokio::test]
async fn only_a_trusted_certificate_for_this_name_and_time_gets_the_request() {
    let key = include_bytes!("tls/localhost.key");
    // What helps, and how often it is tried: an authority that is not trusted is not trusted the next time either.
    for (certificate, key, ca, refused) in [
        (&include_bytes!("tls/localhost.pem")[..], &key[..], Some(CA), None),
        (include_bytes!("tls/localhost.pem"), key, None, Some(("SSL_CERT_FILE", 1))),
        (include_bytes!("tls/expired.pem"), key, Some(CA), Some(("clock", 2))),
        (include_bytes!("tls/other.pem"), include_bytes!("tls/other.key"), Some(CA), Some(("URL", 2))),
    ] {
        let (port, received) = start(certificate, key);
        let limits = Limits { tries: 2, ..quick() };
        let mut settings = settings(&format!("https://localhost:{port}"), limits);
        if let Some(ca) = ca {
            settings = settings.extra_ca(ca);
        }
        let client = Client::new(settings).unwrap();
        let outcome = first(&client).await;
        assert_eq!(outcome.is_ok(), refused.is_none());
        if let (Err(error), Some((hint, tries))) = (outcome, refused) {
            assert_eq!((error.kind(), error.kind().exit_code()), (Kind::Unavailable, 6));
            assert!(printed(&error).contains("certificate"), "{error}");
            assert!(error.hint_text().unwrap().contains(hint), "{:?}", error.hint_text());
            assert_eq!(client.usage().requests, tries, "{error}");
        }
        assert_eq!(received.lock().unwrap().is_empty(), refused.is_some());
    }
}

#[tokio::test]
async fn clear_text_behind_https_is_refused_without_sending_the_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let reader = thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        let mut bytes = [0; 4096];
        let length = socket.read(&mut bytes).unwrap();
        socket.write_all(&json(page(1, 1))).unwrap();
        bytes[..length].to_vec()
    });
    let limits = Limits { tries: 1, ..quick() };
    let client = Client::new(settings(&format!("https://localhost:{port}"), limits)).unwrap();
    assert_eq!(first(&client).await.unwrap_err().kind(), Kind::Unavailable);
    let sent = reader.join().unwrap();
    // A TLS handshake record, and nothing readable.
    assert_eq!(sent[0], 0x16);
    assert!(!String::from_utf8_lossy(&sent).contains(SECRET));
}

#[test]
fn a_bundle_that_holds_no_certificate_is_a_usage_error() {
    let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    let settings = settings("https://localhost:1", quick()).extra_ca(broken);
    assert_eq!(Client::new(settings).map(|_| ()).unwrap_err().kind(), Kind::Usage);
}
