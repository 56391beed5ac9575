//! What a clean result does not say.
//!
//! What lives here: the sentences about what was not checked. What this file must not know: how anything is checked.

use super::chain::Chain;
use super::finding::{Code, Findings};
use super::{Counted, Depth, Verification};

/// What a clean result would not say.
pub(super) fn not_checked(
    request: &Verification,
    chain: &Chain,
    counted: &Counted,
    findings: &Findings,
    signed: bool,
) -> Vec<String> {
    let mut list = Vec::new();
    let mut say = |text: String| list.push(text);
    let newest = chain.head.as_ref().map(|head| head.number);
    match (&request.head, newest) {
        (None, _) => {
            say("no anchor: a log that was shortened, or written anew as a whole, would not be noticed \
                          (--expect-head)"
                .to_owned())
        }
        (Some(head), Some(newest)) if head.number < newest && !findings.has(Code::HeadDiffers) => {
            say(format!(
                "commits after the anchor ({} to {newest}): the last of them may be missing",
                head.number + 1
            ));
        }
        _ => {}
    }
    if request.public_key.is_none() {
        let known = if signed { ": whoever signed may have used a key of their own" } else { "" };
        say(format!("signatures: no public key was given{known} (--public-key)"));
    }
    match (request.depth, request.part) {
        (Depth::Quick, _) => say("the content of files: lengths alone were compared (quick)".to_owned()),
        (Depth::Digests, Some((part, parts))) => {
            say(format!("the content of files outside of part {part} of {parts}"));
            say("rows: files were not decoded".to_owned());
        }
        (Depth::Digests, None) => say("rows: files were not decoded (--deep)".to_owned()),
        (Depth::Deep, _) => {}
    }
    if request.cover.is_none() {
        say("no range was asked for: windows before the first and after the last are not missed (--covers)"
            .to_owned());
    }
    for (count, what) in [
        (
            counted.lawless,
            "files of another version of the table: typed columns were not held against the events",
        ),
        (
            counted.unread,
            "files with columns that the table does not know: contents of events were not compared",
        ),
        (counted.locked, "encrypted files: they were not decoded without their key (--parquet-key-file)"),
        (counted.undecoded, "files whose slot cannot be told: they were not decoded"),
        (
            counted.undigested,
            "files in quarantine that no commit names: they were checked for their form alone",
        ),
    ] {
        if count > 0 {
            say(format!("{count} {what}"));
        }
    }
    list
}
