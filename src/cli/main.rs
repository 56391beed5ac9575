//! The program: flags, configuration, progress, output and exit codes. The only reader of the environment.
//!
//! What lives here: the way from arguments to a command and from its outcome to an exit code. What this crate must
//! not know: anything of the library but its public API.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Duration;

mod accounts;
mod args;
mod config;
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
mod manual;
mod metrics;
mod moments;
mod operations;
mod outlook;
mod progress;
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
mod traces;
mod trust;
mod verify;

use args::Command;
use config::{Refusal, Setting};
use environment::Environment;
use terminal::Terminal;
use vonage_audit::{Error, Result};

/// Threads that may wait for a disk, beside one for each processor that computes.
const WAITING: usize = 1;

/// How long work that was called off may go on.
const SHUTDOWN: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let environment = Environment::read();
    let typed: Vec<_> = std::env::args_os().collect();
    // As typed: an error about the flags themselves comes before they are known.
    let as_json = typed.iter().any(|word| word == "--log-format=json")
        || typed
            .windows(2)
            .any(|words| matches!(words, [flag, form] if flag == "--log-format" && form == "json"));
    let (args, settings) = match config::parse(typed, &environment) {
        Ok(parsed) => parsed,
        // Help, version and usage errors are printed as they are, before anything is requested.
        Err(Refusal::Typed(error)) if !as_json || !error.use_stderr() => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
        Err(refusal) => {
            let error = match refusal {
                Refusal::Laid(error) => error,
                Refusal::Typed(error) => {
                    let text = error.to_string();
                    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                    Error::usage(text.strip_prefix("error: ").unwrap_or(&text))
                }
            };
            Terminal::early(as_json).error(&error);
            return ExitCode::from(error.kind().exit_code());
        }
    };
    let terminal = Terminal::new(&args.global);
    ExitCode::from(ended(&terminal, || start(args.command, &settings, &environment, &terminal)))
}

/// The exit code of a command, after its error was said. A panic is a defect like any other; its text is said already.
fn ended(terminal: &Terminal, command: impl FnOnce() -> Result<u8>) -> u8 {
    let outcome =
        catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|_| Err(Error::bug("the program failed")));
    outcome.unwrap_or_else(|error| {
        terminal.error(&error);
        error.kind().exit_code()
    })
}

fn start(
    command: Command,
    settings: &[Setting],
    environment: &Environment,
    terminal: &Terminal,
) -> Result<u8> {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut runtime = match command {
        Command::Sandbox(_) => tokio::runtime::Builder::new_multi_thread(),
        // Sockets are read and written by the thread that asks: what comes on them need not wake another. Few threads compute
        // or wait for disks, since the allocator keeps for each what it has freed.
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    if !matches!(command, Command::Sandbox(_)) {
        runtime.max_blocking_threads(processors.saturating_add(WAITING));
    }
    let runtime = runtime
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
            Command::Files(args) => files::run(&args, environment, terminal).await,
            Command::Report(args) => report::run(&args, environment, terminal).await,
            Command::Schema(command) => schema::run(command, environment, terminal).await,
            Command::Sign(args) => sign::run(*args, environment, terminal).await,
            Command::Config(command) => config::run(&command, settings, environment, terminal),
            Command::Completions(args) => {
                manual::completions(&args, terminal);
                Ok(0)
            }
            Command::Man(args) => manual::man(&args, terminal).map(|()| 0),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_defect_ends_with_1() {
        let terminal = Terminal::early(false);
        assert_eq!(ended(&terminal, || Err(Error::bug("an invariant does not hold"))), 1);
        assert_eq!(ended(&terminal, || panic!("where nobody expected it")), 1);
        assert_eq!(ended(&terminal, || Err(Error::usage("a flag is wrong"))), 2);
        assert_eq!(ended(&terminal, || Ok(10)), 10);
    }
}
