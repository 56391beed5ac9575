//! A dataset's files, as a reader of folders sees them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// Every file below a folder: path and bytes; nothing if there is no folder.
pub(crate) fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs::read_dir(&next) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

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
