//! The texts that are signed.
//!
//! Both are lines of ASCII, so that `printf` makes them too. The first line keeps a signature over one kind of text from
//! being one over another. What this file must not know: keys.

/// What is signed for a commit: the dataset (SHA-256 of `dataset.json`), the commit's number and the SHA-256 of its
/// bytes, both digests in lower-case hex.
///
/// ```
/// # use vonage_audit::publish::signatures::commit_text;
/// assert_eq!(commit_text("aa", 7, "bb"), "vonage-audit-commit-v1\naa\n7\nbb\n");
/// ```
pub fn commit_text(dataset: &str, number: u64, sha256: &str) -> String {
    format!("vonage-audit-commit-v1\n{dataset}\n{number}\n{sha256}\n")
}

/// What the key in force signs to hand over to the next one: the dataset, the SHA-256 of the commit before the one that
/// records the new key, and the new public key in lower-case hex. It holds at that place of that log alone.
pub fn rotation_text(dataset: &str, previous: &str, public_key: &str) -> String {
    format!("vonage-audit-key-v1\n{dataset}\n{previous}\n{public_key}\n")
}
