//! The script that ships: yes to a good dataset, no to each one that was tampered with.

use std::fs;
use std::path::Path;

use crate::keys::{Place, copy, openssl, text};

type Change = Box<dyn Fn(&Path)>;

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at % bytes.len();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn the_script_finds_every_change() {
    let place = Place::new("script");
    let key = place.key("one");
    let thief = place.key("thief");
    for day in [2, 4, 6, 8] {
        place.export(day, &["--sign-key", text(&key)]).expect(0);
    }
    let good = place.verify(&place.dest, &["one"]).expect(0);
    let head = place.export(8, &["--sign-key", text(&key)]).expect(0);
    let (commits, _) = place.counts();
    assert!(commits >= 5);
    let newest = good.stdout.trim_end().rsplit_once(' ').unwrap().1.to_owned();
    assert!(head.stdout.contains(&newest), "the script's head is the program's: {}", head.stdout);

    let commit = |number: usize| format!("_audit/commits/{number:016}.json");
    let sig = |number: usize| format!("_audit/commits/{number:016}.json.sig");
    #[expect(clippy::disallowed_methods, reason = "the size of the test")]
    let step = std::env::var("SIGNATURE_STEP").map_or(397, |step| step.parse().unwrap());
    let mut changes: Vec<(String, Change)> = Vec::new();
    for number in 0..commits {
        let length = fs::read(place.dest.join(commit(number))).unwrap().len();
        for at in (0..length).step_by(step).chain([length - 1]) {
            let path = commit(number);
            changes.push((format!("{path}, byte {at}"), Box::new(move |root| flip(&root.join(&path), at))));
        }
        for at in [0, 31, 32, 63] {
            let path = sig(number);
            changes.push((format!("{path}, byte {at}"), Box::new(move |root| flip(&root.join(&path), at))));
        }
        let (one, beside) = (commit(number), sig(number));
        changes.push((format!("{one} removed"), {
            let one = one.clone();
            Box::new(move |root| fs::remove_file(root.join(&one)).unwrap())
        }));
        changes.push((format!("{one} and its signature removed"), {
            let beside = beside.clone();
            Box::new(move |root| {
                // The newest pair is another matter: see below.
                fs::remove_file(root.join(&one)).unwrap();
                fs::remove_file(root.join(&beside)).unwrap();
            })
        }));
        changes.push((format!("{beside} removed"), {
            let beside = beside.clone();
            Box::new(move |root| fs::remove_file(root.join(&beside)).unwrap())
        }));
        changes.push((
            format!("{beside} emptied"),
            Box::new(move |root| fs::write(root.join(&beside), "").unwrap()),
        ));
        let (a, b) = (sig(number), sig((number + 1) % commits));
        changes.push((format!("{a} swapped"), Box::new(move |root| swap(&root.join(&a), &root.join(&b)))));
        let (a, b) =
            ((commit(number), sig(number)), (commit((number + 1) % commits), sig((number + 1) % commits)));
        changes.push((
            format!("{} renumbered with its signature", a.0),
            Box::new(move |root| {
                swap(&root.join(&a.0), &root.join(&b.0));
                swap(&root.join(&a.1), &root.join(&b.1));
            }),
        ));
        // A good signature of the right text, by somebody else.
        let (path, beside, thief) = (commit(number), sig(number), thief.clone());
        changes.push((
            format!("{beside} by a thief"),
            Box::new(move |root| {
                let digest = |path: &Path| {
                    let digest = ring::digest::digest(&ring::digest::SHA256, &fs::read(path).unwrap());
                    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
                };
                let dataset = digest(&root.join("_audit/dataset.json"));
                let signed =
                    format!("vonage-audit-commit-v1\n{dataset}\n{number}\n{}\n", digest(&root.join(&path)));
                let file = root.join("text");
                fs::write(&file, signed).unwrap();
                let arguments =
                    ["pkeyutl", "-sign", "-rawin", "-inkey", text(&thief), "-in", text(&file), "-out"];
                openssl(&arguments, &[&root.join(&beside)]);
            }),
        ));
    }
    changes.push(("dataset.json".into(), Box::new(|root| flip(&root.join("_audit/dataset.json"), 40))));
    changes.push((
        "a file too many".into(),
        Box::new(|root| fs::write(root.join("_audit/commits/x"), "").unwrap()),
    ));
    changes
        .push(("no log".into(), Box::new(|root| fs::remove_dir_all(root.join("_audit/commits")).unwrap())));
    let cut = format!("{} and its signature removed", commit(commits - 1));
    let copied = place.folder.join("tampered");
    let (mut found, total) = (0, changes.len());
    for (name, change) in changes {
        if copied.exists() {
            fs::remove_dir_all(&copied).unwrap();
        }
        copy(&place.dest.join("_audit"), &copied.join("_audit"));
        change(&copied);
        let outcome = place.verify(&copied, &["one"]);
        if name == cut {
            // What nobody can see from inside; the head tells.
            assert!(!outcome.expect(0).stdout.contains(&newest));
            continue;
        }
        assert_eq!(outcome.code, Some(1), "{name}: {}{}", outcome.stdout, outcome.stderr);
        assert!(outcome.stderr.contains("NOT VERIFIED"), "{name}: {}", outcome.stderr);
        found += 1;
    }
    // The control: a copy that nobody changed.
    copy(&place.dest.join("_audit"), &copied.join("again/_audit"));
    place.verify(&copied.join("again"), &["one"]).expect(0);
    println!("{found} of {total} changes found by the script; the cut tail by its head alone");
    place.verify(&place.dest, &["thief"]).expect(1);
    place.verify(&place.dest, &[]).expect(1);
}

fn swap(one: &Path, other: &Path) {
    let (a, b) = (fs::read(one).unwrap(), fs::read(other).unwrap());
    fs::write(one, b).unwrap();
    fs::write(other, a).unwrap();
}
