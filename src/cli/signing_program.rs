//! A program of the user's that signs: a key in a token, a key service, another machine.
//!
//! What lives here: running it with a limit on time and output. What this file must not know: what is signed.

use std::process::Stdio;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use vonage_audit::error::Kind;
use vonage_audit::publish::signatures::{PublicKey, Signature, Signer, signature};
use vonage_audit::{Error, Result};

/// What a program may say, in bytes: far above a signature in any form.
const MAX_OUTPUT: u64 = 4096;

/// Not a text of ours: a signature over it is good for nothing.
const TRIAL: &str = "vonage-audit-trial-v1\n";

const REPAIR: &str = "try it by hand: the text comes on standard input, the signature goes to standard output; what is \
                      committed stays, and the next run signs it";

/// A shell command that signs with the private half of a key.
pub(crate) struct SigningProgram {
    command: String,
    key: PublicKey,
    limit: Duration,
}

impl SigningProgram {
    pub(crate) fn new(command: &str, key: PublicKey, limit: Duration) -> Self {
        Self { command: command.to_owned(), key, limit }
    }

    /// Whether it signs, with this key.
    pub(crate) async fn try_out(&self) -> Result<()> {
        let refused = || {
            Error::usage("the signing command cannot sign with this key").at("key", self.key.id()).hint(
                "it gets a text on standard input and must write the Ed25519 signature, as 64 bytes or Base64",
            )
        };
        let signature = self.run(TRIAL).await.map_err(|cause| refused().because(cause))?;
        if !self.key.verifies(TRIAL, &signature) {
            return Err(refused().at("why", "the signature is not of --sign-public-key or the dataset's key"));
        }
        Ok(())
    }

    async fn run(&self, text: &str) -> Result<Signature> {
        match tokio::time::timeout(self.limit, self.once(text)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(failed("it took too long").at("seconds", self.limit.as_secs())),
        }
    }

    /// Ends the command when dropped.
    async fn once(&self, text: &str) -> Result<Signature> {
        let mut child = Command::new("/bin/sh")
            .arg("-c")
            .arg(&self.command)
            // It has no business with the API.
            .env_remove("VONAGE_API_KEY")
            .env_remove("VONAGE_API_SECRET")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|cause| failed("it does not start").because(cause))?;
        if let Some(mut input) = child.stdin.take() {
            // One that does not read its input shows by its answer whether it has signed.
            let _ = input.write_all(text.as_bytes()).await;
            let _ = input.shutdown().await;
        }
        let mut said = Vec::new();
        if let Some(output) = child.stdout.take() {
            let read = output.take(MAX_OUTPUT).read_to_end(&mut said).await;
            read.map_err(|cause| failed("its output cannot be read").because(cause))?;
        }
        let status = child.wait().await.map_err(|cause| failed("its end is not known").because(cause))?;
        if !status.success() {
            return Err(failed("it failed").at("status", status));
        }
        signature(&said).ok_or_else(|| failed("it wrote no signature").at("bytes", said.len()))
    }
}

fn failed(why: &'static str) -> Error {
    Error::new(Kind::Storage, "the signing command failed").at("why", why).hint(REPAIR)
}

impl Signer for SigningProgram {
    fn public_key(&self) -> PublicKey {
        self.key
    }

    fn sign<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Signature>> {
        Box::pin(self.run(text))
    }
}
