//! A schema directory: a user's additions to the built-in table.
//!
//! What lives here: [`Layer`], the texts of such a directory, what they may say, and how they grow. A directory has a
//! `table.lock.json` with the whole list, the built-in columns among its own, so that no column ever moves: neither
//! when the user adds one nor when a new version of the program does. It only ever adds.
//! What this file must not know: where the texts are kept, events.

use std::collections::{BTreeMap, BTreeSet};

use ring::digest::{SHA256, digest};

use super::check::{self, Origin};
use super::column::{Column, Kind};
use super::document::{self, LayerRegistry, Lock};
use super::naming::OWN;
use super::registry::EventType;
use crate::error::{Error, Result};

/// First permanent number of a user's column; built-in numbers stay below.
pub(super) const FIRST_FIELD_ID: i32 = 10_000;

/// The texts of a schema directory's documents.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// `table.lock.json`
    pub lock: &'a str,
    /// `registry.json`; it may be absent.
    pub registry: Option<&'a str>,
}

/// What a schema directory says.
#[derive(Debug)]
pub(super) struct Additions {
    /// The whole list: built-in columns with the user's.
    pub(super) columns: Vec<Column>,
    /// Built-in columns that the list lacks and no column of the user's stands for.
    pub(super) missing: Vec<Column>,
    /// The lock's revision.
    pub(super) revision: u32,
    pub(super) types: Vec<EventType>,
    pub(super) seen: BTreeMap<String, Vec<String>>,
    pub(super) untyped: Vec<String>,
    /// Digest of all that is said.
    digest: String,
}

impl Additions {
    /// Reads a directory over the built-in columns of this version.
    pub(super) fn read(base: &[Column], base_version: &str, layer: Layer<'_>) -> Result<Self> {
        let lock: Lock = document::read("table.lock.json", layer.lock)?;
        let registry: LayerRegistry =
            layer.registry.map(|text| document::read("registry.json", text)).transpose()?.unwrap_or_default();
        let mut columns = check::columns(&lock, Origin::Layer)?;
        let (ours, theirs) = (check::version(base_version), check::version(&lock.version));
        if theirs.map(|[major, minor, patch, _]| [major, minor, patch, 0]) > ours {
            return Err(wrong("a newer version of vonage-audit has written the schema directory")
                .at("version", &lock.version)
                .hint("use that version, or a newer one"));
        }
        let mut missing = Vec::new();
        let mut last = 0;
        for builtin in base {
            let Some(at) = columns.iter().position(|column| column.name == builtin.name) else {
                let stands_for = |own: &&Column| own.kind == Kind::Source && own.pointer == builtin.pointer;
                if builtin.kind != Kind::Source || columns.iter().find(stands_for).is_none() {
                    missing.push(builtin.clone());
                }
                continue;
            };
            if at < last {
                return Err(wrong("a built-in column has moved").at("column", &builtin.name));
            }
            last = at;
            if let Some(own) = columns.get_mut(at) {
                own.description.clone_from(&builtin.description);
                // What came before the program did is the user's, under the pinned name.
                if own != builtin && !(own.field_id >= FIRST_FIELD_ID && own.pointer == builtin.pointer) {
                    return Err(wrong("a built-in column is changed").at("column", &builtin.name));
                }
            }
        }
        for own in columns.iter().filter(|own| base.iter().all(|builtin| builtin.name != own.name)) {
            let at = |sentence: &str| wrong(sentence).at("column", &own.name);
            let in_context = own.pointer.as_ref().is_some_and(|pointer| pointer.starts_with("/context/"));
            if own.kind != Kind::Source {
                return Err(at("a column of a schema directory is a source column"));
            }
            if !own.name.starts_with(OWN) && !in_context {
                return Err(at("a column outside the context needs a name that begins with x_"));
            }
            if own.field_id < FIRST_FIELD_ID {
                return Err(at("the field id of a schema directory's column is too small")
                    .at("field_id", own.field_id)
                    .at("first", FIRST_FIELD_ID));
            }
        }
        let known: BTreeSet<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        if let Some(name) = registry.columns.values().flatten().find(|name| !known.contains(name.as_str())) {
            return Err(
                wrong_registry("a type names a column that the table does not have").at("column", name)
            );
        }
        Ok(Self {
            columns,
            missing,
            revision: theirs.map_or(0, |[_, _, _, revision]| revision),
            digest: digest_of(&lock.fingerprint, &registry)?,
            types: types(&registry)?,
            seen: registry.columns,
            untyped: registry.untyped,
        })
    }

    /// The version of the table with these additions, over the built-in one's.
    pub(super) fn version(&self, base: &str) -> String {
        let digest = self.digest.get(..8).unwrap_or_default();
        format!("{base}+{}.{digest}", self.revision)
    }
}

/// Two directories that say the same have the same digest, however they are laid out.
fn digest_of(fingerprint: &str, registry: &LayerRegistry) -> Result<String> {
    let text = serde_json::to_string(&(fingerprint, registry))
        .map_err(|cause| Error::bug("a registry cannot be written as JSON").because(cause))?;
    Ok(check::hex(digest(&SHA256, text.as_bytes()).as_ref()))
}

fn types(registry: &LayerRegistry) -> Result<Vec<EventType>> {
    let mut names = BTreeSet::new();
    let mut types = Vec::with_capacity(registry.types.len());
    for entry in &registry.types {
        if entry.name.is_empty() || entry.category.is_empty() || entry.action.is_empty() {
            return Err(wrong_registry("a field of an event type is empty").at("event_type", &entry.name));
        }
        if !names.insert(&entry.name) {
            return Err(wrong_registry("an event type occurs twice").at("event_type", &entry.name));
        }
        types.push(EventType {
            name: entry.name.clone(),
            category: entry.category.clone(),
            action: entry.action.clone(),
            target_type: entry.target_type.clone(),
            description: entry.description.clone(),
        });
    }
    Ok(types)
}

fn wrong(sentence: &str) -> Error {
    Error::usage(sentence).at("document", "table.lock.json")
}

fn wrong_registry(sentence: &str) -> Error {
    Error::usage(sentence).at("document", "registry.json")
}

#[cfg(test)]
mod tests;
