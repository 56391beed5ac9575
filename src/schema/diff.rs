//! What changed from one table to another.
//!
//! What lives here: [`Change`]s and whether a dataset of the first table can be continued with the second. What this
//! file must not know: where the tables come from.

use super::column::{Column, Json};
use super::table::Table;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A column that only the second table has.
    ColumnAdded(Column),
    /// A column that only the first table has.
    ColumnRemoved(Column),
    /// A column that both have, but not alike: which property, before, after.
    ColumnChanged(String, &'static str, String, String),
    /// An event type that only the second table's registry has.
    TypeAdded(String),
    /// An event type that only the first table's registry has.
    TypeRemoved(String),
    /// An event type that means something else.
    TypeChanged(String),
}

/// Whether files of `to` may follow files of `from` in one dataset: its columns are those of `from` and, behind them,
/// others.
pub fn continues(from: &Table, to: &Table) -> bool {
    from.fingerprint() == to.fingerprint() || to.lineage().iter().any(|earlier| earlier == from.fingerprint())
}

/// What changed, columns first.
pub fn diff(from: &Table, to: &Table) -> Vec<Change> {
    let mut changes = Vec::new();
    for (position, before) in from.columns().iter().enumerate() {
        match to.column(&before.name) {
            None => changes.push(Change::ColumnRemoved(before.clone())),
            Some(after) => {
                let at = to.position(&before.name).unwrap_or_default();
                let changed = properties(before, position).into_iter().zip(properties(after, at));
                changes.extend(changed.filter(|((_, one), (_, other))| one != other).map(
                    |((property, one), (_, other))| {
                        Change::ColumnChanged(before.name.clone(), property, one, other)
                    },
                ));
            }
        }
    }
    let added = to.columns().iter().filter(|column| from.column(&column.name).is_none());
    changes.extend(added.cloned().map(Change::ColumnAdded));
    for before in from.registry().types() {
        match to.registry().find(&before.name) {
            None => changes.push(Change::TypeRemoved(before.name.clone())),
            Some(after) if after == before => {}
            Some(_) => changes.push(Change::TypeChanged(before.name.clone())),
        }
    }
    let added = to.registry().types().iter().filter(|known| from.registry().find(&known.name).is_none());
    changes.extend(added.map(|known| Change::TypeAdded(known.name.clone())));
    changes
}

fn properties(column: &Column, position: usize) -> [(&'static str, String); 8] {
    [
        ("position", (position + 1).to_string()),
        ("field_id", column.field_id.to_string()),
        ("arrow", column.data_type.name().to_owned()),
        ("kind", column.kind.name().to_owned()),
        ("pointer", column.pointer.clone().unwrap_or_default()),
        ("json", column.json.map(Json::name).unwrap_or_default().to_owned()),
        ("since", column.since.clone()),
        ("description", column.description.clone()),
    ]
}
