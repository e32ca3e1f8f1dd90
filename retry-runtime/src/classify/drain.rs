//! Discarding an outcome that is retried: what is left of it may have to be read to its end.

use core::fmt;
#[cfg(feature = "http")]
use core::future::poll_fn;
use core::pin::Pin;
use core::task::Context;
#[cfg(feature = "http")]
use core::task::Poll;
use core::time::Duration;

#[cfg(feature = "http")]
use crate::util::clock::Instant;

/// The limits of reading the rest of a response, as the policy sets them.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "read with the features of HTTP clients")]
pub struct DrainLimits {
    /// The number of bytes; 0 reads nothing.
    pub(crate) bytes: usize,
    pub(crate) timeout: Option<Duration>,
}

/// What becomes of an outcome that is not the last one.
pub trait Discard<O> {
    type Cleanup: Cleanup;
    fn discard(self, outcome: O, limits: DrainLimits) -> Self::Cleanup;
}

/// What is still to be done during a pause. Given up at its end, finished or not.
pub trait Cleanup {
    #[doc(hidden)]
    fn poll(&mut self, cx: &mut Context<'_>);
}

/// There is nothing to be done.
#[derive(Clone, Copy, Debug)]
pub struct NoCleanup;

impl Cleanup for NoCleanup {
    #[inline(always)]
    fn poll(&mut self, _: &mut Context<'_>) {}
}

/// The outcome is dropped.
#[derive(Clone, Copy, Debug)]
pub struct DropOutcome;

impl<O> Discard<O> for DropOutcome {
    type Cleanup = NoCleanup;
    #[inline(always)]
    fn discard(self, _: O, _: DrainLimits) -> NoCleanup {
        NoCleanup
    }
}

/// What is left of an outcome whose type is not known in advance: a body that is being read, or nothing.
pub struct DrainBody(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl DrainBody {
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Reads on, as long as the policy allows.
    #[cfg(feature = "http")]
    pub(crate) fn read(limits: DrainLimits, reading: impl Future<Output = ()> + Send + 'static) -> Self {
        let Some(timeout) = limits.timeout else { return Self(Some(Box::pin(reading))) };
        let start = Instant::now();
        let mut reading = Box::pin(reading);
        // Without a timer: a body of which nothing comes costs nothing.
        Self(Some(Box::pin(poll_fn(move |cx| {
            if start.elapsed() < timeout { reading.as_mut().poll(cx) } else { Poll::Ready(()) }
        }))))
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
        f.debug_tuple("Remains").field(&self.0.is_some()).finish()
    }
}
