//! From `derived.json` to rules.
//!
//! What lives here: the compilation of derived columns' rules against the columns, the registry and the tree, which
//! gains the places that rules look at. What this file must not know: how rules are evaluated.

use super::column::{Column, Kind};
use super::derived::{Condition, Derived, Pattern, RegistryField, Rule, Term};
use super::document::{CaseDocument, DerivedColumn, Field, PatternName, TermDocument};
use super::registry::{EventType, Registry};
use super::tree::{NodeId, Tree};
use crate::error::{Error, Result};

/// Turns `derived.json` into rules.
pub(super) struct Compiler<'a> {
    pub(super) columns: &'a [Column],
    pub(super) registry: &'a Registry,
    pub(super) tree: &'a mut Tree,
    pub(super) document: &'a [DerivedColumn],
}

impl Compiler<'_> {
    /// One rule for each derived column, in the order of the columns.
    pub(super) fn compile(mut self) -> Result<Vec<Derived>> {
        let mut rules = Vec::new();
        for (position, column) in self.columns.iter().enumerate() {
            if column.kind != Kind::Derived {
                continue;
            }
            let mut entries = self.document.iter().filter(|entry| entry.column == column.name);
            let (Some(entry), None) = (entries.next(), entries.next()) else {
                return Err(wrong("a derived column needs exactly one rule").at("column", &column.name));
            };
            let rule = self.rule(entry).map_err(|error| error.at("column", &column.name))?;
            rules.push(Derived { column: position, rule });
        }
        if rules.len() != self.document.len() {
            return Err(wrong("a rule's column is not a derived column of the table"));
        }
        Ok(rules)
    }

    fn rule(&mut self, entry: &DerivedColumn) -> Result<Rule> {
        match (entry.registry, &entry.first_of, &entry.cases) {
            (Some(field), None, None) => Ok(Rule::Registry(match field {
                Field::Category => RegistryField::Category,
                Field::Action => RegistryField::Action,
                Field::TargetType => RegistryField::TargetType,
            })),
            (None, Some(terms), None) => Ok(Rule::FirstOf(self.terms(terms, true)?)),
            (None, None, Some(cases)) => {
                let lists =
                    cases.iter().map(|case| self.terms(&case.first_of, true)).collect::<Result<_>>()?;
                let of_type = self
                    .registry
                    .types()
                    .iter()
                    .map(|known| cases.iter().position(|case| applies(case, known)))
                    .collect();
                Ok(Rule::ByType { lists, of_type })
            }
            _ => Err(wrong("a rule is exactly one of registry, first_of and cases")),
        }
    }

    /// `outer`: whether terms may name another column; its own terms may not, so that no cycle can be.
    fn terms(&mut self, terms: &[TermDocument], outer: bool) -> Result<Vec<Term>> {
        let mut compiled = Vec::with_capacity(terms.len());
        for term in terms {
            match (&term.pointer, &term.column, term.only) {
                (Some(pointer), None, None) => {
                    let when = match &term.when {
                        None => None,
                        Some(when) => {
                            Some(Condition { node: self.place(&when.pointer)?, equals: when.equals.clone() })
                        }
                    };
                    compiled.push(Term::Value { node: self.place(pointer)?, when });
                }
                (None, Some(name), None) if outer && term.when.is_none() => {
                    let other = self.document.iter().find(|entry| entry.column == *name);
                    let inner = other.and_then(|entry| entry.first_of.as_ref()).ok_or_else(|| {
                        wrong("a rule names a column that has no list of its own").at("named", name)
                    })?;
                    compiled.extend(self.terms(inner, false)?);
                }
                (None, None, Some(pattern)) if term.when.is_none() => {
                    compiled.push(Term::Only(match pattern {
                        PatternName::Ip => Pattern::Ip,
                        PatternName::Uuid => Pattern::Uuid,
                    }));
                }
                _ => return Err(wrong("a term is exactly one of pointer, column and only")),
            }
        }
        Ok(compiled)
    }

    fn place(&mut self, pointer: &str) -> Result<NodeId> {
        self.tree
            .insert(pointer)
            .ok_or_else(|| wrong("not a JSON Pointer of 1 to 8 segments").at("pointer", pointer))
    }
}

fn wrong(sentence: &str) -> Error {
    Error::usage(sentence).at("document", "derived.json")
}

fn applies(case: &CaseDocument, event_type: &EventType) -> bool {
    case.category.as_ref().is_none_or(|category| *category == event_type.category)
        && case.target_type.as_ref().is_none_or(|target| *target == event_type.target_type)
}
