//! One audit event as it was received.
//!
//! What lives here: [`Event`], its identity and what can be wrong with it. What this file must not know: columns,
//! contexts, pages.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;

use super::time::Timestamp;

/// An event's identity: its `id` verbatim (letter case kept), or `sha256:` and the digest of its bytes when it has
/// no usable one. Ordered as text.
#[derive(Clone)]
pub struct EventId(Letters);

/// Bytes of an id that stand where it is; an UUID has 36.
const SHORT: usize = 38;

/// UTF-8.
#[derive(Clone)]
enum Letters {
    /// So many of the bytes; the others are 0.
    Short(u8, [u8; SHORT]),
    Long(Arc<str>),
}

impl EventId {
    /// The identity of this text.
    pub fn new(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        let place = bytes.get_mut(..text.len()).zip(u8::try_from(text.len()).ok());
        Self(match place {
            Some((place, length)) => {
                place.copy_from_slice(text.as_bytes());
                Letters::Short(length, bytes)
            }
            None => Letters::Long(Arc::from(text)),
        })
    }

    /// Whether it was made from the event's bytes.
    pub fn is_synthetic(&self) -> bool {
        self.bytes().starts_with(b"sha256:")
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Letters::Short(..) => std::str::from_utf8(self.bytes()).unwrap_or_default(),
            Letters::Long(text) => text,
        }
    }

    /// The [`fingerprint`] of its text.
    pub fn fingerprint(&self) -> u64 {
        number(self.bytes())
    }

    /// The bytes of the text, which are there without a look at them.
    fn bytes(&self) -> &[u8] {
        match &self.0 {
            Letters::Short(length, bytes) => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Letters::Long(text) => text.as_bytes(),
        }
    }
}

impl PartialEq for EventId {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for EventId {}

impl PartialOrd for EventId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EventId {
    fn cmp(&self, other: &Self) -> Ordering {
        // The order of UTF-8 is that of its letters.
        self.bytes().cmp(other.bytes())
    }
}

impl Hash for EventId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}

/// A number that is the same for the same id, and hardly ever for another.
pub fn fingerprint(id: &str) -> u64 {
    number(id.as_bytes())
}

fn number(id: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(id);
    hasher.write_u8(u8::MAX);
    hasher.finish()
}

impl fmt::Debug for EventId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), out)
    }
}

/// Why an event cannot become a row. It is kept as raw bytes in quarantine, counted, never dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flaw {
    /// The list held something that is not a JSON object.
    NotAnObject,
    /// The bytes are not UTF-8.
    NotUtf8,
    /// No `id`, or it is empty or `null`.
    NoId,
    /// `id` is not a string, holds U+0000 or a lone surrogate, is longer than 256 bytes, or says a secret.
    UnusableId,
    /// `id` or `created_at` occurs more than once, so that identity or place in time is ambiguous.
    AmbiguousKey,
    /// Nested deeper than [`super::json::MAX_DEPTH`].
    TooDeep,
    /// Longer than a batch of rows can hold.
    TooLong,
    /// `created_at` is a time at the end of the calendar, which no window has. An event whose time cannot be read at all
    /// becomes a row without one.
    NoTime,
    /// The dataset holds this id with another content, which stays.
    OtherContent,
    /// Its row did not give the event back: our own mistake, found before the row was written.
    NotRebuilt,
}

impl Flaw {
    /// A stable name for commit records and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAnObject => "not-an-object",
            Self::NotUtf8 => "not-utf8",
            Self::NoId => "no-id",
            Self::UnusableId => "unusable-id",
            Self::AmbiguousKey => "ambiguous-key",
            Self::TooDeep => "too-deep",
            Self::TooLong => "too-long",
            Self::NoTime => "no-time",
            Self::OtherContent => "other-content",
            Self::NotRebuilt => "not-rebuilt",
        }
    }

    /// The flaw of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::NotAnObject,
            Self::NotUtf8,
            Self::NoId,
            Self::UnusableId,
            Self::AmbiguousKey,
            Self::TooDeep,
            Self::TooLong,
            Self::NoTime,
            Self::OtherContent,
            Self::NotRebuilt,
        ]
        .into_iter()
        .find(|flaw| flaw.name() == name)
    }
}

/// One event: identity, place in time and the JSON text as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Identity.
    pub id: EventId,
    /// `created_at` as a value; `None` when it is absent or unreadable, so that no window holds the event.
    pub created_at: Option<Timestamp>,
    /// The event's bytes exactly as they stood in the reply: a JSON value, UTF-8 unless `flaw` says otherwise.
    pub text: Bytes,
    /// Why it cannot become a row; `None` for nearly all.
    pub flaw: Option<Flaw>,
}

impl Event {
    /// The event with its text alone, which may be a slice of a whole reply or of a block of a file: for whoever keeps
    /// it longer than its neighbours.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { text: Bytes::copy_from_slice(&self.text), ..self }
    }

    /// The order of rows: `created_at`, then `id`; events without a time come last.
    pub fn sort_key(&self) -> (bool, Option<Timestamp>, &EventId) {
        (self.created_at.is_none(), self.created_at, &self.id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_is_its_text_however_long(
            one in prop_oneof!["[a-cé\\u{0}]{0,3}", "[a-c]{34,42}", "[a-cé]{15,40}"],
            other in prop_oneof!["[a-cé\\u{0}]{0,3}", "[a-c]{34,42}", "[a-cé]{15,40}"],
        ) {
            let ids = [EventId::new(&one), EventId::new(&other)];
            prop_assert_eq!((ids[0].as_str(), ids[1].as_str()), (&*one, &*other));
            prop_assert_eq!(ids[0].cmp(&ids[1]), one.cmp(&other));
            prop_assert_eq!(ids[0] == ids[1], one == other);
            prop_assert_eq!(format!("{:?}", ids[0]), format!("{one:?}"));
            prop_assert_eq!(ids[0].fingerprint(), fingerprint(&one));
            prop_assert_eq!(ids[0].fingerprint() == ids[1].fingerprint(), one == other);
            let hash = |id: &EventId| {
                let mut hasher = DefaultHasher::new();
                id.hash(&mut hasher);
                hasher.finish()
            };
            prop_assert_eq!(hash(&ids[0]), hash(&ids[0].clone()));
            prop_assert!(ids[0] != ids[1] || hash(&ids[0]) == hash(&ids[1]));
            prop_assert_eq!(EventId::new(&format!("sha256:{one}")).is_synthetic(), true);
        }
    }
}
