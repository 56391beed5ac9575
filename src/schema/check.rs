//! What a frozen column list must satisfy, and its fingerprint.
//!
//! What lives here: checks that need the list alone. What this file must not know: rules of derived columns,
//! values.

use std::collections::HashSet;
use std::fmt::Write as _;

use ring::digest;

use super::column::{Column, DataType, Json, Kind};
use super::document::{Lock, LockColumn};
use super::naming::{OWN, column_name_for};
use crate::error::{Error, Result};
use crate::model::json::push_string;

/// Most columns of a table; warehouses advise far fewer.
const MAX_COLUMNS: usize = 1024;
const MAX_NAME: usize = 63;

/// Whose frozen list it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The program's.
    Builtin,
    /// A schema directory's: its versions have a revision, and its columns may be named `x_…`.
    Layer,
}

/// The columns of a lock file, checked one by one and together; the fingerprint must be the list's.
pub(super) fn columns(lock: &Lock, origin: Origin) -> Result<Vec<Column>> {
    match version(&lock.version) {
        Some([_, _, _, revision]) if (revision > 0) == (origin == Origin::Layer) => {}
        _ => {
            let form = if origin == Origin::Layer { "1.0.0+1" } else { "1.0.0" };
            return Err(wrong("the version has another form").at("version", &lock.version).at("like", form));
        }
    }
    if lock.columns.len() > MAX_COLUMNS {
        return Err(wrong("too many columns").at("columns", lock.columns.len()));
    }
    let mut columns: Vec<Column> = Vec::with_capacity(lock.columns.len());
    let (mut names, mut ids, mut pointers) = (HashSet::new(), HashSet::new(), HashSet::new());
    for entry in &lock.columns {
        let column = column(entry).map_err(|error| error.at("column", &entry.name))?;
        let at = |sentence: &str| wrong(sentence).at("column", &entry.name);
        if !names.insert(&entry.name) {
            return Err(at("the name occurs twice"));
        }
        if !ids.insert(entry.field_id) {
            return Err(at("the field id occurs twice").at("field_id", entry.field_id));
        }
        if let Some(pointer) = &entry.pointer {
            if !pointers.insert(pointer.as_str()) {
                return Err(at("the pointer occurs twice").at("pointer", pointer));
            }
            let free = origin == Origin::Layer && entry.name.starts_with(OWN);
            if pointer.starts_with("/context/") && !free {
                let taken = |name: &str| columns.iter().any(|known| known.name == name);
                let legal = column_name_for(pointer, column.json, taken);
                if legal.as_deref() != Some(entry.name.as_str()) {
                    let legal = legal.unwrap_or_else(|| "none".to_owned());
                    return Err(at("the name is not the one of the pointer").at("expected", legal));
                }
            }
        }
        if columns.last().is_some_and(|before| version(&before.since) > version(&column.since)) {
            return Err(at("a column is older than the one before it")
                .hint("new columns are only ever appended at the end"));
        }
        if version(&column.since) > version(&lock.version) {
            return Err(at("the column is newer than the table"));
        }
        columns.push(column);
    }
    let fingerprint = fingerprint(&columns);
    if fingerprint != lock.fingerprint {
        return Err(wrong("the fingerprint is not the one of the column list")
            .at("document", "table.lock.json")
            .at("expected", fingerprint)
            .hint("a released column never changes; after appending one, write the expected fingerprint"));
    }
    Ok(columns)
}

fn wrong(sentence: &str) -> Error {
    Error::usage(sentence).at("document", "table.lock.json")
}

fn column(entry: &LockColumn) -> Result<Column> {
    let data_type = DataType::parse(&entry.arrow)
        .ok_or_else(|| wrong("the Arrow type is not known").at("arrow", &entry.arrow))?;
    let kind =
        Kind::parse(&entry.kind).ok_or_else(|| wrong("the kind is not known").at("kind", &entry.kind))?;
    let json = match &entry.json {
        None => None,
        Some(name) => {
            Some(Json::parse(name).ok_or_else(|| wrong("the JSON type is not known").at("json", name))?)
        }
    };
    if !is_name(&entry.name) {
        return Err(wrong("the name is not a lower-case identifier of at most 63 bytes"));
    }
    if entry.field_id < 1 {
        return Err(wrong("the field id is not positive"));
    }
    version(&entry.since).ok_or_else(|| wrong("`since` is not a version"))?;
    let fits = match kind {
        Kind::Source => {
            let json = json.is_some_and(|json| match data_type {
                DataType::Utf8 => true,
                DataType::Timestamp => json == Json::String,
                DataType::Int64 => json == Json::Integer,
                DataType::Boolean => json == Json::Boolean,
            });
            entry.pointer.is_some() && json
        }
        Kind::Copy => data_type == DataType::Utf8 && json == Some(Json::Any),
        Kind::Derived => data_type == DataType::Utf8 && json.is_none() && entry.pointer.is_none(),
    };
    if !fits {
        return Err(wrong("kind, types and pointer do not go together"));
    }
    Ok(Column {
        field_id: entry.field_id,
        name: entry.name.clone(),
        data_type,
        kind,
        pointer: entry.pointer.clone(),
        json,
        since: entry.since.clone(),
        description: entry.description.clone(),
    })
}

pub(super) fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// `1.2.3`, or `1.2.3+4` for revision 4 of a schema directory.
pub(super) fn version(text: &str) -> Option<[u32; 4]> {
    let (release, revision) = text.split_once('+').unwrap_or((text, "0"));
    let mut parts = release.split('.').chain([revision]).map(|part| part.parse::<u32>().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}

/// Lower-case hex SHA-256 of the canonical JSON (RFC 8785) of the list without descriptions.
pub(super) fn fingerprint(columns: &[Column]) -> String {
    prefixes(columns).pop().unwrap_or_default()
}

/// The fingerprints of the list's beginnings: of its first column, its first two, and so on to the whole list.
pub(super) fn prefixes(columns: &[Column]) -> Vec<String> {
    let mut digest = digest::Context::new(&digest::SHA256);
    digest.update(b"[");
    let mut fingerprints = Vec::with_capacity(columns.len());
    for (position, column) in columns.iter().enumerate() {
        if position > 0 {
            digest.update(b",");
        }
        // Members in the order of their names, as the canonical form wants.
        let mut text = String::new();
        member(&mut text, '{', "arrow", Some(column.data_type.name()));
        text.push_str(",\"field_id\":");
        text.push_str(&column.field_id.to_string());
        member(&mut text, ',', "json", column.json.map(Json::name));
        member(&mut text, ',', "kind", Some(column.kind.name()));
        member(&mut text, ',', "name", Some(&column.name));
        member(&mut text, ',', "pointer", column.pointer.as_deref());
        member(&mut text, ',', "since", Some(&column.since));
        text.push('}');
        digest.update(text.as_bytes());
        let mut whole = digest.clone();
        whole.update(b"]");
        fingerprints.push(hex(whole.finish().as_ref()));
    }
    fingerprints
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn member(out: &mut String, before: char, name: &str, value: Option<&str>) {
    out.push(before);
    push_string(out, name);
    out.push(':');
    match value {
        Some(value) => push_string(out, value),
        None => out.push_str("null"),
    }
}
