//! Discarding of outcomes that are retried. The body of a response is drained during the pause, so that its connection
//! can be reused.
//!
//! Everything else of an outcome is dropped before the pause: otherwise an error that is not `Send` would make the future
//! `!Send`.

use core::fmt;
#[cfg(feature = "http")]
use core::future::poll_fn;
use core::pin::Pin;
#[cfg(feature = "http")]
use core::pin::pin;
use core::task::Context;
#[cfg(feature = "http")]
use core::task::Poll;
use core::time::Duration;

#[cfg(feature = "http")]
use crate::util::clock::Instant;

/// The policy's limits for draining the body of a response.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "only read with the feature of an HTTP client")]
pub struct DrainLimits {
    /// The number of bytes to read at most; 0 reads nothing.
    pub(crate) bytes: usize,
    /// The time after which draining stops; `None` if only the end of the pause stops it.
    pub(crate) timeout: Option<Duration>,
}

/// Work that remains to be done during a pause, such as draining a body. It is dropped at the end of the pause, finished
/// or not.
pub trait Cleanup {
    #[doc(hidden)]
    fn poll(&mut self, cx: &mut Context<'_>);
}

/// A cleanup without any work.
#[derive(Clone, Copy, Debug)]
pub struct NoCleanup;

impl Cleanup for NoCleanup {
    #[inline(always)]
    fn poll(&mut self, _: &mut Context<'_>) {}
}

/// The cleanup of an outcome whose type is only known at run time: a body that is being drained, or nothing. A body takes
/// one allocation.
pub struct DrainBody(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl DrainBody {
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Polls `reading` until it ends or the policy's timeout has passed.
    #[cfg(feature = "http")]
    pub(crate) fn read(limits: DrainLimits, reading: impl Future<Output = ()> + Send + 'static) -> Self {
        let Some(timeout) = limits.timeout else { return Self(Some(Box::pin(reading))) };
        let start = Instant::now();
        Self(Some(Box::pin(async move {
            let mut reading = pin!(reading);
            // The clock is read whenever the pause is polled, instead of arming a second timer. A body that stalls costs
            // nothing, and is dropped at the end of the pause.
            poll_fn(|cx| if start.elapsed() < timeout { reading.as_mut().poll(cx) } else { Poll::Ready(()) }).await;
        })))
    }
}

impl Cleanup for DrainBody {
    fn poll(&mut self, cx: &mut Context<'_>) {
        if self.0.as_mut().is_some_and(|reading| reading.as_mut().poll(cx).is_ready()) {
            self.0 = None;
        }
    }
}

impl fmt::Debug for DrainBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DrainBody").field(&self.0.is_some()).finish()
    }
}
