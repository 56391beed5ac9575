//! What a frozen column list must satisfy, and its fingerprint.
//!
//! What lives here: checks that need the list alone. What this file must not know: rules of derived columns,
//! values.

use std::collections::HashSet;
use std::fmt::Write as _;

use ring::digest;

use super::column::{Column, DataType, Json, Kind};
use super::document::{Lock, LockColumn};
use super::naming::column_name;
use crate::error::{Error, Result};
use crate::model::json::push_string;

/// Most columns of a table; warehouses advise far fewer.
const MAX_COLUMNS: usize = 1024;
const MAX_NAME: usize = 63;

/// The columns of a lock file, checked one by one and together; the fingerprint must be the list's.
pub(super) fn columns(lock: &Lock) -> Result<Vec<Column>> {
    version(&lock.version)
        .ok_or_else(|| wrong("the version is not three numbers").at("version", &lock.version))?;
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
            if pointer.starts_with("/context/") {
                let legal = column_name(pointer, |name| columns.iter().any(|known| known.name == name));
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
    version(&entry.since).ok_or_else(|| wrong("`since` is not three numbers"))?;
    let fits = match kind {
        Kind::Source => {
            let integer = json == Some(Json::Integer) && data_type == DataType::Utf8;
            entry.pointer.is_some() && (json == Some(Json::String) || integer)
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

fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn version(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.split('.').map(|part| part.parse::<u32>().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}

/// Lower-case hex SHA-256 of the canonical JSON (RFC 8785) of the list without descriptions.
pub(super) fn fingerprint(columns: &[Column]) -> String {
    let mut text = String::from("[");
    for (position, column) in columns.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        // Members in the order of their names, as the canonical form wants.
        member(&mut text, '{', "arrow", Some(column.data_type.name()));
        text.push_str(",\"field_id\":");
        text.push_str(&column.field_id.to_string());
        member(&mut text, ',', "json", column.json.map(Json::name));
        member(&mut text, ',', "kind", Some(column.kind.name()));
        member(&mut text, ',', "name", Some(&column.name));
        member(&mut text, ',', "pointer", column.pointer.as_deref());
        member(&mut text, ',', "since", Some(&column.since));
        text.push('}');
    }
    text.push(']');
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
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
