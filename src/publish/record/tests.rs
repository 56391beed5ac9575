use super::*;
use crate::model::{Grid, SchemaRef};
use crate::publish::digest::sha256;
use crate::publish::drift::FINDING_BYTES;

pub(crate) fn commit() -> Commit {
    let window = Grid::Day.window(Timestamp::from_date(2026, 3, 1).unwrap());
    let path = "parquet/event_date=2026-03-01/events-20260301-s000.parquet".to_owned();
    let certificate = Certificate {
        level: Level::Bracketed,
        range: window,
        padding: 2,
        total: 4,
        distinct: 4,
        events: 3,
        quiet_from: true,
        quiet_to: false,
        parts: 1,
    };
    Commit {
        number: 42,
        previous: sha256(b"previous"),
        schema: SchemaRef { version: "1.0.0".to_owned(), fingerprint: sha256(b"columns") },
        single_writer: false,
        tool: "0.1.0".to_owned(),
        key: None,
        windows: vec![WindowRecord {
            window,
            certificate,
            counts: Counts { settled: 3, rows: 2, known: 0, quarantined: 1, filtered: 0, redacted: 2 },
            drift: Default::default(),
            raw: None,
            source: None,
            formats: vec![Format::Parquet],
            vanished: Vec::new(),
            quarantine: Vec::new(),
            files: vec![FileRecord {
                path,
                format: Format::Parquet,
                sequence: 0,
                bytes: 1234,
                sha256: sha256(b"file"),
                rows: 2,
                created_at: Some((window.from.plus_seconds(5), window.from.plus_seconds(9))),
            }],
        }],
        undated: None,
        recorded_at: 1_772_400_000,
    }
}

#[test]
fn a_commits_text_is_fixed_and_reads_back() {
    let text = write(&commit()).unwrap();
    let file = sha256(b"file");
    let (previous, columns) = (sha256(b"previous"), sha256(b"columns"));
    assert_eq!(
        String::from_utf8(text.clone()).unwrap(),
        format!(
            concat!(
                r#"{{"format_version":1,"number":42,"previous":"{previous}","recorded_at":"2026-03-01T21:20:00Z","#,
                r#""schema":{{"fingerprint":"{columns}","version":"1.0.0"}},"tool":"0.1.0","windows":[{{"#,
                r#""certificate":{{"distinct":4,"events":3,"from":"2026-03-01T00:00:00","level":"bracketed","#,
                r#""padding":2,"parts":1,"quiet_from":true,"quiet_to":false,"to":"2026-03-02T00:00:00","total":4}},"#,
                r#""counts":{{"filtered":0,"known":0,"quarantined":1,"redacted":2,"rows":2,"settled":3}},"#,
                r#""files":[{{"bytes":1234,"created_at":{{"max":"2026-03-01T00:00:09","min":"2026-03-01T00:00:05"}},"#,
                r#""format":"parquet","path":"parquet/event_date=2026-03-01/events-20260301-s000.parquet","#,
                r#""rows":2,"sequence":0,"sha256":"{file}"}}],"formats":["parquet"],"#,
                r#""from":"2026-03-01T00:00:00","to":"2026-03-02T00:00:00","vanished":[]}}]}}"#,
            ),
            previous = previous,
            columns = columns,
            file = file,
        )
    );
    assert_eq!(read(&text).unwrap(), commit());
}

#[test]
fn no_changed_byte_is_read_as_the_same_commit() {
    let text = write(&commit()).unwrap();
    for position in 0..text.len() {
        for change in [1_u8, 0x20, 0x80] {
            let mut damaged = text.clone();
            damaged[position] ^= change;
            match read(&damaged) {
                Ok(other) => assert_ne!(other, commit(), "byte {position}"),
                Err(error) => assert_eq!(error.kind(), Kind::Verification),
            }
        }
        assert!(read(&text[..position]).is_err());
    }
}

#[test]
fn records_that_disagree_with_themselves_are_refused() {
    let changes: [fn(&mut Commit); 8] = [
        |commit| commit.previous = "00".to_owned(),
        |commit| commit.windows.clear(),
        |commit| commit.windows[0].counts.known = 1,
        |commit| commit.windows[0].counts.rows = u64::MAX,
        |commit| commit.windows[0].files[0].sha256 = "AB".repeat(32),
        |commit| commit.windows[0].files[0].rows = 3,
        |commit| commit.windows[0].files[0].created_at = None,
        |commit| {
            let again = commit.windows[0].clone();
            commit.windows.push(again);
        },
    ];
    for (position, change) in changes.into_iter().enumerate() {
        let mut commit = commit();
        change(&mut commit);
        assert_eq!(write(&commit).unwrap_err().kind(), Kind::Bug, "{position}");
    }
}

fn finding(number: usize) -> crate::model::Finding {
    crate::model::Finding {
        difference: crate::model::Difference::Pointer,
        event_type: "A".to_owned(),
        pointer: format!("/context/{number:03}"),
        json: "string",
    }
}

#[test]
fn drift_is_listed_within_a_bound_and_reads_back() {
    let mut commit = commit();
    for number in 0..3 {
        commit.windows[0].drift.count(finding(number), 2);
    }
    let text = write(&commit).unwrap();
    let shown = String::from_utf8(text.clone()).unwrap();
    assert!(
        shown.contains(
            r#""drift":{"findings":[{"count":2,"difference":"pointer","event_type":"A","json":"string","pointer":"/context/000"},"#
        ),
        "{shown}"
    );
    assert_eq!(read(&text).unwrap(), commit);

    for number in 3..77 {
        commit.windows[0].drift.count(finding(number), 1);
    }
    commit.windows[0].drift.unnamed = 5;
    let text = write(&commit).unwrap();
    let back = read(&text).unwrap();
    let drift = &back.windows[0].drift;
    assert_eq!((drift.findings.len(), drift.unlisted, drift.unnamed), (50, 27, 5));
    // What was read says the same when it is written again.
    assert_eq!(write(&back).unwrap(), text);
    let shown = String::from_utf8(text).unwrap();
    for (from, to) in [
        (r#""total":77"#, r#""total":49"#),
        (r#""difference":"pointer""#, r#""difference":"value""#),
        (r#""json":"string""#, r#""json":"text""#),
        ("/context/001", "/context/000"),
        (r#""count":2"#, r#""count":0"#),
    ] {
        let wrong = shown.replacen(from, to, 1);
        assert_ne!(wrong, shown);
        assert!(read(wrong.as_bytes()).is_err(), "{to}");
    }
}

#[test]
fn the_longest_finding_fits_its_share_of_a_commit() {
    let mut commit = commit();
    let before = write(&commit).unwrap().len();
    commit.windows[0].drift.count(
        crate::model::Finding { event_type: "\u{1}".repeat(256), pointer: "\u{1}".repeat(256), ..finding(0) },
        u64::MAX,
    );
    let longer = write(&commit).unwrap().len() - before;
    assert!((3_000..=FINDING_BYTES).contains(&longer), "{longer}");
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let mut commit = commit();
    commit.windows[0].drift.findings.insert(finding(0), 0);
    let error = write(&commit).unwrap_err();
    assert!(error.kind() == Kind::Bug && error.to_string().contains("read again"), "{error}");
}

#[test]
fn a_single_writer_is_said_or_not_mentioned() {
    let mut commit = commit();
    assert!(!String::from_utf8(write(&commit).unwrap()).unwrap().contains("single_writer"));
    commit.single_writer = true;
    let text = String::from_utf8(write(&commit).unwrap()).unwrap();
    assert!(text.contains(r#""single_writer":true,"tool""#), "{text}");
    assert_eq!(read(text.as_bytes()).unwrap(), commit);
    let denied = text.replace(r#""single_writer":true"#, r#""single_writer":false"#);
    assert_eq!(read(denied.as_bytes()).unwrap_err().kind(), Kind::Verification);
}

#[test]
fn events_without_a_time_are_a_record_of_their_own_and_read_back() {
    let undated = |change: fn(&mut crate::model::UndatedRecord)| {
        let mut commit = commit();
        let mut file = commit.windows[0].files[0].clone();
        file.created_at = None;
        let mut record = crate::model::UndatedRecord {
            level: Level::Double,
            total: 9,
            dated: 6,
            counts: Counts { settled: 3, rows: 2, quarantined: 1, ..Counts::default() },
            formats: vec![Format::Parquet],
            vanished: vec!["x".to_owned()],
            quarantine: Vec::new(),
            files: vec![file],
        };
        change(&mut record);
        commit.undated = Some(record);
        commit.windows.clear();
        commit
    };
    let commit = undated(|_| {});
    let text = write(&commit).unwrap();
    assert_eq!(read(&text).unwrap(), commit);
    let shown = String::from_utf8(text).unwrap();
    assert!(shown.contains(r#""undated":{"counts":{"filtered":0,"#), "{shown}");
    let wrong: [fn(&mut crate::model::UndatedRecord); 4] = [
        |record| record.counts.settled = 4,
        |record| record.files[0].created_at = Some((Timestamp::from_seconds(0), Timestamp::from_seconds(0))),
        |record| record.formats.clear(),
        |record| record.files[0].rows = 1,
    ];
    for change in wrong {
        assert_eq!(write(&undated(change)).unwrap_err().kind(), Kind::Bug);
    }
}
