//! `vonage-audit config`: what a run would go by.
//!
//! What lives here: the three commands. What this file must not know: how values are found and checked.

use std::fmt::Write;

use clap::builder::StyledStr;
use clap::{Arg, Subcommand};
use serde_json::json;
use vonage_audit::plan::parse_duration;
use vonage_audit::{Error, Result};

use crate::accounts::{Account, described};
use crate::args::ExportArgs;
use crate::connection::connect;
use crate::environment::Environment;
use crate::export::{accounts, parse_grid, selection};
use crate::moments::Moments;
use crate::schema::table;
use crate::summary::count;
use crate::terminal::Terminal;

mod file;
mod sources;

pub(crate) use sources::{Refusal, Setting, parse};

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Whether flags, environment and file can be used as they are; nothing is requested, opened or written
    Check(Box<ExportArgs>),
    /// Every value that `export` with the same flags would take, as a configuration file, each with its origin
    Show(Box<ExportArgs>),
    /// A configuration file with every key and its default
    Example,
}

/// Runs a command.
pub(crate) fn run(
    command: &Command,
    settings: &[Setting],
    environment: &Environment,
    terminal: &Terminal,
) -> Result<u8> {
    match command {
        Command::Example => terminal.result(example().trim_end()),
        Command::Show(args) => {
            let accounts = described(&args.accounts, environment)?;
            terminal.result(if terminal.is_json() { machine(settings) } else { human(settings, &accounts) });
        }
        Command::Check(args) => {
            let accounts = check(args, environment)?;
            let number = u64::try_from(accounts.len()).unwrap_or(u64::MAX);
            terminal.result(if terminal.is_json() {
                json!({"output_version": 1, "accounts": accounts.len()}).to_string()
            } else {
                format!("the configuration can be used, for {}", count(number, "account"))
            });
        }
    }
    Ok(0)
}

/// All that an export checks before it opens its destination.
fn check(args: &ExportArgs, environment: &Environment) -> Result<Vec<Account>> {
    args.operations.check()?;
    let accounts = accounts(args, environment)?;
    if let Some(grid) = &args.range.grid {
        parse_grid(grid)?;
    }
    Moments::parse(&args.range)?;
    parse_duration(&args.lookback)?;
    selection(args)?;
    table(&args.table)?;
    args.memory.scratch(environment)?;
    for account in &accounts {
        connect(&args.api, account, environment)?;
        if account.dest.is_none() {
            return Err(Error::usage("no destination is given")
                .hint("add --dest PATH, or dest = \"…\" to the configuration"));
        }
    }
    if accounts.iter().any(|account| account.dest.as_deref() != Some(crate::stream::STANDARD_OUTPUT)) {
        args.layout.resolve(&args.formats.resolve()?)?;
    }
    Ok(accounts)
}

/// Commands may hold what only their owner should read, and so may addresses with a user in them.
fn shown(setting: &Setting, value: &str) -> String {
    let hidden = setting.key == "sign_command" || (value.contains("://") && value.contains('@'));
    quoted(if hidden { "(hidden)" } else { value })
}

fn quoted(text: &str) -> String {
    // A JSON text is a TOML text.
    serde_json::Value::from(text).to_string()
}

fn human(settings: &[Setting], accounts: &str) -> String {
    let mut out = String::new();
    for setting in settings {
        let values: Vec<_> = setting.values.iter().map(|value| shown(setting, value)).collect();
        let value = match values.as_slice() {
            [] if setting.switch => "false".to_owned(),
            [] => {
                let _ = writeln!(out, "# {} is not set", setting.key);
                continue;
            }
            [_] if setting.switch => setting.values.concat(),
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let line = format!("{} = {value}", setting.key);
        let _ = writeln!(out, "{line:<44} # {}", setting.origin);
    }
    format!("{out}{accounts}").trim_end().to_owned()
}

fn machine(settings: &[Setting]) -> String {
    let values: Vec<_> = settings
        .iter()
        .map(|setting| {
            let hidden = setting.key == "sign_command";
            let values = if hidden {
                vec!["(hidden)".to_owned(); setting.values.len()]
            } else {
                setting.values.clone()
            };
            json!({"key": setting.key, "values": values, "origin": setting.origin.to_string()})
        })
        .collect();
    json!({"output_version": 1, "settings": values}).to_string()
}

/// Every key, with what `--help` says of its flag.
fn example() -> String {
    let mut out = String::from(
        "# vonage-audit.toml: `vonage-audit export --config vonage-audit.toml`\n\
         # A flag beats the environment (VONAGE_AUDIT_ and the key in capitals), the environment beats this file.\n\
         # Each key is a flag of `export` with _ for -; all of them are optional. Secrets never stand here.\n",
    );
    let export = sources::export();
    let mut heading = None;
    let mut args: Vec<&Arg> = export.get_arguments().filter(|arg| sources::is_key(arg)).collect();
    args.sort_by_key(|arg| arg.get_help_heading().map(str::to_owned));
    for arg in args {
        if arg.get_help_heading() != heading {
            heading = arg.get_help_heading();
            let _ = writeln!(out, "\n# --- {} ---", heading.unwrap_or_default());
        }
        let help = arg.get_help().map(StyledStr::to_string).unwrap_or_default();
        let _ = writeln!(out, "\n# {}", help.replace('\n', "\n# "));
        let _ = writeln!(out, "# {} = {}", sources::key(arg), default(arg));
    }
    out += "\n# --- Accounts: each has a dataset of its own; without any, the one of VONAGE_API_KEY ---\n\n\
            # [accounts.main]\n\
            # key = \"abcd1234\"                          # names the account; it is no secret\n\
            # secret_env = \"VONAGE_SECRET_MAIN\"         # the variable that holds the secret; or\n\
            # secret_file = \"/etc/vonage/main.secret\"   # a file, mode 0600, with nothing else in it\n\
            # dest = \"/srv/audit/main\"                  # default: the dest above, and the account's name\n\
            # api_url = \"https://…\"\n\
            # rate = \"2/s\"\n";
    out
}

/// The default of a flag, or the form of its value.
fn default(arg: &Arg) -> String {
    if matches!(arg.get_action(), clap::ArgAction::SetTrue) {
        return "false".to_owned();
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let form = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let value = |text: &str| match text.parse::<u64>() {
        Ok(_) => text.to_owned(),
        Err(_) => quoted(text),
    };
    let text = match defaults.as_slice() {
        [] => quoted(&form.unwrap_or_default()),
        [one] => value(one),
        several => several.iter().map(|text| value(text)).collect::<Vec<_>>().join(", "),
    };
    if matches!(arg.get_action(), clap::ArgAction::Append) { format!("[{text}]") } else { text }
}
