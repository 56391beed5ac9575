//! Which events a dataset is about, when not about all.
//!
//! What lives here: [`Selection`]. Types and text are asked of the API; users are told apart here, since the public
//! API has no such parameter. What this file must not know: URLs, columns.

use std::collections::BTreeMap;

use super::json::{Kind, Value};

/// A filter; empty selects everything. A dataset has one selection for ever: windows that are complete for one filter
/// say nothing about another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Event types; empty for all.
    pub event_types: Vec<String>,
    /// Text that the event's JSON contains, as the API understands it.
    pub search_text: Option<String>,
    /// `user_id`s as text; empty for all.
    pub user_ids: Vec<String>,
    /// `user_email`s, compared letter for letter; empty for all.
    pub user_emails: Vec<String>,
}

impl Selection {
    /// Name and value of each filter, for the dataset's description; nothing for an empty selection. Lists are sorted
    /// and joined by commas.
    pub fn by_name(&self) -> BTreeMap<String, String> {
        let list = |values: &[String]| {
            let mut values = values.to_vec();
            values.sort();
            values.dedup();
            (!values.is_empty()).then(|| values.join(","))
        };
        [
            ("event_type", list(&self.event_types)),
            ("search_text", self.search_text.clone()),
            ("user_email", list(&self.user_emails)),
            ("user_id", list(&self.user_ids)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
    }

    /// Whether users are told apart.
    pub fn by_user(&self) -> bool {
        !self.user_ids.is_empty() || !self.user_emails.is_empty()
    }

    /// Whether an event's user is one of the selected. A `user_id` is documented as an integer; a string counts too.
    pub fn has_user(&self, event: &str) -> bool {
        if !self.by_user() {
            return true;
        }
        let Ok(event) = Value::parse(event) else { return false };
        let is_one_of = |name: &str, wanted: &[String]| {
            let Some(value) = event.member(name) else { return false };
            match value.kind() {
                Kind::String => value.as_text().is_some_and(|text| wanted.iter().any(|one| text.is(one))),
                Kind::Number => wanted.iter().any(|one| one == value.text()),
                Kind::Null | Kind::Boolean | Kind::Array | Kind::Object => false,
            }
        };
        (self.user_ids.is_empty() || is_one_of("user_id", &self.user_ids))
            && (self.user_emails.is_empty() || is_one_of("user_email", &self.user_emails))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_told_apart_by_id_and_address() {
        let one = r#"{"user_id":1234567,"user_email":"a@example.com"}"#;
        let text = r#"{"user_id":"1234567","user_email":null}"#;
        let by = |ids: &[&str], emails: &[&str]| Selection {
            user_ids: ids.iter().map(ToString::to_string).collect(),
            user_emails: emails.iter().map(ToString::to_string).collect(),
            ..Selection::default()
        };
        assert!(by(&[], &[]).has_user("{}"));
        assert!(by(&["7", "1234567"], &[]).has_user(one));
        assert!(by(&["1234567"], &[]).has_user(text));
        assert!(!by(&["123456"], &[]).has_user(one));
        assert!(by(&["1234567"], &["a@example.com"]).has_user(one));
        assert!(!by(&["1234567"], &["a@example.com"]).has_user(text));
        assert!(!by(&[], &["A@example.com"]).has_user(one));
        assert!(!by(&["1"], &[]).has_user("{}"));
    }

    #[test]
    fn a_selection_has_one_description() {
        let selection =
            Selection { event_types: vec!["B".into(), "A".into(), "B".into()], ..Selection::default() };
        assert_eq!(selection.by_name(), BTreeMap::from([("event_type".into(), "A,B".into())]));
        assert!(Selection::default().by_name().is_empty());
    }
}
