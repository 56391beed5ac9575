//! The sandbox as a process of its own, and exports from it.
//!
//! What lives here: its life, its credentials, and the command line that every export of the tests begins with. What
//! this file must not know: the library, and what is exported.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::{LIMIT, program};

/// The key and the secret that a sandbox takes.
pub(crate) const KEY: &str = "abcd1234";
pub(crate) const SECRET: &str = "sandbox-secret";

/// `vonage-audit sandbox`, ended when dropped.
pub(crate) struct Sandbox {
    child: Child,
    /// The API's base URL.
    pub(crate) url: String,
}

impl Sandbox {
    /// Starts one on a free port and waits until it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (out, err) = (folder.path().join("stdout"), folder.path().join("stderr"));
        let mut command = program();
        command.args(["sandbox", "--port", "0"]).args(arguments);
        command.stdin(Stdio::null()).stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        let mut child = command.spawn().unwrap();
        let end = Instant::now() + LIMIT;
        loop {
            let said = fs::read_to_string(&out).unwrap();
            if let Some((url, _)) =
                said.strip_prefix("listening on ").and_then(|rest| rest.split_once(['\r', '\n']))
            {
                return Self { child, url: url.to_owned() };
            }
            let ended = child.try_wait().unwrap();
            if ended.is_some() || Instant::now() > end {
                let _ = child.kill();
                let _ = child.wait();
                panic!(
                    "the sandbox does not listen: {ended:?}\n{said}\n{}",
                    fs::read_to_string(&err).unwrap()
                );
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `vonage-audit export` with the sandbox's credentials.
pub(crate) fn export(url: &str, from: &str, to: &str, dest: &Path) -> Command {
    let mut command = program();
    command
        .env("VONAGE_API_KEY", KEY)
        .env("VONAGE_API_SECRET", SECRET)
        .env("VONAGE_AUDIT_API_URL", url)
        .args(["export", "--from", from, "--to", to, "--dest"])
        .arg(dest);
    command
}
