//! Whether a store keeps the one promise that everything rests on.
//!
//! What lives here: [`creates_if_absent`], a question to the store itself instead of trust in its brand: some servers
//! take a conditional create and overwrite in silence. What this file must not know: which store it is.

use bytes::Bytes;

use super::{Created, ObjectPath, Store};
use crate::error::{Error, Kind, Result};

/// Where the question is asked. A fixed name: a writer that may not delete leaves one small object, not one a run.
const PROBE: &str = "_audit/probe/create-if-absent";

const ONE: &[u8] = b"This object shows that the store creates objects only where there are none.\n";
const OTHER: &[u8] = b"This object shows that the store overwrites objects: it was written a second time.\n";

/// Attempts for an unclear answer.
const ATTEMPTS: u32 = 5;

/// Creates one object twice, with two contents: the second create must find it, and the first content must stand.
/// `false` if the store overwrites. Works without the right to delete, beside other runs, and again and again.
///
/// # Errors
/// [`Kind::Storage`] when the store gives no clear answer; [`Kind::Usage`] when something else is in the place.
pub async fn creates_if_absent(store: &dyn Store) -> Result<bool> {
    let path = ObjectPath::new(PROBE)?;
    let (_, standing) = ask(store, &path, ONE).await?;
    let second = match standing.as_ref() {
        ONE => OTHER,
        // Left by a run on this store in the days when it overwrote.
        OTHER => ONE,
        _ => {
            return Err(Error::usage("something else is where the store is probed")
                .at("destination", store.describe())
                .at("path", &path)
                .hint("choose another destination, or remove this one object"));
        }
    };
    let (created, after) = ask(store, &path, second).await?;
    Ok(created == Created::Exists && after == standing)
}

/// One create and what stands then. Unclear answers are asked again, also that something exists which is not shown.
async fn ask(store: &dyn Store, path: &ObjectPath, bytes: &'static [u8]) -> Result<(Created, Bytes)> {
    let limit = u64::try_from(ONE.len().max(OTHER.len())).unwrap_or(u64::MAX);
    let mut unclear = None;
    for _ in 0..ATTEMPTS {
        let found = match store.create(path, Bytes::from_static(bytes)).await {
            Ok(created) => store.read(path, limit).await.map(|standing| Some(created).zip(standing)),
            Err(cause) => Err(cause),
        };
        match found {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(cause) if cause.kind() == Kind::Storage => unclear = Some(cause),
            Err(cause) => return Err(cause),
        }
    }
    Err(unclear.unwrap_or_else(|| {
        Error::new(Kind::Storage, "the store does not show an object that it has taken").at("path", path)
    }))
}
