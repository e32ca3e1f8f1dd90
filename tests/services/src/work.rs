//! The work of a service: annotated functions, each with its own long deadline.

use std::error::Error;
use std::future::pending;
use std::time::Duration;

use retry_runtime::retry;
use tokio::time::{Instant, sleep};

/// The longest that a service works for one request if no caller gives it less time. Arguments of attributes repeat it.
pub const LIMIT: Duration = Duration::from_secs(4);

/// An error of any kind.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Waits for something that does not become ready, in attempts of 20 ms.
// Without pauses, the deadline cuts off an attempt. A call that gave up before a pause would fail just before its caller's
// deadline, and the caller would have the time for a retry, which works for another four seconds.
#[retry(attempts = "unlimited", backoff = "fixed", start = "0ms", deadline = "4s", on_error = "any")]
pub(crate) async fn poll() -> Result<(), BoxError> {
    sleep(Duration::from_millis(20)).await;
    Err("not ready".into())
}

/// One attempt that hangs.
#[retry(attempts = 3, deadline = "4s")]
pub(crate) async fn hang() -> Result<(), BoxError> {
    pending().await
}

/// Creates one chunk of a stream, in the second attempt.
#[retry(attempts = 3, backoff = "fixed", start = "10ms", deadline = "4s", on_error = "any")]
async fn chunk(failures: &mut u32) -> Result<(), BoxError> {
    sleep(Duration::from_millis(10)).await;
    *failures += 1;
    if *failures == 1 { Err("not ready".into()) } else { Ok(()) }
}

/// A stream that ends after [`LIMIT`].
#[derive(Debug)]
pub(crate) struct Chunks {
    started: Instant,
}

impl Chunks {
    /// Starts the stream.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self { started: Instant::now() }
    }

    /// Creates the next chunk, or returns `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Result<(), BoxError>> {
        if self.started.elapsed() > LIMIT {
            return None;
        }
        Some(chunk(&mut 0).await)
    }
}
