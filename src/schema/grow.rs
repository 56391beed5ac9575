//! A schema directory's documents, longer by a proposal.
//!
//! What lives here: [`grow`]. Columns go to the end and get a version of their own; nothing that was there changes.
//! What this file must not know: where the texts are kept.

use std::fmt::Write as _;

use super::check;
use super::column::{Column, Json};
use super::document::{self, LayerRegistry, RegistryType};
use super::infer::Proposal;
use super::layer::{Additions, Layer};
use super::table::{Documents, Table};
use crate::error::{Error, Result};
use crate::model::json::push_string;

/// The texts of a schema directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerTexts {
    /// `table.lock.json`
    pub lock: String,
    /// `registry.json`
    pub registry: String,
}

/// A directory with what a proposal adds, and with the built-in columns that it lacks; `None` if there is nothing to
/// add. Without a directory, the beginnings of one.
///
/// # Errors
/// Usage: the directory's documents are wrong. Bug: the proposal does not fit the table.
pub fn grow(
    base: Documents<'_>,
    layer: Option<Layer<'_>>,
    proposal: &Proposal,
) -> Result<Option<LayerTexts>> {
    let builtin = Table::from_documents(base)?;
    let (mut columns, revision, missing) = match layer {
        None => (builtin.columns().to_vec(), 0, Vec::new()),
        Some(layer) => {
            let additions = Additions::read(builtin.columns(), builtin.version(), layer)?;
            (additions.columns, additions.revision, additions.missing)
        }
    };
    let mut registry: LayerRegistry = match layer.and_then(|layer| layer.registry) {
        None => LayerRegistry::default(),
        Some(text) => document::read("registry.json", text)?,
    };
    if layer.is_some() && proposal.is_empty() && missing.is_empty() {
        return Ok(None);
    }
    // Also when only types are added: two revisions never say different things.
    let version = format!("{}+{}", builtin.version(), revision.saturating_add(1));
    columns.extend(missing);
    for proposed in &proposal.columns {
        columns.push(Column { since: version.clone(), ..proposed.column.clone() });
        for event_type in &proposed.event_types {
            registry.columns.entry(event_type.clone()).or_default().push(proposed.column.name.clone());
        }
    }
    for (name, _) in proposal.types.iter().filter(|(name, _)| !name.is_empty()) {
        registry.types.push(RegistryType {
            name: name.clone(),
            category: builtin.registry().unknown_category().to_owned(),
            action: builtin.registry().unknown_action().to_owned(),
            target_type: "unknown".to_owned(),
            description: "Seen in live data".to_owned(),
        });
    }
    let registry = serde_json::to_string_pretty(&registry)
        .map_err(|cause| Error::bug("a registry cannot be written as JSON").because(cause))?;
    let texts = LayerTexts { lock: lock_text(&version, &columns), registry: registry + "\n" };
    // What is written must be what can be read.
    Table::from_layered(base, Layer { lock: &texts.lock, registry: Some(&texts.registry) })
        .map_err(|cause| Error::bug("the proposed additions do not make a table").because(cause))?;
    Ok(Some(texts))
}

/// One line a column, as the built-in list is written.
pub(super) fn lock_text(version: &str, columns: &[Column]) -> String {
    let mut text = String::from("{\n  \"version\": ");
    push_string(&mut text, version);
    text.push_str(",\n  \"fingerprint\": ");
    push_string(&mut text, &check::fingerprint(columns));
    text.push_str(",\n  \"columns\": [\n");
    for (position, column) in columns.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(text, "    {{\"field_id\": {}", column.field_id);
        for (name, value) in [
            ("name", Some(column.name.as_str())),
            ("arrow", Some(column.data_type.name())),
            ("kind", Some(column.kind.name())),
            ("pointer", column.pointer.as_deref()),
            ("json", column.json.map(Json::name)),
            ("since", Some(column.since.as_str())),
            ("description", Some(column.description.as_str())),
        ] {
            let _ = write!(text, ", \"{name}\": ");
            match value {
                Some(value) => push_string(&mut text, value),
                None => text.push_str("null"),
            }
        }
        text.push_str(if position + 1 < columns.len() { "},\n" } else { "}\n" });
    }
    text.push_str("  ]\n}\n");
    text
}
