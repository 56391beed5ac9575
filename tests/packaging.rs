//! What a release is made of: manifest, packages, image and scripts agree with each other and with the program.
//!
//! The packages themselves are made and tried by `packaging/release.sh` and `packaging/check.sh`, which take minutes;
//! these tests hold what those rest on, so that a renamed page, flag or path is found at once.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test program")]

#[path = "harness/program.rs"]
mod program;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use program::{program, run, scratch};
use toml::Value;

const PROGRAM: &str = "target/x86_64-unknown-linux-musl/release/vonage-audit";
const PAGES: &str = "target/release-files/pages/";

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn manifest() -> Value {
    toml::from_str(&text("Cargo.toml")).unwrap()
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The words of each line of the Dockerfile that begins with this instruction.
fn dockerfile(instruction: &str) -> Vec<Vec<String>> {
    let text = text("packaging/Dockerfile").replace("\\\n", " ");
    let lines = text.lines().filter_map(|line| line.strip_prefix(instruction)?.strip_prefix(' '));
    lines.map(|rest| rest.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn every_file_of_the_debian_package_exists_or_is_made() {
    let pages = scratch("packaging-pages");
    let mut script = Command::new("bash");
    script.args(["packaging/pages.sh", env!("CARGO_BIN_EXE_vonage-audit")]).arg(&pages);
    script.current_dir(env!("CARGO_MANIFEST_DIR"));
    run(script).expect(0);
    let release = text("packaging/release.sh");
    let manifest = manifest();
    let mut taken = BTreeSet::new();
    for asset in manifest["package"]["metadata"]["deb"]["assets"].as_array().unwrap() {
        let source = asset[0].as_str().unwrap();
        if source == "target/release/vonage-audit" {
            assert_eq!(asset[1].as_str(), Some("usr/bin/"));
            assert_eq!(asset[2].as_str(), Some("755"));
        } else if let Some(page) = source.strip_prefix(PAGES) {
            let (folder, name) = page
                .rsplit_once('/')
                .map_or((pages.clone(), page), |(folder, name)| (pages.join(folder), name));
            let made = names(&folder);
            match name.strip_prefix('*') {
                Some(end) => {
                    assert!(made.len() > 10 && made.iter().all(|name| name.ends_with(end)), "{made:?}")
                }
                None => assert!(made.contains(name), "{source} is not among {made:?}"),
            }
            taken.insert(page.split('/').next().unwrap().to_owned());
        } else if let Some(file) = source.strip_prefix("target/release-files/") {
            assert!(release.contains(&format!("> \"$files/{file}\"")), "nothing makes {source}");
        } else {
            text(source);
        }
    }
    assert_eq!(taken, names(&pages), "a page that is made is not in the package");
    let licence = manifest["package"]["metadata"]["deb"]["license-file"][0].as_str().unwrap();
    let licence = text(licence);
    for line in text("LICENSE-MIT").lines().skip(2).filter(|line| !line.is_empty()) {
        assert!(licence.contains(line), "not as in LICENSE-MIT: {line}");
    }
}

#[test]
fn the_version_is_one() {
    let manifest = manifest();
    let version = manifest["package"]["version"].as_str().unwrap();
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let mut command = program();
    command.arg("--version");
    assert_eq!(run(command).expect(0).stdout.trim(), format!("vonage-audit {version}"));
    let label = format!("org.opencontainers.image.version=\"{version}\"");
    assert!(dockerfile("LABEL").concat().contains(&label), "the Dockerfile does not say {label}");
    let changes = text("CHANGELOG.md");
    assert!(
        changes.contains("## [Unreleased]") || changes.contains(&format!("## [{version}]")),
        "CHANGELOG.md says nothing about {version}"
    );
    assert_eq!(manifest["package"]["rust-version"].as_str(), Some("1.95"));
    assert!(text("docs/releasing.md").contains("Rust 1.95"));
}

/// The image is built from a folder that the script lays out: what is copied must be laid there, and be run as nobody.
#[test]
fn the_image_is_the_static_program_alone() {
    assert_eq!(dockerfile("FROM"), [["scratch"]]);
    assert_eq!(dockerfile("RUN").len(), 0, "there is no shell to run it");
    assert_eq!(dockerfile("USER"), [["65532:65532"]]);
    let release = text("packaging/release.sh");
    let mut places = Vec::new();
    for copied in dockerfile("COPY") {
        let words: Vec<_> = copied.iter().filter(|word| !word.starts_with("--")).collect();
        let laid = match words[0].as_str() {
            "ca-certificates.crt" => "/etc/ssl/certs/ca-certificates.crt \"$files/image/\"".to_owned(),
            name => format!("$files/image/{name}"),
        };
        assert!(release.contains(&laid), "nothing lays {laid}");
        places.push(words[1].clone());
    }
    let entry = dockerfile("ENTRYPOINT").concat().concat();
    let entry: Vec<String> = serde_json::from_str(&entry).unwrap();
    assert!(places.contains(&entry[0]), "{entry:?} is not among {places:?}");
    for script in ["packaging/static.sh", "packaging/release.sh", "packaging/check.sh"] {
        let script = text(script);
        let paths = script.replace("$target", "x86_64-unknown-linux-musl").replace("$PWD/", "");
        assert!(paths.contains(&format!("binary={PROGRAM}\n")), "{script}");
    }
}

/// A package on crates.io holds what is needed to build and understand it, and no more.
#[test]
fn the_source_package_is_small_and_whole() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["package", "--list", "--allow-dirty", "--offline", "--locked"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let listed = run(cargo).expect(0).stdout;
    let files: BTreeSet<&str> = listed.lines().collect();
    for wanted in [
        "Cargo.lock",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "src/lib.rs",
        "src/cli/main.rs",
        "docs/reliability.md",
    ] {
        assert!(files.contains(wanted), "{wanted} is not in the package");
    }
    // What the packaged documents lead to is in the package too; but for tests, which stay in the repository.
    let documents = files.iter().filter(|file| file.ends_with(".md"));
    let mut links = 0;
    for document in documents {
        let folder = Path::new(document).parent().unwrap();
        for part in text(document).split("](").skip(1) {
            let target = part.split([')', '#']).next().unwrap();
            if target.is_empty() || target.contains("://") || target.starts_with("../tests") {
                continue;
            }
            let mut path = PathBuf::new();
            for step in folder.join(target.trim_end_matches('/')).components() {
                match step {
                    std::path::Component::ParentDir => assert!(path.pop(), "{document}: {target}"),
                    step => path.push(step),
                }
            }
            links += 1;
            let found = files.iter().any(|file| Path::new(file).starts_with(&path));
            assert!(found, "{document} leads to {target}, which is not in the package");
        }
    }
    assert!(links > 100, "{links} links");
    // What the program includes when it is compiled.
    for line in files.iter().filter(|file| file.starts_with("schemas/v1/")) {
        text(line);
    }
    let generated = [".cargo_vcs_info.json", "Cargo.toml.orig"];
    let bytes: u64 = files
        .iter()
        .filter(|file| !generated.contains(file))
        .map(|file| fs::metadata(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap().len())
        .sum();
    println!("{} files, {bytes} bytes", files.len());
    assert!(bytes < 4 << 20, "{bytes} bytes");
    assert!(!files.iter().any(|file| file.starts_with("tests/") || file.starts_with("target/")), "{files:?}");
}
