//! The reader against every variant that the documentation leaves open, and against arbitrary bytes.

use bytes::Bytes;
use proptest::prelude::*;

use super::page::{any_page, plain_page};
use super::*;
use crate::error::Kind;
use crate::model::json::MAX_DEPTH;
use crate::model::{Event, Flaw, Page, Timestamp};

const EVENT: &str = r#"{"id":"a","created_at":"2018-08-13T10:15:31"}"#;

fn read(text: impl Into<Bytes>) -> crate::Result<Page> {
    page(&text.into(), 100)
}

/// Whether the short way reads it; if so, as the long way does.
fn is_plain(body: &Bytes, most: usize) -> bool {
    let Some(plain) = plain_page(body, most) else { return false };
    let any = any_page(body, most).unwrap();
    assert_eq!((plain.total, plain.number, plain.events), (any.total, any.number, any.events));
    true
}

fn with(events: &str, total: &str) -> String {
    format!(r#"{{"_embedded":{{"events":{events}}},"page":{{"totalElements":{total}}}}}"#)
}

fn one(text: &str) -> Event {
    event(Bytes::copy_from_slice(text.as_bytes()))
}

#[test]
fn reads_a_page_and_slices_it() {
    let second = "{ \"id\" : \"b\\/\\u0041\", \"n\": 1E2,\t\"n\": {} }";
    let body = Bytes::from(with(&format!("[ {EVENT} ,\n{second}]"), "7"));
    let page = read(body.clone()).unwrap();
    assert_eq!((page.total, page.server_time, page.events.len()), (7, None, 2));
    assert_eq!(page.events[0].id.as_str(), "a");
    assert_eq!(page.events[0].created_at, Some(Timestamp::from_seconds(1_534_155_331)));
    assert_eq!(page.events[1].id.as_str(), "b/A");
    assert_eq!(page.events[1].created_at, None);
    assert_eq!(page.events[1].text, second);
    assert!(page.events.iter().all(|event| event.flaw.is_none()));
    let range = body.as_ptr_range();
    assert!(page.events.iter().all(|event| range.contains(&event.text.as_ptr())), "texts are not copied");
}

#[test]
fn the_short_way_is_for_pages_as_they_are_documented() {
    for events in ["[]", " [ ] ", "[1]", &format!("[{EVENT}]"), &format!(" [ {EVENT} , {EVENT} ] ")] {
        assert!(is_plain(&Bytes::from(with(events, "7")), 2), "{events}");
    }
    let list = format!("[{EVENT},{EVENT}]");
    assert!(is_plain(&with(&list, "7").replacen('{', r#"{"a":"\"events\":[","#, 1).into(), 2));
    for text in [
        with(&list, "7").replacen("totalElements", "totalElement", 1),
        with(&list, "7").replacen("_embedded", "embedded", 1),
        with(&list, "7").replacen('{', r#"{"_embedded":null,"#, 1),
        with(&list, "7").replacen('{', r#"{"events":[],"#, 1),
        with(&list, "7").replacen("events", r"event\u0073", 1),
        with(&list, "7") + "]",
        with(&format!("{list},\"events\":[]"), "7"),
        with(&format!("[{EVENT},]"), "7"),
        with(&format!("[,{EVENT}]"), "7"),
        with(&format!("[{EVENT}{EVENT}]"), "7"),
        with(&format!("[{EVENT},{EVENT},{EVENT}]"), "7"),
        with("[{\"id\":tru}]", "7"),
        with("[{\"id\":\"a]}", "7"),
        with("[", "7"),
        with("7", "7"),
    ] {
        assert!(!is_plain(&Bytes::from(text.clone()), 2), "{text}");
    }
}

#[test]
fn nothing_found_has_many_forms_and_the_total_is_passed_on() {
    for embedded in ["", r#""_embedded":null,"#, r#""_embedded":{},"#, r#""_embedded":{"events":null},"#] {
        for total in [0, 1, 120] {
            let body = Bytes::from(format!(r#"{{{embedded}"page":{{"totalElements":{total}}}}}"#));
            let page = page(&body, 100).unwrap();
            assert!(page.events.is_empty(), "{embedded}");
            assert_eq!(page.total, total, "{embedded}");
        }
    }
    assert!(read(with("[]", "0")).is_ok());
}

#[test]
fn what_is_not_a_page_is_malformed() {
    let event = format!("[{EVENT}]");
    let mut bodies: Vec<String> = [
        "",
        " ",
        "null",
        "[]",
        "{}",
        "\"page\"",
        "<!DOCTYPE html><title>Log in</title>",
        r#"{"status":500,"error":"Internal Server Error"}"#,
        r#"{"title":"Too many requests"}"#,
        r#"{"page":null}"#,
        r#"{"page":[]}"#,
        r#"{"page":{}}"#,
        r#"{"page":7}"#,
        r#"{"totalElements":0}"#,
        r#"{"page":{"totalElements":0},"page":{"totalElements":0}}"#,
        r#"{"page":{"totalElements":0,"totalElements":0}}"#,
        r#"{"page":{"totalElements":0,"total\u0045lements":0}}"#,
        r#"{"page":{"totalElements":0},"_embedded":null,"_embedded":null}"#,
        r#"{"page":{"totalElements":0},"_embedded":{"events":[],"events":[]}}"#,
        r#"{"page":{"totalElements":0},"_embedded":[]}"#,
        r#"{"page":{"totalElements":0},"_embedded":"x"}"#,
        r#"{"page":{"totalElements":0},"_embedded":{"events":{}}}"#,
        r#"{"page":{"totalElements":0},"_embedded":{"events":"x"}}"#,
        r#"{"page":{"totalElements":0},"_embedded":{"events":0}}"#,
        r#"{"page":{"totalElements":0}} x"#,
        r#"{"page":{"totalElements":0}}{"page":{"totalElements":0}}"#,
        "\u{feff}{\"page\":{\"totalElements\":0}}",
    ]
    .map(str::to_owned)
    .to_vec();
    for total in
        ["-1", "-0", "1.0", "1e2", "\"1\"", "null", "true", "[]", "{}", "18446744073709551616", "01", "NaN"]
    {
        bodies.push(with(&event, total));
    }
    for body in bodies {
        let error = read(body.clone()).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), Kind::Malformed, "{body}");
    }
    assert_eq!(read(with(&event, "18446744073709551615")).unwrap().total, u64::MAX);
}

#[test]
fn a_cut_page_is_never_a_page() {
    let whole = with(&format!("[{EVENT},{EVENT}]"), "2");
    for length in 0..whole.len() {
        assert!(read(whole.as_bytes()[..length].to_vec()).is_err(), "{length}");
    }
    assert!(read(whole).is_ok());
}

#[test]
fn a_page_may_be_ten_times_as_large_as_asked_and_no_larger() {
    let body = |count: usize| Bytes::from(with(&format!("[{}]", vec![EVENT; count].join(",")), "9"));
    assert_eq!(page(&body(1000), 5).unwrap().events.len(), 1000);
    assert_eq!(page(&body(1001), 5).unwrap_err().kind(), Kind::Malformed);
    assert_eq!(page(&body(1), 5).unwrap().events.len(), 1);
}

#[test]
fn each_flaw_is_named_and_the_time_is_kept_when_readable() {
    let time = r#""created_at":"2018-08-13T10:15:31""#;
    let long = "x".repeat(257);
    let deep = "[".repeat(64) + &"]".repeat(64);
    for (text, flaw, id, has_time) in [
        (format!(r#"{{"id":"a",{time}}}"#), None, Some("a"), true),
        (format!(r#"{{"id":"{}",{time}}}"#, "x".repeat(256)), None, None, true),
        ("[]".to_owned(), Some(Flaw::NotAnObject), None, false),
        ("\"id\"".to_owned(), Some(Flaw::NotAnObject), None, false),
        ("null".to_owned(), Some(Flaw::NotAnObject), None, false),
        (format!("{{{time}}}"), Some(Flaw::NoId), None, true),
        (format!(r#"{{"id":null,{time}}}"#), Some(Flaw::NoId), None, true),
        (format!(r#"{{"id":"",{time}}}"#), Some(Flaw::NoId), None, true),
        (format!(r#"{{"ID":"a",{time}}}"#), Some(Flaw::NoId), None, true),
        (format!(r#"{{"id":7,{time}}}"#), Some(Flaw::UnusableId), None, true),
        (format!(r#"{{"id":true,{time}}}"#), Some(Flaw::UnusableId), None, true),
        (format!(r#"{{"id":["a"],{time}}}"#), Some(Flaw::UnusableId), None, true),
        (format!(r#"{{"id":"{long}",{time}}}"#), Some(Flaw::UnusableId), None, true),
        (format!(r#"{{"id":"\ud800",{time}}}"#), Some(Flaw::UnusableId), None, true),
        (format!(r#"{{"id":"a\u0000",{time}}}"#), Some(Flaw::UnusableId), None, true),
        (format!(r#"{{"id":"a","id":"a",{time}}}"#), Some(Flaw::AmbiguousKey), None, true),
        (format!(r#"{{"id":"a","\u0069d":"b",{time}}}"#), Some(Flaw::AmbiguousKey), None, true),
        (format!(r#"{{"id":"a",{time},{time}}}"#), Some(Flaw::AmbiguousKey), Some("a"), true),
        (format!(r#"{{"id":"a",{time},"created_at":null}}"#), Some(Flaw::AmbiguousKey), Some("a"), false),
        (format!(r#"{{"id":"a","created_at":1,{time}}}"#), Some(Flaw::AmbiguousKey), Some("a"), false),
        (format!(r#"{{"id":"a",{time},"x":{deep}}}"#), Some(Flaw::TooDeep), Some("a"), true),
        (format!(r#"{{"id":"a",{time},"x":{}}}"#, deep.get(1..127).unwrap()), None, Some("a"), true),
        (r#"{"id":"a","created_at":7}"#.to_owned(), None, Some("a"), false),
        (r#"{"id":"a","created_at":"yesterday"}"#.to_owned(), None, Some("a"), false),
    ] {
        let event = one(&text);
        assert_eq!(event.flaw, flaw, "{text}");
        assert_eq!(event.created_at.is_some(), has_time, "{text}");
        assert_eq!(event.text, text);
        match id {
            Some(id) => assert_eq!(event.id.as_str(), id, "{text}"),
            None if flaw.is_some() => assert!(event.id.as_str().starts_with("sha256:"), "{text}"),
            None => assert_eq!(event.id.as_str().len(), 256),
        }
        // The same event in a page is the same event.
        assert_eq!(read(with(&format!("[{text}]"), "1")).unwrap().events, [event]);
    }
    assert_eq!(MAX_DEPTH, 64);
    assert_eq!(
        one("null").id.as_str(),
        "sha256:74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b"
    );
}

#[test]
fn nesting_of_any_depth_flaws_one_event_alone() {
    for depth in [65, 128, 100_000, 3_000_000] {
        let deep = format!(r#"{{"id":"d","x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        let events = read(with(&format!("[{EVENT},{deep},{EVENT}]"), "3")).unwrap().events;
        let flaws: Vec<_> = events.iter().map(|event| event.flaw).collect();
        assert_eq!(flaws, [None, Some(Flaw::TooDeep), None]);
        assert_eq!(events[1].id.as_str(), "d");
    }
}

#[test]
fn lines_may_have_white_space_and_may_be_no_json() {
    let event = one(&format!(" \t{EVENT}\r\n"));
    assert_eq!((event.text.as_ref(), event.flaw), (EVENT.as_bytes(), None));
    for text in ["", "{", "{\"id\":\"a\"", "garbage", "{} {}"] {
        let event = one(text);
        assert_eq!((event.text.as_ref(), event.flaw), (text.as_bytes(), Some(Flaw::NotAnObject)));
    }
    let event = event_of(b"\xff");
    assert_eq!((event.text.as_ref(), event.flaw), (&b"\xff"[..], Some(Flaw::NotUtf8)));
}

fn event_of(bytes: &'static [u8]) -> Event {
    event(Bytes::from_static(bytes))
}

#[test]
fn bytes_that_are_not_utf8_flaw_the_events_that_hold_them_and_no_other() {
    let time = b"\"created_at\":\"2018-08-13T10:15:31\"";
    // Lone continuation, overlong slash, surrogate, cut sequence before the quote, beyond U+10FFFF.
    for bad in [&b"\x80"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xe2\x82", b"\xf4\x90\x80\x80", b"\xff\xfe"] {
        let event = [b"{\"id\":\"n\",\"x\":\"", bad, b"\",", time, b"}"].concat();
        let body = [
            b"{\"_embedded\":{\"events\":[",
            EVENT.as_bytes(),
            b",",
            &event,
            b",",
            EVENT.as_bytes(),
            "]},\"é\":0,\"page\":{\"totalElements\":3}}".as_bytes(),
        ]
        .concat();
        let events = read(body).unwrap().events;
        assert_eq!(
            events.iter().map(|event| event.flaw).collect::<Vec<_>>(),
            [None, Some(Flaw::NotUtf8), None]
        );
        assert_eq!(events[1].text, event);
        assert_eq!(events[1].id.as_str(), "n");
        assert!(events[1].created_at.is_some());
    }
    let event = event_of(b"{\"id\":\"a\xff\",\"created_at\":\"2018-08-13T10:15:31\"}");
    assert!(event.id.as_str().starts_with("sha256:") && event.created_at.is_some());
    assert_eq!(event.flaw, Some(Flaw::NotUtf8));
    // Two ids that differ in a bad byte only stay two.
    assert_ne!(event.id, event_of(b"{\"id\":\"a\xfe\",\"created_at\":\"2018-08-13T10:15:31\"}").id);
}

#[test]
fn bytes_that_are_not_utf8_outside_of_events_spoil_the_page() {
    for body in [
        &b"{\"page\":{\"totalElements\":0},\"x\":\"\xff\"}"[..],
        b"{\"page\":{\"totalElements\":0},\"\xff\":1}",
        b"\xff{\"page\":{\"totalElements\":0}}",
        b"{\"page\":{\"totalElements\":0}}\xff",
        b"\xff\xfe{\0}\0",
    ] {
        assert_eq!(read(body).map(|_| ()).unwrap_err().kind(), Kind::Malformed);
    }
}

#[test]
fn types_are_read_in_order_and_need_names() {
    let read = |text: &str| types(text.as_bytes());
    let found = read(
        r#"{"eventTypes":[{"type":"B","description":"b"},{"type":"A"},{"type":"C","description":null}],"x":1}"#,
    );
    let found: Vec<_> = found.unwrap().into_iter().map(|kind| (kind.name, kind.description)).collect();
    let text = |text: &str| text.to_owned();
    assert_eq!(found, [(text("B"), text("b")), (text("A"), text("")), (text("C"), text(""))]);
    assert_eq!(read(r#"{"eventTypes":[]}"#).unwrap(), []);
    for body in [
        "",
        "[]",
        "{}",
        r#"{"eventTypes":null}"#,
        r#"{"eventTypes":{}}"#,
        r#"{"eventTypes":[1]}"#,
        r#"{"eventTypes":[{}]}"#,
        r#"{"eventTypes":[{"type":""}]}"#,
        r#"{"eventTypes":[{"type":7}]}"#,
        r#"{"eventTypes":[],"eventTypes":[]}"#,
    ] {
        assert_eq!(read(body).unwrap_err().kind(), Kind::Malformed, "{body}");
    }
}

#[test]
fn a_bare_object_keeps_its_bytes() {
    assert_eq!(object(&Bytes::from_static(b" {\"a\":\"\xff\"}\n")).unwrap(), &b"{\"a\":\"\xff\"}"[..]);
    for body in ["", "[]", "null", "{", "<html>"] {
        assert_eq!(object(&Bytes::from_static(body.as_bytes())).unwrap_err().kind(), Kind::Malformed);
    }
}

/// White space that may stand between any two tokens.
fn space() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,2}"
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
        let bytes = Bytes::from(bytes);
        is_plain(&bytes, 100);
        if let Err(error) = page(&bytes, 100) {
            prop_assert_eq!(error.kind(), Kind::Malformed);
        }
        let _ = (types(&bytes), object(&bytes));
        let read = event(bytes.clone());
        let is_object = read.text.first() == Some(&b'{');
        prop_assert!(read.flaw.is_some() || is_object);
    }

    #[test]
    fn any_damage_to_a_page_is_read_or_refused(position in 0_usize..200, byte in any::<u8>(), length in 0_usize..4) {
        let mut body = with(&format!("[{EVENT},{EVENT}]"), "2").into_bytes();
        let position = position.min(body.len());
        let end = (position + length).min(body.len());
        body.splice(position..end, [byte]);
        let body = Bytes::from(body);
        is_plain(&body, 100);
        match page(&body, 100) {
            Ok(page) => for event in page.events {
                prop_assert!(event.flaw.is_some() || std::str::from_utf8(&event.text).is_ok());
            },
            Err(error) => prop_assert_eq!(error.kind(), Kind::Malformed),
        }
    }

    #[test]
    fn any_order_spacing_and_company_of_keys_is_the_same_page(
        order in Just([0_usize, 1, 2, 3]).prop_shuffle(),
        inner in Just([0_usize, 1, 2, 3]).prop_shuffle(),
        gaps in proptest::collection::vec(space(), 4),
        ids in proptest::collection::vec("[a-zé]{1,8}", 1..6),
        total in any::<u64>(),
    ) {
        let [a, b, c, d] = [&gaps[0], &gaps[1], &gaps[2], &gaps[3]];
        let texts: Vec<String> = ids
            .iter()
            .map(|id| {
                let members = [
                    format!(r#""id"{a}:{b}"{id}""#),
                    r#""created_at":"2018-08-13T10:15:31""#.to_owned(),
                    r#""context":{"id":1,"created_at":2,"page":{}}"#.to_owned(),
                    r#""_links":{"self":{"href":"http://api.nexmo.com"}}"#.to_owned(),
                ];
                let members: Vec<_> = inner.iter().map(|position| members[*position].as_str()).collect();
                format!("{{{c}{}{d}}}", members.join(","))
            })
            .collect();
        let parts = [
            format!(r#""page"{a}:{{"number":0,"totalElements"{b}:{c}{total}{d},"size":"x"}}"#),
            format!(r#""_embedded":{{"other":[],"events":[{a}{}{b}]}}"#, texts.join(&format!("{c},{d}"))),
            r#""_links":{"next":{"href":"file:///etc/passwd"}}"#.to_owned(),
            r#""new":[{"events":[1],"page":{"totalElements":9}}]"#.to_owned(),
        ];
        let parts: Vec<_> = order.iter().map(|position| parts[*position].as_str()).collect();
        let body = Bytes::from(format!("{a}{{{b}{}{c}}}{d}", parts.join(&format!("{d},{a}"))));
        let new = |part: &usize| *part == 3;
        prop_assert_eq!(is_plain(&body, 100), order.iter().position(|part| *part == 1) < order.iter().position(new));
        let page = read(body).unwrap();
        prop_assert_eq!(page.total, total);
        prop_assert!(page.events.iter().all(|event| event.flaw.is_none() && event.created_at.is_some()));
        prop_assert_eq!(page.events.iter().map(|event| event.id.as_str()).collect::<Vec<_>>(), ids);
        prop_assert_eq!(page.events.iter().map(|event| event.text.to_vec()).collect::<Vec<_>>(), texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>());
    }
}
