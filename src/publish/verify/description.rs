//! The description of CSV files held against what this version of the program writes.
//!
//! What lives here: one check. No commit names the description, since an older version may have worded it in another way:
//! hence a warning. What this file must not know: what the description says.

use super::chain::Chain;
use super::finding::{Code, Findings};
use super::law::Law;
use super::tree::Tree;
use crate::error::Result;
use crate::model::Format;
use crate::publish::{register, sidecar};
use crate::store::Store;

/// Checks the description of the table that contents are checked by, if a file of it is CSV.
pub(super) async fn check(
    store: &dyn Store,
    tree: &Tree,
    chain: &Chain,
    law: &Law,
    findings: &mut Findings,
) -> Result<()> {
    let own = |schema: &str| schema == law.table.fingerprint;
    let described =
        chain.files.values().any(|named| named.file.format == Format::Csv && own(&named.schema.fingerprint));
    let Some(spec) = chain.spec.as_ref().filter(|_| described) else { return Ok(()) };
    let path = sidecar::path(&law.table.fingerprint)?;
    if tree.bars(path.as_str()) {
        return Ok(());
    }
    match register::read(store, &path, sidecar::MAX_FILE).await {
        Ok(Some(bytes)) if bytes == sidecar::text(&law.schema, &spec.layout) => {}
        Ok(Some(_)) => findings.add(Code::Description, path.as_str(), "another text"),
        Ok(None) => findings.add(Code::Description, path.as_str(), "it is missing"),
        Err(cause) => findings.add(Code::Unreadable, path.as_str(), cause.to_string()),
    }
    Ok(())
}
