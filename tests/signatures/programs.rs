//! A program that signs in the place of a key file.

use std::fs;

use crate::keys::{Place, text};

/// A shell command that signs with OpenSSL, whose one-shot algorithms read files only.
fn openssl_command(place: &Place, name: &str, then: &str) -> String {
    let key = place.folder.join(format!("{name}.pem"));
    format!(
        "f=$(mktemp) && cat >\"$f\" && openssl pkeyutl -sign -rawin -in \"$f\" -inkey '{}' {then}; r=$?; rm -f \"$f\"; exit $r",
        text(&key)
    )
}

#[test]
fn a_command_signs_like_the_key_that_it_has() {
    let (by_command, by_key) = (Place::new("command"), Place::new("command-key"));
    let key = by_command.key("one");
    let command = openssl_command(&by_command, "one", "");
    let public = by_command.public("one");
    by_command.export(3, &["--sign-command", &command, "--sign-public-key", text(&public)]).expect(0);
    // The dataset knows its key; the answer may be Base64.
    let base64 = openssl_command(&by_command, "one", "| base64");
    by_command.export(4, &["--sign-command", &base64]).expect(0);
    by_command.verify(&by_command.dest, &["one"]).expect(0);
    // A signature says who and what, not how it came about.
    by_key.export(3, &["--sign-key", text(&key)]).expect(0);
    let signature = |place: &Place| fs::read(place.signature(0)).unwrap();
    if fs::read(by_command.commit(0)).unwrap() == fs::read(by_key.commit(0)).unwrap() {
        assert_eq!(signature(&by_command), signature(&by_key));
    }
    // Hand over from a command to a command.
    by_command.key("two");
    let two = openssl_command(&by_command, "two", "");
    let next = by_command.public("two");
    let new = ["--sign-command", &two, "--sign-public-key", text(&next)];
    by_command.sign(&[&new[..], &["--old-sign-command", &command]].concat()).expect(0);
    by_command.verify(&by_command.dest, &["one", "two"]).expect(0);
}

#[test]
fn a_command_that_cannot_sign_is_found_before_anything() {
    let place = Place::new("bad-command");
    place.key("one");
    place.key("two");
    let public = place.public("one");
    let other = openssl_command(&place, "two", "");
    for (command, why) in [
        ("exit 3", "it failed"),
        ("true", "no signature"),
        ("cat", "no signature"),
        ("head -c 64 /dev/zero", "not of --sign-public-key"),
        ("yes", "it failed"),
        (other.as_str(), "not of --sign-public-key"),
        ("no-such-program-here", "it failed"),
        ("sleep 60", "took too long"),
    ] {
        let arguments =
            ["--sign-command", command, "--sign-public-key", text(&public), "--sign-timeout", "1s"];
        let outcome = place.export(2, &arguments).expect(2);
        assert!(outcome.stderr.contains(why), "{command}: {}", outcome.stderr);
        assert!(!place.dest.exists(), "{command}");
    }
    let outcome = place.export(2, &["--sign-command", &other]).expect(2);
    assert!(outcome.stderr.contains("--sign-public-key"), "{}", outcome.stderr);
}

#[test]
fn a_command_that_fails_in_between_loses_nothing() {
    let place = Place::new("failing-command");
    let key = place.key("one");
    let public = place.public("one");
    // Good for the trial, the key's commit and one more; then no longer.
    let spent = place.folder.join("calls");
    let command = format!(
        "echo >>'{0}'; [ $(wc -l <'{0}') -le 3 ] || exit 9; {1}",
        text(&spent),
        openssl_command(&place, "one", "")
    );
    let arguments = ["--sign-command", &command, "--sign-public-key", text(&public)];
    place.export(3, &arguments).expect(0);
    let outcome = place.export(5, &arguments).expect(2);
    assert!(outcome.stderr.contains("cannot sign"), "{}", outcome.stderr);
    // The trial succeeds, the commit's signature does not: the commit stays, and the next run signs it.
    let command = format!(
        "c=$(cat); printf '%s\\n' \"$c\" | grep -q trial || exit 9; printf '%s\\n' \"$c\" | {{ {}; }}",
        openssl_command(&place, "one", "")
    );
    let outcome = place.export(5, &["--sign-command", &command]).expect(7);
    assert!(outcome.stderr.contains("the signing command failed"), "{}", outcome.stderr);
    let (commits, signatures) = place.counts();
    assert_eq!(commits, signatures + 1);
    place.export(5, &["--sign-key", text(&key)]).expect(0);
    place.verify(&place.dest, &["one"]).expect(0);
}

#[test]
fn a_command_does_not_get_the_apis_secret() {
    let place = Place::new("command-environment");
    place.key("one");
    let public = place.public("one");
    let seen = place.folder.join("environment");
    let command = format!("env >'{}'; {}", text(&seen), openssl_command(&place, "one", ""));
    place.export(2, &["--sign-command", &command, "--sign-public-key", text(&public)]).expect(0);
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.contains("VONAGE_AUDIT_API_URL"), "the control: {seen}");
    assert!(!seen.contains("VONAGE_API_SECRET") && !seen.contains("VONAGE_API_KEY"), "{seen}");
}
