//! Who signs commits: from flags to a signer.
//!
//! What lives here: the flags that every writing command shares, and how they resolve against a dataset. What this file
//! must not know: what is signed, and when.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args as ClapArgs;
use vonage_audit::plan::parse_duration;
use vonage_audit::publish::signatures::{PrivateKey, PublicKey, Signer};
use vonage_audit::publish::{Dataset, Signing};
use vonage_audit::{Error, Result};

use crate::environment::{Environment, key_from_file};
use crate::signing_program::SigningProgram;
use crate::summary::count;
use crate::terminal::Terminal;

/// Where `--help` lists these flags.
pub(crate) const HEADING: &str = "Signatures";

/// With which key; docs/signatures.md says what a signature proves.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct SignerArgs {
    /// Sign every commit with this Ed25519 key: PKCS#8 in PEM or DER, readable by its owner alone
    #[arg(long, value_name = "FILE", conflicts_with = "sign_command", help_heading = HEADING)]
    sign_key: Option<PathBuf>,
    /// Sign every commit with this shell command: the text on its standard input, the signature (64 bytes, or Base64)
    /// on its standard output
    #[arg(long, value_name = "COMMAND", help_heading = HEADING)]
    sign_command: Option<String>,
    /// Public key of --sign-command, PEM or DER (default: the dataset's)
    #[arg(long, value_name = "FILE", requires = "sign_command", help_heading = HEADING)]
    sign_public_key: Option<PathBuf>,
    /// Longest time for one signature by a command
    #[arg(long, value_name = "DURATION", default_value = "30s", help_heading = HEADING)]
    sign_timeout: String,
}

/// Whether commits are signed.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct SigningArgs {
    #[command(flatten)]
    signer: SignerArgs,
    /// Leave the commits of a signed dataset to be signed later, by `vonage-audit sign`
    #[arg(long, conflicts_with_all = ["sign_key", "sign_command"], help_heading = HEADING)]
    sign_later: bool,
}

impl SigningArgs {
    /// Names the signer to a dataset, and refuses one that it cannot go on with. A command signs a text that means nothing
    /// first, so that one that cannot is found before anything is requested or written.
    pub(crate) async fn attach(&self, dataset: Dataset) -> Result<Dataset> {
        let signing = match self.signer.resolve(dataset.signing_key()).await? {
            Some(signer) => Signing::Now(signer),
            None if self.sign_later => Signing::Later,
            None => Signing::Never,
        };
        let dataset = dataset.signed_by(signing)?;
        dataset.unsigned().await?;
        Ok(dataset)
    }
}

impl SignerArgs {
    /// Longest time for one signature by a command.
    pub(crate) fn limit(&self) -> Result<Duration> {
        Ok(Duration::from_secs(parse_duration(&self.sign_timeout)?.into()))
    }

    /// The signer, if there is one; `in_force` is the dataset's key.
    pub(crate) async fn resolve(&self, in_force: Option<PublicKey>) -> Result<Option<Arc<dyn Signer>>> {
        let limit = self.limit()?;
        if let Some(path) = &self.sign_key {
            return private_key(path).map(Some);
        }
        let Some(command) = &self.sign_command else { return Ok(None) };
        let key = self.sign_public_key.as_deref().map(public_key).transpose()?.or(in_force);
        let key = key.ok_or_else(|| {
            Error::usage("the public key of --sign-command is not known").hint("add --sign-public-key FILE")
        })?;
        program(command, key, limit).await.map(Some)
    }
}

/// A key's file as a signer.
pub(crate) fn private_key(path: &Path) -> Result<Arc<dyn Signer>> {
    let file = key_from_file(path)?;
    Ok(Arc::new(PrivateKey::parse(&file).map_err(|error| error.at("path", path.display()))?))
}

/// A command as a signer that has shown that it can.
pub(crate) async fn program(command: &str, key: PublicKey, limit: Duration) -> Result<Arc<dyn Signer>> {
    let signer = SigningProgram::new(command, key, limit);
    signer.try_out().await?;
    Ok(Arc::new(signer))
}

pub(crate) fn public_key(path: &Path) -> Result<PublicKey> {
    let read = || {
        let file =
            std::fs::read(path).map_err(|error| Error::usage("cannot read the public key").because(error))?;
        PublicKey::parse(&file)
    };
    read().map_err(|error| error.at("path", path.display()))
}

/// Signs what killed runs left unsigned, under the lock, and says so.
pub(crate) async fn heal(dataset: &Dataset, environment: &Environment, terminal: &Terminal) -> Result<()> {
    let healed = dataset.heal_signatures(environment.now.seconds()).await?;
    if healed > 0 {
        terminal.note(format!("signed {} that had no signature", count(healed, "earlier commit")));
    }
    Ok(())
}
