//! Generated events that aim at the traps: wrong types at the table's own places, odd texts, doubled keys.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Keys of the envelope; some are spelled with escapes, one is not known.
const ENVELOPE: &[&str] = &[
    "id",
    "\\u0069d",
    "event_type",
    "event_type_description",
    "created_at",
    "created\\u005fat",
    "user_email",
    "user_id",
    "account_id",
    "source",
    "source_ip",
    "source_description",
    "source_country",
    "novel",
    "",
    "\\ud800",
    "ID",
    "context_json",
    "unmapped_json",
    "self",
    "a\\/b",
];

const CONTEXT: &[&str] = &[
    "country",
    "msisdn",
    "account",
    "accountId",
    "applicationId",
    "appId",
    "voice-type",
    "voice-value",
    "http",
    "voice\\u002dtype",
    "name",
    "type",
    "method",
    "url",
    "novel",
    "\\udc00",
    "",
];

const INNER: &[&str] = &["created", "answer_url", "event_url", "context", "self", "href"];

const SCALARS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-7",
    "1234567",
    "1E2",
    "1e400",
    "0.10",
    "10.17127500",
    "1180591620717411303424",
    "9007199254740993",
    r#""""#,
    r#""x""#,
    r#""1234567""#,
    r#""\ud800""#,
    r#""\udc00\ud800""#,
    r#""a\u0000b""#,
    r#""\u00e9é😀\ud83d\ude00""#,
    r#""a\/b\\\"""#,
    r#""DEVAPI""#,
    r#""devapi""#,
    r#""app""#,
    r#""10.0.0.1""#,
    r#""10.0.0.0/8""#,
    r#""aaaaaaaa-bbbb-cccc-dddd-0123456789ab""#,
    r#""NUMBER_UPDATED""#,
    r#""APP_CREATE""#,
    r#""IP_WHITELIST_CREATE""#,
    r#""ACCOUNT_SECRET_CREATE""#,
    r#""USER_LOGIN""#,
    r#""NOVEL_TYPE""#,
    r#""2018-08-13T10:15:31""#,
    r#""2018-08-13T10:15:31Z""#,
    r#""2018-08-13T10:15:31+02:00""#,
    r#""2018-08-13 10:15:31""#,
    r#""2018-08-13T10:15:31.5""#,
    r#""2018-08-13T10:15:31.500000""#,
    r#""2018-08-13T10:15:31.1234567""#,
    r#""0987-01-01T00:00:00""#,
    r#""0001-01-01T00:00:00""#,
    r#""9999-12-31T23:59:59""#,
    r#""2018-02-30T00:00:00""#,
    r#""2018-08-13T10:15:3\u0031""#,
    r#""2018-08-13""#,
    "{}",
    "[]",
    "[ ]",
    "{ }",
    r#"[1,{"a":null}]"#,
    r#"{"a":1,"a":2}"#,
    r#"{"href":"x"}"#,
];

fn scalar() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        4 => select(SCALARS).prop_map(str::to_owned),
        1 => any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        1 => any::<i64>().prop_map(|number| number.to_string()),
    ]
}

fn object(members: Vec<(String, String)>, space: &str) -> String {
    let members: Vec<_> =
        members.iter().map(|(key, value)| format!("{space}\"{key}\"{space}:{space}{value}")).collect();
    format!("{{{}{space}}}", members.join(","))
}

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => Just(""), 1 => Just(" "), 1 => Just("\n\t")]
}

fn key(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(names).prop_map(str::to_owned)
}

/// A context: mostly an object with known and unknown members, nested as the published ones; or anything.
fn context() -> impl Strategy<Value = String> {
    let inner = scalar().prop_recursive(4, 24, 5, |value| {
        let names = prop_oneof![key(CONTEXT), key(INNER)];
        (vec((names, value), 0..6), space()).prop_map(|(members, space)| object(members, space))
    });
    let names = prop_oneof![3 => key(CONTEXT), 1 => key(INNER)];
    let whole = (vec((names, inner), 0..8), space()).prop_map(|(members, space)| object(members, space));
    prop_oneof![6 => whole, 1 => scalar()]
}

/// `_links` as documented, with more in it, emptied, doubled inside, or of another type.
fn links() -> impl Strategy<Value = String> {
    let href = (prop_oneof![4 => Just("href"), 1 => Just("hr\\u0065f"), 1 => Just("templated")], scalar());
    let of_self = (vec(href.prop_map(|(key, value)| (key.to_owned(), value)), 0..3), space())
        .prop_map(|(members, space)| object(members, space));
    let of_self = prop_oneof![4 => of_self, 1 => scalar()];
    let name = prop_oneof![5 => Just("self"), 1 => Just("s\\u0065lf"), 1 => Just("next")];
    let whole = (vec((name, of_self).prop_map(|(key, value)| (key.to_owned(), value)), 0..3), space())
        .prop_map(|(members, space)| object(members, space));
    prop_oneof![6 => whole, 1 => scalar()]
}

fn plain(name: &'static str, good: &'static str) -> impl Strategy<Value = (String, String)> {
    prop_oneof![5 => Just(good.to_owned()), 2 => scalar()].prop_map(move |value| (name.to_owned(), value))
}

/// An event: ordinary members that are sometimes wrong, then whatever else, in any order.
pub(crate) fn event() -> impl Strategy<Value = String> {
    let ordinary = (
        plain("id", r#""aaaaaaaa-bbbb-cccc-dddd-0123456789ab""#),
        plain("event_type", r#""NUMBER_UPDATED""#),
        plain("created_at", r#""2018-08-13T10:15:31""#),
        plain("user_id", "1234567"),
        plain("account_id", r#""abcd1234""#),
        plain("source", r#""DEVAPI""#),
    )
        .prop_map(|(a, b, c, d, e, f)| vec![a, b, c, d, e, f]);
    let extra = vec((key(ENVELOPE), scalar()), 0..4);
    let context = vec(context(), 0..3).prop_map(|mut all| {
        // Mostly one; two are a doubled key.
        all.truncate(if all.len() == 2 && all.first().is_some_and(|text| text.len() % 4 != 0) {
            1
        } else {
            2
        });
        all.into_iter().map(|text| ("context".to_owned(), text)).collect::<Vec<_>>()
    });
    let links = vec(links(), 0..3)
        .prop_map(|all| all.into_iter().map(|text| ("_links".to_owned(), text)).collect::<Vec<_>>());
    (ordinary, extra, context, links, any::<u8>(), space())
        .prop_map(|(ordinary, extra, context, links, dropped, space)| {
            let kept = ordinary.into_iter().enumerate().filter(|(at, _)| dropped >> at & 1 == 0);
            let members = kept.map(|(_, member)| member).chain(extra).chain(context).chain(links);
            (members.collect::<Vec<_>>(), space)
        })
        .prop_flat_map(|(members, space)| (Just(members).prop_shuffle(), Just(space)))
        .prop_map(|(members, space)| object(members, space))
}
