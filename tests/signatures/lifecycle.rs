//! From the first key to the second: what each command writes, and what it refuses before it writes anything.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use vonage_audit::publish::signatures::{Checked, PublicKey, check};

use crate::keys::{Place, openssl, text};

/// What the library says of the whole log.
fn checked(place: &Place, expected: Option<&str>) -> Checked {
    let tree = place.tree();
    let files = |ending: &str| -> Vec<(u64, Vec<u8>)> {
        let name = |path: &String| path.strip_prefix("_audit/commits/")?.strip_suffix(ending)?.parse().ok();
        tree.iter().filter_map(|(path, bytes)| Some((name(path)?, bytes.clone()))).collect()
    };
    let expected = expected.map(|name| PublicKey::parse(&fs::read(place.public(name)).unwrap()).unwrap());
    check(&tree["_audit/dataset.json"], &files(".json"), &files(".json.sig"), expected)
}

#[test]
fn every_commit_of_a_signed_export_is_signed_and_a_rerun_writes_nothing() {
    let place = Place::new("export");
    let key = place.key("one");
    place.export(3, &["--sign-key", text(&key)]).expect(0);
    let (commits, signatures) = place.counts();
    assert!(commits >= 2, "the key's commit and the windows'");
    assert_eq!(commits, signatures);
    let first = fs::read_to_string(place.commit(0)).unwrap();
    assert!(first.starts_with(r#"{"format_version":1,"key":{"algorithm":"ed25519","key_id":""#), "{first}");
    assert!(first.ends_with(r#""windows":[]}"#), "{first}");
    assert!(
        place.tree().iter().filter(|(name, _)| name.ends_with(".sig")).all(|(_, bytes)| bytes.len() == 64)
    );

    let before = place.tree();
    place.export(3, &["--sign-key", text(&key)]).expect(0);
    assert_eq!(place.tree(), before);
    place.export(5, &["--sign-key", text(&key)]).expect(0);
    let said = checked(&place, Some("one"));
    assert_eq!(said.findings, []);
    assert_eq!(said.good.len(), place.counts().0);
    place.verify(&place.dest, &["one"]).expect(0);
}

#[test]
fn data_files_do_not_depend_on_signatures() {
    let (signed, plain) = (Place::new("same-signed"), Place::new("same-plain"));
    let key = signed.key("one");
    signed.export(4, &["--sign-key", text(&key)]).expect(0);
    plain.export(4, &[]).expect(0);
    let data = |place: &Place| {
        let mut tree = place.tree();
        tree.retain(|name, _| name.starts_with("parquet/"));
        tree
    };
    assert!(!data(&signed).is_empty());
    assert_eq!(data(&signed), data(&plain));
    assert_eq!(plain.counts().1, 0);
}

#[test]
fn a_signed_dataset_stays_signed() {
    let place = Place::new("stays");
    let (key, other) = (place.key("one"), place.key("two"));
    place.export(2, &["--sign-key", text(&key)]).expect(0);
    let before = place.tree();
    for arguments in [&[][..], &["--sign-key", text(&other)]] {
        for outcome in [place.export(4, arguments).expect(2), place.convert(arguments).expect(2)] {
            assert!(outcome.stderr.contains("signed"), "{}", outcome.stderr);
            assert!(outcome.stderr.contains("hint: "), "{}", outcome.stderr);
        }
    }
    place.sign(&["--sign-key", text(&other)]).expect(2);
    place.sign(&[]).expect(2);
    assert_eq!(place.tree(), before, "a refused command has written");
    place.convert(&["--sign-key", text(&key)]).expect(0);
    assert_eq!(checked(&place, Some("one")).findings, []);
}

#[test]
fn what_a_killed_run_leaves_is_signed_by_the_next() {
    let place = Place::new("killed");
    let key = place.key("one");
    for day in [2, 3, 5] {
        place.export(day, &["--sign-key", text(&key)]).expect(0);
    }
    let whole = place.tree();
    let commits = place.counts().0 as u64;
    // A kill between a commit and its signature, at each commit, and at several at once.
    let mut states = 0;
    for missing in (0..commits).map(|number| vec![number]).chain([(0..commits).collect()]) {
        for number in &missing {
            fs::remove_file(place.signature(*number)).unwrap();
        }
        let outcome = place.export(5, &["--sign-key", text(&key)]).expect(0);
        assert!(outcome.stderr.contains("that had no signature"), "{}", outcome.stderr);
        assert_eq!(place.tree(), whole);
        states += 1;
    }
    println!("{states} states of a killed run, all healed to the same bytes");

    // Nothing is put on top of a bad signature.
    let newest = place.signature(commits - 1);
    let good = fs::read(&newest).unwrap();
    fs::write(&newest, [7; 64]).unwrap();
    let outcome = place.export(5, &["--sign-key", text(&key)]).expect(9);
    assert!(outcome.stderr.contains("signature is bad"), "{}", outcome.stderr);
    fs::write(&newest, good).unwrap();
    let first = place.signature(0);
    fs::write(&first, [7; 64]).unwrap();
    place.sign(&["--sign-key", text(&key)]).expect(9);
}

#[test]
fn writer_and_signer_may_be_two() {
    let place = Place::new("two-roles");
    let key = place.key("one");
    place.export(3, &[]).expect(0);
    let outcome = place.sign(&["--sign-key", text(&key), "--output", "json"]).expect(0);
    let said: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let (commits, signatures) = place.counts();
    assert_eq!((said["signed"].as_u64(), said["left"].as_u64()), (Some(commits as u64), Some(0)));
    assert_eq!(said["added"].as_u64(), Some(signatures as u64));
    assert_eq!(commits, signatures, "the commits before the key, too");

    place.export(5, &["--sign-later"]).expect(0);
    assert!(place.counts().0 > place.counts().1);
    let before = checked(&place, Some("one"));
    assert!(!before.findings.is_empty(), "an auditor sees what is not signed yet");
    place.sign(&["--sign-key", text(&key)]).expect(0);
    assert_eq!(checked(&place, Some("one")).findings, []);
    let tree = place.tree();
    let again = place.sign(&["--sign-key", text(&key)]).expect(0);
    assert!(again.stdout.contains("0 written"), "{}", again.stdout);
    assert_eq!(place.tree(), tree);
    place.verify(&place.dest, &["one"]).expect(0);
}

#[test]
fn a_run_does_not_sign_many_commits_in_passing() {
    let place = Place::new("many");
    let key = place.key("one");
    for day in 2..20 {
        place.export(day, &[]).expect(0);
    }
    let before = place.tree();
    let outcome = place.export(21, &["--sign-key", text(&key)]).expect(2);
    assert!(outcome.stderr.contains("vonage-audit sign"), "{}", outcome.stderr);
    assert_eq!(place.tree(), before);
    place.sign(&["--sign-key", text(&key)]).expect(0);
    place.export(21, &["--sign-key", text(&key)]).expect(0);
    assert_eq!(checked(&place, Some("one")).findings, []);
}

#[test]
fn a_key_is_handed_over_by_the_one_before() {
    let place = Place::new("rotate");
    let [one, two, three] = ["one", "two", "three"].map(|name| place.key(name));
    place.export(3, &["--sign-key", text(&one)]).expect(0);
    // Somebody else than the key in force cannot.
    let before = place.tree();
    place.sign(&["--sign-key", text(&three), "--old-sign-key", text(&two)]).expect(2);
    assert_eq!(place.tree(), before);
    // The old key signs first what a killed run has left.
    fs::remove_file(place.signature(1)).unwrap();
    place.sign(&["--sign-key", text(&two), "--old-sign-key", text(&one)]).expect(0);
    let rotated = place.tree();
    // Killed in between, and repeated.
    fs::remove_file(place.signature(place.counts().0 as u64 - 1)).unwrap();
    place.sign(&["--sign-key", text(&two), "--old-sign-key", text(&one)]).expect(0);
    assert_eq!(place.tree(), rotated);

    place.export(4, &["--sign-key", text(&one)]).expect(2);
    place.export(4, &["--sign-key", text(&two)]).expect(0);
    place.sign(&["--sign-key", text(&three), "--old-sign-key", text(&two)]).expect(0);
    place.export(5, &["--sign-key", text(&three)]).expect(0);
    for trusted in ["one", "two", "three"] {
        assert_eq!(checked(&place, Some(trusted)).findings, [], "{trusted}");
    }
    // A retired key still signs what it has left, and nothing else.
    fs::remove_file(place.signature(0)).unwrap();
    let left = place.sign(&["--sign-key", text(&three)]).expect(0);
    assert!(left.stdout.contains("1 commit must be signed with another key"), "{}", left.stdout);
    place.sign(&["--sign-key", text(&one)]).expect(0);
    assert_eq!(checked(&place, Some("one")).findings, []);

    place.verify(&place.dest, &["one", "two", "three"]).expect(0);
    for wrong in [&["one"][..], &["one", "two"], &["one", "three", "two"], &["three"], &["two", "three"]] {
        place.verify(&place.dest, wrong).expect(1);
    }
}

#[test]
fn two_signers_at_once_write_the_same_bytes() {
    let place = Place::new("rivals");
    let key = place.key("one");
    place.export(8, &[]).expect(0);
    let commits = place.counts().0;
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| place.sign(&["--sign-key", text(&key)]))).collect();
        for outcome in runs.into_iter().map(|run| run.join().unwrap()) {
            // 8: one of the others holds the lock.
            assert!(matches!(outcome.code, Some(0 | 8)), "{}", outcome.stderr);
        }
    });
    assert_eq!(checked(&place, Some("one")).findings, []);
    assert_eq!(place.counts(), (commits + 1, commits + 1));
}

#[test]
fn bad_keys_are_refused_before_anything_and_never_repeated() {
    let place = Place::new("bad-keys");
    let key = place.key("one");
    let bytes = fs::read_to_string(&key).unwrap();
    // The key itself is the last 43 of 64 digits.
    let (start, seed) = bytes.lines().nth(1).unwrap().split_at(21);
    let write = |name: &str, content: &[u8]| {
        let path = place.folder.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let rsa = place.folder.join("rsa.pem");
    openssl(&["genpkey", "-algorithm", "rsa", "-quiet", "-out"], &[&rsa]);
    let open = write("open.pem", bytes.as_bytes());
    fs::set_permissions(&open, fs::Permissions::from_mode(0o640)).unwrap();
    let cut = write("cut.pem", bytes.replace(start, "MC4CAQAw").as_bytes());
    let empty = write("empty.pem", b"");
    let absent = place.folder.join("absent.pem");
    for bad in [&rsa, &open, &cut, &empty, &absent, &place.public("one"), &place.folder] {
        let outcome = place.export(2, &["--sign-key", text(bad)]);
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        let outcome = outcome.expect(2);
        assert!(outcome.stderr.contains(text(bad)), "{said}");
        assert!(!said.contains(seed), "{said}");
        assert!(!place.dest.exists());
    }
    // DER is as good as PEM.
    let der = place.folder.join("one.der");
    openssl(&["pkey", "-outform", "DER", "-in", text(&key), "-out"], &[&der]);
    fs::set_permissions(&der, fs::Permissions::from_mode(0o600)).unwrap();
    place.export(2, &["--sign-key", text(&der)]).expect(0);
    place.verify(&place.dest, &["one"]).expect(0);
    // The key is in no file and in nothing that was said.
    let raw = fs::read(&der).unwrap();
    let seed = &raw[raw.len() - 32..];
    for (name, bytes) in place.tree() {
        assert!(!bytes.windows(32).any(|part| part == seed), "{name}");
    }
}
