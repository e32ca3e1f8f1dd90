//! The wait before the next attempt.

use core::fmt;
#[cfg(feature = "http")]
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::engine::call::Call;
use crate::engine::decide;
use crate::engine::executor::Executor;
use crate::policy::builder::Policy;
#[cfg(feature = "http")]
use crate::util::clock::Instant;
use crate::util::sleep::{Sleep, TimerSlot, TokioSleep};

pin_project! {
    /// The wait before the next attempt: await it, or [`block`](Self::block) in code that is not async.
    ///
    /// The wait begins when it is first polled. A delay of zero takes no timer, but lets other tasks run once.
    ///
    /// # Panics
    ///
    /// With tokio's timer, when it is polled outside of a tokio runtime whose time is enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping it ends the wait, and the executor may go on with the next attempt.
    #[must_use = "a pause does nothing unless it is awaited"]
    pub struct Pause<'e, C: Call, S: TimerSlot = TokioSleep, L = NoCleanup> {
        executor: &'e mut Executor<C, S>,
        delay: Duration,
        is_armed: bool,
        #[pin]
        timer: S::Timer,
        cleanup: L,
    }
}

impl<'e, C: Call, S: TimerSlot, L> Pause<'e, C, S, L> {
    #[inline(always)]
    pub(crate) fn new(executor: &'e mut Executor<C, S>, delay: Duration, cleanup: L) -> Self {
        let timer = executor.sleep.idle();
        Self { executor, delay, is_armed: false, timer, cleanup }
    }

    /// How long the wait is.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// Waits with [`std::thread::sleep`].
    pub fn block(self) {
        self.block_with(std::thread::sleep);
    }

    /// Waits with a function of yours that blocks; it is not called for a delay of zero.
    pub fn block_with(self, sleep: impl FnOnce(Duration)) {
        let Self { delay, cleanup, .. } = self;
        #[cfg(feature = "testing")]
        let delay = crate::context::simulation::slept(delay);
        // Nobody reads it, so it is not to hold its connection.
        drop(cleanup);
        if !delay.is_zero() {
            sleep(delay);
        }
    }
}

impl<C: Call, S: Sleep, L: Cleanup> Future for Pause<'_, C, S, L> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let Executor { core, sleep } = &mut **this.executor;
        this.cleanup.poll(cx);
        decide::poll_pause(&mut core.state, sleep, this.timer, this.is_armed, *this.delay, cx)
    }
}

impl<C: Call, S: TimerSlot, L> fmt::Debug for Pause<'_, C, S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pause").field("delay", &self.delay()).finish_non_exhaustive()
    }
}

/// The decision to try again, before the outcome has been put away.
#[must_use]
pub struct NextAttempt<'e, C: Call, S> {
    executor: &'e mut Executor<C, S>,
    delay: Duration,
}

impl<'e, C: Call, S: TimerSlot> NextAttempt<'e, C, S> {
    #[inline(always)]
    pub(crate) fn new(executor: &'e mut Executor<C, S>, delay: Duration) -> Self {
        Self { executor, delay }
    }

    /// The pause, in which what is left of `outcome` is put away as `tag` says.
    ///
    /// The outcome has to be consumed: a future in which it is only dropped before an await still counts as holding
    /// it, and is not `Send` where it is not.
    #[inline]
    pub fn after<O, T: Discard<O>>(self, tag: T, outcome: O) -> Pause<'e, C, S, T::Cleanup> {
        let cleanup = tag.discard(outcome, self.executor.core.call.policy());
        Pause::new(self.executor, self.delay, cleanup)
    }
}

impl<C: Call, S> fmt::Debug for NextAttempt<'_, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Again")
    }
}

/// What becomes of an outcome that is not the last one.
pub trait Discard<O> {
    type Cleanup: Cleanup;
    fn discard(self, outcome: O, policy: &Policy) -> Self::Cleanup;
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
    fn discard(self, _: O, _: &Policy) -> NoCleanup {
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
    pub(crate) fn read(policy: &Policy, reading: impl Future<Output = ()> + Send + 'static) -> Self {
        let Some(timeout) = policy.drain_timeout else { return Self(Some(Box::pin(reading))) };
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
