//! What is checked of a dataset, by whom it must be vouched for, and within which limits.
//!
//! What lives here: [`TrustArgs`], for every command that verifies. What this file must not know: what is done with the
//! outcome.

use std::path::PathBuf;

use vonage_audit::model::Head;
use vonage_audit::publish::verify::{Depth, Verification};
use vonage_audit::{Error, Result};

use crate::signing::public_key;

/// Flags of every command that verifies.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TrustArgs {
    /// A commit noted down elsewhere: the log must have it, with this digest
    #[arg(long, value_name = "NUMBER:SHA256")]
    pub(crate) expect_head: Option<String>,
    /// Largest data file that is read, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    pub(crate) file_limit: u64,
    /// Most memory that one decoded file may take, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    pub(crate) decode_limit: u64,
    /// Most memory for the ids of the dataset with --deep, in MiB; one MiB holds 52,428 ids
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    pub(crate) id_limit: u64,
    /// File with the public key that you trust, from elsewhere (PEM or hexadecimal)
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: Option<PathBuf>,
}

impl TrustArgs {
    /// The verification that they ask for; reads the key's file.
    pub(crate) fn verification(&self, quick: bool, deep: bool) -> Result<Verification> {
        let depth = match (quick, deep) {
            (true, _) => Depth::Quick,
            (_, true) => Depth::Deep,
            _ => Depth::Digests,
        };
        Ok(Verification {
            depth,
            head: self.expect_head.as_deref().map(head).transpose()?,
            file_limit: self.file_limit << 20,
            memory: self.decode_limit << 20,
            id_memory: self.id_limit << 20,
            public_key: self.public_key.as_deref().map(public_key).transpose()?,
            ..Verification::default()
        })
    }
}

fn head(text: &str) -> Result<Head> {
    text.split_once(':')
        .and_then(|(number, sha256)| Some((number.parse().ok()?, sha256.to_ascii_lowercase())))
        .filter(|(_, sha256)| sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .map(|(number, sha256)| Head { number, sha256 })
        .ok_or_else(|| {
            Error::usage(format!("not a commit: {text:?}"))
                .hint("write --expect-head 42:SHA256, as an export prints it behind `head`")
        })
}
