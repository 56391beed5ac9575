//! What is replaced, what stays byte for byte, and laws over generated events.

use proptest::prelude::*;

use super::*;

/// A secret that must not be found again.
const CANARY: &str = "c4n4ry";
const BLOCK: &str = r"-----BEGIN PRIVATE KEY-----\nc4n4ry\n-----END PRIVATE KEY-----";

fn redacted(text: &str) -> String {
    String::from_utf8(redact(text.as_bytes()).into_owned()).unwrap()
}

#[test]
fn each_spelling_of_a_key_and_each_shape_of_a_value_is_replaced_and_nothing_else() {
    for key in [
        "secret",
        "api_secret",
        "apiSecret",
        "API-SECRET",
        "password",
        "private_key",
        "PrivateKey",
        r"\u0073ecret",
        r"api\u005fsecret",
    ] {
        for value in [
            r#""c4n4ry""#,
            r#""""#,
            r#""a\"c4n4ry\\""#,
            "12.50e3",
            "true",
            r#"{"a":["c4n4ry",{"}":"]"}]}"#,
            r#"[ "c4n4ry" , [] ]"#,
            "[]",
        ] {
            for (before, after) in [("", ""), (" ", "\t"), ("\r\n", " ")] {
                let text = |value: &str| {
                    format!(
                        r#"{{"id":"é\/","context":[{{ "n" : 1E2 ,"{key}"{before}:{after}{value}{after}}}],"z":"c"}}"#
                    )
                };
                assert_eq!(redacted(&text(value)), text(r#""[REDACTED]""#));
            }
        }
    }
}

#[test]
fn blocks_are_cut_out_of_strings_and_of_keys() {
    for (text, expected) in [
        (format!(r#"{{"a":"x {BLOCK} y"}}"#), r#"{"a":"x [REDACTED] y"}"#),
        (format!(r#"{{"{BLOCK}":1}}"#), r#"{"[REDACTED]":1}"#),
        (format!(r#"["{BLOCK}","é\n"]"#), r#"["[REDACTED]","é\n"]"#),
        (format!(r#"{{"a":"{}"}}"#, BLOCK.replace("\\n", "")), r#"{"a":"[REDACTED]"}"#),
        (format!(r#"{{"a":"{}"}}"#, BLOCK.replace("\\n", "\\\\n")), r#"{"a":"[REDACTED]"}"#),
        (format!(r#"{{"a":"{}"}}"#, BLOCK.replace("PRIVATE", r"\u0050RIVATE")), r#"{"a":"[REDACTED]"}"#),
        (format!(r#"{{"a":"{}"}}"#, BLOCK.replace('-', r"\u002d")), r#"{"a":"[REDACTED]"}"#),
        (r#"{"a":"-----BEGIN RSA PRIVATE KEY-----\nc4n4ry"}"#.into(), r#"{"a":"[REDACTED]"}"#),
    ] {
        assert_eq!(redacted(&text), expected, "{text}");
    }
}

#[test]
fn json_within_strings_is_looked_into() {
    let inner = r#"{ "apiSecret":"c4n4ry", "n":"é\ud800","b":null}"#;
    let expected = r#"{ "apiSecret":"[REDACTED]", "n":"é\ud800","b":null}"#;
    let quote = |text: &str| {
        let mut out = String::new();
        push_string(&mut out, text);
        out
    };
    let (mut text, mut right) = (inner.to_owned(), expected.to_owned());
    for _ in 0..MAX_LEVELS {
        (text, right) = (quote(&text), quote(&right));
        assert_eq!(redacted(&format!(r#"{{"body":{text}}}"#)), format!(r#"{{"body":{right}}}"#));
    }
    let cut = r#"{"body":"{\"password\":\"c4n4"}"#;
    assert_eq!(redacted(cut), r#"{"body":"{\"password\":\"[REDACTED]\""}"#);
    let both = format!(r#"{{"body":{}}}"#, quote(&format!(r#"{{"k":"{BLOCK}","secret":"c4n4ry"}}"#)));
    assert_eq!(redacted(&both), r#"{"body":"{\"k\":\"[REDACTED]\",\"secret\":\"[REDACTED]\"}"}"#);
}

#[test]
fn what_holds_no_secret_is_borrowed() {
    for text in [
        r#"{"id":"secret","event_type":"SECRET_CREATE","context":{"secretId":"x","secret":null,"a":"password"}}"#,
        r#"{"secret":"[REDACTED]","a":"{\"secret\":\"[REDACTED]\"}"}"#,
        r#"{"a":"PRIVATE KEY","b":"-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----"}"#,
        r#"{"a":"\"secret\"\\","b":"{\"a\":1}"}"#,
        "null",
        "[]",
    ] {
        assert!(matches!(redact(text.as_bytes()), Cow::Borrowed(same) if same == text.as_bytes()), "{text}");
    }
}

#[test]
fn a_secret_in_a_text_like_many_before_is_found() {
    let mut outline = Outline::default();
    let mut clean = |text: &str| {
        outline.read(text).unwrap();
        let clean = redact_read(text, &outline);
        assert_eq!(clean, redact(text.as_bytes()), "{text}");
        matches!(clean, Cow::Borrowed(_))
    };
    for _ in 0..3 {
        for text in [r#"{"a":"x","b":{"c":"d"}}"#, r#"{"a":"KEY","b":{"c":"PRIVATE KE"}}"#] {
            assert!(clean(text), "{text}");
        }
        let block = format!(r#"{{"a":"x","b":{{"c":"{}"}}}}"#, BLOCK.replace("\\n", ""));
        for text in
            [block.as_str(), r#"{"a":"{\"secret\":1}","b":{"c":"d"}}"#, r#"{"a":"x","b":{"secret":"d"}}"#]
        {
            assert!(!clean(text), "{text}");
        }
    }
}

#[test]
fn bytes_that_are_not_utf8_or_not_json_give_nothing_away() {
    let garbled = redact(b"{\"id\":\"\xff\",\"secret\":\"c4n4ry\xfe\",\"z\":\"\xfe\"}").into_owned();
    assert_eq!(garbled, b"{\"id\":\"\xff\",\"secret\":\"[REDACTED]\",\"z\":\"\xfe\"}");
    for text in [
        &b"password c4n4ry"[..],
        b"{x}\"secret\" c4n4ry\xff",
        b"{x}\"secret\" c4n4ry",
        b"<secret>c4n4ry</secret>",
        b"{\"secret\":",
    ] {
        assert_eq!(redact_foreign(text).as_ref(), b"\"[REDACTED]\"", "{text:?}");
    }
    for text in [&b"not JSON"[..], b"", b"\"", b"\xff", b"{\"a\":"] {
        assert_eq!(redact_foreign(text), Cow::Borrowed(text));
    }
    let event = br#"{"id":1,"secret":"c4n4ry"}"#;
    assert_eq!(redact_foreign(event), redact(event));
}

#[test]
fn nesting_costs_no_stack() {
    let deep = "{\"a\":".repeat(1_000_000) + "{\"secret\":\"c4n4ry\"}" + &"}".repeat(1_000_000);
    assert!(!redacted(&deep).contains(CANARY));
    let deep = "{\"secret\":".repeat(100_000) + "\"c4n4ry\"" + &"}".repeat(100_000);
    assert_eq!(redacted(&deep), r#"{"secret":"[REDACTED]"}"#);
}

/// JSON text with secrets under some keys, and the same text as it must become.
fn pair() -> impl Strategy<Value = (String, String)> {
    let plain = prop::sample::select(vec!["null", "1E2", "\"\"", r#""é\ud800\"""#, "[]", "{}", "true"]);
    let scalar = plain.prop_map(|text| (text.to_owned(), text.to_owned()));
    scalar.prop_recursive(4, 24, 4, |inner| {
        let key = prop::sample::select(vec!["a", "secretId", r"\u0061", "", "passwor"]);
        let secret = prop::sample::select(vec!["secret", "API_SECRET", "pass-word", r"private\u005fkey"]);
        let value = prop::sample::select(vec![r#""c4n4ry""#, r#"{"x":["c4n4ry"]}"#, r#"[1,"c4n4ry\\"]"#]);
        let member = prop_oneof![
            (key, inner.clone())
                .prop_map(|(key, (one, other))| (format!("\"{key}\" :{one}"), format!("\"{key}\" :{other}"))),
            (secret, value).prop_map(|(key, value)| (
                format!("\"{key}\": {value}"),
                format!("\"{key}\": \"{REDACTED}\"")
            )),
        ];
        let join = |items: Vec<(String, String)>, open: &str, close: &str| {
            let (ones, others): (Vec<_>, Vec<_>) = items.into_iter().unzip();
            (format!("{open}{}{close}", ones.join(" ,")), format!("{open}{}{close}", others.join(" ,")))
        };
        prop_oneof![
            prop::collection::vec(member, 0..4).prop_map(move |items| join(items, "{", "}")),
            prop::collection::vec(inner, 0..4).prop_map(move |items| join(items, "[", "]")),
        ]
    })
}

proptest! {
    #[test]
    fn a_text_that_was_read_is_cleaned_as_any_other(pairs in prop::collection::vec(pair(), 1..4)) {
        let mut outline = Outline::default();
        for (text, expected) in pairs.iter().chain(&pairs) {
            for text in [text, expected, text] {
                outline.read(text).unwrap();
                prop_assert_eq!(redact_read(text, &outline), redact(text.as_bytes()));
            }
        }
    }

    #[test]
    fn secrets_go_and_every_other_byte_stays((text, expected) in pair()) {
        let once = redacted(&text);
        prop_assert_eq!(&once, &expected);
        prop_assert!(!once.contains(CANARY));
        prop_assert!(Value::parse(&once).is_ok());
        prop_assert!(matches!(redact(once.as_bytes()), Cow::Borrowed(_)), "a second time changes nothing");
    }

    #[test]
    fn any_bytes_can_be_looked_at_and_json_stays_json(bytes in prop::collection::vec(
        prop::sample::select(b"{}[]\"\\:, u0-aPRIVTEKYsecret\xff".to_vec()), 0..60)) {
        let out = redact(&bytes);
        if let Ok(text) = std::str::from_utf8(&bytes) && Value::parse(text).is_ok() {
            let out = std::str::from_utf8(&out).unwrap();
            prop_assert!(Value::parse(out).is_ok(), "{text} became {out}");
        }
    }
}
