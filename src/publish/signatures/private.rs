//! Whoever signs.
//!
//! What lives here: [`Signer`], and the one that holds its key itself. What this file must not know: what is signed,
//! and which file the key came from.

use futures::future::{BoxFuture, ready};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::key::PublicKey;
use super::pem;
use crate::error::{Error, Result};

/// An Ed25519 signature: R and S.
pub type Signature = [u8; 64];

/// Signs texts with one key. Whoever calls verifies the signature before it is used.
pub trait Signer: Send + Sync {
    /// The key's public half.
    fn public_key(&self) -> PublicKey;

    /// The signature of a text.
    fn sign<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Signature>>;
}

/// A private key in memory. It has no `Debug`, and no way out but signatures.
pub struct PrivateKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl PrivateKey {
    /// The key of a file as `openssl genpkey -algorithm ed25519` writes it: PKCS#8, in PEM or DER. The bytes stay the
    /// caller's to wipe; what is decoded from them here is wiped.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for anything else. No error holds a part of the file.
    pub fn parse(file: &[u8]) -> Result<Self> {
        let der = pem::der(file, "PRIVATE KEY").map_err(|why| refused().at("why", why))?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der)
            .map_err(|cause| refused().at("why", cause.to_string()))?;
        let raw = <[u8; 32]>::try_from(pair.public_key().as_ref()).ok();
        let public = raw.and_then(PublicKey::new).ok_or_else(refused)?;
        Ok(Self { pair, public })
    }
}

impl Signer for PrivateKey {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Signature>> {
        let signature = Signature::try_from(self.pair.sign(text.as_bytes()).as_ref());
        Box::pin(ready(signature.map_err(|_| Error::bug("an Ed25519 signature has another length"))))
    }
}

fn refused() -> Error {
    Error::usage("not an Ed25519 private key").hint(
        "make one with: openssl genpkey -algorithm ed25519 -out KEY.pem; a key with a pass phrase is for --sign-command",
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A private key's file, as `openssl genpkey -outform DER` writes it.
    pub(crate) fn pkcs8(seed: u8) -> Vec<u8> {
        let head =
            [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
        head.into_iter().chain([seed; 32]).collect()
    }

    pub(crate) fn private(seed: u8) -> PrivateKey {
        PrivateKey::parse(&pkcs8(seed)).unwrap()
    }

    #[test]
    fn a_refused_key_says_nothing_of_its_bytes() {
        let mut rsa = pkcs8(0x5a);
        rsa[10] = 0x71;
        for file in [&rsa[..], &pkcs8(0x5a)[..47], b"ZZZZ", b""] {
            let error = PrivateKey::parse(file).err().unwrap();
            let said = format!("{error} {error:?} {:?}", error.hint_text());
            assert!(!said.contains("ZZZ") && !said.contains("5a5a") && !said.contains("90, 90"), "{said}");
        }
    }
}
