//! Signatures over commits: who vouches for the log.
//!
//! What lives here: keys, the exact texts that are signed, the key records in the log, and [`check()`], which holds all
//! signatures of a log against its commits without a network. The algorithm is Ed25519 (RFC 8032), the signature of
//! commit n stands beside it as `_audit/commits/<16 digits>.json.sig`: 64 bytes, nothing else. Everything can be done
//! without this program, with `sha256sum` and `openssl pkeyutl`: `docs/signatures.md` says how.
//! What this module must not know: a store, where a key's file is, windows and files.

mod chain;
mod check;
mod key;
mod pem;
pub(super) mod private;
mod texts;
mod wire;

pub use chain::{Keys, NotEndorsed};
pub use check::{Checked, Finding, check};
pub use key::PublicKey;
pub use pem::signature;
pub use private::{PrivateKey, Signature, Signer};
pub use texts::{commit_text, rotation_text};
pub(super) use wire::{WireKey, from_wire, to_wire};
