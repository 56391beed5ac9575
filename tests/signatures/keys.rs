//! Keys of OpenSSL, signed exports, and their log's files.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{Outcome, program, run, scratch};
use crate::sandbox::{KEY, Sandbox, export};

const NEEDED: &str = "the signature tests need OpenSSL 3 (Debian: apt-get install openssl)";

/// A folder with a dataset to be, keys, and a sandbox of a few events.
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) dest: PathBuf,
    pub(crate) sandbox: Sandbox,
}

impl Place {
    pub(crate) fn new(name: &str) -> Self {
        let folder = scratch(&format!("signatures-{name}"));
        let dest = folder.join("audit");
        let sandbox = Sandbox::start(&["--events", "200", "--seed", "7"]);
        Self { folder, dest, sandbox }
    }

    /// Makes a private key and its public half, `NAME.pem` and `NAME.pub.pem`.
    pub(crate) fn key(&self, name: &str) -> PathBuf {
        let private = self.folder.join(format!("{name}.pem"));
        openssl(&["genpkey", "-algorithm", "ed25519", "-out"], &[&private]);
        fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).unwrap();
        let public = self.public(name);
        let done = Command::new("openssl")
            .args(["pkey", "-pubout", "-in"])
            .arg(&private)
            .arg("-out")
            .arg(public)
            .status();
        assert!(done.is_ok_and(|status| status.success()), "{NEEDED}");
        private
    }

    pub(crate) fn public(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pub.pem"))
    }

    /// An export of the days of March 2026 up to this one, exclusive.
    pub(crate) fn export(&self, to: u32, arguments: &[&str]) -> Outcome {
        let to = format!("2026-03-{to:02}");
        let mut command = export(&self.sandbox.url, "2026-03-01", &to, &self.dest);
        command.args(arguments);
        run(command)
    }

    pub(crate) fn sign(&self, arguments: &[&str]) -> Outcome {
        let mut command = program();
        command.args(["sign", "--dest"]).arg(&self.dest).args(arguments);
        run(command)
    }

    pub(crate) fn convert(&self, arguments: &[&str]) -> Outcome {
        let file = self.folder.join("events.ndjson");
        let event = r#"{"id":"5bd5e7ee-4a40-4f3f-a8e4-2a1f1a0f4d2c","event_type":"USER_LOGIN","created_at":"2026-01-05T10:00:00","account_id":"abcd1234"}"#;
        fs::write(&file, format!("{event}\n")).unwrap();
        let mut command = program();
        command.arg("convert").arg(&file).args(["--account", KEY, "--dest"]).arg(&self.dest).args(arguments);
        run(command)
    }

    /// The script that ships, with these public keys.
    pub(crate) fn verify(&self, dest: &Path, keys: &[&str]) -> Outcome {
        let mut command = Command::new("sh");
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/verify-signatures.sh")).arg(dest);
        command.args(keys.iter().map(|name| self.public(name)));
        run(command)
    }

    /// Every file of the destination but the lock.
    pub(crate) fn tree(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut open = vec![self.dest.clone()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else if path.file_name().is_some_and(|name| name != "lock") {
                    let name = path.strip_prefix(&self.dest).unwrap().display().to_string();
                    files.insert(name, fs::read(&path).unwrap());
                }
            }
        }
        files
    }

    pub(crate) fn commit(&self, number: u64) -> PathBuf {
        self.dest.join(format!("_audit/commits/{number:016}.json"))
    }

    pub(crate) fn signature(&self, number: u64) -> PathBuf {
        self.dest.join(format!("_audit/commits/{number:016}.json.sig"))
    }

    /// How many commits and how many signatures there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let names: Vec<_> =
            self.tree().into_keys().filter(|name| name.starts_with("_audit/commits/")).collect();
        let signed = names.iter().filter(|name| name.ends_with(".sig")).count();
        (names.len() - signed, signed)
    }
}

pub(crate) fn openssl(arguments: &[&str], paths: &[&Path]) {
    let done = Command::new("openssl").args(arguments).args(paths).output();
    match done {
        Ok(output) if output.status.success() => {}
        other => panic!("{NEEDED}: {arguments:?}: {other:?}"),
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
