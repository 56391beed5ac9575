//! Long computing beside the requests.
//!
//! What lives here: [`aside`]. What this file must not know: what is computed.

use tokio::task::spawn_blocking;

use crate::error::{Error, Result};

/// Work on no more events than this is done where it is asked for.
const SHORT: u64 = 2_000;

/// Does `work`, which is about so many events, without holding up requests that are under way.
pub(super) async fn aside<T: Send + 'static>(
    events: u64,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if events <= SHORT {
        return work();
    }
    spawn_blocking(work).await.map_err(|error| Error::bug("sorting events failed").because(error))?
}
