//! The operations that are retried.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};

pub(crate) type Outcome = Result<u64, Failed>;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed")
    }
}

impl Error for Failed {}

/// Is ready at once.
pub(crate) async fn ready(x: u64) -> Outcome {
    // The compiler must not know that it succeeds.
    if black_box(x) == u64::MAX { Err(Failed) } else { Ok(x) }
}

/// Returns `Pending` to `polls` polls.
pub(crate) async fn pending(polls: u64) -> Outcome {
    Yield(polls).await;
    ready(polls).await
}

/// Has a future of about 1 KiB.
pub(crate) async fn large(x: u64) -> Outcome {
    let mut bytes = [x as u8; 1008];
    black_box(&mut bytes);
    Yield(0).await;
    ready(u64::from(black_box(&bytes)[5])).await
}

thread_local! {
    /// The number of failures before [`fail_once`] succeeds.
    pub(crate) static FAILURES: Cell<u32> = const { Cell::new(0) };
}

pub(crate) async fn fail_once(x: u64) -> Outcome {
    match FAILURES.get() {
        0 => Ok(x),
        left => {
            FAILURES.set(left - 1);
            Err(Failed)
        }
    }
}

struct Yield(u64);

impl Future for Yield {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        Poll::Pending
    }
}
