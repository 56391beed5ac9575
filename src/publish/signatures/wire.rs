//! A key in a commit's text.
//!
//! What lives here: the wire format of [`KeyRecord`]. What this file must not know: the log.

use serde::{Deserialize, Serialize};

use super::key::PublicKey;
use crate::error::Result;
use crate::model::KeyRecord;
use crate::publish::digest::hex;
use crate::publish::record::refused;

const ALGORITHM: &str = "ed25519";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::publish) struct WireKey {
    algorithm: String,
    /// Lower-case hex; absent for a log's first key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endorsement: Option<String>,
    key_id: String,
    /// Lower-case hex of the raw key.
    public_key: String,
}

pub(in crate::publish) fn to_wire(record: &KeyRecord) -> WireKey {
    WireKey {
        algorithm: ALGORITHM.to_owned(),
        endorsement: record.endorsement.map(hex),
        key_id: PublicKey::new(record.public_key).map(|key| key.id()).unwrap_or_default(),
        public_key: hex(record.public_key),
    }
}

/// # Errors
/// [`crate::error::Kind::Verification`] for another algorithm, a weak key, and a text that does not agree with itself.
pub(in crate::publish) fn from_wire(wire: WireKey) -> Result<KeyRecord> {
    if wire.algorithm != ALGORITHM {
        return Err(refused("unknown algorithm of a signing key"));
    }
    let key = unhex(&wire.public_key)
        .and_then(PublicKey::new)
        .ok_or_else(|| refused("a signing key is not strong"))?;
    if key.id() != wire.key_id {
        return Err(refused("a signing key has another key_id"));
    }
    let endorsement =
        wire.endorsement.map(|text| unhex(&text).ok_or_else(|| refused("an endorsement is not hex")));
    Ok(KeyRecord { public_key: key.raw(), endorsement: endorsement.transpose()? })
}

/// The bytes of lower-case hex, exactly as many.
fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::signatures::Signer as _;
    use crate::publish::signatures::private::tests::private;

    #[test]
    fn what_is_written_reads_back_and_nothing_else_does() {
        let key = private(1).public_key();
        let record = KeyRecord { public_key: key.raw(), endorsement: Some([7; 64]) };
        assert_eq!(from_wire(to_wire(&record)).unwrap(), record);
        let first = KeyRecord { endorsement: None, ..record.clone() };
        assert_eq!(from_wire(to_wire(&first)).unwrap(), first);
        for change in [
            (|wire| wire.algorithm = "rsa".to_owned()) as fn(&mut WireKey),
            |wire| wire.key_id.replace_range(..1, "g"),
            |wire| wire.public_key = wire.public_key.to_uppercase(),
            |wire| wire.public_key.truncate(62),
            |wire| wire.public_key = "00".repeat(32),
            |wire| wire.endorsement = Some("07".repeat(63)),
        ] {
            let mut wire = to_wire(&record);
            change(&mut wire);
            assert!(from_wire(wire).is_err());
        }
    }
}
