//! The JSON of all events, rendered once.
//!
//! What lives here: the bytes, and where each event's begin and end. What this file must not know: how an event is made,
//! and which ones a query selects.

/// Events one after the other, by position.
pub(super) struct Rendered {
    bytes: Vec<u8>,
    /// Where each event ends; it begins where the one before ends.
    ends: Vec<usize>,
}

impl Rendered {
    /// What `write` appends for each of `count` positions.
    pub(super) fn new(count: u32, mut write: impl FnMut(u32, &mut Vec<u8>)) -> Self {
        let mut rendered = Self { bytes: Vec::new(), ends: Vec::new() };
        for k in 0..count {
            write(k, &mut rendered.bytes);
            rendered.ends.push(rendered.bytes.len());
        }
        rendered
    }

    /// The event at this position; empty if there is none.
    pub(super) fn event(&self, k: u32) -> &[u8] {
        let Ok(place) = usize::try_from(k) else { return &[] };
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(place).and_then(|end| self.bytes.get(start..*end)).unwrap_or_default()
    }
}
