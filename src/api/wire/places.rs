//! Where identity and time stand in an event, by its shape.
//!
//! What lives here: [`Places`], a bounded memory of shapes. What this file must not know: what the values mean.

use crate::model::json::Noted;

/// Shapes that are remembered.
const REMEMBERED: usize = 256;

/// Where the members are that say which event it is and when it was; none for a key that does not occur.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub(super) id: Option<usize>,
    pub(super) created_at: Option<usize>,
}

/// What is known of shapes, by number.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<(u64, Option<Place>)>);

impl Places {
    /// The members of the event itself by these names; `None` where one occurs twice.
    #[inline]
    pub(super) fn of(&mut self, noted: &Noted<'_>) -> Option<Place> {
        if self.0.is_empty() {
            self.0.resize(REMEMBERED, (0, None));
        }
        let shape = noted.shape().get();
        let (known, place) = self.0.get_mut(usize::try_from(shape % REMEMBERED as u64).unwrap_or(0))?;
        if *known != shape {
            (*known, *place) = (shape, find(noted));
        }
        *place
    }
}

fn find(noted: &Noted<'_>) -> Option<Place> {
    let (mut place, mut at) = (Place::default(), 0);
    while let Some(key) = noted.key(at) {
        let slot = match () {
            () if key.is("id") => Some(&mut place.id),
            () if key.is("created_at") => Some(&mut place.created_at),
            () => None,
        };
        if slot.is_some_and(|slot| slot.replace(at).is_some()) {
            return None;
        }
        at += 1 + noted.inside(at);
    }
    Some(place)
}
