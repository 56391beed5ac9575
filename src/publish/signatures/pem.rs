//! Key files and signatures as other programs write them.
//!
//! What lives here: PEM (RFC 7468) and Base64, read strictly. What this file must not know: what a key means.

use zeroize::Zeroizing;

use super::private::Signature;

/// The DER bytes of a file: its own, or those of its one PEM block with this label. The error says why not, and
/// nothing of the file.
pub(super) fn der(file: &[u8], label: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    // DER begins with a SEQUENCE, which no text does: 0x30 is the digit 0.
    if file.first() == Some(&0x30) {
        return Ok(Zeroizing::new(file.to_vec()));
    }
    let text = std::str::from_utf8(file).map_err(|_| "neither PEM nor DER")?;
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let (_, rest) = text.split_once(&begin).ok_or("no PEM block of the right kind")?;
    let (block, after) = rest.split_once(&end).ok_or("the PEM block has no end")?;
    if after.contains("-----BEGIN") {
        return Err("more than one PEM block");
    }
    decode(block.as_bytes()).ok_or("the PEM block is not Base64")
}

/// A signature as a signing program writes it: 64 bytes, or their Base64 with any white space.
pub fn signature(written: &[u8]) -> Option<Signature> {
    Signature::try_from(written).ok().or_else(|| decode(written)?.as_slice().try_into().ok())
}

/// Base64 with padding, white space between; `None` for every other text, and for a second spelling of the same bytes.
fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // As large as it can become, so that no copy stays behind in memory that was given back.
    let mut out = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut bits, mut held, mut digits, mut padding) = (0_u32, 0_u32, 0_usize, 0_usize);
    for byte in text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()) {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                padding += 1;
                continue;
            }
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        digits += 1;
        bits = (bits << 6) | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from(bits >> held).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    let whole = padding < 3 && (digits + padding).is_multiple_of(4);
    (whole && bits == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_the_standards_and_has_one_spelling() {
        // RFC 4648, 10.
        for (text, plain) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            (" Zm9v\r\nYmE=\n", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(decode(text.as_bytes()).unwrap().as_slice(), plain.as_bytes(), "{text}");
        }
        assert_eq!(decode(b"+/+/").unwrap().as_slice(), [0xfb, 0xff, 0xbf]);
        for text in ["Zg", "Zg=", "Zh==", "Z===", "=Zg=", "Zm9v=", "Zm-_", "Zm9v====", "Z"] {
            assert!(decode(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn a_signature_is_bytes_or_their_base64() {
        let raw: Signature = std::array::from_fn(|at| at as u8);
        let text =
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==\n";
        assert_eq!(signature(&raw), Some(raw));
        assert_eq!(signature(text.as_bytes()), Some(raw));
        assert_eq!(signature(&raw[..63]), None);
        assert_eq!(signature(b""), None);
    }

    #[test]
    fn a_refused_file_is_not_repeated() {
        for (file, why) in [
            (&b"secret"[..], "kind"),
            (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----", "kind"),
            (b"-----BEGIN PRIVATE KEY-----\nAAAA", "no end"),
            (b"-----BEGIN PRIVATE KEY-----\nA!AA\n-----END PRIVATE KEY-----", "Base64"),
            (b"\xff\xfe", "neither"),
        ] {
            assert!(der(file, "PRIVATE KEY").unwrap_err().contains(why));
        }
    }
}
