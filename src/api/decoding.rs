//! Replies made values beside the connections, one after the other.
//!
//! What lives here: [`Decoding`]. Whoever is handed a reply goes on with those that come meanwhile, so that few have to wake
//! anybody. What this file must not know: what a reply says.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::error::{Error, Result};

type Work = Box<dyn FnOnce() + Send>;

/// Does work in the order in which it comes.
#[derive(Default)]
pub(super) struct Decoding(Arc<All>);

type All = Mutex<State>;

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    /// Whether somebody will look at what waits.
    working: bool,
}

/// Whoever looks at what waits.
struct Worker(Option<Arc<All>>);

impl Decoding {
    /// What `work` gives. It is done even if nobody waits for it any more.
    ///
    /// # Errors
    /// A bug: the work panics.
    pub(super) async fn of<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (give, given) = oneshot::channel();
        let begins = {
            let mut state = state(&self.0);
            state.waiting.push_back(Box::new(move || drop(give.send(work()))));
            !std::mem::replace(&mut state.working, true)
        };
        if begins {
            let worker = Worker(Some(Arc::clone(&self.0)));
            // Not waited for: whoever gave the work waits for what it gives.
            drop(spawn_blocking(move || worker.work()));
        }
        given.await.unwrap_or_else(|cause| Err(Error::bug("a reply could not be decoded").because(cause)))
    }
}

impl Worker {
    /// Does everything that waits, and ends when there is nothing more.
    fn work(mut self) {
        while let Some(work) = self.next() {
            // Whoever waits for it sees that nothing came; what waits behind it is done all the same.
            let _ = catch_unwind(AssertUnwindSafe(work));
        }
    }

    fn next(&mut self) -> Option<Work> {
        let next = {
            let mut state = state(self.0.as_ref()?);
            let next = state.waiting.pop_front();
            state.working = next.is_some();
            next
        };
        if next.is_none() {
            self.0 = None;
        }
        next
    }
}

impl Drop for Worker {
    /// A runtime that ends drops what it has not begun: nobody is to wait for that.
    fn drop(&mut self) {
        let Some(all) = self.0.take() else { return };
        let left = {
            let mut state = state(&all);
            state.working = false;
            std::mem::take(&mut state.waiting)
        };
        drop(left);
    }
}

fn state(all: &All) -> MutexGuard<'_, State> {
    // Nothing panics while the lock is held, and the values are valid at every point.
    all.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;
    use crate::error::Kind;

    #[test]
    fn all_work_is_done_and_a_panic_costs_its_own_alone() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let decoding = Decoding::default();
            for round in 0..50_u64 {
                let work = (0..20).map(|number| {
                    decoding.of(move || {
                        assert!(number != 7, "the planted defect");
                        if number == 9 {
                            Err(Error::new(Kind::Malformed, "no page"))
                        } else {
                            Ok(round + number)
                        }
                    })
                });
                // One that nobody waits for any more.
                drop(decoding.of(|| Ok(())));
                for (number, given) in join_all(work).await.into_iter().enumerate() {
                    let kind = given.map_err(|error| error.kind());
                    match number {
                        7 => assert_eq!(kind, Err(Kind::Bug)),
                        9 => assert_eq!(kind, Err(Kind::Malformed)),
                        _ => assert_eq!(kind, Ok(round + number as u64)),
                    }
                }
            }
        });
    }

    #[test]
    fn who_gives_work_after_a_runtime_has_ended_is_answered() {
        let decoding = Decoding::default();
        let runtime =
            || tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let first = runtime();
        first.block_on(async {
            // The only thread is busy, so that the work is not begun before the runtime ends.
            drop(spawn_blocking(move || wait.recv()));
            let mut work = Box::pin(decoding.of(|| Ok(1)));
            assert!(futures::poll!(work.as_mut()).is_pending());
        });
        first.shutdown_background();
        drop(go);
        assert_eq!(runtime().block_on(decoding.of(|| Ok(2))).ok(), Some(2));
    }
}
