//! The configuration file, key by key.
//!
//! What lives here: reading the keys outside the accounts, each with its line, and what an unknown one may have meant. What
//! this file must not know: what a key means, and what beats it.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use vonage_audit::{Error, Result};

/// The key under which accounts stand, each a table.
pub(crate) const ACCOUNTS: &str = "accounts";

/// One key and where it stands.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) line: usize,
    pub(crate) value: Value,
}

#[derive(Debug)]
pub(crate) enum Value {
    Switch(bool),
    /// Texts and whole numbers, as a flag would have them.
    Words(Vec<String>),
}

/// What a file says.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) entries: Vec<Entry>,
    /// Whether it names accounts.
    pub(crate) accounts: bool,
}

/// Reads the file; `known` are the keys that it may have. Error: usage, with the line.
pub(crate) fn read(path: &Path, known: &[String]) -> Result<Contents> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::usage("cannot read the configuration file").at("path", path.display()).because(error)
    })?;
    contents(&text, known).map_err(|error| error.at("path", path.display()))
}

fn contents(text: &str, known: &[String]) -> Result<Contents> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(0, |span| line(text, &span));
        Error::usage(format!("the configuration is not understood: {}", error.message())).at("line", line)
    })?;
    let mut contents = Contents::default();
    for (key, value) in table.get_ref() {
        let (name, line) = (key.get_ref().to_string(), line(text, &key.span()));
        if name == ACCOUNTS {
            let DeValue::Table(accounts) = value.get_ref() else {
                return Err(Error::usage("accounts is not a table")
                    .at("line", line)
                    .hint("write [accounts.NAME] above each account's keys"));
            };
            contents.accounts = !accounts.is_empty();
            continue;
        }
        if !known.contains(&name) {
            return Err(unknown(&name, known).at("line", line));
        }
        let value = simple(value).ok_or_else(|| {
            Error::usage(format!("{name} has a value that no flag could have"))
                .at("line", line)
                .hint("write a text, a whole number, true or false, or a list of texts")
        })?;
        contents.entries.push(Entry { key: name, line, value });
    }
    contents.entries.sort_by_key(|entry| entry.line);
    Ok(contents)
}

/// An unknown key, with the known one that is most like it.
fn unknown(name: &str, known: &[String]) -> Error {
    let error = Error::usage(format!("the configuration has an unknown key {name:?}"));
    let likeness = |key: &str| strsim::jaro_winkler(&name.replace('-', "_"), key);
    let names = known.iter().map(String::as_str).chain([ACCOUNTS]);
    match names.max_by(|one, other| likeness(one).total_cmp(&likeness(other))) {
        Some(near) if likeness(near) > 0.75 => error.hint(format!("did you mean {near:?}?")),
        _ => error.hint("`vonage-audit config example` shows every key"),
    }
}

fn simple(value: &Spanned<DeValue<'_>>) -> Option<Value> {
    if let DeValue::Boolean(switch) = value.get_ref() {
        return Some(Value::Switch(*switch));
    }
    if let DeValue::Array(items) = value.get_ref() {
        return items.iter().map(word).collect::<Option<_>>().map(Value::Words);
    }
    word(value).map(|word| Value::Words(vec![word]))
}

fn word(value: &Spanned<DeValue<'_>>) -> Option<String> {
    match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().replace('_', "")),
        _ => None,
    }
}

fn line(text: &str, span: &Range<usize>) -> usize {
    1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_lines_and_unknown_ones_a_suggestion() {
        let known = ["rate".to_owned(), "padding".to_owned(), "evidence".to_owned(), "format".to_owned()];
        let text = "# one\nrate = \"5/s\"\n\npadding = 1_0\nevidence = true\nformat = [\"csv\", \"ndjson\"]\n\
                    [accounts.main]\nkey = \"x\"\n";
        let found = contents(text, &known).unwrap();
        assert!(found.accounts);
        let lines: Vec<_> = found.entries.iter().map(|entry| (entry.key.as_str(), entry.line)).collect();
        assert_eq!(lines, [("rate", 2), ("padding", 4), ("evidence", 5), ("format", 6)]);
        assert!(matches!(&found.entries[1].value, Value::Words(words) if *words == ["10"]));
        let error = contents("\nraet = \"5/s\"\n", &known).unwrap_err();
        assert_eq!(error.hint_text(), Some("did you mean \"rate\"?"));
        assert_eq!(error.to_string(), "the configuration has an unknown key \"raet\" (line 2)");
        for wrong in
            ["rate = 1.5", "rate = {a = 1}", "rate = [[1]]", "accounts = 1", "rate = 1\nrate = 2", "="]
        {
            assert!(contents(wrong, &known).is_err(), "{wrong}");
        }
    }
}
