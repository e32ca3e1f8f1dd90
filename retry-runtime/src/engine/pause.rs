//! The pause before the next attempt.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::classify::drain::{Cleanup, NoCleanup};
use crate::classify::outcome_kind::OutcomeKind;
use crate::context::simulation;
use crate::engine::call::Call;
use crate::engine::core::Core;
use crate::engine::manual_call::ManualCall;
use crate::engine::owned_pause::OwnedPause;
use crate::engine::state::CallState;
use crate::util::sleep::{Sleep, TimerSlot, TokioSleep};

pin_project! {
    /// The pause before the next attempt. Await it, or use [`block`](Self::block) in blocking code.
    ///
    /// The pause begins when it is first polled. A zero delay takes no timer, but yields to other tasks once.
    ///
    /// # Panics
    ///
    /// Panics with tokio's timer if it is polled outside a tokio runtime whose time is enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping it ends the pause. The executor can then continue with the next attempt.
    #[must_use = "a pause does nothing unless it is awaited"]
    pub struct Pause<'e, C: Call = ManualCall<'static>, S: TimerSlot = TokioSleep, L = NoCleanup> {
        core: &'e mut Core<C, S>,
        #[pin]
        running: RunningPause<S, L>,
    }
}

pin_project! {
    /// A pause, apart from its call.
    pub struct RunningPause<S: TimerSlot, L> {
        delay: Duration,
        is_armed: bool,
        #[pin]
        timer: S::Timer,
        cleanup: L,
    }
}

impl<'e, C: Call, S: TimerSlot, L> Pause<'e, C, S, L> {
    #[inline]
    pub(crate) fn new(core: &'e mut Core<C, S>, delay: Duration, cleanup: L) -> Self {
        let running = RunningPause::new(&core.sleep, delay, cleanup);
        Self { core, running }
    }

    /// The delay before the next attempt.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.running.delay
    }

    /// A pause that does not borrow the executor, for code that polls and keeps both in a struct.
    ///
    /// The executor must not start an attempt before the pause has ended: the decision to retry holds for the time after it.
    pub fn into_owned(self) -> OwnedPause<S, L>
    where
        S: Sleep + Clone,
    {
        OwnedPause::new(self.core.sleep.clone(), self.running.delay, self.running.cleanup)
    }

    /// Blocks the thread with [`std::thread::sleep`].
    pub fn block(self) {
        self.block_with(std::thread::sleep);
    }

    /// Blocks with this function. It is not called for a zero delay.
    pub fn block_with(self, sleep: impl FnOnce(Duration)) {
        let RunningPause { delay, cleanup, .. } = self.running;
        let delay = simulation::shortened(delay);
        // A response is not read in blocking code, so it must not hold its connection during the pause.
        drop(cleanup);
        if !delay.is_zero() {
            sleep(delay);
        }
    }
}

/// The decision that a failed attempt is followed by another one.
pub struct NextAttempt<'e, C: Call, S, K> {
    core: &'e mut Core<C, S>,
    delay: Duration,
    kind: K,
}

impl<'e, C: Call, S: TimerSlot, K> NextAttempt<'e, C, S, K> {
    #[inline]
    pub(crate) fn new(core: &'e mut Core<C, S>, delay: Duration, kind: K) -> Self {
        Self { core, delay, kind }
    }

    /// Discards the outcome of the failed attempt, and returns the pause.
    #[inline]
    pub fn after<O>(self, outcome: O) -> Pause<'e, C, S, K::Cleanup>
    where
        K: OutcomeKind<O>,
    {
        let Self { core, delay, kind } = self;
        let cleanup = kind.discard(outcome, core.active.call.policy().drain_limits());
        Pause::new(core, delay, cleanup)
    }
}

impl<C: Call, S, K> fmt::Debug for NextAttempt<'_, C, S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextAttempt").field("delay", &self.delay).finish_non_exhaustive()
    }
}

impl<C: Call, S: Sleep, L: Cleanup> Future for Pause<'_, C, S, L> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.running.poll(this.core, cx)
    }
}

impl<S: TimerSlot, L> RunningPause<S, L> {
    #[inline(always)]
    pub(crate) fn new(sleep: &S, delay: Duration, cleanup: L) -> Self {
        Self { delay, is_armed: false, timer: sleep.idle(), cleanup }
    }

    #[inline(always)]
    pub(crate) fn poll<C: Call>(self: Pin<&mut Self>, core: &mut Core<C, S>, cx: &mut Context<'_>) -> Poll<()>
    where
        S: Sleep,
        L: Cleanup,
    {
        let this = self.project();
        this.cleanup.poll(cx);
        let Core { active, sleep } = core;
        poll_pause(&mut active.state, sleep, this.timer, this.is_armed, *this.delay, cx)
    }
}

impl<C: Call, S: TimerSlot, L> fmt::Debug for Pause<'_, C, S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pause").field("delay", &self.delay()).finish_non_exhaustive()
    }
}

/// Waits for the end of a pause. A zero delay takes no timer, but lets other tasks run once.
///
/// It takes the state, not the call, so that it is compiled once for each kind of timer instead of once for each call.
#[cold]
#[inline(never)]
pub(crate) fn poll_pause<S: Sleep>(
    state: &mut CallState,
    sleep: &S,
    mut timer: Pin<&mut S::Timer>,
    is_armed: &mut bool,
    delay: Duration,
    cx: &mut Context<'_>,
) -> Poll<()> {
    let delay = simulation::shortened(delay);
    if !*is_armed {
        *is_armed = true;
        if delay.is_zero() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        sleep.arm(timer.as_mut(), state, delay);
    }
    if !delay.is_zero() {
        ready!(sleep.poll(timer, state, cx));
    }
    Poll::Ready(())
}
