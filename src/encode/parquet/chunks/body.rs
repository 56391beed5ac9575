//! Values of a page that stand in it as they come.
//!
//! What lives here: [`Body`], a buffer with room in front of it, so that what a page begins with is known last and nothing is moved.
//! What this file must not know: what the bytes are.

/// Bytes before the values: levels of a page take 2,500, lengths of texts mostly less than a thousand.
const ROOM: usize = 4 << 10;

/// Bytes that are kept for the next page, at most: only texts that are very long take more.
const KEPT: usize = 2 << 20;

/// Bytes of values. The buffer is kept from page to page.
#[derive(Debug, Default)]
pub(super) struct Body(Vec<u8>);

impl Body {
    /// Where to append values.
    #[inline]
    pub(super) fn end(&mut self) -> &mut Vec<u8> {
        if self.0.is_empty() {
            self.0.resize(ROOM, 0);
        }
        &mut self.0
    }

    /// Bytes of values.
    pub(super) fn len(&self) -> usize {
        self.0.len().saturating_sub(ROOM)
    }

    /// The values with `front` before them.
    pub(super) fn behind(&mut self, front: &[u8]) -> &[u8] {
        self.end();
        let Some(start) = ROOM.checked_sub(front.len()) else {
            self.0.splice(..ROOM, front.iter().copied());
            return &self.0;
        };
        if let Some(room) = self.0.get_mut(start..ROOM) {
            room.copy_from_slice(front);
        }
        self.0.get(start..).unwrap_or_default()
    }

    /// Leaves no value.
    pub(super) fn clear(&mut self) {
        self.0.clear();
        self.0.shrink_to(KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_begins_with_stands_before_its_values_however_long() {
        let mut body = Body::default();
        for front in [0, 1, ROOM - 1, ROOM, ROOM + 1, 3 * ROOM] {
            assert_eq!(body.len(), 0);
            body.end().extend_from_slice(b"values");
            assert_eq!(body.len(), 6);
            let front = vec![7; front];
            assert_eq!(body.behind(&front), [front.as_slice(), b"values"].concat());
            body.clear();
        }
    }
}
