//! Every command that the documents show, run as it stands there.
//!
//! What lives here: the fenced `sh`, `bash` and `sql` blocks of README.md and `docs/*.md`, in order, each page in a
//! folder of its own against one sandbox; SQL by DuckDB's command line. A block that cannot run says why behind its
//! language (`bash not-run: REASON`). What a page takes for granted stands in it as a comment, `<!-- given … -->`. What
//! this file must not know: what the commands mean.

#![allow(clippy::panic, clippy::print_stdout, clippy::unwrap_used, reason = "a test program")]

#[path = "../harness/program.rs"]
mod program;
#[path = "../harness/python.rs"]
mod python;
#[path = "../harness/sandbox.rs"]
mod sandbox;

mod library;
mod nightly;
mod page;
mod questions;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use page::{Block, Page};
use program::{Outcome, run, scratch};
use python::environment;
use sandbox::{KEY, SECRET, Sandbox};

/// Pages that need events of their own, and the test that follows them word for word.
const FOLLOWED_ELSEWHERE: [(&str, &str); 1] = [("docs/schema.md", "tests/schema.rs")];

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// README.md and every page below `docs/`.
fn pages() -> Vec<Page> {
    let mut names: Vec<_> = fs::read_dir(repository("docs"))
        .unwrap()
        .map(|entry| format!("docs/{}", entry.unwrap().file_name().to_str().unwrap()))
        .filter(|name| name.ends_with(".md"))
        .collect();
    names.push("README.md".to_owned());
    names.sort();
    names.iter().map(|name| Page::parse(name, &fs::read_to_string(repository(name)).unwrap())).collect()
}

/// Runs a page's blocks in order, in one shell, in a folder that looks like a checkout.
fn follow(page: &Page, url: &str) -> Outcome {
    let folder = scratch(&format!("documents-{}", page.name.replace(['/', '.'], "-")));
    symlink(repository("examples"), folder.join("examples")).unwrap();
    symlink(repository("schemas"), folder.join("schemas")).unwrap();
    // Beside the folder: no file that a page does not speak of.
    let script = folder.with_extension("sh");
    fs::write(&script, page.script(&folder)).unwrap();
    let python = environment("documents-venv", &repository("tests/documents/requirements.txt"));
    let binary = Path::new(env!("CARGO_BIN_EXE_vonage-audit"));
    let path = [binary.parent().unwrap(), python.parent().unwrap(), "/usr/bin".as_ref(), "/bin".as_ref()];
    let mut shell = Command::new("bash");
    shell
        .env_clear()
        .env("PATH", std::env::join_paths(path).unwrap())
        .env("HOME", &folder)
        .env("VONAGE_API_KEY", KEY)
        .env("VONAGE_API_SECRET", SECRET)
        .env("VONAGE_AUDIT_API_URL", url)
        .arg(&script)
        .current_dir(&folder);
    run(shell)
}

/// Needs `jq`, `openssl` and `zstd`.
#[test]
fn the_documents_commands_run_in_order() {
    for tool in ["jq", "openssl", "zstd"] {
        let found = Command::new(tool).arg("--version").output();
        assert!(found.is_ok(), "the documents show {tool} (Debian: apt-get install {tool}): {found:?}");
    }
    let sandbox = Sandbox::start(&["--events", "2000"]);
    let pages = pages();
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(page) = pages.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let elsewhere = FOLLOWED_ELSEWHERE.iter().find(|(name, _)| *name == page.name);
                    if let Some((name, by)) = elsewhere {
                        println!("{name}: followed by {by}");
                        continue;
                    }
                    if page.blocks.iter().all(|block| block.not_run.is_some()) {
                        println!("{}", page.summary());
                        continue;
                    }
                    let outcome = follow(page, &sandbox.url);
                    println!("{}", page.summary());
                    if outcome.code != Some(0) {
                        failed.fetch_add(1, Ordering::Relaxed);
                        println!("FAILED: {}\n{}\n{}", page.name, outcome.stdout, outcome.stderr);
                    }
                }
            });
        }
    });
    let blocks = || pages.iter().flat_map(|page| &page.blocks);
    let left: Vec<&Block> = blocks().filter(|block| block.not_run.is_some()).collect();
    for block in &left {
        println!("not run: {}: {}", block.place, block.not_run.as_deref().unwrap_or_default());
    }
    println!("{} pages, {} blocks, of them {} not run", pages.len(), blocks().count(), left.len());
    assert_eq!(failed.load(Ordering::Relaxed), 0, "pages that do not work as they read, see above");
}

#[test]
fn a_command_that_fails_is_found() {
    let sandbox = Sandbox::start(&["--events", "10"]);
    for (name, text, words) in [
        ("planted-1", "```bash\nvonage-audit export --no-such-flag\n```\n", "planted-1:2"),
        ("planted-2", "```bash\ntrue\nvonage-audit verify nowhere  # exits with 5\n```\n", "planted-2:3"),
        ("planted-3", "```bash\nfalse | true\n```\n", "planted-3:2"),
        ("planted-4", "```sql\nSELECT no_such_column FROM range(1);\n```\n", "planted-4:1"),
        ("planted-5", "<!-- given\nfalse\n-->\n```sh\ntrue\n```\n", "planted-5:2"),
    ] {
        let outcome = follow(&Page::parse(name, text), &sandbox.url);
        assert_ne!(outcome.code, Some(0), "{name}");
        assert!(outcome.stderr.contains(words), "{name}: {}", outcome.stderr);
    }
    let text =
        "```bash\necho a |\n  cat  # exits with 0\nfalse  # exits with 1\n```\n```sql\nSELECT 1;\n```\n";
    follow(&Page::parse("planted-6", text), &sandbox.url).expect(0);
}

/// The anchor that GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let names =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/questions/README.md"];
    let pages = pages().into_iter().map(|page| page.name);
    let pages: BTreeSet<_> = pages.chain(names.map(str::to_owned)).collect();
    let (mut links, mut broken) = (0, Vec::new());
    for page in &pages {
        let path = repository(page);
        let text = fs::read_to_string(&path).unwrap();
        for part in text.split("](").skip(1) {
            let target = part.split(')').next().unwrap();
            if target.contains("://") {
                continue;
            }
            links += 1;
            let (file, fragment) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let found = file.exists()
                && (fragment.is_empty()
                    || fs::read_to_string(&file).unwrap().lines().any(|line| {
                        line.starts_with('#') && anchor(line.trim_start_matches(['#', ' '])) == fragment
                    }));
            if !found {
                broken.push(format!("{page}: {target}"));
            }
        }
    }
    println!("{links} links in {} pages", pages.len());
    assert!(links > 100 && broken.is_empty(), "{links} links, of them lead nowhere: {broken:#?}");
}
