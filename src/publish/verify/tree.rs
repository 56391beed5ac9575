//! What lies at the destination: every name, and what kind of thing it is.
//!
//! What lives here: [`Tree`]. Nothing is opened but folders, and nothing is followed. What this file must not know: the
//! log, what the names mean.

use std::collections::BTreeSet;

use super::finding::{Code, Findings};
use crate::error::Result;
use crate::model::Format;
use crate::publish::register;
use crate::store::{EntryKind, ObjectPath, Store};

/// Names that are looked at; more are one finding.
const MAX_NAMES: usize = 4_000_000;

/// The control files' folder.
pub(super) const CONTROL: &str = "_audit";

/// The names below the folders that are the dataset's own.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) files: BTreeSet<String>,
    /// Paths that are neither file nor folder, or a file where a folder belongs.
    pub(super) barred: BTreeSet<String>,
    /// Whether the control folder is there at all.
    pub(super) control: bool,
}

impl Tree {
    /// Lists the formats' folders and the control folder. The destination's other names are its owner's.
    pub(super) async fn read(store: &dyn Store, findings: &mut Findings) -> Result<Self> {
        let mut tree = Self::default();
        for entry in register::children(store, None).await? {
            if entry.name != CONTROL && Format::parse(&entry.name).is_none() {
                continue;
            }
            tree.control |= entry.name == CONTROL;
            match entry.kind {
                EntryKind::Folder => tree.folder(store, &entry.name, findings).await?,
                EntryKind::File => {
                    findings.add(Code::Foreign, &entry.name, "a file where a folder belongs");
                    tree.barred.insert(entry.name);
                }
                EntryKind::Other => tree.bar(entry.name, findings),
            }
        }
        Ok(tree)
    }

    /// One listing where the store can give it; where it cannot (a link, a name that is none), folder by folder.
    async fn folder(&mut self, store: &dyn Store, name: &str, findings: &mut Findings) -> Result<()> {
        let folder = ObjectPath::new(name)?;
        if let Ok(paths) = store.list(&folder).await {
            self.files.extend(paths.into_iter().map(|path| path.as_str().to_owned()));
            return Ok(());
        }
        let mut waiting = vec![folder];
        while let Some(folder) = waiting.pop() {
            let entries = match register::children(store, Some(&folder)).await {
                Ok(entries) => entries,
                Err(cause) => {
                    findings.add(Code::Unreadable, folder.as_str(), cause.to_string());
                    continue;
                }
            };
            for entry in entries {
                let Ok(path) = folder.join(&entry.name) else {
                    let name = format!("{folder}/{}", entry.name.escape_debug());
                    findings.add(Code::Foreign, name, "no file of a dataset has such a name");
                    continue;
                };
                match entry.kind {
                    EntryKind::File => drop(self.files.insert(path.as_str().to_owned())),
                    EntryKind::Folder => waiting.push(path),
                    EntryKind::Other => self.bar(path.as_str().to_owned(), findings),
                }
            }
            if self.files.len() + waiting.len() > MAX_NAMES {
                findings.add(Code::Limit, name, format!("more than {MAX_NAMES} names"));
                return Ok(());
            }
        }
        Ok(())
    }

    fn bar(&mut self, path: String, findings: &mut Findings) {
        findings.add(Code::NotAFile, &path, "neither a regular file nor a folder");
        self.barred.insert(path);
    }

    /// Whether a path is such a thing, or leads through one: it must not be opened.
    pub(super) fn bars(&self, path: &str) -> bool {
        !self.barred.is_empty()
            && path
                .char_indices()
                .filter(|(_, letter)| *letter == '/')
                .filter_map(|(at, _)| path.get(..at))
                .chain([path])
                .any(|above| self.barred.contains(above))
    }

    /// The files of a folder, by their names below it.
    pub(super) fn below<'a>(&'a self, folder: &str) -> impl Iterator<Item = &'a str> {
        let prefix = format!("{folder}/");
        self.files.range(prefix.clone()..).map_while(move |path| path.strip_prefix(prefix.as_str()))
    }
}
