//! Which groups a window may have files of, beside those that its rows have.
//!
//! What lives here: the groups that the log names, and files that stand in slots without being in the log: what a run
//! left that died, or that is at work now. What this file must not know: rows, files' content.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dataset::Dataset;
use super::groups::Group;
use super::register;
use crate::error::Result;
use crate::model::{Format, Slot, Window};
use crate::store::ObjectPath;

impl Dataset {
    /// The groups of a window that the log or a file names, with the highest sequence number in the log.
    pub(super) async fn standing(
        &self,
        window: Option<Window>,
        format: Format,
    ) -> Result<BTreeMap<Group, Option<u32>>> {
        let mut groups: BTreeMap<Group, Option<u32>> = BTreeMap::new();
        for slot in self.recorded_slots(window, format) {
            let sequence = slot.sequence;
            let last = groups.entry(slot.into()).or_default();
            *last = Some(last.map_or(sequence, |last| last.max(sequence)));
        }
        // Where the window decides alone, its only chain is read anyway.
        if !self.spec().layout.is_whole() {
            for slot in self.unrecorded(window, format).await?.iter() {
                if self.window_of(slot) == window {
                    groups.entry(slot.clone().into()).or_default();
                }
            }
        }
        Ok(groups)
    }

    fn window_of(&self, slot: &Slot) -> Option<Window> {
        slot.span.map(|span| self.spec().grid.window(span.from))
    }

    /// Slots below the folders that this window's files share which the log does not name. Listed once a run: a file
    /// that comes later is another run's affair, and of the groups that our rows have every slot is read in any case.
    async fn unrecorded(&self, window: Option<Window>, format: Format) -> Result<Arc<Vec<Slot>>> {
        let spec = self.spec();
        let folders = spec.layout.partitioning.shared_folders(window.map(|window| window.from));
        let folder = format!("{}/{folders}", format.name());
        let folder = folder.trim_end_matches('/');
        if let Some(known) = self.listed(folder) {
            return Ok(known);
        }
        let mut slots = Vec::new();
        for path in register::list(self.store(), &ObjectPath::new(folder)?).await? {
            if self.recorded(path.as_str()).is_none() {
                slots.extend(Slot::parse(path.as_str(), &spec.layout, spec.grid));
            }
        }
        Ok(self.remember(folder, slots))
    }
}
