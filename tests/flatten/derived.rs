//! Derived columns.

use vonage_audit::schema::{Documents, Table};

use crate::row::Row;

fn event(kind: &str, source: &str, user: &str, context: &str) -> Row {
    let event = format!(
        r#"{{"event_type":"{kind}","account_id":"abcd1234","source":"{source}"{user},"context":{context}}}"#
    );
    Row::of(&event)
}

#[test]
fn the_actor_is_the_user_or_the_key_that_used_the_api() {
    for (source, user, actor) in [
        ("CD", r#","user_email":"a@example.com","user_id":7"#, Some("a@example.com")),
        ("DEVAPI", r#","user_email":"a@example.com""#, Some("a@example.com")),
        ("CD", r#","user_id":7"#, Some("7")),
        ("CD", r#","user_email":"","user_id":7"#, Some("7")),
        ("CD", r#","user_email":null"#, None),
        ("DEVAPI", "", Some("abcd1234")),
        ("DevApi", "", Some("abcd1234")),
        ("DEVAPI2", "", None),
        ("CD", "", None),
    ] {
        let row = event("NUMBER_UPDATED", source, user, "{}");
        assert_eq!(row.get("actor").as_deref(), actor, "{source} {user}");
    }
}

#[test]
fn the_target_follows_from_the_event_type() {
    let uuid = "ad6dc56f-07b5-46e1-a527-85530e625800";
    let secret = format!(r#"{{"secretId":"{uuid}"}}"#);
    let two = format!(r#"{{"a":"{uuid}","b":"bd6dc56f-07b5-46e1-a527-85530e625800"}}"#);
    let created = format!(r#"{{"created":{{"appId":"{uuid}"}}}}"#);
    let linked = format!(r#"{{"msisdn":"447700900000","applicationId":"{uuid}"}}"#);
    for (kind, context, target_type, target_id) in [
        ("ACCOUNT_SECRET_CREATE", secret.as_str(), Some("secret"), Some(uuid)),
        ("ACCOUNT_SECRET_CREATE", two.as_str(), Some("secret"), None),
        ("APP_CREATE", created.as_str(), Some("application"), Some(uuid)),
        ("NUMBER_LINKED", linked.as_str(), Some("number"), Some("447700900000")),
        ("NUMBER_LINKED", r#"{"msisdn":447700900000}"#, Some("number"), Some("447700900000")),
        ("IP_WHITELIST_CREATE", r#"{"ip":"198.51.100.0/24"}"#, Some("ip"), Some("198.51.100.0/24")),
        ("IP_WHITELIST_CREATE", r#"{"ips":["10.0.0.1","10.0.0.2"]}"#, Some("ip"), None),
        ("AUTORELOAD_UPDATE", "{}", Some("autoreload"), Some("abcd1234")),
        ("ACCOUNT_UPDATE_SETTINGS", "null", Some("account"), Some("abcd1234")),
        ("USER_BILLING_UPDATE", "{}", Some("billing"), Some("abcd1234")),
        ("USER_CREATE", r#"{"email":"b@example.com"}"#, Some("user"), None),
        ("USER_LOGIN", "{}", Some("user"), Some("a@example.com")),
        ("USER_PRODUCT_SEARCH", "{}", Some("search"), None),
        ("NOVEL", r#"{"ip":"10.0.0.1"}"#, None, None),
    ] {
        let row = event(kind, "CD", r#","user_email":"a@example.com""#, context);
        assert_eq!(row.get("target_type").as_deref(), target_type, "{kind}");
        assert_eq!(row.get("target_id").as_deref(), target_id, "{kind} {context}");
    }
}

#[test]
fn the_targets_of_the_context_are_the_first_that_are_there() {
    let row = event(
        "NUMBER_UPDATED",
        "CD",
        "",
        r#"{"accountId":"","account":"acc","created":{"accountId":"other"},"country":"GB","msisdn":"44",
            "voice-type":"APP","voice-value":"application","x":{"y":["2001:db8::1"]}}"#,
    );
    for (column, value) in [
        ("target_account_id", "acc"),
        ("target_country", "GB"),
        ("target_msisdn", "44"),
        ("target_application_id", "application"),
        ("target_ip", "2001:db8::1"),
    ] {
        assert_eq!(row.get(column).as_deref(), Some(value), "{column}");
    }
    let row = event("NUMBER_UPDATED", "CD", "", r#"{"voice-type":"sip","voice-value":"sip:a@example.com"}"#);
    assert_eq!(row.get("target_application_id"), None);
}

#[test]
fn an_unknown_or_unreadable_type_is_unknown() {
    for event in ["{}", r#"{"event_type":"X"}"#, r#"{"event_type":7}"#, r#"{"event_type":"app_create"}"#] {
        let row = Row::of(event);
        assert!(!row.notes.known_type);
        assert_eq!(row.get("event_category").as_deref(), Some("unknown"), "{event}");
        assert_eq!(row.get("event_action").as_deref(), Some("unknown"));
        assert_eq!(row.get("target_type"), None);
    }
}

#[test]
fn a_rule_may_look_where_no_column_is_and_nothing_is_lost() {
    let derived = Documents::BUILTIN.derived.replacen(
        r#"{"pointer": "/user_email"}"#,
        r#"{"pointer": "/impersonator/name"}, {"pointer": "/user_email"}"#,
        1,
    );
    let table = Table::from_documents(Documents { derived: &derived, ..Documents::BUILTIN }).unwrap();
    for event in [
        r#"{"impersonator":{"name":"root"},"id":"x"}"#,
        r#"{"impersonator":{"name":"root","more":1},"id":"x"}"#,
        r#"{"impersonator":{},"user_email":"root"}"#,
        r#"{"impersonator":"who","user_email":"root"}"#,
    ] {
        let row = Row::under(table.clone(), event);
        assert_eq!(row.get("actor").as_deref(), Some("root"), "{event}");
        assert!(row.notes.remainder);
        assert!(vonage_audit::flatten::same(event, &row.rebuilt()), "{event}\n{}", row.rebuilt());
    }
}
