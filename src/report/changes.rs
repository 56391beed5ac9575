//! Changes that a security team asks about.
//!
//! What lives here: what each group is, as a rule over a row and as the words for it, and the newest events of each.
//! What this file must not know: how rows are read or shown.

use std::collections::BTreeMap;

use super::rows::Row;
use crate::model::Timestamp;

/// Bytes of a value that a list keeps; its whole length is kept beside it.
const KEPT: usize = 400;

/// A group of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Secrets,
    Allowlist,
    Users,
    Webhooks,
    Account,
    AfterHours,
}

impl Group {
    pub(super) const ALL: [Self; 6] =
        [Self::Secrets, Self::Allowlist, Self::Users, Self::Webhooks, Self::Account, Self::AfterHours];

    /// Its place in the page, and in addresses within it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Secrets => "secrets",
            Self::Allowlist => "ip-allow-list",
            Self::Users => "users",
            Self::Webhooks => "webhooks",
            Self::Account => "account",
            Self::AfterHours => "after-hours",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Secrets => "API secrets",
            Self::Allowlist => "IP allow-list",
            Self::Users => "Users and their access",
            Self::Webhooks => "Webhooks and call routes",
            Self::Account => "Account settings and bans",
            Self::AfterHours => "Changes outside of working hours",
        }
    }

    /// What is in it.
    pub(super) const fn rule(self) -> &'static str {
        match self {
            Self::Secrets => "Secrets created or deleted (category secret).",
            Self::Allowlist => "Addresses added to or taken from the IP allow-list (category ip_allowlist).",
            Self::Users => "Users created, changed, or given other accounts (category user).",
            Self::Webhooks => {
                "Where calls, messages and events are sent: a number updated with a message or voice target, an \
                 application created or updated with a URL in its context."
            }
            Self::Account => "Account settings changed, or the account banned (category account).",
            Self::AfterHours => {
                "Any event but those of the categories auth and data_access, at a time when no work is expected."
            }
        }
    }

    /// Whether a row belongs to it.
    pub(super) fn takes(self, row: &Row<'_>, after_hours: bool) -> bool {
        match self {
            Self::Secrets => row.category == Some("secret"),
            Self::Allowlist => row.category == Some("ip_allowlist"),
            Self::Users => row.category == Some("user"),
            Self::Account => row.category == Some("account"),
            Self::AfterHours => after_hours && is_change(row),
            Self::Webhooks => match row.event_type {
                Some("NUMBER_UPDATED") => row.http.is_some() || row.voice.is_some(),
                Some("APP_CREATE" | "APP_UPDATE") => {
                    row.context.is_some_and(|text| text.contains("http://") || text.contains("https://"))
                }
                _ => false,
            },
        }
    }
}

/// Whether a row is a change: anything but logins, logouts and searches.
pub(super) fn is_change(row: &Row<'_>) -> bool {
    !matches!(row.category, Some("auth" | "data_access"))
}

/// Whether a row gives a number away.
pub(super) fn is_release(row: &Row<'_>) -> bool {
    row.category == Some("number") && row.action == Some("release")
}

/// A value as a list keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) text: String,
    /// Bytes of the whole value.
    pub(super) length: usize,
}

impl Kept {
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: text.get(..text.floor_char_boundary(KEPT)).unwrap_or_default().to_owned(),
            length: text.len(),
        }
    }
}

/// An event of a list.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) at: Option<Timestamp>,
    pub(super) event_type: Option<Kept>,
    pub(super) actor: Option<Kept>,
    pub(super) address: Option<Kept>,
    pub(super) country: Option<Kept>,
    pub(super) target: Option<Kept>,
}

/// How many events a group has, and the newest of them.
#[derive(Debug)]
pub(super) struct List {
    pub(super) total: u64,
    limit: usize,
    newest: BTreeMap<(Option<Timestamp>, String), Event>,
}

impl List {
    pub(super) fn new(limit: usize) -> Self {
        Self { total: 0, limit, newest: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, row: &Row<'_>) {
        self.total += 1;
        let full = self.newest.len() >= self.limit;
        let older =
            |((at, id), _): (&(Option<Timestamp>, String), &Event)| (row.at, row.id) <= (*at, id.as_str());
        if self.limit == 0 || (full && self.newest.first_key_value().is_some_and(older)) {
            return;
        }
        if full {
            self.newest.pop_first();
        }
        let kept = |text: Option<&str>| text.map(Kept::new);
        let event = Event {
            at: row.at,
            event_type: kept(row.event_type),
            actor: kept(row.actor),
            address: kept(row.address),
            country: kept(row.country),
            target: kept(row.target.or(row.http).or(row.voice)),
        };
        self.newest.insert((row.at, row.id.to_owned()), event);
    }

    /// The newest, from the newest on.
    pub(super) fn newest(&self) -> impl Iterator<Item = &Event> {
        self.newest.values().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_the_newest_and_counts_all() {
        let mut list = List::new(3);
        for second in [5, 1, 9, 7, 3, 8] {
            let id = second.to_string();
            list.add(&Row {
                id: &id,
                at: Some(Timestamp::from_seconds(second)),
                event_type: Some("X"),
                category: None,
                action: None,
                actor: None,
                source: None,
                address: None,
                country: None,
                target: None,
                http: None,
                voice: None,
                context: None,
            });
        }
        let seconds: Vec<_> = list.newest().map(|event| event.at.unwrap().seconds()).collect();
        assert_eq!((list.total, seconds), (6, vec![9, 8, 7]));
    }

    #[test]
    fn a_kept_value_is_cut_between_characters() {
        let kept = Kept::new(&"é".repeat(5_120));
        assert_eq!((kept.text.len(), kept.length), (400, 10_240));
        assert_eq!(Kept::new(&format!("a{}", "é".repeat(300))).text.len(), 399);
    }
}
