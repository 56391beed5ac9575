//! Canonical JSON: one text for one value, so that digests of control files are digests of what they say.
//!
//! Sorted keys, no white space, integers only (RFC 8785 without its floats). Reading is strict: unknown fields,
//! duplicate keys, another spelling of the same value and anything beyond the size limit are refused.
//! What this file must not know: what the records are.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Kind, Result};

/// A control file of more bytes is refused.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// The canonical text.
pub(super) fn write(value: &impl Serialize) -> Result<Vec<u8>> {
    let value = serde_json::to_value(value)
        .map_err(|cause| Error::bug("a record cannot be written as JSON").because(cause))?;
    let mut out = Vec::new();
    push(&value, &mut out)?;
    Ok(out)
}

fn push(value: &Value, out: &mut Vec<u8>) -> Result<()> {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| key.as_str());
            out.push(b'{');
            for (position, (key, member)) in members.into_iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                push_scalar(&key, out)?;
                out.push(b':');
                push(member, out)?;
            }
            out.push(b'}');
        }
        Value::Array(elements) => {
            out.push(b'[');
            for (position, element) in elements.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                push(element, out)?;
            }
            out.push(b']');
        }
        Value::Number(number) if number.is_f64() => {
            return Err(Error::bug("a control record holds a number that is not an integer"));
        }
        scalar => push_scalar(scalar, out)?,
    }
    Ok(())
}

fn push_scalar(scalar: &impl Serialize, out: &mut Vec<u8>) -> Result<()> {
    serde_json::to_writer(out, scalar)
        .map_err(|cause| Error::bug("a record cannot be written as JSON").because(cause))
}

/// The record of a canonical text.
///
/// # Errors
/// [`Kind::Verification`] when the text is not the canonical text of such a record.
pub(super) fn read<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T> {
    if bytes.len() > MAX_BYTES {
        return Err(refused("too long"));
    }
    read_long(bytes)
}

fn refused(why: &'static str) -> Error {
    Error::new(Kind::Verification, "a control file is not readable").at("why", why)
}

/// The same for a text whose length is bounded elsewhere: a line of quarantine holds an event of any length.
pub(super) fn read_long<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T> {
    let record: T =
        serde_json::from_slice(bytes).map_err(|cause| refused("not such a record").because(cause))?;
    if write(&record)? != bytes {
        return Err(refused("not in canonical form"));
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Record {
        zeta: u64,
        alpha: Option<String>,
    }

    #[test]
    fn keys_are_sorted_and_nothing_else_is_added() {
        let record = Record { zeta: u64::MAX, alpha: Some("ä\n\"\u{1}".to_owned()) };
        let text = write(&record).unwrap();
        assert_eq!(text, "{\"alpha\":\"ä\\n\\\"\\u0001\",\"zeta\":18446744073709551615}".as_bytes());
        assert_eq!(read::<Record>(&text).unwrap(), record);
    }

    #[test]
    fn every_other_spelling_is_refused() {
        assert!(read::<Record>(br#"{"alpha":null,"zeta":1}"#).is_ok());
        for text in [
            r#"{"zeta":1,"alpha":null}"#,
            r#"{"alpha":null,"zeta":1} "#,
            r#"{"alpha":null,"zeta":1,"zulu":2}"#,
            r#"{"alpha":null,"alpha":null,"zeta":1}"#,
            r#"{"zeta":1}"#,
            r#"{"alpha":null,"zeta":1.0}"#,
            r#"{"alpha":"\u0061","zeta":1}"#,
            "",
        ] {
            assert_eq!(read::<Record>(text.as_bytes()).unwrap_err().kind(), Kind::Verification, "{text}");
        }
        let long = format!("{{\"alpha\":\"{}\",\"zeta\":1}}", "a".repeat(MAX_BYTES));
        assert!(read::<Record>(long.as_bytes()).is_err());
        assert!(write(&1.5).is_err());
    }
}
