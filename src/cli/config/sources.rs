//! Where the values of flags come from: what is typed, the environment, the configuration file, defaults; in this order.
//!
//! What lives here: [`parse`], which lays the values of environment and file behind what was typed, as flags, and has all
//! of it read by the one definition of flags. So a value is understood, checked and refused in one way, wherever it
//! stands. What this file must not know: what a flag means.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};
use vonage_audit::{Error, Result};

use super::file::{Contents, Value, read};
use crate::args::Args;
use crate::environment::Environment;

/// What every variable begins with.
const PREFIX: &str = "VONAGE_AUDIT_";
/// With accounts of their own in the file, these are theirs to take or leave: see `accounts`.
const OF_ACCOUNTS: [&str; 3] = ["dest", "api_url", "rate"];

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag,
    Variable(String),
    File(PathBuf, usize),
    Default,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag => out.write_str("flag"),
            Self::Variable(name) => write!(out, "environment {name}"),
            Self::File(path, line) => write!(out, "{}:{line}", path.display()),
            Self::Default => out.write_str("default"),
        }
    }
}

/// One key of the configuration, resolved.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) key: String,
    /// Empty where nothing is set and there is no default.
    pub(crate) values: Vec<String>,
    pub(crate) switch: bool,
    pub(crate) origin: Origin,
}

/// Why there are no arguments.
pub(crate) enum Refusal {
    /// What the flags' reader says: help, version, or what is wrong with what was typed.
    Typed(clap::Error),
    /// What is wrong with the environment or the file.
    Laid(Error),
}

/// A value that was not typed.
struct Laid {
    key: String,
    words: Vec<OsString>,
    origin: Origin,
}

/// Whether a flag can stand in the configuration.
pub(crate) fn is_key(arg: &Arg) -> bool {
    let spoken = !matches!(
        arg.get_action(),
        ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
    );
    spoken && !["config", "each-window"].contains(&arg.get_long().unwrap_or("config"))
}

/// A flag's key: its name with `_` for `-`.
pub(crate) fn key(arg: &Arg) -> String {
    arg.get_long().unwrap_or_default().replace('-', "_")
}

/// The command whose flags the configuration is about.
pub(crate) fn export() -> Command {
    let mut command = Args::command();
    command.build();
    command.find_subcommand("export").cloned().unwrap_or(command)
}

/// The arguments, and where each of their values comes from; the latter for commands that the configuration is about.
pub(crate) fn parse(
    typed: Vec<OsString>,
    environment: &Environment,
) -> std::result::Result<(Args, Vec<Setting>), Refusal> {
    let mut command = Args::command();
    command.build();
    let first = match command.clone().try_get_matches_from(&typed) {
        // What is missing may stand elsewhere.
        Err(error) if error.kind() == clap::error::ErrorKind::MissingRequiredArgument => {
            command.clone().ignore_errors(true).try_get_matches_from(&typed)
        }
        outcome => outcome,
    }
    .map_err(Refusal::Typed)?;
    let Some((leaf, given)) = leaf(&command, &first) else {
        return finish(command, typed).map(|(args, _)| (args, Vec::new())).map_err(Refusal::Typed);
    };
    let laid = laid(leaf, given, environment).map_err(Refusal::Laid)?;
    let leaf = leaf.clone();
    let words = typed.into_iter().chain(laid.iter().flat_map(|value| value.words.clone())).collect();
    let (args, matches) = finish(command.clone(), words).map_err(|error| blame(error, &laid))?;
    let settings = self::leaf(&command, &matches).map(|(_, matches)| settings(&leaf, matches, &laid));
    Ok((args, settings.unwrap_or_default()))
}

fn finish(command: Command, words: Vec<OsString>) -> std::result::Result<(Args, ArgMatches), clap::Error> {
    let matches = command.try_get_matches_from(words)?;
    Ok((Args::from_arg_matches(&matches)?, matches))
}

/// The command that was typed, if the configuration is about it.
fn leaf<'a>(command: &'a Command, matches: &'a ArgMatches) -> Option<(&'a Command, &'a ArgMatches)> {
    let (name, inner) = matches.subcommand()?;
    let command = command.find_subcommand(name)?;
    match name {
        "export" | "plan" => Some((command, inner)),
        "config" => {
            let (name, inner) = inner.subcommand().filter(|(name, _)| *name != "example")?;
            Some((command.find_subcommand(name)?, inner))
        }
        _ => None,
    }
}

fn is_typed(arg: &Arg, given: &ArgMatches) -> bool {
    given.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
}

/// What environment and file add to what was typed.
fn laid(leaf: &Command, given: &ArgMatches, environment: &Environment) -> Result<Vec<Laid>> {
    let typed_path = given.get_one::<PathBuf>("config").cloned();
    let path =
        typed_path.clone().or_else(|| environment.setting(&format!("{PREFIX}CONFIG")).map(PathBuf::from));
    let known: Vec<_> = export().get_arguments().filter(|arg| is_key(arg)).map(key).collect();
    let file = path.as_deref().map(|path| read(path, &known)).transpose()?.unwrap_or_default();
    let mut laid = Vec::new();
    let mut taken: Vec<&Arg> = leaf.get_arguments().filter(|arg| is_typed(arg, given)).collect();
    if let (None, Some(path)) = (typed_path, &path) {
        let name = format!("{PREFIX}CONFIG");
        let words = vec![format!("--config={}", path.display()).into()];
        laid.push(Laid { key: "config".to_owned(), words, origin: Origin::Variable(name) });
    }
    for from_file in [false, true] {
        // Within one source nothing beats anything: what cannot stand together there is an error.
        let mut found = Vec::new();
        for arg in leaf.get_arguments().filter(|arg| is_key(arg)) {
            if taken.iter().any(|other| other.get_id() == arg.get_id() || conflict(leaf, arg, other)) {
                continue;
            }
            let value = if from_file {
                of_file(arg, &file, path.as_ref())?
            } else {
                of_environment(arg, environment)?
            };
            if let Some(value) = value {
                laid.push(value);
                found.push(arg);
            }
        }
        taken.extend(found);
    }
    Ok(laid)
}

/// What beats a value beats those that cannot stand beside it as well.
fn conflict(command: &Command, one: &Arg, other: &Arg) -> bool {
    let excludes = |one: &Arg, other: &Arg| {
        command.get_arg_conflicts_with(one).iter().any(|arg| arg.get_id() == other.get_id())
    };
    excludes(one, other) || excludes(other, one)
}

fn of_environment(arg: &Arg, environment: &Environment) -> Result<Option<Laid>> {
    let key = key(arg);
    let name = format!("{PREFIX}{}", key.to_uppercase());
    let Some(text) = environment.setting(&name) else { return Ok(None) };
    let value = match (is_switch(arg), text.as_str()) {
        (true, "true" | "1") => Value::Switch(true),
        (true, "false" | "0") => Value::Switch(false),
        (true, _) => {
            return Err(Error::usage("a variable of a switch is neither true nor false").at("variable", name));
        }
        (false, _) => Value::Words(vec![text]),
    };
    Ok(Some(Laid { words: words(arg, &value), key, origin: Origin::Variable(name) }))
}

fn of_file(arg: &Arg, file: &Contents, path: Option<&PathBuf>) -> Result<Option<Laid>> {
    let key = key(arg);
    let (Some(path), Some(entry)) = (path, file.entries.iter().find(|entry| entry.key == key)) else {
        return Ok(None);
    };
    if file.accounts && OF_ACCOUNTS.contains(&key.as_str()) {
        return Ok(None);
    }
    let fault = match &entry.value {
        Value::Switch(_) if !is_switch(arg) => Some("a text or a number"),
        Value::Words(_) if is_switch(arg) => Some("true or false"),
        Value::Words(words) if words.len() != 1 && !matches!(arg.get_action(), ArgAction::Append) => {
            Some("one value")
        }
        _ => None,
    };
    if let Some(wanted) = fault {
        return Err(Error::usage(format!("{key} takes {wanted}"))
            .at("path", path.display())
            .at("line", entry.line));
    }
    let origin = Origin::File(path.clone(), entry.line);
    Ok(Some(Laid { words: words(arg, &entry.value), key, origin }))
}

fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

/// The value as it would be typed.
fn words(arg: &Arg, value: &Value) -> Vec<OsString> {
    let flag = arg.get_long().unwrap_or_default();
    match value {
        Value::Switch(true) => vec![format!("--{flag}").into()],
        Value::Switch(false) => Vec::new(),
        Value::Words(words) => words.iter().map(|word| format!("--{flag}={word}").into()).collect(),
    }
}

/// An error about a value that was not typed says where it stands.
fn blame(error: clap::Error, laid: &[Laid]) -> Refusal {
    let about = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let flag = about.as_deref().and_then(|text| text.split([' ', '=']).next()).unwrap_or_default();
    let key = flag.trim_start_matches('-').replace('-', "_");
    let Some(value) = laid.iter().find(|value| value.key == key) else { return Refusal::Typed(error) };
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let error = Error::usage(first.strip_prefix("error: ").unwrap_or(first)).at("from", &value.origin);
    Refusal::Laid(error.hint("`vonage-audit config show` tells where each value comes from"))
}

fn settings(leaf: &Command, matches: &ArgMatches, laid: &[Laid]) -> Vec<Setting> {
    let keys = leaf.get_arguments().filter(|arg| is_key(arg));
    keys.map(|arg| {
        let key = key(arg);
        let id = arg.get_id().as_str();
        let origin = match laid.iter().find(|value| value.key == key) {
            Some(value) => value.origin.clone(),
            None if is_typed(arg, matches) => Origin::Flag,
            None => Origin::Default,
        };
        let raw = matches.get_raw(id).into_iter().flatten();
        let values = raw.map(|value| value.to_string_lossy().into_owned()).collect();
        Setting { key, values, switch: is_switch(arg), origin }
    })
    .collect()
}
