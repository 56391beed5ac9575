//! `vonage-audit completions` and `vonage-audit man`: what shells and packagers take.
//!
//! What lives here: both texts, made from the definition of the flags themselves. What this file must not know: what a
//! flag means.

use std::path::PathBuf;

use clap::{Args as ClapArgs, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use vonage_audit::error::Kind;
use vonage_audit::{Error, Result};

use crate::args::Args;
use crate::terminal::Terminal;

const PROGRAM: &str = "vonage-audit";

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ManArgs {
    /// Write one page for each command into this folder, which must exist
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// The script, on standard output.
pub(crate) fn completions(args: &CompletionsArgs, terminal: &Terminal) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), PROGRAM, &mut script);
    // The generator for bash spells a program's name with a hyphen in two ways, so that no command is ever found.
    let script = String::from_utf8_lossy(&script).replace("vonage__subcmd__audit", "vonage__audit");
    terminal.result(script.trim_end());
}

/// The main page on standard output, or all pages as files `vonage-audit-COMMAND.1`.
pub(crate) fn man(args: &ManArgs, terminal: &Terminal) -> Result<()> {
    let mut command = Args::command().name(PROGRAM).disable_help_subcommand(true);
    command.build();
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page).map_err(|error| Error::bug("no page").because(error))?;
        terminal.result(String::from_utf8_lossy(&page).trim_end());
        return Ok(());
    };
    clap_mangen::generate_to(command, dir).map_err(|error| {
        Error::new(Kind::Storage, "cannot write the manual").at("path", dir.display()).because(error)
    })
}
