//! Partitions: the folders between a format's folder and its files.
//!
//! What lives here: [`Key`], [`Partitioning`] and [`Partition`], with the spelling of values in paths. A path key never
//! has the name of a file's column, since readers refuse or prefer one of the two; no value leaves its folder or
//! collides with another one where names differ in case only. What this file must not know: storage, rows.

use std::fmt::{self, Write as _};

use super::time::Timestamp;

/// What readers of Hive layouts take as null.
pub const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// Bytes of a value in a path, at most; a longer one is cut and told apart by its digest.
pub const MAX_VALUE: usize = 100;

/// Bytes of a longer value that stay readable; each may take three in the path.
const CUT_BYTES: usize = 20;

/// Hexadecimal digits of the digest behind them.
const DIGEST_DIGITS: usize = 32;

/// What a folder level is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// The day of `created_at`: `event_date=2026-03-01`.
    EventDate,
    /// Its month: `event_month=2026-03`.
    EventMonth,
    /// Its year: `event_year=2026`.
    EventYear,
    /// The event's type: `type=NUMBER_RELEASE`.
    EventType,
    /// The account that the event names: `account=abcd1234`.
    Account,
}

impl Key {
    /// Every key.
    pub const ALL: [Self; 5] =
        [Self::EventDate, Self::EventMonth, Self::EventYear, Self::EventType, Self::Account];

    /// The name on the command line and in `dataset.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EventDate => "event_date",
            Self::EventMonth => "event_month",
            Self::EventYear => "event_year",
            Self::EventType => "event_type",
            Self::Account => "account",
        }
    }

    /// The key's name in a path.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::EventType => "type",
            Self::EventDate | Self::EventMonth | Self::EventYear | Self::Account => self.name(),
        }
    }

    /// The column whose value it is; `None` for a key that follows from the window.
    pub const fn column(self) -> Option<&'static str> {
        match self {
            Self::EventType => Some("event_type"),
            Self::Account => Some("account_id"),
            Self::EventDate | Self::EventMonth | Self::EventYear => None,
        }
    }
}

/// The folder levels of a dataset, outermost first; none puts every file directly below its format's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partitioning(Vec<Key>);

impl Default for Partitioning {
    /// By day.
    fn default() -> Self {
        Self(vec![Key::EventDate])
    }
}

impl Partitioning {
    /// From names joined by commas, or `none`; `None` for another name or a name that occurs twice.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self(Vec::new()));
        }
        let mut keys = Vec::new();
        for name in text.split(',') {
            let key = Key::ALL.into_iter().find(|key| key.name() == name)?;
            if keys.contains(&key) {
                return None;
            }
            keys.push(key);
        }
        Some(Self(keys))
    }

    /// What [`Self::parse`] reads.
    pub fn name(&self) -> String {
        if self.0.is_empty() {
            return "none".to_owned();
        }
        self.0.iter().map(|key| key.name()).collect::<Vec<_>>().join(",")
    }

    /// The keys, outermost first.
    pub fn keys(&self) -> &[Key] {
        &self.0
    }

    /// The columns whose values decide, in the order of their keys; empty when the window alone does.
    pub fn columns(&self) -> Vec<&'static str> {
        self.0.iter().filter_map(|key| key.column()).collect()
    }

    /// Whether this could be a partition: as many values as there are row keys, each as a path spells it.
    pub fn has(&self, partition: &Partition) -> bool {
        let keys = self.0.iter().filter(|key| key.column().is_some());
        keys.clone().count() == partition.0.len()
            && keys.zip(&partition.0).all(|(key, value)| is_spelled(*key, value))
    }

    /// The outermost folders of a window's files that follow from the window alone, each with a `/` behind it: below
    /// them is every file of the window, whatever its rows hold. `at` is as for the folders of a slot.
    pub fn shared_folders(&self, at: Option<Timestamp>) -> String {
        let keys = self.0.iter().copied().take_while(|key| key.column().is_none()).collect();
        Self(keys).folders(at, &Partition::default())
    }

    /// The folders of a slot, each with a `/` behind it; `at` is the start of its window, `None` for events whose time
    /// cannot be read.
    pub(super) fn folders(&self, at: Option<Timestamp>, partition: &Partition) -> String {
        let mut values = partition.0.iter();
        let mut path = String::new();
        for key in &self.0 {
            let value = match (key, at.map(|at| at.date())) {
                (Key::EventType | Key::Account, _) => {
                    values.next().cloned().unwrap_or_else(|| NULL.to_owned())
                }
                (_, None) => NULL.to_owned(),
                (Key::EventDate, Some((year, month, day))) => format!("{year:04}-{month:02}-{day:02}"),
                (Key::EventMonth, Some((year, month, _))) => format!("{year:04}-{month:02}"),
                (Key::EventYear, Some((year, ..))) => format!("{year:04}"),
            };
            path.push_str(key.folder());
            path.push('=');
            path.push_str(&value);
            path.push('/');
        }
        path
    }
}

/// The values of a partition's row keys as paths spell them, in the order of the partitioning; empty when the window alone
/// decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition(Vec<String>);

impl Partition {
    /// The partition of rows with these values of the [`Partitioning::columns`]; `digest` gives the lower-case hex digest
    /// that tells long values apart.
    pub fn of<'a>(
        partitioning: &Partitioning,
        values: impl IntoIterator<Item = Option<&'a str>>,
        digest: impl Fn(&str) -> String,
    ) -> Self {
        let keys = partitioning.0.iter().filter(|key| key.column().is_some());
        Self(keys.zip(values).map(|(key, value)| spelled(*key, value, &digest)).collect())
    }

    /// From values as paths spell them.
    pub(super) fn from_spelled(values: Vec<String>) -> Self {
        Self(values)
    }

    /// The values as paths spell them.
    pub fn values(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.join("/"))
    }
}

/// A value as a path spells it: letters of the case that its key usually has, digits and `_` `-` stand for themselves,
/// every other byte is `%` and two upper-case hex digits as Hive writes it. So two values that differ in case differ in
/// more than case. A value that is too long is cut, and so is one that says what stands for null: readers decode before
/// they compare.
fn spelled(key: Key, value: Option<&str>, digest: impl Fn(&str) -> String) -> String {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return NULL.to_owned() };
    let null = value.eq_ignore_ascii_case(NULL);
    let mut text = String::with_capacity(value.len());
    for (place, byte) in value.bytes().enumerate() {
        push_byte(key, byte, place == 0, &mut text);
        if text.len() > MAX_VALUE || null {
            return cut(key, value, &digest(value));
        }
    }
    text
}

/// A value by its first bytes, a `~`, which stands in no other value, and the beginning of its digest. The cut never
/// ends inside of a `%XX`: it is made before the value is spelled.
fn cut(key: Key, value: &str, digest: &str) -> String {
    let mut text = String::new();
    for (place, byte) in value.bytes().take(CUT_BYTES).enumerate() {
        push_byte(key, byte, place == 0, &mut text);
    }
    text.push('~');
    text.extend(digest.chars().take(DIGEST_DIGITS));
    text
}

fn push_byte(key: Key, byte: u8, first: bool, text: &mut String) {
    let letter = match key {
        Key::EventType => byte.is_ascii_uppercase(),
        Key::EventDate | Key::EventMonth | Key::EventYear | Key::Account => byte.is_ascii_lowercase(),
    };
    if letter || byte.is_ascii_digit() || byte == b'-' || (byte == b'_' && !first) {
        text.push(char::from(byte));
    } else {
        // Writing to a string cannot fail.
        let _ = write!(text, "%{byte:02X}");
    }
}

/// Whether [`spelled`] gives this text for some value.
fn is_spelled(key: Key, text: &str) -> bool {
    if text == NULL {
        return true;
    }
    let (head, digest) = match text.split_once('~') {
        Some((head, digest)) => (head, Some(digest)),
        None => (text, None),
    };
    let Some(bytes) = bytes_of(head) else { return false };
    let mut again = String::new();
    for (place, byte) in bytes.iter().enumerate() {
        push_byte(key, *byte, place == 0, &mut again);
    }
    let whole = match digest {
        None => {
            let null = bytes.eq_ignore_ascii_case(NULL.as_bytes());
            !bytes.is_empty() && !null && text.len() <= MAX_VALUE && std::str::from_utf8(&bytes).is_ok()
        }
        Some(digest) => {
            let hex = digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            bytes.len() == CUT_BYTES && digest.len() == DIGEST_DIGITS && hex
        }
    };
    whole && again == head
}

/// The bytes that a text with `%XX` stands for; `None` where a `%` stands alone.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
