//! A dataset's signatures: who signs, when a key comes into force, and what is signed later.
//!
//! What lives here: the rules of a signed log. A commit is durable before it is signed, and signing it is repeated by
//! whoever has the key: the signature of a commit is one write-once object beside it. A log that names a key stays
//! signed. What this file must not know: the form of keys and texts.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

use super::dataset::{Dataset, MAX_CONTROL, MAX_RACES, READ_AHEAD, TOOL, races};
use super::signatures::{PublicKey, Signature, Signer, rotation_text};
use super::{log, record, register};
use crate::error::{Error, Kind, Result};
use crate::model::{Commit, Head, KeyRecord};
use crate::store::ObjectPath;

/// Commits without a signature that a run signs in passing: what runs that were killed leave, and no more. More of them
/// are signed by somebody who means it.
const MAX_HEALED: usize = 16;

/// Whether a dataset's commits are signed.
#[derive(Clone, Default)]
pub enum Signing {
    /// They are not; a log that names a key is refused.
    #[default]
    Never,
    /// They are not yet: somebody else signs them. For a log that names a key, or will.
    Later,
    /// Each is, when it has been made.
    Now(Arc<dyn Signer>),
}

impl fmt::Debug for Signing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => out.write_str("Never"),
            Self::Later => out.write_str("Later"),
            Self::Now(signer) => write!(out, "Now({:?})", signer.public_key()),
        }
    }
}

/// What signing a log came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Signatures written by this call.
    pub added: u64,
    /// Commits that have one now, of any key of the log.
    pub signed: u64,
    /// Commits that another key of the log must sign.
    pub left: u64,
    /// The newest commit.
    pub head: Option<Head>,
}

impl Dataset {
    /// The key that signs what comes next in this log; none if it is not signed.
    pub fn signing_key(&self) -> Option<PublicKey> {
        self.log(|log| log.keys().current())
    }

    /// Says who signs. Writes nothing; without it nobody does.
    ///
    /// # Errors
    /// [`Kind::Usage`] when the log is signed and this is nobody, or has another key than the one in force.
    pub fn signed_by(mut self, signing: Signing) -> Result<Self> {
        self.set_signing(signing);
        self.may_sign()?;
        Ok(self)
    }

    /// The commits of this run's key without a signature, which it may sign in passing. Writes nothing.
    ///
    /// # Errors
    /// [`Kind::Usage`] when there are more than a few; [`Kind::Verification`] when the newest signature of this key
    /// is bad; [`Kind::Storage`].
    pub async fn unsigned(&self) -> Result<BTreeSet<u64>> {
        let (Signing::Now(signer), Some(head)) = (self.signing(), self.head()) else {
            return Ok(BTreeSet::new());
        };
        let present = self.present().await?;
        let ours = self.ours(signer.as_ref());
        let missing: BTreeSet<u64> = ours.difference(&present).copied().collect();
        if missing.len() > MAX_HEALED {
            return Err(Error::usage("more commits have no signature than a killed run leaves")
                .at("without a signature", missing.len())
                .at("head", format!("{} {}", head.number, head.sha256))
                .hint("compare the log with what you know of it, then sign it: vonage-audit sign --dest … --sign-key …"));
        }
        if let Some(newest) = ours.iter().rev().find(|number| present.contains(number)) {
            self.check_signature(*newest).await?;
        }
        Ok(missing)
    }

    /// Signs the few commits that runs with this key left unsigned when they were killed, and records the key if the log
    /// has none yet. An empty log stays empty. Gives the number of commits that had no signature.
    ///
    /// # Errors
    /// As [`Dataset::unsigned`].
    pub async fn heal_signatures(&self, recorded_at: i64) -> Result<u64> {
        let (Signing::Now(signer), Some(_)) = (self.signing(), self.head()) else { return Ok(0) };
        let missing = self.unsigned().await?;
        while self.record_key(recorded_at).await? {}
        self.sign_these(signer.as_ref(), missing.iter()).await?;
        Ok(missing.len() as u64)
    }

    /// Signs every commit of this key that has no signature, and records the key if the log has none yet. All that are
    /// there are checked first, and nothing is signed on top of a bad one. A key of the past signs what it has left.
    ///
    /// # Errors
    /// [`Kind::Usage`] when the log is empty or has other keys only; [`Kind::Verification`]; [`Kind::Storage`].
    pub async fn sign_all(&self, signer: &dyn Signer, recorded_at: i64) -> Result<Signed> {
        if self.head().is_none() {
            return Err(Error::usage("the log is empty").at("destination", self.store().describe()));
        }
        let present = self.check_signatures().await?;
        while self.signing_key().is_none() {
            self.put_key(signer, None, recorded_at).await?;
        }
        let ours = self.ours(signer);
        if ours.is_empty() {
            return Err(self.other_key(signer.public_key(), "the dataset is signed with another key"));
        }
        self.sign_these(signer, ours.difference(&present)).await?;
        let commits = self.log(log::Log::next);
        let signed = self.present().await?;
        let added = signed.difference(&present).count() as u64;
        let signed = signed.len() as u64;
        Ok(Signed { added, signed, left: commits.saturating_sub(signed), head: self.head() })
    }

    /// Puts a new signer in the place of `old`, with a commit that `old` has signed, once all that `old` has to sign is
    /// signed. Repeating it after an error or a kill is right.
    ///
    /// # Errors
    /// [`Kind::Usage`] when `old` is not the key in force; otherwise as [`Dataset::sign_all`].
    pub async fn rotate(&self, old: &dyn Signer, new: &dyn Signer, recorded_at: i64) -> Result<Signed> {
        for _ in 0..MAX_RACES {
            let current = self.signing_key();
            if current == Some(new.public_key()) {
                return self.sign_all(new, recorded_at).await;
            }
            if current != Some(old.public_key()) {
                return Err(self.other_key(old.public_key(), "the old key is not the one in force"));
            }
            let present = self.check_signatures().await?;
            self.sign_these(old, self.ours(old).difference(&present)).await?;
            self.put_key(new, Some(old), recorded_at).await?;
        }
        Err(races())
    }

    /// What must hold before anything is added to the log; says whether it has grown by that.
    pub(super) async fn record_key(&self, recorded_at: i64) -> Result<bool> {
        self.may_sign()?;
        match self.signing() {
            Signing::Now(signer) if self.signing_key().is_none() => {
                self.put_key(signer.as_ref(), None, recorded_at).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Signs what this process has committed, also what an earlier call could not.
    pub(super) async fn sign_own(&self) -> Result<()> {
        let Signing::Now(signer) = self.signing() else { return Ok(()) };
        for number in self.to_sign() {
            self.sign_with(signer.as_ref(), number).await?;
        }
        Ok(())
    }

    fn may_sign(&self) -> Result<()> {
        match (self.signing(), self.signing_key()) {
            (_, None) | (Signing::Later, _) => Ok(()),
            (Signing::Now(signer), Some(key)) if signer.public_key() == key => Ok(()),
            (Signing::Now(signer), Some(_)) => {
                Err(self.other_key(signer.public_key(), "the dataset is signed with another key"))
            }
            (Signing::Never, Some(key)) => {
                Err(Error::usage("the dataset is signed, and this run has no key")
                    .at("destination", self.store().describe())
                    .at("key", key.id())
                    .hint("add --sign-key or --sign-command, or --sign-later if somebody else signs"))
            }
        }
    }

    fn other_key(&self, given: PublicKey, what: &'static str) -> Error {
        Error::usage(what)
            .at("destination", self.store().describe())
            .at("in force", self.signing_key().map_or_else(|| "none".to_owned(), |key| key.id()))
            .at("given", given.id())
            .hint("hand over to a new key with: vonage-audit sign --dest … --sign-key NEW --old-sign-key OLD")
    }

    /// The commits that this signer must sign: all, in a log that names no key yet.
    fn ours(&self, signer: &dyn Signer) -> BTreeSet<u64> {
        let key = signer.public_key();
        self.log(|log| {
            let own = |number: &u64| log.keys().of(*number).is_none_or(|in_force| in_force == key);
            (0..log.next()).filter(own).collect()
        })
    }

    /// Appends the record of a new key, unless somebody else commits first, and signs it.
    async fn put_key(&self, new: &dyn Signer, old: Option<&dyn Signer>, recorded_at: i64) -> Result<()> {
        let key = new.public_key();
        let (number, previous, dataset, schema) = self.log(|log| {
            let schema = log.schema().unwrap_or(&self.spec().schema).clone();
            (log.next(), log.tip().to_owned(), log.dataset().to_owned(), schema)
        });
        let endorsement = match old {
            Some(old) => {
                let text = rotation_text(&dataset, &previous, &key.hex());
                Some(signature(old, &text).await.map_err(|cause| cause.at("commit", number))?)
            }
            None => None,
        };
        let bytes = record::write(&Commit {
            number,
            previous,
            schema,
            single_writer: self.single_writer(),
            tool: TOOL.to_owned(),
            key: Some(KeyRecord { public_key: key.raw(), endorsement }),
            windows: Vec::new(),
            undated: None,
            recorded_at,
        })?;
        if self.put(number, bytes.into()).await? {
            self.sign_with(new, number).await?;
        }
        Ok(())
    }

    async fn sign_these(&self, signer: &dyn Signer, numbers: impl Iterator<Item = &u64>) -> Result<()> {
        for number in numbers {
            self.sign_with(signer, *number).await?;
        }
        Ok(())
    }

    async fn sign_with(&self, signer: &dyn Signer, number: u64) -> Result<()> {
        let text = self
            .log(|log| log.text_to_sign(number))
            .ok_or_else(|| Error::bug("a commit to sign is not there"))?;
        let signature = signature(signer, &text).await.map_err(|cause| cause.at("commit", number))?;
        let bytes = Bytes::copy_from_slice(&signature);
        let path = log::signature_path(number)?;
        let standing = register::decide(self.store(), &path, bytes.clone(), MAX_CONTROL).await?;
        // A signer that is not deterministic has several good signatures of one text.
        if standing != bytes && !signer.public_key().verifies(&text, &standing) {
            return Err(bad(number));
        }
        self.has_signed(number);
        Ok(())
    }

    /// The commits of the log that have a signature. Others may have made more since it was read, and have brought in a key: it is in
    /// the log before anything is signed with it, so that whoever reads on after the signatures knows the keys of all of them.
    async fn present(&self) -> Result<BTreeSet<u64>> {
        let entries = register::children(self.store(), Some(&ObjectPath::new(log::FOLDER)?)).await?;
        self.read_forward().await?;
        let signed = entries.iter().filter_map(|entry| log::number(entry.name.strip_suffix(".sig")?));
        let commits = self.log(log::Log::next);
        Ok(signed.filter(|number| *number < commits).collect())
    }

    /// Checks every signature that is there; gives their numbers.
    async fn check_signatures(&self) -> Result<BTreeSet<u64>> {
        let present = self.present().await?;
        stream::iter(present.iter().copied())
            .map(|number| self.check_signature(number))
            .buffer_unordered(READ_AHEAD)
            .try_collect::<()>()
            .await?;
        Ok(present)
    }

    async fn check_signature(&self, number: u64) -> Result<()> {
        let found = register::read_known(self.store(), &log::signature_path(number)?, MAX_CONTROL).await?;
        let expected = self.log(|log| Some((log.keys().of(number)?, log.text_to_sign(number)?)));
        match (found, expected) {
            (Some(found), Some((key, text))) if key.verifies(&text, &found) => Ok(()),
            _ => Err(bad(number)),
        }
    }
}

/// A text's signature, if it is one.
async fn signature(signer: &dyn Signer, text: &str) -> Result<Signature> {
    let signature = signer.sign(text).await?;
    if !signer.public_key().verifies(text, &signature) {
        return Err(Error::new(Kind::Storage, "the signer gave what is no signature of its key")
            .at("key", signer.public_key().id())
            .hint("what is committed stays; repair the signer and run again, which signs it"));
    }
    Ok(signature)
}

fn bad(number: u64) -> Error {
    Error::new(Kind::Verification, "a signature is bad").at("commit", number).hint(
        "the commit or its signature was changed, or somebody signed with another key: compare with a copy",
    )
}
