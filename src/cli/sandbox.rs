//! `vonage-audit sandbox`: the Audit API on loopback, for a person or a script.
//!
//! What lives here: the flags and how they become a world. What this file must not know: the environment (its values
//! are arguments), signals (the shutdown is an argument) and how the API is served.

use std::fs;
use std::future::Future;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use tokio::net::TcpListener;
use vonage_audit::error::{Error, Kind, Result};
use vonage_audit::sandbox::{Behaviour, FaultScript, Population, Spec, World, serve};

/// The largest file of events that is read into memory: 2 GiB.
const LARGEST_FILE: u64 = 2 << 30;
/// The secret of a sandbox that was given none; it protects nothing.
const PUBLIC_SECRET: &str = "sandbox-secret";

/// Serve the Audit API on loopback: seeded events, every undocumented behaviour a switch, faults on request.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Loopback address to listen on
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    host: IpAddr,
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 8765)]
    port: u16,
    /// How many events there are
    #[arg(long, default_value_t = 10_000, value_name = "COUNT", conflicts_with = "data")]
    events: u32,
    /// First day of the events
    #[arg(long, default_value = "2026-01-01", value_name = "DATE", conflicts_with = "data")]
    from: NaiveDate,
    /// Day after the last day of the events
    #[arg(long, default_value = "2026-04-01", value_name = "DATE", conflicts_with = "data")]
    to: NaiveDate,
    /// The same seed gives the same events
    #[arg(long, default_value_t = 1, conflicts_with = "data")]
    seed: u64,
    /// Serve the events of this NDJSON file instead, byte for byte
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// API key to accept; the account of seeded events
    #[arg(long, default_value = "abcd1234")]
    key: String,
    /// Switches, for instance order=oldest,upper=exclusive; repeatable
    #[arg(long, visible_alias = "behavior", value_name = "KEY=VALUE,…")]
    behaviour: Vec<String>,
    /// What breaks at which request, for instance 3:status=503 or 5..:reset; repeatable
    #[arg(long, value_name = "INDEX:FAULT")]
    fault: Vec<String>,
    /// Make the JSON of all events before listening and hold it in memory, so that the sandbox costs little CPU while it
    /// is measured against; about 600 bytes an event
    #[arg(long)]
    prerender: bool,
    /// Milliseconds before each reply
    #[arg(long, value_name = "MILLISECONDS")]
    delay_ms: Option<u64>,
}

/// Serves until `shutdown` completes. `secret` is the value of `VONAGE_API_SECRET`, if there is one.
///
/// Writes the address and what to put into the environment to `out`, once the socket is open.
///
/// # Errors
/// [`Kind::Usage`] if the flags make no sandbox or the address cannot be had; [`Kind::Storage`] if `out` is closed.
pub(crate) async fn run(
    args: &Args,
    secret: Option<String>,
    out: &mut impl Write,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    let world = world(args, secret.as_deref().unwrap_or(PUBLIC_SECRET))?;
    let wanted = SocketAddr::new(args.host, args.port);
    let cannot_listen = |error: io::Error| {
        Error::usage("cannot listen")
            .at("address", wanted)
            .because(error)
            .hint("choose another --port, or 0 for a free one")
    };
    let listener = TcpListener::bind(wanted).await.map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;
    let url = format!("http://{address}{}", world.base_path());
    announce(out, &url, &args.key, secret.is_none())
        .map_err(|error| Error::new(Kind::Storage, "cannot write to stdout").because(error))?;
    serve(listener, Arc::new(world), shutdown)
        .await
        .map_err(|error| Error::new(Kind::Unavailable, "the sandbox stopped").because(error))
}

fn world(args: &Args, secret: &str) -> Result<World> {
    if !args.host.is_loopback() {
        return Err(Error::usage("the sandbox listens on loopback only")
            .at("host", args.host)
            .hint("leave --host out, or give 127.0.0.1 or ::1"));
    }
    if args.key.is_empty() || !args.key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Error::usage("an API key has letters and digits only").at("key", &args.key));
    }
    let mut behaviour = Behaviour::default();
    for part in args.behaviour.iter().flat_map(|text| text.split(',')).map(str::trim) {
        if part.is_empty() {
            continue;
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        behaviour
            .set(name, value)
            .map_err(|error| Error::usage("cannot read --behaviour").at("part", part).because(error))?;
    }
    if let Some(delay) = args.delay_ms {
        behaviour.delay_ms = delay;
    }
    let mut faults = FaultScript::default();
    for text in &args.fault {
        faults = faults
            .with(text)
            .map_err(|error| Error::usage("cannot read --fault").at("fault", text).because(error))?;
    }
    let population = match &args.data {
        Some(path) => read(path)?,
        None => Population::seeded(Spec {
            seed: args.seed,
            events: args.events,
            from: args.from,
            to: args.to,
            account: args.key.clone(),
        })
        .map_err(|error| Error::usage("cannot make the events").because(error))?,
    };
    let population = if args.prerender { population.rendered() } else { population };
    Ok(World::new(population).credentials(&args.key, &[secret]).behaviour(behaviour).faults(faults))
}

fn read(path: &Path) -> Result<Population> {
    let cannot = || Error::usage("cannot read --data").at("path", path.display());
    let size = fs::metadata(path).map_err(|error| cannot().because(error))?.len();
    if size > LARGEST_FILE {
        return Err(cannot().at("bytes", size).hint("a file of events may have up to 2 GiB"));
    }
    let text = fs::read(path).map_err(|error| cannot().because(error))?;
    Population::from_ndjson(text).map_err(|error| cannot().because(error))
}

/// Lines to paste into a shell. A secret from the environment may be a real one and is not repeated.
fn announce(out: &mut impl Write, url: &str, key: &str, public: bool) -> io::Result<()> {
    writeln!(out, "listening on {url}")?;
    writeln!(out, "export VONAGE_AUDIT_API_URL={url}")?;
    writeln!(out, "export VONAGE_API_KEY={key}")?;
    if public {
        writeln!(out, "export VONAGE_API_SECRET={PUBLIC_SECRET}")?;
    } else {
        writeln!(out, "# VONAGE_API_SECRET: as in the environment of the sandbox")?;
    }
    out.flush()
}
