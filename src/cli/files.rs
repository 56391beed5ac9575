//! `vonage-audit files`: the data files that the log names.
//!
//! What lives here: the flags, the choice among the files, and their two texts. What this file must not know: how a log is read.

use std::path::Path;

use vonage_audit::publish::{NamedFile, NamedFiles};
use vonage_audit::store::Location;
use vonage_audit::{Error, Result};

use crate::args::{StorageArgs, formats};
use crate::destination::reading;
use crate::environment::Environment;
use crate::terminal::Terminal;

/// The flags.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// The dataset: the folder that holds _audit
    #[arg(value_name = "DEST")]
    pub(crate) dest: String,
    /// The files as of this commit; later ones are left out
    #[arg(long, value_name = "COMMIT")]
    pub(crate) as_of: Option<u64>,
    /// Only files of commits after this one: what is new since
    #[arg(long, value_name = "COMMIT")]
    pub(crate) since: Option<u64>,
    /// Only files of these formats, comma-separated
    #[arg(long, value_name = "FORMATS", value_delimiter = ',')]
    pub(crate) format: Vec<String>,
    /// Paths as a reader elsewhere opens them, not below the destination
    #[arg(long)]
    pub(crate) absolute: bool,
    #[command(flatten)]
    pub(crate) storage: StorageArgs,
}

/// Runs the command; gives the exit code.
pub(crate) async fn run(args: &Args, environment: &Environment, terminal: &Terminal) -> Result<u8> {
    let formats = formats(&args.format)?;
    if args.since.zip(args.as_of).is_some_and(|(since, as_of)| since > as_of) {
        return Err(Error::usage("--since is after --as-of"));
    }
    let store = reading(&args.dest, &args.storage, environment).await?;
    let named = NamedFiles::read(store.as_ref()).await?;
    let root = if args.absolute { absolute(&args.dest)? } else { String::new() };
    let files: Vec<&NamedFile> = named
        .between(args.since, args.as_of)?
        .into_iter()
        .filter(|named| formats.is_empty() || formats.contains(&named.file.format))
        .collect();
    let path = |named: &NamedFile| format!("{root}{}", named.file.path);
    if terminal.is_json() {
        let list: Vec<_> = files.iter().map(|named| json(named, &path(named))).collect();
        terminal.result(serde_json::json!({
            "output_version": 1,
            "dest": args.dest,
            "as_of": args.as_of.or(named.head.as_ref().map(|head| head.number)),
            "since": args.since,
            "head": named.head.as_ref().map(|head| serde_json::json!({"number": head.number, "sha256": head.sha256})),
            "files": list,
        }));
    } else if !files.is_empty() {
        let lines: Vec<String> = files.into_iter().map(path).collect();
        terminal.result(lines.join("\n"));
    }
    Ok(0)
}

/// The destination as a reader elsewhere opens it, with a `/` at the end.
fn absolute(dest: &str) -> Result<String> {
    if Location::parse(dest)?.is_some() {
        return Ok(format!("{}/", dest.trim_end_matches('/')));
    }
    let path = std::path::absolute(Path::new(dest)).map_err(|cause| {
        Error::usage("the destination has no absolute path").at("destination", dest).because(cause)
    })?;
    let text = path.to_str().ok_or_else(|| {
        Error::usage("the destination's path is not UTF-8, so that it cannot be printed")
            .at("destination", dest)
    })?;
    Ok(format!("{}/", text.trim_end_matches('/')))
}

fn json(named: &NamedFile, path: &str) -> serde_json::Value {
    let file = &named.file;
    let created_at =
        file.created_at.map(|(min, max)| serde_json::json!({"min": min.to_string(), "max": max.to_string()}));
    serde_json::json!({
        "path": path,
        "format": file.format.name(),
        "bytes": file.bytes,
        "sha256": file.sha256,
        "rows": file.rows,
        "sequence": file.sequence,
        "created_at": created_at,
        "from": named.window.map(|window| window.from.to_string()),
        "to": named.window.map(|window| window.to.to_string()),
        "commit": named.commit,
    })
}
