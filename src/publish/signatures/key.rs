//! Public keys, and the one verification of a signature.
//!
//! What lives here: [`PublicKey`], which is never one that verifies what nobody signed. What this file must not know:
//! what is signed.

use std::fmt;

use ring::signature::{ED25519, UnparsedPublicKey};

use super::pem;
use super::private::Signature;
use crate::error::{Error, Result};
use crate::publish::digest::{hex, sha256};

/// Digits of a key's id.
const ID_DIGITS: usize = 16;

/// Before the raw key in a SubjectPublicKeyInfo of algorithm Ed25519 (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The y coordinates of the eight points of small order, without the sign of x: 1, −1, 0 and the two of order 8 (source:
/// the torsion group of edwards25519). With such a key, one signature is good for many texts.
const SMALL_ORDER: [[u8; 32]; 5] = [
    edge(0x01, 0x00, 0x00),
    edge(0xec, 0xff, 0x7f),
    edge(0x00, 0x00, 0x00),
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
];

/// A coordinate of one first byte, one last byte, and one value between.
const fn edge(first: u8, between: u8, last: u8) -> [u8; 32] {
    let mut bytes = [between; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// An Ed25519 public key that can vouch for something: neither of small order nor spelt in a second way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key of these raw bytes; `None` if it is weak or not in its one spelling.
    pub fn new(raw: [u8; 32]) -> Option<Self> {
        is_strong(raw).then_some(Self(raw))
    }

    /// The key of a file as `openssl pkey -pubout` writes it: PEM, or DER.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for anything else.
    pub fn parse(file: &[u8]) -> Result<Self> {
        let der = pem::der(file, "PUBLIC KEY").map_err(|why| refused().at("why", why))?;
        let raw = der.strip_prefix(&SPKI).and_then(|raw| <[u8; 32]>::try_from(raw).ok());
        raw.and_then(Self::new).ok_or_else(refused)
    }

    /// The raw bytes.
    pub fn raw(&self) -> [u8; 32] {
        self.0
    }

    /// The raw bytes in lower-case hex, as the log names them.
    pub fn hex(&self) -> String {
        hex(self.0)
    }

    /// A short name: the first 16 digits of the SHA-256 of the raw bytes.
    pub fn id(&self) -> String {
        sha256(&self.0).chars().take(ID_DIGITS).collect()
    }

    /// Whether this key has signed this text. Strict: a signature has one spelling, and R is not of small order.
    pub fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        let Some(signature) = <&Signature>::try_from(signature).ok() else { return false };
        let point = signature.first_chunk::<32>().copied();
        point.is_some_and(is_strong)
            && UnparsedPublicKey::new(&ED25519, &self.0).verify(text.as_bytes(), signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PublicKey({})", self.hex())
    }
}

/// Whether a point's encoding is the only one of its point, and the point is not of small order.
fn is_strong(mut point: [u8; 32]) -> bool {
    if let Some(last) = point.last_mut() {
        *last &= 0x7f;
    }
    let [first, between @ .., last] = point;
    // The field's prime is 2^255 − 19.
    let canonical = first < 0xed || last != 0x7f || between.iter().any(|byte| *byte != 0xff);
    canonical && !SMALL_ORDER.contains(&point)
}

fn refused() -> Error {
    Error::usage("not an Ed25519 public key")
        .hint("write it with: openssl pkey -in KEY.pem -pubout -out KEY.pub.pem")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::publish::signatures::Signer as _;
    use crate::publish::signatures::private::tests::{pkcs8, private};
    use futures::FutureExt as _;

    /// The group's order, from its least byte up: 2^252 + 27742317777372353535851937790883648493.
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];

    /// RFC 8032, 7.1, test 2: the text is one byte.
    const PUBLIC: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    const SIGNED: &str = concat!(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    );

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap() as u8;
        let bytes: Vec<u8> =
            text.as_bytes().chunks(2).map(|pair| digit(&pair[0]) << 4 | digit(&pair[1])).collect();
        bytes.try_into().unwrap()
    }

    #[test]
    fn the_standards_vector_is_good_and_each_flipped_bit_is_not() {
        let key = PublicKey::new(bytes(PUBLIC)).unwrap();
        let good: [u8; 64] = bytes(SIGNED);
        assert!(key.verifies("r", &good));
        assert!(!key.verifies("s", &good));
        assert!(!key.verifies("r", &good[..63]));
        for bit in 0..512 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verifies("r", &bad), "bit {bit}");
        }
    }

    #[test]
    fn a_signature_has_one_spelling() {
        let key = PublicKey::new(bytes(PUBLIC)).unwrap();
        let mut other: [u8; 64] = bytes(SIGNED);
        let mut carry = 0;
        for (byte, add) in other[32..].iter_mut().zip(ORDER) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
        assert_eq!(carry, 0, "S plus the order, the same number modulo the order");
        assert!(!key.verifies("r", &other));
    }

    #[test]
    fn keys_that_vouch_for_anything_are_refused() {
        // With the neutral element as key, R = B and S = 1 is a signature of every text.
        let mut forged = [0x66; 64];
        forged[0] = 0x58;
        forged[32..].fill(0);
        forged[32] = 1;
        let neutral = edge(1, 0, 0);
        for text in [&b"one"[..], b"another"] {
            UnparsedPublicKey::new(&ED25519, &neutral).verify(text, &forged).expect("the control");
        }
        let mut weak = SMALL_ORDER.to_vec();
        // p and p + 1: other spellings of 0 and 1, and the last number that fits.
        weak.extend([edge(0xed, 0xff, 0x7f), edge(0xee, 0xff, 0x7f), edge(0xff, 0xff, 0x7f)]);
        for mut raw in weak {
            assert_eq!(PublicKey::new(raw), None, "{raw:x?}");
            raw[31] |= 0x80;
            assert_eq!(PublicKey::new(raw), None, "{raw:x?}");
        }
        // The largest number below p is −1, which is of order 2; −2 is another matter.
        assert!(PublicKey::new(edge(0xeb, 0xff, 0x7f)).is_some());
    }

    #[test]
    fn a_small_order_r_is_refused() {
        let key = PublicKey::new(bytes(PUBLIC)).unwrap();
        let mut signature: [u8; 64] = bytes(SIGNED);
        signature[..32].copy_from_slice(&SMALL_ORDER[0]);
        assert!(!key.verifies("r", &signature));
    }

    #[test]
    fn a_files_key_is_that_of_its_private_key() {
        let private = private(1);
        let mut der = SPKI.to_vec();
        der.extend(private.public_key().raw());
        let public = PublicKey::parse(&der).unwrap();
        assert_eq!(private.public_key(), public);
        assert_eq!(public.id().len(), 16);
        let signature = private.sign("text").now_or_never().unwrap().unwrap();
        assert!(public.verifies("text", &signature));
        for wrong in [b"", &der[..43], &[&der[..], &[0]].concat(), &pkcs8(1)] {
            assert_eq!(PublicKey::parse(wrong).unwrap_err().kind(), Kind::Usage);
        }
    }
}
