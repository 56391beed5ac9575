//! Schema directories over this version's built-in table and over a later one's.

use super::*;
use crate::model::json::Value;
use crate::schema::grow::lock_text;
use crate::schema::{
    Change, DataType, Documents, LayerTexts, Proposal, Survey, Table, continues, diff, grow,
};

const EVENT: &str = r#"{"event_type":"TRUNK_CREATE","context":{"trunk":{"id":"t","channels":4}}}"#;
const LATER: &str = r#"{"event_type":"APP_CREATE","region":"eu","context":{"reason":"r"}}"#;

fn proposal(table: &Table, event: &str) -> Proposal {
    let mut survey = Survey::default();
    survey.add(table, Value::parse(event).unwrap());
    Proposal::new(table, &survey.into_drift())
}

fn layer(texts: &LayerTexts) -> Layer<'_> {
    Layer { lock: &texts.lock, registry: Some(&texts.registry) }
}

/// A directory that has learnt from one event.
fn first() -> LayerTexts {
    grow(Documents::BUILTIN, None, &proposal(&Table::builtin().unwrap(), EVENT)).unwrap().unwrap()
}

fn names(table: &Table) -> Vec<&str> {
    table.columns().iter().skip(41).map(|column| column.name.as_str()).collect()
}

/// The built-in documents of a later version, with one more column.
struct Later {
    lock: String,
    registry: String,
    derived: String,
}

impl Later {
    fn new(version: &str, name: &str, pointer: &str) -> Self {
        let mut columns = Table::builtin().unwrap().columns().to_vec();
        columns.push(Column {
            field_id: 117,
            name: name.to_owned(),
            data_type: DataType::Utf8,
            kind: Kind::Source,
            pointer: Some(pointer.to_owned()),
            json: Some(crate::schema::Json::String),
            since: version.to_owned(),
            description: String::new(),
        });
        let new = format!("\"version\": \"{version}\"");
        let renewed = |text: &str| text.replacen(r#""version": "1.0.0""#, &new, 1);
        Self {
            lock: lock_text(version, &columns),
            registry: renewed(Documents::BUILTIN.registry),
            derived: renewed(Documents::BUILTIN.derived),
        }
    }

    fn documents(&self) -> Documents<'_> {
        Documents { lock: &self.lock, registry: &self.registry, derived: &self.derived }
    }
}

#[test]
fn a_directory_continues_the_built_in_table_and_itself() {
    let builtin = Table::builtin().unwrap();
    let one = first();
    let table = Table::layered(layer(&one)).unwrap();
    assert_eq!(names(&table), ["context__trunk__channels", "context__trunk__id"]);
    assert!(continues(&builtin, &table) && !continues(&table, &builtin));
    assert!(table.version().starts_with("1.0.0+1."), "{}", table.version());
    assert_eq!(table.registry().find("TRUNK_CREATE").unwrap().category, "unknown");
    assert_eq!(table.seen_in("TRUNK_CREATE").len(), 2);
    // What it has learnt is no drift any more.
    assert!(proposal(&table, EVENT).is_empty());

    let two = grow(Documents::BUILTIN, Some(layer(&one)), &proposal(&table, LATER)).unwrap().unwrap();
    let longer = Table::layered(layer(&two)).unwrap();
    assert_eq!(
        names(&longer),
        ["context__trunk__channels", "context__trunk__id", "context__reason", "x_region"]
    );
    assert!(longer.version().starts_with("1.0.0+2."), "{}", longer.version());
    assert!(continues(&table, &longer) && continues(&builtin, &longer) && !continues(&longer, &table));
    let changes = diff(&table, &longer);
    assert!(matches!(&changes[..], [Change::ColumnAdded(_), Change::ColumnAdded(_)]), "{changes:?}");
    assert_eq!(diff(&longer, &longer), []);
    // The other way about: the same columns in another order are no continuation.
    let other = grow(Documents::BUILTIN, None, &proposal(&builtin, LATER)).unwrap().unwrap();
    let other = Table::layered(layer(&other)).unwrap();
    assert!(!continues(&other, &longer) && !continues(&table, &other));
    assert!(grow(Documents::BUILTIN, Some(layer(&two)), &Proposal::default()).unwrap().is_none());
}

#[test]
fn the_registry_alone_makes_another_version_of_the_same_columns() {
    let one = first();
    let table = Table::layered(layer(&one)).unwrap();
    let text = one.registry.replace(r#""category": "unknown""#, r#""category": "trunk""#);
    let renamed = Table::layered(Layer { lock: &one.lock, registry: Some(&text) }).unwrap();
    assert_eq!(table.fingerprint(), renamed.fingerprint());
    assert_ne!(table.version(), renamed.version());
    assert!(continues(&table, &renamed));
    assert_eq!(diff(&table, &renamed), [Change::TypeChanged("TRUNK_CREATE".to_owned())]);
    // Laid out otherwise, it says the same.
    let dense: serde_json::Value = serde_json::from_str(&one.registry).unwrap();
    let same = Table::layered(Layer { lock: &one.lock, registry: Some(&dense.to_string()) }).unwrap();
    assert_eq!(table.version(), same.version());
}

#[test]
fn a_new_built_in_column_goes_behind_the_users() {
    let one = first();
    let before = Table::layered(layer(&one)).unwrap();
    let later = Later::new("1.1.0", "context__reason", "/context/reason");
    let error = Table::from_layered(later.documents(), layer(&one)).unwrap_err();
    assert!(error.to_string().contains("newest built-in columns"), "{error}");
    assert!(error.hint_text().unwrap().contains("--write"));
    let grown = grow(later.documents(), Some(layer(&one)), &Proposal::default()).unwrap().unwrap();
    let after = Table::from_layered(later.documents(), layer(&grown)).unwrap();
    assert_eq!(names(&after), ["context__trunk__channels", "context__trunk__id", "context__reason"]);
    assert!(continues(&before, &after));
    assert!(after.version().starts_with("1.1.0+2."), "{}", after.version());
    // The older program does not take what the newer one has written.
    let error = Table::layered(layer(&grown)).unwrap_err();
    assert!(error.to_string().contains("a newer version"), "{error}");
}

#[test]
fn a_built_in_column_that_the_user_had_first_stays_the_users() {
    let builtin = Table::builtin().unwrap();
    let one = grow(Documents::BUILTIN, None, &proposal(&builtin, LATER)).unwrap().unwrap();
    for (name, pointer) in [("context__reason", "/context/reason"), ("region", "/region")] {
        let later = Later::new("1.1.0", name, pointer);
        let table = Table::from_layered(later.documents(), layer(&one)).unwrap();
        assert_eq!(names(&table), ["context__reason", "x_region"]);
        assert!(table.columns().iter().skip(41).all(|column| column.field_id >= FIRST_FIELD_ID));
        assert!(continues(&Table::layered(layer(&one)).unwrap(), &table));
    }
    // A type that the program learns by itself is not there twice.
    let text = r#"{"types":[{"type":"APP_CREATE","category":"mine","action":"a","target_type":"t","description":""}]}"#;
    let table = Table::layered(Layer { lock: &one.lock, registry: Some(text) }).unwrap();
    assert_eq!(table.registry().find("APP_CREATE").unwrap().category, "application");
    assert_eq!(table.registry().types().len(), 29);
}

#[test]
fn pointers_can_stay_untyped_on_purpose() {
    let one = first();
    let text = one.registry.replace(r#""untyped": []"#, r#""untyped": ["/context/reason", "/region"]"#);
    assert_ne!(text, one.registry);
    let table = Table::layered(Layer { lock: &one.lock, registry: Some(&text) }).unwrap();
    assert!(proposal(&table, LATER).is_empty());
    let beside = r#"{"event_type":"APP_CREATE","context":{"reasons":1}}"#;
    assert!(!proposal(&table, beside).is_empty());
}

#[test]
fn broken_registries_are_refused() {
    let one = first();
    for (expected, text) in [
        ("does not have", r#"{"columns":{"A":["context__nothing"]}}"#),
        (
            "occurs twice",
            r#"{"types":[{"type":"A","category":"c","action":"a","target_type":"","description":""},{"type":"A","category":"c","action":"a","target_type":"","description":""}]}"#,
        ),
        (
            "is empty",
            r#"{"types":[{"type":"","category":"c","action":"a","target_type":"","description":""}]}"#,
        ),
        ("cannot read", r#"{"type":[]}"#),
    ] {
        let error = Table::layered(Layer { lock: &one.lock, registry: Some(text) }).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}
