//! Values of derived columns.
//!
//! What lives here: the evaluation of rules against what an event holds. Nothing here takes part in rebuilding an
//! event. What this file must not know: builders, documents.

use std::borrow::Cow;

use super::coerce;
use super::found::Found;
use super::patterns;
use crate::model::json::Kind;
use crate::schema::{Condition, RegistryField, Rule, Table, Term};

/// What the registry says about one event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meaning<'t> {
    table: &'t Table,
    position: Option<usize>,
}

impl<'t> Meaning<'t> {
    pub(super) fn of(table: &'t Table, found: &Found<'_>) -> Self {
        let code = table.event_type_node().and_then(|node| found.value(node));
        let code =
            code.filter(|value| value.kind() == Kind::String).and_then(|value| coerce::loose_text(&value));
        Self::named(table, code.as_deref())
    }

    /// The same for an event whose type is this string; none for one without.
    pub(super) fn named(table: &'t Table, code: Option<&str>) -> Self {
        Self { table, position: code.and_then(|code| table.registry().position(code)) }
    }

    /// Whether the event's type is in the registry.
    pub(super) fn known(self) -> bool {
        self.position.is_some()
    }

    pub(super) fn field(self, field: RegistryField) -> Option<&'t str> {
        let registry = self.table.registry();
        let known = self.position.and_then(|position| registry.types().get(position));
        match (field, known) {
            (RegistryField::Category, Some(known)) => Some(&known.category),
            (RegistryField::Category, None) => Some(registry.unknown_category()),
            (RegistryField::Action, Some(known)) => Some(&known.action),
            (RegistryField::Action, None) => Some(registry.unknown_action()),
            (RegistryField::TargetType, known) => known.map(|known| known.target_type.as_str()),
        }
    }

    /// The value of a derived column: from the registry, or the first string that is not empty.
    pub(super) fn derive<'a>(self, rule: &Rule, found: &Found<'a>) -> Option<Cow<'a, str>>
    where
        't: 'a,
    {
        if let Rule::Registry(field) = rule {
            return self.field(*field).map(Cow::Borrowed);
        }
        self.terms(rule).iter().find_map(|term| self.term(term, found))
    }

    /// The places that a rule looks at for such an event.
    pub(super) fn terms(self, rule: &Rule) -> &[Term] {
        rule.terms(self.position)
    }

    fn term<'a>(self, term: &Term, found: &Found<'a>) -> Option<Cow<'a, str>> {
        match term {
            Term::Value { node, when } => {
                let value = found.value(*node)?;
                let text = coerce::loose_text(&value).filter(|text| !text.is_empty())?;
                when.as_ref().is_none_or(|condition| holds(condition, found)).then_some(text)
            }
            Term::Only(pattern) => patterns::only(*pattern, found.value(self.table.context_node())?.text()),
        }
    }
}

fn holds(condition: &Condition, found: &Found<'_>) -> bool {
    found
        .value(condition.node)
        .and_then(|value| coerce::loose_text(&value))
        .is_some_and(|text| text.eq_ignore_ascii_case(&condition.equals))
}
