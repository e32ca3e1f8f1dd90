//! The wait before the next attempt.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::call::Call;
use crate::engine;
use crate::executor::Executor;
use crate::rare::Phase;
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
        let delay = self.delay();
        if !delay.is_zero() {
            sleep(delay);
        }
        self.executor.run.rare.set_phase(Phase::Idle);
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
        Pause::new(self.executor, self.delay, tag.put_away(outcome))
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
    fn put_away(self, outcome: O) -> Self::Leftover;
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
    fn put_away(self, _: O) -> Nothing {
        Nothing
    }
}
