//! The future of one attempt.

use core::fmt;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::engine::call::Call;
use crate::engine::core::Core;
use crate::engine::time_limit::{LimitTimer, TimeLimit};
use crate::util::sleep::TimerSlot;

pin_project! {
    /// The future of one attempt: runs it in its span and in its context, and cuts it off at its time limit. Made by
    /// [`Executor::attempt`](crate::Executor::attempt).
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the attempt.
    #[must_use = "an attempt does nothing unless it is awaited"]
    pub struct AttemptFuture<'e, C: Call, S: TimerSlot, F, K: LimitTimer<S>> {
        core: &'e mut Core<C, S>,
        #[pin]
        running: RunningAttempt<S, F, K>,
    }
}

pin_project! {
    /// An attempt, apart from its call.
    pub struct RunningAttempt<S: TimerSlot, F, K: LimitTimer<S>> {
        limit: K,
        stage: Stage,
        // Fields are dropped in this order: a value that is dropped with the future can find out whether it was cut off.
        before: K::Before,
        #[pin]
        future: F,
        after: K::After,
        #[pin]
        timer: K::Timer,
    }
}

#[derive(Clone, Copy)]
enum Stage {
    /// Has not started. Time may have passed since the beginning of the call or the end of the pause.
    New,
    /// Starts as soon as the call has begun, or the pause has ended.
    AtOnce,
    Started,
}

impl<'e, C: Call, S: TimerSlot, F, K: LimitTimer<S>> AttemptFuture<'e, C, S, F, K> {
    /// An attempt that starts at any time after the beginning of the call.
    #[inline(always)]
    pub(crate) fn new(core: &'e mut Core<C, S>, future: F, limit: K) -> Self {
        Self::at(Stage::New, core, future, limit)
    }

    /// An attempt that starts as soon as the call has begun, or the pause has ended.
    #[inline(always)]
    pub(crate) fn at_once(core: &'e mut Core<C, S>, future: F, limit: K) -> Self {
        Self::at(Stage::AtOnce, core, future, limit)
    }

    #[inline(always)]
    fn at(stage: Stage, core: &'e mut Core<C, S>, future: F, limit: K) -> Self {
        let running = RunningAttempt::at(stage, &core.sleep, future, limit);
        Self { core, running }
    }
}

impl<C: Call, S: TimerSlot, F: Future, K: TimeLimit<S, F::Output>> Future for AttemptFuture<'_, C, S, F, K> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // Read once: the compiler cannot see that the pointer stays the same.
        this.running.poll(this.core, cx)
    }
}

impl<S: TimerSlot, F, K: LimitTimer<S>> RunningAttempt<S, F, K> {
    /// An attempt that starts as soon as the call has begun, or the pause has ended.
    pub(crate) fn at_once(sleep: &S, future: F, limit: K) -> Self {
        Self::at(Stage::AtOnce, sleep, future, limit)
    }

    #[inline(always)]
    fn at(stage: Stage, sleep: &S, future: F, limit: K) -> Self {
        let timer = K::timer(sleep);
        let (before, after) = Default::default();
        Self { limit, stage, before, future, after, timer }
    }

    #[inline(always)]
    pub(crate) fn poll<C: Call>(self: Pin<&mut Self>, core: &mut Core<C, S>, cx: &mut Context<'_>) -> Poll<F::Output>
    where
        F: Future,
        K: TimeLimit<S, F::Output>,
    {
        let this = self.project();
        let stage = mem::replace(this.stage, Stage::Started);
        if !matches!(stage, Stage::Started) {
            core.begin();
            if let Some(outcome) = this.limit.before(core, matches!(stage, Stage::AtOnce)) {
                core.end();
                return Poll::Ready(outcome);
            }
        }
        let polled = core.in_attempt::<K, _>(|| this.future.poll(cx));
        if polled.is_ready() {
            core.end();
            return polled;
        }
        // Until here, no time has passed that is worth reading the clock. Not asked for the first poll only: the compiler would write
        // all of this twice, once for that poll, and the attempt would become a separate function.
        core.start_clock();
        let cut_off = this.limit.poll(this.timer, core, cx);
        if cut_off.is_ready() {
            K::mark(this.before, this.after);
            core.end();
        }
        cut_off
    }
}

impl<C: Call, S: TimerSlot, F, K: LimitTimer<S>> fmt::Debug for AttemptFuture<'_, C, S, F, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttemptFuture")
    }
}
