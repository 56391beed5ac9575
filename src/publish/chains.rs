//! The slots of a window in one format, group by group, and what they turned out to hold.
//!
//! What lives here: [`Walk`] and its [`Chain`]s. Which rows are still to be written follows from it. What this file must
//! not know: the store, the log.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::examine::Fresh;
use super::groups::Group;
use super::making::PreparedFile;
use super::prepare::Prepared;
use crate::model::{FileRecord, Format};

/// What one format's slots say.
pub(super) struct Walk<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) format: Format,
    /// The format's place among the prepared files of a group.
    pub(super) place: usize,
    /// Ascending by group.
    pub(super) chains: Vec<Chain>,
    /// The chain of each prepared group.
    homes: Vec<usize>,
    /// The window's rows as read from a file, once one had to be compared.
    pub(super) fresh: Option<Arc<Fresh>>,
    pub(super) files: Vec<FileRecord>,
    pub(super) adopted: usize,
    pub(super) conflicts: BTreeSet<String>,
    pub(super) vanished: BTreeSet<String>,
    /// Ids of the window's rows that slots hold, without those of complete chains.
    pub(super) held: HashSet<String>,
}

/// The slots of one group.
pub(super) struct Chain {
    pub(super) group: Group,
    /// The position of its rows among the prepared ones; `None` where only files have this group.
    pub(super) own: Option<usize>,
    /// Rows of the group.
    pub(super) rows: usize,
    /// How many of them some slot holds, in whichever group.
    pub(super) held: usize,
    /// Whether its own slots hold every row; then they are not among the held ids.
    pub(super) complete: bool,
    /// The first sequence number that was not read.
    pub(super) next: u32,
    /// The highest sequence number in the log when the walk began.
    pub(super) last_recorded: Option<u32>,
}

impl Chain {
    fn new(group: Group, last_recorded: Option<u32>) -> Self {
        Self { group, own: None, rows: 0, held: 0, complete: false, next: 0, last_recorded }
    }

    pub(super) fn is_full(&self) -> bool {
        self.complete || self.held >= self.rows
    }
}

impl<'a> Walk<'a> {
    /// Nothing is read yet. `standing` are the groups that the log or a file names.
    pub(super) fn new(
        prepared: &'a Prepared,
        (place, format): (usize, Format),
        standing: BTreeMap<Group, Option<u32>>,
    ) -> Self {
        let mut chains: BTreeMap<Group, Chain> = BTreeMap::new();
        for (group, last_recorded) in standing {
            chains.insert(group.clone(), Chain::new(group, last_recorded));
        }
        let own = prepared.content.groups.iter().zip(&prepared.groups).enumerate();
        for (position, ((group, _), ready)) in own {
            let chain = chains.entry(group.clone()).or_insert_with(|| Chain::new(group.clone(), None));
            chain.own = Some(position);
            chain.rows = usize::try_from(ready.rows).unwrap_or(usize::MAX);
        }
        let chains: Vec<Chain> = chains.into_values().collect();
        let mut homes = vec![usize::MAX; prepared.groups.len()];
        for (place, chain) in chains.iter().enumerate() {
            if let Some(home) = chain.own.and_then(|own| homes.get_mut(own)) {
                *home = place;
            }
        }
        Self {
            prepared,
            format,
            place,
            chains,
            homes,
            fresh: None,
            files: Vec::new(),
            adopted: 0,
            conflicts: BTreeSet::new(),
            vanished: BTreeSet::new(),
            held: HashSet::new(),
        }
    }

    /// The file of all rows of the chain: its group, and the file itself if it is encoded already.
    pub(super) fn first(&self, chain: usize) -> Option<(usize, Option<&PreparedFile>)> {
        let own = self.chains.get(chain)?.own?;
        Some((own, self.prepared.groups.get(own)?.files.get(self.place)?.as_ref()))
    }

    /// The chain that a row belongs to by what it says now.
    pub(super) fn home(&self, id: &str) -> Option<usize> {
        self.homes.get(self.fresh.as_ref()?.home(id)?).copied()
    }

    /// Whether a slot holds this id already.
    pub(super) fn has(&self, id: &str) -> bool {
        let complete = self.home(id).and_then(|home| self.chains.get(home)).is_some_and(|home| home.complete);
        complete || self.held.contains(id) || self.vanished.contains(id)
    }

    /// Takes down that a slot holds this row.
    pub(super) fn hold(&mut self, id: String) {
        if let Some(home) = self.home(&id).and_then(|home| self.chains.get_mut(home)) {
            home.held += 1;
        }
        self.held.insert(id);
    }
}
