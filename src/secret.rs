//! Secrets that cannot be printed by accident.
//!
//! What lives here: the API secret and the key it belongs to. What this file must not know: where they come from
//! and where they go. There is no `Debug`, `Display` or serialisation of a [`Secret`], by design:
//!
//! ```compile_fail
//! let secret = vonage_audit::secret::Secret::new("s3cret".to_owned());
//! println!("{secret}");
//! ```
//!
//! ```compile_fail
//! let secret = vonage_audit::secret::Secret::new("s3cret".to_owned());
//! println!("{secret:?}");
//! ```

use zeroize::Zeroizing;

/// A text that only [`Secret::expose`] gives away; its memory is wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one place that must send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// What HTTP Basic authentication needs: the account's API key (a name, not a secret) and one of its secrets.
#[derive(Clone)]
pub struct Credentials {
    /// The account's API key, 8 characters (source: the API's documentation). Names the account.
    pub key: String,
    /// One of the account's up to two live secrets.
    pub secret: Secret,
}
