//! Digests: SHA-256 of bytes, and the name of an account that does not give its key away.
//!
//! What this file must not know: what the bytes are.

use std::io::{self, Write};

use ring::{digest, hmac};

use crate::error::Result;
use crate::spool::Blob;

const ACCOUNT: &[u8] = b"vonage-audit-account";

/// Bytes of the account's fingerprint.
const FINGERPRINT_BYTES: usize = 16;

pub(super) fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    bytes
        .into_iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// Computes the digest of what passes through.
pub(super) struct Digesting<W> {
    inner: W,
    context: digest::Context,
}

impl<W: Write> Digesting<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, context: digest::Context::new(&digest::SHA256) }
    }

    /// What is behind it, and the lower-case hex SHA-256 of all that was written.
    pub(super) fn finish(self) -> (W, String) {
        (self.inner, hex(self.context.finish().as_ref().iter().copied()))
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.context.update(buffer.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Lower-case hex SHA-256 of a file's bytes.
pub(super) fn sha256_of(content: &Blob) -> Result<String> {
    let mut digesting = Digesting::new(io::sink());
    content.each(|block| digesting.write_all(block)).map_err(|cause| content.unread(cause))?;
    Ok(digesting.finish().1)
}

/// Lower-case hex SHA-256.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref().iter().copied())
}

pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The name of an account in a dataset: the first 16 bytes, in lower-case hex, of HMAC-SHA-256 over the API key with
/// the key `vonage-audit-account`. It binds a dataset to its account; it does not hide an API key from somebody who
/// can guess it.
pub fn account_fingerprint(api_key: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, ACCOUNT);
    hex(hmac::sign(&key, api_key.as_bytes()).as_ref().iter().copied().take(FINGERPRINT_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_the_standards() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(is_sha256(&sha256(b"")));
        assert!(!is_sha256(&sha256(b"").to_uppercase()));
    }

    #[test]
    fn an_accounts_fingerprint_never_changes() {
        // Computed with another implementation: python3 -c 'import hmac; …new(b"vonage-audit-account", b"abcd1234")'.
        assert_eq!(account_fingerprint("abcd1234"), "8bca0bc23a8afdaffaaef2367fa7b5fa");
    }
}
