//! The spelling of values: laws over random and nasty values.

use std::collections::HashMap;

use super::*;

/// Stands for the digest that the caller gives: different for different values of these tests.
fn digest(value: &str) -> String {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    let mut out = String::new();
    for round in 0..4_u8 {
        for byte in value.bytes().chain([round]) {
            sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        out.push_str(&format!("{sum:016x}"));
    }
    out
}

fn nasty() -> Vec<String> {
    let mut values: Vec<String> = [
        "..",
        "../",
        "../../etc/passwd",
        "/",
        "//",
        "\\",
        "C:\\x",
        ".",
        "\0",
        "a\0b",
        "CON",
        "NUL",
        "con.txt",
        "COM1",
        " ",
        "a ",
        "a.",
        " a",
        "~",
        "A~",
        "é",
        "e\u{301}",
        "É",
        "%",
        "%2F",
        "%2f",
        "%41",
        "a%",
        "=",
        "a=b",
        "type=A",
        "?",
        "#",
        "*",
        "&",
        "null",
        "NULL",
        "Null",
        NULL,
        "_",
        "__",
        "_A",
        "A_",
        "-",
        "-1",
        "0",
        "00123",
        "123",
        "1e5",
        "nan",
        "2026-03-01",
        "a/b",
        "A/B",
        "a",
        "A",
        "aA",
        "Aa",
        "AA",
        "aa",
        "\u{feff}",
        "\u{202e}",
        "ß",
        "ẞ",
        "SS",
        "ss",
        "İ",
        "i",
        "I",
        "ı",
        "K",
        "K",
        "\n",
        "\r\n",
        "\t",
        "'",
        "\"",
        "`",
        ";",
        "$(x)",
        "${x}",
        "日本",
        "😀",
        "\u{10ffff}",
        "__HIVE_DEFAULT_PARTITION__ ",
        "__hive_default_partition__",
    ]
    .map(str::to_owned)
    .to_vec();
    for letter in ["A", "a", "é", "_", "~", "%", "/"] {
        // Around the length at which a value is cut, and far beyond it.
        for length in [19, 20, 21, 33, 34, 99, 100, 101, 150, 300, 5_000] {
            values.push(letter.repeat(length));
            values.push(format!("{}b", letter.repeat(length)));
        }
    }
    values
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn random(state: &mut u64) -> String {
    // Few letters and short texts, so that collisions would be met; sometimes any character and long ones.
    const LETTERS: [char; 12] = ['a', 'A', '_', '-', '.', '/', '%', '2', 'F', 'f', '~', 'é'];
    let wild = next(state).is_multiple_of(8);
    let most = if next(state).is_multiple_of(16) { 120 } else { 9 };
    let length = 1 + next(state) % most;
    let letter = |state: &mut u64| {
        let number = next(state);
        if wild {
            char::from_u32((number % 0x11_0000) as u32).unwrap_or('x')
        } else {
            LETTERS[(number % 12) as usize]
        }
    };
    (0..length).map(|_| letter(state)).collect()
}

/// Holds the laws for one key over all values; says how many values differed.
fn laws(key: Key, values: impl Iterator<Item = String>) -> usize {
    let mut seen: HashMap<String, String> = HashMap::new();
    for value in values {
        let text = spelled(key, Some(&value), digest);
        assert!(!text.is_empty() && text.len() <= MAX_VALUE, "{value:?} {text}");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'%' | b'_' | b'-' | b'~');
        assert!(text.bytes().all(plain), "{value:?} {text}");
        let decoded = bytes_of(&text).unwrap();
        assert!(!decoded.eq_ignore_ascii_case(NULL.as_bytes()), "{value:?} reads as null");
        assert!(is_spelled(key, &text), "{value:?} {text}");
        if !text.contains('~') {
            assert_eq!(bytes_of(&text).unwrap(), value.as_bytes(), "{text}");
        }
        if let Some(other) = seen.insert(text.to_ascii_lowercase(), value.clone()) {
            assert_eq!(other, value, "both are {text}");
        }
    }
    seen.len()
}

#[test]
fn values_are_told_apart_whatever_their_case_and_stay_in_their_folder() {
    for key in [Key::EventType, Key::Account] {
        let mut state = 7;
        let values = nasty().into_iter().chain((0..120_000).map(|_| random(&mut state)));
        let distinct = laws(key, values);
        assert!(distinct > 60_000, "{distinct}");
        println!("{}: {distinct} distinct values, each with a path of its own", key.name());
    }
}

#[test]
fn no_value_and_the_empty_one_are_null() {
    for key in [Key::EventType, Key::Account] {
        assert_eq!(spelled(key, None, digest), NULL);
        assert_eq!(spelled(key, Some(""), digest), NULL);
        assert!(is_spelled(key, NULL));
    }
}

#[test]
fn usual_values_read_as_they_are() {
    assert_eq!(spelled(Key::EventType, Some("NUMBER_RELEASE"), digest), "NUMBER_RELEASE");
    assert_eq!(spelled(Key::Account, Some("abcd1234"), digest), "abcd1234");
    assert_eq!(spelled(Key::EventType, Some("app.v2"), digest), "%61%70%70%2E%762");
}

#[test]
fn names_of_partitionings_are_exact() {
    for name in ["none", "event_date", "event_type,event_month", "account,event_year,event_type,event_date"] {
        assert_eq!(Partitioning::parse(name).unwrap().name(), name);
    }
    for name in
        ["", "event_date,", "event_date,event_date", "none,event_date", "Event_Date", "type", " event_date"]
    {
        assert_eq!(Partitioning::parse(name), None, "{name}");
    }
}

#[test]
fn a_window_shares_its_outermost_folders() {
    let at = Timestamp::from_date(2026, 3, 1);
    for (name, folders) in [
        ("none", ""),
        ("event_date", "event_date=2026-03-01/"),
        ("event_year,event_type,event_date", "event_year=2026/"),
        ("event_type,event_date", ""),
    ] {
        assert_eq!(Partitioning::parse(name).unwrap().shared_folders(at), folders);
    }
    let undated = Partitioning::parse("event_month,account").unwrap().shared_folders(None);
    assert_eq!(undated, "event_month=__HIVE_DEFAULT_PARTITION__/");
}
