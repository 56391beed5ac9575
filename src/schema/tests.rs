//! The built-in documents, and what broken ones say.

use std::collections::{BTreeMap, BTreeSet};

use arrow_schema::{DataType as Arrow, TimeUnit};
use serde_json::Value;

use super::*;
use crate::error::Kind as ErrorKind;

fn lock() -> Value {
    serde_json::from_str(Documents::BUILTIN.lock).unwrap()
}

fn error_of(documents: Documents<'_>) -> String {
    let error = Table::from_documents(documents).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    error.to_string()
}

/// The error of the built-in lock after a change.
fn lock_error(change: impl FnOnce(&mut Vec<Value>)) -> String {
    let mut lock = lock();
    change(lock["columns"].as_array_mut().unwrap());
    error_of(Documents { lock: &lock.to_string(), ..Documents::BUILTIN })
}

fn changed<'a>(text: &str, from: &str, to: &str, into: &'a mut String) -> &'a str {
    assert!(text.contains(from), "{from}");
    *into = text.replacen(from, to, 1);
    into
}

#[test]
fn the_columns_are_the_contracts_in_its_order() {
    let table = Table::builtin().unwrap();
    let names: Vec<_> = table.columns().iter().map(|column| column.name.as_str()).collect();
    let expected = "id event_type event_type_description created_at user_email user_id account_id source source_ip \
        source_description source_country link_self_href event_category event_action actor target_type target_id \
        target_account_id target_application_id target_msisdn target_country target_ip context_json unmapped_json \
        context__country context__msisdn context__account context__account_id context__application_id \
        context__app_id context__voice_type context__voice_value context__http context__created__account_id \
        context__created__app_id context__created__name context__created__type \
        context__created__answer_url__method context__created__answer_url__url \
        context__created__event_url__method context__created__event_url__url";
    assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
    assert_eq!(table.version(), "1.0.0");
    // Released: a change of this line is a new major version.
    assert_eq!(table.fingerprint(), "f6b3c013d70d55ad702c4aef00f3109d4d9a5894c66f7bf69c26b614ed3604de");
    assert_eq!(table.identity().fingerprint, table.fingerprint());
    assert_eq!(table.position("unmapped_json"), Some(table.remainder_column()));
    assert_eq!(table.position("context_json"), Some(table.context_column()));
    assert_eq!(table.column("created_at").unwrap().data_type, DataType::Timestamp);
    assert!(table.column("createdAt").is_none());
}

#[test]
fn the_fingerprint_is_of_the_canonical_json_without_descriptions() {
    let lock = lock();
    let columns: Vec<BTreeMap<String, Value>> = serde_json::from_value(lock["columns"].clone()).unwrap();
    let bare: Vec<BTreeMap<_, _>> = columns
        .into_iter()
        .map(|column| column.into_iter().filter(|(key, _)| key != "description").collect())
        .collect();
    let text = serde_json::to_string(&bare).unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, lock["fingerprint"]);

    let mut text = String::new();
    let described = changed(Documents::BUILTIN.lock, "Identity of the event", "The identity", &mut text);
    assert!(Table::from_documents(Documents { lock: described, ..Documents::BUILTIN }).is_ok());
}

#[test]
fn the_arrow_schema_is_the_lock() {
    let table = Table::builtin().unwrap();
    let schema = table.arrow_schema();
    let lock = lock();
    let columns = lock["columns"].as_array().unwrap();
    assert_eq!(schema.fields().len(), columns.len());
    for (field, column) in schema.fields().iter().zip(columns) {
        assert_eq!(*field.name(), column["name"]);
        assert!(field.is_nullable());
        let expected = match column["arrow"].as_str().unwrap() {
            "utf8" => Arrow::Utf8,
            "timestamp[us, tz=UTC]" => Arrow::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            other => panic!("{other}"),
        };
        assert_eq!(*field.data_type(), expected);
        let metadata = field.metadata();
        assert_eq!(metadata.get("PARQUET:field_id").unwrap(), &column["field_id"].to_string());
        assert_eq!(column["description"], metadata.get("description").unwrap().as_str());
    }
}

/// Calls `leaf` with pointer and annotation of each annotated property.
fn walk(schema: &Value, pointer: &str, leaf: &mut impl FnMut(&str, &Value)) {
    if let Some(note) = schema.get("x-vonage-audit") {
        leaf(pointer, note);
    }
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let segment = name.replace('~', "~0").replace('/', "~1");
        walk(property, &format!("{pointer}/{segment}"), leaf);
    }
}

#[test]
fn the_lock_holds_what_the_schema_files_attest_and_nothing_else() {
    let table = Table::builtin().unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/v1");
    let read =
        |path: String| -> Value { serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap() };

    let mut attested = BTreeSet::new();
    let mut check = |pointer: &str, note: &Value| {
        let name = note["column"].as_str().unwrap();
        if note["status"] != "candidate" {
            assert!(
                ["attested", "observed", "deprecated"].contains(&note["status"].as_str().unwrap()),
                "{name}"
            );
            let column = table.column(name).unwrap_or_else(|| panic!("{name} is not in the lock"));
            assert_eq!(column.pointer.as_deref(), Some(pointer), "{name}");
            assert_eq!(column.data_type.name(), note["arrow"], "{name}");
            assert_eq!(column.json.map(Json::name), note["json"].as_str(), "{name}");
            assert_eq!(column.since, note["since"].as_str().unwrap(), "{name}");
            attested.insert(name.to_owned());
            return;
        }
        // A candidate emits no column, but its name is already the one it will get.
        let taken =
            |name: &str| table.column(name).is_some_and(|column| column.pointer.as_deref() != Some(pointer));
        let mut legal = column_name(pointer, taken).unwrap();
        if note["json"] == "any" {
            legal.push_str("_json");
        }
        assert_eq!(name, legal);
    };
    walk(&read(format!("{folder}/event.schema.json")), "", &mut check);
    for known in table.registry().types() {
        let schema = read(format!("{folder}/context/{}.schema.json", known.name));
        walk(&schema, "/context", &mut check);
    }
    let frozen: BTreeSet<_> = table
        .columns()
        .iter()
        .filter(|column| column.pointer.is_some())
        .map(|column| column.name.clone())
        .collect();
    assert_eq!(attested, frozen);
    assert_eq!(
        std::fs::read_dir(format!("{folder}/context")).unwrap().count(),
        table.registry().types().len()
    );
}

#[test]
fn the_registry_knows_the_29_names() {
    let table = Table::builtin().unwrap();
    let registry = table.registry();
    assert_eq!(registry.types().len(), 29);
    let secret = registry.find("ACCOUNT_SECRET_CREATE").unwrap();
    assert_eq!(
        (secret.category.as_str(), secret.action.as_str(), secret.target_type.as_str()),
        ("secret", "create", "secret")
    );
    for known in registry.types() {
        assert_eq!(registry.find(&known.name), Some(known));
    }
    assert_eq!(registry.find("account_secret_create"), None);
    assert_eq!(registry.find(""), None);
    assert_eq!((registry.unknown_category(), registry.unknown_action()), ("unknown", "unknown"));
}

#[test]
fn broken_locks_are_refused_with_the_place() {
    for (what, expected, change) in [
        ("name", "identifier", ("name", "Id")),
        ("long", "identifier", ("name", "a123456789012345678901234567890123456789012345678901234567890123")),
        ("type", "the Arrow type is not known", ("arrow", "int32")),
        ("kind", "the kind is not known", ("kind", "meta")),
        ("json", "the JSON type is not known", ("json", "decimal")),
        ("mixed", "do not go together", ("kind", "copy")),
        ("since", "not a version", ("since", "1.0")),
        ("newer", "newer than the table", ("since", "1.0.1")),
        ("name twice", "the name occurs twice", ("name", "source")),
        ("pointer twice", "the pointer occurs twice", ("pointer", "/event_type")),
        ("pointer", "not the one of the column list", ("pointer", "/identity")),
    ] {
        let error = lock_error(|columns| columns[0][change.0] = change.1.into());
        // The name twice is found at the later column.
        assert!(error.contains(expected), "{what}: {error}");
        assert!(error.contains("table.lock.json"), "{what}: {error}");
    }
    assert!(lock_error(|columns| columns[0]["field_id"] = 2.into()).contains("the field id occurs twice"));
    assert!(lock_error(|columns| columns[0]["field_id"] = 0.into()).contains("not positive"));
    assert!(lock_error(|columns| columns[24]["name"] = "context__land".into()).contains("context__country"));
    assert!(lock_error(|columns| columns.swap(0, 1)).contains("fingerprint"));
    assert!(lock_error(|columns| columns.truncate(40)).contains("fingerprint"));
    assert!(lock_error(|columns| columns[0]["colour"] = "red".into()).contains("colour"));
}

/// A lock with this change and the fingerprint that goes with it.
fn refrozen(change: impl FnOnce(&mut Vec<Value>)) -> String {
    let mut lock = lock();
    change(lock["columns"].as_array_mut().unwrap());
    let error = error_of(Documents { lock: &lock.to_string(), ..Documents::BUILTIN });
    let right = error.split("expected ").nth(1).unwrap().split([',', ')']).next().unwrap().to_owned();
    lock["fingerprint"] = right.into();
    lock.to_string()
}

#[test]
fn a_pointer_inside_another_is_refused_and_an_appended_column_is_not() {
    let append = |pointer: &'static str, name: &'static str| {
        refrozen(move |columns| {
            let mut column = columns[0].clone();
            column["field_id"] = 200.into();
            column["pointer"] = pointer.into();
            column["name"] = name.into();
            columns.push(column);
        })
    };
    for (pointer, name) in
        [("/id/x", "id_x"), ("/context/http/url", "context__http__url"), ("/_links/self", "links_self")]
    {
        let error = error_of(Documents { lock: &append(pointer, name), ..Documents::BUILTIN });
        assert!(error.contains("lies inside"), "{error}");
    }
    let lock = append("/context/app_id", "context__app_id__hfebfbd29");
    let table = Table::from_documents(Documents { lock: &lock, ..Documents::BUILTIN }).unwrap();
    assert_eq!(table.columns().len(), 42);
    assert_ne!(table.fingerprint(), Table::builtin().unwrap().fingerprint());
    for pointer in ["x", "/a~b", "/1/2/3/4/5/6/7/8/9"] {
        let error = error_of(Documents { lock: &append(pointer, "x"), ..Documents::BUILTIN });
        assert!(error.contains("not a JSON Pointer"), "{error}");
    }
}

#[test]
fn copies_must_be_the_context_and_one_remainder() {
    let lock = refrozen(|columns| columns[22]["pointer"] = "/id2".into());
    assert!(error_of(Documents { lock: &lock, ..Documents::BUILTIN }).contains("only the context"));
    let lock = refrozen(|columns| columns[22]["pointer"] = Value::Null);
    assert!(
        error_of(Documents { lock: &lock, ..Documents::BUILTIN }).contains("two columns hold the remainder")
    );
    let lock = refrozen(|columns| drop(columns.remove(23)));
    assert!(
        error_of(Documents { lock: &lock, ..Documents::BUILTIN }).contains("no column holds the remainder")
    );
    let lock = refrozen(|columns| drop(columns.remove(22)));
    assert!(
        error_of(Documents { lock: &lock, ..Documents::BUILTIN }).contains("no column holds the context")
    );
}

#[test]
fn broken_registries_and_rules_are_refused() {
    let mut text = String::new();
    for (from, to, expected) in [
        ("\"category\": \"secret\"", "\"category\": \"\"", "empty"),
        ("ACCOUNT_SECRET_CREATE", "ACCOUNT_SECRET_DELETE", "not sorted"),
        ("1.0.0", "1.0.1", "version"),
        ("\"action\"", "\"verb\"", "verb"),
    ] {
        let registry = changed(Documents::BUILTIN.registry, from, to, &mut text);
        let error = error_of(Documents { registry, ..Documents::BUILTIN });
        assert!(error.contains(expected) && error.contains("registry.json"), "{error}");
    }
    for (from, to, expected) in [
        ("\"column\": \"actor\"", "\"column\": \"id\"", "exactly one rule"),
        ("\"column\": \"actor\"", "\"column\": \"target_ip\"", "exactly one rule"),
        ("{\"only\": \"uuid\"}", "{\"column\": \"event_action\"}", "no list of its own"),
        ("{\"only\": \"ip\"}", "{\"column\": \"target_msisdn\"}", "exactly one of pointer"),
        ("{\"only\": \"ip\"}", "{\"only\": \"ip\", \"pointer\": \"/a\"}", "exactly one of pointer"),
        ("{\"only\": \"ip\"}", "{\"only\": \"mac\"}", "mac"),
        ("{\"pointer\": \"/user_email\"}", "{\"pointer\": \"user_email\"}", "not a JSON Pointer"),
        ("{\"pointer\": \"/user_email\"}", "{\"pointer\": \"/user_email/x\"}", "lies inside"),
        ("\"registry\": \"action\"", "\"registry\": \"action\", \"first_of\": []", "exactly one of registry"),
        ("1.0.0", "2.0.0", "version"),
    ] {
        let derived = changed(Documents::BUILTIN.derived, from, to, &mut text);
        let error = error_of(Documents { derived, ..Documents::BUILTIN });
        assert!(error.contains(expected), "{expected}: {error}");
    }
}
