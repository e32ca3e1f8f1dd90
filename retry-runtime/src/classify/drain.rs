//! Discarding of outcomes that are retried. The body of a response is drained during the pause, so that its connection
//! can be reused.
//!
//! Everything else of an outcome is dropped before the pause: otherwise an error that is not `Send` would make the future
//! `!Send`.

use core::fmt;
use core::pin::Pin;
use core::task::Context;
#[cfg(feature = "http")]
use core::task::Poll;
use core::time::Duration;

#[cfg(feature = "http")]
use pin_project_lite::pin_project;

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
    #[inline]
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
        match limits.timeout {
            None => Self(Some(Box::pin(reading))),
            Some(timeout) => Self(Some(Box::pin(ReadFor { start: Instant::now(), timeout, reading }))),
        }
    }
}

#[cfg(feature = "http")]
pin_project! {
    /// A body that is read to its end, or until this time has passed.
    struct ReadFor<F> {
        start: Instant,
        timeout: Duration,
        #[pin]
        reading: F,
    }
}

#[cfg(feature = "http")]
impl<F: Future<Output = ()>> Future for ReadFor<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        // The clock is read whenever the pause is polled, instead of arming a second timer. A body that stalls costs
        // nothing, and is dropped at the end of the pause.
        if this.start.elapsed() < *this.timeout { this.reading.poll(cx) } else { Poll::Ready(()) }
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
