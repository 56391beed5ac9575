//! The files of kept replies held against the log.
//!
//! What lives here: [`check`]. What this file must not know: what the replies say.

use super::chain::Chain;
use super::finding::{Code, Findings};
use super::tree::Tree;
use crate::error::Result;
use crate::publish::digest::sha256;
use crate::publish::raw::{FOLDER, MAX_FILE};
use crate::publish::{register, slots::compute};
use crate::store::{ObjectPath, Store};

/// Checks every file that the log names: its digest with `contents`, else its length. Gives how many there are.
pub(super) async fn check(
    store: &dyn Store,
    tree: &Tree,
    chain: &Chain,
    contents: bool,
    findings: &mut Findings,
) -> Result<u64> {
    let folder = format!("{FOLDER}/");
    for (path, raw) in &chain.raw {
        if tree.bars(path) {
            continue;
        }
        let object = match ObjectPath::new(path.as_str()) {
            Ok(object) if path.starts_with(&folder) => object,
            _ => {
                findings.add(Code::Misplaced, path, "no place of kept replies");
                continue;
            }
        };
        match store.size(&object).await {
            Ok(Some(length)) if length == raw.bytes => {}
            Ok(Some(length)) => {
                findings.add(Code::Raw, path, format!("{length} bytes instead of {}", raw.bytes));
                continue;
            }
            Ok(None) => {
                findings.add(Code::Raw, path, "it is missing");
                continue;
            }
            Err(cause) => {
                findings.add(Code::Unreadable, path, cause.to_string());
                continue;
            }
        }
        if !contents {
            continue;
        }
        match register::read(store, &object, MAX_FILE).await {
            Ok(Some(bytes)) => {
                let digest = compute(bytes.len(), move || Ok(sha256(&bytes))).await?;
                if digest != raw.sha256 {
                    findings.add(Code::Raw, path, format!("its SHA-256 is {digest}"));
                }
            }
            Ok(None) => findings.add(Code::Raw, path, "it disappeared while it was checked"),
            Err(cause) => findings.add(Code::Unreadable, path, cause.to_string()),
        }
    }
    for name in tree.below(FOLDER) {
        let path = format!("{FOLDER}/{name}");
        if !chain.raw.contains_key(&path) {
            findings.add(Code::Uncommitted, &path, "no commit names these replies");
        }
    }
    Ok(u64::try_from(chain.raw.len()).unwrap_or(u64::MAX))
}
