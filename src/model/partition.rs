//! Partitions: the folders between a format's folder and its files.
//!
//! What lives here: [`Key`], [`Partitioning`] and [`Partition`], with the spelling of values in paths. A path key never
//! has the name of a file's column, since readers refuse or prefer one of the two; no value leaves its folder or
//! collides with another one where names differ in case only. What this file must not know: storage, rows.

use std::fmt;

use super::time::Timestamp;

/// What readers of Hive layouts take as null.
pub const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// Bytes of a value in a path, at most; a longer one is cut and told apart by its digest.
pub const MAX_VALUE: usize = 100;

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
/// more than case, and no value reads as null.
fn spelled(key: Key, value: Option<&str>, digest: impl Fn(&str) -> String) -> String {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return NULL.to_owned() };
    let plain = |byte: u8| match key {
        Key::EventType => byte.is_ascii_uppercase(),
        _ => byte.is_ascii_lowercase(),
    };
    let mut text = String::with_capacity(value.len());
    for (place, byte) in value.bytes().enumerate() {
        let first_score = byte == b'_' && place == 0;
        if plain(byte) || byte.is_ascii_digit() || byte == b'-' || (byte == b'_' && !first_score) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    if text.len() <= MAX_VALUE {
        return text;
    }
    // The cut never ends inside of a `%XX`: it is made before the value is spelled.
    let mut cut = String::new();
    for byte in value.bytes().take(20) {
        cut.push_str(&spelled_byte(&plain, byte));
    }
    let digest: String = digest(value).chars().take(32).collect();
    format!("{cut}~{digest}")
}

fn spelled_byte(plain: &impl Fn(u8) -> bool, byte: u8) -> String {
    if plain(byte) || byte.is_ascii_digit() || byte == b'-' {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}
