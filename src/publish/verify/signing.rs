//! The log's signatures as findings.
//!
//! What lives here: [`check`]. What this file must not know: how signatures are made, what commits say.

use super::chain::{Chain, control};
use super::finding::{Code, Findings};
use super::tree::Tree;
use crate::error::Result;
use crate::publish::log;
use crate::publish::signatures::{Finding, PublicKey, check as check_all};
use crate::store::Store;

/// What the signatures say.
pub(super) struct Signed {
    /// Commits whose signature is good.
    pub(super) good: u64,
    /// Whether the log names keys at all.
    pub(super) keys: bool,
}

/// Holds every signature against its commit; `expected` is the key that the auditor trusts.
pub(super) async fn check(
    store: &dyn Store,
    tree: &Tree,
    chain: &Chain,
    expected: Option<PublicKey>,
    findings: &mut Findings,
) -> Result<Signed> {
    let mut signatures = Vec::new();
    for name in tree.below(log::FOLDER) {
        let Some(number) = name.strip_suffix(".sig").and_then(log::number) else { continue };
        let path = format!("{}/{name}", log::FOLDER);
        if let Some(bytes) = control(store, tree, &path, findings).await? {
            signatures.push((number, bytes));
        }
    }
    let checked = check_all(&chain.descriptor, &chain.texts, &signatures, expected);
    let newest = chain.head.as_ref().map(|head| head.number);
    for finding in checked.findings {
        let code = match finding {
            Finding::NotSigned => Code::NotSigned,
            Finding::NotExpected => Code::KeyNotExpected,
            Finding::NotEndorsed(_) => Code::KeyNotEndorsed,
            // A commit is made before its signature.
            Finding::Missing(number) if Some(number) == newest => Code::NotYetSigned,
            Finding::Missing(_) => Code::SignatureMissing,
            Finding::Bad(_) => Code::SignatureBad,
            Finding::WrongKey(_) => Code::SignatureKey,
            Finding::Stray(_) => Code::SignatureStray,
        };
        let place =
            finding.commit().map_or_else(|| "the log".to_owned(), |number| format!("commit {number}"));
        findings.add(code, place, finding.to_string());
    }
    let good = u64::try_from(checked.good.len()).unwrap_or(u64::MAX);
    Ok(Signed { good, keys: checked.keys.current().is_some() })
}
