//! Which accounts a command speaks for: one from flags and environment, or several from the configuration file.
//!
//! What lives here: [`Account`], the file's form and how both resolve. A flag beats the environment beats the file.
//! What this file must not know: what is done with an account.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use vonage_audit::api::DEFAULT_BASE;
use vonage_audit::secret::Credentials;
use vonage_audit::{Error, Result};

use crate::args::{AccountArgs, ApiArgs};
use crate::environment::{Environment, secret_from_file};

/// One account, resolved.
pub(crate) struct Account {
    /// Its name in the configuration file.
    pub(crate) name: Option<String>,
    pub(crate) credentials: Credentials,
    pub(crate) base: String,
    /// As written: `5/s`.
    pub(crate) rate: Option<String>,
    /// Where its dataset lives, for commands that have one.
    pub(crate) dest: Option<String>,
}

/// What accounts take of the file. Its other keys are flags, and were judged before.
#[derive(Deserialize)]
struct File {
    dest: Option<String>,
    api_url: Option<String>,
    rate: Option<String>,
    #[serde(default)]
    accounts: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    key: String,
    secret_env: Option<String>,
    secret_file: Option<PathBuf>,
    dest: Option<String>,
    api_url: Option<String>,
    rate: Option<String>,
}

/// The one account of flags and environment.
pub(crate) fn single(api: &ApiArgs, dest: Option<&str>, environment: &Environment) -> Result<Account> {
    let credentials = environment.credentials(api.credentials_file.as_deref())?;
    let base = api.api_url.as_deref().or(environment.api_url.as_deref()).unwrap_or(DEFAULT_BASE).to_owned();
    Ok(Account { name: None, credentials, base, rate: api.rate.clone(), dest: dest.map(str::to_owned) })
}

/// The accounts that a command is to run for.
pub(crate) fn resolve(
    chosen: &AccountArgs,
    api: &ApiArgs,
    dest: Option<&str>,
    environment: &Environment,
) -> Result<Vec<Account>> {
    let Some(path) = &chosen.config else {
        if let Some(name) = chosen.account.first() {
            return Err(Error::usage(format!("--account {name} needs a --config file that names it")));
        }
        return Ok(vec![single(api, dest, environment)?]);
    };
    let file = read(path)?;
    if file.accounts.is_empty() && chosen.account.is_empty() {
        return Ok(vec![single(api, dest, environment)?]);
    }
    if let Some(unknown) = chosen.account.iter().find(|name| !file.accounts.contains_key(*name)) {
        let names: Vec<_> = file.accounts.keys().map(String::as_str).collect();
        return Err(Error::usage(format!("the configuration has no account {unknown:?}"))
            .at("path", path.display())
            .hint(format!("it has: {}", names.join(", "))));
    }
    let root = dest.or(file.dest.as_deref());
    file.accounts
        .iter()
        .filter(|(name, _)| chosen.account.is_empty() || chosen.account.contains(name))
        .map(|(name, entry)| {
            one(name, entry, &file, root, api, environment)
                .map_err(|error| error.at("account", name).at("path", path.display()))
        })
        .collect()
}

/// The accounts of the file, as `config show` tells them: never a secret.
pub(crate) fn described(chosen: &AccountArgs, environment: &Environment) -> Result<String> {
    let Some(path) = &chosen.config else { return Ok(String::new()) };
    let file = read(path)?;
    let mut out = String::new();
    for (name, entry) in &file.accounts {
        out += &format!("\n[accounts.{name}]\nkey = {:?}\n", entry.key);
        if let Some(variable) = &entry.secret_env {
            let state = if environment.variable(variable).is_some() { "set" } else { "NOT SET" };
            out += &format!("secret_env = {variable:?} # {state}\n");
        }
        if let Some(path) = &entry.secret_file {
            out += &format!("secret_file = {:?}\n", path.display().to_string());
        }
        for (key, own, shared) in [
            ("dest", &entry.dest, &file.dest),
            ("api_url", &entry.api_url, &file.api_url),
            ("rate", &entry.rate, &file.rate),
        ] {
            if let Some(value) = own {
                out += &format!("{key} = {value:?}\n");
            } else if let Some(value) = shared {
                let value = if key == "dest" {
                    format!("{}/{name}", value.trim_end_matches('/'))
                } else {
                    value.clone()
                };
                out += &format!("{key} = {value:?} # the file's\n");
            }
        }
    }
    Ok(out)
}

fn one(
    name: &str,
    entry: &Entry,
    file: &File,
    root: Option<&str>,
    api: &ApiArgs,
    environment: &Environment,
) -> Result<Account> {
    // The name becomes a folder.
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if name.is_empty() || !plain {
        return Err(Error::usage("an account's name may have letters, digits, '-' and '_' alone"));
    }
    let secret = match (&entry.secret_env, &entry.secret_file) {
        (Some(variable), None) => environment.variable(variable).ok_or_else(|| {
            Error::usage(format!("the environment variable {variable} is not set or empty"))
        })?,
        (None, Some(path)) => secret_from_file(path)?,
        _ => {
            return Err(Error::usage("an account needs either secret_env or secret_file")
                .hint("the secret itself never stands in the configuration"));
        }
    };
    let base =
        [api.api_url.as_ref(), environment.api_url.as_ref(), entry.api_url.as_ref(), file.api_url.as_ref()];
    let dest =
        entry.dest.clone().or_else(|| root.map(|root| format!("{}/{name}", root.trim_end_matches('/'))));
    Ok(Account {
        name: Some(name.to_owned()),
        credentials: Credentials { key: entry.key.clone(), secret },
        base: base.into_iter().flatten().next().map_or(DEFAULT_BASE, String::as_str).to_owned(),
        rate: [api.rate.as_ref(), entry.rate.as_ref(), file.rate.as_ref()]
            .into_iter()
            .flatten()
            .next()
            .cloned(),
        dest,
    })
}

fn read(path: &Path) -> Result<File> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::usage("cannot read the configuration file").at("path", path.display()).because(error)
    })?;
    toml::from_str(&text).map_err(|error| {
        let line = error
            .span()
            .map_or(0, |span| 1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count());
        Error::usage(format!("the configuration is not understood: {}", error.message()))
            .at("path", path.display())
            .at("line", line)
    })
}
