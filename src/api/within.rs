//! What comes within a time, by the network's clock and not by this process's.
//!
//! What lives here: [`within()`]. One thread asks, reads sockets and keeps time. Where it stood still for longer than a limit (a stopped
//! process, a terminal that takes nothing), the reply and the end of its time are seen in the same moment, and the reply
//! counts. What this file must not know: what is waited for.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures::poll;
use tokio::task::yield_now;
use tokio::time::timeout;

/// How often others get a turn after the time is over: sockets are read by tasks of their own, and a reply comes in several
/// pieces.
const TURNS: usize = 16;

/// What comes within the limit; `None` if nothing had come when it was over.
pub(super) async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    if let Ok(value) = timeout(limit, work.as_mut()).await {
        return Some(value);
    }
    for _ in 0..TURNS {
        yield_now().await;
        if let Poll::Ready(value) = poll!(work.as_mut()) {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;

    /// What is read of `replies` that come while this thread stands still for longer than the limit.
    fn read_after_a_stop(replies: usize) -> Option<usize> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut server, client) = UnixStream::pair().unwrap();
            client.set_nonblocking(true).unwrap();
            let client = tokio::net::UnixStream::from_std(client).unwrap();
            let (pieces, mut read) = tokio::sync::mpsc::channel(1);
            // As a connection's task hands over what it reads.
            let mut tasks = tokio::task::JoinSet::new();
            tasks.spawn(async move {
                loop {
                    client.readable().await.unwrap();
                    let mut piece = [0; 1];
                    if client.try_read(&mut piece).is_ok_and(|bytes| bytes == 1) {
                        let _ = pieces.send(piece).await;
                    }
                }
            });
            let limit = Duration::from_millis(20);
            let all = within(limit, async {
                for _ in 0..3 {
                    read.recv().await.unwrap();
                }
                3
            });
            let stop = async {
                // The limit counts from here on.
                yield_now().await;
                server.write_all(&vec![1; replies]).unwrap();
                std::thread::sleep(2 * limit);
            };
            futures::future::join(all, stop).await.0
        })
    }

    #[test]
    fn what_had_come_when_the_time_was_over_counts() {
        assert_eq!(read_after_a_stop(3), Some(3));
        assert_eq!(read_after_a_stop(2), None);
    }
}
