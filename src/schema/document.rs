//! The documents under `schemas/` as they are written.
//!
//! What lives here: the serde shapes of `table.lock.json`, `registry.json` and `derived.json`; an unknown key is an
//! error. What this file must not know: what the documents mean.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lock {
    pub(super) version: String,
    pub(super) fingerprint: String,
    pub(super) columns: Vec<LockColumn>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LockColumn {
    pub(super) field_id: i32,
    pub(super) name: String,
    pub(super) arrow: String,
    pub(super) kind: String,
    pub(super) pointer: Option<String>,
    pub(super) json: Option<String>,
    pub(super) since: String,
    pub(super) description: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegistryDocument {
    pub(super) version: String,
    pub(super) types: Vec<RegistryType>,
    pub(super) unknown: Unknown,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegistryType {
    #[serde(rename = "type")]
    pub(super) name: String,
    pub(super) category: String,
    pub(super) action: String,
    pub(super) target_type: String,
    pub(super) description: String,
}

/// `registry.json` of a schema directory: what it adds.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LayerRegistry {
    /// Event types that the built-in registry lacks.
    #[serde(default)]
    pub(super) types: Vec<RegistryType>,
    /// For the views: columns of the directory by the event types in which they were seen.
    #[serde(default)]
    pub(super) columns: BTreeMap<String, Vec<String>>,
    /// Pointers that stay without a column on purpose.
    #[serde(default)]
    pub(super) untyped: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unknown {
    pub(super) category: String,
    pub(super) action: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DerivedDocument {
    pub(super) version: String,
    pub(super) columns: Vec<DerivedColumn>,
}

/// Exactly one of `registry`, `first_of` and `cases`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DerivedColumn {
    pub(super) column: String,
    pub(super) registry: Option<Field>,
    pub(super) first_of: Option<Vec<TermDocument>>,
    pub(super) cases: Option<Vec<CaseDocument>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Field {
    Category,
    Action,
    TargetType,
}

/// The first case counts whose category and target type, where given, are the event type's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseDocument {
    pub(super) category: Option<String>,
    pub(super) target_type: Option<String>,
    pub(super) first_of: Vec<TermDocument>,
}

/// Exactly one of `pointer`, `column` and `only`; `when` goes with `pointer`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TermDocument {
    pub(super) pointer: Option<String>,
    pub(super) when: Option<ConditionDocument>,
    pub(super) column: Option<String>,
    pub(super) only: Option<PatternName>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConditionDocument {
    pub(super) pointer: String,
    pub(super) equals: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PatternName {
    Ip,
    Uuid,
}

/// Reads one document; the error names it.
pub(super) fn read<'a, T: Deserialize<'a>>(name: &'static str, text: &'a str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| Error::usage("cannot read a schema document").at("document", name).because(error))
}
