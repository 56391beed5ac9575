//! A file that stands in a slot, held against the rows of its window.
//!
//! What lives here: [`Fresh`], the window's rows as identities, and [`examine`]. Pure computation. What this file must
//! not know: the store, the log, what follows from the answer.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::sync::Arc;

use super::content::Content;
use super::groups::{Group, of_rows};
use super::making::{PreparedFile, described};
use super::rows;
use crate::error::{Error, Kind, Result};
use crate::model::{Format, Window};
use crate::spool::Blob;

/// Ids named in an error.
const NAMED: usize = 5;

/// The window's rows by id, as a file of one format gives them back.
#[derive(Debug)]
pub(super) struct Fresh {
    /// The columns by which rows are compared.
    names: Vec<String>,
    /// Position of the row's group among the content's, and digest of its content.
    rows: HashMap<String, (usize, [u8; 32])>,
}

impl Fresh {
    fn of(content: &Content, format: Format, names: Vec<String>) -> Result<Self> {
        let mut all = HashMap::new();
        for position in 0..content.groups.len() {
            for batch in content.batches(position) {
                let own = rows::rows(&content.making.as_read(format, &[batch?])?, &names)?;
                all.extend(own.into_iter().map(|row| (row.id, (position, row.content))));
            }
        }
        Ok(Self { names, rows: all })
    }

    /// The position of the group that the row of this id belongs to.
    pub(super) fn home(&self, id: &str) -> Option<usize> {
        self.rows.get(id).map(|(group, _)| *group)
    }
}

/// A slot's file compared with the window's rows.
#[derive(Debug)]
pub(super) struct Examined {
    pub(super) file: PreparedFile,
    pub(super) other_columns: bool,
    /// Ids of rows that are the window's, with the same content.
    pub(super) held: Vec<String>,
    /// With another content.
    pub(super) differing: Vec<String>,
    /// Ids that the window's rows have not.
    pub(super) unconfirmed: Vec<String>,
}

impl Examined {
    /// Why a file of this path that no commit names cannot be taken.
    pub(super) fn refused(&self, path: impl Display) -> Error {
        let name = |ids: &[String]| ids.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(" ");
        let mut error = Error::new(
            Kind::Contradiction,
            "a file that is not committed holds what the API does not confirm",
        )
        .at("path", path);
        if !self.unconfirmed.is_empty() {
            error = error.at("unconfirmed", self.unconfirmed.len()).at("ids", name(&self.unconfirmed));
        }
        if !self.differing.is_empty() {
            error = error.at("different", self.differing.len()).at("ids", name(&self.differing));
        }
        error.hint(
            "an interrupted or concurrent run wrote it; if no other run is active, look at these events",
        )
    }
}

/// Reads a file of this group and compares it. `known` is what an earlier call gave back for the same content and
/// format; it is made anew where the file has other columns.
///
/// # Errors
/// [`Kind::Verification`] when the file has not the rows of its group.
pub(super) fn examine(
    format: Format,
    file: &Blob,
    (window, group): (Option<Window>, &Group),
    content: &Content,
    known: Option<Arc<Fresh>>,
) -> Result<(Examined, Arc<Fresh>)> {
    let (schema, batches) = content.making.read(format, file.bytes()?)?;
    let names = rows::comparable(&schema, &content.making.schema);
    let fresh = match known.filter(|known| known.names == names) {
        Some(known) => known,
        None => Arc::new(Fresh::of(content, format, names)?),
    };
    let damaged = |cause| {
        Error::new(Kind::Verification, "a file in a slot has not the rows of a dataset").because(cause)
    };
    let standing = rows::rows(&batches, &fresh.names).map_err(damaged)?;

    let mut seen = HashSet::new();
    let (mut held, mut differing, mut unconfirmed) = (Vec::new(), Vec::new(), Vec::new());
    for row in standing {
        let in_time = match (group.span, row.created_at) {
            (Some(span), Some(at)) => span.contains(at),
            (None, None) => true,
            _ => false,
        };
        if !in_time || !seen.insert(row.id.clone()) {
            return Err(Error::new(Kind::Verification, "a file holds a row twice or of another window")
                .at("id", row.id));
        }
        match fresh.rows.get(&row.id) {
            Some((_, content)) if *content == row.content => held.push(row.id),
            Some(_) => differing.push(row.id),
            None => unconfirmed.push(row.id),
        }
    }
    if !differing.is_empty() {
        let ids: HashSet<&str> = differing.iter().map(String::as_str).collect();
        let own = content.all().map(|batch| rows::chosen(&batch?, |id| ids.contains(id)));
        let own = own.collect::<Result<Vec<_>>>()?;
        let same = rows::same_as_json(&ids, &batches, &content.making.as_read(format, &own)?, &fresh.names)?;
        let (alike, other) = differing.into_iter().partition(|id| same.contains(id));
        held.extend::<Vec<String>>(alike);
        differing = other;
    }
    let layout = &content.making.settings.layout;
    let mixed = if layout.is_whole() { &[] } else { batches.as_slice() };
    for batch in mixed {
        let (groups, _) = of_rows(batch, window, layout).map_err(damaged)?;
        if groups.iter().any(|own| own != group) {
            return Err(Error::new(Kind::Verification, "a file holds rows of another partition"));
        }
    }
    let file = described(file.clone(), &batches)?;
    let other_columns = !rows::same_columns(&schema, &content.making.schema);
    Ok((Examined { file, other_columns, held, differing, unconfirmed }, fresh))
}
