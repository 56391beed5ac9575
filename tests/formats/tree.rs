//! A dataset's files, as a reader of folders sees them.

use std::path::Path;

use serde_json::Value;

pub(crate) use crate::folder::tree;

/// Every window's record of the log, in the order of the commits.
pub(crate) fn records(dest: &Path) -> Vec<Value> {
    let commits = tree(&dest.join("_audit/commits"));
    let windows = commits.values().flat_map(|bytes| {
        let commit: Value = serde_json::from_slice(bytes).unwrap();
        commit["windows"].as_array().unwrap().clone()
    });
    windows.collect()
}

/// The lines of all files of a format and its records: NDJSON and quarantine have one event a line.
pub(crate) fn lines(folder: &Path) -> Vec<String> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    tree(folder)
        .into_values()
        .flat_map(|bytes| text(bytes).lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}
