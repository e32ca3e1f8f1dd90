//! The measured operations, and three ways to retry them: a hand-written loop, the attribute and `retrying!`.

use std::fmt;
use std::future::poll_fn;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use retry_runtime::{retry, retrying};
use tokio::time::sleep;

pub(crate) type Outcome = Result<u64, Failed>;

#[derive(Debug)]
pub(crate) struct Failed(pub(crate) u32);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failures left", self.0)
    }
}

/// The operations. The compiler cannot tell that they succeed.
pub(crate) mod operation {
    use super::*;

    /// Completes at once.
    pub(crate) async fn ready(x: u64) -> Outcome {
        if black_box(x) == u64::MAX { Err(Failed(0)) } else { Ok(x) }
    }

    /// Waits once, and keeps a few words across the wait.
    pub(crate) async fn waiting(x: u64) -> Outcome {
        let seen = black_box(x);
        Waits(true).await;
        if black_box(seen) == u64::MAX { Err(Failed(0)) } else { Ok(seen ^ x) }
    }

    /// Has a future of 1 KiB.
    pub(crate) async fn large(x: u64) -> Outcome {
        let mut buffer = [x as u8; 1008];
        black_box(&mut buffer);
        Waits(true).await;
        if black_box(&buffer)[5] == 255 { Err(Failed(0)) } else { Ok(x) }
    }

    /// Fails `left` times.
    pub(crate) async fn failing(left: &AtomicU32) -> Outcome {
        match left.load(Relaxed) {
            0 => Ok(black_box(7)),
            more => {
                left.store(more - 1, Relaxed);
                Err(Failed(more))
            }
        }
    }

    /// Is pending in this many polls, then completes.
    pub(crate) async fn pending(polls: u64) -> Outcome {
        let mut left = polls;
        poll_fn(|_| match black_box(left) {
            0 => Poll::Ready(()),
            more => {
                left = more - 1;
                Poll::Pending
            }
        })
        .await;
        Ok(polls)
    }

    struct Waits(bool);

    impl Future for Waits {
        type Output = ();
        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            if std::mem::take(&mut self.0) { Poll::Pending } else { Poll::Ready(()) }
        }
    }
}

/// A way to retry the operations, with at most four attempts.
pub(crate) trait Calls: 'static {
    const NAME: &'static str;
    /// Delays of 10 ms, 20 ms, 40 ms, at most 1 s, as in the next two.
    fn ready(x: u64) -> impl Future<Output = Outcome> + Send;
    fn waiting(x: u64) -> impl Future<Output = Outcome> + Send;
    fn large(x: u64) -> impl Future<Output = Outcome> + Send;
    /// A first delay of 1 ms.
    fn failing(left: &AtomicU32) -> impl Future<Output = Outcome> + Send;
    /// Delays of zero.
    fn at_once(left: &AtomicU32) -> impl Future<Output = Outcome> + Send;
    /// Delays of 15 ms, 30 ms, 37.5 ms, each plus or minus a random third.
    fn scattered(left: &AtomicU32) -> impl Future<Output = Outcome> + Send;
}

/// A body of one call …
macro_rules! one_call {
    ($call:expr) => {
        $call.await
    };
}
/// … which a hand-written loop awaits directly.
macro_rules! awaited {
    ($call:expr) => {
        $call.await
    };
}
/// A body of more than one expression, with a `?` in it …
macro_rules! with_question {
    ($call:expr) => {{
        let value = $call.await?;
        Ok(value ^ 1)
    }};
}
/// … for which a hand-written loop needs a block, so that `?` does not leave the loop.
macro_rules! in_block {
    ($call:expr) => {
        async { with_question!($call) }.await
    };
}

/// The loop that a careful engineer writes. `$delay` receives the number of the retry, starting from 0.
macro_rules! repeat {
    ($outcome:expr, $delay:expr) => {{
        let mut retries = 0;
        loop {
            let delay = match $outcome {
                Ok(value) => return Ok(value),
                Err(failed) if retries >= 3 => return Err(failed),
                Err(Failed(_)) => $delay(retries),
            };
            retries += 1;
            sleep(delay).await;
        }
    }};
}

pub(crate) use repeat;

macro_rules! hand_written {
    ($name:ident, $once:ident) => {
        pub(crate) struct $name;
        impl Calls for $name {
            const NAME: &'static str = stringify!($name);
            async fn ready(x: u64) -> Outcome {
                repeat!($once!(operation::ready(x)), |n| doubling(Duration::from_millis(10), n))
            }
            async fn waiting(x: u64) -> Outcome {
                repeat!($once!(operation::waiting(x)), |n| doubling(Duration::from_millis(10), n))
            }
            async fn large(x: u64) -> Outcome {
                repeat!($once!(operation::large(x)), |n| doubling(Duration::from_millis(10), n))
            }
            async fn failing(left: &AtomicU32) -> Outcome {
                repeat!($once!(operation::failing(left)), |n| doubling(Duration::from_millis(1), n))
            }
            async fn at_once(left: &AtomicU32) -> Outcome {
                repeat!($once!(operation::failing(left)), |n| doubling(Duration::ZERO, n))
            }
            async fn scattered(left: &AtomicU32) -> Outcome {
                repeat!($once!(operation::failing(left)), scattered)
            }
        }
    };
}
hand_written!(HandWritten, awaited);
hand_written!(HandWrittenInBlock, in_block);

pub(crate) fn doubling(start: Duration, retries: u32) -> Duration {
    start.saturating_mul(1_u32.checked_shl(retries).unwrap_or(u32::MAX)).min(Duration::from_secs(1))
}

fn scattered(retries: u32) -> Duration {
    let delay = doubling(Duration::from_millis(10), retries).min(Duration::from_millis(25));
    delay + delay.mul_f64(rand::random())
}

macro_rules! ours {
    ($name:ident, $body:ident) => {
        pub(crate) struct $name;
        impl Calls for $name {
            const NAME: &'static str = stringify!($name);
            #[retry(attempts = 4, start = "10ms", max_delay = "1s")]
            async fn ready(x: u64) -> Outcome {
                $body!(operation::ready(x))
            }
            #[retry(attempts = 4, start = "10ms", max_delay = "1s")]
            async fn waiting(x: u64) -> Outcome {
                $body!(operation::waiting(x))
            }
            #[retry(attempts = 4, start = "10ms", max_delay = "1s")]
            async fn large(x: u64) -> Outcome {
                $body!(operation::large(x))
            }
            #[retry(attempts = 4, start = "1ms", max_delay = "1s")]
            async fn failing(left: &AtomicU32) -> Outcome {
                $body!(operation::failing(left))
            }
            #[retry(attempts = 4, start = "0s", max_delay = "1s")]
            async fn at_once(left: &AtomicU32) -> Outcome {
                $body!(operation::failing(left))
            }
            #[retry(delays = ["15ms", "30ms", "37.5ms"], jitter = "33.3%")]
            async fn scattered(left: &AtomicU32) -> Outcome {
                $body!(operation::failing(left))
            }
        }
    };
}
ours!(Ours, one_call);
ours!(OursWithQuestion, with_question);

/// The same calls with `retrying!`. The functions return its future directly, without an `async fn` around it.
macro_rules! blocks {
    ($name:ident, $body:ident $(, $outcome:ty)?) => {
        pub(crate) struct $name;
        impl Calls for $name {
            const NAME: &'static str = stringify!($name);
            fn ready(x: u64) -> impl Future<Output = Outcome> + Send {
                retrying!(attempts = 4, start = "10ms", max_delay = "1s", async move || $(-> $outcome)? { $body!(operation::ready(x)) })
            }
            fn waiting(x: u64) -> impl Future<Output = Outcome> + Send {
                retrying!(attempts = 4, start = "10ms", max_delay = "1s", async move || $(-> $outcome)? { $body!(operation::waiting(x)) })
            }
            fn large(x: u64) -> impl Future<Output = Outcome> + Send {
                retrying!(attempts = 4, start = "10ms", max_delay = "1s", async move || $(-> $outcome)? { $body!(operation::large(x)) })
            }
            fn failing(left: &AtomicU32) -> impl Future<Output = Outcome> + Send {
                retrying!(attempts = 4, start = "1ms", max_delay = "1s", async move || $(-> $outcome)? { $body!(operation::failing(left)) })
            }
            fn at_once(left: &AtomicU32) -> impl Future<Output = Outcome> + Send {
                retrying!(attempts = 4, start = "0s", max_delay = "1s", async move || $(-> $outcome)? { $body!(operation::failing(left)) })
            }
            fn scattered(left: &AtomicU32) -> impl Future<Output = Outcome> + Send {
                retrying!(delays = ["15ms", "30ms", "37.5ms"], jitter = "33.3%", async move || $(-> $outcome)? { $body!(operation::failing(left)) })
            }
        }
    };
}
blocks!(Block, one_call);
blocks!(BlockWithQuestion, with_question, Outcome);
