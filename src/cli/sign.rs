//! `vonage-audit sign`: signatures for commits that have none, and the hand-over to a new key.
//!
//! What lives here: its flags, the order of checks, the outcome for people and for programs. What this file must not
//! know: what is signed.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args as ClapArgs;
use vonage_audit::publish::signatures::{PublicKey, Signer};
use vonage_audit::publish::{Dataset, Signed};
use vonage_audit::{Error, Result};

use crate::args::StorageArgs;
use crate::destination::Place;
use crate::environment::Environment;
use crate::signing::{HEADING, SignerArgs, private_key, program};
use crate::summary::{count, grouped};
use crate::terminal::Terminal;

/// What to sign, and with which key.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Args {
    /// The dataset: a folder, or s3://…, gs://…, az://…
    #[arg(long, value_name = "DEST")]
    pub(crate) dest: String,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    storage: StorageArgs,
    /// Hand over from this key to the new one, for all that is committed from now on
    #[arg(long, value_name = "FILE", conflicts_with = "old_sign_command", help_heading = HEADING)]
    old_sign_key: Option<PathBuf>,
    /// The same, from the key of a shell command
    #[arg(long, value_name = "COMMAND", help_heading = HEADING)]
    old_sign_command: Option<String>,
}

/// Runs the command; gives the exit code.
pub(crate) async fn run(args: Args, environment: &Environment, terminal: &Terminal) -> Result<u8> {
    let place = Place::open(&args.dest, &args.storage, environment).await?;
    let dataset = Dataset::open_stored(Arc::clone(&place.store)).await?;
    let in_force = dataset.signing_key();
    let missing = || Error::usage("no key is given").hint("add --sign-key FILE or --sign-command COMMAND");
    let signer = args.signer.resolve(in_force).await?.ok_or_else(missing)?;
    let old = old(&args, in_force).await?;
    let key = signer.public_key();
    let _lock = place.begin(&dataset, terminal).await?;
    let now = environment.now.seconds();
    let signed = match old {
        Some(old) => dataset.rotate(old.as_ref(), signer.as_ref(), now).await?,
        None => dataset.sign_all(signer.as_ref(), now).await?,
    };
    let text =
        if terminal.is_json() { json(&signed, &args.dest, key) } else { human(&signed, &args.dest, key) };
    terminal.result(text);
    Ok(0)
}

async fn old(args: &Args, in_force: Option<PublicKey>) -> Result<Option<Arc<dyn Signer>>> {
    if let Some(path) = &args.old_sign_key {
        return private_key(path).map(Some);
    }
    let Some(command) = &args.old_sign_command else { return Ok(None) };
    let key = in_force.ok_or_else(|| Error::usage("the dataset has no key to hand over from"))?;
    program(command, key, args.signer.limit()?).await.map(Some)
}

fn human(signed: &Signed, dest: &str, key: PublicKey) -> String {
    let verdict = match signed.left {
        0 => "every commit is signed".to_owned(),
        left => format!("{} must be signed with another key of the log", count(left, "commit")),
    };
    let mut out = format!("{verdict}\n");
    let mut line = |name: &str, value: String| out.push_str(&format!("  {name:<10} {value}\n"));
    line("signatures", format!("{} written, {} in all", grouped(signed.added), grouped(signed.signed)));
    line("key", key.id());
    line("dataset", dest.to_owned());
    if let Some(head) = &signed.head {
        line("head", format!("{} {}", head.number, head.sha256));
    }
    out.trim_end().to_owned()
}

fn json(signed: &Signed, dest: &str, key: PublicKey) -> String {
    serde_json::json!({
        "output_version": 1,
        "exit_code": 0,
        "dest": dest,
        "key_id": key.id(),
        "public_key": key.hex(),
        "added": signed.added,
        "signed": signed.signed,
        "left": signed.left,
        "head": signed.head.as_ref().map(|head| serde_json::json!({"number": head.number, "sha256": head.sha256})),
    })
    .to_string()
}
