//! The keys of a log, in their order: which one is in force where.
//!
//! What lives here: [`Keys`], and the rule that each key but the first is signed by the one before it. What this file
//! must not know: signatures of commits.

use super::key::PublicKey;
use super::texts::rotation_text;
use crate::model::KeyRecord;

/// A key record that the key before it has not signed, or that changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotEndorsed;

/// The keys that a log names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Each with the commit that names it.
    keys: Vec<(u64, PublicKey)>,
}

impl Keys {
    /// Takes the record of commit `number` in, which chains to `previous`, in the dataset of this digest.
    ///
    /// # Errors
    /// [`NotEndorsed`]; nothing is taken in then.
    pub fn take(
        &mut self,
        number: u64,
        record: &KeyRecord,
        dataset: &str,
        previous: &str,
    ) -> Result<(), NotEndorsed> {
        let key = PublicKey::new(record.public_key).ok_or(NotEndorsed)?;
        let endorsed = match (self.current(), &record.endorsement) {
            (None, None) => true,
            (Some(old), Some(signature)) => {
                old != key && old.verifies(&rotation_text(dataset, previous, &key.hex()), signature)
            }
            (None, Some(_)) | (Some(_), None) => false,
        };
        if !endorsed {
            return Err(NotEndorsed);
        }
        self.keys.push((number, key));
        Ok(())
    }

    /// The key that signs what comes next; none if the log is not signed.
    pub fn current(&self) -> Option<PublicKey> {
        self.keys.last().map(|(_, key)| *key)
    }

    /// The key whose signature commit `number` bears. The first one signs what was there before it, too.
    pub fn of(&self, number: u64) -> Option<PublicKey> {
        let from = self.keys.iter().rev().find(|(from, _)| *from <= number);
        from.or(self.keys.first()).map(|(_, key)| *key)
    }

    /// The keys, each with the commit that names it.
    pub fn iter(&self) -> impl Iterator<Item = (u64, PublicKey)> + '_ {
        self.keys.iter().copied()
    }
}
