//! The key that Parquet files are encrypted with.
//!
//! What lives here: [`FooterKey`]: its spellings in a file, and the id by which a dataset names it. The id is a digest of
//! a keyed digest of a fixed text, so that it says nothing of the key to somebody who cannot guess all of it, and has no
//! use elsewhere. What this file must not know: where the file is, Parquet.

use std::fmt;

use ring::{digest, hmac};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// What the id is made of beside the key.
const PURPOSE: &[u8] = b"vonage-audit: id of a Parquet footer key, 1";

/// Digits of an id.
const ID_DIGITS: usize = 16;

/// Bytes of a key: AES of 128 or 256 bits. Parquet knows 192 as well, which the cipher's library does not.
const LENGTHS: [usize; 2] = [16, 32];

/// A key of 16 or 32 bytes, wiped when dropped; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct FooterKey(Zeroizing<Vec<u8>>);

impl fmt::Debug for FooterKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "FooterKey({})", self.id())
    }
}

impl FooterKey {
    /// The key that a file holds. Text that reads as hexadecimal digits of a key is taken as that, else text that reads
    /// as padded base64 of one, else the bytes themselves. One line end behind a text does not count.
    ///
    /// # Errors
    /// Usage: it is none of these.
    pub fn parse(content: &[u8]) -> Result<Self> {
        if LENGTHS.contains(&content.len()) && !content.is_ascii() {
            return Ok(Self(Zeroizing::new(content.to_vec())));
        }
        let line = content.strip_suffix(b"\n").unwrap_or(content);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let whole = |bytes: &Zeroizing<Vec<u8>>| LENGTHS.contains(&bytes.len());
        hex(line)
            .filter(whole)
            .or_else(|| base64(line).filter(whole))
            .or_else(|| Some(Zeroizing::new(line.to_vec())).filter(whole))
            .or_else(|| Some(Zeroizing::new(content.to_vec())).filter(whole))
            .map(Self)
            .ok_or_else(|| {
                Error::usage("the file does not hold a key of 16 or 32 bytes")
                    .hint("write one, for example with: openssl rand -base64 32 > FILE; chmod 600 FILE")
            })
    }

    /// By which a dataset names the key: 16 hexadecimal digits.
    pub fn id(&self) -> String {
        let keyed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), PURPOSE);
        let mut id = String::new();
        for byte in digest::digest(&digest::SHA256, keyed.as_ref()).as_ref().iter().take(ID_DIGITS / 2) {
            id.push_str(&format!("{byte:02x}"));
        }
        id
    }

    pub(super) fn expose(&self) -> &[u8] {
        &self.0
    }
}

fn hex(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    for pair in text.chunks(2) {
        let [high, low] = pair else { return None };
        bytes.push(digit(*high)? << 4 | digit(*low)?);
    }
    Some(bytes)
}

/// RFC 4648, padded, without bits that are lost.
fn base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = text.get(..text.len().checked_sub(padding).filter(|_| padding <= 2)?)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in digits {
        held = held << 6 | u32::from(digit(*byte)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    (held & ((1 << bits) - 1) == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(content: &[u8]) -> Option<Vec<u8>> {
        FooterKey::parse(content).ok().map(|key| key.expose().to_vec())
    }

    #[test]
    fn each_spelling_is_read_and_everything_else_refused() {
        let raw = [0x8f_u8; 16];
        assert_eq!(key(&raw).as_deref(), Some(&raw[..]));
        assert_eq!(key(b"0123456789012345").as_deref(), Some(&b"0123456789012345"[..]));
        assert_eq!(key(b"0123456789012345\n").as_deref(), Some(&b"0123456789012345"[..]));
        assert_eq!(key("8f".repeat(16).as_bytes()).as_deref(), Some(&raw[..]));
        assert_eq!(key(("8F".repeat(16) + "\r\n").as_bytes()).as_deref(), Some(&raw[..]));
        assert_eq!(key(b"j4+Pj4+Pj4+Pj4+Pj4+Pjw==\n").as_deref(), Some(&raw[..]));
        assert_eq!(key(b"text of 32 characters, not hex..").map(|key| key.len()), Some(32));
        assert_eq!(key("8f".repeat(32).as_bytes()).map(|key| key.len()), Some(32));
        // A binary key may end like a line.
        let mut ends = [0x8f_u8; 16];
        ends[15] = b'\n';
        assert_eq!(key(&ends).as_deref(), Some(&ends[..]));
        for wrong in [
            &b""[..],
            b"\n",
            b"short",
            b"012345678901234",
            &[0x8f; 17],
            &[0x8f; 24],
            &[0x8f; 33],
            b"j4+Pj4+Pj4+Pj4+Pj4+Pjx==",
            b"j4+Pj4+Pj4+Pj4+Pj4+Pj===",
        ] {
            assert_eq!(key(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_id_is_stable_and_the_key_is_never_shown() {
        let key = FooterKey::parse(b"0123456789012345").unwrap();
        assert_eq!(key.id().len(), ID_DIGITS);
        assert_ne!(key.id(), FooterKey::parse(b"0123456789012346").unwrap().id());
        assert_eq!(format!("{key:?}"), format!("FooterKey({})", key.id()));
    }
}
