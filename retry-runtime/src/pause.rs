//! The wait before the next attempt.

use core::fmt;
#[cfg(feature = "http")]
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::Policy;
use crate::call::Call;
use crate::engine;
use crate::executor::Executor;
#[cfg(feature = "http")]
use crate::sleep::Instant;
use crate::sleep::{Sleep, TimerPlace, TokioSleep};

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
    pub struct Pause<'e, C: Call, S: TimerPlace = TokioSleep, L = Nothing> {
        executor: &'e mut Executor<C, S>,
        delay: Duration,
        is_armed: bool,
        #[pin]
        timer: S::Timer,
        leftover: L,
    }
}

impl<'e, C: Call, S: TimerPlace, L> Pause<'e, C, S, L> {
    #[inline(always)]
    pub(crate) fn new(executor: &'e mut Executor<C, S>, delay: Duration, leftover: L) -> Self {
        let timer = executor.sleep.idle();
        Self { executor, delay, is_armed: false, timer, leftover }
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
        let Self { delay, leftover, .. } = self;
        #[cfg(feature = "testing")]
        let delay = crate::testing::current::slept(delay);
        // Nobody reads it, so it is not to hold its connection.
        drop(leftover);
        if !delay.is_zero() {
            sleep(delay);
        }
    }
}

impl<C: Call, S: Sleep, L: Leftover> Future for Pause<'_, C, S, L> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let Executor { run, sleep } = &mut **this.executor;
        this.leftover.poll(cx);
        engine::poll_pause(&mut run.rare, sleep, this.timer, this.is_armed, *this.delay, cx)
    }
}

impl<C: Call, S: TimerPlace, L> fmt::Debug for Pause<'_, C, S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pause").field("delay", &self.delay()).finish_non_exhaustive()
    }
}

/// The decision to try again, before the outcome has been put away.
#[must_use]
pub struct Again<'e, C: Call, S> {
    executor: &'e mut Executor<C, S>,
    delay: Duration,
}

impl<'e, C: Call, S: TimerPlace> Again<'e, C, S> {
    #[inline(always)]
    pub(crate) fn new(executor: &'e mut Executor<C, S>, delay: Duration) -> Self {
        Self { executor, delay }
    }

    /// The pause, in which what is left of `outcome` is put away as `tag` says.
    ///
    /// The outcome has to be consumed: a future in which it is only dropped before an await still counts as holding
    /// it, and is not `Send` where it is not.
    #[inline]
    pub fn after<O, T: PutAway<O>>(self, tag: T, outcome: O) -> Pause<'e, C, S, T::Leftover> {
        let leftover = tag.put_away(outcome, self.executor.run.call.policy());
        Pause::new(self.executor, self.delay, leftover)
    }
}

impl<C: Call, S> fmt::Debug for Again<'_, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Again")
    }
}

/// What becomes of an outcome that is not the last one.
pub trait PutAway<O> {
    type Leftover: Leftover;
    fn put_away(self, outcome: O, policy: &Policy) -> Self::Leftover;
}

/// What is still to be done during a pause. Given up at its end, finished or not.
pub trait Leftover {
    fn poll(&mut self, cx: &mut Context<'_>);
}

/// There is nothing to be done.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Leftover for Nothing {
    #[inline(always)]
    fn poll(&mut self, _: &mut Context<'_>) {}
}

/// The outcome is dropped.
#[derive(Clone, Copy, Debug)]
pub struct Discard;

impl<O> PutAway<O> for Discard {
    type Leftover = Nothing;
    #[inline(always)]
    fn put_away(self, _: O, _: &Policy) -> Nothing {
        Nothing
    }
}

/// What is left of an outcome whose type is not known in advance: a body that is being read, or nothing.
pub struct Remains(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Remains {
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

impl Leftover for Remains {
    fn poll(&mut self, cx: &mut Context<'_>) {
        if self.0.as_mut().is_some_and(|reading| reading.as_mut().poll(cx).is_ready()) {
            self.0 = None;
        }
    }
}

impl fmt::Debug for Remains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remains").field(&self.0.is_some()).finish()
    }
}
