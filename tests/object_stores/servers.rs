//! Real servers on loopback, and stores in them.
//!
//! What lives here: starting and ending them, and the settings that reach them. What this file must not know: what is
//! stored.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use vonage_audit::Result;
use vonage_audit::secret::Secret;
use vonage_audit::store::{BucketStore, Location, StorageLimits, StorageOptions, Store};

use crate::python::environment;

/// The pinned version of the Azure server.
const AZURITE: &str = "azurite@3.35.0";

/// A server, ended when dropped; it ends as well when this process does.
pub(crate) struct Server {
    child: Child,
    /// What it said of itself.
    pub(crate) said: Value,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its input ends, and so does it, together with what it has started.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/object_stores")
}

fn start(mut command: Command) -> Server {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said =
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{command:?} said {line:?}: {error}"));
    Server { child, said }
}

/// An S3 server that checks signatures and policies; with a policy, it has a user who has no other rights.
pub(crate) fn s3(policy: Option<&str>) -> Server {
    let python = environment("servers-venv", &folder().join("requirements.txt"));
    let mut command = Command::new(python);
    command.arg("-B").arg(folder().join("s3_server.py")).args(policy);
    start(command)
}

/// An S3 server that checks nothing, for tests that change signed requests on their way.
pub(crate) fn open_s3() -> Server {
    s3(Some("--open"))
}

/// The S3 server that tests share which need neither.
pub(crate) fn shared_s3() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| s3(None))
}

/// An Azure Blob server.
pub(crate) fn azure() -> Server {
    let mut command = Command::new("python3");
    command.arg("-B").arg(folder().join("azure_server.py")).arg(azurite());
    start(command)
}

/// Where the Azure server is installed; installs it once.
fn azurite() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("azurite");
    fs::create_dir_all(&home).unwrap();
    let lock = File::create(home.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let ready = home.join("ready");
    if fs::read_to_string(&ready).is_ok_and(|made| made == AZURITE) {
        return home;
    }
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"]).arg(&home).arg(AZURITE);
    let status = npm.status();
    assert!(
        status.as_ref().is_ok_and(std::process::ExitStatus::success),
        "the Azure server needs node 20 or later with npm, and access to the npm registry on the first run: {status:?}"
    );
    fs::write(ready, AZURITE).unwrap();
    home
}

impl Server {
    pub(crate) fn text(&self, pointer: &str) -> String {
        self.said.pointer(pointer).and_then(Value::as_str).unwrap().to_owned()
    }

    /// The variables that reach an S3 server as this user.
    pub(crate) fn s3_as(&self, user: &str) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("AWS_ENDPOINT_URL", self.text("/url")),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", self.text(&format!("/{user}/id"))),
            ("AWS_SECRET_ACCESS_KEY", self.text(&format!("/{user}/secret"))),
        ])
    }

    pub(crate) fn azure_variables(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("AZURE_STORAGE_ENDPOINT", self.text("/url")),
            ("AZURE_STORAGE_ACCOUNT_NAME", self.text("/account")),
            ("AZURE_STORAGE_ACCOUNT_KEY", self.text("/key")),
        ])
    }
}

/// A prefix of its own in the bucket.
pub(crate) fn fresh(scheme: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{scheme}://test/p{}/audit", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Short waits: what is tested are orders, not patience.
pub(crate) fn limits() -> StorageLimits {
    StorageLimits {
        request: Duration::from_secs(60),
        retry: Duration::from_secs(60),
        backoff_base: Duration::from_millis(1),
        backoff_cap: Duration::from_millis(5),
    }
}

pub(crate) async fn store(
    url: &str,
    variables: &BTreeMap<&'static str, String>,
    limits: StorageLimits,
) -> Result<BucketStore> {
    let pairs = variables.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(value.clone())));
    BucketStore::open(Location::parse(url).unwrap().unwrap(), StorageOptions::new(pairs), limits).await
}

/// Every object below these folders.
pub(crate) async fn objects(store: &dyn Store, folders: &[&str]) -> BTreeMap<String, Bytes> {
    let mut found = BTreeMap::new();
    for folder in folders {
        for path in store.list(&vonage_audit::store::ObjectPath::new(*folder).unwrap()).await.unwrap() {
            let bytes = store.read(&path, u64::MAX).await.unwrap().unwrap();
            found.insert(path.to_string(), bytes);
        }
    }
    found
}
