//! The environment, read once.
//!
//! What lives here: the variables and the clock that the program takes from outside. What this file must not know:
//! what they are used for.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use vonage_audit::api::Proxy;
use vonage_audit::encode::FooterKey;
use vonage_audit::model::Timestamp;
use vonage_audit::secret::{Credentials, Secret};
use vonage_audit::store::StorageOptions;
use vonage_audit::{Error, Result};
use zeroize::Zeroizing;

/// No key file is longer, in bytes.
const MAX_KEY_FILE: u64 = 16 << 10;

/// What was set when the program started.
pub(crate) struct Environment {
    key: Option<String>,
    secret: Option<Secret>,
    /// `VONAGE_AUDIT_API_URL`.
    pub(crate) api_url: Option<String>,
    /// `TMPDIR`.
    pub(crate) temporary: Option<PathBuf>,
    /// The clock at the start.
    pub(crate) now: Timestamp,
    /// Differs from run to run; only for the jitter of waiting times.
    pub(crate) jitter: u64,
}

impl Environment {
    /// Reads it.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment and the clock")]
    pub(crate) fn read() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            key: text("VONAGE_API_KEY"),
            secret: text("VONAGE_API_SECRET").map(Secret::new),
            api_url: text("VONAGE_AUDIT_API_URL"),
            temporary: std::env::var_os("TMPDIR").filter(|value| !value.is_empty()).map(PathBuf::from),
            now: Timestamp::from_seconds(i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)),
            jitter: u64::from(elapsed.subsec_nanos()) ^ (u64::from(std::process::id()) << 32),
        }
    }

    /// Everything that is set, for object stores, which take the few variables that they know.
    #[expect(clippy::unused_self, reason = "the environment is a value, whoever holds it may ask it")]
    pub(crate) fn storage(&self) -> StorageOptions {
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, Secret::new(value.into_string().ok()?)))
        };
        StorageOptions::new(std::env::vars_os().filter_map(text))
    }

    /// The proxy to the API, if `HTTPS_PROXY` names one; the hosts in `NO_PROXY` are reached without it. As elsewhere, the
    /// name in small letters comes first.
    pub(crate) fn proxy(&self) -> Result<Option<Proxy>> {
        let either = |small: &str, capital: &str| self.setting(small).or_else(|| self.setting(capital));
        let Some(address) = either("https_proxy", "HTTPS_PROXY") else { return Ok(None) };
        let around = either("no_proxy", "NO_PROXY");
        Proxy::new(&Secret::new(address), around.as_deref()).map(Some)
    }

    /// The secret alone, for the sandbox, which has one of its own.
    pub(crate) fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// A variable that the configuration names, as a secret; none if it is not set or empty.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    #[expect(clippy::unused_self, reason = "the environment is a value, whoever holds it may ask it")]
    pub(crate) fn variable(&self, name: &str) -> Option<Secret> {
        std::env::var(name).ok().filter(|value| !value.is_empty()).map(Secret::new)
    }

    /// A variable that stands for a flag; none if it is not set or empty.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    #[expect(clippy::unused_self, reason = "the environment is a value, whoever holds it may ask it")]
    pub(crate) fn setting(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// The credentials, from the file if one is named, else from the environment.
    pub(crate) fn credentials(&self, file: Option<&Path>) -> Result<Credentials> {
        if let Some(path) = file {
            return from_file(path);
        }
        match (&self.key, &self.secret) {
            (Some(key), Some(secret)) => Ok(Credentials { key: key.clone(), secret: secret.clone() }),
            (None, _) => Err(missing("VONAGE_API_KEY")),
            (_, None) => Err(missing("VONAGE_API_SECRET")),
        }
    }
}

/// The clock now, for log lines: UTC, to the millisecond.
pub(crate) fn clock() -> String {
    let now = chrono::DateTime::<chrono::Utc>::from(system_time());
    now.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// The clock now, in seconds since 1970.
pub(crate) fn clock_seconds() -> u64 {
    system_time().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn system_time() -> SystemTime {
    SystemTime::now()
}

fn missing(name: &str) -> Error {
    Error::usage(format!("{name} is not set or empty"))
        .hint("export VONAGE_API_KEY and VONAGE_API_SECRET, or name a --credentials-file; a flag never takes the secret")
}

/// `NAME=value` lines; blank lines and lines that start with `#` are skipped.
fn from_file(path: &Path) -> Result<Credentials> {
    let text = read_private(path)?;
    let value = |name: &str| {
        text.expose()
            .lines()
            .map(|line| line.trim().strip_prefix("export ").unwrap_or(line.trim()))
            .filter_map(|line| line.split_once('='))
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned())
            .filter(|value| !value.is_empty())
            .ok_or_else(|| {
                Error::usage(format!("the credentials file has no {name}"))
                    .at("path", path.display())
                    .hint("write two lines: VONAGE_API_KEY=… and VONAGE_API_SECRET=…")
            })
    };
    Ok(Credentials { key: value("VONAGE_API_KEY")?, secret: Secret::new(value("VONAGE_API_SECRET")?) })
}

/// A file that holds nothing but a secret; one line break at its end does not count.
pub(crate) fn secret_from_file(path: &Path) -> Result<Secret> {
    let text = read_private(path)?;
    let line = text.expose().strip_suffix('\n').unwrap_or(text.expose());
    Ok(Secret::new(line.strip_suffix('\r').unwrap_or(line).to_owned()))
}

/// A key's file.
pub(crate) fn key_from_file(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    const WHAT: &str = "key file";
    let read = || {
        check_mode(path, WHAT)?;
        let cannot = |error| Error::usage("cannot read the key file").because(error);
        let mut file = File::open(path).map_err(cannot)?.take(MAX_KEY_FILE);
        // Room for all of it at once, so that no part stays behind in memory that was given back.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_KEY_FILE as usize + 1));
        file.read_to_end(&mut bytes).map_err(cannot)?;
        Ok(bytes)
    };
    read().map_err(|error: Error| error.at("path", path.display()))
}

/// The key that Parquet files are encrypted with.
pub(crate) fn footer_key_from_file(path: &Path) -> Result<FooterKey> {
    FooterKey::parse(&key_from_file(path)?).map_err(|error| error.at("path", path.display()))
}

fn read_private(path: &Path) -> Result<Secret> {
    check_mode(path, "credentials file")
        .and_then(|()| {
            std::fs::read_to_string(path)
                .map(Secret::new)
                .map_err(|error| Error::usage("cannot read the credentials file").because(error))
        })
        .map_err(|error| error.at("path", path.display()))
}

#[cfg(unix)]
fn check_mode(path: &Path, what: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::metadata(path)
        .map_err(|error| Error::usage(format!("cannot read the {what}")).because(error))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(Error::usage(format!("the {what} can be read by others"))
            .hint(format!("chmod 600 {}", path.display())));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_path: &Path, _what: &str) -> Result<()> {
    Ok(())
}
