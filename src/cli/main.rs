//! The program: flags, configuration, progress, output and exit codes. The only reader of the environment.
//!
//! What lives here: the way from arguments to a command and from its outcome to an exit code. What this crate must
//! not know: anything of the library but its public API.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

mod accounts;
mod args;
mod connection;
mod convert;
mod demo;
mod destination;
mod drift;
mod environment;
mod export;
mod files;
mod folders;
mod layout;
mod moments;
mod outlook;
mod questions;
mod report;
mod sandbox;
mod schema;
mod sign;
mod signing;
mod signing_program;
mod stream;
mod summary;
mod terminal;
mod verify;

use args::{Args, Command};
use environment::Environment;
use terminal::Terminal;
use vonage_audit::{Error, Result};

/// How long work that was called off may go on.
const SHUTDOWN: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    // clap prints its own usage errors and leaves with 2, before anything is requested.
    let args = Args::parse();
    let environment = Environment::read();
    let terminal = Terminal::new(&args.global);
    match start(args.command, &environment, &terminal) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            terminal.error(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}

fn start(command: Command, environment: &Environment, terminal: &Terminal) -> Result<u8> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::bug("cannot start the runtime").because(error))?;
    let code = runtime.block_on(async {
        match command {
            Command::Export(args) => export::run(args, environment, terminal).await,
            Command::Plan(args) => outlook::run(args, environment, terminal).await,
            Command::Probe(args) => questions::probe(&args, environment, terminal).await,
            Command::Types(args) => questions::types(&args, environment, terminal).await,
            Command::Event(args) => questions::event(&args, environment, terminal).await,
            Command::Convert(args) => convert::run(*args, environment, terminal).await,
            Command::Verify(args) => verify::run(&args, environment, terminal).await,
            Command::Files(args) => files::run(&args, terminal).await,
            Command::Report(args) => report::run(&args, terminal).await,
            Command::Schema(command) => schema::run(command, environment, terminal).await,
            Command::Sign(args) => sign::run(*args, environment, terminal).await,
            Command::Demo(args) => demo::run(args, environment, terminal).await,
            Command::Sandbox(args) => {
                let secret = environment.secret().map(|secret| secret.expose().to_owned());
                let mut out = std::io::stdout();
                let stop = async {
                    export::stop_signal().await;
                };
                sandbox::run(&args, secret, &mut out, stop).await.map(|()| 0)
            }
        }
    });
    // A read from standard input cannot be called off; whatever else still works is safe to be cut.
    runtime.shutdown_timeout(SHUTDOWN);
    code
}
